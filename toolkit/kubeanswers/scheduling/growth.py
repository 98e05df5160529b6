"""Which nodes an autoscaler would add for pods that stay pending, as Cluster Autoscaler picks with ``least-waste``.

For every group of like nodes, its pods' daemons already on them, the pending pods are packed first-fit by decreasing
size onto new nodes of that group; the group that wastes the smallest share of CPU plus the smallest share of memory
grows, and what is left is asked again. Sources: Cluster Autoscaler, ``estimator/decreasing_pod_orderer.go``,
``expander/waste/waste.go`` and FAQ (github.com/kubernetes/autoscaler).

A group is what the nodes of the dump (or nodes offered beside it) say: same pool, machine type, zone, taints and
allocatable amounts. Largest sizes of groups, prices, other expanders and Karpenter's own search are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from kubeanswers.records import dataclass
from kubeanswers.scheduling.allocation import ClaimError
from kubeanswers.scheduling.expansion import daemons_of
from kubeanswers.scheduling.objects import Reader, labels_of, machine
from kubeanswers.scheduling.requests import Object, amounts
from kubeanswers.scheduling.scheduling import Scheduler
from kubeanswers.scheduling.values import CPU, MEMORY, Machine, Pod, Taint

EXPENDABLE: Final = -10
"""Pods of lower priority make no group grow: ``--expendable-pods-priority-cutoff``, its default."""

_HOSTNAME: Final = "kubernetes.io/hostname"
_TYPE: Final = "node.kubernetes.io/instance-type"
_ZONE: Final = "topology.kubernetes.io/zone"
_POOLS: Final = (
    "karpenter.sh/nodepool",
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "kops.k8s.io/instancegroup",
)
"""Labels by which providers name the pool of a node."""
_CONTROL: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_PASSING: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "ToBeDeletedByClusterAutoscaler")
_PASSING_TOO: Final = ("DeletionCandidateOfClusterAutoscaler", "startup-taint.cluster-autoscaler.kubernetes.io/")
"""Beginnings of taints that tell a node's passing state and that a new node does not keep."""
_BLOCK: Final = 32
"""New nodes that are looked at together at first; twice as many each time they are full."""
_MIRROR: Final = "kubernetes.io/config.mirror"


@dataclass(frozen=True)
class NodeGroup:
    """Like nodes, of which there may be more.

    Attributes:
        name: pool and machine type, with the zone.
        template: what a new node is like.
        capacity: what a node has before the system's share, by resource.
        daemons: pods of DaemonSets and of the node itself that are on every new node.
        nodes: how many the dump holds; 0 for a node that was offered.
    """

    name: str
    template: Machine
    capacity: Mapping[str, int]
    daemons: tuple[Pod, ...]
    nodes: int


@dataclass(frozen=True)
class Growth:
    """Nodes added to one group.

    Attributes:
        group: name of the group.
        nodes: how many nodes are added.
        pods: the pods they are added for, as ``namespace/name``, each with the number of its new node from 0.
        wasted_cpu, wasted_memory: share of the new nodes' capacity that those pods leave, 0 to 1.
        daemons: pods of DaemonSets and of the node itself on each new node.
        daemon_cpu, daemon_memory: what those take of each, millicores and bytes.
        equals: other groups that would have wasted as little: a cluster draws one of them, here the first by name.
    """

    group: str
    nodes: int
    pods: tuple[tuple[str, int], ...]
    wasted_cpu: float
    wasted_memory: float
    daemons: int
    daemon_cpu: int
    daemon_memory: int
    equals: tuple[str, ...] = ()


def node_groups(things: Sequence[Object], offers: Iterable[Object] = ()) -> tuple[NodeGroup, ...]:
    """Return the groups of like nodes of a dump, and one for every node offered, by name.

    Nodes of control planes are no group. Of like nodes the first stands for all.

    Raises:
        InputError: the allocatable amounts of a node are missing or malformed.
    """
    found: dict[tuple[object, ...], list[Object]] = {}
    for node in things:
        if node["kind"] == "Node" and not any(label in labels_of(node) for label in _CONTROL):
            found.setdefault(_alike(node), []).append(node)
    reader = Reader(things)
    groups = [_group(nodes[0], things, reader, len(nodes)) for nodes in found.values()]
    groups += [_group(node, things, reader, 0) for node in offers]
    return tuple(sorted(groups, key=lambda group: group.name))


