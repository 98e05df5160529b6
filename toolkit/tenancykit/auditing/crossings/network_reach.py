"""Which tenants' pods reach which: the worst pods a tenant could run, not only those it happens to run.

A tenant chooses its pods' labels, so besides the pods of the set each namespace is given a bare pod and one for every
label selector that any policy applies to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from kubeanswers.network.addresses import PRIVATE, AddressSet
from kubeanswers.network.connections import Network, Port, ReachAnswer
from kubeanswers.network.matrix import ReachMatrix, reach_matrix
from kubeanswers.network.policies import policies_of, unevaluated
from kubeanswers.network.rules import Policy
from kubeanswers.objects import ManifestObject, ObjectSet, Where, mapping
from kubeanswers.pods import PodView, pods_of
from kubeanswers.records import dataclass
from kubeanswers.selectors import Selector
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import Tenancy

CROSSING: Final = "pod-network-to-victim"
METADATA_CROSSING: Final = "pod-to-metadata"
METADATA: Final = AddressSet.of(("169.254.169.254",))
"""Where the public clouds answer with a node's credentials; link-local, so no pod address."""

_HTTP: Final = Port("TCP", 80)
_MOST_DETAILED: Final = 200
"""Victims explained with an example connection; beyond them a finding says who, not how."""
_OF_NAMESPACES: Final = frozenset({"NetworkPolicy", "CiliumNetworkPolicy"})
_MOST_PODS: Final = 12
_ROWS: Final = 256
"""Rows of the matrix looked at together."""


