"""Default-deny network policies and the few paths a tenant's pods need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import WORKLOAD_LABEL
from tenancykit.manifests.builds import KUBERNETES, OptionBuild
from tenancykit.manifests.model import Manifest, Requirement, manifest
from tenancykit.manifests.scope import INGRESS_NAMESPACE, MONITORING_NAMESPACE, TenantScope

API: Final = "networking.k8s.io/v1"
METADATA_CIDR: Final = "169.254.0.0/16"
"""Link-local range; holds the clouds' metadata service, which hands out the node's credentials."""
PRIVATE_CIDRS: Final = ("10.0.0.0/8", "100.64.0.0/10", METADATA_CIDR, "172.16.0.0/12", "192.168.0.0/16")
"""Private, shared and link-local IPv4 ranges (RFC 1918, RFC 6598, RFC 3927)."""
_HBONE: Final = 15008
"""Port of Istio ambient's tunnel; policies see it instead of the workload's port."""
_NAME_LABEL: Final = "kubernetes.io/metadata.name"


def policy_option(scope: TenantScope) -> str:
    """Return the pod-network option that demands the policies, for the reason given on them."""
    option = scope.cls.found.chosen("network", "pod_network")
    return option.id if option else "net_np_default_deny"


def tenant_policies(scope: TenantScope) -> Iterator[Manifest]:
    """Yield default-deny and the allow-list of a tenant's namespace."""
    yield _policy(scope, "default-deny", "isolation.network", {}, ["Ingress", "Egress"])
    yield _policy(scope, "allow-dns", "isolation.network", {}, ["Egress"], egress=[dns_rule()])
    same: dict[str, Any] = {"podSelector": {}}
    yield _policy(
        scope,
        "allow-same-tenant",
        "isolation.network",
        {},
        ["Ingress", "Egress"],
        ingress=[{"from": [same]}],
        egress=[{"to": [same]}],
    )
    yield from _exposure_policies(scope)
    yield from _observability_policy(scope)
    if scope.cls.found.tenant_class.egress_gib_month > 0:
        yield _policy(scope, "allow-internet", "exposure", {}, ["Egress"], egress=[_internet()])
    if scope.cls.found.cluster.control_plane == "virtual" and scope.plan.role == "shared":
        yield from _virtual_control_plane(scope)


def _policy(
    scope: TenantScope,
    name: str,
    requirement: Requirement,
    selector: dict[str, Any],
    types: list[str],
    **rules: Any,
) -> Manifest:
    return manifest(
        policy_option(scope),
        requirement,
        "network",
        API,
        "NetworkPolicy",
        name,
        namespace=scope.namespace,
        spec={"podSelector": selector, "policyTypes": types, **rules},
    )


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {_NAME_LABEL: name}}}


def dns_rule() -> dict[str, Any]:
    """Return the way to the cluster's name servers."""
    servers = {**_namespace("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    return {"to": [servers], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def _internet() -> dict[str, Any]:
    anywhere = {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(PRIVATE_CIDRS)}}
    return {"to": [anywhere], "ports": [{"protocol": "TCP", "port": 443}]}


def _exposure_policies(scope: TenantScope) -> Iterator[Manifest]:
    """Yield, for each exposed workload, the way from the gateways, or from anywhere where it has its own balancer."""
    direct = scope.cls.found.cluster.control_plane == "virtual"
    for workload, exposure in scope.cls.exposed(scope.tenant):
        ports = [{"protocol": "TCP", "port": exposure.port}]
        peers: list[dict[str, Any]] = [_namespace(INGRESS_NAMESPACE)]
        if direct:
            cidrs = ["0.0.0.0/0"] if exposure.scope == "public" else [c for c in PRIVATE_CIDRS if c != METADATA_CIDR]
            peers = [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]
        rules = [{"from": peers, "ports": ports}]
        if "net_mesh_istio_ambient" in scope.options:
            # Ambient's ztunnel carries the traffic, and the kubelet's probes arrive from its link-local address.
            rules = [{"from": peers, "ports": [*ports, {"protocol": "TCP", "port": _HBONE}]}]
            rules.append({"from": [{"ipBlock": {"cidr": "169.254.7.127/32"}}]})
        selector = {"matchLabels": {WORKLOAD_LABEL: workload.id}}
        yield _policy(scope, f"allow-ingress-{workload.id}", "exposure", selector, ["Ingress"], ingress=rules)


def _observability_policy(scope: TenantScope) -> Iterator[Manifest]:
    if scope.cls.found.chosen("observability_chargeback", "metrics") is None:
        return
    rule = {"from": [_namespace(MONITORING_NAMESPACE)], "ports": [{"protocol": "TCP", "port": 9090}]}
    yield _policy(scope, "allow-metrics", "observability", {}, ["Ingress"], ingress=[rule])


def _virtual_control_plane(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the paths of a virtual control plane: its syncer to the host's API server, its users to its API."""
    selector = {"matchLabels": {"app": "vcluster"}}
    if "cp_k3k" in scope.options:
        selector = {"matchLabels": {"role": "server"}}
    port = 6443 if "cp_k3k" in scope.options else 8443
    yield _policy(
        scope,
        "allow-control-plane",
        "isolation.control-plane",
        selector,
        ["Ingress", "Egress"],
        ingress=[{"from": [_namespace(INGRESS_NAMESPACE)], "ports": [{"protocol": "TCP", "port": port}]}],
        egress=[{"ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}]}],
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "net_np_default_deny": OptionBuild(tenant=(("pods", tenant_policies),), upstream=KUBERNETES),
}
"""What is built for each option that only this module serves."""