def _alike(node: Object) -> tuple[object, ...]:
    read, labels = machine(node), labels_of(node)
    named = tuple(labels.get(label, "") for label in (*_POOLS, _TYPE, _ZONE))
    own = () if any(named[:-1]) else tuple(sorted((k, v) for k, v in labels.items() if k != _HOSTNAME))
    rough = {name: amount for name, amount in read.allocatable.items() if name != MEMORY}
    return named, own, _lasting(read), tuple(sorted(rough.items()))


def _lasting(read: Machine) -> tuple[Taint, ...]:
    return tuple(taint for taint in read.taints if not taint.key.startswith((*_PASSING, *_PASSING_TOO)))


def _group(node: Object, things: Sequence[Object], reader: Reader, number: int) -> NodeGroup:
    read, labels = machine(node), labels_of(node)
    pool = next((labels[label] for label in _POOLS if label in labels), "")
    words = [word for word in (pool, labels.get(_TYPE) or ("" if pool else read.name), labels.get(_ZONE)) if word]
    template = replace(read, taints=_lasting(read), cordoned=False, images={})
    ours = [reader.pod(thing) for thing in daemons_of(things, template)]
    named = {pod.owner for pod in ours}
    kept = [pod for pod in _of_node(things, reader, read.name) if pod.owner not in named]
    capacity = amounts((node.get("status") or {}).get("capacity"), read.name) or read.allocatable
    return NodeGroup(" ".join(words), template, capacity, (*ours, *kept), number)


def _of_node(things: Sequence[Object], reader: Reader, node: str) -> Iterator[Pod]:
    """Yield the pods that a node has by being one: of DaemonSets the dump leaves out, and its static pods."""
    known = {
        (thing["metadata"].get("namespace"), thing["metadata"].get("name"))
        for thing in things
        if thing["kind"] == "DaemonSet"
    }
    for thing in things:
        if thing["kind"] == "Pod" and (thing.get("spec") or {}).get("nodeName") == node:
            pod = reader.pod(thing)
            kind, _, name = pod.owner.partition("/")
            static = _MIRROR in (thing["metadata"].get("annotations") or {})
            if static or (kind == "DaemonSet" and (pod.namespace, name) not in known):
                yield pod


Build = Callable[[Sequence[Machine]], Scheduler]
"""Makes the cluster as it stands, with further machines."""


def grow(groups: Sequence[NodeGroup], pending: Sequence[Pod], build: Build) -> tuple[tuple[Growth, ...], list[Pod]]:
    """Return the nodes an autoscaler would add, and the pods for which none helps.

    Args:
        groups: what may be added.
        pending: pods without a place; those held by a gate and those of a priority below ``EXPENDABLE`` are left.
        build: makes the cluster with further machines in it.
    """
    left = [pod for pod in pending if not pod.gated and pod.priority >= EXPENDABLE]
    grown: list[Growth] = []
    fleet: list[tuple[Machine, tuple[Pod, ...]]] = []
    while left and (options := [trial for group in groups if (trial := _try(group, left, fleet, build)).pods]):
        options.sort(key=lambda trial: (trial.waste, trial.group.name))
        best = options[0]
        equals = tuple(trial.group.name for trial in options[1:] if trial.waste == best.waste)
        grown.append(best.told(equals))
        fleet += best.machines()
        placed = {pod.key for pod, _ in best.pods}
        left = [pod for pod in left if pod.key not in placed]
    helped = {key for one in grown for key, _ in one.pods}
    return tuple(grown), [pod for pod in pending if pod.key not in helped]


