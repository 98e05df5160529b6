"""Network policies as rules: NetworkPolicy and the cluster-wide tiers above and below it, in one form.

Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and, for AdminNetworkPolicy,
BaselineAdminNetworkPolicy and ClusterNetworkPolicy, https://network-policy-api.sigs.k8s.io/api-overview/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tenancykit.auditing.addresses import EVERYWHERE, AddressSet
from tenancykit.auditing.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from tenancykit.auditing.selectors import EVERYTHING, Selector

INGRESS: Final = "Ingress"
EGRESS: Final = "Egress"
PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
NOT_EVALUATED: Final = (
    ("cilium.io", "CiliumNetworkPolicy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
)
"""Vendors' policies whose semantics are not modelled; an audit lists them instead of guessing."""


class Tier(Enum):
    """When a policy is asked: administrators first, then the namespace's own, then the baseline."""

    ADMIN = 0
    NAMESPACE = 1
    BASELINE = 2


class Action(Enum):
    """What a matching rule does."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"  # noqa: S105 - the API's word for leaving it to the next tier


_ACTIONS: Final = {"Allow": Action.ALLOW, "Accept": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}


@dataclass(frozen=True)
class PortMatch:
    """One entry of a rule's ports: a protocol and a range, or a name the destination pod resolves."""

    protocol: str
    first: int = 1
    last: int = 65535
    name: str = ""


@dataclass(frozen=True)
class Peer:
    """One entry of a rule's peers: pods by selectors, or addresses.

    Attributes:
        namespaces: selects namespaces; None for the policy's own.
        pods: selects pods in them.
        addresses: an ipBlock's or network's addresses; None for a pod peer.
        nodes: the peer is the cluster's nodes.
    """

    namespaces: Selector | None = None
    pods: Selector = EVERYTHING
    addresses: AddressSet | None = None
    nodes: bool = False


@dataclass(frozen=True)
class PolicyRule:
    """One rule; ``peers`` None means everybody, ``ports`` None means every port."""

    peers: tuple[Peer, ...] | None
    ports: tuple[PortMatch, ...] | None
    action: Action = Action.ALLOW


@dataclass(frozen=True, eq=False)
class Policy:
    """One policy in one direction.

    Attributes:
        source: the object it comes from.
        tier: when it is asked.
        direction: ``Ingress`` or ``Egress``.
        namespace: the policy's own namespace; empty for a cluster-wide one.
        namespaces: selects the namespaces it applies to; None for its own.
        pods: selects the pods it applies to.
        rules: in the order they are tried.
        order: sort key within the tier; lower is asked first.
    """

    source: ManifestObject
    tier: Tier
    direction: str
    namespace: str
    namespaces: Selector | None
    pods: Selector
    rules: tuple[PolicyRule, ...]
    order: tuple[int, str] = (0, "")

    def __str__(self) -> str:
        return str(self.source)


def policies_of(objects: ObjectSet) -> Sequence[Policy]:
    """Return every evaluated policy of the set, per direction, in the order the tiers ask them."""
    return objects.derived("policies", lambda: tuple(_policies(objects)))


def _policies(objects: ObjectSet) -> list[Policy]:
    found = [policy for item in objects.of("networking.k8s.io", "NetworkPolicy") for policy in _namespace_policy(item)]
    kinds = ("AdminNetworkPolicy", "ClusterNetworkPolicy", "BaselineAdminNetworkPolicy")
    for item in objects.of("policy.networking.k8s.io", *kinds):
        found.extend(_cluster_policy(item))
    return sorted(found, key=lambda policy: (policy.tier.value, policy.order))


def _namespace_policy(item: ManifestObject) -> Iterator[Policy]:
    spec = item.spec
    types = texts(spec.get("policyTypes"))
    if not types:  # the API server's default: egress counts only where rules for it are written
        types = [INGRESS, EGRESS] if mappings(spec.get("egress")) or spec.get("egress") else [INGRESS]
    subject = Selector.of(mapping(spec.get("podSelector")))
    for direction, key, side in ((INGRESS, "ingress", "from"), (EGRESS, "egress", "to")):
        if direction not in types:
            continue
        rules = tuple(_namespace_rule(rule, side) for rule in mappings(spec.get(key)))
        order = (0, f"{item.namespace}/{item.name}")
        yield Policy(item, Tier.NAMESPACE, direction, item.namespace, None, subject, rules, order)


