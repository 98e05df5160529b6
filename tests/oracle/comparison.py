"""How a recorded set is compared: every question one by one, every difference kept."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

RECORDED: Final = Path(__file__).with_name("recorded")
"""Recorded answers that are part of the project, compressed."""


def load(path: Path) -> Any:
    """Return the data of a recorded file, compressed or not.

    Raises:
        OSError: it cannot be read.
        lzma.LZMAError: it is not what its name says.
        ValueError: it is not JSON.
    """
    read = lzma.open if path.suffix == ".xz" else open
    with read(path, "rt", encoding="utf-8") as file:
        return json.load(file)


@dataclass
class Comparison:
    """Agreement of one file.

    Attributes:
        set: name of the recorded set.
        agree: answers that are the same.
        total: answers compared.
        differences: one mapping per difference: case, question, expected, answered, why.
        unanswerable: recorded answers that do not speak of what is compared (counted, not compared).
        undecided: answers the library declines to give; each is also a difference.
    """

    set: str
    agree: int = 0
    total: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    unanswerable: int = 0
    undecided: int = 0

    def add(self, case: str, question: object, expected: object, answered: object, why: str = "") -> None:
        """Count one answer; a difference is kept with its reason."""
        self.total += 1
        if expected == answered:
            self.agree += 1
        else:
            entry = {"case": case, "question": question, "expected": expected, "answered": answered, "why": why}
            self.differences.append(entry)

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "set": self.set,
            "agree": self.agree,
            "total": self.total,
            "unanswerable": self.unanswerable,
            "undecided": self.undecided,
            "differences": self.differences,
        }


Compare = Callable[[Mapping[str, Any], Path], Comparison]
"""Compares one recorded file; the folder is where its companions lie."""
