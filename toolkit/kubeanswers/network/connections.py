"""Can this pod reach that one?  Network policies evaluated for one connection, with the policy that decides.

Semantics: https://kubernetes.io/docs/concepts/services-networking/network-policies/ - a connection needs the consent
of the source's egress and of the destination's ingress; a pod no policy selects consents to everything.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property

from kubeanswers.network.addresses import PRIVATE, AddressSet
from kubeanswers.network.policies import policies_of
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
)
from kubeanswers.objects import ObjectSet
from kubeanswers.pods import PodView, pods_of
from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number

Endpoint = PodView | AddressSet
"""One end of a connection: a pod, or addresses outside the cluster."""


@dataclass(frozen=True, order=True)
class Port:
    """One destination port; a name is resolved by the destination pod."""

    protocol: str = "TCP"
    number: int = 0
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Port:
        """Return the port of ``443``, ``443/tcp``, ``dns/udp`` or ``https``.

        Raises:
            ValueError: the protocol is unknown or the number is out of range.
        """
        word, _, protocol = text.partition("/")
        protocol = (protocol or "tcp").upper()
        if protocol not in PROTOCOLS:
            raise ValueError(f"{protocol!r} is not a protocol; write tcp, udp or sctp")
        number = whole_number(word)
        if number is None:
            return cls(protocol, 0, word)
        if not 1 <= number <= 65535:
            raise ValueError(f"{word} is not a port; write a number from 1 to 65535")
        return cls(protocol, number)

    def __str__(self) -> str:
        return f"{self.number or self.name}/{self.protocol.lower()}"


@dataclass(frozen=True)
class Verdict:
    """What one side of a connection says.

    Attributes:
        allowed: whether it consents, to all or some of the addresses asked for.
        why: one sentence.
        policies: the policies that decide; empty where none applies.
        addresses: which addresses, where the other end is outside the cluster and only part of it is allowed.
    """

    allowed: bool
    why: str
    policies: tuple[Policy, ...] = ()
    addresses: AddressSet | None = None


@dataclass(frozen=True)
class ReachAnswer:
    """Whether a connection is possible, with what each side says."""

    allowed: bool
    port: Port
    egress: Verdict
    ingress: Verdict

    @property
    def why(self) -> str:
        """The deciding sentence: the refusing side's, or both sides' consent."""
        if not self.egress.allowed:
            return f"egress: {self.egress.why}"
        if not self.ingress.allowed:
            return f"ingress: {self.ingress.why}"
        return f"egress: {self.egress.why}; ingress: {self.ingress.why}"


@dataclass(frozen=True)
class Network:
    """The pods, namespaces and policies of a set.

    Attributes:
        objects: the manifests.
        pod_addresses: where pods without a known address are taken to live; decides whether an ipBlock may mean them.
        extra_pods: pods to consider besides those of the set.
        lifted: namespaces whose own policies fence no traffic out of them, for those in them may take them down.
        parts: which addresses policies allow, and the places of those that decide, by what the policies say.
    """

    objects: ObjectSet
    pod_addresses: AddressSet = PRIVATE
    extra_pods: tuple[PodView, ...] = ()
    lifted: frozenset[str] = frozenset()
    parts: dict[tuple[object, ...], tuple[AddressSet, tuple[int, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def pods(self) -> tuple[PodView, ...]:
        """Every pod and pod template, then the extra ones."""
        return (*pods_of(self.objects), *self.extra_pods)

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """Every evaluated policy, in the order the tiers ask them."""
        return tuple(policy for policy in policies_of(self.objects) if not self._is_lifted(policy))

    def _is_lifted(self, policy: Policy) -> bool:
        return policy.tier is Tier.NAMESPACE and policy.direction == EGRESS and policy.namespace in self.lifted

    @cached_property
    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Labels by namespace, of every namespace that is declared or has pods."""
        found = dict(self.objects.namespaces)
        for pod in self.extra_pods:
            found.setdefault(pod.namespace, {"kubernetes.io/metadata.name": pod.namespace})
        return found

    def reach(self, source: Endpoint, target: Endpoint, port: Port) -> ReachAnswer:
        """Return whether ``source`` can open a connection to ``target`` on ``port``."""
        if source is target:
            itself = _yes("a pod always reaches itself")
            return ReachAnswer(allowed=True, port=port, egress=itself, ingress=itself)
        egress = self._side(EGRESS, source, target, target, port)
        ingress = self._side(INGRESS, target, source, target, port)
        return ReachAnswer(egress.allowed and ingress.allowed, port, egress, ingress)

    def opens(self, source: PodView, target: AddressSet, port: Port) -> bool:
        """Return whether :meth:`reach` allows it, without saying why."""
        if source.host_network:
            return True
        policies = [policy for policy in self._candidates(EGRESS, source) if self.selects(policy, source)]
        return bool(_Question(self, source, target, port, None).allowed(policies, target)[0])

    def reach_any(self, source: Endpoint, target: Endpoint) -> tuple[ReachAnswer, ...]:
        """Return the answers for one port of every range the policies tell apart; the open ones come first."""
        answers = [self.reach(source, target, port) for port in self.ports(target)]
        return tuple(
            sorted(
                answers,
                key=lambda answer: (not answer.allowed, PROTOCOLS.index(answer.port.protocol), answer.port.number),
            )
        )

    def ports(self, target: Endpoint) -> tuple[Port, ...]:
        """Return one port of every range that policies tell apart."""
        return tuple(Port(protocol, number) for protocol, number in port_samples(self.policies, [target]))

    def _side(self, direction: str, subject: Endpoint, other: Endpoint, target: Endpoint, port: Port) -> Verdict:
        if isinstance(subject, AddressSet):
            return _yes("outside the cluster no policy applies")
        if subject.host_network:
            return _yes(f"{subject} uses its node's network, which no NetworkPolicy governs")
        question = _Question(self, subject, other, port, target if isinstance(target, PodView) else None)
        return question.ask(
            [policy for policy in self._candidates(direction, subject) if self.selects(policy, subject)]
        )

    @cached_property
    def _index(self) -> Mapping[tuple[str, str], tuple[Policy, ...]]:
        """Policies by direction and namespace; cluster-wide ones under the empty namespace."""
        found: dict[tuple[str, str], list[Policy]] = {}
        for policy in self.policies:
            key = (policy.direction, policy.namespace if policy.namespaces is None else "")
            found.setdefault(key, []).append(policy)
        return {key: tuple(policies) for key, policies in found.items()}

    def _candidates(self, direction: str, pod: PodView) -> tuple[Policy, ...]:
        """Return the policies that may select the pod, in the order the tiers ask them."""
        return (*self._index.get((direction, ""), ()), *self._index.get((direction, pod.namespace), ()))

    def selects(self, policy: Policy, pod: PodView) -> bool:
        """Return whether the policy applies to the pod."""
        if pod.host_network:
            return False
        if policy.namespaces is None:
            return policy.namespace == pod.namespace and policy.pods.matches(pod.labels)
        return policy.namespaces.matches(self.namespaces.get(pod.namespace, {})) and policy.pods.matches(pod.labels)

    def peer_is(self, peer: Peer, policy_namespace: str, pod: PodView, *, surely: bool = False) -> bool:
        """Return whether a peer entry means the pod.

        An address block may mean a pod whose address is unknown: where it could, the answer is yes, or, asked
        ``surely`` (for rules that deny), only if it means every address the pod could have.
        """
        if peer.addresses is not None:
            if peer.outside:
                return False
            if pod.addresses:
                return any(address in peer.addresses for address in pod.addresses)
            return not self.pod_addresses - peer.addresses if surely else bool(peer.addresses & self.pod_addresses)
        if peer.nodes or pod.host_network:
            return peer.nodes and pod.host_network
        if peer.namespaces is None:
            return policy_namespace == pod.namespace and peer.pods.matches(pod.labels)
        return peer.namespaces.matches(self.namespaces.get(pod.namespace, {})) and peer.pods.matches(pod.labels)


