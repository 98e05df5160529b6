"""Which machines can take a pod, and why the others cannot: the default filters, in their order.

A machine is refused by the first filter that finds something; the resource filter names everything that is short.
Rules: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins and the pages on taints, affinity and
topology spread constraints.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from tenancykit.criteria.cost.scheduler.cluster import BoolArray, Cluster, IntArray
from tenancykit.criteria.cost.scheduler.values import CPU, MEMORY, Machine, NodeTerm, Pod, PodTerm, Spread, Taint, holds

UNSCHEDULABLE: Final = "node(s) were unschedulable"
TAINTED: Final = "node(s) had untolerated taint(s)"
UNMATCHED: Final = "node(s) didn't match Pod's node affinity/selector"
ELSEWHERE: Final = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
PORTS: Final = "node(s) didn't have free ports for the requested pod ports"
FULL: Final = "Too many pods"
SKEWED: Final = "node(s) didn't match pod topology spread constraints"
UNLABELLED: Final = "node(s) didn't match pod topology spread constraints (missing required label)"
LONELY: Final = "node(s) didn't match pod affinity rules"
CROWDED: Final = "node(s) didn't match pod anti-affinity rules"
UNWELCOME: Final = "node(s) didn't satisfy existing pods anti-affinity rules"
_CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
_REPELS: Final = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Verdict:
    """What the filters say about every machine.

    Attributes:
        feasible: which machines can take the pod.
        reasons: why not, per machine; empty where feasible.
        hopeless: where removing other pods would not help.
    """

    feasible: BoolArray
    reasons: tuple[tuple[str, ...], ...]
    hopeless: BoolArray

    def event(self) -> str:
        """Return the reasons as the scheduler's event words them."""
        return wording(Counter(reason for reasons in self.reasons for reason in reasons), len(self.reasons))


def wording(counts: Counter[str], machines: int) -> str:
    """Return counted reasons, sorted as text, after the number of machines."""
    if machines == 0:
        return "no nodes available to schedule pods"
    listed = ", ".join(sorted(f"{number} {reason}" for reason, number in counts.items()))
    return f"0/{machines} nodes are available: {listed}."


class _Sieve:
    """Filters applied one after the other to the machines still standing."""

    def __init__(self, size: int) -> None:
        self.standing = np.ones(size, dtype=np.bool_)
        self.hopeless = np.zeros(size, dtype=np.bool_)
        self.reasons: list[tuple[str, ...]] = [()] * size

    def refuse(self, where: BoolArray, reason: str, *, hopeless: bool) -> None:
        hit = self.standing & where
        for i in np.flatnonzero(hit).tolist():
            self.reasons[i] = (reason,)
        self.standing &= ~hit
        if hopeless:
            self.hopeless |= hit


def tolerated(pod: Pod, machine: Machine) -> bool:
    """Return whether the pod tolerates every taint that keeps pods away."""
    return all(
        any(toleration.tolerates(taint) for toleration in pod.tolerations)
        for taint in machine.taints
        if taint.effect in _REPELS
    )


def term_holds(term: NodeTerm, machine: Machine) -> bool:
    """Return whether a machine satisfies a node term; an empty term holds nowhere."""
    if not term.labels and not term.fields:
        return False
    return holds(term.labels, machine.labels) and holds(term.fields, {"metadata.name": machine.name})


def admits(pod: Pod, machine: Machine) -> bool:
    """Return whether a machine satisfies the pod's node selector and required node rules."""
    if any(machine.labels.get(key) != value for key, value in pod.node_selector):
        return False
    return pod.node_terms is None or any(term_holds(term, machine) for term in pod.node_terms)


def named_machines(pod: Pod) -> frozenset[str] | None:
    """Return the only machines the pod's node rules name, looked at before any filter; ``None`` where they do not."""
    if not pod.node_terms:
        return None
    names: set[str] = set()
    for term in pod.node_terms:
        chosen = [set(r.values) for r in term.fields if r.key == "metadata.name" and r.operator == "In"]
        if not chosen:
            return None
        names |= set.intersection(*chosen)
    return frozenset(names)


class Static:
    """What rules say about machines regardless of the pods on them, remembered per set of rules."""

    def __init__(self, cluster: Cluster) -> None:
        self.machines = cluster.machines
        self._tolerated: dict[object, BoolArray] = {}
        self._admitted: dict[object, BoolArray] = {}
        self._cordoned = np.array([machine.cordoned for machine in self.machines], dtype=np.bool_)

    def cordoned(self, pod: Pod) -> BoolArray:
        """Return where the pod is kept out by a cordon."""
        if any(toleration.tolerates(_CORDON) for toleration in pod.tolerations):
            return np.zeros_like(self._cordoned)
        return self._cordoned

    def tolerated(self, pod: Pod) -> BoolArray:
        """Return where the pod tolerates the taints."""
        if pod.tolerations not in self._tolerated:
            found = [tolerated(pod, machine) for machine in self.machines]
            self._tolerated[pod.tolerations] = np.array(found, dtype=np.bool_)
        return self._tolerated[pod.tolerations]

    def admitted(self, pod: Pod) -> BoolArray:
        """Return where the pod's node rules hold."""
        key = (pod.node_selector, pod.node_terms)
        if key not in self._admitted:
            self._admitted[key] = np.array([admits(pod, machine) for machine in self.machines], dtype=np.bool_)
        return self._admitted[key]