@dataclass(frozen=True)
class _Trial:
    """The pending pods packed onto new nodes of one group; each with the number of its node."""

    group: NodeGroup
    pods: tuple[tuple[Pod, int], ...]
    names: tuple[str, ...]

    @property
    def nodes(self) -> int:
        return 1 + max((at for _, at in self.pods), default=-1)

    def wasted(self, resource: str) -> float:
        has = self.group.capacity.get(resource, 0) * self.nodes
        return 1 - sum(pod.requests.get(resource, 0) for pod, _ in self.pods) / has if has else 0.0

    @property
    def waste(self) -> float:
        return self.wasted(CPU) + self.wasted(MEMORY)

    def told(self, equals: tuple[str, ...]) -> Growth:
        taken = {r: sum(pod.requests.get(r, 0) for pod in self.group.daemons) for r in (CPU, MEMORY)}
        return Growth(
            self.group.name,
            self.nodes,
            tuple((pod.key, at) for pod, at in self.pods),
            self.wasted(CPU),
            self.wasted(MEMORY),
            len(self.group.daemons),
            taken[CPU],
            taken[MEMORY],
            equals,
        )

    def machines(self) -> list[tuple[Machine, tuple[Pod, ...]]]:
        """Return the nodes opened, each with the pods on it, daemons first."""
        return [
            (_machine(self.group, name), (*_daemons(self.group, name), *(pod for pod, at in self.pods if at == i)))
            for i, name in enumerate(self.names[: self.nodes])
        ]


def _machine(group: NodeGroup, name: str) -> Machine:
    return replace(group.template, name=name, labels={**group.template.labels, _HOSTNAME: name})


def _daemons(group: NodeGroup, node: str) -> Iterator[Pod]:
    return (replace(pod, name=f"{pod.name}@{node}", node=node) for pod in group.daemons)


def _try(
    group: NodeGroup, pods: Sequence[Pod], fleet: Sequence[tuple[Machine, tuple[Pod, ...]]], build: Build
) -> _Trial:
    """Pack pods onto new nodes of a group: the largest first, each onto the first new node that takes it.

    Where a pod has to be spread, nodes are opened one by one, since an empty node that is not there yet is no domain.
    """
    size = {r: group.template.allocatable.get(r, 0) or 1 for r in (CPU, MEMORY)}
    waiting = sorted(pods, key=lambda pod: -sum(pod.requests.get(r, 0) / size[r] for r in size))
    names = [f"new-{len(fleet) + i}.{group.name.replace(' ', '.')}" for i in range(len(pods))]
    spread = any(spread.hard for pod in pods for spread in pod.spreads)
    placed: list[tuple[Pod, int]] = []
    opened, found = 0, True
    while waiting and found and opened < len(pods):
        opened = min(opened + 1 if spread else max(_BLOCK, 2 * opened), len(pods))
        scheduler = _with(group, names[:opened], fleet, build)
        for pod, at in placed:
            scheduler.bind(pod, names[at])
        fresh = list(_pack(scheduler, waiting, names[:opened]))
        found, placed = bool(fresh), [*placed, *fresh]
        done = {pod.key for pod, _ in fresh}
        waiting = [pod for pod in waiting if pod.key not in done]
    return _Trial(group, tuple(placed), tuple(names))


def _pack(scheduler: Scheduler, pods: Sequence[Pod], names: Sequence[str]) -> Iterator[tuple[Pod, int]]:
    """Bind pods to the first of the nodes that takes each; of like pods none is tried after one that fits nowhere."""
    refused: set[tuple[object, ...]] = set()
    for pod in pods:
        alike = (pod.owner or pod.key, tuple(sorted(pod.requests.items())))
        at = None if alike in refused else _first(scheduler, pod, names)
        if at is None:
            refused.add(alike)
        else:
            scheduler.bind(pod, names[at])
            yield pod, at


def _with(
    group: NodeGroup, names: Sequence[str], fleet: Sequence[tuple[Machine, tuple[Pod, ...]]], build: Build
) -> Scheduler:
    scheduler = build([*(added for added, _ in fleet), *(_machine(group, name) for name in names)])
    for added, pods in fleet:
        for pod in pods:
            scheduler.bind(pod, added.name)
    for name in names:
        for pod in _daemons(group, name):
            scheduler.bind(pod, name)
    return scheduler


def _first(scheduler: Scheduler, pod: Pod, names: Sequence[str]) -> int | None:
    try:
        where = scheduler.feasible(pod)
    except ClaimError:
        return None
    return next((i for i, name in enumerate(names) if where[scheduler.cluster.position[name]]), None)
