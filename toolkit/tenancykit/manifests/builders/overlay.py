"""Networks stronger than NetworkPolicy: admin tiers, Cilium, VPCs of Kube-OVN, user-defined networks of OVN-K."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import TENANT_LABEL, WORKLOAD_LABEL
from tenancykit.manifests.builders import network
from tenancykit.manifests.builders.network import METADATA_CIDR
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import INGRESS_NAMESPACE, ClusterScope, TenantScope

_NETWORK: Final = "isolation.network"


def admin_policies(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield, in the admin tier, what no tenant can allow: the metadata service (network-policy-api v0.2.0)."""
    yield manifest(
        "net_cnp",
        _NETWORK,
        "network",
        "policy.networking.k8s.io/v1alpha2",
        "ClusterNetworkPolicy",
        "tenancykit-deny-metadata",
        spec={
            "tier": "Admin",
            "priority": 10,
            "subject": {"namespaces": {"matchExpressions": [{"key": TENANT_LABEL, "operator": "Exists"}]}},
            "egress": [{"name": "deny-metadata", "action": "Deny", "to": [{"networks": [METADATA_CIDR]}]}],
        },
    )


def tenant_admin_policy(scope: TenantScope) -> Iterator[Manifest]:
    """Yield, in the admin tier, that no other tenant reaches this one whatever its own policies say."""
    others = {
        "matchExpressions": [
            {"key": TENANT_LABEL, "operator": "Exists"},
            {"key": TENANT_LABEL, "operator": "NotIn", "values": [scope.name]},
        ]
    }
    spec = {
        "tier": "Admin",
        "priority": 20,
        "subject": {"namespaces": {"matchLabels": {TENANT_LABEL: scope.name}}},
        "ingress": [{"name": "deny-other-tenants", "action": "Deny", "from": [{"namespaces": others}]}],
        "egress": [{"name": "deny-other-tenants", "action": "Deny", "to": [{"namespaces": others}]}],
    }
    api = "policy.networking.k8s.io/v1alpha2"
    name = f"tenancykit-{scope.namespace}"
    yield manifest("net_cnp", _NETWORK, "network", api, "ClusterNetworkPolicy", name, spec=spec)


_CILIUM: Final = "cilium.io/v2"
_NS: Final = "k8s:io.kubernetes.pod.namespace"
_NS_LABEL: Final = f"k8s:io.cilium.k8s.namespace.labels.{TENANT_LABEL}"


