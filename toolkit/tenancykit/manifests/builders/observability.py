"""What is measured and who sees it: OpenCost, shared or per-tenant metrics, logs by tenant.

OpenCost chart 2.5; PodMonitor of the Prometheus operator ``monitoring.coreos.com/v1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.source import dump_yaml
from tenancykit.labels import TENANT_LABEL
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import MONITORING_NAMESPACE, ClusterScope, TenantScope

_MONITORING: Final = "monitoring.coreos.com/v1"


def opencost_values(_: ClusterScope) -> dict[str, Any]:
    """Return OpenCost's Helm values: cost by tenant label, from the cluster's own Prometheus."""
    return {
        "opencost": {
            "exporter": {"defaultClusterId": "tenancykit"},
            "prometheus": {
                "internal": {
                    "enabled": True,
                    "namespaceName": MONITORING_NAMESPACE,
                    "serviceName": "prometheus-operated",
                    "port": 9090,
                }
            },
            "metrics": {"kubeStateMetrics": {"emitNamespaceAnnotations": True, "emitPodAnnotations": False}},
        }
    }


def chargeback_labels(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield which label costs are shared out by, for reports and for whoever replaces OpenCost."""
    text = dump_yaml({"aggregate": f"label:{TENANT_LABEL}", "window": "month", "shareIdle": True})
    yield _config("obs_opencost", "chargeback", "chargeback", {"allocation.yaml": text})


def _config(option: str, requirement: Any, name: str, data: dict[str, str]) -> Manifest:
    return manifest(
        option,
        requirement,
        "observability",
        "v1",
        "ConfigMap",
        name,
        namespace=MONITORING_NAMESPACE,
        data=data,
    )


def pod_monitors(scope: TenantScope) -> Iterator[Manifest]:
    """Yield what is scraped in a tenant's namespace; the tenant's name is put on every series by the platform."""
    option = next(
        o
        for o in scope.cls.found.choice.options
        if o.startswith("obs_") and o not in ("obs_opencost", "obs_logs_per_tenant")
    )
    relabel = {"action": "replace", "targetLabel": "tenant", "replacement": scope.name}
    endpoint = {"port": "metrics", "interval": "30s", "honorLabels": False, "relabelings": [relabel]}
    spec = {
        "selector": {"matchExpressions": [{"key": "tenancykit.dev/workload", "operator": "Exists"}]},
        "namespaceSelector": {"matchNames": [scope.namespace]},
        "podMetricsEndpoints": [endpoint],
        "sampleLimit": 50000,
        "labelLimit": 30,
    }
    yield manifest(
        option,
        "observability",
        "observability",
        _MONITORING,
        "PodMonitor",
        scope.namespace,
        namespace=MONITORING_NAMESPACE,
        spec=spec,
    )


def metrics_limits(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield per-tenant limits of the metrics backend, in Mimir's runtime configuration format."""
    limits = {
        "ingestion_rate": 10000,
        "max_global_series_per_user": 150000,
        "compactor_blocks_retention_period": "30d",
    }
    overrides = {f"class-{cls.id}": limits for cls in scope.classes}
    data = {"overrides.yaml": dump_yaml({"overrides": overrides})}
    yield _config("obs_metrics_multitenant", "observability", "metrics-overrides", data)


def label_proxy(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield the label every tenant's query is narrowed to by the proxy in front of the shared Prometheus."""
    arguments = {"label": "tenant", "header-name": "X-Tenant", "enable-label-apis": True}
    data = {"arguments.yaml": dump_yaml(arguments)}
    yield _config("obs_prom_shared", "observability", "prom-label-proxy", data)


def log_routing(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield how collectors route logs: the tenant's label becomes the organisation id in Loki (Fluent Bit)."""
    text = (
        "[FILTER]\n    Name kubernetes\n    Match kube.*\n    Namespace_Labels On\n"
        "[OUTPUT]\n    Name loki\n    Match kube.*\n    Host loki-gateway.tenancykit-monitoring\n"
        f"    Tenant_Id_Key $kubernetes_namespace['labels']['{TENANT_LABEL}']\n"
        "    Labels job=fluent-bit\n"
    )
    yield _config("obs_logs_per_tenant", "observability", "log-routing", {"tenants.conf": text})


BUILDS: Final[dict[str, OptionBuild]] = {
    "obs_opencost": OptionBuild(
        (("pods", chargeback_labels),),
        charts=(Chart("opencost", "opencost", values=opencost_values, requirement="chargeback"),),
        upstream="OpenCost 1.120",
    ),
    "obs_prom_shared": OptionBuild(
        (("pods", label_proxy),),
        (("pods", pod_monitors),),
        upstream="Prometheus operator monitoring.coreos.com/v1",
    ),
    "obs_metrics_multitenant": OptionBuild(
        (("pods", metrics_limits),),
        (("pods", pod_monitors),),
        upstream="Prometheus operator monitoring.coreos.com/v1, Mimir runtime configuration",
    ),
    "obs_per_cluster": OptionBuild(
        tenant=(("pods", pod_monitors),), upstream="Prometheus operator monitoring.coreos.com/v1"
    ),
    "obs_logs_per_tenant": OptionBuild((("pods", log_routing),), upstream="Fluent Bit and Loki"),
}
"""What is built for each option that only this module serves."""
