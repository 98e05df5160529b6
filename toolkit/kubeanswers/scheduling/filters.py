"""Which machines can take a pod, and why the others cannot: the default filters, in their order.

A machine is refused by the first filter that finds something; the resource filter names everything that is short.
Rules: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins and the pages on taints, affinity and
topology spread constraints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from kubeanswers.scheduling import volumes
from kubeanswers.scheduling.cluster import BoolArray, Cluster, Group, IntArray
from kubeanswers.scheduling.configuration import FILTERS, Profile
from kubeanswers.scheduling.room import Room, Rows
from kubeanswers.scheduling.values import Machine, Pod, PodTerm, Spread, Taint, holds, term_holds
from kubeanswers.scheduling.verdict import Sieve, Verdict

UNSCHEDULABLE: Final = "node(s) were unschedulable"
TAINTED: Final = "node(s) had untolerated taint(s)"
UNMATCHED: Final = "node(s) didn't match Pod's node affinity/selector"
UNENFORCED: Final = "node(s) didn't match scheduler-enforced node affinity"
CONFLICT: Final = "pod affinity terms conflict"
ELSEWHERE: Final = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
PORTS: Final = "node(s) didn't have free ports for the requested pod ports"
FULL: Final = "Too many pods"
SKEWED: Final = "node(s) didn't match pod topology spread constraints"
UNLABELLED: Final = "node(s) didn't match pod topology spread constraints (missing required label)"
LONELY: Final = "node(s) didn't match pod affinity rules"
CROWDED: Final = "node(s) didn't match pod anti-affinity rules"
UNWELCOME: Final = "node(s) didn't satisfy existing pods anti-affinity rules"
FEATURELESS: Final = "node(s) didn't match Pod's required features"
_CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
_REPELS: Final = ("NoSchedule", "NoExecute")


def tolerated(pod: Pod, machine: Machine) -> bool:
    """Return whether the pod tolerates every taint that keeps pods away."""
    return all(
        any(toleration.tolerates(taint) for toleration in pod.tolerations)
        for taint in machine.taints
        if taint.effect in _REPELS
    )


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


@dataclass
class _Ties:
    """Terms of running pods that mean a pod, found group by group; points of a requirement are left at 0."""

    shunning: list[tuple[Group, PodTerm]] = field(default_factory=list)
    wished: list[tuple[Group, PodTerm, int]] = field(default_factory=list)
    read: int = 0

    def take(self, cluster: Cluster, group: Group, pod: Pod) -> None:
        """Add what another group says of the pod."""
        other = group.pod
        self.shunning += [(group, term) for term in other.away if cluster.means(term, pod)]
        self.wished += [(group, term, 0) for term in other.near if cluster.means(term, pod)]
        for sign, terms in ((1, other.near_wishes), (-1, other.away_wishes)):
            self.wished += [(group, term, sign * term.weight) for term in terms if cluster.means(term, pod)]


class Static:
    """What rules say about machines and groups of pods regardless of how many run, remembered per set of rules."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.machines = cluster.machines
        self.names = np.array([machine.name for machine in self.machines], dtype=object)
        self.room = Room(cluster)
        self._tolerated: dict[object, BoolArray] = {}
        self._disliked: dict[object, IntArray] = {}
        self._admitted: dict[object, BoolArray] = {}
        self._enforced: dict[object, BoolArray] = {}
        self._counted: dict[object, BoolArray] = {}
        self._ties: dict[object, _Ties] = {}
        self._cordoned = np.array([machine.cordoned for machine in self.machines], dtype=np.bool_)

    def shunning(self, pod: Pod) -> Sequence[tuple[Group, PodTerm]]:
        """Return the terms by which running pods keep a pod away, each with the group that has it."""
        return self._tied(pod).shunning

    def wished(self, pod: Pod, required: int) -> Sequence[tuple[Group, PodTerm, int]]:
        """Return the terms by which running pods want a pod near or far, with their points; ``required`` for a must."""
        return [(g, term, points or required) for g, term, points in self._tied(pod).wished]

    def _tied(self, pod: Pod) -> _Ties:
        key = (pod.namespace, tuple(pod.labels.items()))
        ties = self._ties.setdefault(key, _Ties())
        demanding = self.cluster.demanding
        for group in demanding[ties.read :]:
            ties.take(self.cluster, group, pod)
        ties.read = len(demanding)
        return ties

    def disliked(self, pod: Pod) -> IntArray:
        """Return how many soft taints of each machine a pod does not tolerate."""
        if pod.tolerations not in self._disliked:
            soft = [t for t in pod.tolerations if t.effect in ("", "PreferNoSchedule")]
            counts = [
                sum(
                    taint.effect == "PreferNoSchedule" and not any(t.tolerates(taint) for t in soft)
                    for taint in machine.taints
                )
                for machine in self.machines
            ]
            self._disliked[pod.tolerations] = np.array(counts, dtype=np.int64)
        return self._disliked[pod.tolerations]

    def counted(self, pod: Pod, spread: Spread, keys: Sequence[str]) -> BoolArray:
        """Return the machines a constraint counts: all labels in ``keys`` present, node rules as it honours them."""
        affinity = (pod.node_selector, pod.node_terms) if spread.honor_affinity else None
        taints = pod.tolerations if spread.honor_taints else None
        key = (tuple(keys), affinity, taints)
        if key not in self._counted:
            where = np.ones(len(self.machines), dtype=np.bool_)
            for label in keys:
                where &= self.cluster.codes(label) >= 0
            if spread.honor_affinity:
                where &= self.admitted(pod)
            if spread.honor_taints:
                where &= self.tolerated(pod)
            self._counted[key] = where
        return self._counted[key]

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

    def enforced(self, profile: Profile) -> BoolArray:
        """Return where the node rules hold that a profile adds to every pod's."""
        key = profile.enforced
        if key not in self._enforced:
            found = [key is None or any(term_holds(term, machine) for term in key) for machine in self.machines]
            self._enforced[key] = np.array(found, dtype=np.bool_)
        return self._enforced[key]

    def admitted(self, pod: Pod) -> BoolArray:
        """Return where the pod's node rules hold."""
        key = (pod.node_selector, pod.node_terms)
        if key not in self._admitted:
            self._admitted[key] = np.array([admits(pod, machine) for machine in self.machines], dtype=np.bool_)
        return self._admitted[key]


