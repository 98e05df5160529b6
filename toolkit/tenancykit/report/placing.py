"""What a placement says on a terminal: every pod, why it waits, and what was left aside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubeanswers.scheduling.dump import DumpPlacement, PodPlace

_QUEUES: Final = frozenset({"ClusterQueue", "Cohort", "LocalQueue", "ResourceFlavor", "Topology", "Workload"})
"""Kinds of Kueue, which lets pods in before a scheduler sees them."""


def placement_lines(found: DumpPlacement) -> Iterator[str]:
    """Yield the lines that tell where each pending pod goes, and what was not looked at."""
    for pod in found.pods:
        yield from _pod(pod)
    if not found.pods:
        yield "No pod is pending."
    yield from (f"{note}." for note in found.notes)
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


def _counted(kinds: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