@dataclass(frozen=True)
class NetworkReach:
    """The pod network of a set, tenant by tenant.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        pod_addresses: where pods of unknown address are taken to live.
        lifted: tenants that may take down the policies of their own namespaces.
    """

    objects: ObjectSet
    tenancy: Tenancy
    pod_addresses: AddressSet = PRIVATE
    lifted: frozenset[str] = frozenset()

    @cached_property
    def network(self) -> Network:
        """The network with the probe pods added."""
        namespaces = frozenset(n for n, tenant in self.tenancy.by_namespace.items() if tenant in self.lifted)
        return Network(self.objects, self.pod_addresses, tuple(self._probes()), namespaces)

    @cached_property
    def _pods(self) -> Mapping[str, list[PodView]]:
        found: dict[str, list[PodView]] = {}
        for pod in self.network.pods:
            found.setdefault(pod.namespace, []).append(pod)
        return found

    def _probes(self) -> Iterator[PodView]:
        policies = policies_of(self.objects)
        own: dict[str, set[Selector]] = {}
        everywhere: set[Selector] = set()
        for policy in policies:
            for selector, local in _selectors(policy):
                if selector.requirements:
                    (own.setdefault(policy.namespace, set()) if local else everywhere).add(selector)
        holder = ManifestObject({"apiVersion": "v1", "kind": "Pod"}, Where("<probe>"))
        ports = _container_ports(pods_of(self.objects), policies)
        for namespace in self.tenancy.by_namespace:
            yield PodView(namespace, "any-pod", {}, ports, holder)
            for selector in sorted(own.get(namespace, set()) | everywhere, key=_order):
                labels = _satisfying(selector)
                if labels:
                    yield PodView(namespace, f"pod-with-{_text(labels)}", labels, ports, holder)

    @cached_property
    def matrix(self) -> ReachMatrix:
        """Reachability between tenants."""
        return reach_matrix(self.network, self.tenancy.by_namespace)

    @cached_property
    def unevaluated(self) -> int:
        """How many policies of vendors may change the answer and are not evaluated."""
        return len(unevaluated(self.objects))

    @property
    def holders(self) -> frozenset[str]:
        """The barriers there are, by id: policies of namespaces, policies of administrators, networks of their own."""
        kinds = {policy.source.kind for policy in policies_of(self.objects)}
        found = {"cni-enforcement" if kind in _OF_NAMESPACES else "admin-tier" for kind in kinds}
        return frozenset(found | ({"overlay"} if self._networks else set()))

    @cached_property
    def victims(self) -> Mapping[str, frozenset[str]]:
        """For each tenant, the other tenants it reaches; equal sets are one object."""
        groups = self.matrix.groups
        sets: dict[bytes, frozenset[str]] = {}
        found: dict[str, frozenset[str]] = {}
        for i, tenant in enumerate(groups):
            if i % _ROWS == 0:
                rows = self.matrix.rows(i, min(i + _ROWS, len(groups)))
            row = rows[i % _ROWS]
            key = np.packbits(row).tobytes() if row.any() else b""
            if key not in sets:
                sets[key] = frozenset(groups[j] for j in row.nonzero()[0])
            reached = self._same_network(tenant, sets[key]) if self._networks else sets[key]
            if reached - {tenant}:
                found[tenant] = reached
        return found

    @cached_property
    def _networks(self) -> Mapping[str, frozenset[str]]:
        """Primary networks of each tenant's namespaces where OVN-Kubernetes gives some a network of their own."""
        return primary_networks(self.objects, self.tenancy.namespaces)

    def _same_network(self, tenant: str, others: frozenset[str]) -> frozenset[str]:
        own = self._networks[tenant]
        return frozenset(other for other in others if own & self._networks[other])

    def findings(self) -> Iterator[Finding]:
        """Yield, for each tenant others reach, the policy that lets them in or the lack of one."""
        groups = self.matrix.groups
        for j, victim in enumerate(groups):
            attackers = [
                groups[i] for i in self.matrix.sources(j) if i != j and victim in self.victims.get(groups[i], ())
            ]
            if attackers:
                answer = self.example(attackers[0], victim) if j < _MOST_DETAILED else None
                yield self._finding(victim, attackers, answer)

    def _finding(
        self, victim: str, attackers: list[str], found: tuple[PodView, PodView, ReachAnswer] | None
    ) -> Finding:
        namespace = found[1].namespace if found else self.tenancy.namespaces[victim][0]
        item = found[2].ingress.policies[0].source if found and found[2].ingress.policies else None
        item = item or self.objects.get("", "Namespace", "", namespace)
        subject, where = about(item) if item else (f"Namespace {namespace}", Where("<input>"))
        path, why = f"{attackers[0]} -> pod network -> {victim}", "its namespaces are open to other tenants' pods"
        if found:
            source, target, answer = found
            path = f"{source} -> {answer.port} -> {target} (egress: {answer.egress.why}; ingress: {answer.ingress.why})"
            why = answer.ingress.why
        unsure = f"; {self.unevaluated} policies not evaluated may refuse it" if self.unevaluated else ""
        by_policy = bool(found and found[2].ingress.policies)
        fix = (
            "narrow its peers to the tenant's own namespaces"
            if by_policy
            else f"add a default-deny NetworkPolicy for Ingress and Egress to {namespace}"
        )
        return Finding(
            "network-cross-tenant",
            Severity.MEDIUM if unsure else Severity.HIGH,
            subject,
            where,
            f"pods of {_tenants(len(attackers))} reach tenant {victim}: {why}{unsure}",
            path,
            fix,
            CROSSING,
            ("MTB #1201",),
            tuple(attackers[:5]),
        )

    def example(self, attacker: str, victim: str) -> tuple[PodView, PodView, ReachAnswer] | None:
        """Return one connection from the attacker to the victim, or None."""
        sources, targets = self._told_apart(attacker), self._told_apart(victim)
        for target in targets:
            for source in sources:
                answers = self.network.reach_any(source, target)
                if answers and answers[0].allowed:
                    return source, target, answers[0]
        return None

    def _told_apart(self, tenant: str) -> list[PodView]:
        pods = [pod for namespace in self.tenancy.namespaces[tenant] for pod in self._pods.get(namespace, ())]
        kept: dict[tuple[object, ...], PodView] = {}
        for pod in pods:
            kept.setdefault((pod.namespace, tuple(sorted(pod.labels.items())), pod.host_network), pod)
        return list(kept.values())[:_MOST_PODS]

    @cached_property
    def metadata_open(self) -> Mapping[str, ReachAnswer]:
        """The tenants that can have a pod ask the metadata service, each with the answer."""
        found: dict[str, ReachAnswer] = {}
        for tenant in self.tenancy.tenants:
            for pod in self._told_apart(tenant):
                if self.network.opens(pod, METADATA, _HTTP):
                    found[tenant] = self.network.reach(pod, METADATA, _HTTP)
                    break
        return found

    def unfenced(self, tenant: str) -> bool:
        """Return whether the tenant's pods reach the metadata service past its policies as they stand."""
        standing = Network(self.objects, self.pod_addresses, self.network.extra_pods)
        return any(standing.opens(pod, METADATA, _HTTP) for pod in self._told_apart(tenant))

    def metadata_findings(self) -> Iterator[Finding]:
        """Yield one finding per tenant whose pods reach the metadata service as its policies stand."""
        for tenant, answer in self.metadata_open.items():
            if tenant in self.lifted and not self.unfenced(tenant):
                continue
            item = answer.egress.policies[0].source if answer.egress.policies else None
            item = item or self.objects.get("", "Namespace", "", self.tenancy.namespaces[tenant][0])
            subject, where = (
                about(item) if item else (f"Namespace {self.tenancy.namespaces[tenant][0]}", Where("<input>"))
            )
            yield Finding(
                "network-metadata",
                Severity.MEDIUM,
                subject,
                where,
                f"pods of tenant {tenant} reach 169.254.169.254: {answer.egress.why}",
                f"{tenant} -> metadata service -> the node's cloud credentials -> what the node may read",
                "except 169.254.0.0/16 from every egress rule, and add a default-deny for Egress",
                METADATA_CROSSING,
                ("MS-TA9033",),
                (tenant,),
            )


