"""What every criterion returns: a value with unit, direction and interval, and the tree of evidence below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Evidence:
    """One line of an explanation, with the lines it rests on.

    Attributes:
        label: what the number is, in the field's words.
        value: the number, or None where the line is a statement.
        unit: unit of the value.
        source: address or catalogue id it comes from; empty where it follows from its children.
        assumption: whether it is an assumption.
        note: how it was derived.
        children: what it rests on.
    """

    label: str
    value: float | None = None
    unit: str = ""
    source: str = ""
    assumption: bool = False
    note: str = ""
    children: tuple[Evidence, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Evidence]]:
        """Yield this line and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


@dataclass(frozen=True)
class Score:
    """How good one design is on one criterion.

    Attributes:
        criterion: ``isolation``, ``effort``, ``operations`` or ``cost``.
        value: the figure that is ranked.
        unit: its unit.
        better: whether a higher or a lower value is better.
        low: lower end of the interval (P10).
        high: upper end of the interval (P90).
        summary: one sentence that says the finding.
        evidence: where the value comes from.
        figures: further named numbers and texts beside the ranked one (plain data, JSON-ready).
        detail: the criterion's own result object, for pictures and drill-down.
    """

    criterion: str
    value: float
    unit: str
    better: Better
    low: float
    high: float
    summary: str
    evidence: Evidence
    figures: Mapping[str, Any] = field(default_factory=dict)
    detail: Any = field(default=None, repr=False, compare=False)
