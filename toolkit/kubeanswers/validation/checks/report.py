"""Collects what is wrong with an object, each fault with the path of its field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Check = Callable[[str], str]
"""Returns what is wrong with a text, or an empty string."""


class Report:
    """The faults of one object.

    Attributes:
        faults: ``field: what is wrong``, in the order found.
        version: Kubernetes minor version checked against.
    """

    def __init__(self, version: str) -> None:
        self.faults: list[str] = []
        self.version = version

    def add(self, path: str, what: str) -> None:
        """Note a fault at a field."""
        self.faults.append(f"{path}: {what}")

    def text(self, path: str, value: Any, check: Check) -> None:
        """Check a text, where there is one."""
        if isinstance(value, str) and (wrong := check(value)):
            self.add(path, f"{value!r} {wrong}")

    def required(self, path: str, value: Any) -> bool:
        """Note a missing or empty field; return whether it is there."""
        if value is None or value in ("", [], {}):
            self.add(path, "is required")
            return False
        return True

    def choice(self, path: str, value: Any, allowed: Iterable[str], *, optional: bool = True) -> None:
        """Check that a text is one of some words; where optional, absent and empty are welcome."""
        if value in (None, ""):
            if not optional:
                self.add(path, "is required")
            return
        words = tuple(allowed)
        if value not in words:
            self.add(path, f"{value!r} is not one of {', '.join(words)}")

    def at_least(self, path: str, value: Any, least: int) -> None:
        """Check that a number, where given, is not below a bound."""
        if isinstance(value, int) and not isinstance(value, bool) and value < least:
            self.add(path, f"{value} must be at least {least}")

    def between(self, path: str, value: Any, least: int, most: int) -> None:
        """Check that a number, where given, is within bounds."""
        if isinstance(value, int) and not isinstance(value, bool) and not least <= value <= most:
            self.add(path, f"{value} must be between {least} and {most}")

    def unique(self, path: str, values: Iterable[Any], what: str = "") -> None:
        """Note each value that appears again."""
        seen: set[Any] = set()
        for index, value in enumerate(values):
            if value in seen:
                self.add(f"{path}[{index}]{what}", f"{value!r} appears twice")
            seen.add(value)


def faults(check: Callable[[Mapping[str, Any], Report], None], obj: Mapping[str, Any]) -> list[str]:
    """Return what one check finds in an object, where the version does not matter."""
    report = Report("")
    check(obj, report)
    return report.faults


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """Return a list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def each(path: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the mappings of a list with the path of each."""
    for index, item in enumerate(items(value)):
        yield f"{path}[{index}]", mapping(item)
