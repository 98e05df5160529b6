"""A what-if for a live cluster: where its pending pods would go, or why they would not.

Reads the objects ``kubectl get -o yaml`` prints that bear on placement (``inventory.READ``), and a
KubeSchedulerConfiguration where one is given. Controllers are asked for the pods they lack. Pods without a node are
placed as the scheduler takes them: higher priority first, then by age, then in the given order. Those not created yet
(without a uid) have to pass their namespace's LimitRanges and quotas first.

The rules are those of kube-scheduler 1.36 with its default features, which leave out pod groups (gang scheduling) and
comparisons in tolerations. Every machine is scored; the scheduler itself samples those of clusters of more than 100.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, field, replace
from typing import Any

import numpy as np

from kubeanswers.collector import paused_collector
from kubeanswers.records import dataclass
from kubeanswers.scheduling.allocation import DeviceTest
from kubeanswers.scheduling.arrivals import Arrivals, exists
from kubeanswers.scheduling.cluster import Cluster
from kubeanswers.scheduling.configuration import DEFAULT_SCHEDULER, Profile
from kubeanswers.scheduling.devices import Devices
from kubeanswers.scheduling.growth import Build, Growth, NodeGroup, grow, node_groups
from kubeanswers.scheduling.inventory import Inventory, take_inventory
from kubeanswers.scheduling.objects import Reader
from kubeanswers.scheduling.requests import Object
from kubeanswers.scheduling.scheduling import Decision, Scheduler
from kubeanswers.scheduling.values import FitScoring, Machine, Pod


@dataclass(frozen=True)
class PodPlace:
    """Where one pending pod would go.

    Attributes:
        pod: ``namespace/name``.
        node: machine it would be bound to; empty where it stays pending.
        reason: why it stays pending, worded like the scheduler's event or the API server's refusal.
        score: total points of the machine; ``None`` where only one was feasible.
        ties: other machines with as many points.
        preempted: pods that would be removed to make room.
        unchecked: what the pod asks for that is not looked at here.
        refused: whether the API server would not create the pod at all (LimitRange, quota, a class that is not there).
    """

    pod: str
    node: str
    reason: str
    score: int | None = None
    ties: tuple[str, ...] = ()
    preempted: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    refused: bool = False


@dataclass(frozen=True)
class DumpPlacement:
    """Where the pending pods of a dump would go, in the order in which they are taken.

    Attributes:
        pods: one entry per pending pod.
        aside: objects of kinds that do not bear on placement, counted by kind.
        notes: controllers that create no pods now, and why.
        growth: nodes an autoscaler would add; ``None`` where it was not asked.
        unhelped: pods, as ``namespace/name``, without a place even then.
    """

    pods: tuple[PodPlace, ...]
    aside: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    growth: tuple[Growth, ...] | None = None
    unhelped: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[PodPlace, ...]:
        """The pods that would stay pending on the nodes there are."""
        return tuple(place for place in self.pods if not place.node)

    @property
    def waits(self) -> bool:
        """Whether some pod finds no place, on added nodes where they were asked for."""
        return bool(self.pending) if self.growth is None else bool(self.unhelped)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        plain: dict[str, Any] = {
            "pods": [asdict(place) for place in self.pods],
            "aside": dict(self.aside),
            "notes": list(self.notes),
        }
        if self.growth is not None:
            plain |= {"growth": [asdict(one) for one in self.growth], "unhelped": list(self.unhelped)}
        return plain


def place_dump(
    objects: Iterable[Any],
    *,
    fit: FitScoring | None = None,
    seed: int | None = None,
    device_test: DeviceTest | None = None,
    where: Mapping[int, str] | None = None,
    offers: Iterable[Object] | None = None,
) -> DumpPlacement:
    """Return node or reason for every pending pod of a dump, in the order in which the scheduler takes them.

    Args:
        objects: parsed objects, lists included.
        fit: resource scoring strategy; otherwise that of a KubeSchedulerConfiguration in the dump, or the default.
        seed: draws among machines with equal points; ``None`` takes what the scheduler's own order of nodes gives.
        device_test: evaluates selectors of device claims and classes; without it, claims with any are not looked at.
        where: file and line of objects, by their identity in memory, for messages.
        offers: nodes like which there could be more, beside those of the dump: asks which an autoscaler would add.

    Raises:
        InputError: objects are malformed, with every fault found.
    """
    with paused_collector():
        return _placed(take_inventory(objects, where), fit, seed, device_test, offers)


def _placed(
    found: Inventory,
    fit: FitScoring | None,
    seed: int | None,
    device_test: DeviceTest | None,
    offers: Iterable[Object] | None,
) -> DumpPlacement:
    scheduler = _scheduler(found, fit, seed, device_test)
    arrivals, reader = Arrivals(found.things), Reader(found.things)
    waiting = [(thing, pod) for thing, pod in found.pods if not pod.node and not pod.terminating]
    waiting.sort(key=lambda one: (-one[1].priority, _created(one[0])))
    for _, pod in waiting:
        scheduler.expect(pod, pod.nominated)
    answers = [_place(scheduler, arrivals, reader, thing, pod) for thing, pod in waiting]
    placed = DumpPlacement(tuple(place for place, _ in answers), found.aside, found.notes)
    if offers is None:
        return placed
    start = functools.partial(_scheduler, found, fit, seed, device_test)
    return _grown(placed, found, node_groups(found.things, offers), start, [pod for _, pod in answers])


def _grown(
    placed: DumpPlacement, found: Inventory, groups: Sequence[NodeGroup], start: Build, asked: Sequence[Pod]
) -> DumpPlacement:
    """Return a placement with the nodes that an autoscaler would add for what is pending or was removed.

    Args:
        placed: where pods go on the nodes there are.
        found: the dump.
        groups: what may be added.
        start: makes the cluster as the dump has it, with further machines.
        asked: the pods of the placement, in its order, with what the API server fills in.
    """
    refused = tuple(place.pod for place in placed.pods if place.refused)
    removed = {victim for place in placed.pods for victim in place.preempted}
    waiting = [pod for place, pod in zip(placed.pods, asked, strict=True) if not (place.node or place.refused)]
    running = [pod for _, pod in found.pods if pod.node and pod.key in removed]

    def build(more: Sequence[Machine]) -> Scheduler:
        made = start(more)
        for pod in running:
            made.evict(pod, pod.node)
        for place, pod in zip(placed.pods, asked, strict=True):
            if place.node and place.pod not in removed:
                made.bind(pod, place.node)
        return made

    again = [replace(pod, node="") for pod in running if pod.owner]
    growth, unhelped = grow(groups, [*waiting, *again], build)
    return replace(placed, growth=growth, unhelped=(*refused, *(pod.key for pod in unhelped)))


def _created(thing: Object) -> str:
    """Return when a pod came into the queue; one that is still to be created comes last."""
    return str((thing.get("metadata") or {}).get("creationTimestamp") or ("" if exists(thing) else "~"))


def _scheduler(
    found: Inventory,
    fit: FitScoring | None,
    seed: int | None,
    device_test: DeviceTest | None,
    more: Sequence[Machine] = (),
) -> Scheduler:
    running = [pod for _, pod in found.pods if pod.node]
    settings = found.profiles.get(DEFAULT_SCHEDULER, Profile())
    scheduler = Scheduler(
        Cluster([*found.machines, *more], running, found.namespaces, found.storage, Devices(found.offers, device_test)),
        settings if fit is None else replace(settings, fit=fit),
        found.services,
        found.budgets,
        None if seed is None else np.random.default_rng(seed),
    )
    scheduler.controllers = found.controllers
    scheduler.profiles = {name: profile for name, profile in found.profiles.items() if name != DEFAULT_SCHEDULER}
    return scheduler


def _place(scheduler: Scheduler, arrivals: Arrivals, reader: Reader, thing: Object, pod: Pod) -> tuple[PodPlace, Pod]:
    """Place one pod; return where it goes, and the pod with what the API server filled in."""
    unchecked = tuple(_unchecked(scheduler, pod, thing.get("spec") or {}))
    if not exists(thing):
        answer = arrivals.create(thing)
        if answer.stored is None:
            return PodPlace(pod.key, "", answer.why, unchecked=unchecked, refused=True), pod
        pod = reader.pod(answer.stored)
    decision = scheduler.decide(pod)
    while not (decision.node or decision.nominated) and scheduler.release_claim(pod):
        decision = scheduler.decide(pod)
    node = decision.node or decision.nominated
    for victim in decision.victims:
        scheduler.evict(victim, decision.nominated)
    if not node:
        return PodPlace(pod.key, "", decision.event, unchecked=unchecked), pod
    scheduler.bind(pod, node)
    total, ties = _points(scheduler, decision)
    victims = tuple(victim.key for victim in decision.victims)
    return PodPlace(pod.key, node, "", total, ties, victims, unchecked), pod


def _points(scheduler: Scheduler, decision: Decision) -> tuple[int | None, tuple[str, ...]]:
    scores = decision.scores
    if scores is None:
        return None, ()
    top = int(scores.total.max())
    names = scheduler.static.names[scores.machines[scores.total == top]].tolist()
    if decision.node in names:
        names.remove(decision.node)
    return top, tuple(names)


def _unchecked(scheduler: Scheduler, pod: Pod, spec: Mapping[str, Any]) -> Iterator[str]:
    if scheduler.cluster.devices.undecided(pod):
        yield "resourceClaims"
    if scheduler.cluster.volumes.undecided(pod):
        yield "volumes"
    if spec.get("schedulingGroup") or spec.get("workloadRef"):
        yield "schedulingGroup"
    if spec.get("schedulerName") not in (None, "", DEFAULT_SCHEDULER, *scheduler.profiles):
        yield f"schedulerName {spec['schedulerName']}"
