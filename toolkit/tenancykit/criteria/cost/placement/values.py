"""Placement of pods on nodes: what is asked, what there is, and where it went, as plain values.

Identical pods are one class with a count and identical nodes are one class with a count, so a million pods of a
thousand classes is an ordinary input. :func:`tenancykit.criteria.cost.placement.fixed.place` puts classes on a fixed
fleet, :func:`tenancykit.criteria.cost.placement.elastic.buy` finds the nodes to buy; both return values of this
module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from decimal import Decimal
from typing import Final, Literal

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.placement.devices import WHOLE, GpuSharing
from tenancykit.criteria.score import Told

GPU_MILLI: Final = 1000
"""Thousandths of one GPU: a whole device."""

Policy = Literal["best_fit", "most_allocated", "least_allocated", "dot_product", "random", "fgd"]
POLICIES: Final[tuple[Policy, ...]] = ("best_fit", "most_allocated", "least_allocated", "dot_product", "random", "fgd")
Order = Literal["given", "largest_first"]

DEFAULT_MAX_PODS: Final = 110
"""Pods a node takes unless told otherwise (https://kubernetes.io/docs/setup/best-practices/cluster-large/)."""


@dataclass(frozen=True)
class PodClass:
    """Pods that are equal in everything placement looks at.

    Attributes:
        name: unique name of the class.
        count: pods of the class.
        cpu_milli: CPU request of one pod, thousandths of a core.
        memory_bytes: memory request of one pod, bytes.
        gpu_count: GPUs of one pod; 0 for a CPU-only pod.
        gpu_milli: share asked of each of those GPUs, thousandths (1000 = whole). How a share is met depends on
            the node's :class:`GpuSharing`: a whole device, a replica, a slice, or exactly the share.
        gpu_memory_bytes: device memory needed on each GPU, bytes; a device or slice with less is not used.
        gpu_models: GPU models allowed; empty means any.
        gpu_profile: slice profile asked for by name (MIG), instead of the smallest that covers the share.
        needs: opaque labels a node has to carry (placement domain, node pool, runtime).
        tolerates: opaque taints the pod tolerates.
        gang: pods that start together or not at all; 1 for independent pods. ``count`` is a multiple of it.
        priority: higher is placed first, as if it had preempted what came before.
        tenant: who the pod belongs to; quotas and bills are kept by it.
        overhead_cpu_milli: CPU added per pod by its runtime (sandbox), thousandths of a core.
        overhead_memory_bytes: memory added per pod by its runtime, bytes.
        where: place of the class in its input, for messages.
    """

    name: str
    count: int = 1
    cpu_milli: int = 0
    memory_bytes: int = 0
    gpu_count: int = 0
    gpu_milli: int = GPU_MILLI
    gpu_memory_bytes: int = 0
    gpu_models: frozenset[str] = frozenset()
    gpu_profile: str | None = None
    needs: frozenset[str] = frozenset()
    tolerates: frozenset[str] = frozenset()
    gang: int = 1
    priority: int = 0
    tenant: str = ""
    overhead_cpu_milli: int = 0
    overhead_memory_bytes: int = 0
    where: str = ""

    @property
    def cpu_total_milli(self) -> int:
        """CPU one pod takes from a node, overhead included, thousandths of a core."""
        return self.cpu_milli + self.overhead_cpu_milli

    @property
    def memory_total_bytes(self) -> int:
        """Memory one pod takes from a node, overhead included, bytes."""
        return self.memory_bytes + self.overhead_memory_bytes


def merged(pods: Iterable[PodClass]) -> tuple[PodClass, ...]:
    """Return classes that differ only in name, tenant and place added up under the first one's name, order kept.

    Tenants with equal pods are then one class, which placement handles at the cost of one.
    """
    found: dict[PodClass, PodClass] = {}
    for pod in pods:
        shape = replace(pod, name="", tenant="", where="", count=0)
        known = found.get(shape)
        found[shape] = pod if known is None else replace(known, count=known.count + pod.count, tenant="")
    return tuple(found.values())


@dataclass(frozen=True)
class NodeClass:
    """Nodes that are equal when empty.

    Attributes:
        name: unique name of the class (a node type, a pool).
        count: nodes there are; ``None`` where as many as needed can be bought.
        cpu_milli: allocatable CPU of one node, thousandths of a core (system reservations already taken off).
        memory_bytes: allocatable memory of one node, bytes.
        gpu_count: GPUs in one node.
        gpu_model: model of those GPUs; empty without GPUs.
        gpu_memory_bytes: memory of one GPU, bytes; 0 where unknown (then device memory is not checked).
        gpu_sharing: how one GPU is cut.
        max_pods: pods one node takes.
        max_gpu_pods: pods with GPUs one node takes (1 where a sandbox passes the devices through); ``None``: no limit.
        labels: opaque labels the node carries.
        taints: opaque taints a pod has to tolerate, all of them.
        price: price of one node and hour; any one currency throughout a call.
        where: place of the class in its input, for messages.
    """

    name: str
    count: int | None = None
    cpu_milli: int = 0
    memory_bytes: int = 0
    gpu_count: int = 0
    gpu_model: str = ""
    gpu_memory_bytes: int = 0
    gpu_sharing: GpuSharing = WHOLE
    max_pods: int = DEFAULT_MAX_PODS
    max_gpu_pods: int | None = None
    labels: frozenset[str] = frozenset()
    taints: frozenset[str] = frozenset()
    price: Decimal = Decimal(0)
    where: str = ""


@dataclass(frozen=True)
class Quota:
    """Most a tenant may have running at a time; ``None`` leaves a resource without limit.

    Attributes:
        tenant: whose quota it is.
        cpu_milli: CPU requests, thousandths of a core.
        memory_bytes: memory requests, bytes.
        gpu_milli: GPUs, thousandths (a share counts as its share).
        pods: number of pods.
    """

    tenant: str
    cpu_milli: int | None = None
    memory_bytes: int | None = None
    gpu_milli: int | None = None
    pods: int | None = None


@dataclass(frozen=True)
class NodeGroup:
    """Nodes that ended in the same state.

    Attributes:
        node_class: name of their class.
        count: how many there are.
        pods: pods on each of them, as (class name, number), in the order of the input.
        cpu_free_milli: CPU left on each, thousandths of a core.
        memory_free_bytes: memory left on each, bytes.
        gpu_free_milli: what is left of each GPU of such a node, thousandths, ascending.
        gpu_stranded_milli: of that, what no pod class of the input could use on this node, thousandths.
    """

    node_class: str
    count: int
    pods: tuple[tuple[str, int], ...]
    cpu_free_milli: int
    memory_free_bytes: int
    gpu_free_milli: tuple[int, ...]
    gpu_stranded_milli: int


@dataclass(frozen=True)
class Pending:
    """Pods of one class that found no place.

    Attributes:
        pod_class: name of the class.
        count: pods left over.
        kind: ``capacity``, ``quota`` or ``gang``.
        reason: why, worded like the event a scheduler writes on the pod.
    """

    pod_class: str
    count: int
    kind: Literal["capacity", "quota", "gang"]
    reason: str


@dataclass(frozen=True)
class Allocation:
    """How much of one resource of the nodes in use is given away.

    Attributes:
        used: requested by placed pods (milli for CPU and GPU, bytes for memory).
        capacity: allocatable on the nodes that hold at least one pod, or on all nodes of a fixed fleet.
    """

    used: int
    capacity: int

    @property
    def share(self) -> float:
        """``used / capacity``; 0 where there is no capacity."""
        return self.used / self.capacity if self.capacity else 0.0


@dataclass(frozen=True)
class Placement:
    """Where the pods went.

    Attributes:
        groups: nodes by final state, grouped.
        placed: pods placed, by class.
        pending: what found no place, with reasons.
        allocation: by resource: ``cpu`` (milli), ``memory`` (bytes), ``gpu`` (milli).
        stranded_gpu_milli: GPU left on all nodes that no pod class of the input could use where it is, thousandths.
    """

    groups: tuple[NodeGroup, ...]
    placed: Mapping[str, int]
    pending: tuple[Pending, ...]
    allocation: Mapping[str, Allocation]
    stranded_gpu_milli: int

    @property
    def nodes(self) -> dict[str, int]:
        """Nodes that hold at least one pod, by class."""
        return _count_by_class(group for group in self.groups if group.pods)


def _count_by_class(groups: Iterable[NodeGroup]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group.node_class] = counts.get(group.node_class, 0) + group.count
    return counts


@dataclass(frozen=True)
class Bound:
    """A cost no node mix can go below.

    Attributes:
        price: lower bound of the price per hour.
        nodes: (fractional) nodes of the bound's solution, by class.
        method: ``volume`` (resources as divisible) or ``columns`` (node patterns as divisible).
    """

    price: float
    nodes: Mapping[str, float]
    method: Literal["volume", "columns"]


@dataclass(frozen=True)
class Purchase:
    """The nodes to buy, what they cost, and how far from the best that can be.

    Attributes:
        nodes: nodes to buy, by class.
        price: price of them per hour, exact.
        placement: where the pods go on them; pods larger than any node are pending there. May be given as
            :class:`~tenancykit.criteria.score.Later`: of most purchases nodes, price and numbers will do.
        placed: pods placed, by class, as in the placement.
        pending: what found no place, as in the placement.
        bound: the lower bound beside it; ``None`` where not asked for.
        optimal: ``True`` where the mix is proven cheapest.
    """

    nodes: Mapping[str, int]
    price: Decimal
    placement: Told[Placement] = Told()
    placed: Mapping[str, int] = field(default_factory=dict)
    pending: tuple[Pending, ...] = ()
    bound: Bound | None = None
    optimal: bool = False

    @property
    def gap(self) -> float | None:
        """``price / bound - 1``: at most this far above the cheapest; ``None`` without a (positive) bound."""
        if self.bound is None or self.bound.price <= 0:
            return None
        return max(0.0, float(self.price) / self.bound.price - 1.0)
