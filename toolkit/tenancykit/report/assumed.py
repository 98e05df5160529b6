"""Every assumption that influences a study, ordered by how much it could change the ranking."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tenancykit.decision.assumptions import TornadoRow
from tenancykit.report.figures import number
from tenancykit.report.payload import ASSUMPTIONS
from tenancykit.report.robust import lead_entry
from tenancykit.report.text import bullet, columns
from tenancykit.study.comparison import Study
from tenancykit.study.robustness import robustness

_ALL: Final = 1_000_000
_STARTS: Final = ("the time it takes to ", "the work for ", "the time until ", "the chance that ")
"""How names of many assumptions begin."""
_SHOWN: Final = 0.00005
"""Smallest swing that four digits show."""


def assumptions(study: Study) -> tuple[TornadoRow, ...]:
    """Return the assumptions with the lead of the first place at both ends of each, the largest swing first.

    Raises:
        UndecidedError: no design is admitted.
    """
    return robustness(study, most=_ALL).tornado


def assumptions_text(study: Study) -> str:
    """Return the assumptions as a table; those that move no lead by what four digits show follow by name."""
    found = assumptions(study)
    moving = [row for row in found if row.swing >= _SHOWN or row.winner_at_low != row.winner_at_high]
    rows = [("assumption", "id", "from", "to", "unit", "swing", "first: low / high")]
    rows += [
        (
            textwrap.shorten(row.name, 64, placeholder="..."),
            row.id,
            number(row.low_input),
            number(row.high_input),
            row.unit,
            f"{row.swing:.4f}",
            f"{row.winner_at_low} / {row.winner_at_high}",
        )
        for row in moving
    ]
    told = [*columns(rows, left={0, 1, 4, 6})]
    still = [row.name for row in found if row not in moving]
    if still:
        told += ["", f"{len(still)} more move nothing by what four digits show (their ranges: --json):"]
        told += _by_kind(still)
    return "\n".join(told)


def _by_kind(names: Sequence[str]) -> Iterator[str]:
    """Yield lines that list names, those that begin alike together."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kind = next((start for start in _STARTS if name.startswith(start)), "")
        kinds.setdefault(kind, []).append(name.removeprefix(kind))
    for kind, listed in kinds.items():
        yield from bullet(f"{kind or 'beside them '}{'; '.join(listed)}")


def assumptions_data(study: Study) -> dict[str, Any]:
    """Return the assumptions as plain data (format ``tenancykit/assumptions/v1``)."""
    entries = [
        {
            **lead_entry(row),
            "swing": row.swing,
            "first_at_low": row.winner_at_low,
            "first_at_high": row.winner_at_high,
        }
        for row in assumptions(study)
    ]
    return {"schema": ASSUMPTIONS, "scenario": study.scenario.name, "entries": entries}