@dataclass(frozen=True)
class _Question:
    """One pod put to one filter after the other; ``spreads`` are the pod's constraints or those it gets."""

    cluster: Cluster
    static: Static
    pod: Pod
    profile: Profile
    spreads: tuple[Spread, ...]
    sieve: Sieve

    @property
    def has_claims(self) -> bool:
        """Whether the pod has volume claims the dump says enough about."""
        return bool(self.pod.claims) and not self.cluster.volumes.undecided(self.pod)

    @property
    def has_devices(self) -> bool:
        """Whether the pod asks for devices the dump says enough about."""
        return self.cluster.devices.asks(self.pod) and not self.cluster.devices.undecided(self.pod)


def apply_filters(cluster: Cluster, static: Static, pod: Pod, profile: Profile, spreads: tuple[Spread, ...]) -> Verdict:
    """Return what the filters of a profile say about every machine; ``spreads`` are the pod's or those it gets."""
    size = len(cluster.machines)
    names = named_machines(pod) if "NodeAffinity" in profile.filters else None
    upfront = CONFLICT if names is not None and not names else _upfront(cluster, pod, profile)
    if upfront:
        return Verdict(np.zeros(size, dtype=np.bool_), (), np.ones(size, dtype=np.bool_), upfront)
    question = _Question(cluster, static, pod, profile, spreads, Sieve(size))
    if names is not None:
        question.sieve.refuse(_where(cluster, lambda machine: machine.name not in names), ELSEWHERE, hopeless=True)
    for plugin in FILTERS:
        if plugin in profile.filters and plugin in _STEPS:
            _STEPS[plugin](question)
    return question.sieve.verdict()


