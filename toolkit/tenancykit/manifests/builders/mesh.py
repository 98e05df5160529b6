"""Identity and encryption between pods: Istio ambient 1.30 and Linkerd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import INGRESS_NAMESPACE, ClusterScope, TenantScope

_ISTIO: Final = "security.istio.io/v1"
_LINKERD: Final = "policy.linkerd.io"


def _istio(scope: TenantScope, kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return manifest(
        "net_mesh_istio_ambient",
        "isolation.network",
        "mesh",
        _ISTIO,
        kind,
        name,
        namespace=scope.namespace,
        spec=spec,
    )


def istio_mesh(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield mutual TLS for the whole mesh: plain text between pods is refused."""
    yield manifest(
        "net_mesh_istio_ambient",
        "isolation.network",
        "mesh",
        _ISTIO,
        "PeerAuthentication",
        "default",
        namespace="istio-system",
        spec={"mtls": {"mode": "STRICT"}},
    )


def istio_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield who may call a tenant's pods by identity: its own namespace, and gateways where it exposes something."""
    yield _istio(scope, "PeerAuthentication", "default", {"mtls": {"mode": "STRICT"}})
    sources = [scope.namespace]
    if scope.cls.exposed(scope.tenant):
        sources.append(INGRESS_NAMESPACE)
    rule = {"from": [{"source": {"namespaces": sources}}]}
    yield _istio(scope, "AuthorizationPolicy", "tenant", {"action": "ALLOW", "rules": [rule]})


def istio_values(_: ClusterScope) -> dict[str, Any]:
    """Return the values istiod and ztunnel share in ambient mode."""
    return {"profile": "ambient"}


def linkerd_values(_: ClusterScope) -> dict[str, Any]:
    """Return Linkerd's values: deny by default, proxies set up by the CNI plugin so that pods stay unprivileged."""
    return {"cniEnabled": True, "proxy": {"defaultInboundPolicy": "deny"}}


def linkerd_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the servers of exposed workloads and who may call the tenant's pods by identity."""
    identities = [f"*.{scope.namespace}.serviceaccount.identity.linkerd.cluster.local"]
    yield _linkerd(scope, "v1alpha1", "MeshTLSAuthentication", "tenant", {"identities": identities})
    yield _linkerd(scope, "v1alpha1", "AuthorizationPolicy", "tenant", _allow("Namespace", scope.namespace, "tenant"))
    exposed = scope.cls.exposed(scope.tenant)
    if exposed:
        gateways = [f"*.{INGRESS_NAMESPACE}.serviceaccount.identity.linkerd.cluster.local"]
        yield _linkerd(scope, "v1alpha1", "MeshTLSAuthentication", "gateways", {"identities": [*identities, *gateways]})
    for workload, exposure in exposed:
        selector = {"matchLabels": {"tenancykit.dev/workload": workload.id}}
        server = {"podSelector": selector, "port": exposure.port, "proxyProtocol": "unknown", "accessPolicy": "deny"}
        yield _linkerd(scope, "v1beta3", "Server", workload.id, server)
        yield _linkerd(scope, "v1alpha1", "AuthorizationPolicy", workload.id, _allow("Server", workload.id, "gateways"))


def _allow(kind: str, name: str, authentication: str) -> dict[str, Any]:
    target = {"kind": kind, "name": name}
    if kind == "Server":
        target = {"group": _LINKERD, **target}
    reference = {"group": _LINKERD, "kind": "MeshTLSAuthentication", "name": authentication}
    return {"targetRef": target, "requiredAuthenticationRefs": [reference]}


def _linkerd(scope: TenantScope, version: str, kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return manifest(
        "net_mesh_linkerd",
        "isolation.network",
        "mesh",
        f"{_LINKERD}/{version}",
        kind,
        name,
        namespace=scope.namespace,
        spec=spec,
    )


_ISTIO_CHARTS: Final[tuple[Chart, ...]] = (
    Chart("istio-base", "istio-system", requirement="isolation.network"),
    Chart("istiod", "istio-system", values=istio_values, requirement="isolation.network"),
    Chart("istio-cni", "istio-system", values=istio_values, requirement="isolation.network"),
    Chart("ztunnel", "istio-system", values=istio_values, requirement="isolation.network"),
)
_LINKERD_CHARTS: Final[tuple[Chart, ...]] = (
    Chart("linkerd-crds", "linkerd", requirement="isolation.network"),
    Chart("linkerd-control-plane", "linkerd", values=linkerd_values, requirement="isolation.network"),
)
BUILDS: Final[dict[str, OptionBuild]] = {
    "net_mesh_istio_ambient": OptionBuild(
        (("pods", istio_mesh),), (("pods", istio_tenant),), _ISTIO_CHARTS, upstream="Istio 1.30.3"
    ),
    "net_mesh_linkerd": OptionBuild(
        tenant=(("pods", linkerd_tenant),), charts=_LINKERD_CHARTS, upstream="Linkerd 2.20 (policy.linkerd.io)"
    ),
}
"""What is built for each option that only this module serves."""
