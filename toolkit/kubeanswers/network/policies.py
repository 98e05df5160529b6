"""Network policies as rules: NetworkPolicy, the cluster-wide tiers above and below it, and Cilium's, in one form.

Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and, for AdminNetworkPolicy,
BaselineAdminNetworkPolicy and ClusterNetworkPolicy, https://network-policy-api.sigs.k8s.io/api-overview/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from kubeanswers.network.addresses import EVERYWHERE
from kubeanswers.network.cilium import GROUP as CILIUM
from kubeanswers.network.cilium import KINDS as CILIUM_KINDS
from kubeanswers.network.cilium import cilium_policies, is_opaque
from kubeanswers.network.rules import (
    EGRESS,
    INGRESS,
    PROTOCOLS,
    Action,
    Peer,
    Policy,
    PolicyRule,
    PortMatch,
    Tier,
    addresses_of,
    port_number,
)
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.scalars import whole_number
from kubeanswers.selectors import EVERYTHING, Selector

_NOT_EVALUATED: Final = (
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.antrea.io", "NetworkPolicy"),
    ("crd.antrea.io", "ClusterNetworkPolicy"),
)
"""Vendors' policies whose semantics are not modelled; an audit lists them instead of guessing."""


_ACTIONS: Final = {"Allow": Action.ALLOW, "Accept": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}


def unevaluated(objects: ObjectSet) -> list[ManifestObject]:
    """Return the network policies of vendors that are not evaluated, wholly or in part."""
    found = [item for group, kind in _NOT_EVALUATED for item in objects.of(group, kind)]
    return found + [item for item in objects.of(CILIUM, *CILIUM_KINDS) if is_opaque(item)]


def policies_of(objects: ObjectSet) -> Sequence[Policy]:
    """Return every evaluated policy of the set, per direction, in the order the tiers ask them."""
    return objects.derived("policies", lambda: tuple(_policies(objects)))


def _policies(objects: ObjectSet) -> list[Policy]:
    found = [policy for item in objects.of("networking.k8s.io", "NetworkPolicy") for policy in _namespace_policy(item)]
    kinds = ("AdminNetworkPolicy", "ClusterNetworkPolicy", "BaselineAdminNetworkPolicy")
    for item in objects.of("policy.networking.k8s.io", *kinds):
        found.extend(_cluster_policy(item))
    for item in objects.of(CILIUM, *CILIUM_KINDS):
        found.extend(cilium_policies(item))
    return sorted(found, key=lambda policy: (policy.tier.value, policy.order))


def _namespace_policy(item: ManifestObject) -> Iterator[Policy]:
    spec = item.spec
    types = texts(spec.get("policyTypes"))
    if not types:  # the API server's default: egress counts only where rules for it are written
        types = [INGRESS, EGRESS] if mappings(spec.get("egress")) or spec.get("egress") else [INGRESS]
    subject = Selector.of(mapping(spec.get("podSelector")))
    order = (0, f"{item.namespace}/{item.name}")
    for direction, key, side in ((INGRESS, "ingress", "from"), (EGRESS, "egress", "to")):
        if direction not in types:
            continue
        rules = _together(tuple(_namespace_rule(rule, side) for rule in mappings(spec.get(key))))
        yield Policy(item, Tier.NAMESPACE, direction, item.namespace, None, subject, rules, order)


def _namespace_rule(rule: Mapping[str, Any], side: str) -> PolicyRule:
    peers = mappings(rule.get(side))
    ports = mappings(rule.get("ports"))
    return _once(
        tuple(peer for item in peers if (peer := _namespace_peer(item)) is not None) if peers else None,
        tuple(port for item in ports if (port := _port(item)) is not None) if ports else None,
    )


@lru_cache(maxsize=4096)
def _once(peers: tuple[Peer, ...] | None, ports: tuple[PortMatch, ...] | None) -> PolicyRule:
    """Return the rule of peers and ports, the same one for the same: thousands of tenants have the same fences."""
    return PolicyRule(peers, ports)


@lru_cache(maxsize=4096)
def _together(rules: tuple[PolicyRule, ...]) -> tuple[PolicyRule, ...]:
    """Return the rules of a policy, the same ones for the same, so that they are known by identity."""
    return rules


