"""Every assumption that influences a study, ordered by how much it could change the ranking."""

from __future__ import annotations

import textwrap
from typing import Any, Final

from tenancykit.decision.assumptions import TornadoRow
from tenancykit.report.figures import number
from tenancykit.report.payload import ASSUMPTIONS
from tenancykit.report.robust import lead_entry
from tenancykit.report.text import columns
from tenancykit.study.comparison import Study
from tenancykit.study.robustness import robustness

_ALL: Final = 1_000_000


def assumptions(study: Study) -> tuple[TornadoRow, ...]:
    """Return the assumptions with the lead of the first place at both ends of each, the largest swing first.

    Raises:
        UndecidedError: no design is admitted.
    """
    return robustness(study, most=_ALL).tornado


def assumptions_text(study: Study) -> str:
    """Return the assumptions as a table."""
    rows = [("assumption", "from", "to", "unit", "swing", "first: low / high")]
    rows += [
        (
            textwrap.shorten(row.name, 44, placeholder="..."),
            number(row.low_input),
            number(row.high_input),
            row.unit,
            f"{row.swing:.4f}",
            f"{row.winner_at_low} / {row.winner_at_high}",
        )
        for row in assumptions(study)
    ]
    return "\n".join(columns(rows, left={0, 3, 5}))


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
