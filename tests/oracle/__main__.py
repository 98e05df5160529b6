"""Run recorded files through the library: ``python -m tests.oracle FILE... [--json]``.

Prints per file the set's name, how many answers agree of how many, and every difference.  Exit code 0 if nothing
differs, 1 if something does, 2 if a file cannot be read or its format is unknown.
"""

from __future__ import annotations

import argparse
import importlib
import json
import lzma
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __package__ == "tests.oracle":  # the library beside the tests, where it is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "toolkit"))

from tests.oracle.comparison import Compare, Comparison, load

_COMPARISONS = {
    "rbac": ("tests.oracle.access", "compare_rbac"),
    "rbac-builtin": ("tests.oracle.access", "compare_defaults"),
    "rbac-escalation": ("tests.oracle.access", "compare_escalation"),
    "pod-security": ("tests.oracle.pod_security", "compare_pod_security"),
    "quota-limitrange": ("tests.oracle.quota", "compare_quota"),
    "vap": ("tests.oracle.admission", "compare_vap"),
    "strict-validation": ("tests.oracle.validation", "compare_validation"),
    "scheduler": ("tests.oracle.scheduler", "compare"),
    "scheduler-large": ("tests.oracle.scheduler", "compare_large"),
    "kueue": ("tests.oracle.queueing", "compare"),
    "kueue-large": ("tests.oracle.queueing", "compare_large"),
}


class UnknownFormatError(Exception):
    """A file is not one of the recorded formats."""


def set_of(data: dict[str, Any]) -> str:
    """Return which recorded set a file holds, from its name or, failing that, its shape."""
    name = str(data.get("set", ""))
    if name in _COMPARISONS:
        return name
    if {"ClusterRole", "ClusterRoleBinding"} <= data.keys():
        return "rbac-builtin"
    known = next((known for known in sorted(_COMPARISONS, key=len, reverse=True) if name.startswith(known)), "")
    if not known:
        raise UnknownFormatError(f"set {name!r} is not one of {', '.join(sorted(_COMPARISONS))}")
    return known


def compare_file(path: Path) -> Comparison:
    """Return the comparison of one recorded file.

    Raises:
        UnknownFormatError: the format, or the module that compares it, is not there.
        OSError: the file cannot be read.
        lzma.LZMAError: it is not what its name says.
        ValueError: the file is not JSON.
    """
    data = load(path)
    if not isinstance(data, dict):
        raise UnknownFormatError("not a recorded set")
    module, name = _COMPARISONS[set_of(data)]
    try:
        compare: Compare = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise UnknownFormatError(
            f"nothing here compares the set {data.get('set')!r} ({error.name} is missing)"
        ) from error
    return compare(data, path.parent)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the files named on the command line and print the result."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object per file")
    options = parser.parse_args(arguments)
    worst = 0
    for path in options.files:
        try:
            result = compare_file(path)
        except (OSError, ValueError, lzma.LZMAError, UnknownFormatError) as error:
            print(f"{path}: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
            worst = 2
            continue
        worst = max(worst, 1 if result.differences else 0)
        _show(path, result, as_json=options.json)
    return worst


def _show(path: Path, result: Comparison, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": path.name, **result.as_dict()}, default=str))  # noqa: T201 - a command line prints
        return
    extra = "".join(
        f", {count} {word}"
        for count, word in ((result.unanswerable, "not comparable"), (result.undecided, "undecided"))
        if count
    )
    print(f"{path.name}: set {result.set}: agree {result.agree} of total {result.total}{extra}")  # noqa: T201 - as above
    for item in result.differences:
        outcome = f"expected {item['expected']}, answered {item['answered']} ({item['why']})"
        print(f"  {item['case']}: {item['question']}: {outcome}")  # noqa: T201 - as above


if __name__ == "__main__":
    sys.exit(main())
