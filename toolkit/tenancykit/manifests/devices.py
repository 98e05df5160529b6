"""How a pod asks for its GPU under the chosen sharing: extended resource, MIG profile, claim or annotation.

Names of resources: NVIDIA device plugin and GPU operator v26.7 (https://docs.nvidia.com/datacenter/cloud-native/gpu-operator/),
Kata's sandbox device plugin (``nvidia.com/pgpu``), HAMi 2.10, KAI Scheduler 0.17, DRA ``resource.k8s.io/v1``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from math import ceil
from typing import Final

from kubeanswers.quantities import GIB, MIB
from kubeanswers.records import dataclass
from tenancykit.catalogue.accelerators import Accelerator, Partition, accelerator, resources_of
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ClassDesign
from tenancykit.design.offers import gpu_models_on_offer
from tenancykit.partitions import equal_parts, profiles_of, slice_geometry
from tenancykit.scenario.model import GpuRequest, Scenario, Workload

GPU: Final = "nvidia.com/gpu"
SHARED_GPU: Final = "nvidia.com/gpu.shared"
"""What the device plugin advertises for time-sliced and MPS replicas with ``renameByDefault``."""
GUEST_GPU: Final = "nvidia.com/pgpu"
"""What the sandbox device plugin advertises for whole GPUs passed into guests."""

_FALLBACK_MODEL: Final = "H100-80GB"
"""Assumption: the model whose MIG profiles are used where neither workload nor node type names one."""


@dataclass(frozen=True)
class DeviceRequest:
    """What one replica asks of accelerators.

    Attributes:
        limits: extended resources of the container.
        claim: name of the ResourceClaimTemplate, or an empty string.
        profile: MIG profile, or an empty string.
        annotations: annotations of the pod.
        milli_gpus: share of whole GPUs taken, in thousandths; what queues count.
        has_gpu: whether an accelerator is asked for at all.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    claim: str = ""
    profile: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    milli_gpus: int = 0
    has_gpu: bool = False


NO_DEVICE: Final = DeviceRequest()


