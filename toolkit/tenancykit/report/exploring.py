"""An exploration of the design space for people and programs: its size, its front, and how far the front is proven."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np

from kubeanswers.errors import UndecidedError
from kubeanswers.terminal import counted
from tenancykit.criterion_names import FOUR, SHORT, TITLES
from tenancykit.drawing import html_of, text_of
from tenancykit.report.chart_decision import explored
from tenancykit.report.completing import goes_without, purchase
from tenancykit.report.figures import NINES, number
from tenancykit.report.opening_days import days_in_words, levels_in_words, open_days, open_to
from tenancykit.report.opening_what import hires
from tenancykit.report.payload import fingerprint, plain
from tenancykit.report.text import bullet, columns, wrapped
from tenancykit.sentences import listed, number_of, three_digits
from tenancykit.study.exploration import Exploration, Found
from tenancykit.study.handful import Recommended, handful
from tenancykit.version import __version__

EXPLORATION: Final = "tenancykit/exploration/v1"

ALIKE: Final = 0.01
"""Designs that differ by less than this share of the front's spread on every criterion are shown as one."""

_SHOWN: Final = 15
_FEW: Final = 6
"""Most changes by which a design is told from one before it; beyond them it is told in full."""


def told_apart(front: Sequence[Found], alike: float = ALIKE) -> tuple[tuple[Found, int], ...]:
    """Return designs of a front that people can tell apart, each with how many are like it, itself included.

    Args:
        front: the designs.
        alike: share of the front's spread below which a difference does not count.
    """
    values = np.array([found.values for found in front]).reshape(-1, len(FOUR))
    spread = np.ptp(values, axis=0) if len(values) else np.zeros(len(FOUR))
    scaled = values / np.where(spread > 0, spread, 1.0)
    kept: list[int] = []
    like: dict[int, int] = {}
    for row in range(len(front)):
        near = next((k for k in kept if (np.abs(scaled[row] - scaled[k]) < alike).all()), None)
        if near is None:
            kept.append(row)
        like[row if near is None else near] = like.get(row if near is None else near, 0) + 1
    return tuple((front[row], like[row]) for row in kept)


