"""How long a person waits: start-up, help, and the comparison of all reference architectures for each example."""

from __future__ import annotations

import compileall
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import harness
import tenancykit as tk


def _process(*arguments: str) -> harness.Measured:
    """Return the median wall-clock time of a Python process, with its largest resident memory.

    Bytecode is there, as it is of pandas and of whatever else pip installed; a checkout may be told to write none.
    """
    compileall.compile_dir(Path(tk.__file__).parents[1], quiet=2)
    measured = harness.measure(lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True), 7)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return harness.Measured(measured.seconds, before / 1024, measured.runs)


def _taken(arguments: Sequence[str]) -> tuple[float, float]:
    """Return the wall-clock and the CPU seconds of a Python process and of the copies it makes of itself."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _cold(name: str, *arguments: str, runs: int = 7) -> dict[str, object]:
    """Return a cold process beside importing pandas, turn by turn, so that a busy moment falls on both.

    CPU seconds stand beside: other work on the machine moves them less than it moves time.
    """
    turns = [(_taken(arguments), _taken(("-c", "import pandas"))) for _ in range(runs)]
    mine, pandas = (
        [statistics.median(column) for column in zip(*side, strict=True)] for side in zip(*turns, strict=True)
    )
    ratio = {
        "import pandas": round(mine[0] / pandas[0], 2),
        "import pandas, CPU": round(mine[1] / pandas[1], 2),
    }
    return harness.line(name, mine[0], "s", n=runs, ratio_to=ratio)


def start_up() -> Sequence[dict[str, object]]:
    """Start-up against importing pandas in the same run."""
    pandas = _process("-c", "import pandas")
    rows = [harness.line("import pandas", pandas.seconds, "s", n=pandas.runs)]
    for name, arguments in (
        ("import tenancykit", ("-c", "import tenancykit")),
        ("tenancykit --help", ("-m", "tenancykit", "--help")),
        ("tenancykit check ml-platform", ("-m", "tenancykit", "check", "ml-platform")),
    ):
        found = _process(*arguments)
        ratio = {"import pandas": round(found.seconds / pandas.seconds, 3)}
        rows.append(harness.line(name, found.seconds, "s", n=found.runs, ratio_to=ratio))
    return rows


def comparison() -> Iterator[dict[str, object]]:
    """The whole comparison - completion, hybrids, four criteria, ranking and verdict - and as a cold process.

    The cold process stands beside importing pandas in the same run: four times that is wanted with two classes, five
    times with three. JSON holds everything that can be told of every design, which the text does not.
    """
    for example in ("ml-platform", "saas-inference", "gpu-cloud", "regulated-hybrid"):
        scenario = tk.load_scenario(example)

        def once(scenario: tk.Scenario = scenario) -> None:
            study = tk.compare(scenario)
            if study.verdict is None:
                raise RuntimeError("no design is admitted")

        found = harness.measure(once, 5)
        peak = round(found.peak_memory_mib, 1)
        yield harness.line(f"compare {example}", found.seconds, "s", n=found.runs, peak_memory_mib=peak)
        told = f"tenancykit compare {example}, cold process, {len(scenario.tenants.classes)} classes"
        yield _cold(told, "-m", "tenancykit", "compare", example)
        yield _cold(f"{told}, JSON", "-m", "tenancykit", "compare", example, "--json")


if __name__ == "__main__":
    harness.report(__doc__ or "", [start_up, comparison])
