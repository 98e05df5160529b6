"""What a workload's pod asks for and what a machine offers, under the options chosen for a tenant class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.model import GpuMode, Rule
from tenancykit.criteria.cost.machines import Machine, on_whole_hosts, sharing_of
from tenancykit.criteria.cost.overhead import Burden, node_tax, pod_tax
from tenancykit.criteria.cost.placement.devices import WHOLE
from tenancykit.criteria.cost.placement.values import DEFAULT_MAX_PODS, GPU_MILLI, NodeClass, PodClass
from tenancykit.design.model import ClassDesign
from tenancykit.design.validity import rule_limit
from tenancykit.scenario.model import Workload

WHOLE_LABEL: Final = "gpu/whole"
"""Label of nodes that hand out whole GPUs."""
_BESIDE: Final = ("fraction", "slices")
"""Ways of sharing under which a node's other cards stay whole."""
_CUT: Final = ", GPUs cut by "


@dataclass(frozen=True)
class Shapes:
    """Turns workloads into pods and machines into node types.

    Attributes:
        burdens: what the design's components take.
        rules: compatibility rules, for limits of pods per node.
        virtualised: whether machines are virtual, so that whole hosts have to be asked for.
    """

    burdens: tuple[Burden, ...]
    rules: tuple[Rule, ...]
    virtualised: bool

    def pod(self, workload: Workload, resolved: ClassDesign, machines: Sequence[Machine]) -> PodClass:
        """Return one replica of a workload as a pod, runtime overhead and GPU constraints included."""
        gpu = workload.gpu if workload.gpu and workload.gpu.count else None
        cpu, memory = pod_tax(self.burdens, resolved, gpu=gpu is not None)
        pod = PodClass(
            name=f"{resolved.tenant_class.id}/{workload.id}",
            cpu_milli=workload.cpu,
            memory_bytes=workload.memory,
            gang=workload.gang,
            priority=workload.priority,
            overhead_cpu_milli=cpu,
            overhead_memory_bytes=memory,
        )
        if gpu is None:
            return pod
        models = gpu_models(gpu.models, resolved, machines)[0]
        milli = max(1, round((gpu.fraction or 1.0) * GPU_MILLI))
        return replace(
            pod,
            gpu_count=gpu.count,
            gpu_milli=milli,
            gpu_memory_bytes=gpu.memory or 0,
            gpu_models=models,
            needs=frozenset({_label(resolved, milli, models, machines)}),
        )

    def types(
        self, classes: Sequence[ClassDesign], machines: Sequence[Machine]
    ) -> tuple[tuple[NodeClass, ...], tuple[str, ...]]:
        """Return the node types of a domain that serves some classes, and what could not be taken literally."""
        notes: list[str] = []
        if any(c.placement.whole_hosts for c in classes):
            machines, relaxed = on_whole_hosts(machines)
            if relaxed and self.virtualised:
                notes.append("no whole host of every kind is on offer; the machines on offer are priced as hosts")
        limits = [c.sandbox.gpu_pods_per_node for c in classes] + [rule_limit(self.rules, c.facts) for c in classes]
        most = min((limit for limit in limits if limit is not None), default=None)
        modes = {_key(mode): mode for c in classes for mode in _fractional(c)}
        ids = frozenset(c.tenant_class.id for c in classes)
        types: list[NodeClass] = []
        for machine in machines:
            variants = list(self._variants(machine, ids, modes, most))
            if not variants:
                notes.append(f"{machine.name} is too small for the daemons of the design; it is not used")
            types.extend(variants)
        return tuple(types), tuple(notes)

    def _variants(
        self, machine: Machine, ids: frozenset[str], modes: dict[str, GpuMode], most: int | None
    ) -> Iterator[NodeClass]:
        tax = node_tax(self.burdens, ids, gpu=machine.is_gpu)
        plain = NodeClass(
            name=machine.name,
            count=machine.count,
            cpu_milli=machine.shape.cpu - tax.cpu_milli,
            memory_bytes=machine.shape.memory - tax.memory_bytes,
            gpu_count=machine.shape.gpus,
            gpu_model=machine.shape.gpu_model,
            gpu_memory_bytes=machine.shape.gpu_memory,
            max_pods=DEFAULT_MAX_PODS - tax.pods,
            max_gpu_pods=most if machine.is_gpu else None,
            labels=frozenset({WHOLE_LABEL}) if machine.is_gpu else frozenset(),
            price=machine.hourly.cost.amount,
        )
        if plain.cpu_milli <= 0 or plain.memory_bytes <= 0 or plain.max_pods <= 0:
            return
        yield plain
        for key, mode in modes.items():
            sharing = sharing_of(mode, machine.shape.gpu_model) if machine.is_gpu else None
            if sharing is not None and sharing != WHOLE:
                # Software cuts pod by pod and MIG card by card, so that other cards are handed out whole beside them;
                # a device plugin's replicas (MPS, time-slicing) hold for all cards of a node.
                whole = [WHOLE_LABEL] if sharing.mode in _BESIDE else []
                labels = frozenset({f"gpu/{key}", *whole})
                yield replace(plain, name=f"{machine.name}{_CUT}{key}", gpu_sharing=sharing, labels=labels)


def machine_name(node_class: str) -> str:
    """Return the machine a node type stands for; types of one machine differ in how their GPUs are cut."""
    return node_class.rsplit(_CUT, 1)[0]


def gpu_models(
    wanted: tuple[str, ...], resolved: ClassDesign, machines: Sequence[Machine]
) -> tuple[frozenset[str], str]:
    """Return the GPU models a pod may run on (empty: any), and a note where the design's own limit was dropped.

    Names match by prefix. A design that allows no model on offer is not valid; it is priced as if any would do.
    """
    offered = {m.shape.gpu_model for m in machines if m.is_gpu}
    asked = {m for m in offered if not wanted or any(m.startswith(w) for w in wanted)}
    if wanted and not asked:
        return frozenset(), f"no machine on offer has the GPU model {' or '.join(wanted)}; priced as if any would do"
    if resolved.gpu_models is None:
        return (frozenset(asked) if wanted else frozenset()), ""
    allowed = {m for m in asked if any(m.startswith(a) for a in resolved.gpu_models)}
    if allowed:
        return frozenset(allowed), ""
    would_do = ", ".join(sorted(asked)) or "any"
    note = (
        f"class {resolved.tenant_class.id}: the rules of the design allow no GPU model on offer; "
        f"priced as if {would_do} would do"
    )
    return (frozenset(asked) if wanted else frozenset()), note


def _fractional(resolved: ClassDesign) -> tuple[GpuMode, ...]:
    return tuple(mode for mode in resolved.gpu_modes if mode.mode != "whole")


def _key(mode: GpuMode) -> str:
    return f"{mode.mode}-{mode.replicas}" if mode.replicas > 1 else mode.mode


def _label(resolved: ClassDesign, milli: int, models: frozenset[str], machines: Sequence[Machine]) -> str:
    """Return the label of the nodes a GPU pod goes to: those cut for shares, where it asks for one and they exist."""
    if milli < GPU_MILLI:
        offered = {m.shape.gpu_model for m in machines if m.is_gpu}
        for mode in _fractional(resolved):
            if any(sharing_of(mode, model) for model in (offered & models or offered)):
                return f"gpu/{_key(mode)}"
    return WHOLE_LABEL