def _upfront(cluster: Cluster, pod: Pod, profile: Profile) -> str:
    """Return why no machine needs to be looked at; empty where they do."""
    sources = (("VolumeBinding", cluster.volumes), ("DynamicResources", cluster.devices))
    asked = (part for plugin, part in sources if plugin in profile.filters and not part.undecided(pod))
    return next((why for part in asked if (why := part.upfront(pod))), "")


def _where(cluster: Cluster, holds_for: Callable[[Machine], bool]) -> BoolArray:
    return np.array([holds_for(machine) for machine in cluster.machines], dtype=np.bool_)


def _cordons(q: _Question) -> None:
    q.sieve.refuse(q.static.cordoned(q.pod), UNSCHEDULABLE, hopeless=True)


def _taints(q: _Question) -> None:
    q.sieve.refuse(~q.static.tolerated(q.pod), TAINTED, hopeless=True)


def _node_rules(q: _Question) -> None:
    q.sieve.refuse(~q.static.enforced(q.profile), UNENFORCED, hopeless=True)
    q.sieve.refuse(~q.static.admitted(q.pod), UNMATCHED, hopeless=True)


def _features(q: _Question) -> None:
    if q.pod.features:
        q.sieve.refuse(_where(q.cluster, lambda m: not q.pod.features <= m.features), FEATURELESS, hopeless=True)


def _ports(q: _Question) -> None:
    if q.pod.ports:
        clash = [
            any(port.clashes(other) for held in on.values() for other in held.ports for port in q.pod.ports)
            for on in q.cluster.pods_on
        ]
        q.sieve.refuse(np.array(clash, dtype=np.bool_), PORTS, hopeless=False)


def _fit(q: _Question) -> None:
    """Refuse machines short of anything; what exceeds the whole machine is hopeless."""
    asked = [
        (name, amount)
        for name, amount in sorted(q.pod.requests.items())
        if not (name in q.profile.ignored or ("/" in name and name.split("/")[0] in q.profile.ignored_groups))
    ]
    backed = frozenset(name for name, _ in asked if q.has_devices and q.cluster.devices.backs(name))
    key = ("short", tuple(asked), backed)
    *short, never = q.static.room.columns(key, lambda rows: _shortages(q.cluster, asked, backed, rows))
    reasons = (FULL, *(f"Insufficient {name}" for name, _ in asked))
    q.sieve.refuse_each(list(zip(reasons, short, strict=True)), hopeless=never)


def _shortages(
    cluster: Cluster, asked: Sequence[tuple[str, int]], backed: frozenset[str], rows: Rows
) -> Sequence[BoolArray]:
    """Return where pods are too many, where each resource is short, and where the whole machine is too small."""
    full = cluster.number[rows] + 1 > cluster.allowed_pods[rows]
    never = np.zeros_like(full)
    found = [full]
    for name, amount in asked:
        capacity = cluster.capacity(name)[rows]
        lacks = amount > capacity - cluster.used(name)[rows]
        if name in backed:
            lacks &= capacity > 0
        found.append(lacks)
        never |= lacks & (amount > capacity)
    return [*found, never]


def _disks(q: _Question) -> None:
    if q.pod.disks:
        clash = [
            volumes.clash(q.pod.disks, (d for other in on.values() for d in other.disks)) for on in q.cluster.pods_on
        ]
        q.sieve.refuse(np.array(clash, dtype=np.bool_), volumes.IN_USE, hopeless=False)
    if q.has_claims:
        others = (other for on in q.cluster.pods_on for other in on.values())
        everywhere = np.full(len(q.cluster.machines), q.cluster.volumes.alone(q.pod, others))
        q.sieve.refuse(everywhere, volumes.ALONE, hopeless=False)


def _attachments(q: _Question) -> None:
    if q.has_claims:
        pairs = zip(q.cluster.machines, q.cluster.pods_on, strict=True)
        exceeded = [q.cluster.volumes.exceeds(q.pod, machine, on.values()) for machine, on in pairs]
        q.sieve.refuse(np.array(exceeded, dtype=np.bool_), volumes.ATTACHED, hopeless=False)


