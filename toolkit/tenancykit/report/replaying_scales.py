"""A decision worked out again on the scales it was made on and on those of today, where the two differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final

from kubeanswers.errors import InputError
from kubeanswers.records import dataclass
from tenancykit.report.record_inputs import RecordedInputs
from tenancykit.study.comparison import Study
from tenancykit.study.scales import End, on_ends

SAME: Final = 1e-9
"""Relative difference up to which two figures count as the same: what printing nine digits keeps."""


_NONE_HELD: Final = "the record holds no ends of its scales, as those of before December 2026 do not"


@dataclass(frozen=True)
class Change:
    """Something that is not as the record says.

    Attributes:
        what: what it is.
        recorded: as the record says.
        now: as it comes out now.
    """

    what: str
    recorded: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.recorded} in the record, {self.now} now"


@dataclass(frozen=True)
class Scales:
    """What the scales of a record make of today's figures, beside those of today.

    Attributes:
        changes: the scales whose ends differ.
        missing: why nothing can be worked out on the record's own scales; empty where it can.
        recorded: scores on the record's scales, best first; the record's weights hold on both.
        now: scores on the scales of today, best first.
    """

    changes: tuple[Change, ...] = ()
    missing: str = ""
    recorded: Mapping[str, float] = field(default_factory=dict)
    now: Mapping[str, float] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Yield what is to be said of both: nothing where the record's scales are those of today."""
        if self.missing:
            yield f"it cannot be worked out on the scales it was decided on: {self.missing}"
        elif self.changes:
            yield f"today's figures on the record's scales: {_told(self.recorded)}"
            yield f"today's figures on today's scales: {_told(self.now)}"
            first = [next(iter(scores), "nobody") for scores in (self.recorded, self.now)]
            yield (
                f"{first[0]} is first on both"
                if first[0] == first[1]
                else f"which is first depends on the scales: {first[0]} on the record's, {first[1]} on today's"
            )

    def data(self) -> dict[str, Any]:
        """Return both as plain data."""
        return {
            "same": not self.changes and not self.missing,
            "missing": self.missing,
            "recorded": dict(self.recorded),
            "now": dict(self.now),
        }


def on_both(inputs: RecordedInputs, study: Study) -> Scales:
    """Return today's figures on the scales of a record and on those of today.

    Args:
        inputs: what the record carries.
        study: its designs as they come out now, under its weights.
    """
    now = _scores(study)
    if inputs.scales is None:
        return Scales(
            missing="the record holds no ends of its scales, as those of before December 2026 do not", now=now
        )
    recorded = [found.end() for found in inputs.scales]
    try:
        before = replace(study, scales=on_ends(study.scales, study.scenario, recorded))
    except InputError as error:
        return Scales(missing="; ".join(map(str, error.faults)), now=now)
    today = {end.leaf: end for end in study.scales.ends}
    changes = [
        Change(f"scale of {end.leaf}", _ends(end), _ends(today[end.leaf]))
        for end in recorded
        if not _alike(end, today[end.leaf])
    ]
    return Scales(tuple(changes), recorded=_scores(before), now=now)


def _alike(end: End, other: End) -> bool:
    pairs = ((end.worst, other.worst), (end.best, other.best))
    return end.unit == other.unit and all(math.isclose(a, b, rel_tol=SAME, abs_tol=SAME) for a, b in pairs)


def _ends(end: End) -> str:
    return f"{end.worst:,.6g} to {end.best:,.6g} {end.unit}"


def _scores(study: Study) -> dict[str, float]:
    ranking = study.ranking
    if ranking is None:
        return {}
    scores = dict(zip(ranking.labels, map(float, ranking.scores), strict=True))
    return {name: scores[name] for name in ranking.ordered()}


def _told(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {score:.3f}" for name, score in scores.items()) or "nobody is admitted"