@dataclass
class _Question:
    """One side of one connection, asked tier by tier."""

    network: Network
    subject: PodView
    other: Endpoint
    port: Port
    target: PodView | None
    open: AddressSet = field(init=False)

    def __post_init__(self) -> None:
        self.open = AddressSet()

    def ask(self, policies: list[Policy]) -> Verdict:
        if isinstance(self.other, AddressSet):
            return self._ask_addresses(policies, self.other)
        for policy, rule in _rules(policies, Tier.ADMIN):
            if self._matches(rule, policy, self.other):
                if rule.action is Action.PASS:
                    break
                return Verdict(rule.action is Action.ALLOW, _says(policy, rule.action), (policy,))
        own = [policy for policy in policies if policy.tier is Tier.NAMESPACE]
        for policy, rule in _rules(own, Tier.NAMESPACE):
            if self._matches(rule, policy, self.other):
                return _yes(_says(policy, Action.ALLOW), (policy,))
        if any(policy.isolates for policy in own):
            return _no(f"{_names(own)} select {self.subject} and allow nothing like it", tuple(own))
        for policy, rule in _rules(policies, Tier.BASELINE):  # after it comes only the default, which allows
            if self._matches(rule, policy, self.other):
                return Verdict(rule.action is not Action.DENY, _says(policy, rule.action), (policy,))
        return _yes(f"no policy selects {self.subject}")

    def _ask_addresses(self, policies: list[Policy], asked: AddressSet) -> Verdict:
        """As :meth:`ask`, for addresses of which each may be answered differently."""
        allowed, places = self.allowed(policies, asked)
        own = [policy for policy in policies if policy.tier is Tier.NAMESPACE]
        return self._address_verdict(asked, allowed, [policies[place] for place in places] or own)

    def allowed(self, policies: list[Policy], asked: AddressSet) -> tuple[AddressSet, tuple[int, ...]]:
        """Return which of the addresses are allowed, and the places of the policies that decide some.

        Policies that say the same answer the same, so that thousands of tenants with the same fences are one.
        """
        if self.target is not None:
            return self._allowed(policies, asked)
        said = tuple((policy.tier, policy.isolates, id(policy.rules)) for policy in policies)
        key = (asked, self.port, said)
        found = self.network.parts.get(key)
        if found is None:
            found = self.network.parts[key] = self._allowed(policies, asked)
        return found

    def _allowed(self, policies: list[Policy], asked: AddressSet) -> tuple[AddressSet, tuple[int, ...]]:
        undecided, passed, allowed = asked, AddressSet(), AddressSet()
        used: list[Policy] = []
        for policy, rule in _rules(policies, Tier.ADMIN):
            part = self._part(rule, undecided)
            if part:
                undecided = undecided - part
                allowed = allowed | part if rule.action is Action.ALLOW else allowed
                passed = passed | part if rule.action is Action.PASS else passed
                used.append(policy)
        undecided = undecided | passed
        own = [policy for policy in policies if policy.tier is Tier.NAMESPACE]
        for policy, rule in _rules(own, Tier.NAMESPACE):
            part = self._part(rule, undecided)
            if part - allowed:
                allowed = allowed | part
                used.append(policy)
        if not any(policy.isolates for policy in own):
            for policy, rule in _rules(policies, Tier.BASELINE):
                part = self._part(rule, undecided)
                if part:
                    undecided = undecided - part
                    allowed = allowed if rule.action is Action.DENY else allowed | part
                    used.append(policy)
            allowed = allowed | undecided
        return allowed, tuple(dict.fromkeys(map(policies.index, used)))

    def _address_verdict(self, asked: AddressSet, allowed: AddressSet, used: list[Policy]) -> Verdict:
        policies = tuple(dict.fromkeys(used))
        if not allowed:
            return _no(f"{_names(policies)} select {self.subject} and allow none of {asked}", policies)
        left = asked - allowed
        if not policies:
            return _yes(f"no policy selects {self.subject}")
        if not left:
            return _yes(f"allowed by {_names(policies)}", policies)
        return _yes(f"{_names(policies)} allow part of it", policies, allowed)

    def _part(self, rule: PolicyRule, asked: AddressSet) -> AddressSet:
        if not asked or not self._port_matches(rule.ports):
            return AddressSet()
        if rule.peers is None:
            return asked
        part = AddressSet()
        for peer in rule.peers:
            if peer.addresses is not None:
                part = part | (peer.addresses & asked)
        return part

    def _matches(self, rule: PolicyRule, policy: Policy, other: PodView) -> bool:
        if not self._port_matches(rule.ports):
            return False
        surely = rule.action is not Action.ALLOW
        return rule.peers is None or any(
            self.network.peer_is(peer, policy.namespace, other, surely=surely) for peer in rule.peers
        )

    def _port_matches(self, ports: tuple[PortMatch, ...] | None) -> bool:
        return ports is None or any(port_matches(entry, self.port, self.target) for entry in ports)


