"""What is wrong with the input of a placement: every fault at once, each with its place and a cure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kubeanswers.errors import Fault, InputError, did_you_mean
from tenancykit.criteria.cost.placement.values import GPU_MILLI, NodeClass, PodClass, Quota


def _pod_place(pod: PodClass) -> str:
    return pod.where or f"pod class {pod.name!r}"


def _node_place(node: NodeClass) -> str:
    return node.where or f"node class {node.name!r}"


def faults(pods: Sequence[PodClass], nodes: Sequence[NodeClass], quotas: Sequence[Quota] = ()) -> tuple[Fault, ...]:
    """Return every fault of the input of a placement, nodes first."""
    found = [
        *_repeated("node class", (node.name for node in nodes)),
        *_repeated("pod class", (pod.name for pod in pods)),
    ]
    found += _repeated("quota of tenant", (quota.tenant for quota in quotas))
    for node in nodes:
        found += _node_faults(node)
    models = {node.gpu_model for node in nodes if node.gpu_count}
    profiles = {
        profile.name
        for node in nodes
        if node.gpu_count and node.gpu_sharing.geometry is not None
        for profile in node.gpu_sharing.geometry.profiles
    }
    for pod in pods:
        found += _pod_faults(pod, models, profiles)
    return tuple(found)


def _repeated(what: str, names: Iterable[str]) -> list[Fault]:
    return [
        Fault(f"{what} {name!r}", f"is given {number} times", "each name once", "add the counts up or rename one")
        for name, number in Counter(names).items()
        if number > 1
    ]


def _node_faults(node: NodeClass) -> Iterator[Fault]:
    place = _node_place(node)
    for field, value in (
        ("cpu_milli", node.cpu_milli),
        ("memory_bytes", node.memory_bytes),
        ("max_pods", node.max_pods),
    ):
        if value <= 0:
            yield Fault(place, f"{field} is {value}", "a capacity above zero", "give the node's allocatable amount")
    if node.count is not None and node.count < 0:
        yield Fault(place, f"count is {node.count}", "zero or more, or None for as many as needed")
    if node.gpu_count < 0:
        yield Fault(place, f"gpu_count is {node.gpu_count}", "zero or more")
    if node.gpu_count and not node.gpu_model:
        yield Fault(place, "has GPUs but no gpu_model", cure="name the model; pods select by it")
    if node.price < 0:
        yield Fault(place, f"price is {node.price}", "zero or more")
    if node.max_gpu_pods is not None and node.max_gpu_pods < 0:
        yield Fault(place, f"max_gpu_pods is {node.max_gpu_pods}", "zero or more, or None for no limit")
    geometry = node.gpu_sharing.geometry
    if (
        node.gpu_count
        and geometry is not None
        and node.gpu_sharing.mode == "slices"
        and geometry.model != node.gpu_model
    ):
        yield Fault(
            place, f"GPU model {node.gpu_model!r} is cut by the geometry of {geometry.model!r}", cure="use its own"
        )


def _pod_faults(pod: PodClass, models: set[str], profiles: set[str]) -> Iterator[Fault]:
    place = _pod_place(pod)
    amounts = {
        "count": pod.count,
        "cpu_milli": pod.cpu_milli,
        "memory_bytes": pod.memory_bytes,
        "gpu_count": pod.gpu_count,
        "gpu_memory_bytes": pod.gpu_memory_bytes,
        "overhead_cpu_milli": pod.overhead_cpu_milli,
        "overhead_memory_bytes": pod.overhead_memory_bytes,
    }
    for field, value in amounts.items():
        if value < 0:
            yield Fault(place, f"{field} is {value}", "zero or more")
    if pod.gpu_count and not 0 < pod.gpu_milli <= GPU_MILLI:
        yield Fault(
            place, f"gpu_milli is {pod.gpu_milli}", f"1 to {GPU_MILLI} per GPU", "ask for more GPUs with gpu_count"
        )
    if pod.gang < 1:
        yield Fault(place, f"gang is {pod.gang}", "1 or more")
    elif pod.count % pod.gang:
        yield Fault(place, f"count {pod.count} is not a multiple of its gang of {pod.gang}", cure="count whole gangs")
    if pod.gpu_count and pod.gpu_models and not pod.gpu_models & models:
        wanted = sorted(pod.gpu_models)
        allowed = ", ".join(sorted(models)) or "none: no node has GPUs"
        yield Fault(place, f"GPU model {'|'.join(wanted)} is on no node", allowed, did_you_mean(wanted[0], models))
    if pod.gpu_profile and pod.gpu_profile not in profiles:
        allowed = ", ".join(sorted(profiles)) or "none: no node is partitioned"
        cure = did_you_mean(pod.gpu_profile, profiles)
        yield Fault(place, f"GPU profile {pod.gpu_profile!r} is not offered by any node", allowed, cure)


def check(pods: Sequence[PodClass], nodes: Sequence[NodeClass], quotas: Sequence[Quota] = ()) -> None:
    """Raise for input no placement can be computed from.

    Raises:
        InputError: with every fault found.
    """
    found = faults(pods, nodes, quotas)
    if found:
        raise InputError(found)