def cilium_cluster_policies(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - as above
    """Yield a cluster-wide denial of the metadata service to every tenant's pods (Cilium 1.20)."""
    yield manifest(
        "net_cilium",
        _NETWORK,
        "network",
        _CILIUM,
        "CiliumClusterwideNetworkPolicy",
        "tenancykit-deny-metadata",
        spec={
            "endpointSelector": {"matchExpressions": [{"key": _NS_LABEL, "operator": "Exists"}]},
            "enableDefaultDeny": {"egress": False, "ingress": False},
            "egressDeny": [{"toCIDR": [METADATA_CIDR]}],
        },
    )


def cilium_policies(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's own Cilium policy: its namespace, names it may look up, gateways to exposed workloads."""
    dns = {
        "toEndpoints": [{"matchLabels": {_NS: "kube-system", "k8s:k8s-app": "kube-dns"}}],
        "toPorts": [
            {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": "*"}]}},
        ],
    }
    spec = {
        "endpointSelector": {},
        "ingress": [{"fromEndpoints": [{}]}],
        "egress": [{"toEndpoints": [{}]}, dns],
    }
    yield _cilium(scope, "tenant", spec)
    for workload, exposure in scope.cls.exposed(scope.tenant):
        port = {"ports": [{"port": str(exposure.port), "protocol": "TCP"}]}
        rules: list[dict[str, Any]] = [
            {"fromEntities": ["ingress"], "toPorts": [port]},  # Cilium's own gateway is an identity, not a pod
            {"fromEndpoints": [{"matchLabels": {_NS: INGRESS_NAMESPACE}}], "toPorts": [port]},
        ]
        selector = {"matchLabels": {WORKLOAD_LABEL: workload.id}}
        yield _cilium(scope, f"ingress-{workload.id}", {"endpointSelector": selector, "ingress": rules})


def _cilium(scope: TenantScope, name: str, spec: dict[str, Any]) -> Manifest:
    return manifest(
        "net_cilium",
        _NETWORK,
        "network",
        _CILIUM,
        "CiliumNetworkPolicy",
        name,
        namespace=scope.namespace,
        spec=spec,
    )


def cilium_values(_: ClusterScope) -> dict[str, Any]:
    """Return Cilium's Helm values: policy always enforced, pod traffic between nodes encrypted with WireGuard."""
    return {
        "policyEnforcementMode": "default",
        "encryption": {"enabled": True, "type": "wireguard"},
        "gatewayAPI": {"enabled": True},
        "kubeProxyReplacement": True,
        "hubble": {"enabled": True, "relay": {"enabled": True}},
    }


def tenant_cidr(scope: TenantScope) -> str:
    """Return the tenant's subnet: one of 8,192 /22 ranges in 10.64.0.0/10 and 100.64.0.0/10, then again.

    Subnets of different tenants never meet, so ranges may repeat.
    """
    number = scope.ordinal % 8192
    block, number = divmod(number, 4096)
    first = 10 if block == 0 else 100
    return f"{first}.{64 + number // 64}.{(number % 64) * 4}.0/22"


def _gateway(cidr: str) -> str:
    return cidr.rsplit(".", 1)[0] + ".1"


def kube_ovn(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's VPC with its subnet, name server, security group and way out (Kube-OVN 1.15)."""
    name, cidr = scope.namespace, tenant_cidr(scope)
    api = "kubeovn.io/v1"

    def made(kind: str, object_name: str, spec: dict[str, Any]) -> Manifest:
        return manifest("net_kube_ovn", _NETWORK, "network", api, kind, object_name, spec=spec)

    reaches_out = scope.cls.found.tenant_class.egress_gib_month > 0 or bool(scope.cls.exposed(scope.tenant))
    yield made("Vpc", name, {"namespaces": [name], "enableExternal": reaches_out})
    subnet = {
        "vpc": name,
        "protocol": "IPv4",
        "cidrBlock": cidr,
        "gateway": _gateway(cidr),
        "namespaces": [name],
        "private": True,
        "natOutgoing": False,
    }
    yield made("Subnet", name, subnet)
    yield made("VpcDns", name, {"vpc": name, "subnet": name, "replicas": 2})
    rules = [
        {
            "ipVersion": "ipv4",
            "protocol": "all",
            "priority": 1,
            "remoteType": "address",
            "remoteAddress": cidr,
            "policy": "allow",
        }
    ]
    group = {"allowSameGroupTraffic": True, "ingressRules": rules, "egressRules": rules}
    yield made("SecurityGroup", name, group)
    if reaches_out:
        gateway = {
            "vpc": name,
            "subnet": name,
            "lanIp": cidr.rsplit(".", 1)[0] + ".254",
            "externalSubnets": ["external"],
        }
        yield made("VpcNatGateway", name, gateway)


def user_defined_network(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's own primary network; its namespace carries the label from the start (OVN-Kubernetes 1.3)."""
    spec = {
        "topology": "Layer2",
        "layer2": {"role": "Primary", "subnets": [tenant_cidr(scope)], "ipam": {"lifecycle": "Persistent"}},
    }
    yield manifest(
        "net_ovnk_udn",
        _NETWORK,
        "network",
        "k8s.ovn.org/v1",
        "UserDefinedNetwork",
        "tenant",
        namespace=scope.namespace,
        spec=spec,
    )


_POLICIES: Final = ("pods", network.tenant_policies)
BUILDS: Final[dict[str, OptionBuild]] = {
    "net_cnp": OptionBuild(
        (("pods", admin_policies),),
        (_POLICIES, ("pods", tenant_admin_policy)),
        upstream="network-policy-api 0.2.0 (v1alpha2)",
    ),
    "net_cilium": OptionBuild(
        (("pods", cilium_cluster_policies),),
        (_POLICIES, ("pods", cilium_policies)),
        (Chart("cni-cilium", "kube-system", values=cilium_values, requirement="isolation.network"),),
        upstream="Cilium 1.20.1 (cilium.io/v2)",
    ),
    "net_kube_ovn": OptionBuild(
        tenant=(_POLICIES, ("hosts", kube_ovn)),
        charts=(Chart("cni-kube-ovn", "kube-system", "hosts", requirement="isolation.network"),),
        upstream="Kube-OVN 1.15.24",
    ),
    "net_ovnk_udn": OptionBuild(
        tenant=(_POLICIES, ("pods", user_defined_network)),
        charts=(Chart("cni-ovn-kubernetes", "ovn-kubernetes", requirement="isolation.network"),),
        upstream="OVN-Kubernetes 1.3.0 (k8s.ovn.org/v1)",
    ),
}
"""What is built for each option that only this module serves."""