def _yes(why: str, policies: tuple[Policy, ...] = (), addresses: AddressSet | None = None) -> Verdict:
    return Verdict(allowed=True, why=why, policies=policies, addresses=addresses)


def _no(why: str, policies: tuple[Policy, ...] = ()) -> Verdict:
    return Verdict(allowed=False, why=why, policies=policies)


def port_matches(entry: PortMatch, port: Port, target: PodView | None) -> bool:
    """Return whether a rule's port entry means the port, names resolved by the destination pod."""
    if entry.protocol != port.protocol:
        return False
    number = port.number or (target.named_ports.get((port.name, port.protocol), 0) if target else 0)
    if entry.name:
        resolved = target.named_ports.get((entry.name, entry.protocol)) if target else None
        return resolved is not None and resolved == number
    if not number:
        return (entry.first, entry.last) == (1, 65535)
    return entry.first <= number <= entry.last


def port_samples(policies: Iterable[Policy], targets: Iterable[Endpoint]) -> list[tuple[str, int]]:
    """Return one (protocol, port) of every range of ports that the policies tell apart, for these destinations."""
    edges: dict[str, set[int]] = {protocol: {1} for protocol in PROTOCOLS}
    names: set[tuple[str, str]] = set()
    for policy in policies:
        for rule in policy.rules:
            for entry in rule.ports or ():
                if entry.name:
                    names.add((entry.name, entry.protocol))
                elif entry.protocol in edges:
                    edges[entry.protocol].update((entry.first, entry.last + 1))
    for target in targets if names else ():
        for key, number in target.named_ports.items() if isinstance(target, PodView) else ():
            if key in names and key[1] in edges:
                edges[key[1]].update((number, number + 1))
    return [(protocol, number) for protocol in PROTOCOLS for number in sorted(edges[protocol]) if 1 <= number <= 65535]


def _rules(policies: Iterable[Policy], tier: Tier) -> Iterator[tuple[Policy, PolicyRule]]:
    for policy in policies:
        if policy.tier is tier:
            for rule in policy.rules:
                yield policy, rule


def _names(policies: Iterable[Policy]) -> str:
    return ", ".join(dict.fromkeys(str(policy) for policy in policies))


def _says(policy: Policy, action: Action) -> str:
    verb = {Action.ALLOW: "allowed", Action.DENY: "denied", Action.PASS: "passed on"}[action]
    return f"{verb} by {policy}"


def parse_endpoint(network: Network, text: str) -> Endpoint:
    """Return the pod or workload named ``NAMESPACE/NAME``, or the addresses of an IP or CIDR.

    Raises:
        LookupError: no such pod or workload; the message lists what the namespace has.
    """
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        pass
    else:
        return AddressSet.of([text])
    namespace, _, name = text.rpartition("/")
    found = [pod for pod in network.pods if pod.name == name and pod.namespace == (namespace or "default")]
    if not found:
        known = sorted({pod.name for pod in network.pods if pod.namespace == namespace})
        raise LookupError(", ".join(known))
    return found[0]