@dataclass(frozen=True)
class ClassDevices:
    """How the pods of a class ask for GPUs.

    Attributes:
        options: option ids of the class.
        fractional: mechanism that serves parts of a GPU, or an empty string.
        profiles: MIG profiles or modes by GPU model, instances per GPU.
        replicas: pods per GPU for time-slicing and MPS.
        node_models: GPU models of the scenario's own node types.
        offered: GPU models of all its node types, those of the price book too.
        accelerators: the accelerator models known.
        in_guest: whether whole GPUs are passed into a guest kernel by VFIO.
    """

    options: frozenset[str]
    fractional: str
    profiles: Mapping[str, Mapping[str, int]]
    replicas: int
    node_models: tuple[str, ...]
    in_guest: bool
    offered: tuple[str, ...] = ()
    accelerators: Mapping[str, Accelerator] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, found: ClassDesign, scenario: Scenario, catalogue: Catalogue) -> ClassDevices:
        """Return how a class's pods ask for GPUs under its options."""
        fraction = found.chosen("gpu_sharing", "fraction")
        mode = fraction.gpu if fraction else None
        models = [
            offer.spec.gpu_model for offer in scenario.infrastructure.nodes if offer.spec and offer.spec.gpu_model
        ]
        return cls(
            options=frozenset(found.choice.options),
            fractional=mode.mode if mode else "",
            profiles=mode.profiles if mode else {},
            replicas=max(2, mode.replicas) if mode else 1,
            node_models=tuple(models),
            in_guest=bool(found.sandbox.gpu_runtime_class),
            offered=tuple(sorted(gpu_models_on_offer(scenario, catalogue))),
            accelerators=catalogue.accelerators,
        )

    @property
    def resources(self) -> tuple[str, ...]:
        """Extended resources of cards on offer, whole, and in every mode where their maker's partitions were chosen."""
        whole = resources_of(self.offered, self.accelerators)
        if self.fractional != "partition":
            return whole
        cards = (accelerator(model, self.accelerators) for model in self.offered)
        return (*whole, *sorted({part.resource for card in cards if card for part in card.partitions}))

    def card(self, workload: Workload) -> Accelerator | None:
        """Return the accelerator a workload runs on: of its own wish, else of what is on offer; None where unknown."""
        wishes = [model for model in (workload.gpu.models if workload.gpu else ()) if self._on_offer(model)]
        found = (accelerator(model, self.accelerators) for model in (*wishes, *self.offered))
        return next((card for card in found if card is not None), None)

    def _on_offer(self, model: str) -> bool:
        return not self.offered or any(offer.startswith(model) or model.startswith(offer) for offer in self.offered)

    def request(self, workload: Workload) -> DeviceRequest:
        """Return what one replica of a workload asks for."""
        gpu = workload.gpu
        if gpu is None or (gpu.count == 0 and gpu.fraction is None):
            return NO_DEVICE
        card = self.card(workload)
        if card is not None and card.vendor != "nvidia":
            return self._of_another_maker(card, gpu)
        if gpu.fraction is not None and gpu.fraction < 1 and self.fractional and not self.in_guest:
            return self._part(workload, gpu, gpu.fraction)
        count = max(1, gpu.count)
        if "gpu_dra" in self.options:
            return DeviceRequest(claim=f"{workload.id}-gpu", milli_gpus=count * 1000, has_gpu=True)
        resource = GUEST_GPU if self.in_guest else GPU
        return DeviceRequest({resource: count}, milli_gpus=count * 1000, has_gpu=True)

    def _of_another_maker(self, card: Accelerator, gpu: GpuRequest) -> DeviceRequest:
        """Return parts of a divided card where its maker's partitions were chosen, else whole cards."""
        whole, part = self._division(card)
        if part is None or gpu.fraction is None or gpu.fraction >= 1:
            count = max(1, gpu.count)
            return DeviceRequest({whole: count}, milli_gpus=count * 1000, has_gpu=True)
        count = equal_parts(part.per_card, ceil(gpu.fraction * 1000), card.memory, gpu.memory or 0)
        return DeviceRequest({part.resource: count}, milli_gpus=ceil(1000 * count / part.per_card), has_gpu=True)

    def _division(self, card: Accelerator) -> tuple[str, Partition | None]:
        """Return by which name whole cards go, and the mode that divides others of the model; None where none does.

        Where cards are divided the device plugin names devices by mode, undivided cards too (AMD's strategy "mixed").
        """
        if self.fractional != "partition" or not card.partitions:
            return card.resource, None
        chosen = profiles_of(self.profiles, card.id)
        part = next((part for part in card.partitions if part.id in chosen), None)
        whole = next((part.resource for part in card.partitions if part.per_card == 1), card.resource)
        return whole, part

    def parts_per_card(self, resource: str) -> int:
        """Return how many devices of an extended resource a card is divided into; one for whole cards."""
        parts = (part for card in self.accelerators.values() for part in card.partitions if part.resource == resource)
        return max((part.per_card for part in parts), default=1)

    def _part(self, workload: Workload, gpu: GpuRequest, fraction: float) -> DeviceRequest:
        share = ceil(fraction * 1000)
        if self.fractional == "mig":
            profile = self.mig_profile(workload)
            if "gpu_dra" in self.options:
                return DeviceRequest(claim=f"{workload.id}-gpu", profile=profile, milli_gpus=share, has_gpu=True)
            return DeviceRequest({f"nvidia.com/mig-{profile}": 1}, profile=profile, milli_gpus=share, has_gpu=True)
        if self.fractional in ("time-slicing", "mps"):
            return DeviceRequest({SHARED_GPU: 1}, milli_gpus=share, has_gpu=True)
        if self.fractional == "software":
            memory = ceil((gpu.memory or round(fraction * self._card_memory(workload))) / MIB)
            limits = {GPU: 1, "nvidia.com/gpumem": memory, "nvidia.com/gpucores": ceil(fraction * 100)}
            return DeviceRequest(limits, milli_gpus=share, has_gpu=True)
        if self.fractional == "bookkeeping":
            return DeviceRequest(annotations={"gpu-fraction": f"{fraction:.3g}"}, milli_gpus=share, has_gpu=True)
        return DeviceRequest({GPU: 1}, milli_gpus=share, has_gpu=True)  # vGPU: the guest sees its part as a GPU

    def _card_memory(self, workload: Workload) -> int:
        match = re.search(r"([0-9]+)GB", self.model(workload))
        return int(match[1]) * GIB if match else 80 * GIB

    def model(self, workload: Workload) -> str:
        """Return the GPU model a workload is laid out for: its own wish, else the scenario's nodes, else a default."""
        wishes = workload.gpu.models if workload.gpu else ()
        known = [model for model in (*wishes, *self.node_models) if self._profiles_of(model) is not None]
        return known[0] if known else next(iter((*wishes, *self.node_models)), _FALLBACK_MODEL)

    def _profiles_of(self, model: str) -> Mapping[str, int] | None:
        return profiles_of(self.profiles, model) or None

    def mig_profile(self, workload: Workload) -> str:
        """Return the smallest MIG profile that gives the workload its share of compute and its memory.

        The geometry is the one the bill places by (:func:`tenancykit.partitions.slice_geometry`).
        """
        gpu, model = workload.gpu, self.model(workload)
        profiles = self._profiles_of(model) or self._profiles_of(_FALLBACK_MODEL) or {}
        geometry = slice_geometry(model, tuple(profiles.items()))
        if geometry is None or gpu is None:
            return "1g.10gb"
        fitting = geometry.smallest(ceil((gpu.fraction or 0) * 1000), gpu.memory or 0)
        return fitting.name if fitting else max(geometry.profiles, key=lambda profile: profile.size).name
