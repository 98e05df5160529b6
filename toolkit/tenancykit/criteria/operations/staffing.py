"""From hours to people and to the time a patch takes: a team as a queue with several servers.

With c engineers who each give a share of their time to toil, load is the share of that time that is taken. A patch
goes before all other toil but interrupts nobody: its mean wait is that of the first class of a non-preemptive priority
queue with c servers, P(wait) s / (c (1 - load of patches)), where P(wait) is Erlang C, and 1 for an overloaded team
(Cobham 1954, doi:10.1287/opre.2.1.70). Waiting as the dominant variable cost of system administration: Couch, Wu,
Susanto, LISA 2005. Pure mathematics, no I/O.
"""

from __future__ import annotations

import math
from typing import Final

from kubeanswers.records import dataclass

DAYS_PER_MONTH: Final = 365 / 12
LONGEST_WAIT_DAYS: Final = 365.0
"""What a time to patch is cut off at: beyond a year the next minor release has replaced what was to be patched."""


@dataclass(frozen=True)
class Staffing:
    """People a workload needs, and how loaded the team is.

    Attributes:
        people_fte: full-time people for the hours alone.
        people: whole people with the on-call rota's minimum.
        on_call_minimum: least people of a rota; 0 without on-call duty.
        load: share of the team's time for toil that is taken; 1 or more is an overload.
        wait_days: mean days a patch waits before somebody starts.
    """

    people_fte: float
    people: int
    on_call_minimum: int
    load: float
    wait_days: float


@dataclass(frozen=True)
class RollOut:
    """What lies between an advisory and the last patched cluster, once somebody is free.

    Attributes:
        work_days: from advisory to tested change, and the work on the roll-out, in days of the team.
        pause_days: pauses between waves.
    """

    work_days: float
    pause_days: float

    def latency(self, wait_days: float, load: float) -> float:
        """Return days from an advisory to the last patched cluster, a year at most.

        The work is stretched by an overload in proportion (a team with twice the work it has time for takes twice as
        long; assumption).

        Args:
            wait_days: until somebody is free.
            load: share of the team's time for toil that is taken.
        """
        return min(LONGEST_WAIT_DAYS, wait_days + self.work_days * max(1.0, load) + self.pause_days)


def erlang_c(servers: int, offered: float) -> float:
    """Return the probability that a job has to wait in M/M/c.

    Args:
        servers: servers, one or more.
        offered: offered load in Erlang (arrival rate x service time), below ``servers``.

    Raises:
        ValueError: there is no server, or the offered load is negative or not below the servers.
    """
    if servers < 1:
        raise ValueError(f"{servers} servers serve nobody")
    if not 0 <= offered < servers:
        raise ValueError(f"an offered load of {offered} is not between 0 and {servers} servers")
    blocking = 1.0
    for count in range(1, servers + 1):
        blocking = offered * blocking / (count + offered * blocking)
    return blocking / (1 - (offered / servers) * (1 - blocking))


def priority_wait(servers: int, load: float, urgent_load: float, service: float) -> float:
    """Return the mean wait of an urgent job, in the unit of ``service``; infinite where urgent jobs alone overload.

    Args:
        servers: servers, one or more.
        load: share of the servers' time that all jobs take; may pass 1.
        urgent_load: share that urgent jobs take, at most ``load``.
        service: mean time of a job.
    """
    if urgent_load >= 1:
        return math.inf
    waits = 1.0 if load >= 1 else erlang_c(servers, load * servers)
    return waits * service / (servers * (1 - urgent_load))


def staff(
    hours: float,
    *,
    engineers: float,
    hours_per_month: float,
    toil_share: float,
    on_call_share: float | None,
    job_hours: float,
    urgent_hours: float,
) -> Staffing:
    """Return the people a workload needs and the load of the team that is there.

    Args:
        hours: hours of toil per month.
        engineers: people there are, full-time equivalents.
        hours_per_month: working hours of one person.
        toil_share: share of the time toil may take.
        on_call_share: share of weeks a person may be on call; None without on-call duty.
        job_hours: mean hours of one job.
        urgent_hours: those of the hours that patches take.
    """
    needed = hours / (hours_per_month * toil_share)
    minimum = math.ceil(1 / on_call_share) if on_call_share else 0
    load = needed / engineers
    servers = max(1, round(engineers))
    urgent = load * urgent_hours / hours if hours else 0.0
    wait_hours = priority_wait(servers, load, urgent, job_hours / toil_share)
    wait_days = min(LONGEST_WAIT_DAYS, wait_hours * DAYS_PER_MONTH / hours_per_month)
    return Staffing(needed, max(math.ceil(needed - 1e-9), minimum), minimum, load, wait_days)


def waves_for(clusters: int) -> int:
    """Return waves of a roll-out that starts with one cluster and takes ten times as many each time."""
    waves, reached = 1, 1
    while reached < clusters:
        reached = reached * 10 + 1
        waves += 1
    return waves
