"""Fences around a tenant's namespace on the management cluster, where its control plane or its machines live."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, Final

from kubeanswers.quantities import GIB, MIB, cpu_text, memory_text
from tenancykit.manifests.builders.machines import workers
from tenancykit.manifests.builders.network import API, dns_rule
from tenancykit.manifests.model import Manifest, Requirement, manifest
from tenancykit.manifests.scope import TenantScope
from tenancykit.manifests.sizing import DEFAULT_REQUEST, SCRATCH

_SPARE: Final = 2
"""Assumption: control planes roll over with as many pods again, so their namespace holds twice what they request."""
_API_PORTS: Final = {"cp_kamaji": (6443, 8132), "cp_k0smotron": (6443, 8132), "cp_vcluster_private": (8443,)}
"""Ports of hosted API servers and of the tunnel to their nodes, which join from outside the management cluster."""
_DATASTORES: Final = {"cp_kamaji": ("kamaji-system", 2379)}
_HOST_API: Final = frozenset({"cp_vcluster_private"})
"""Control planes that call the management cluster's own API."""


def hub_policies(scope: TenantScope) -> Iterator[Manifest]:
    """Yield default-deny and the few paths of a tenant's control plane; other tenants' ones are not among them."""
    option = scope.cls.found.choice.options[0]
    yield _policy(scope, "default-deny", ["Ingress", "Egress"])
    yield _policy(scope, "allow-dns", ["Egress"], egress=[dns_rule()])
    same: dict[str, Any] = {"podSelector": {}}
    yield _policy(
        scope, "allow-same-tenant", ["Ingress", "Egress"], ingress=[{"from": [same]}], egress=[{"to": [same]}]
    )
    ports = _API_PORTS.get(option)
    if ports:
        yield _policy(scope, "allow-api", ["Ingress"], ingress=[{"ports": [_port(number) for number in ports]}])
    if option in _DATASTORES:
        namespace, number = _DATASTORES[option]
        peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
        yield _policy(scope, "allow-datastore", ["Egress"], egress=[{"to": [peer], "ports": [_port(number)]}])
    if option in _HOST_API:
        yield _policy(scope, "allow-host-api", ["Egress"], egress=[{"ports": [_port(443), _port(6443)]}])


def _port(number: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": number}


def _policy(scope: TenantScope, name: str, types: list[str], **rules: Any) -> Manifest:
    return _made(
        scope,
        "isolation.control-plane",
        "network",
        API,
        "NetworkPolicy",
        name,
        {"podSelector": {}, "policyTypes": types, **rules},
    )


def _made(
    scope: TenantScope, requirement: Requirement, concern: str, api: str, kind: str, name: str, spec: dict[str, Any]
) -> Manifest:
    option = scope.cls.found.choice.options[0]
    return manifest(option, requirement, concern, api, kind, name, namespace=scope.namespace, spec=spec)


def hub_quota(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the cap on a tenant's namespace: its control plane as the catalogue sizes it and its machines."""
    pods, cpu, memory = _control_plane(scope)
    if "vm-nodes" in scope.cls.found.facts:
        machine, count = workers(scope)
        sandbox = scope.cls.found.sandbox
        pods += count
        cpu += count * (machine.cpu_milli + sandbox.cpu_milli)
        memory += count * (machine.memory + sandbox.memory_mib * MIB)
    hard = {
        "pods": str(pods),
        "requests.cpu": cpu_text(cpu),
        "requests.memory": memory_text(ceil(memory / GIB) * GIB),
        "requests.ephemeral-storage": memory_text(pods * SCRATCH),
        "requests.storage": memory_text(64 * GIB if pods else 0),
        "persistentvolumeclaims": "6" if pods else "0",
        "services": "10" if pods else "0",
        "services.loadbalancers": "2" if pods else "0",
        "services.nodeports": "4" if pods else "0",
        "configmaps": "50",
        "secrets": "100",
        **{f"requests.{name}": "0" for name in scope.cls.devices.resources},
    }
    yield _made(
        scope, "fair-share", "quota", "v1", "ResourceQuota", "control-plane", {"hard": dict(sorted(hard.items()))}
    )
    limits = [{"type": "Container", "defaultRequest": dict(DEFAULT_REQUEST)}]
    yield _made(scope, "fair-share", "quota", "v1", "LimitRange", "defaults", {"limits": limits})


def _control_plane(scope: TenantScope) -> tuple[int, int, int]:
    """Return pods, millicores and bytes of the tenant's control plane, doubled for roll-overs."""
    option = scope.cls.found.options[0]
    pods = cpu = memory = 0
    for name in option.components:
        component = scope.cls.catalogue.components[name]
        for footprint in component.footprint:
            if footprint.scope == "tenant" and footprint.when.holds(scope.cls.found.facts):
                pods += footprint.pods
                cpu += footprint.cpu_milli
                memory += footprint.memory_mib * MIB
    return pods * _SPARE, cpu * _SPARE, memory * _SPARE