_OVN: Final = "k8s.ovn.org"
_PRIMARY: Final = "k8s.ovn.org/primary-user-defined-network"


def primary_networks(objects: ObjectSet, tenants: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """Return the primary networks of each tenant's namespaces; nothing where every namespace is on the cluster's own.

    Pods of different primary user-defined networks do not reach each other
    (https://ovn-kubernetes.io/features/user-defined-networks/user-defined-networks/); a namespace has one only if it
    was made with the label for it.
    """
    found: dict[str, str] = {}
    for item in objects.of(_OVN, "UserDefinedNetwork"):
        if _is_primary(item.spec):
            found[item.namespace] = f"{item.namespace}/{item.name}"
    for item in objects.of(_OVN, "ClusterUserDefinedNetwork"):
        if _is_primary(mapping(item.spec.get("network"))):
            chosen = Selector.of(mapping(item.spec.get("namespaceSelector")))
            for name, labels in objects.namespaces.items():
                if chosen.matches(labels):
                    found[name] = item.name
    found = {name: network for name, network in found.items() if _PRIMARY in objects.namespaces.get(name, {})}
    if not found:
        return {}
    return {tenant: frozenset(found.get(name, "") for name in names) for tenant, names in tenants.items()}


def _is_primary(spec: Mapping[str, object]) -> bool:
    return any(mapping(spec.get(key)).get("role") == "Primary" for key in ("layer2", "layer3"))


def _selectors(policy: Policy) -> Iterator[tuple[Selector, bool]]:
    """Yield every pod selector of a policy, and whether it only looks into the policy's own namespace."""
    yield policy.pods, policy.namespaces is None
    for rule in policy.rules:
        for peer in rule.peers or ():
            yield peer.pods, peer.namespaces is None


@lru_cache(maxsize=4096)
def _order(selector: Selector) -> str:
    return str(selector)


def _satisfying(selector: Selector) -> dict[str, str]:
    labels: dict[str, str] = {}
    for term in selector.requirements:
        if term.operator == "In" and term.values:
            labels[term.key] = min(term.values)
        elif term.operator == "Exists":
            labels.setdefault(term.key, "x")
    return labels


def _container_ports(pods: Iterable[PodView], policies: Iterable[Policy]) -> dict[str, object]:
    """A probe listens on every port name any policy mentions, under a number the set gives it or 8080."""
    names = {
        (entry.name, entry.protocol)
        for policy in policies
        for rule in policy.rules
        for entry in rule.ports or ()
        if entry.name
    }
    numbers: dict[tuple[str, str], int] = {}
    for pod in pods if names else ():
        for key, number in pod.named_ports.items():
            numbers.setdefault(key, number)
    ports = [
        {"name": name, "protocol": protocol, "containerPort": numbers.get((name, protocol), 8080)}
        for name, protocol in sorted(names)
    ]
    return {"containers": [{"name": "probe", "ports": ports}]}


def _tenants(count: int) -> str:
    return f"{count} other tenant{'s' if count > 1 else ''}"


def _text(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
