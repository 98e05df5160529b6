"""What tenants of one class can do to tenants of another, asset by asset, in words."""

from __future__ import annotations

from typing import Any

from kubeanswers.errors import Fault, InputError
from tenancykit.criteria.isolation.exposure import IsolationResult
from tenancykit.criteria.isolation.result import PairFinding
from tenancykit.report.figures import days_text
from tenancykit.report.text import wrapped
from tenancykit.study.evaluation import Evaluation


def pair_of(result: IsolationResult, where: str, attacker: str = "", victim: str = "") -> PairFinding | None:
    """Return the pair that is open most among those asked for; the worst pair unless asked; None with one tenant.

    Args:
        result: what isolation found.
        where: what a fault is said to be in.
        attacker: class of the attacker, or ``the provider``.
        victim: class of the victim.

    Raises:
        InputError: the scenario has no such pair of classes.
    """
    if not attacker and not victim:
        return result.worst_pair
    every = (*result.pairs, *result.provider)
    for pair in sorted(every, key=lambda p: p.finding.worst.figure):
        if attacker in ("", pair.attacker) and victim in ("", pair.victim):
            return pair
    known = ", ".join(f"{p.attacker} on {p.victim}" for p in every)
    raise InputError(Fault(where, f"no pair {attacker or 'any'} on {victim or 'any'}", known))


def pair_lines(evaluation: Evaluation, attacker: str = "", victim: str = "") -> list[str]:
    """Return how often each asset of a victim stood open to an attacker, by which likeliest path; most open first.

    Raises:
        InputError: the scenario has no such pair of classes.
    """
    pair = pair_of(evaluation.scores["isolation"].detail, "pair", attacker, victim)
    if pair is None:
        return ["There is only one tenant: nobody else can be reached."]
    lines = wrapped(f"{evaluation.id} {evaluation.name}: what {pair.attacker} can do to {pair.victim}")
    for asset in sorted(pair.finding.assets, key=lambda a: (a.figure, a.asset)):
        days = days_text(asset.days_per_year)
        walls = "no barrier" if not asset.depth else f"{asset.depth} barrier{'s' if asset.depth > 1 else ''} at least"
        told = f"open {days} days a year, {walls}: {asset.path}" if asset.path else "no way is known"
        lines += wrapped(f"{asset.title} ({asset.plane}, {' and '.join(asset.kinds)}): {told}", "  ", "      ")
    return lines


def pair_data(evaluation: Evaluation, attacker: str = "", victim: str = "") -> dict[str, Any]:
    """Return the same as plain data for JSON.

    Raises:
        InputError: the scenario has no such pair of classes.
    """
    pair = pair_of(evaluation.scores["isolation"].detail, "pair", attacker, victim)
    return {
        "schema": "tenancykit/attack-pair/v1",
        "design": evaluation.id,
        "attacker": pair.attacker if pair else None,
        "victim": pair.victim if pair else None,
        "assets": [asset.to_data() for asset in pair.finding.assets] if pair else [],
    }
