"""AMD Instinct cards: the operator's DeviceConfig and the profiles its config manager divides cards by.

Follows AMD GPU operator 1.5.1 (https://instinct.docs.amd.com/projects/gpu-operator/): in CPX every compute die is a
device of its own; all cards of a node are in one mode, which its label ``dcm.amd.com/gpu-config-profile`` chooses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tenancykit.catalogue.accelerators import Accelerator, Partition, accelerator
from tenancykit.design.offers import node_shapes
from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builds import OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope

NAMESPACE: Final = "kube-amd-gpu"
PROFILES: Final = "tenancykit-partition-profiles"
_API: Final = "amd.com/v1alpha1"
_NODES: Final = {"feature.node.kubernetes.io/amd-gpu": "true"}


def devices(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the operator's namespace and its DeviceConfig, where AMD's cards are on offer."""
    if not _cards(scope):
        return
    divides = "gpu_amd_partition" in scope.options
    option = "gpu_amd_partition" if divides else "gpu_exclusive"
    yield platform_namespace(scope, option, "isolation.accelerator", NAMESPACE, level="privileged")
    spec: dict[str, Any] = {
        "driver": {"enable": False},  # the driver of the nodes' image; the operator may also build one
        "devicePlugin": {"enableNodeLabeller": True},
        "metricsExporter": {"enable": True, "serviceType": "ClusterIP"},
        "selector": dict(_NODES),
    }
    if divides:
        spec["devicePlugin"]["devicePluginArguments"] = {"resource_naming_strategy": "mixed"}
        spec["configManager"] = {"enable": True, "config": {"name": PROFILES}}
    yield manifest(
        option, "isolation.accelerator", "gpu", _API, "DeviceConfig", "tenancykit", namespace=NAMESPACE, spec=spec
    )


def profiles(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the profiles of the config manager: one per mode that the cards on offer are known to have."""
    found: dict[str, Any] = {}
    for name, modes in sorted(_cards(scope).items()):
        cards = scope.catalogue.accelerators[name]
        number = _cards_per_machine(scope, cards)
        for mode in modes:
            compute, _, memory = mode.id.partition("-")
            profile = {"computePartition": compute, "memoryPartition": memory, "numGPUsAssigned": number}
            found[f"{mode.id.lower()}-{number}"] = {"skippedGPUs": {"ids": []}, "profiles": [profile]}
    if found:
        text = json.dumps({"gpu-config-profiles": found}, indent=2, sort_keys=True) + "\n"
        yield manifest(
            "gpu_amd_partition",
            "isolation.accelerator",
            "gpu",
            "v1",
            "ConfigMap",
            PROFILES,
            namespace=NAMESPACE,
            data={"config.json": text},
        )


def _cards(scope: ClusterScope) -> dict[str, tuple[Partition, ...]]:
    """Return AMD's cards on offer by name, with the modes they have."""
    known = scope.catalogue.accelerators
    offered = (accelerator(model, known) for cls in scope.everyone for model in cls.devices.offered)
    return {card.id: card.partitions for card in offered if card is not None and card.vendor == "amd"}


def _cards_per_machine(scope: ClusterScope, card: Accelerator) -> int:
    """Return the cards of the largest machine on offer with such cards."""
    shapes = node_shapes(scope.scenario, scope.catalogue)
    mine = (shapes[offer.type] for offer in scope.scenario.infrastructure.nodes)
    known = scope.catalogue.accelerators
    return max((s.gpus for s in mine if s.gpus and accelerator(s.gpu_model, known) == card), default=8)


BUILDS: Final[dict[str, OptionBuild]] = {
    "gpu_amd_partition": OptionBuild(
        (("hosts", devices), ("hosts", profiles)),
        upstream="AMD GPU operator 1.5.1 (amd.com/v1alpha1)",
    ),
}
"""What is built for each option that only this module serves."""
