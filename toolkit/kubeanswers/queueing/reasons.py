"""Why a workload waits: Kueue's condition reason, an identifier of each cause, and a sentence of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.queueing.assignment import NO_FIT, PREEMPT, Assignment
from kubeanswers.queueing.pool import Reason
from kubeanswers.queueing.topology import Misfit
from kubeanswers.queueing.tree import Slots
from kubeanswers.queueing.values import Version
from kubeanswers.records import dataclass

WAITING_REASONS: Final[Version] = (0, 19)
"""Since then the condition tells apart what it called Pending before (WaitingForQuota, ExceedsMaxQuota)."""


@dataclass(frozen=True)
class Cause:
    """One thing that speaks against a workload: a pod set (empty: all), an identifier, and what it means."""

    pod_set: str
    code: str
    says: str


def text(resource: str, amount: int) -> str:
    """Return an amount of a resource as people write it."""
    if resource == "cpu":
        return cpu_text(amount)
    return memory_text(amount) if resource in ("memory", "ephemeral-storage") else str(amount)


def causes(found: Assignment, slots: Slots) -> Iterator[Cause]:
    """Yield what speaks against an assignment."""
    for part in found.parts:
        for reason in part.reasons:
            yield Cause(part.name, str(reason[0]), _says(reason, slots))
    if found.mode == PREEMPT:
        yield Cause("", "NoPreemptionTargets", "nobody it may preempt would make enough room")


def condition(found: Assignment, version: Version) -> str:
    """Return the reason of the workload's QuotaReserved condition."""
    if version < WAITING_REASONS:
        return "Pending"
    codes = {str(reason[0]) for part in found.parts for reason in part.reasons}
    return "ExceedsMaxQuota" if found.mode == NO_FIT and "OverCapacity" in codes else "WaitingForQuota"


def _says(reason: Reason, slots: Slots) -> str:
    code, *about = reason
    if code in ("OverCapacity", "QuotaInUse"):
        flavor, resource = slots.names[int(str(about[0]))]
        return _quota(str(code), flavor, resource, [int(str(value)) for value in about[1:]])
    if code == "Topology":
        return _topology(about[0])
    sentences = {
        "FlavorNotFound": "flavor {0} does not exist",
        "ResourceUnavailable": "the queue has no quota of {0}",
        "UntoleratedTaint": "its pods do not tolerate the taint of flavor {0}",
        "NodeAffinity": "its node selector or affinity rules flavor {0} out",
        "TopologyOnly": "flavor {0} takes only workloads that ask for a topology",
        "NoTopology": "flavor {0} has no topology, which it asks for",
        "NoTopologyLevel": "the topology of flavor {0} has no such level",
        "NoSingleTopology": "pod set {0} got no single flavor with a topology",
    }
    return sentences[str(code)].format(*about)


def _quota(code: str, flavor: str, resource: str, numbers: list[int]) -> str:
    if code == "QuotaInUse":
        return f"{text(resource, numbers[0])} more {resource} of flavor {flavor} would have to be free"
    before, amount, most = numbers
    taken = f" beside {text(resource, before)} for other pod sets" if before else ""
    return (
        f"{text(resource, amount)} {resource}{taken} of flavor {flavor} is more than the queue could ever use "
        f"({text(resource, most)})"
    )


def _topology(misfit: Any) -> str:
    assert isinstance(misfit, Misfit)  # noqa: S101 - the only thing a topology's reason carries
    if misfit.problem:
        return f"topology {misfit.topology}: {misfit.problem}"
    return f"topology {misfit.topology} has room for {misfit.fits} of {misfit.wanted} {misfit.unit} close together"
