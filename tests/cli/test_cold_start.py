"""What a command imports: a person who only checks a scenario does not wait for what a study or an audit needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def imported(code: str) -> set[str]:
    """The modules a fresh process holds after some code."""
    text = f"import sys, json\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def ran(*arguments: str) -> set[str]:
    return imported(f"from tenancykit.cli import main\nmain({list(arguments)!r})")


def test_importing_the_package_imports_none_of_its_rooms() -> None:
    assert {m for m in imported("import tenancykit") if m.startswith("tenancykit")} == {
        "tenancykit",
        "tenancykit.version",
    }


@pytest.mark.parametrize("heavy", ["numpy", "scipy", "tenancykit.study", "tenancykit.auditing", "tenancykit.report"])
def test_checking_a_scenario_imports_neither_arrays_nor_a_study(heavy: str) -> None:
    assert heavy not in ran("check", "regulated-hybrid")


def test_comparing_imports_neither_the_audit_nor_pictures() -> None:
    found = ran("compare", "regulated-hybrid")
    assert "tenancykit.study.comparison" in found
    assert not found & {"tenancykit.auditing", "tenancykit.report.charts", "tenancykit.study.exploration", "networkx"}


def test_results_draw_themselves_though_pictures_are_imported_late() -> None:
    code = (
        "import tenancykit as tk\n"
        "study = tk.compare(tk.load_scenario('regulated-hybrid'))\n"
        "before = 'tenancykit.report.drawing' in sys.modules\n"
        "html = study._repr_mimebundle_()['text/html']\n"
        "assert not before and '<svg' in html and 'First place' in html\n"
        "assert '<svg' in study.plot().svg"
    )
    assert "tenancykit.report.drawing" in imported(code)