def _namespace_rule(rule: Mapping[str, Any], side: str) -> PolicyRule:
    peers = mappings(rule.get(side))
    ports = mappings(rule.get("ports"))
    return PolicyRule(
        tuple(peer for item in peers if (peer := _namespace_peer(item)) is not None) if peers else None,
        tuple(port for item in ports if (port := _port(item)) is not None) if ports else None,
    )


def _namespace_peer(item: Mapping[str, Any]) -> Peer | None:
    block = mapping(item.get("ipBlock"))
    if block:
        addresses = _addresses([scalar_text(block.get("cidr"))])
        return Peer(addresses=addresses - _addresses(texts(block.get("except"))))
    namespaces, pods = item.get("namespaceSelector"), item.get("podSelector")
    if namespaces is None and pods is None:
        return None  # the API server refuses a peer that says nothing; it opens nothing here
    return Peer(
        Selector.of(mapping(namespaces)) if namespaces is not None else None,
        Selector.of(mapping(pods)) if pods is not None else EVERYTHING,
    )


def _addresses(cidrs: list[str]) -> AddressSet:
    """Return the union of the networks that are well formed; the API server refuses the others."""
    found = AddressSet()
    for cidr in cidrs:
        try:
            found = found | AddressSet.of([cidr])
        except ValueError:
            continue
    return found


def _port(item: Mapping[str, Any]) -> PortMatch | None:
    protocol = scalar_text(item.get("protocol")) or "TCP"
    port, end = item.get("port"), item.get("endPort")
    if port is None:
        return PortMatch(protocol)
    if isinstance(port, str) and not port.isdigit():
        return PortMatch(protocol, name=port)
    first = _number(port)
    return PortMatch(protocol, first, _number(end) or first) if first else None


def _number(value: object) -> int:
    """Return a port number; 0 for what is none, which no connection has."""
    text = scalar_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0


def _cluster_policy(item: ManifestObject) -> Iterator[Policy]:
    spec = item.spec
    baseline = item.kind == "BaselineAdminNetworkPolicy" or spec.get("tier") == "Baseline"
    priority = spec.get("priority")
    order = (priority if isinstance(priority, int) else 0, item.name)
    subject = mapping(spec.get("subject"))
    namespaces, pods = _cluster_selectors(subject)
    tier = Tier.BASELINE if baseline else Tier.ADMIN
    for direction, key, side in ((INGRESS, "ingress", "from"), (EGRESS, "egress", "to")):
        rules = tuple(_cluster_rule(rule, side) for rule in mappings(spec.get(key)))
        if rules:
            yield Policy(item, tier, direction, "", namespaces, pods, rules, order)


def _cluster_selectors(entry: Mapping[str, Any]) -> tuple[Selector, Selector]:
    pods = mapping(entry.get("pods"))
    if pods:
        return Selector.of(mapping(pods.get("namespaceSelector"))), Selector.of(mapping(pods.get("podSelector")))
    return Selector.of(mapping(entry.get("namespaces"))), EVERYTHING


def _cluster_rule(rule: Mapping[str, Any], side: str) -> PolicyRule:
    peers = tuple(_cluster_peer(item) for item in mappings(rule.get(side)))
    given = mappings(rule.get("ports")) + mappings(rule.get("protocols"))
    ports = tuple(port for item in given for port in _cluster_ports(item))
    action = _ACTIONS.get(scalar_text(rule.get("action")), Action.DENY)
    return PolicyRule(peers, ports if given else None, action)


def _cluster_peer(item: Mapping[str, Any]) -> Peer:
    if item.get("networks") is not None:
        return Peer(addresses=_addresses(texts(item.get("networks"))))
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
            first = _number(entry.get("port", entry.get("start", 1)))
            yield PortMatch(scalar_text(entry.get("protocol")) or "TCP", first, _number(entry.get("end", first)))
    for protocol in PROTOCOLS:
        if protocol.lower() not in item:
            continue
        port = mapping(mapping(item.get(protocol.lower())).get("destinationPort"))
        span = mapping(port.get("range"))
        if span:
            yield PortMatch(protocol, _number(span.get("start", 1)), _number(span.get("end", 65535)))
        elif "number" in port:
            yield PortMatch(protocol, _number(port["number"]), _number(port["number"]))
        else:
            yield PortMatch(protocol)