def apply_filters(cluster: Cluster, static: Static, pod: Pod) -> Verdict:
    """Return what the default filters say about every machine."""
    sieve = _Sieve(len(cluster.machines))
    names = named_machines(pod)
    if names is not None:
        elsewhere = np.array([machine.name not in names for machine in cluster.machines], dtype=np.bool_)
        sieve.refuse(elsewhere, ELSEWHERE, hopeless=True)
    sieve.refuse(static.cordoned(pod), UNSCHEDULABLE, hopeless=True)
    sieve.refuse(~static.tolerated(pod), TAINTED, hopeless=True)
    sieve.refuse(~static.admitted(pod), UNMATCHED, hopeless=True)
    if pod.ports:
        sieve.refuse(_port_clash(cluster, pod), PORTS, hopeless=False)
    _fit(cluster, pod, sieve)
    if any(spread.hard for spread in pod.spreads):
        _spread(cluster, static, pod, sieve)
    _affinity(cluster, pod, sieve)
    return Verdict(sieve.standing, tuple(sieve.reasons), sieve.hopeless)


def _port_clash(cluster: Cluster, pod: Pod) -> BoolArray:
    return np.array(
        [
            any(port.clashes(other) for held in on.values() for other in held.ports for port in pod.ports)
            for on in cluster.pods_on
        ],
        dtype=np.bool_,
    )


def _fit(cluster: Cluster, pod: Pod, sieve: _Sieve) -> None:
    """Refuse machines short of anything; what exceeds the whole machine is hopeless."""
    short: list[tuple[str, BoolArray]] = [(FULL, cluster.number + 1 > cluster.allowed_pods)]
    never = np.zeros(len(cluster.machines), dtype=np.bool_)
    for name in sorted(
        pod.requests, key=lambda name: ((CPU, MEMORY).index(name) if name in (CPU, MEMORY) else 2, name)
    ):
        amount, capacity = pod.requests[name], cluster.capacity(name)
        lacks = amount > capacity - cluster.used(name)
        short.append((f"Insufficient {name}", lacks))
        never |= lacks & (amount > capacity)
    hit = sieve.standing & np.any([lacks for _, lacks in short], axis=0)
    for i in np.flatnonzero(hit).tolist():
        sieve.reasons[i] = tuple(reason for reason, lacks in short if lacks[i])
    sieve.standing &= ~hit
    sieve.hopeless |= hit & never


def counted(cluster: Cluster, static: Static, pod: Pod, spread: Spread, keys: list[str]) -> BoolArray:
    """Return the machines a constraint counts: all topology labels present, node rules as it honours them."""
    where = np.ones(len(cluster.machines), dtype=np.bool_)
    for key in keys:
        where &= cluster.codes(key) >= 0
    if spread.honor_affinity:
        where &= static.admitted(pod)
    if spread.honor_taints:
        where &= static.tolerated(pod)
    return where


def matching(cluster: Cluster, pod: Pod, spread: Spread) -> IntArray:
    """Return how many pods of the pod's namespace the constraint's selector means, per machine."""
    total = cluster.zeros()
    for group in cluster.groups.values():
        if group.pod.namespace == pod.namespace and holds(spread.selector, group.pod.labels):
            total += group.live
    return total


def _spread(cluster: Cluster, static: Static, pod: Pod, sieve: _Sieve) -> None:
    hard = [spread for spread in pod.spreads if spread.hard]
    keys = [spread.topology for spread in hard]
    for spread in hard:
        where = counted(cluster, static, pod, spread, keys)
        codes = cluster.codes(spread.topology)
        sieve.refuse(codes < 0, UNLABELLED, hopeless=True)
        amount = np.where(where, matching(cluster, pod, spread), 0)
        sums = cluster.by_domain(spread.topology, amount)
        domains = np.unique(codes[where])
        least = int(sums[where].min()) if len(domains) >= max(1, spread.min_domains) else 0
        known = np.isin(codes, domains)
        present = np.where(known, sums, 0)
        skew = present + int(holds(spread.selector, pod.labels)) - least
        sieve.refuse(skew > spread.skew, SKEWED, hopeless=False)


def _affinity(cluster: Cluster, pod: Pod, sieve: _Sieve) -> None:
    if pod.near:
        sieve.refuse(~_near(cluster, pod), LONELY, hopeless=True)
    for term in pod.away:
        count = sum((g.count for g in cluster.groups.values() if cluster.means(term, g.pod)), cluster.zeros())
        sieve.refuse(cluster.by_domain(term.topology, count) > 0, CROWDED, hopeless=False)
    for group in cluster.groups.values():
        for term in group.pod.away:
            if cluster.means(term, pod) and group.count.any():
                sieve.refuse(cluster.by_domain(term.topology, group.count) > 0, UNWELCOME, hopeless=False)


def _near(cluster: Cluster, pod: Pod) -> BoolArray:
    """Return where required affinity holds; the first pod of its kind may start anywhere with the labels."""
    count = cluster.zeros()
    for group in cluster.groups.values():
        if all(cluster.means(term, group.pod) for term in pod.near):
            count += group.count
    labelled = np.ones(len(cluster.machines), dtype=np.bool_)
    satisfied = np.ones(len(cluster.machines), dtype=np.bool_)
    nowhere = True
    for term in pod.near:
        labelled &= cluster.codes(term.topology) >= 0
        here = cluster.by_domain(term.topology, count)
        nowhere &= not here.any()
        satisfied &= here > 0
    if nowhere and _means_itself(cluster, pod, pod.near):
        return labelled
    return labelled & satisfied


def _means_itself(cluster: Cluster, pod: Pod, terms: tuple[PodTerm, ...]) -> bool:
    return all(cluster.means(term, pod) for term in terms)
