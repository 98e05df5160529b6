"""What a design's components take from its machines, by where they run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from kubeanswers.quantities import MIB
from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Footprint
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass
from tenancykit.design.components import Closure
from tenancykit.design.model import ClassDesign


@dataclass(frozen=True)
class Burden:
    """One footprint of one component, and the classes for which it is carried.

    Attributes:
        component: id of the component.
        footprint: what it takes per unit of its scope.
        classes: tenant classes under whose facts it applies.
        of_control_plane: whether it belongs to the tenants' control planes (and so stands where those are hosted).
    """

    component: str
    footprint: Footprint
    classes: frozenset[str]
    of_control_plane: bool


def burdens_of(closure: Closure) -> tuple[Burden, ...]:
    """Return every footprint of everything a design installs, in the order of installation."""
    control = _control_plane_components(closure)
    found = []
    for identifier, installation in closure.installations.items():
        for footprint in installation.component.footprint:
            classes = frozenset(c for c in installation.classes if footprint.when.holds(closure.classes[c].facts))
            if classes:
                found.append(Burden(identifier, footprint, classes, identifier in control))
    return tuple(found)


def _control_plane_components(closure: Closure) -> frozenset[str]:
    pending = [
        component
        for resolved in closure.classes.values()
        for option in resolved.options
        if option.dimension == "control_plane"
        for component in option.components
    ]
    found: set[str] = set()
    while pending:
        component = pending.pop()
        if component not in found:
            found.add(component)
            pending.extend(closure.edges.get(component, ()))
    return frozenset(found)


@dataclass(frozen=True)
class NodeTax:
    """What daemons take from every node of a domain.

    Attributes:
        cpu_milli: CPU, millicores.
        memory_bytes: memory, bytes.
        pods: pods.
    """

    cpu_milli: int = 0
    memory_bytes: int = 0
    pods: int = 0


def node_tax(burdens: Iterable[Burden], classes: frozenset[str], *, gpu: bool) -> NodeTax:
    """Return what daemons take from a node that serves these classes, on a GPU node or another."""
    scopes = ("node", "gpu_node") if gpu else ("node",)
    carried = [b.footprint for b in burdens if b.footprint.scope in scopes and b.classes & classes]
    return NodeTax(
        sum(f.cpu_milli for f in carried), sum(f.memory_mib for f in carried) * MIB, sum(f.pods for f in carried)
    )


def pod_tax(burdens: Iterable[Burden], resolved: ClassDesign, *, gpu: bool) -> tuple[int, int]:
    """Return what runtime and sidecars add to one pod of a class: millicores and bytes."""
    sandbox = resolved.sandbox
    cpu, memory = sandbox.cpu_milli, sandbox.memory_mib
    if gpu:
        cpu = cpu if sandbox.gpu_cpu_milli is None else sandbox.gpu_cpu_milli
        memory = memory if sandbox.gpu_memory_mib is None else sandbox.gpu_memory_mib
    for burden in burdens:
        if burden.footprint.scope == "pod" and resolved.tenant_class.id in burden.classes:
            cpu += burden.footprint.cpu_milli
            memory += burden.footprint.memory_mib
    return cpu, memory * MIB


def system_pods(burden: Burden, instances: int) -> PodClass | None:
    """Return the pods of so many instances of a footprint, or None where it takes nothing of a node."""
    footprint = burden.footprint
    if instances < 1 or not (footprint.pods or footprint.cpu_milli or footprint.memory_mib):
        return None
    pods = max(1, footprint.pods)
    return PodClass(
        name=f"system/{burden.component}/{footprint.scope}",
        count=pods * instances,
        cpu_milli=-(-footprint.cpu_milli // pods),
        memory_bytes=-(-footprint.memory_mib * MIB // pods),
    )


_CARRIES_SYSTEM: Final = "system"
"""Label of nodes that take system pods, where others do not."""


def off_gpu_nodes(
    system: tuple[PodClass, ...], types: tuple[NodeClass, ...]
) -> tuple[tuple[PodClass, ...], tuple[NodeClass, ...]]:
    """Return a cluster's system pods and machines such that the pods stand on machines without GPUs.

    Nodes with GPUs are tainted against what asks for none (EKS's guide advises it,
    https://docs.aws.amazon.com/eks/latest/userguide/node-taints-managed-node-groups.html; AKS keeps system pods on a
    pool of their own). Where no machine without GPUs is on offer, or one is too small, nothing is kept apart.
    """
    plain = [node for node in types if not node.gpu_count]
    fits = all(any(_holds(node, pod) for node in plain) for pod in system)
    if not system or not fits:
        return system, types
    label = frozenset({_CARRIES_SYSTEM})
    marked = tuple(node if node.gpu_count else replace(node, labels=node.labels | label) for node in types)
    return tuple(replace(pod, needs=label) for pod in system), marked


def _holds(node: NodeClass, pod: PodClass) -> bool:
    return pod.cpu_total_milli <= node.cpu_milli and pod.memory_total_bytes <= node.memory_bytes


def merged(pods: Iterable[PodClass | None]) -> tuple[PodClass, ...]:
    """Return pods with equal requests as one class, named after the first."""
    by_shape: dict[tuple[int, int], PodClass] = {}
    for pod in pods:
        if pod is None:
            continue
        key = (pod.cpu_milli, pod.memory_bytes)
        known = by_shape.get(key)
        count = pod.count + (known.count if known else 0)
        name = known.name if known else pod.name
        by_shape[key] = PodClass(name, count, pod.cpu_milli, pod.memory_bytes)
    return tuple(by_shape.values())


def shares_hosts(resolved: ClassDesign) -> bool:
    """Return whether tenants of a class may meet on a machine.

    A cluster of one's own leaves nobody to share with, unless its nodes are virtual machines on hosts that the class
    or everybody shares.
    """
    if not resolved.cluster.per_tenant:
        return True
    return "vm-nodes" in resolved.facts and resolved.placement.domain != "tenant"
