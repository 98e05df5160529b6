"""Which builders serve which option: each module of ``builders/`` says so itself, control planes in one table here.

A control plane decides which fences stand in which API, so its row joins builders of many modules. Options without
objects say why in their own file (``no_objects``).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from tenancykit.catalogue.model import Option
from tenancykit.manifests import builders
from tenancykit.manifests.builders import (
    access,
    clusters,
    control_planes,
    exposure,
    hosted,
    hub,
    namespaces,
    quota,
    runtime,
    workloads,
)
from tenancykit.manifests.builds import (
    KUBERNETES,
    NOTHING,
    Chart,
    ForCluster,
    ForTenant,
    OptionBuild,
    Side,
    TenantChart,
)

_Base = tuple[tuple[Side, ForCluster], ...]
_Tenant = tuple[tuple[Side, ForTenant], ...]

_FENCE_BASE: Final[_Base] = (
    ("pods", namespaces.system_namespaces),
    ("api", access.api_fairness),
    ("run", exposure.gateways),
)
_FENCE_TENANT: Final[_Tenant] = (
    ("pods", namespaces.tenant_namespaces),
    ("pods", access.workload_accounts),
    ("pods", quota.object_quota),
    ("pods", quota.limit_range),
)
_RUN: Final[_Tenant] = (
    ("run", exposure.tenant_exposure),
    ("run", exposure.governing_services),
    ("run", workloads.sample_workloads),
)
_SHARED: Final[_Tenant] = (*_FENCE_TENANT, *_RUN)
_VIRTUAL_BASE: Final[_Base] = (("pods", namespaces.system_namespaces), ("api", access.api_fairness))
_VIRTUAL: Final[_Tenant] = (
    *_FENCE_TENANT,
    ("api", namespaces.tenant_namespaces),
    ("api", access.workload_accounts),
    *_RUN,
)
_OWN: Final[_Tenant] = (
    ("hub", namespaces.tenant_namespaces),
    ("hub", hub.hub_policies),
    ("hub", hub.hub_quota),
    *_SHARED,
)


def _stated() -> Iterator[tuple[str, OptionBuild]]:
    """Yield what the modules of ``builders/`` say they build (``BUILDS``), so that a new one is found where it lies."""
    for module in iter_modules(builders.__path__):
        yield from getattr(import_module(f"{builders.__name__}.{module.name}"), "BUILDS", {}).items()


_CONTROL_PLANE: Final[dict[str, OptionBuild]] = {
    "cp_namespace_rbac": OptionBuild(_FENCE_BASE, _SHARED, upstream=KUBERNETES),
    "cp_capsule": OptionBuild(
        (*_FENCE_BASE, ("pods", control_planes.capsule_configuration)),
        (*_SHARED, ("pods", control_planes.capsule_tenants)),
        (Chart("capsule", "capsule-system"),),
        upstream="Capsule 0.14.0",
    ),
    "cp_projects": OptionBuild(
        _FENCE_BASE, _SHARED, upstream="OpenShift 4.20, whose Projects are made from namespaces"
    ),
    "cp_rancher_projects": OptionBuild(
        _FENCE_BASE, (*_SHARED, ("pods", control_planes.rancher_projects)), upstream="Rancher management.cattle.io/v3"
    ),
    "cp_kcp": OptionBuild(
        (*_FENCE_BASE, ("hub", control_planes.kcp_types)),
        (*_SHARED, ("hub", control_planes.kcp_workspaces), ("workspace", control_planes.kcp_access)),
        upstream="kcp 0.32",
    ),
    "cp_vcluster_shared": OptionBuild(
        _VIRTUAL_BASE,
        _VIRTUAL,
        tenant_charts=(TenantChart("vcluster-control-plane", "pods", control_planes.vcluster_values),),
        upstream="vCluster 0.36.1",
    ),
    "cp_k3k": OptionBuild(
        (*_VIRTUAL_BASE, ("pods", control_planes.k3k_policies)),
        (*_VIRTUAL, ("pods", control_planes.k3k_clusters)),
        (Chart("k3k-controller", "k3k-system"),),
        upstream="k3k 1.1.0",
    ),
    "cp_vcluster_private": OptionBuild(
        _FENCE_BASE,
        _OWN,
        tenant_charts=(TenantChart("vcluster-private-control-plane", "hub", control_planes.private_vcluster_values),),
        upstream="vCluster 0.36.1 with private nodes",
    ),
    "cp_vcluster_standalone": OptionBuild(
        _FENCE_BASE, _SHARED, upstream="vCluster 0.36.1; the control plane itself is a binary on the tenant's hosts"
    ),
    "cp_kamaji": OptionBuild(
        (*_FENCE_BASE, ("hub", hosted.kamaji_datastore)),
        (*_OWN, ("hub", hosted.kamaji_control_planes)),
        (Chart("kamaji-operator", "kamaji-system", "hub"),),
        upstream="Kamaji 26.8.2-edge",
    ),
    "cp_hypershift": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", hosted.hypershift_clusters)), upstream="HyperShift 0.1.81 (v1beta1)"
    ),
    "cp_k0smotron": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", hosted.k0smotron_clusters)), upstream="k0smotron 2.1.0 (v1beta2)"
    ),
    "cp_gardener": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", hosted.gardener_shoots)), upstream="Gardener 1.149 (core.gardener.cloud/v1beta1)"
    ),
    "cp_capi_dedicated": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", clusters.capi_clusters)), upstream="Cluster API 1.14 (v1beta2)"
    ),
    "cp_managed_per_tenant": OptionBuild(
        _FENCE_BASE,
        (*_OWN, ("hub", clusters.managed_clusters)),
        upstream="Cluster API 1.14 with CAPA v1beta2, CAPZ and CAPG v1beta1",
    ),
}

BUILDERS: Final[dict[str, OptionBuild]] = {**_CONTROL_PLANE, **dict(_stated())}
"""What is built for each option of the catalogue that its file alone does not say; no other ids stand here."""

_SANDBOX: Final = OptionBuild((("pods", runtime.runtime_classes),), upstream=KUBERNETES)


def build_of(option: Option) -> OptionBuild:
    """Return what is built for an option: by its id, else by what its file provides (sandboxes: their RuntimeClass)."""
    if option.id in BUILDERS:
        return BUILDERS[option.id]
    if option.no_objects:
        return OptionBuild(reason=option.no_objects)
    return _SANDBOX if option.sandbox is not None and option.sandbox.runtime_class else NOTHING
