"""Exercise 7, the quotas of four teams: the week of jobs it is about, and its check."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.queueing.service import DESIGNS, Service
from tenancykit.report.serving import duration
from tenancykit.studio.workshop.checks import Told, named, number_of
from tenancykit.study.serving import queue

GPUS: Final = 20
ON_TIME: Final = 3600.0
"""Longest 95th percentile of the wait, seconds."""
MOST_LOST: Final = 5.0
"""Most GPU hours run in vain."""
TEAMS: Final = ("language", "speech", "tests", "vision")


def jobs() -> Path:
    """Return the file of the jobs four teams submit in a week; made up, drawn once with a fixed seed."""
    return Path(__file__).with_name("week-of-jobs.csv")


@cache
def _served(design: str, quotas: tuple[int, ...]) -> Service:
    given = dict(zip(TEAMS, quotas, strict=True))
    return queue(jobs(), quotas=given, designs=(design,), target=ON_TIME, fleets=False).services[0]


def designed(answer: object) -> Told:
    """Check exercise 7."""
    given = named(answer, ("design", "quotas"))
    design = given["design"]
    if design not in DESIGNS:
        cure = did_you_mean(design, DESIGNS) if isinstance(design, str) else ""
        raise InputError(Fault("design", "is no quota design", ", ".join(DESIGNS), cure))
    wanted = named(given["quotas"], TEAMS)
    unknown = sorted(str(name) for name in wanted if name not in TEAMS)
    if unknown:
        raise InputError(Fault("quotas", f"names {unknown[0][:40]!r}, which is no team", ", ".join(TEAMS)))
    quotas = [number_of(wanted[team], team) for team in TEAMS]
    if any(quota < 0 or quota != int(quota) for quota in quotas):
        return False, "a quota is a whole number of GPUs, zero or more"
    found = _served(design, tuple(map(int, quotas))) if 0 < sum(quotas) <= GPUS else None
    if found is None or found.gpus > GPUS:
        has = found.gpus if found else int(sum(quotas))
        return False, f"that takes {has} GPUs, and there are {GPUS}; one cluster each buys whole machines"
    late = max(found.queues, key=lambda one: one.wait(95))
    if late.wait(95) > ON_TIME:
        return False, f"{late.queue} waits {duration(late.wait(95))} (p95); {_why(design, found)}"
    lost = sum(one.lost for one in found.queues) / 3600
    if lost > MOST_LOST:
        return False, f"all wait less than an hour, but {lost:.0f} GPU hours are run in vain; whose jobs have to leave?"
    return True, f"p95 of every team within the hour on {GPUS} GPUs, {lost:.1f} GPU hours run in vain"


def _why(design: str, found: Service) -> str:
    if design in ("static", "clusters"):
        return f"{found.stranded:.1f} GPUs stand idle on average while jobs wait; may they be lent?"
    return "can it take back what it needs for its largest job, with the quota it has?"
