"""What a scheduler looks at, as plain values: machines, pods, and the rules that bind them.

Amounts are whole numbers: ``cpu`` in thousandths of a core, everything else in its own unit (bytes, devices).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal

from kubeanswers.records import dataclass

CPU: Final = "cpu"
MEMORY: Final = "memory"
STORAGE: Final = "ephemeral-storage"
PODS: Final = "pods"
HOSTNAME: Final = "kubernetes.io/hostname"
REGION: Final = "topology.kubernetes.io/region"
ZONE: Final = "topology.kubernetes.io/zone"

_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class Requirement:
    """One condition on a label (or field)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels satisfy it; a missing label satisfies NotIn and DoesNotExist."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        if self.operator in ("Exists", "DoesNotExist"):
            return (value is not None) == (self.operator == "Exists")
        return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        texts = (value or "", *self.values)
        if self.operator not in ("Gt", "Lt") or len(texts) != 2 or not all(map(_INTEGER.fullmatch, texts)):
            return False
        left, right = map(int, texts)
        return left > right if self.operator == "Gt" else left < right


Selector = tuple[Requirement, ...]
"""All of the conditions; the empty selector holds for everything."""


def holds(selector: Selector | None, labels: Mapping[str, str]) -> bool:
    """Return whether labels satisfy a selector; ``None`` selects nothing."""
    return selector is not None and all(requirement.holds(labels) for requirement in selector)


@dataclass(frozen=True)
class Taint:
    """A taint of a machine."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class Toleration:
    """A toleration of a pod; empty key with ``Exists`` tolerates every key, empty effect every effect.

    Other operators (``Gt`` and ``Lt`` are off by default in 1.36) tolerate nothing.
    """

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        """Return whether the taint is tolerated."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        if self.operator == "Exists":
            return True
        return self.operator == "Equal" and self.value == taint.value


@dataclass(frozen=True)
class NodeTerm:
    """Conditions on a machine's labels and on its name, all of which have to hold; without any, none does."""

    labels: Selector = ()
    fields: Selector = ()


@dataclass(frozen=True)
class PodTerm:
    """Pods meant by an affinity rule, and the topology in which they count.

    Attributes:
        selector: labels of those pods; ``None`` means no pod.
        namespaces: namespaces named.
        namespace_selector: labels of further namespaces; ``None`` for none.
        topology: label whose values divide the machines.
        weight: points, for preferences.
    """

    selector: Selector | None
    namespaces: frozenset[str]
    namespace_selector: Selector | None
    topology: str
    weight: int = 0


@dataclass(frozen=True)
class Spread:
    """A topology spread constraint.

    Attributes:
        topology: label whose values divide the machines.
        skew: largest difference allowed (or scored) between a domain and the emptiest.
        hard: whether it filters machines or only scores them.
        selector: pods counted, in the pod's namespace.
        min_domains: fewest domains; below it the emptiest counts as 0.
        honor_affinity: machines the pod's node rules exclude are not counted.
        honor_taints: machines with taints the pod does not tolerate are not counted.
    """

    topology: str
    skew: int
    hard: bool
    selector: Selector | None
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


@dataclass(frozen=True)
class Port:
    """A port on the machine's own address."""

    address: str
    protocol: str
    number: int

    def clashes(self, other: Port) -> bool:
        """Return whether both cannot be on one machine; ``0.0.0.0`` is every address."""
        if (self.protocol, self.number) != (other.protocol, other.number):
            return False
        return "0.0.0.0" in (self.address, other.address) or self.address == other.address  # noqa: S104 - the wildcard


@dataclass(frozen=True)
class InlineDisk:
    """A disk a pod names itself: its kind, what identifies it, and the servers it can be had from (``rbd`` only)."""

    kind: str
    identity: tuple[str, ...]
    read_only: bool
    servers: frozenset[str] = frozenset()

    def clashes(self, other: InlineDisk) -> bool:
        """Return whether both cannot be mounted on one machine; all but EBS volumes can if both only read."""
        if (self.kind, self.identity) != (other.kind, other.identity):
            return False
        if self.kind == "rbd" and not self.servers & other.servers:
            return False
        return self.kind == "awsElasticBlockStore" or not (self.read_only and other.read_only)


