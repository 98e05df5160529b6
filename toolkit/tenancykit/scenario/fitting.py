"""Whether some node type of a scenario can hold each of its workloads, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubeanswers.errors import Fault, did_you_mean
from kubeanswers.quantities import GIB
from kubeanswers.records import dataclass
from kubeanswers.source import Path_, Place
from tenancykit.scenario.model import NodeOffer, NodeSpec, Scenario, Workload


@dataclass(frozen=True)
class NodeShape:
    """What a node type offers to pods.

    Attributes:
        cpu_milli: CPU in millicores.
        memory_bytes: memory in bytes.
        gpus: GPUs.
        gpu_model: model of the GPUs, empty without GPUs.
        gpu_memory: memory of one GPU in bytes; 0 where it is not known.
        whole_host: whether it is a whole physical host.
    """

    cpu_milli: int
    memory_bytes: int
    gpus: int
    gpu_model: str
    gpu_memory: int = 0
    whole_host: bool = False


def node_faults(scenario: Scenario, place: Place, known: Mapping[str, NodeShape] | None) -> Iterator[Fault]:
    """Yield what is wrong with the node types, and every workload that fits on none of them.

    Args:
        scenario: the scenario.
        place: where a path stands in its file.
        known: shapes of the node types of the price book and of the scenario; without it, none is looked up.
    """
    shapes: list[NodeShape | None] = []
    for n, offer in enumerate(scenario.infrastructure.nodes):
        path: Path_ = ("infrastructure", "nodes", n)
        if scenario.infrastructure.mode == "fixed" and offer.count is None:
            yield Fault(place(path), f"node type {offer.type!r} has no count", cure="a fixed fleet needs count: N")
        if offer.spec is not None:
            yield from _spec(offer.spec, (*path, "spec"), place)
        elif known is not None and offer.type not in known:
            cure = did_you_mean(offer.type, known) or "see: tenancykit catalogue prices"
            yield Fault(place((*path, "type")), f"the price book has no node type {offer.type!r}", cure=cure)
        if offer.count != 0:
            shapes.append(_shape(offer, known))
    if not shapes:
        yield Fault(
            place(("infrastructure", "nodes")), "no machine is counted", cure="give a node type a count above 0"
        )
    yield from _hosting(scenario, place, known or {})
    held = [shape for shape in shapes if shape is not None]
    if not held or len(held) < len(shapes):
        return
    for w, workload in enumerate(scenario.workloads):
        reason = _fits_nowhere(workload, held)
        if reason:
            what = f"no node type can hold one replica of {workload.id!r}: {reason}"
            yield Fault(place(("workloads", w)), what, cure="shrink the request or add a node type")


def _shape(offer: NodeOffer, known: Mapping[str, NodeShape] | None) -> NodeShape | None:
    if known is not None:
        return known.get(offer.type)
    spec = offer.spec
    return NodeShape(spec.cpu, spec.memory, spec.gpus, spec.gpu_model) if spec else None


def _hosting(scenario: Scenario, place: Place, known: Mapping[str, NodeShape]) -> Iterator[Fault]:
    """Yield what contradicts itself about buying machines, and about nodes being virtual machines."""
    infrastructure = scenario.infrastructure
    if infrastructure.buying is not None and infrastructure.mode == "elastic":
        what = f"buying is {infrastructure.buying!r}, and mode 'elastic' buys every machine"
        yield Fault(place(("infrastructure", "buying")), what, "mode: fixed", "drop buying, or say mode: fixed")
    if infrastructure.virtualised and whole_hosts_only(scenario, known):
        what = "nodes are said to be virtual machines, and every node type is a whole physical host"
        cure = "drop virtualised, or say bare_metal: false for the node types that are virtual machines"
        yield Fault(place(("infrastructure", "virtualised")), what, cure=cure)
    if infrastructure.virtualised is False:
        for n, offer in enumerate(infrastructure.nodes):
            if offer.spec and offer.spec.bare_metal is False:
                what = f"node type {offer.type!r} is no whole host, and nodes are said not to be virtual machines"
                path: Path_ = ("infrastructure", "nodes", n, "spec", "bare_metal")
                yield Fault(place(path), what, cure="drop one of the two")


def whole_hosts_only(scenario: Scenario, known: Mapping[str, NodeShape]) -> bool:
    """Return whether every node type of a scenario is known to be a whole physical host."""
    infrastructure = scenario.infrastructure
    own = {offer.type: infrastructure.is_whole_host(offer.spec) for offer in infrastructure.nodes if offer.spec}
    whole = {**{name: shape.whole_host for name, shape in known.items()}, **own}
    return all(whole.get(offer.type, False) for offer in infrastructure.nodes)


def _spec(spec: NodeSpec, path: Path_, place: Place) -> Iterator[Fault]:
    if spec.cpu == 0 or spec.memory == 0:
        yield Fault(place(path), "the machine has no CPU or no memory", cure="write its capacity")
    if spec.gpus and not spec.gpu_model:
        yield Fault(place(path), "the machine has GPUs of no model", cure="add gpu_model")


def _fits_nowhere(workload: Workload, shapes: list[NodeShape]) -> str:
    """Return what every machine lacks, asked for one thing after the other; empty where one holds a replica."""
    gpus = workload.gpu.count if workload.gpu else 0
    usable = [s for s in shapes if s.gpus >= gpus]
    if not usable:
        return f"{gpus} GPUs asked, the largest node has {max(s.gpus for s in shapes)}"
    if workload.gpu and gpus:
        models, device = workload.gpu.models, workload.gpu.memory or 0
        have = sorted({s.gpu_model for s in usable})
        usable = [s for s in usable if not models or any(s.gpu_model.startswith(m) for m in models)]
        if not usable:
            return f"GPU model {' or '.join(models)} asked, on offer: {', '.join(have)}"
        most = max(s.gpu_memory for s in usable)
        usable = [s for s in usable if not 0 < s.gpu_memory < device]
        if not usable:
            return f"{device / GIB:g} GiB of GPU memory asked, at most {most / GIB:g} GiB on such a GPU"
    return _too_small(workload, usable)


def _too_small(workload: Workload, usable: list[NodeShape]) -> str:
    cpu, memory = max(s.cpu_milli for s in usable), max(s.memory_bytes for s in usable)
    if cpu < workload.cpu:
        return f"{workload.cpu / 1000:,.10g} CPUs asked, at most {cpu / 1000:g} on such a node"
    if memory < workload.memory:
        return f"{workload.memory / GIB:,.6g} GiB asked, at most {memory / GIB:g} GiB on such a node"
    if all(s.cpu_milli < workload.cpu or s.memory_bytes < workload.memory for s in usable):
        return "no node has both the CPU and the memory"
    return ""
