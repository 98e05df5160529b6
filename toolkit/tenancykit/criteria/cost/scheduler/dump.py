"""A what-if for a live cluster: where its pending pods would go, or why they would not.

Reads Node, Pod, PriorityClass, RuntimeClass, ResourceQuota, PodDisruptionBudget, Service and Namespace objects as
``kubectl get -o yaml`` prints them, and a KubeSchedulerConfiguration where one is given. Pods without a node are placed
in the given order; those not created yet (without a uid) have to pass their namespace's quotas first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from tenancykit.criteria.cost.scheduler.cluster import Cluster
from tenancykit.criteria.cost.scheduler.objects import Object, Reader, budgets, fit_scoring, machine, name_of, services
from tenancykit.criteria.cost.scheduler.quota import Quotas
from tenancykit.criteria.cost.scheduler.scheduling import Decision, Scheduler
from tenancykit.criteria.cost.scheduler.values import FitScoring, Machine, Pod
from tenancykit.errors import Fault, InputError

_DONE: Final = ("Succeeded", "Failed")
_KNOWN: Final = ("Node", "Pod")


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
    """

    pod: str
    node: str
    reason: str
    score: int | None = None
    ties: tuple[str, ...] = ()
    preempted: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True)
class DumpPlacement:
    """Where the pending pods of a dump would go, in the given order.

    Attributes:
        pods: one entry per pending pod.
    """

    pods: tuple[PodPlace, ...]

    @property
    def pending(self) -> tuple[PodPlace, ...]:
        """The pods that would stay pending."""
        return tuple(place for place in self.pods if not place.node)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"pods": [asdict(place) for place in self.pods]}


def flatten(objects: Iterable[Object | None]) -> Iterator[Object]:
    """Yield the objects of a dump, lists taken apart."""
    for thing in objects:
        if thing is None:
            continue
        if str(thing.get("kind", "")).endswith("List") and "items" in thing:
            kind = str(thing["kind"]).removesuffix("List")
            yield from flatten({"kind": kind, **item} if kind else item for item in thing["items"] or ())
        else:
            yield thing


def place_dump(
    objects: Iterable[Object | None], *, fit: FitScoring | None = None, seed: int | None = None
) -> DumpPlacement:
    """Return node or reason for every pending pod of a dump, in the given order.

    Args:
        objects: parsed objects, lists included.
        fit: resource scoring strategy; otherwise that of a KubeSchedulerConfiguration in the dump, or the default.
        seed: draws among machines with equal points; ``None`` takes what the scheduler's own order of nodes gives.

    Raises:
        InputError: objects are malformed, with every fault found.
    """
    things = list(flatten(objects))
    reader = Reader(things)
    machines, pods = _read(things, reader)
    running = [pod for _, pod in pods if pod.node]
    spaces = {
        thing["metadata"]["name"]: thing["metadata"].get("labels") or {}
        for thing in things
        if thing.get("kind") == "Namespace"
    }
    scheduler = Scheduler(
        Cluster(machines, running, spaces),
        fit or _strategy(things),
        services(things),
        budgets(things, [thing for thing, _ in pods]),
        None if seed is None else np.random.default_rng(seed),
    )
    created = [(thing, name_of(thing)) for thing, pod in pods if pod.node or _exists(thing)]
    quotas = Quotas(things, created)
    waiting = [(thing, pod) for thing, pod in pods if not pod.node and not pod.terminating]
    return DumpPlacement(tuple(_place(scheduler, quotas, thing, pod) for thing, pod in waiting))


def _read(things: Sequence[Object], reader: Reader) -> tuple[list[Machine], list[tuple[Object, Pod]]]:
    faults: list[Fault] = []
    machines: list[Machine] = []
    pods: list[tuple[Object, Pod]] = []
    for thing in things:
        if thing.get("kind") not in _KNOWN:
            continue
        if not (thing.get("metadata") or {}).get("name"):
            faults.append(Fault(name_of(thing), "metadata.name is missing"))
            continue
        try:
            if thing["kind"] == "Node":
                machines.append(machine(thing))
            elif (thing.get("status") or {}).get("phase") not in _DONE:
                pods.append((thing, reader.pod(thing)))
        except InputError as error:
            faults.extend(error.faults)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            faults.append(Fault(name_of(thing), f"is malformed: {type(error).__name__} {error}", "the API's own form"))
    names = [machine.name for machine in machines] + [pod.key for _, pod in pods]
    faults += [
        Fault(name, "is given twice", "each object once") for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if faults:
        raise InputError(faults)
    return machines, pods


def _exists(thing: Object) -> bool:
    return bool((thing.get("metadata") or {}).get("uid"))


def _strategy(things: Sequence[Object]) -> FitScoring:
    for thing in things:
        if thing.get("kind") != "KubeSchedulerConfiguration":
            continue
        for profile in thing.get("profiles") or ():
            for config in profile.get("pluginConfig") or ():
                if config.get("name") == "NodeResourcesFit":
                    return fit_scoring((config.get("args") or {}).get("scoringStrategy"))
    return FitScoring()


def _place(scheduler: Scheduler, quotas: Quotas, thing: Object, pod: Pod) -> PodPlace:
    unchecked = tuple(_unchecked(thing.get("spec") or {}))
    if not _exists(thing):
        refusal = quotas.admit(thing, name_of(thing))
        if refusal:
            return PodPlace(pod.key, "", refusal, unchecked=unchecked)
    decision = scheduler.decide(pod)
    node = decision.node or decision.nominated
    for victim in decision.victims:
        scheduler.evict(victim, decision.nominated)
    if not node:
        return PodPlace(pod.key, "", decision.event, unchecked=unchecked)
    scheduler.bind(pod, node)
    total, ties = _points(scheduler, decision)
    victims = tuple(victim.key for victim in decision.victims)
    return PodPlace(pod.key, node, "", total, ties, victims, unchecked)


def _points(scheduler: Scheduler, decision: Decision) -> tuple[int | None, tuple[str, ...]]:
    scores = decision.scores
    if scores is None:
        return None, ()
    top = int(scores.total.max())
    best = scores.machines[scores.total == top].tolist()
    names = (scheduler.cluster.machines[i].name for i in best)
    return top, tuple(name for name in names if name != decision.node)


def _unchecked(spec: Mapping[str, Any]) -> Iterator[str]:
    if spec.get("resourceClaims"):
        yield "resourceClaims"
    if any("persistentVolumeClaim" in volume or "ephemeral" in volume for volume in spec.get("volumes") or ()):
        yield "volumes"
    if spec.get("schedulerName") not in (None, "", "default-scheduler"):
        yield f"schedulerName {spec['schedulerName']}"