def _claims(q: _Question) -> None:
    if q.has_claims:
        found = [q.cluster.volumes.conflicts(q.pod, machine) for machine in q.cluster.machines]
        reasons = dict.fromkeys(reason for one in found for reason in one)
        short = [(reason, np.array([reason in one for one in found], dtype=np.bool_)) for reason in reasons]
        if short:
            q.sieve.refuse_each(short, hopeless=np.ones(len(found), dtype=np.bool_))


def _zones(q: _Question) -> None:
    if q.has_claims:
        out = _where(q.cluster, lambda machine: q.cluster.volumes.out_of_zone(q.pod, machine))
        q.sieve.refuse(out, volumes.OUT_OF_ZONE, hopeless=True)


def _devices(q: _Question) -> None:
    if q.has_devices:
        for i in np.flatnonzero(q.sieve.standing).tolist():
            reason = q.cluster.devices.refusal(q.pod, q.cluster.machines[i])
            if reason:
                q.sieve.refuse(np.arange(len(q.cluster.machines)) == i, reason, hopeless=True)


def in_domains(codes: IntArray, where: BoolArray) -> tuple[int, BoolArray]:
    """Return how many domains some machines are in, and which machines are in any of them; no label is one more."""
    seen = np.zeros(int(codes.max(initial=0)) + 2, dtype=np.bool_)
    seen[codes[where]] = True  # code -1, no label, is the last place
    return int(seen.sum()), seen[codes]


def matching(cluster: Cluster, pod: Pod, spread: Spread) -> IntArray:
    """Return how many pods of the pod's namespace the constraint's selector means, per machine; an empty one none."""
    selector, namespace = spread.selector, pod.namespace
    if not selector:
        return cluster.zeros()
    return cluster.tally(
        (namespace, selector), lambda other: other.namespace == namespace and holds(selector, other.labels)
    ).live


def _spread(q: _Question) -> None:
    hard = [spread for spread in q.spreads if spread.hard]
    keys = [spread.topology for spread in hard]
    for spread in hard:
        where = q.static.counted(q.pod, spread, keys)
        codes = q.cluster.codes(spread.topology)
        q.sieve.refuse(codes < 0, UNLABELLED, hopeless=True)
        amount = np.where(where, matching(q.cluster, q.pod, spread), 0)
        sums = q.cluster.by_domain(spread.topology, amount)
        domains, known = in_domains(codes, where)
        least = int(sums[where].min()) if domains >= max(1, spread.min_domains) else 0
        present = np.where(known, sums, 0)
        skew = present + int(holds(spread.selector, q.pod.labels)) - least
        q.sieve.refuse(skew > spread.skew, SKEWED, hopeless=False)


def _affinity(q: _Question) -> None:
    cluster, pod = q.cluster, q.pod
    if pod.near:
        q.sieve.refuse(~_near(cluster, pod), LONELY, hopeless=True)
    for term in pod.away:
        q.sieve.refuse(cluster.by_domain(term.topology, cluster.meant(term)) > 0, CROWDED, hopeless=False)
    for group, term in q.static.shunning(pod):
        if group.count.any():
            q.sieve.refuse(cluster.by_domain(term.topology, group.count) > 0, UNWELCOME, hopeless=False)


def _near(cluster: Cluster, pod: Pod) -> BoolArray:
    """Return where required affinity holds; the first pod of its kind may start anywhere with the labels."""
    terms = pod.near
    count = cluster.tally(terms, lambda other: all(cluster.means(term, other) for term in terms)).count
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


_STEPS: Final[Mapping[str, Callable[[_Question], None]]] = {
    "NodeUnschedulable": _cordons,
    "TaintToleration": _taints,
    "NodeAffinity": _node_rules,
    "NodePorts": _ports,
    "NodeResourcesFit": _fit,
    "VolumeRestrictions": _disks,
    "NodeVolumeLimits": _attachments,
    "VolumeBinding": _claims,
    "VolumeZone": _zones,
    "PodTopologySpread": _spread,
    "InterPodAffinity": _affinity,
    "DynamicResources": _devices,
    "NodeDeclaredFeatures": _features,
}
"""What each plugin refuses; asked in the order of ``FILTERS``."""
