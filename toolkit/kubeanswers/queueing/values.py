"""What the queue controller looks at, as plain values: quotas, queues, flavors, workloads.

Amounts are whole numbers: ``cpu`` in thousandths of a core, everything else in its own unit (bytes, devices).
The words for policies are the API's own (``Never``, ``LowerPriority``, ...).

Source: https://kueue.sigs.k8s.io/docs/concepts/ and the v1beta1 API of Kueue 0.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from kubeanswers.records import dataclass
from kubeanswers.scheduling.values import Machine, NodeTerm, Selector, Taint, Toleration

MODELLED: Final = "0.13.10"
"""The version of Kueue whose recorded decisions this package reproduces."""

Version = tuple[int, int]
"""A minor version of Kueue."""

NEVER: Final = "Never"
LOWER: Final = "LowerPriority"
LOWER_OR_NEWER: Final = "LowerOrNewerEqualPriority"
ANY: Final = "Any"

STRICT: Final = "StrictFIFO"
BEST_EFFORT: Final = "BestEffortFIFO"

TRY_NEXT: Final = "TryNextFlavor"

FINAL_SHARE: Final = "LessThanOrEqualToFinalShare"
INITIAL_SHARE: Final = "LessThanInitialShare"


@dataclass(frozen=True)
class Limit:
    """A quota of one resource in one flavor.

    Attributes:
        nominal: what is guaranteed.
        borrowing: how much above it may be used; ``None`` without bound.
        lending: how much of it others may use; ``None`` all of it.
    """

    nominal: int = 0
    borrowing: int | None = None
    lending: int | None = None


@dataclass(frozen=True)
class FlavorQuotas:
    """The quotas of one flavor, by resource."""

    flavor: str
    limits: Mapping[str, Limit]


@dataclass(frozen=True)
class ResourceGroup:
    """Resources that are always taken from the same flavor; flavors in order of preference."""

    resources: tuple[str, ...]
    flavors: tuple[FlavorQuotas, ...]


@dataclass(frozen=True)
class Preemption:
    """Whom a queue may preempt.

    Attributes:
        within_queue: among its own.
        reclaim: among the others of its cohort, to get back its own quota.
        borrow: ``LowerPriority`` if it may preempt while it borrows itself.
        threshold: highest priority that may be preempted while borrowing; ``None`` any.
    """

    within_queue: str = NEVER
    reclaim: str = NEVER
    borrow: str = NEVER
    threshold: int | None = None


@dataclass(frozen=True)
class ClusterQueue:
    """A pool of quota with its rules."""

    name: str
    groups: tuple[ResourceGroup, ...] = ()
    cohort: str = ""
    strategy: str = BEST_EFFORT
    preemption: Preemption = Preemption()
    when_can_borrow: str = "Borrow"
    when_can_preempt: str = TRY_NEXT
    preference: str = ""
    weight: float = 1.0
    stop: str = "None"
    namespaces: Selector | None = ()

    @property
    def flavor_names(self) -> tuple[str, ...]:
        """The flavors it has quota of, each once."""
        return tuple(dict.fromkeys(quotas.flavor for group in self.groups for quotas in group.flavors))


@dataclass(frozen=True)
class Cohort:
    """A group of queues that lend each other quota, or of such groups."""

    name: str
    parent: str = ""
    groups: tuple[ResourceGroup, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True)
class Flavor:
    """A kind of machine that quota is given of."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    topology: str = ""


@dataclass(frozen=True)
class TopologyRequest:
    """How close together the pods of a pod set have to be; the levels are node labels.

    Attributes:
        required: level that has to hold them all.
        preferred: level that should.
        unconstrained: anywhere, but placed by the controller.
        slice_level: level that has to hold each slice of them.
        slice_size: pods per slice.
        group: pod sets of the same group are placed together (a leader with its workers).
    """

    required: str = ""
    preferred: str = ""
    unconstrained: bool = False
    slice_level: str = ""
    slice_size: int | None = None
    group: str = ""

    @property
    def explicit(self) -> bool:
        """Whether it says anything beyond a group."""
        return bool(
            self.required or self.preferred or self.unconstrained or self.slice_level or self.slice_size is not None
        )


@dataclass(frozen=True)
class PodSet:
    """Pods of one shape; ``requests`` are those of one pod, ``affinity`` alternatives of node conditions."""

    name: str
    count: int
    requests: Mapping[str, int]
    min_count: int | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    affinity: tuple[NodeTerm, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology: TopologyRequest | None = None


@dataclass(frozen=True)
class Workload:
    """A job as the queue controller sees it; ``created`` in seconds, ``uid`` breaks the last ties."""

    name: str
    local_queue: str
    pod_sets: tuple[PodSet, ...]
    priority: int = 0
    created: float = 0
    namespace: str = "default"
    uid: str = ""

    @property
    def key(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Domain:
    """Pods placed in one domain of a topology; ``values`` are the levels' values, the host name alone if it is one."""

    values: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Granted:
    """What a pod set got: how many pods, the flavor of each resource, and where."""

    name: str
    count: int
    flavors: Mapping[str, str]
    topology: tuple[Domain, ...] = ()


@dataclass(frozen=True)
class Reserved:
    """A workload that already holds quota; ``evicted`` while it is on its way out."""

    workload: Workload
    cluster_queue: str
    pod_sets: tuple[Granted, ...]
    at: float
    evicted: bool = False


@dataclass(frozen=True)
class Design:
    """Everything the decisions rest on.

    Attributes:
        local_queues: the cluster queue of each ``namespace/name``.
        namespaces: labels by name.
        topologies: levels, from wide to narrow, by name.
    """

    cluster_queues: tuple[ClusterQueue, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    flavors: tuple[Flavor, ...] = ()
    local_queues: Mapping[str, str] = field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    topologies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    machines: tuple[Machine, ...] = ()


@dataclass(frozen=True)
class Settings:
    """How the controller is configured.

    Attributes:
        fair_sharing: whether shares decide instead of priorities alone.
        strategies: its rules of preemption, in order.
        topology_aware: whether pods are placed in topologies.
        eviction_delay: rounds for which an evicted workload still holds its quota.
        excluded: beginnings of the names of resources that are not counted.
        version: the minor version of Kueue whose rules apply: 0.13 as recorded, and what changed by a later one, as
            ``differences`` lists it.
    """

    fair_sharing: bool = False
    strategies: tuple[str, ...] = (FINAL_SHARE, INITIAL_SHARE)
    topology_aware: bool = True
    eviction_delay: int = 0
    excluded: tuple[str, ...] = ()
    version: Version = (0, 13)
