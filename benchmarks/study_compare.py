"""How long a person waits: start-up, help, and the comparison of all reference architectures for each example."""

from __future__ import annotations

import compileall
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
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


def _cpu(*arguments: str, runs: int = 5) -> float:
    """Return the median CPU seconds of a Python process, which other work on the machine moves less than its time."""
    found = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(found)


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


def comparison() -> Sequence[dict[str, object]]:
    """The whole comparison - completion, hybrids, four criteria, ranking and verdict - and as a cold process.

    The cold process stands beside importing pandas in the same run: four times that is wanted with two classes, five
    times with three (issue 11).
    """
    rows = []
    pandas = _process("-c", "import pandas")
    for example in ("ml-platform", "saas-inference", "gpu-cloud", "regulated-hybrid"):
        scenario = tk.load_scenario(example)

        def once(scenario: tk.Scenario = scenario) -> None:
            study = tk.compare(scenario)
            if study.verdict is None:
                raise RuntimeError("no design is admitted")

        found = harness.measure(once, 5)
        rows.append(
            harness.line(
                f"compare {example}", found.seconds, "s", n=found.runs, peak_memory_mib=round(found.peak_memory_mib, 1)
            )
        )
        whole = _process("-m", "tenancykit", "compare", example, "--json")
        cpu = _cpu("-m", "tenancykit", "compare", example, "--json"), _cpu("-c", "import pandas")
        ratio = {
            "import pandas": round(whole.seconds / pandas.seconds, 2),
            "import pandas, CPU": round(cpu[0] / cpu[1], 2),
        }
        classes = len(scenario.tenants.classes)
        rows.append(
            harness.line(
                f"tenancykit compare {example}, cold process, {classes} classes",
                whole.seconds,
                "s",
                n=whole.runs,
                ratio_to=ratio,
            )
        )
    return rows


if __name__ == "__main__":
    harness.report(__doc__ or "", [start_up, comparison])
