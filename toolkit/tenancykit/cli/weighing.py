"""Command that asks for weights: weigh."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from kubeanswers.errors import Fault, InputError
from kubeanswers.scalars import decimal_number
from kubeanswers.terminal import escaped
from tenancykit import api
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import FINDINGS, OK
from tenancykit.cli.designs import print_json, progress_line
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.report.text import wrapped
from tenancykit.study.comparison import Study
from tenancykit.study.exchange_rates import MONEY, goods
from tenancykit.study.weighing import (
    Weighing,
    parse_swings,
    parse_trade,
    questions,
    weighed_by_swings,
    weighed_by_trades,
)


def weigh(options: argparse.Namespace) -> int:
    """Ask for weights, or take the answers given; exit 1 when answers contradict each other."""
    if options.swing and options.trade:
        raise InputError(Fault("weigh", "takes swings or trade-offs, not both", cure="leave one of them out"))
    catalogue = load_catalogue(*options.catalogue)
    study = api.compare(api.load_scenario(options.scenario, catalogue), catalogue, progress=progress_line())
    if options.questions:
        print("\n".join(wrapped_lines(questions(study))))
        return OK
    if options.swing:
        found = weighed_by_swings(study, parse_swings(options.swing))
    elif options.trade:
        found = weighed_by_trades(study, [parse_trade(text) for text in options.trade])
    else:
        found = _asked(study)
    if options.json:
        print_json(payload(found))
    else:
        print("\n".join([*wrapped_lines(found.words), "", "For the scenario:", "", escaped(found.said)]))
    return FINDINGS if found.contradictions else OK


def wrapped_lines(sentences: Iterable[str]) -> list[str]:
    """Return sentences as lines that fit the terminal."""
    return [line for text in sentences for line in wrapped(escaped(text))]


def payload(found: Weighing) -> dict[str, object]:
    """Return what the answers say as plain data."""
    study = found.study
    return {
        "schema": "tenancykit/weighing/v1",
        "weights": dict(zip(CRITERIA, map(float, study.weights.values), strict=True)),
        "exchange_rates": {r.what: {"amount": r.amount, "unit": r.unit} for r in study.exchange_rates},
        "first": study.ranking.winner if study.ranking else None,
        "contradictions": [str(item) for item in found.contradictions],
        "yaml": found.said,
    }


def _asked(study: Study) -> Weighing:
    """Return what somebody at the terminal answers: trade-offs first, swings for who cannot put a price on it."""
    if not sys.stdin.isatty():
        cure = "give --swing or --trade, or --questions to see what is asked"
        raise InputError(Fault("weigh", "nobody to ask: input is no terminal", cure=cure))
    asked = questions(study)
    print("How much is it worth? A number, or nothing where you cannot say (swings are asked then).")
    answers = []
    for good, question in zip(
        (g for g in goods(study.scenario, study.scales) if g.name != MONEY), asked[1:], strict=True
    ):
        number = _number(question)
        if number is not None:
            answers.append(parse_trade(f"1 {good.name} = {number:g} {MONEY}"))
    if answers:
        return weighed_by_trades(study, answers)
    print("\n".join(wrapped_lines(asked[:1])))
    points = {}
    for name in CRITERIA:
        if name not in study.scales.tree.silent:
            points[name] = _number(f"Points for {TITLES[name].lower()}") or 0.0
    return weighed_by_swings(study, points)


def _number(question: str) -> float | None:
    while True:
        given = input(f"{escaped(question)} ").strip().replace(",", "")
        if not given:
            return None
        number = decimal_number(given)
        if number is not None:
            return number
        print(f"{escaped(given)!r} is not a number")
