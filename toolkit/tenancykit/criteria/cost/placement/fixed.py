"""Placement of pod classes on the nodes there are: filter, choose by policy, bind; or pending, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError
from tenancykit.criteria.cost.placement.checks import check
from tenancykit.criteria.cost.placement.fragmentation import Fragmentation, typical_pods
from tenancykit.criteria.cost.placement.policies import (
    Blocks,
    Scale,
    best_fit,
    dot_product,
    falling_blocks,
    fgd_scores,
    fill,
    least_allocated,
    most_allocated,
    one_block_each,
    scatter,
)
from tenancykit.criteria.cost.placement.result import refusal, summarise
from tenancykit.criteria.cost.placement.states import Fleet, FloatArray, IntArray, Request, request_of
from tenancykit.criteria.cost.placement.values import (
    POLICIES,
    NodeClass,
    Order,
    Pending,
    Placement,
    PodClass,
    Policy,
    Quota,
)

GPU_RESOURCE: Final = "nvidia.com/gpu"
"""Name of the GPU resource in reasons, unless told otherwise."""


def place(
    pods: Sequence[PodClass],
    nodes: Sequence[NodeClass],
    policy: Policy = "best_fit",
    *,
    seed: int = 0,
    order: Order = "given",
    quotas: Sequence[Quota] = (),
    gpu_resource: str = GPU_RESOURCE,
) -> Placement:
    """Return where the pods go, class by class, as a scheduler with that policy would put them one at a time.

    Classes of higher priority go first (what they would have preempted has then never started); within a priority in
    the given order, or the largest first. A quota is taken up in the same order. A gang finds room for all its pods
    or for none.

    Args:
        pods: pod classes.
        nodes: node classes; those without a count are opened only when no node in use fits.
        policy: how a node is chosen among those that fit.
        seed: for ``random``.
        order: order of classes of equal priority.
        quotas: limits per tenant.
        gpu_resource: name of the GPU resource in reasons.

    Raises:
        InputError: a class is malformed, or the policy is unknown or does not apply.
    """
    check(pods, nodes, quotas)
    run = Run(pods, nodes, policy, seed)
    pending = run.place_all(order, quotas, gpu_resource)
    return summarise(run.fleet, pods, run.requests, pending)


def _size(pod: PodClass, nodes: Sequence[NodeClass], order: Order) -> tuple[float, ...]:
    """Return a sorting key: several GPUs before one, whole before shares, then by the largest share of a node."""
    if order == "given":
        return ()
    cpu = max((node.cpu_milli for node in nodes), default=1)
    memory = max((node.memory_bytes for node in nodes), default=1)
    main = max(pod.cpu_total_milli / cpu, pod.memory_total_bytes / memory)
    return (-float(pod.gpu_count * pod.gpu_milli), -main, -float(pod.cpu_total_milli))


def requests_of(pods: Sequence[PodClass], nodes: Sequence[NodeClass]) -> tuple[Request, ...]:
    """Return what one pod of each class asks of each node class."""
    return tuple(request_of(pod, index, nodes) for index, pod in enumerate(pods))


class Run:
    """One placement under way: a fleet, what each class asks of it, and the policy."""

    def __init__(
        self,
        pods: Sequence[PodClass],
        nodes: Sequence[NodeClass],
        policy: Policy = "best_fit",
        seed: int = 0,
        requests: tuple[Request, ...] | None = None,
    ) -> None:
        if policy not in POLICIES:
            raise InputError(Fault("policy", f"{policy!r} is unknown", ", ".join(POLICIES)))
        if policy == "random" and any(node.count is None for node in nodes):
            raise InputError(
                Fault("policy", "random needs a fixed number of nodes", cure="give every node class a count")
            )
        self.pods = tuple(pods)
        self.fleet = Fleet(nodes, len(pods))
        self.requests = requests_of(pods, nodes) if requests is None else requests
        self.policy = policy
        self.scale = Scale.of(tuple(nodes))
        self.generator = np.random.default_rng(seed) if policy == "random" else None
        self.fragmentation = _fragmentation(pods, nodes) if policy == "fgd" else None

    def place_all(
        self,
        order: Order = "given",
        quotas: Sequence[Quota] = (),
        gpu_resource: str = GPU_RESOURCE,
        preference: FloatArray | None = None,
    ) -> list[Pending]:
        """Bind all classes; returns what found no place.

        Args:
            order: order of classes of equal priority.
            quotas: limits per tenant.
            gpu_resource: name of the GPU resource in reasons.
            preference: which node class to open first, higher first [pod class, node class].
        """
        nodes = self.fleet.nodes
        queue = sorted(
            range(len(self.pods)), key=lambda i: (-self.pods[i].priority, *_size(self.pods[i], nodes, order), i)
        )
        pending: list[Pending] = []
        used: dict[str, list[int]] = {}
        limits = {quota.tenant: quota for quota in quotas}
        for index in queue:
            pod = self.pods[index]
            admitted, short = _admitted(pod, limits.get(pod.tenant), used)
            placed = self.place_class(index, admitted, None if preference is None else preference[index])
            _note_use(pod, placed, used)
            if placed < admitted:
                pending.append(_no_room(self, pod, index, admitted - placed, gpu_resource))
            if admitted < pod.count:
                pending.append(Pending(pod.name, pod.count - admitted, "quota", short))
        return pending

    def place_class(self, index: int, wanted: int, preference: FloatArray | None = None) -> int:
        """Bind up to ``wanted`` pods of a class, whole gangs only; returns how many were bound.

        Args:
            index: the class.
            wanted: pods to place.
            preference: by node class, which to open first where several could be (higher first).
        """
        request, gang = self.requests[index], self.pods[index].gang
        fit = self.fleet.fit(request)
        room = int((np.minimum(fit, wanted) * np.minimum(self.fleet.count[: self.fleet.size], wanted + 1)).sum())
        number = min(wanted, room) // gang * gang
        if number <= 0:
            return 0
        if self.generator is not None:
            return scatter(self.fleet, request, fit, number, self.generator)
        kinds = self.fleet.kind[: self.fleet.size]
        wish = np.zeros(self.fleet.size) if preference is None else preference[kinds]
        return fill(self.fleet, request, self._blocks(request, fit, wish, number), number)

    def _blocks(self, request: Request, fit: IntArray, wish: FloatArray, number: int) -> Blocks:
        opened = self.fleet.opened[: self.fleet.size]
        if self.policy == "fgd" and self.fragmentation is not None:
            fit = np.minimum(fit, number)
            scores, devices = fgd_scores(self.fleet, request, fit, self.fragmentation)
            blocks = falling_blocks(scores, fit, opened, wish)
            return Blocks(blocks.row, blocks.start, blocks.length, devices if request.gpus else None)
        if self.policy == "least_allocated":
            fit = np.minimum(fit, number)
            return falling_blocks(least_allocated(self.fleet, request, int(fit.max())), fit, opened, wish)
        if self.policy == "most_allocated":
            return one_block_each(most_allocated(self.fleet, request), fit, opened, wish)
        if self.policy == "dot_product":
            return one_block_each(dot_product(self.fleet, request, self.scale), fit, opened, wish)
        return one_block_each(best_fit(self.fleet, self.scale), fit, opened, wish)


def _fragmentation(pods: Sequence[PodClass], nodes: Sequence[NodeClass]) -> Fragmentation:
    bad = [node for node in nodes if node.gpu_count and node.gpu_sharing.mode != "fraction"]
    if bad:
        place = bad[0].where or f"node class {bad[0].name!r}"
        raise InputError(Fault(place, "policy fgd places shares of GPUs", "gpu_sharing mode 'fraction'"))
    return Fragmentation(typical_pods(((p.cpu_total_milli, p.gpu_count, p.gpu_milli, ()), p.count) for p in pods))


def _needs(pod: PodClass) -> tuple[tuple[str, int], ...]:
    gpu = pod.gpu_count * pod.gpu_milli
    return (
        ("cpu_milli", pod.cpu_total_milli),
        ("memory_bytes", pod.memory_total_bytes),
        ("gpu_milli", gpu),
        ("pods", 1),
    )


def _admitted(pod: PodClass, quota: Quota | None, used: dict[str, list[int]]) -> tuple[int, str]:
    """Return how many pods of a class its tenant's quota lets in, and the reason against the rest."""
    if quota is None:
        return pod.count, ""
    have = used.get(pod.tenant, [0, 0, 0, 0])
    number, reason = pod.count, ""
    for position, (field, need) in enumerate(_needs(pod)):
        limit = getattr(quota, field)
        if limit is None or need == 0:
            continue
        most = max(0, limit - have[position]) // need // pod.gang * pod.gang
        if most < number:
            number = most
            used_now = have[position] + most * need
            reason = (
                f"exceeded quota: {quota.tenant}, requested: {field}={need * pod.gang}, "
                f"used: {field}={used_now}, limited: {field}={limit}"
            )
    return number, reason


def _note_use(pod: PodClass, placed: int, used: dict[str, list[int]]) -> None:
    have = used.setdefault(pod.tenant, [0, 0, 0, 0])
    for position, (_, need) in enumerate(_needs(pod)):
        have[position] += placed * need


def _no_room(run: Run, pod: PodClass, index: int, number: int, gpu_resource: str) -> Pending:
    reason = refusal(run.fleet, pod, run.requests[index], gpu_resource)
    left = int((run.fleet.fit(run.requests[index]) * run.fleet.count[: run.fleet.size]).sum())
    if pod.gang > 1 and left:
        return Pending(pod.name, number, "gang", f"{reason} A gang of {pod.gang} starts together; {left} would fit.")
    return Pending(pod.name, number, "capacity", reason)