@dataclass(frozen=True)
class Machine:
    """A node as the scheduler sees it.

    Attributes:
        name: its name.
        labels: its labels.
        allocatable: what it can give, by resource.
        taints: its taints.
        cordoned: whether it is marked unschedulable.
        images: bytes of each image it holds, by every name of the image.
        features: features its kubelet declares.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, int] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    cordoned: bool = False
    images: Mapping[str, int] = field(default_factory=dict)
    features: frozenset[str] = frozenset()


def term_holds(term: NodeTerm, machine: Machine) -> bool:
    """Return whether a machine satisfies a node term; an empty term holds nowhere."""
    if not term.labels and not term.fields:
        return False
    return holds(term.labels, machine.labels) and holds(term.fields, {"metadata.name": machine.name})


@dataclass(frozen=True)
class Pod:
    """A pod as the scheduler sees it.

    Attributes:
        namespace, name: who it is.
        labels: its labels.
        requests: what it takes, runtime overhead included, by resource; only what is above zero.
        nominal_cpu, nominal_memory: the same with a default for containers that ask for none, as pods that run score.
        scored_cpu, scored_memory: the same as it scores itself; 0 for as when it runs.
        node_selector: labels its machine must carry.
        node_terms: alternatives of required node rules; ``None`` where it has none.
        node_wishes: preferred node rules with points.
        tolerations: its tolerations.
        near, away: required affinity and anti-affinity to pods.
        near_wishes, away_wishes: the same, preferred.
        spreads: topology spread constraints.
        ports: ports on the machine's address.
        claims: its volume claims by name, and whether each is created for the pod.
        disks: disks it names itself.
        device_claims: its claims to devices by name, and the template each is made from; empty for none.
        images: images of its containers.
        mounted: images it mounts as volumes.
        features: features its machine's kubelet has to declare.
        owner: its controller, as ``Kind/name``.
        priority: higher preempts lower.
        preempts: whether it may preempt at all.
        started: when it started, for the choice of victims; text that sorts by time.
        node: machine it is on; empty while pending.
        nominated: machine on which room is kept for it while it is pending.
        terminating: whether it is being deleted.
        preempted: whether the scheduler is removing it to make room.
        gated: whether scheduling gates hold it back.
        scheduler: which scheduler is to place it.
    """

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    nominal_cpu: int = 0
    nominal_memory: int = 0
    scored_cpu: int = 0
    scored_memory: int = 0
    node_selector: tuple[tuple[str, str], ...] = ()
    node_terms: tuple[NodeTerm, ...] | None = None
    node_wishes: tuple[tuple[int, NodeTerm], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    near: tuple[PodTerm, ...] = ()
    away: tuple[PodTerm, ...] = ()
    near_wishes: tuple[PodTerm, ...] = ()
    away_wishes: tuple[PodTerm, ...] = ()
    spreads: tuple[Spread, ...] = ()
    ports: tuple[Port, ...] = ()
    claims: tuple[tuple[str, bool], ...] = ()
    disks: tuple[InlineDisk, ...] = ()
    device_claims: tuple[tuple[str, str], ...] = ()
    images: tuple[str, ...] = ()
    mounted: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    owner: str = ""
    priority: int = 0
    preempts: bool = True
    started: str = ""
    node: str = ""
    nominated: str = ""
    terminating: bool = False
    preempted: bool = False
    gated: bool = False
    scheduler: str = "default-scheduler"

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Budget:
    """Pods that may not all be disrupted at once.

    Attributes:
        namespace: of its pods.
        selector: their labels.
        allowed: disruptions it still allows.
        disrupted: pods whose removal it has counted already.
    """

    namespace: str
    selector: Selector | None
    allowed: int
    disrupted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FitScoring:
    """How free resources become a score.

    Attributes:
        kind: ``LeastAllocated``, ``MostAllocated`` or ``RequestedToCapacityRatio``.
        resources: resources looked at, with weights.
        shape: (utilisation in percent, score 0 to 10) points, for RequestedToCapacityRatio.
    """

    kind: Literal["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"] = "LeastAllocated"
    resources: tuple[tuple[str, int], ...] = ((CPU, 1), (MEMORY, 1))
    shape: tuple[tuple[int, int], ...] = ()
