"""One pod at a time, as the scheduler takes it: filter, score, choose, or make room by preemption."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from kubeanswers.scheduling.allocation import ClaimError
from kubeanswers.scheduling.cluster import BoolArray, Cluster, IntArray
from kubeanswers.scheduling.configuration import Profile
from kubeanswers.scheduling.filters import Static, apply_filters
from kubeanswers.scheduling.scores import Scores, score
from kubeanswers.scheduling.values import Budget, Pod, Selector, Spread, holds
from kubeanswers.scheduling.verdict import Verdict, wording

NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
NO_VICTIMS: Final = "No preemption victims found for incoming pod"
NEVER: Final = "preemption: not eligible due to preemptionPolicy=Never."
WAITING: Final = "preemption: not eligible due to a terminating pod on the nominated node."
GATED: Final = "Scheduling is blocked due to non-empty scheduling gates"
_LIFT: Final = 2**31
"""Added to priorities before they are summed, so that more victims never weigh less than fewer."""

_LATEST: Final = "~"
"""Sorts behind every time: a pod that has not started counts as starting now."""


def _covers(budget: Budget, pod: Pod) -> bool:
    """Return whether a budget counts the removal of a pod; no empty selector covers any, none one without labels."""
    inside = budget.namespace == pod.namespace and pod.name not in budget.disrupted
    return inside and bool(budget.selector) and bool(pod.labels) and holds(budget.selector, pod.labels)


def _importance(pod: Pod) -> tuple[int, str]:
    """Return a key that puts the more important pod first: higher priority, then longer running."""
    return -pod.priority, pod.started or _LATEST


@dataclass(frozen=True)
class Decision:
    """What the scheduler does with a pod.

    Attributes:
        node: machine it is bound to; empty while pending.
        event: why it is pending, as the scheduler words it; empty when bound.
        verdict: what the filters said; ``None`` for a pod that was not looked at.
        scores: points of the feasible machines; ``None`` where fewer than two were feasible.
        nominated: machine on which room is being made.
        victims: pods to be removed there.
    """

    node: str
    event: str
    verdict: Verdict | None
    scores: Scores | None = None
    nominated: str = ""
    victims: tuple[Pod, ...] = ()


def heap_top(tied: IntArray) -> int:
    """Return which of the positions with the highest score is on top of a binary heap made of all scores in order.

    The scheduler makes such a heap and takes its top, so with machines in its order (see :func:`zone_order`) ties are
    not arbitrary: an element stays above its children unless one is greater, and the left child goes before the right.
    """
    positions = tied.tolist()

    def below(root: int) -> bool:
        """Return whether one of the positions is in the part of the heap under a root."""
        first, last = root, root
        while first <= positions[-1]:
            at = bisect_left(positions, first)
            if at < len(positions) and positions[at] <= last:
                return True
            first, last = 2 * first + 1, 2 * last + 2
        return False

    at = 0
    while (held := bisect_left(positions, at)) == len(positions) or positions[held] != at:
        left = 2 * at + 1
        at = left if below(left) else left + 1
    return at


class Scheduler:
    """The default scheduler over a cluster.

    Attributes:
        cluster: the state, changed by :meth:`bind` and :meth:`evict`.
        profile: settings for pods whose scheduler is not among ``profiles``.
        services: (namespace, selector) of services, whose pods are spread softly by default.
        controllers: selectors by (namespace, ``Kind/name``), whose pods are spread likewise.
        budgets: disruption budgets, weighed when victims are chosen.
        ties: draws among machines with equal points; ``None`` takes the one on top of the scheduler's heap.
        profiles: settings by scheduler name.
        expected: pending pods by machine on which room is kept for them.
    """

    def __init__(
        self,
        cluster: Cluster,
        profile: Profile | None = None,
        services: Sequence[tuple[str, Selector]] = (),
        budgets: Sequence[Budget] = (),
        ties: np.random.Generator | None = None,
    ) -> None:
        self.cluster = cluster
        self.profile = profile or Profile()
        self.services = tuple(services)
        self.budgets = list(budgets)
        self.ties = ties
        self.static = Static(cluster)
        self.controllers: Mapping[tuple[str, str], Selector] = {}
        self.profiles: Mapping[str, Profile] = {}
        self.expected: dict[str, list[Pod]] = {}
        self._spreads: dict[tuple[object, ...], tuple[Spread, ...]] = {}

    def bind(self, pod: Pod, node: str) -> None:
        """Put a pod on a machine, whether or not it fits there."""
        at = self.cluster.position[node]
        self.cluster.add(pod, at)
        self.cluster.volumes.bind(pod, self.cluster.machines[at])
        self.cluster.devices.bind(pod, self.cluster.machines[at])
        self.expect(pod, "")

    def release_claim(self, pod: Pod) -> bool:
        """Take devices back from a claim nobody uses that keeps a pod from machines; return whether there was one."""
        devices = self.cluster.devices
        return devices.asks(pod) and not devices.undecided(pod) and devices.free(pod, self.cluster.machines)

    def expect(self, pod: Pod, node: str) -> None:
        """Keep room for a pending pod on a machine, which pods of no higher priority have to leave it."""
        for pods in self.expected.values():
            pods[:] = [other for other in pods if other.key != pod.key]
        if node in self.cluster.position:
            self.expected.setdefault(node, []).append(pod)

    def evict(self, pod: Pod, node: str) -> None:
        """Take a pod off its machine; budgets that cover it allow one disruption less."""
        self.cluster.remove(pod, self.cluster.position[node])
        for i, budget in enumerate(self.budgets):
            if _covers(budget, pod):
                self.budgets[i] = replace(budget, allowed=max(0, budget.allowed - 1))

    def feasible(self, pod: Pod) -> BoolArray:
        """Return where a pod could go now, machine by machine, room kept for pods that are expected left to them.

        Raises:
            ClaimError: its claims to devices cannot be read.
        """
        return self._judge(pod).feasible

    def decide(self, pod: Pod, *, preempt: bool = True) -> Decision:
        """Return what would be done with a pod now; nothing is changed."""
        if pod.gated:
            return Decision("", GATED, None)
        try:
            verdict = self._judge(pod)
        except ClaimError as error:
            return Decision("", f'running "DynamicResources" filter plugin: {error}', None)
        number = int(verdict.feasible.sum())
        at = self.cluster.position.get(pod.nominated)
        if at is not None and verdict.feasible[at]:
            return Decision(pod.nominated, "", verdict)
        if number == 0:
            return self._make_room(pod, verdict) if preempt else Decision("", verdict.event(), verdict)
        if number == 1:
            return Decision(self.cluster.machines[int(verdict.feasible.argmax())].name, "", verdict)
        spreads = self.spreads(pod)
        points = score(self.cluster, self.static, pod, verdict.feasible, self._profile(pod), spreads)
        best = self._choice(points)
        return Decision(self.cluster.machines[best].name, "", verdict, points)

    def _profile(self, pod: Pod) -> Profile:
        return self.profiles.get(pod.scheduler, self.profile)

    def _judge(self, pod: Pod) -> Verdict:
        """Return what the filters say, with room left to the pods expected on a machine and without them."""
        profile, spreads = self._profile(pod), self.spreads(pod)
        verdict = apply_filters(self.cluster, self.static, pod, profile, spreads)
        for node, pods in self.expected.items():
            others = [other for other in pods if other.priority >= pod.priority and other.key != pod.key]
            at = self.cluster.position[node]
            if others and not verdict.upfront:
                with self._present(others, at):
                    crowded = apply_filters(self.cluster, self.static, pod, profile, spreads)
                if not crowded.feasible[at]:
                    verdict = verdict.overruled(at, crowded)
        return verdict

    @contextmanager
    def _present(self, pods: Sequence[Pod], at: int) -> Iterator[None]:
        for pod in pods:
            self.cluster.add(pod, at)
        try:
            yield
        finally:
            for pod in pods:
                self.cluster.remove(pod, at)

    def _choice(self, points: Scores) -> int:
        top = np.flatnonzero(points.total == points.total.max())
        pick = heap_top(top) if self.ties is None else int(self.ties.choice(top))
        return int(points.machines[pick])

    def spreads(self, pod: Pod) -> tuple[Spread, ...]:
        """Return a pod's topology spread constraints, or those pods of a service or controller get without any."""
        if pod.spreads:
            return pod.spreads
        key = (pod.namespace, tuple(pod.labels.items()), pod.owner, pod.scheduler)
        if key not in self._spreads:
            self._spreads[key] = self._default_spreads(pod)
        return self._spreads[key]

    def _default_spreads(self, pod: Pod) -> tuple[Spread, ...]:
        selectors = [chosen for namespace, chosen in self.services if namespace == pod.namespace]
        owner = self.controllers.get((pod.namespace, pod.owner), ())
        merged: Selector = tuple(r for chosen in selectors if chosen and holds(chosen, pod.labels) for r in chosen)
        if not merged and not owner:
            return ()
        return tuple(replace(spread, selector=(*merged, *owner)) for spread in self._profile(pod).spreads)

    def _make_room(self, pod: Pod, verdict: Verdict) -> Decision:
        event = verdict.event()
        if not self.cluster.machines or not self._profile(pod).preempts:
            return Decision("", event, verdict)
        if not pod.preempts:
            return Decision("", f"{event} {NEVER}", verdict)
        if self._waits(pod, verdict):
            return Decision("", f"{event} {WAITING}", verdict)
        helpful = np.flatnonzero(~verdict.hopeless).tolist()
        tried = {at: self._victims(pod, at) for at in helpful}
        found = {at: result for at, result in tried.items() if result[0]}
        if not found:
            counts = Counter({NOT_HELPFUL: int(verdict.hopeless.sum())})
            counts.update(reason for _, _, reasons in tried.values() for reason in reasons)
            return Decision("", f"{event} preemption: {wording(+counts, len(self.cluster.machines))}", verdict)
        at = min(found, key=lambda at: (*self._cost(found[at]), at))
        return Decision("", event, verdict, None, self.cluster.machines[at].name, tuple(found[at][0]))

    def _waits(self, pod: Pod, verdict: Verdict) -> bool:
        """Return whether room is being made for a pod where it is expected."""
        at = self.cluster.position.get(pod.nominated)
        if at is None or verdict.hopeless[at]:
            return False
        on = self.cluster.pods_on[at].values()
        return any(other.preempted and other.priority < pod.priority for other in on)

    def _victims(self, pod: Pod, at: int) -> tuple[list[Pod], int, tuple[str, ...]]:
        """Return the pods to remove from a machine so that a pod fits, how many budgets that breaks, or why not.

        All pods of lower priority are taken off; then each is put back where the pod still fits: those whose budget
        would be broken first, the more important first.
        """
        lower = [other for other in self.cluster.pods_on[at].values() if other.priority < pod.priority]
        if not lower:
            return [], 0, (NO_VICTIMS,)
        lower.sort(key=_importance)
        broken = self._breaks_budget(lower)
        for other in lower:
            self.cluster.remove(other, at)
        try:
            verdict = self._judge(pod)
            if not verdict.feasible[at]:
                return [], 0, verdict.reasons(at)
            victims, violations = list[Pod](), 0
            ordered = [o for o in lower if o.key in broken] + [o for o in lower if o.key not in broken]
            for other in ordered:
                self.cluster.add(other, at)
                if not self._judge(pod).feasible[at]:
                    self.cluster.remove(other, at)
                    victims.append(other)
                    violations += other.key in broken
        finally:
            for other in lower:
                if other.key not in self.cluster.pods_on[at]:
                    self.cluster.add(other, at)
        victims.sort(key=_importance)
        return victims, violations, ()

    def _breaks_budget(self, pods: Sequence[Pod]) -> set[str]:
        left = [budget.allowed for budget in self.budgets]
        broken = set()
        for pod in pods:
            for i, budget in enumerate(self.budgets):
                if _covers(budget, pod):
                    left[i] -= 1
                    if left[i] < 0:
                        broken.add(pod.key)
        return broken

    @staticmethod
    def _cost(found: tuple[list[Pod], int, tuple[str, ...]]) -> tuple[int, int, int, int, tuple[int, ...]]:
        """Return what makes a machine a worse choice: budgets broken, highest victim, sum, number, early start."""
        victims, violations, _ = found
        highest = max(victim.priority for victim in victims)
        total = sum(victim.priority + _LIFT for victim in victims)
        earliest = min(victim.started or _LATEST for victim in victims if victim.priority == highest)
        return violations, highest, total, len(victims), tuple(-ord(letter) for letter in earliest)
