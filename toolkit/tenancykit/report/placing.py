"""What a placement says on a terminal: every pod, why it waits, and what was left aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kubeanswers.quantities import MIB, cpu_text
from kubeanswers.scheduling.dump import DumpPlacement, PodPlace
from kubeanswers.scheduling.growth import Growth

_QUEUES: Final = frozenset({"ClusterQueue", "Cohort", "LocalQueue", "ResourceFlavor", "Topology", "Workload"})
"""Kinds of Kueue, which lets pods in before a scheduler sees them."""


def placement_lines(found: DumpPlacement) -> Iterator[str]:
    """Yield the lines that tell where each pending pod goes, and what was not looked at."""
    for pod in found.pods:
        yield from _pod(pod)
    if not found.pods:
        yield "No pod is pending."
    yield from (f"{note}." for note in found.notes)
    if found.growth is not None:
        yield from _growth(found.growth, found.unhelped)
    queues = {kind: number for kind, number in found.aside.items() if kind in _QUEUES}
    others = {kind: number for kind, number in found.aside.items() if kind not in _QUEUES}
    if queues:
        yield f"Queues are not looked at here ({_counted(queues)}): tenancykit admit says what Kueue lets in."
    if others:
        yield f"Left aside, as nothing that decides where pods go: {_counted(others)}."


def _pod(pod: PodPlace) -> Iterator[str]:
    if pod.node:
        yield f"{pod.pod}  ->  {pod.node}"
    else:
        yield f"{pod.pod}  {'refused by the API server' if pod.refused else 'pending'}: {pod.reason}"
    if pod.preempted:
        yield f"  removes {', '.join(pod.preempted)}"
    if pod.unchecked:
        yield f"  not looked at: {', '.join(pod.unchecked)}"


def _growth(growth: tuple[Growth, ...], unhelped: tuple[str, ...]) -> Iterator[str]:
    """Yield what an autoscaler would add, and for whom no node of the groups it knows would do."""
    if not growth:
        yield "No node would be added" + (": none of the known kinds takes what is pending." if unhelped else ".")
    for one in growth:
        yield f"Would be added: {one.nodes} x {one.group}, for {_named([pod for pod, _ in one.pods])}."
        daemons = f"{one.daemons} pod{'' if one.daemons == 1 else 's'} of the node and of DaemonSets"
        taken = f"{cpu_text(one.daemon_cpu)} CPU and {one.daemon_memory / MIB:,.0f} MiB"
        yield f"  on each {daemons} with {taken}" if one.daemons else "  no DaemonSet is known"
        yield f"  left over: {one.wasted_cpu:.0%} of CPU, {one.wasted_memory:.0%} of memory, before daemons"
        if one.equals:
            yield f"  as good: {', '.join(one.equals)}; a cluster draws among them"
    if growth and unhelped:
        yield f"Without a place even then: {_named(unhelped)}."
    yield "Modelled: Cluster Autoscaler with expander least-waste; sizes of groups and prices are not looked at."


_SHOWN: Final = 6


def _named(pods: Sequence[str]) -> str:
    more = len(pods) - _SHOWN
    return ", ".join(pods[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _counted(kinds: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
