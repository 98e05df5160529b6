"""The engine decides as the real Kueue 0.13.10 decided, event by event."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.__main__ import compare_file
from tests.oracle.queueing import Scenario, compare_large

RECORDED = Path(__file__).parent / "recorded"


def _read(name: str) -> dict[str, Any]:
    with lzma.open(RECORDED / name, "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def test_every_recorded_event_of_every_kind_has_the_same_outcome() -> None:
    found = compare_file(RECORDED / "kueue.json.xz")
    wrong = Counter(item["case"].split("/")[0] for item in found.differences)
    assert (found.total, wrong) == (5844, Counter()), json.dumps(found.differences[:3], indent=1)


def test_the_first_events_of_a_big_case_end_with_the_same_jobs_running() -> None:
    data = _read("kueue-large.json.xz")
    case = data["cases"][0]
    data["cases"] = [{**case, "events": case["events"][:4], "answers": case["answers"][:4]}]
    found = compare_large(data, RECORDED)
    assert (found.agree, found.total) == (4, 4)


@pytest.mark.parametrize("number", [0, 100, 300, 400])
def test_two_runs_of_a_case_take_the_same_steps(number: int) -> None:
    case = _read("kueue.json.xz")["cases"][number]
    runs = []
    for _ in range(2):
        scenario = Scenario(case)
        runs.append(repr([scenario.play(event).steps and scenario.engine.shares() for event in case["events"]]))
    assert runs[0] == runs[1]
