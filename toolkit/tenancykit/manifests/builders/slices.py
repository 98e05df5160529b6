"""TPU slices: GKE gives a pod the slice whose accelerator and topology its node selector names.

https://cloud.google.com/kubernetes-engine/docs/concepts/plan-tpus
"""

from __future__ import annotations

from tenancykit.manifests.builders.gang import is_gang
from tenancykit.manifests.scope import TenantScope
from tenancykit.scenario.model import Workload


def slice_selector(scope: TenantScope, workload: Workload, replicas: int) -> dict[str, str]:
    """Return the labels of the slice a workload runs on: the smallest that holds its gang, or one pod of it."""
    card = scope.cls.devices.card(workload) if workload.gpu and "gpu_tpu_slice" in scope.options else None
    if card is None or card.fabric is None or workload.gpu is None:
        return {}
    chips = max(1, workload.gpu.count) * (replicas if is_gang(workload) else 1)
    topology = card.fabric.slice_of(chips)
    return {**card.labels, card.fabric.label: topology} if topology else dict(card.labels)
