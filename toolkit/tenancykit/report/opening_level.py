"""What is said first where no valid design reaches the isolation a class requires: how far one gets, what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tenancykit.report.calling import brief, tight
from tenancykit.scenario.naming import tenants_of
from tenancykit.sentences import listed, three_digits
from tenancykit.study.reaching import OutOfReach

_HARDENED: Final = 3
"""The level that asks for two barriers of any kind."""


def refused(short: OutOfReach, room: int) -> str:
    """Return that nobody is recommended, the level that was asked for and the highest that can be had.

    Args:
        short: the class and what it lacks.
        room: characters of the line.
    """
    near, whom = short.nearest, tenants_of([short.tenant_class])
    cost = f"{three_digits(near.scores['cost'].value)} {near.scenario.infrastructure.currency} a month"
    asked = f"No design is recommended: none reaches level L{short.wanted} for {whom} here."
    ways = [f"{asked} The highest is L{short.reached}, by {name(near)}, for {cost}." for name in (brief, tight)]
    return next((way for way in ways if len(way) <= room), ways[-1])


def what_stands(short: OutOfReach) -> str:
    """Return which barriers stand alone, and how many the level asks for."""
    if not short.alone:
        return f"What is missing: {short.missing}."
    several = " each" if len(short.alone) > 1 else ""
    told = f"the {' and the '.join(short.alone[:2])}{several} stand{'' if several else 's'} alone before the neighbours"
    who = "Cluster-admins are root on the virtual machines they rent: there" if short.root else "On some path"
    kind = ", one of them hardware or a hypervisor" if short.wanted > _HARDENED else ""
    return f"{who} {told}. L{short.wanted} asks for two barriers on every path{kind}."


def what_would_reach(short: OutOfReach) -> Iterator[str]:
    """Yield what would reach the level, each way as one sentence."""
    ways = []
    if short.on_hosts is not None:
        ways.append(f"whole physical hosts for each tenant: {_hosts(short)}")
    if short.root and short.without_root >= short.wanted:
        ways.append("tenants without cluster-admin (api_access: namespace)")
    ways.append(f"or requiring L{short.reached}" if ways else f"requiring L{short.reached}")
    yield f"What would do: {'; '.join(ways)}."


def _hosts(short: OutOfReach) -> str:
    sites = short.nearest.scenario.infrastructure.sites
    providers = listed(list(dict.fromkeys(site.provider for site in sites)))
    if short.hosts:
        return f"{listed(list(short.hosts[:2]))} of {providers}, or hardware of one's own"
    return (
        f"the price list knows none of {providers} with GPUs, so hardware of one's own or another provider's bare metal"
    )


__all__ = ["refused", "what_stands", "what_would_reach"]
