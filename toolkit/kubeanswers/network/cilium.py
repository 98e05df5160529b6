"""Cilium's network policies as rules in the common form; what names something manifests do not show is opaque.

Semantics: https://docs.cilium.io/en/stable/security/policy/ - deny rules come before every allow rule of any policy; an
endpoint selected by a policy with rules for a direction refuses what no policy allows there, unless
``enableDefaultDeny`` says otherwise; CIDRs and the entity ``world`` never mean pods; an empty rule allows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.network.addresses import EVERYWHERE, AddressSet
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
from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text, text_map, texts
from kubeanswers.scalars import whole_number
from kubeanswers.selectors import EVERYTHING, Requirement, Selector

GROUP: Final = "cilium.io"
KINDS: Final = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
_NAMESPACE: Final = "io.kubernetes.pod.namespace"
_NAMESPACE_LABELS: Final = "io.cilium.k8s.namespace.labels."
_OPAQUE_LABELS: Final = ("io.cilium.", "reserved:", "cidr:", "fqdn:", "container:", "node:")
_NODES: Final = frozenset({"host", "remote-node", "kube-apiserver"})
_WORLD: Final = {
    "world": EVERYWHERE,
    "world-ipv4": AddressSet.of(("0.0.0.0/0",)),
    "world-ipv6": AddressSet.of(("::/0",)),
}
_NOBODY: Final = frozenset({"none", "init", "health", "unmanaged", "ingress"})
_SIDES: Final = (
    (INGRESS, "ingress", "from"),
    (EGRESS, "egress", "to"),
)


class _OpaqueError(Exception):
    """A selector or peer whose meaning manifests do not show."""


def cilium_policies(item: ManifestObject) -> Iterator[Policy]:
    """Yield the policies of one object, those parts left out that cannot be evaluated."""
    for spec in _specs(item):
        if spec.get("endpointSelector") is None:
            continue  # selects nodes: the host firewall
        try:
            namespaces, pods = _selectors(spec.get("endpointSelector"), own=item.namespaced)
        except _OpaqueError:
            continue
        if item.namespaced:
            namespaces = None
        for direction, key, side in _SIDES:
            yield from _direction(item, spec, direction, key, side, (namespaces, pods))


def is_opaque(item: ManifestObject) -> bool:
    """Return whether a part of the object cannot be evaluated."""
    for spec in _specs(item):
        try:
            if spec.get("endpointSelector") is not None:
                _selectors(spec.get("endpointSelector"), own=item.namespaced)
            for _, key, side in _SIDES:
                for rule in (*mappings(spec.get(key)), *mappings(spec.get(f"{key}Deny"))):
                    _rule(rule, side, Action.ALLOW, namespaced=item.namespaced)
        except _OpaqueError:
            return True
    return False


def _specs(item: ManifestObject) -> list[Mapping[str, Any]]:
    return [*([item.spec] if item.spec else []), *mappings(item.data.get("specs"))]


def _direction(
    item: ManifestObject,
    spec: Mapping[str, Any],
    direction: str,
    key: str,
    side: str,
    subject: tuple[Selector | None, Selector],
) -> Iterator[Policy]:
    allowing, denying = mappings(spec.get(key)), mappings(spec.get(f"{key}Deny"))
    if not allowing and not denying:
        return
    wanted = mapping(spec.get("enableDefaultDeny")).get(key)
    rules = tuple(_rules(allowing, side, Action.ALLOW, namespaced=item.namespaced))
    refused = tuple(_rules(denying, side, Action.DENY, namespaced=item.namespaced))
    order = (0, f"{item.namespace}/{item.name}")
    space = item.namespace if item.namespaced else ""
    yield Policy(item, Tier.NAMESPACE, direction, space, *subject, rules, order, isolates=wanted is not False)
    if refused:
        yield Policy(item, Tier.ADMIN, direction, space, *subject, refused, (-1, order[1]))


def _rules(given: list[Mapping[str, Any]], side: str, action: Action, *, namespaced: bool) -> Iterator[PolicyRule]:
    for data in given:
        try:
            rule = _rule(data, side, action, namespaced=namespaced)
        except _OpaqueError:
            continue
        if rule is not None:
            yield rule


def _rule(data: Mapping[str, Any], side: str, action: Action, *, namespaced: bool) -> PolicyRule | None:
    """Return the rule; None for one that says nothing or speaks of ICMP alone."""
    peers = _peers(data, side, namespaced=namespaced)
    ports: tuple[PortMatch, ...] | None = None
    if data.get("toPorts"):
        entries = mappings(data.get("toPorts"))
        if all(mappings(entry.get("ports")) for entry in entries):
            ports = tuple(port for entry in entries for one in mappings(entry.get("ports")) for port in _ports(one))
    elif data.get("icmps") or peers is None:
        return None
    return PolicyRule(peers, ports, action)


def _peers(data: Mapping[str, Any], side: str, *, namespaced: bool) -> tuple[Peer, ...] | None:
    """Return the peers a rule names; None where it names none, which means everybody."""
    for key in (f"{side}Requires", f"{side}Groups", "toServices"):
        if data.get(key):
            raise _OpaqueError(key)
    found = [Peer(*_selectors(selector, own=namespaced)) for selector in mappings(data.get(f"{side}Endpoints"))]
    found += [peer for entity in texts(data.get(f"{side}Entities")) for peer in _entity(entity)]
    found += [Peer(addresses=addresses, outside=True) for addresses in _blocks(data, side)]
    if data.get(f"{side}Nodes"):
        found.append(Peer(nodes=True))
    keys = ("Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes")
    return tuple(found) if found or any(data.get(f"{side}{key}") is not None for key in keys) else None


def _blocks(data: Mapping[str, Any], side: str) -> Iterator[AddressSet]:
    """Yield the addresses outside the cluster that a rule names."""
    yield from (addresses_of([cidr]) for cidr in texts(data.get(f"{side}CIDR")))
    for entry in mappings(data.get(f"{side}CIDRSet")):
        if not entry.get("cidr"):
            raise _OpaqueError("a group of addresses")
        yield addresses_of([scalar_text(entry["cidr"])]) - addresses_of(texts(entry.get("except")))
    if data.get("toFQDNs"):
        yield EVERYWHERE  # a name may resolve to any address


def _entity(name: str) -> list[Peer]:
    if name in _WORLD:
        return [Peer(addresses=_WORLD[name], outside=True)]
    if name in _NODES:
        return [Peer(nodes=True)]
    if name == "cluster":
        return [Peer(EVERYTHING), Peer(nodes=True)]
    if name == "all":
        return [Peer(EVERYTHING), Peer(nodes=True), Peer(addresses=EVERYWHERE, outside=True)]
    if name in _NOBODY:
        return []
    raise _OpaqueError(name)


def _selectors(data: object, *, own: bool) -> tuple[Selector | None, Selector]:
    """Return the selectors of namespaces and pods; no namespace named means the policy's own, or all of them."""
    written = mapping(data)
    terms = [
        Requirement(_plain(key), "In", frozenset({value}))
        for key, value in text_map(written.get("matchLabels")).items()
    ]
    terms += [
        Requirement(
            _plain(scalar_text(item.get("key"))),
            scalar_text(item.get("operator")),
            frozenset(texts(item.get("values"))),
        )
        for item in mappings(written.get("matchExpressions"))
    ]
    spaces, pods = [], []
    for term in terms:
        if term.key == _NAMESPACE:
            spaces.append(Requirement("kubernetes.io/metadata.name", term.operator, term.values))
        elif term.key.startswith(_NAMESPACE_LABELS):
            spaces.append(Requirement(term.key.removeprefix(_NAMESPACE_LABELS), term.operator, term.values))
        elif term.key.startswith(_OPAQUE_LABELS):
            raise _OpaqueError(term.key)
        else:
            pods.append(term)
    return (Selector(tuple(spaces)) if spaces or not own else None), Selector(tuple(pods))


def _plain(key: str) -> str:
    return key.removeprefix("k8s:").removeprefix("any:")


def _ports(entry: Mapping[str, Any]) -> Iterator[PortMatch]:
    protocol = scalar_text(entry.get("protocol")).upper() or "ANY"
    port = scalar_text(entry.get("port"))
    for each in PROTOCOLS if protocol == "ANY" else (protocol,):
        if port in ("", "0"):
            yield PortMatch(each)
        elif whole_number(port) is not None:
            first = port_number(port)
            yield PortMatch(each, first, max(first, port_number(entry.get("endPort"))))
        else:
            yield PortMatch(each, name=port)
