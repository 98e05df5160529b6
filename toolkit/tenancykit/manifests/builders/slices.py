"""TPU slices: GKE gives a pod the slice whose accelerator and topology its node selector names, and takes no other pod.

https://cloud.google.com/kubernetes-engine/docs/concepts/plan-tpus; its admission refuses pods without the topology:
https://github.com/AI-Hypercomputer/xpk/pull/1176
"""

from __future__ import annotations

from tenancykit.manifests.builders.gang import is_gang
from tenancykit.manifests.scope import TenantScope
from tenancykit.scenario.model import Workload


def slice_selector(scope: TenantScope, workload: Workload, replicas: int) -> dict[str, str]:
    """Return the labels of the slice a workload runs on: the smallest that holds its gang, or one pod of it."""
    card = scope.cls.devices.card(workload) if workload.gpu and _on_gke(scope) else None
    if card is None or card.fabric is None or workload.gpu is None:
        return {}
    chips = max(1, workload.gpu.count) * (replicas if is_gang(workload) else 1)
    topology = card.fabric.slice_of(chips)
    return {**card.labels, card.fabric.label: topology} if topology else dict(card.labels)


def _on_gke(scope: TenantScope) -> bool:
    """Return whether a tenant's pods run on nodes of GKE, not on machines that join a control plane of one's own."""
    facts = scope.cls.found.facts
    joined = "cluster-per-tenant" in facts and "cp_managed_per_tenant" not in scope.options
    return "gpu_tpu_slice" in scope.options or ({"provider:gcp", "managed-control-plane"} <= facts and not joined)
