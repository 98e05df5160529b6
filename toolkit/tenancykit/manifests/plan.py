"""Which clusters a design needs, and where each tenant's API, pods and control plane live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Final, Literal

from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Option
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import Tenant, class_tenants

PLATFORM: Final = "tenancykit-platform"
"""Cluster whose nodes tenants share."""
MANAGEMENT: Final = "tenancykit-management"
"""Cluster that holds the control planes, or the definitions, of the tenants' clusters."""
WORKSPACES: Final = "tenancykit-kcp"
"""Logical API server whose workspaces tenants get; it runs no pods."""

Role = Literal["shared", "hub", "logical", "tenant", "virtual", "workspace"]

_PRIMARY_CNI: Final = frozenset({"net_cilium", "net_kube_ovn", "net_ovnk_udn"})


@dataclass(frozen=True)
class ClusterPlan:
    """One cluster of an export.

    Attributes:
        name: folder below ``clusters/``.
        role: ``shared`` (pods of many tenants), ``hub`` (runs or defines tenants' clusters), ``logical`` (workspaces,
            no pods), ``tenant`` (API and pods of one tenant), ``virtual`` (API of one tenant; pods run in ``shared``),
            ``workspace`` (one tenant's part of ``logical``).
        classes: the tenant classes it serves.
        tenant: the tenant, for roles ``tenant``, ``virtual`` and ``workspace``.
    """

    name: str
    role: Role
    classes: tuple[ClassDesign, ...] = field(repr=False)
    tenant: Tenant | None = None

    def choosing(self, option: str) -> tuple[ClassDesign, ...]:
        """Return the classes of this cluster that chose an option."""
        return tuple(found for found in self.classes if option in found.choice.options)

    @property
    def options(self) -> tuple[str, ...]:
        """Ids of every option some class of this cluster chose, in the catalogue's order of dimensions."""
        return tuple(option.id for option in self.chosen)

    @property
    def chosen(self) -> tuple[Option, ...]:
        """Every option some class of this cluster chose, in the catalogue's order of dimensions."""
        return tuple({option.id: option for found in self.classes for option in found.options}.values())


def is_per_tenant(found: ClassDesign) -> bool:
    """Return whether each tenant of the class gets a cluster of its own."""
    return found.cluster.per_tenant


def pod_cluster(found: ClassDesign, design: ResolvedDesign) -> str:
    """Return the name of the shared cluster the pods of a class run in; meaningless for a cluster per tenant.

    Two primary CNIs cannot live in one cluster, so classes that choose different ones get different clusters.
    """
    shared = [other for other in design.classes if not is_per_tenant(other)]
    primaries = list(dict.fromkeys(cni for other in shared for cni in _primary(other)))
    own = _primary(found)
    if not own or own[0] == primaries[0]:
        return PLATFORM
    return f"{PLATFORM}-{own[0].removeprefix('net_').replace('_', '-')}"


def _primary(found: ClassDesign) -> list[str]:
    return [option for option in found.choice.options if option in _PRIMARY_CNI]


def common_clusters(design: ResolvedDesign) -> tuple[ClusterPlan, ...]:
    """Return the clusters that exist once: shared ones, the hub, and the workspace server."""
    groups: dict[tuple[str, Role], list[ClassDesign]] = {}
    for found in design.classes:
        if is_per_tenant(found):
            groups.setdefault((MANAGEMENT, "hub"), []).append(found)
            continue
        groups.setdefault((pod_cluster(found, design), "shared"), []).append(found)
        if found.cluster.control_plane == "logical":
            groups.setdefault((WORKSPACES, "logical"), []).append(found)
    plans = [ClusterPlan(name, role, tuple(classes)) for (name, role), classes in groups.items()]
    return tuple(sorted(plans, key=lambda plan: (plan.role != "hub", plan.role != "logical", plan.name)))


def cluster_name(tenant: Tenant) -> str:
    """Return the folder of a tenant's cluster: its Kubernetes name, kept apart from the platform's own clusters."""
    name = tenant.kubernetes_name
    stem = name
    while stem.startswith("t-"):
        stem = stem[2:]
    return f"t-{name}" if stem.startswith("tenancykit-") else name


def own_cluster(found: ClassDesign, tenant: Tenant) -> ClusterPlan | None:
    """Return the cluster folder of one tenant: its own cluster, its virtual cluster, or None where it has neither."""
    if is_per_tenant(found):
        return ClusterPlan(cluster_name(tenant), "tenant", (found,), tenant)
    if found.cluster.control_plane == "virtual":
        return ClusterPlan(cluster_name(tenant), "virtual", (found,), tenant)
    if found.cluster.control_plane == "logical":
        return ClusterPlan(cluster_name(tenant), "workspace", (found,), tenant)
    return None


def tenants_of(scenario: Scenario, plan: ClusterPlan) -> Iterator[tuple[ClassDesign, Tenant]]:
    """Yield the tenants a cluster serves, class by class, without holding them all."""
    if plan.tenant is not None:
        yield plan.classes[0], plan.tenant
        return
    for found in plan.classes:
        for tenant in class_tenants(scenario, found.tenant_class):
            yield found, tenant
