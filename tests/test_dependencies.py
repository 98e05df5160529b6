"""What is declared is imported by somebody, and what is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = {"kubeanswers", "tenancykit", "tests", *(file.stem for file in (ROOT / "benchmarks").glob("*.py"))}
BROUGHT = {
    "pydantic-core": "pydantic",
    **dict.fromkeys(
        ("ipython", "nbconvert", "nbformat", "tornado", "traitlets", "jupyter-server", "websocket-client"), "jupyterlab"
    ),
    "packaging": "pytest",
}
"""Packages that others bring and stand for: part of what those promise."""
RUN_AS_PROGRAMS = {
    *("bandit", "build", "import-linter", "mypy", "nbval", "pytest", "ruff"),  # make test runs them
    *("pytest-xdist", "pytest-rerunfailures", "pandas-stubs", "types-networkx", "types-pyyaml"),  # of pytest and mypy
    *("furo", "myst-nb", "sphinx"),  # make docs
    *("jupyterlab", "voila"),  # tenancykit lab starts them
}
"""Packages that are run, or loaded by what is run, and imported by nobody of ours."""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ;]", name)[0]).lower()


def declared() -> dict[str, set[str]]:
    """Return the packages of each extra; those everybody gets under an empty name."""
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return {name: {plain(one) for one in group} - {"tenancykit"} for name, group in groups.items()}


@cache
def imported(folder: str) -> set[str]:
    """Return the packages whose modules a folder's Python files import, wherever in a file."""
    owners, found = packages_distributions(), set[str]()
    for file in (ROOT / folder).rglob("*.py"):
        beside = {one.stem for one in file.parent.glob("*.py")}
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("importorskip"):
                names = [str(ast.literal_eval(node.args[0]))]
            for top in {name.partition(".")[0] for name in names} - OURS - beside - set(sys.stdlib_module_names):
                found.update(map(plain, owners.get(top, [top])))
    return found


def test_every_import_of_the_library_is_declared() -> None:
    known = set().union(*(declared()[name] for name in ("", "lab", "class", "live", "distributed")))
    assert {BROUGHT.get(name, name) for name in imported("toolkit")} - known == set()


def test_every_import_of_tests_benchmarks_and_docs_is_declared() -> None:
    known = set().union(*declared().values())
    assert {
        BROUGHT.get(name, name) for name in imported("tests") | imported("benchmarks") | imported("docs")
    } - known == set()


@pytest.mark.parametrize("extra", sorted(declared()))
def test_every_declared_package_is_imported_or_run(extra: str) -> None:
    used = set(set().union(*map(imported, ("toolkit", "tests", "benchmarks", "docs"))))
    schemas = {"kubernetes-validate"}  # its schemas are read as files
    assert declared()[extra] - used - RUN_AS_PROGRAMS - schemas == set()
