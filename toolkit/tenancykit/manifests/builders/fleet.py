"""Fleets of tenant clusters: Karmada 1.18, Open Cluster Management 1.3 and k0rdent 1.11."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.quantities import GIB, cpu_text, memory_text
from tenancykit.labels import CLASS_LABEL, TENANT_LABEL
from tenancykit.manifests.builders.machines import workers
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.plan import cluster_name
from tenancykit.manifests.scope import ClusterScope, TenantScope
from tenancykit.manifests.sizing import with_headroom

_KARMADA: Final = "policy.karmada.io/v1alpha1"
_OCM: Final = "cluster.open-cluster-management.io"
_K0RDENT: Final = "k0rdent.mirantis.com/v1beta1"
_K0RDENT_NAMESPACE: Final = "kcm-system"


def _made(option: str, api: str, kind: str, name: str, namespace: str, spec: dict[str, Any]) -> Manifest:
    labels = {TENANT_LABEL: name} if kind == "ManagedCluster" else None
    return manifest(option, "fleet", "fleet", api, kind, name, namespace=namespace, labels=labels, spec=spec)


def karmada_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield where a tenant's objects are propagated to (its own cluster only), and its quota over the fleet."""
    cluster = cluster_name(scope.tenant)
    selectors = [
        {"apiVersion": api, "kind": kind}
        for api, kind in (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("batch/v1", "Job"), ("v1", "Service"))
    ]
    placement = {"clusterAffinity": {"clusterNames": [cluster]}}
    spec = {"resourceSelectors": selectors, "placement": placement, "conflictResolution": "Abort"}
    yield _made("fl_karmada", _KARMADA, "PropagationPolicy", "tenant", scope.namespace, spec)
    demand = scope.cls.demand(scope.tenant)
    overall = {
        "requests.cpu": cpu_text(with_headroom(demand.cpu_milli, 500)),
        "requests.memory": memory_text(with_headroom(demand.memory, GIB)),
    }
    yield _made("fl_karmada", _KARMADA, "FederatedResourceQuota", "tenant", scope.namespace, {"overall": overall})


def ocm_base(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield a set per class, so that rights over clusters are given class by class."""
    for cls in scope.classes:
        spec = {"clusterSelector": {"selectorType": "ExclusiveClusterSetLabel"}}
        yield _made("fl_ocm", f"{_OCM}/v1beta2", "ManagedClusterSet", f"tenancykit-{cls.id}", "", spec)


def ocm_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's cluster in the set of its class, the set bound to its namespace, and a placement on it."""
    cluster, group = cluster_name(scope.tenant), f"tenancykit-{scope.cls.id}"
    member = manifest(
        "fl_ocm",
        "fleet",
        "fleet",
        f"{_OCM}/v1",
        "ManagedCluster",
        cluster,
        labels={"cluster.open-cluster-management.io/clusterset": group, TENANT_LABEL: scope.name},
        spec={"hubAcceptsClient": True, "leaseDurationSeconds": 60},
    )
    yield member
    yield _made("fl_ocm", f"{_OCM}/v1beta2", "ManagedClusterSetBinding", group, scope.namespace, {"clusterSet": group})
    selector = {"labelSelector": {"matchLabels": {TENANT_LABEL: scope.name}}}
    spec = {"clusterSets": [group], "numberOfClusters": 1, "predicates": [{"requiredClusterSelector": selector}]}
    yield _made("fl_ocm", f"{_OCM}/v1beta1", "Placement", "tenant", scope.namespace, spec)


def k0rdent_base(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the templates tenants' clusters are stamped from, and the services every cluster of a class gets."""
    source = {"kind": "HelmRepository", "name": "kcm-templates"}
    for cls in scope.classes:
        chart = {"chart": f"tenancykit-{cls.id}", "version": "1.0.0", "interval": "10m", "sourceRef": source}
        name = f"tenancykit-{cls.id}-1-0-0"
        yield _made("fl_k0rdent", _K0RDENT, "ClusterTemplate", name, _K0RDENT_NAMESPACE, {"helm": {"chartSpec": chart}})
        services = []
        operators = (c for c in scope.catalogue.components.values() if c.drives in scope.makers)
        for operator_of in sorted(operators, key=lambda each: str(each.drives)):
            component, pinned = operator_of.id, operator_of.helm
            namespace = operator_of.namespace or component
            chart_of, version = (pinned.chart, pinned.version) if pinned else (component, "*")
            operator = {"chart": chart_of, "version": version, "interval": "10m", "sourceRef": source}
            service = f"tenancykit-{cls.id}-{component}"
            helm = {"helm": {"chartSpec": operator}}
            yield _made("fl_k0rdent", _K0RDENT, "ServiceTemplate", service, _K0RDENT_NAMESPACE, helm)
            services.append({"name": component, "namespace": namespace, "template": service})
        spec = {
            "clusterSelector": {"matchLabels": {CLASS_LABEL: cls.id}},
            "serviceSpec": {"services": services, "syncMode": "Continuous"},
        }
        yield _made("fl_k0rdent", _K0RDENT, "MultiClusterService", f"tenancykit-{cls.id}", "", spec)


def k0rdent_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the deployment of a tenant's cluster from its class's template."""
    machine, count = workers(scope)
    config = {
        "workersNumber": count,
        "worker": {"instanceType": machine.type},
        "clusterLabels": {CLASS_LABEL: scope.cls.id, TENANT_LABEL: scope.name},
    }
    spec = {
        "template": f"tenancykit-{scope.cls.id}-1-0-0",
        "credential": "platform",
        "config": config,
        "cleanupOnDeletion": True,
    }
    yield _made("fl_k0rdent", _K0RDENT, "ClusterDeployment", scope.name, _K0RDENT_NAMESPACE, spec)


BUILDS: Final[dict[str, OptionBuild]] = {
    "fl_karmada": OptionBuild(
        tenant=(("hub", karmada_tenant),),
        charts=(Chart("karmada", "karmada-system", "hub"),),
        upstream="Karmada 1.18.2",
    ),
    "fl_ocm": OptionBuild(
        (("hub", ocm_base),),
        (("hub", ocm_tenant),),
        (Chart("ocm-hub", "open-cluster-management", "hub"),),
        upstream="Open Cluster Management 1.3.1",
    ),
    "fl_k0rdent": OptionBuild((("hub", k0rdent_base),), (("hub", k0rdent_tenant),), upstream="k0rdent 1.11.4"),
}
"""What is built for each option that only this module serves."""