def _namespace_peer(item: Mapping[str, Any]) -> Peer | None:
    block = mapping(item.get("ipBlock"))
    if block:
        addresses = addresses_of([scalar_text(block.get("cidr"))])
        return Peer(addresses=addresses - addresses_of(texts(block.get("except"))))
    namespaces, pods = item.get("namespaceSelector"), item.get("podSelector")
    if namespaces is None and pods is None:
        return None  # the API server refuses a peer that says nothing; it opens nothing here
    return Peer(
        Selector.of(mapping(namespaces)) if namespaces is not None else None,
        Selector.of(mapping(pods)) if pods is not None else EVERYTHING,
    )


def _port(item: Mapping[str, Any]) -> PortMatch | None:
    protocol = scalar_text(item.get("protocol")) or "TCP"
    port, end = item.get("port"), item.get("endPort")
    if port is None:
        return PortMatch(protocol)
    if isinstance(port, str) and whole_number(port) is None:
        return PortMatch(protocol, name=port)
    first = port_number(port)
    return PortMatch(protocol, first, port_number(end) or first) if first else None


def _cluster_policy(item: ManifestObject) -> Iterator[Policy]:
    spec = item.spec
    baseline = item.kind == "BaselineAdminNetworkPolicy" or spec.get("tier") == "Baseline"
    priority = spec.get("priority")
    order = (priority if isinstance(priority, int) else 0, item.name)
    subject = mapping(spec.get("subject"))
    namespaces, pods = _cluster_selectors(subject)
    tier = Tier.BASELINE if baseline else Tier.ADMIN
    if not _is_sound(spec, subject) or (item.kind == "BaselineAdminNetworkPolicy" and item.name != "default"):
        return  # the API server refuses it, so it neither opens nor closes anything
    for direction, key, side in ((INGRESS, "ingress", "from"), (EGRESS, "egress", "to")):
        rules = tuple(_cluster_rule(rule, side) for rule in mappings(spec.get(key)))
        if rules:
            yield Policy(item, tier, direction, "", namespaces, pods, rules, order)


def _is_sound(spec: Mapping[str, Any], subject: Mapping[str, Any]) -> bool:
    """Return whether the policy says whom it is for, and every rule what to do."""
    rules = (*mappings(spec.get("ingress")), *mappings(spec.get("egress")))
    named = isinstance(subject.get("namespaces"), Mapping) or isinstance(subject.get("pods"), Mapping)
    return named and all(scalar_text(rule.get("action")) in _ACTIONS for rule in rules)


def _cluster_selectors(entry: Mapping[str, Any]) -> tuple[Selector, Selector]:
    pods = mapping(entry.get("pods"))
    if pods:
        return Selector.of(mapping(pods.get("namespaceSelector"))), Selector.of(mapping(pods.get("podSelector")))
    return Selector.of(mapping(entry.get("namespaces"))), EVERYTHING


def _cluster_rule(rule: Mapping[str, Any], side: str) -> PolicyRule:
    peers = tuple(_cluster_peer(item) for item in mappings(rule.get(side)))
    given = mappings(rule.get("ports")) + mappings(rule.get("protocols"))
    ports = tuple(port for item in given for port in _cluster_ports(item))
    return PolicyRule(peers, ports if given else None, _ACTIONS[scalar_text(rule.get("action"))])


def _cluster_peer(item: Mapping[str, Any]) -> Peer:
    if item.get("networks") is not None:
        return Peer(addresses=addresses_of(texts(item.get("networks"))))
    if item.get("nodes") is not None:
        return Peer(nodes=True)
    if item.get("domainNames") is not None:
        return Peer(addresses=EVERYWHERE)  # a name may resolve to any address
    namespaces, pods = _cluster_selectors(item)
    return Peer(namespaces, pods)


def _cluster_ports(item: Mapping[str, Any]) -> Iterator[PortMatch]:
    if item.get("namedPort") or item.get("destinationNamedPort"):
        name = scalar_text(item.get("namedPort") or item.get("destinationNamedPort"))
        yield from (PortMatch(protocol, name=name) for protocol in PROTOCOLS)
    for key in ("portNumber", "portRange"):
        entry = mapping(item.get(key))
        if entry:
            first = port_number(entry.get("port", entry.get("start", 1)))
            yield PortMatch(scalar_text(entry.get("protocol")) or "TCP", first, port_number(entry.get("end", first)))
    for protocol in PROTOCOLS:
        if protocol.lower() not in item:
            continue
        port = mapping(mapping(item.get(protocol.lower())).get("destinationPort"))
        span = mapping(port.get("range"))
        if span:
            yield PortMatch(protocol, port_number(span.get("start", 1)), port_number(span.get("end", 65535)))
        elif "number" in port:
            yield PortMatch(protocol, port_number(port["number"]), port_number(port["number"]))
        else:
            yield PortMatch(protocol)
