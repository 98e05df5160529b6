"""How workloads are reached: Services, gateways of the platform, routes of tenants, balancers of virtual clusters.

Follows Gateway API v1 (``gateway.networking.k8s.io/v1``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import EXPOSED_LABEL, WORKLOAD_LABEL
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import EXAMPLE_DOMAIN, INGRESS_NAMESPACE, ClusterScope, TenantScope
from tenancykit.scenario.model import Exposure, Workload

API: Final = "gateway.networking.k8s.io/v1"
GATEWAY_CLASS: Final = "tenancykit"
_CONTROLLERS: Final = {
    "net_mesh_istio_ambient": "istio.io/gateway-controller",
    "net_cilium": "io.cilium/gateway-controller",
}
_DEFAULT_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
"""Assumption: Envoy Gateway, where neither mesh nor CNI brings a controller."""


def gateways(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the platform's gateways, one per scope of exposure in use; only exposed tenants may attach routes."""
    scopes = {
        w.exposure.scope
        for cls in scope.classes
        for w in cls.scenario.workloads
        if w.exposure and "exposed" in cls.found.facts
    }
    if not scopes:
        return
    because = tuple(dict.fromkeys(cls.found.choice.options[0] for cls in scope.classes))
    controller = next((c for option, c in _CONTROLLERS.items() if option in scope.options), _DEFAULT_CONTROLLER)
    yield manifest(
        because, "exposure", "exposure", API, "GatewayClass", GATEWAY_CLASS, spec={"controllerName": controller}
    )
    for name in sorted(scopes):
        yield manifest(
            because,
            "exposure",
            "exposure",
            API,
            "Gateway",
            name,
            namespace=INGRESS_NAMESPACE,
            spec={"gatewayClassName": GATEWAY_CLASS, "listeners": [_listener(name)]},
        )


def _listener(name: str) -> dict[str, Any]:
    selector = {"matchLabels": {EXPOSED_LABEL: "true"}}
    return {
        "name": "https",
        "protocol": "HTTPS",
        "port": 443,
        "hostname": f"*.{EXAMPLE_DOMAIN}",
        "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": f"{name}-tls"}]},
        "allowedRoutes": {"namespaces": {"from": "Selector", "selector": selector}},
    }


def tenant_exposure(scope: TenantScope) -> Iterator[Manifest]:
    """Yield Services and routes of a tenant's exposed workloads."""
    virtual = scope.cls.found.cluster.control_plane == "virtual"
    for workload, exposure in scope.cls.exposed(scope.tenant):
        if exposure.service_discovery or exposure.load_balanced:
            yield _service(scope, workload, exposure, virtual=virtual)
        if exposure.load_balanced and not virtual:
            yield _route(scope, workload, exposure)


def governing_services(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the headless Services that StatefulSets of unexposed workloads need for their pods' names."""
    for workload, _ in scope.cls.workloads(scope.tenant):
        if workload.kind == "notebook" and workload.exposure is None:
            spec = {
                "clusterIP": "None",
                "selector": {WORKLOAD_LABEL: workload.id},
                "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}],
            }
            yield _object(scope, workload, spec)


def service_name(workload: Workload) -> str:
    """Return the name of a workload's Service, which must start with a letter (RFC 1035) while ids need not."""
    return workload.id if workload.id[0].isalpha() else f"w-{workload.id}"


def _object(scope: TenantScope, workload: Workload, spec: dict[str, Any], **metadata: Any) -> Manifest:
    return manifest(
        scope.cls.found.choice.options[0],
        "exposure",
        "exposure",
        "v1",
        "Service",
        service_name(workload),
        namespace=scope.namespace,
        labels={WORKLOAD_LABEL: workload.id},
        spec=spec,
        **metadata,
    )


def _service(scope: TenantScope, workload: Workload, exposure: Exposure, *, virtual: bool) -> Manifest:
    spec: dict[str, Any] = {
        "type": "ClusterIP",
        "selector": {WORKLOAD_LABEL: workload.id},
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": exposure.port}],
    }
    if not exposure.load_balanced:
        spec["clusterIP"] = "None"
    elif virtual:
        # A virtual cluster syncs Services to its host, not Gateway API objects: each exposure has its own balancer.
        spec["type"] = "LoadBalancer"
        if exposure.scope == "internal":
            spec["loadBalancerSourceRanges"] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    return _object(scope, workload, spec)


def _route(scope: TenantScope, workload: Workload, exposure: Exposure) -> Manifest:
    parent = {"name": exposure.scope, "namespace": INGRESS_NAMESPACE, "sectionName": "https"}
    backend = {"name": service_name(workload), "port": 80}
    return manifest(
        scope.cls.found.choice.options[0],
        "exposure",
        "exposure",
        API,
        "HTTPRoute",
        workload.id,
        namespace=scope.namespace,
        labels={WORKLOAD_LABEL: workload.id},
        spec={
            "parentRefs": [parent],
            "hostnames": [f"{workload.id}.{scope.name}.{EXAMPLE_DOMAIN}"],
            "rules": [{"backendRefs": [backend]}],
        },
    )
