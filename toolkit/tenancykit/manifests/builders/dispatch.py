"""One queue over clusters: Kueue on the hub hands each tenant's jobs to the tenant's own cluster (MultiKueue, v1beta2).

Source: https://kueue.sigs.k8s.io/docs/concepts/multikueue/ (AdmissionCheck, MultiKueueConfig, MultiKueueCluster).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import TENANT_LABEL
from tenancykit.manifests.builders import queue
from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builders.queue import KUEUE, tenant_group
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.plan import cluster_name
from tenancykit.manifests.scope import ClusterScope, TenantScope

NAMESPACE: Final = "kueue-system"
_OPTION: Final = "fl_multikueue"
_CONTROLLER: Final = "kueue.x-k8s.io/multikueue"


def _made(kind: str, name: str, spec: dict[str, Any], namespace: str = "") -> Manifest:
    return manifest(_OPTION, "fleet", "queue", KUEUE, kind, name, namespace=namespace, spec=spec)


def manager(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the manager's namespace and a flavor per class, which names no nodes: no pod runs on the hub."""
    yield platform_namespace(scope, _OPTION, "fleet", NAMESPACE)
    for cls in scope.classes:
        yield _made("ResourceFlavor", f"tenancykit-{cls.id}", {})


def dispatched(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's queue on the hub, which admits a job once the tenant's own cluster has.

    The kubeconfig of that cluster is a Secret of the manager's namespace, named after the cluster; it is in no export.
    """
    cluster = cluster_name(scope.tenant)
    secret = {"kubeConfig": {"location": f"{cluster}-kubeconfig", "locationType": "Secret"}}
    yield _made("MultiKueueCluster", cluster, {"clusterSource": secret})
    yield _made("MultiKueueConfig", cluster, {"clusters": [cluster]})
    parameters = {"apiGroup": "kueue.x-k8s.io", "kind": "MultiKueueConfig", "name": cluster}
    yield _made("AdmissionCheck", cluster, {"controllerName": _CONTROLLER, "parameters": parameters})
    spec = {
        "namespaceSelector": {"matchLabels": {TENANT_LABEL: scope.name}},
        "resourceGroups": [tenant_group(scope)],
        "admissionChecksStrategy": {"admissionChecks": [{"name": cluster}]},
    }
    yield _made("ClusterQueue", scope.namespace, spec)
    yield _made("LocalQueue", "tenant", {"clusterQueue": scope.namespace}, scope.namespace)


BUILDS: Final[dict[str, OptionBuild]] = {
    "fl_multikueue": OptionBuild(
        (("hub", manager),),
        (("hub", dispatched),),
        (Chart("kueue", NAMESPACE, "hub", queue.kueue_values, requirement="fleet"),),
        upstream="Kueue 0.20.1 (v1beta2)",
    ),
}
"""What is built for each option that only this module serves."""