def options_apart(front: Sequence[Found]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the options that all designs share, and per design in words those it chooses besides.

    No two designs read the same: each is told in full, or by what it adds to and takes from one told before.
    """
    every = [choice.options for one in front for choice in one.choices.values()]
    shared = tuple(option for option in (every[0] if every else ()) if all(option in options for options in every))
    told: list[str] = []
    for place, one in enumerate(front):
        near = min(front[:place], key=lambda other: len(_changes(one, other)), default=None)
        changes = _changes(one, near) if near is not None else []
        told.append(f"{near.id} {' '.join(changes)}" if near and 0 < len(changes) <= _FEW else _in_full(one, shared))
    return shared, tuple(told)


def _changes(one: Found, other: Found) -> list[str]:
    """Return what a design adds to another, and what it takes away; by class where its classes differ."""
    changes: dict[str, list[str]] = {}
    for name, choice in one.choices.items():
        mine, theirs = choice.options, other.choices[name].options
        added = [f"+{option}" for option in mine if option not in theirs]
        changes[name] = added + [f"-{option}" for option in theirs if option not in mine]
    found = list(changes.values())
    if all(change == found[0] for change in found):
        return found[0]
    return [f"{name}:{change}" for name, several in changes.items() for change in several]


def _in_full(one: Found, shared: Sequence[str]) -> str:
    own = {n: [o for o in choice.options if o not in shared] for n, choice in one.choices.items()}
    parts = {name: " + ".join(options) or "nothing else" for name, options in own.items()}
    if len(set(parts.values())) == 1:
        return next(iter(parts.values()))
    alike = {part: [name for name, other in parts.items() if other == part] for part in parts.values()}
    return "; ".join(f"{listed(names)}: {part}" for part, names in alike.items())


def exploration_text(found: Exploration) -> str:
    """Return the size of the space, the front and what it rests on."""
    front = found.admitted or found.front
    shown = told_apart(front)
    what = "meet every requirement and" if found.admitted else "are valid (none of these meets every requirement) and"
    lines = [
        found.scenario.title or found.scenario.name,
        *wrapped(
            f"{number_of(found.combinations)} combinations of options, {number_of(found.space)} of them valid; "
            f"{found.evaluated:,} measured, {found.billed:,} priced in full, in {found.seconds:.0f} s"
        ),
        *_recommended(found),
        "",
        *wrapped(
            f"{counted(len(front), 'design')} {what} {'is' if len(front) == 1 else 'are'} beaten by none; "
            f"{len(shown)} shown apart, as {'it differs' if len(shown) == 1 else 'they differ'} by at least 1 % of the "
            "range on some criterion:"
        ),
        "",
        *_table(found, shown[:_SHOWN]),
    ]
    if len(shown) > _SHOWN:
        lines.append(f"and {len(shown) - _SHOWN:,} more (all of them: --json)")
    lines += ["", f"The front is {_proof(found)}."]
    for caveat in found.caveats:
        lines += bullet(caveat)
    return "\n".join(lines)


def _recommended(found: Exploration) -> list[str]:
    """Return the handful, each design with its figures, what it buys and goes without, and why it is there."""
    chosen = handful(found)
    if not chosen:
        return [] if found.stopped else _nobody(found)
    lines = ["", f"Worth a look, {counted(len(chosen), 'design')} under the weights given and their doubt:"]
    for one in chosen:
        lines += wrapped(f"{one.found.id} {one.name}: {_in_short(one)}", "  ", "    ")
        lines += [text for told in (*_musts(one), *one.why) for text in wrapped(told, "    - ", "      ")]
        if one.twins:
            differ = "differs" if one.twins == 1 else "differ"
            lines += wrapped(f"and {counted(one.twins, 'design')} found that {differ} only in add-ons", "    ")
    classes = found.scenario.tenants.classes
    if len(classes) > 1 and not found.per_class:
        told = "Those that compare does not rank have the same for all classes; with --per-class each class may have"
        lines += wrapped(f"{told} its own.", "  ", "  ")
    front = {one.id for one in found.admitted}
    if beside := [one.found.id for one in chosen if one.found.id not in front]:
        lines += wrapped(
            f"Not on the front below: {listed(beside)}. The front takes isolation as one figure, that of what lies "
            "most open; weights value every class and plane.",
            "  ",
            "  ",
        )
    return lines


def _nobody(found: Exploration) -> list[str]:
    """Return what the nearest of the designs found, and of those a comparison holds, misses."""
    try:
        best = found.best
    except UndecidedError as error:
        return ["", *wrapped(f"{str(error)[:1].upper()}{str(error)[1:]}")]
    return ["", *wrapped(f"{best.id} {best.name}, which compare ranks first, has options that are not allowed here.")]


def _in_short(one: Recommended) -> str:
    """Return what a design costs and takes, how open it leaves tenants, and at which level."""
    figures, measured = one.found, one.evaluation
    scenario, people = measured.scenario, measured.scores["operations"].figures["people_needed"]
    more = f", {hires(measured)} than the team has" if hires(measured) else ""
    return (
        f"{three_digits(figures['cost'])} {scenario.infrastructure.currency} a month, {number(figures['effort'])} "
        f"person-days, {number(figures['operations'])} hours a month by {counted(people, 'person', 'people')}{more}; "
        f"days a year open to {open_to(scenario)}: {days_in_words(measured)}; level {levels_in_words(measured)[0]}"
    )


def _musts(one: Recommended) -> list[str]:
    """Return what a design buys though the fleet is fixed, and what it goes without, as a comparison says them."""
    bought = purchase(one.evaluation, digits=3)
    return [*([f"it {bought}"] if bought else []), *(f"for {text}" for text in goes_without(one.evaluation))]


def front_csv(found: Exploration) -> str:
    """Return the whole front, what leads beside it and the handful as CSV, a row a design.

    Columns are its id, whether it is admitted, whether it is on a front, what it is recommended for, its figures, and
    its options per class.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = [one.id for one in found.scenario.tenants.classes]
    roles = {one.found.id: ", ".join(one.roles) for one in handful(found)}
    fronts = {one.id: one for one in (*found.admitted, *found.front)}
    writer.writerow(["id", "admitted", *FOUR, "front", "recommended", *classes])
    beside = {one.id: one for one in found.every if one.id in roles or one in found.leading}
    for one in {**fronts, **beside}.values():
        options = [" ".join(one.choices[name].options) for name in classes]
        figures = [f"{value:.12g}" for value in one.values]
        told = [str(one.id in fronts).lower(), roles.get(one.id, "")]
        writer.writerow([one.id, str(one.admitted).lower(), *figures, *told, *options])
    return text.getvalue()


def _table(found: Exploration, shown: Sequence[tuple[Found, int]]) -> list[str]:
    head = ["design", *(SHORT[name] for name in FOUR), "like it"]
    units = ["", "nines", "person-days", "hours/month", f"{found.scenario.infrastructure.currency} per month", ""]
    rows = [
        [one.id, *(number(value) for value in one.values), str(count - 1) if count > 1 else ""] for one, count in shown
    ]
    top, unit, *figures = columns([head, units, *rows], left={0})
    shared, own = options_apart([one for one, _ in shown])
    lines = [top, unit]
    for line, told in zip(figures, own, strict=True):
        lines += [line, *wrapped(told, "    ", "    ")]
    if shared:
        lines += ["", *wrapped(f"All of these also choose {listed(shared)}.")]
    return [*lines, *wrapped(NINES)]


def _proof(found: Exploration) -> str:
    if found.exact:
        return "exact"
    if found.within is None:
        return "not proven to be that of the whole space"
    return f"that of the whole space to within {found.within:.0e} nines of isolation"


def exploration_payload(found: Exploration) -> dict[str, Any]:
    """Return an exploration as plain data (format ``tenancykit/exploration/v1``)."""
    return {
        "schema": EXPLORATION,
        "tenancykit": __version__,
        "scenario": {"name": found.scenario.name, "fingerprint": fingerprint(found.scenario)},
        "allowed": plain(found.allowed),
        "combinations": found.combinations,
        "valid": found.space,
        "evaluated": found.evaluated,
        "billed": found.billed,
        "exact": found.exact,
        "within_nines": found.within,
        "stopped": found.stopped,
        "caveats": list(found.caveats),
        "left_out": {item.option: item.reason for item in found.left_out},
        "handful": [
            {
                "id": one.found.id,
                "name": one.name,
                "roles": list(one.roles),
                "why": list(one.why),
                "open_days": {name: days for name, (days, _) in open_days(one.evaluation).items()},
                "twins": one.twins,
            }
            for one in handful(found)
        ],
        "front": [_found(one) for one in found.front],
        "admitted": [_found(one) for one in found.admitted],
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.design.name,
        "classes": {class_id: list(choice.options) for class_id, choice in found.choices.items()},
        "admitted": found.admitted,
        **dict(zip(FOUR, found.values, strict=True)),
    }


@html_of.register
def exploration_html(found: Exploration) -> str:
    """Return the size of the space, the front as a picture and a table, and what it rests on."""
    front = found.admitted or found.front
    shown = told_apart(front)
    shared, own = options_apart([one for one, _ in shown])
    head = "".join(f"<th>{TITLES[name]}</th>" for name in FOUR)
    rows = "".join(
        f"<tr><td>{escape(one.id)}</td>{''.join(f'<td>{number(value)}</td>' for value in one.values)}"
        f"<td>{escape(told)}{f' <small>and {count - 1} like it</small>' if count > 1 else ''}</td></tr>"
        for (one, count), told in zip(shown, own, strict=True)
    )
    common = f"<p>All of these also choose {escape(listed(shared))}.</p>" if shared else ""
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in found.caveats)
    picture = explored(found).svg if front else ""
    return (
        f'<div class="tk"><h3>{escape(found.scenario.title or found.scenario.name)}</h3>'
        f"<p>{number_of(found.combinations)} combinations of options, <b>{number_of(found.space)}</b> of them valid; "
        f"{found.evaluated:,} measured, {found.billed:,} priced in full.</p>{_handful_html(found)}{picture}"
        f"<table><thead><tr><th>Design</th>{head}<th>Options, or how it differs from one above</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>{common}"
        f"<p>The front is {escape(_proof(found))}.</p><ul>{caveats}</ul></div>"
    )


def _handful_html(found: Exploration) -> str:
    items = "".join(
        f"<li><b>{escape(one.found.id)} {escape(one.name)}</b>: "
        f"{escape('; '.join([_in_short(one), *_musts(one), *one.why]))}</li>"
        for one in handful(found)
    )
    return f"<p>Worth a look under the weights given and their doubt:</p><ul>{items}</ul>" if items else ""


text_of.register(Exploration, exploration_text)

__all__ = ["ALIKE", "EXPLORATION", "exploration_html", "exploration_payload", "exploration_text", "told_apart"]
