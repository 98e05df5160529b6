"""What would change a decision, for people: tipping points, tornado, stakeholders, the nearest cheaper design."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Final

from tenancykit.criterion_names import TITLES
from tenancykit.decision.assumptions import TornadoRow
from tenancykit.decision.stakeholders import Consensus
from tenancykit.decision.table import amount, figure, reach
from tenancykit.drawing import html_of, text_of
from tenancykit.report.apart import names_apart
from tenancykit.report.opening_days import days_in_words
from tenancykit.report.opening_sure import what_would_settle_it
from tenancykit.report.reasons import hangs_on
from tenancykit.report.text import bullet, columns, line_width, wrapped
from tenancykit.sentences import listed
from tenancykit.study.comparison import Study
from tenancykit.study.robustness import Robustness
from tenancykit.version import __version__

_SHOWN: Final = 10
_LEAST_NAME: Final = 20
_MOST_UNIT: Final = 12
"""Characters of a column that folds, of names at least and of figures with their units at most."""


def robustness_text(found: Robustness) -> str:
    """Return what would overturn the first place, what moves it most, what is near it and who would object."""
    best = found.study.best
    lines = [*wrapped(f"What would change the first place of {best.name} ({best.id})"), ""]
    tips = [tip for tip in found.tipping_points if tip.tips_at is not None]
    lines.append(
        "Tipping points, nearest first (each assumption alone):" if tips else "No assumption alone overturns it."
    )
    for tip in tips[:_SHOWN]:
        lines += bullet(str(tip))
    lines += ["", "Lead over the best rival at both ends of each assumption, largest swing first:"]
    lines += _tornado(found.tornado[:_SHOWN])
    lines += ["", *_survival(found)]
    lines += _survived(found)
    lines += ["", *_near(found)]
    if found.consensus is not None:
        lines += ["", *_agreed(found.consensus)]
    lines += _legend(found.study, "\n".join(lines))
    return "\n".join(lines)


def _legend(study: Study, text: str) -> list[str]:
    """Return what the designs are that a text speaks of by id, best first; the first is named above it."""
    told = [e for e in study.order if e.id != study.best.id and re.search(rf"\b{re.escape(e.id)}\b", text)]
    lines = [line for e in told for line in bullet(f"{e.id} is {names_apart(study.order)[e.id]}")]
    return ["", "The designs spoken of:", *lines] if lines else []


def _survival(found: Robustness) -> list[str]:
    """Return how sure the first place is, every assumption measured, and who is first where one is left out."""
    verdict = found.verdict
    if verdict is None:
        return []
    fell = [item for item in found.survival if not item.survives]
    # The question is told as compare tells it: about what people can put a figure to, never a share of a scale.
    asked = "" if verdict.word == "clear" else what_would_settle_it(found.study)
    lines = wrapped(f"{replace(verdict, question='')} {asked}".rstrip())
    count = len(found.survival)
    lines += ["", f"Every assumption at both ends of its plausible range ({count}, one at a time):"]
    lines += bullet(f"{count - len(fell)} of {count} leave {verdict.leader} or a near-twin first")
    for item in fell:
        now = "" if item.unit == "x" else f", now {amount(item.current, item.unit)}"
        low, high = reach(item.low, item.high, item.unit).split(" to ", 1)
        lines += bullet(f"{item.name}{now}: at {low} {item.first_at_low} is first, at {high} {item.first_at_high}")
    if told := hangs_on(found.study):
        lines += bullet(f"In the samples they move at once. {told}")
    others = [item for item in found.dropped if verdict.leader not in (item.label, item.first)]
    lines.append("")
    told = "; ".join(f"without {item.label} {item.first} is first" for item in others)
    lines += wrapped(told or f"Whichever one rival is left out, {verdict.leader} stays first.")
    own = next((item for item in found.dropped if item.label == verdict.leader), None)
    if own is not None:
        lines += wrapped(f"Without {own.label} itself {own.first} is first.")
    return lines


def _survived(found: Robustness) -> Iterator[str]:
    """Yield the plausible ranges at both ends of which the first design or a near-twin stays first."""
    if found.verdict is not None and (stay := [item for item in found.survival if item.survives]):
        yield from ("", f"{found.verdict.leader} or a near-twin is first at both ends of each of these ranges:")
        for item in stay:
            yield from bullet(f"{item.name}: {reach(item.low, item.high, item.unit)}")


def _tornado(rows: tuple[TornadoRow, ...]) -> list[str]:
    if not rows:
        return ["- there is no rival"]
    heads = [["", "", "", "lead", "", "", "first at"], ["assumption", "from", "to", "low", "now", "high", "low / high"]]
    table = [
        [
            row.name,
            *reach(row.low_input, row.high_input, "times" if row.unit == "x" else row.unit).split(" to ", 1),
            f"{row.lead_at_low:+.3f}",
            f"{row.lead:+.3f}",
            f"{row.lead_at_high:+.3f}",
            f"{row.winner_at_low} / {row.winner_at_high}",
        ]
        for row in rows
    ]
    widths = [max(len(row[i]) for row in (*heads, *table)) for i in range(len(heads[0]))]
    widths[2] = min(widths[2], _MOST_UNIT)
    widths[0] = max(_LEAST_NAME, line_width() - sum(widths[1:]) - 2 * (len(widths) - 1))
    return columns([*heads, *(line for row in table for line in _lines(row, widths))], left={0, 6})


def _lines(row: list[str], widths: list[int]) -> list[list[str]]:
    """Return a row of a table as lines no wider than its columns."""
    cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    return [list(line) for line in zip_longest(*cells, fillvalue="")]


def _near(found: Robustness) -> list[str]:
    study = found.study
    currency = study.scenario.infrastructure.currency
    if all(study.best.scores["cost"].value <= e.scores["cost"].value for e in study.evaluations if study.rank(e.id)):
        return ["- it is the cheapest of the admitted designs"]
    cheaper, step = found.cheaper(), found.last_euro()
    lines = []
    if cheaper:
        first = cheaper[0]
        scores = found.study.best.scores
        given = listed(
            [f"{figure(more)} {scores[name].unit} of {TITLES[name].lower()}" for name, more in first.gives_up]
        )
        gives = f"takes {given} more" if given else "gives up nothing"
        text = f"nearest cheaper design that keeps the isolation: {first.label}, saves {figure(first.saves)} {currency}"
        lines += bullet(f"{text} a month and {gives}")
    else:
        lines.append("- no cheaper design keeps the isolation")
    if step is not None:
        lines += bullet(
            f"the last {figure(step.spent)} {currency} a month, over {step.cheaper}, buy less open days a year: "
            f"{_days(found, step.dearer)} instead of {_days(found, step.cheaper)}"
        )
    return lines


def _days(found: Robustness, label: str) -> str:
    return days_in_words(found.study[label], what=False)


def _agreed(found: Consensus) -> list[str]:
    names = ", ".join(s.name for s in found.stakeholders)
    choice = found.choice or "nobody: every design is vetoed"
    told = (
        f"Stakeholders ({names}): by the mean of their weights {found.ranking.winner}; of what nobody vetoes {choice}."
    )
    lines = wrapped(told)
    for stakeholder, ranking in zip(found.stakeholders, found.rankings, strict=True):
        vetoes = [veto.label for veto in found.vetoes if veto.stakeholder == stakeholder.name]
        told = f"{stakeholder.name} puts {ranking.winner} first"
        lines += bullet(f"{told} and would veto {', '.join(vetoes) if vetoes else 'nothing'}")
    lines += bullet(f"{found.least_regret} falls least behind anybody's own favourite")
    return lines


def lead_entry(row: TornadoRow) -> dict[str, Any]:
    """Return an assumption with the lead of the first place at both its ends, as plain data."""
    return {
        "assumption": row.name,
        "id": row.id,
        "low": row.low_input,
        "high": row.high_input,
        "unit": row.unit,
        "lead": row.lead,
        "lead_at_low": row.lead_at_low,
        "lead_at_high": row.lead_at_high,
    }


def robustness_payload(found: Robustness) -> dict[str, Any]:
    """Return the same as plain data (format ``tenancykit/robustness/v1``)."""
    step, agreed = found.last_euro(), found.consensus
    return {
        "schema": "tenancykit/robustness/v1",
        "tenancykit": __version__,
        "first": found.study.best.id,
        "tipping_points": [
            {
                "assumption": tip.name,
                "id": tip.id,
                "now": tip.current,
                "tips_at": tip.tips_at,
                "unit": tip.unit,
                "new_first": tip.new_winner,
                "plausible": tip.plausible,
                "exact": tip.exact,
                "searched": list(tip.searched),
            }
            for tip in found.tipping_points
        ],
        "tornado": [lead_entry(row) for row in found.tornado],
        "word": found.verdict.word if found.verdict else None,
        "survival": [
            {
                "assumption": item.name,
                "id": item.id,
                "now": item.current,
                "low": item.low,
                "high": item.high,
                "unit": item.unit,
                "first_at_low": item.first_at_low,
                "first_at_high": item.first_at_high,
                "survives": item.survives,
            }
            for item in found.survival
        ],
        "dropped": [
            {"design": item.label, "first": item.first, "first_in_pairs": item.first_in_pairs} for item in found.dropped
        ],
        "cheaper": [
            {"design": one.label, "saves": one.saves, "gives_up": dict(one.gives_up)} for one in found.cheaper()
        ],
        "last_step": None
        if step is None
        else {"from": step.cheaper, "to": step.dearer, "spent": step.spent, "gained": step.gained},
        "consensus": None
        if agreed is None
        else {
            "first": agreed.ranking.winner,
            "without_vetoes": agreed.choice,
            "least_regret": agreed.least_regret,
            "vetoes": [{"stakeholder": v.stakeholder, "design": v.label, "reason": v.reason} for v in agreed.vetoes],
        },
    }


@html_of.register
def robustness_html(found: Robustness) -> str:
    """Return the text, kept as it is laid out."""
    return f"<pre>{html.escape(robustness_text(found))}</pre>"


text_of.register(Robustness, robustness_text)

__all__ = ["robustness_html", "robustness_payload", "robustness_text"]
