"""Admission of the recorded big cases, beside the CPU seconds the real Kueue scheduler took for them when recorded."""

from __future__ import annotations

import json
import lzma
import sys
import time
from pathlib import Path

from harness import line, report

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.oracle.queueing import Scenario, running_hash  # noqa: E402 - found once the root is on the path

RECORDED = ROOT / "tests" / "kubeanswers" / "queueing" / "recorded" / "kueue-large.json.xz"


def admission() -> list[dict[str, object]]:
    """Return our CPU seconds per case; the ratio is to Kueue's, ``agree`` counts events with the same end."""
    with lzma.open(RECORDED, "rt", encoding="utf-8") as file:
        data = json.load(file)
    lines = []
    for case in data["cases"]:
        scenario = Scenario(case)
        ours = theirs = 0.0
        agree = looked_at = 0
        for event, answer in zip(case["events"], case["answers"], strict=True):
            arriving = scenario.arriving(event, data["meta"]["arrive_table_columns"])
            before = time.process_time()
            course = scenario.play(event, arriving)
            ours += time.process_time() - before
            theirs += answer["cpu_seconds"]
            looked_at += course.looked_at
            agree += running_hash(scenario.engine) == answer["running_sha256"]
        ratio = {"Kueue 0.13.10, recorded": round(theirs / ours, 2)}
        lines.append(
            line(case["id"], ours, "s CPU", n=looked_at, ratio_to=ratio, events=len(case["events"]), agree=agree)
        )
    return lines


if __name__ == "__main__":
    report(__doc__ or "", [admission])
