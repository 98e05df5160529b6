"""Measuring for the benchmark scripts: medians of repeated runs, peak memory in a run of its own, one line each."""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """Time and memory of one piece of work.

    Attributes:
        seconds: median wall-clock time of the runs.
        peak_memory_mib: highest memory allocated through Python and numpy during a separate run.
        runs: number of timed runs.
    """

    seconds: float
    peak_memory_mib: float
    runs: int


def measure(work: Callable[[], object], runs: int = 7) -> Measured:
    """Return the median time of several runs after one warm-up, and the peak memory of one more."""
    work()
    times = []
    for _ in range(runs):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    gc.collect()
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Measured(statistics.median(times), peak / MIB, runs)


def line(
    name: str, value: float, unit: str, *, n: int, ratio_to: dict[str, float] | None = None, **more: object
) -> dict[str, object]:
    """Return one result: name, value, unit, n, ratios to named baselines, and whatever else has to be said."""
    return {"name": name, "value": round(value, 6), "unit": unit, "n": n, "ratio_to": ratio_to or {}, **more}


def report(description: str, benchmarks: Sequence[Callable[[], Iterable[dict[str, object]]]]) -> None:
    """Run the benchmarks and print each line as soon as it is known: JSON with ``--json``, else a readable row."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    as_json = parser.parse_args().json
    for benchmark in benchmarks:
        for result in benchmark():
            print(json.dumps(result) if as_json else _row(result), flush=True)


def _row(result: dict[str, object]) -> str:
    extra = {key: value for key, value in result.items() if key not in ("name", "value", "unit")}
    return f"{result['name']:<44} {result['value']:>12} {result['unit']:<4} {extra}"
