"""Which builders serve which option: one literal table in sight. Options without objects say why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tenancykit.manifests import (
    access,
    admission,
    admission_engines,
    exposure,
    gang,
    gpu,
    namespaces,
    network,
    quota,
    runtime,
    scheduling,
    storage,
    workloads,
)
from tenancykit.manifests.model import Manifest, PlainFile
from tenancykit.manifests.scope import ClusterScope, TenantScope

Side = Literal["pods", "api", "run", "hub", "workspace"]
"""Where objects go: the cluster the pods run in, the API tenants use, the API workloads are given to, the cluster
that holds tenants' clusters, or a tenant's workspace."""

ForCluster = Callable[[ClusterScope], Iterable[Manifest]]
ForTenant = Callable[[TenantScope], Iterable[Manifest]]


@dataclass(frozen=True)
class Chart:
    """A chart that a catalogue component is installed from.

    Attributes:
        component: id of the component; its ``helm`` section pins chart, repository and version.
        namespace: namespace of the release.
        side: where it is installed.
        values: Helm values for the classes of the cluster.
        requirement: what it serves.
    """

    component: str
    namespace: str
    side: Side = "pods"
    values: Callable[[ClusterScope], Mapping[str, Any]] = field(default=lambda _: {})
    requirement: str = "isolation.control-plane"


@dataclass(frozen=True)
class OptionBuild:
    """What is built for an option.

    Attributes:
        base: builders run once per cluster, with the side they belong to.
        tenant: builders run once per tenant, with the side they belong to.
        charts: charts installed once per cluster.
        files: configuration files that no API server takes.
        upstream: release whose API the builders follow.
        reason: why there are no objects; only where there are no builders and no charts.
    """

    base: tuple[tuple[Side, ForCluster], ...] = ()
    tenant: tuple[tuple[Side, ForTenant], ...] = ()
    charts: tuple[Chart, ...] = ()
    files: Callable[[str], PlainFile] | None = None
    upstream: str = ""
    reason: str = ""


NOTHING: Final = OptionBuild(reason="an option of the user's own catalogue: this package builds no objects for it")

KUBERNETES: Final = "Kubernetes 1.30 to 1.37"

_FENCE_BASE: Final[tuple[tuple[Side, ForCluster], ...]] = (
    ("pods", namespaces.system_namespaces),
    ("api", access.api_fairness),
    ("run", exposure.gateways),
)
_FENCE_TENANT: Final[tuple[tuple[Side, ForTenant], ...]] = (
    ("pods", namespaces.tenant_namespaces),
    ("pods", access.workload_accounts),
    ("pods", quota.object_quota),
    ("pods", quota.limit_range),
)
_RUN: Final[tuple[tuple[Side, ForTenant], ...]] = (
    ("run", exposure.tenant_exposure),
    ("run", exposure.governing_services),
    ("run", workloads.sample_workloads),
)
_POLICIES: Final[tuple[tuple[Side, ForTenant], ...]] = (("pods", network.tenant_policies),)

BUILDERS: Final[dict[str, OptionBuild]] = {
    "cp_namespace_rbac": OptionBuild(_FENCE_BASE, (*_FENCE_TENANT, *_RUN), upstream=KUBERNETES),
    "node_shared": OptionBuild(reason="any node takes any tenant's pods: nothing has to be set"),
    "node_pool_class": OptionBuild((("pods", scheduling.node_pools),), upstream=KUBERNETES),
    "node_dedicated_tenant": OptionBuild((("pods", scheduling.node_pools),), upstream=KUBERNETES),
    "rt_runc": OptionBuild(reason="the default runtime needs no RuntimeClass"),
    "rt_userns": OptionBuild(reason="hostUsers: false stands on every pod of the samples and is locked by admission"),
    "rt_gvisor": OptionBuild((("pods", runtime.runtime_classes),), upstream="gVisor release-20260817"),
    "net_flat": OptionBuild(reason="a flat network is the absence of policies"),
    "net_np_default_deny": OptionBuild(tenant=_POLICIES, upstream=KUBERNETES),
    "st_shared_sc": OptionBuild((("pods", storage.shared_classes),), upstream=KUBERNETES),
    "st_sc_quota": OptionBuild(tenant=(("pods", storage.tenant_classes),), upstream=KUBERNETES),
    "gpu_exclusive": OptionBuild(
        (("pods", gpu.namespaces),),
        charts=(Chart("gpu-operator", gpu.NAMESPACE, values=gpu.operator_values, requirement="isolation.accelerator"),),
        upstream="GPU operator v26.7.0",
    ),
    "sch_quota": OptionBuild(tenant=(("pods", quota.compute_quota),), upstream=KUBERNETES),
    "sch_priority": OptionBuild((("pods", scheduling.priority_classes),), upstream=KUBERNETES),
    "sch_native_gang": OptionBuild(tenant=(("run", gang.gangs),), upstream="Kubernetes 1.35 to 1.37 (KEP-4671)"),
    "pol_psa": OptionBuild(reason="labels on every namespace: namespaces.py writes them with the namespace itself"),
    "pol_vap": OptionBuild((("pods", admission.validating_policies),), upstream="Kubernetes 1.30"),
    "pol_map": OptionBuild((("pods", admission.mutating_policies),), upstream="Kubernetes 1.36"),
    "pol_kyverno": OptionBuild(
        (("pods", admission_engines.kyverno_policies),),
        charts=(Chart("kyverno", "kyverno"),),
        upstream="Kyverno 1.19 (policies.kyverno.io/v1)",
    ),
    "pol_gatekeeper": OptionBuild(
        (("pods", admission_engines.gatekeeper_config), ("pods", admission_engines.gatekeeper_policies)),
        (("pods", admission_engines.gatekeeper_tenant),),
        charts=(Chart("gatekeeper", "gatekeeper-system"),),
        upstream="Gatekeeper 3.23",
    ),
    "id_oidc_rbac": OptionBuild(
        (("api", access.cluster_roles),),
        (("api", access.tenant_bindings),),
        files=access.authentication_file,
        upstream="Kubernetes 1.34 (structured authentication)",
    ),
}
