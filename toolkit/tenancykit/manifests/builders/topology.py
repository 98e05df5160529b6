"""Placement by rack: Kueue's Topology, which the flavors of the queues name (kueue.x-k8s.io/v1beta2).

Source: https://kueue.sigs.k8s.io/docs/concepts/topology_aware_scheduling/ (levels are labels of nodes).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tenancykit.manifests.builds import OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope

NAME: Final = "tenancykit"
LEVELS: Final = ("topology.kubernetes.io/zone", "tenancykit.dev/rack", "kubernetes.io/hostname")
"""Node labels from wide to narrow; the rack's is the operator's to set (assumption: racks are what fabrics divide)."""


def topology(_: ClusterScope) -> Iterator[Manifest]:
    """Yield the Topology of the cluster's nodes."""
    levels = [{"nodeLabel": label} for label in LEVELS]
    api = "kueue.x-k8s.io/v1beta2"
    yield manifest("sch_kueue_tas", "placement", "queue", api, "Topology", NAME, spec={"levels": levels})


BUILDS: Final[dict[str, OptionBuild]] = {
    "sch_kueue_tas": OptionBuild((("pods", topology),), upstream="Kueue 0.20.1 (v1beta2)"),
}
"""What is built for each option that only this module serves."""
