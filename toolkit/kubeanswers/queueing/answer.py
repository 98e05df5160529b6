"""What Kueue would do with the workloads of some objects: who is admitted where, who waits and why, who leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final

from kubeanswers.errors import InputError
from kubeanswers.objects import ObjectSet, mapping, mappings
from kubeanswers.parsing import parse_documents
from kubeanswers.queueing.differences import undecided, unseen
from kubeanswers.queueing.engine import Course, Engine
from kubeanswers.queueing.fairness import SchedulerCrashError
from kubeanswers.queueing.jobs import Jobs, read_jobs
from kubeanswers.queueing.manifests import GROUP, Faults, read_design
from kubeanswers.queueing.reasons import Cause, causes, condition
from kubeanswers.queueing.values import MODELLED, Design, Granted, Settings, Version, Workload
from kubeanswers.records import dataclass

_IMAGE: Final = re.compile(r"/kueue:v([0-9]+)\.([0-9]+)")
_NEW_API: Final[Version] = (0, 19)
"""The version taken for objects of the v1beta2 API where none is named: the one the catalogue pins (0.19.2)."""
MOST_ROUNDS: Final = 10_000
"""Rounds after which a design counts as never coming to rest. Assumption: far above what any that settles needs."""


@dataclass(frozen=True)
class Admitted:
    """A workload that got quota: in which round, where, and how far its queue borrows since."""

    workload: str
    queue: str
    cycle: int
    pod_sets: tuple[Granted, ...]
    over_nominal: Mapping[str, int]


@dataclass(frozen=True)
class Preempted:
    """A workload that has to leave: in which round, for whom, and Kueue's reason."""

    workload: str
    queue: str
    cycle: int
    by: str
    reason: str


@dataclass(frozen=True)
class Waiting:
    """A workload that waits: Kueue's condition reason and what is behind it."""

    workload: str
    queue: str
    reason: str
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class QueueState:
    """A queue afterwards: usage, how far above its own quota, what is still free, and its share (fair sharing)."""

    queue: str
    cohort: str
    usage: Mapping[str, int]
    borrowed: Mapping[str, int]
    available: Mapping[str, int]
    share: float | str
    inactive: str = ""


@dataclass(frozen=True)
class Admission:
    """What Kueue would do.

    Attributes:
        version: minor version of Kueue whose rules were applied.
        fair_sharing: whether shares decide.
        admitted: newly admitted workloads, in order.
        preempted: workloads that have to leave, in order.
        waiting: workloads that still wait.
        running: workloads that hold quota at the end.
        queues: the queues afterwards.
        cycles: rounds run.
        settled: whether it came to rest.
        crash: the queue at which the scheduler of that version would crash; empty for none.
        undecided: what that version decides otherwise than modelled, as far as it bears on these objects.
        notes: what was left out.
    """

    version: str
    fair_sharing: bool
    admitted: tuple[Admitted, ...]
    preempted: tuple[Preempted, ...]
    waiting: tuple[Waiting, ...]
    running: tuple[str, ...]
    queues: tuple[QueueState, ...]
    cycles: int = 0
    settled: bool = True
    crash: str = ""
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    jobs: Jobs = field(default_factory=Jobs, repr=False, compare=False)
    design: Design = field(default_factory=Design, repr=False, compare=False)


def settings_of(
    objects: ObjectSet, *, fair_sharing: bool | None, version: Version | None, exclude: Iterable[str] = ()
) -> Settings:
    """Return how Kueue is configured: by the objects' configuration, unless told otherwise."""
    configured = next(_configurations(objects), {})
    sharing = mapping(configured.get("fairSharing"))
    new = str(configured.get("apiVersion", "")).endswith("v1beta2")
    strategies = tuple(str(one) for one in sharing.get("preemptionStrategies") or ()) or Settings.strategies
    fair = fair_sharing if fair_sharing is not None else bool(sharing) and (new or bool(sharing.get("enable")))
    prefixes = tuple(str(one) for one in mapping(configured.get("resources")).get("excludeResourcePrefixes") or ())
    excluded = tuple(dict.fromkeys([*prefixes, *exclude]))
    return Settings(fair, strategies, excluded=excluded, version=version or _version(objects))


def _configurations(objects: ObjectSet) -> Iterator[Mapping[str, Any]]:
    for item in objects:
        if item.group == "config.kueue.x-k8s.io" and item.kind == "Configuration":
            yield item.data
        elif item.kind == "ConfigMap":
            for value in mapping(item.data.get("data")).values():
                if "config.kueue.x-k8s.io" in str(value):
                    yield from (mapping(data) for data, _ in parse_documents(str(value), str(item.where), []))


def _version(objects: ObjectSet) -> Version:
    for item in objects:
        if item.kind == "Deployment":
            for container in mappings(mapping(mapping(item.spec.get("template")).get("spec")).get("containers")):
                found = _IMAGE.search(str(container.get("image", "")))
                if found:
                    return int(found[1]), int(found[2])
    new = any(item.group == GROUP and item.version == "v1beta2" for item in objects)
    return _NEW_API if new else Settings.version


def admit(
    objects: ObjectSet,
    *,
    fair_sharing: bool | None = None,
    version: Version | None = None,
    exclude: Iterable[str] = (),
) -> Admission:
    """Return what Kueue would do with the workloads of the objects.

    Args:
        objects: queues, cohorts, flavors, topologies, nodes, workloads and jobs.
        fair_sharing: whether shares decide; otherwise as a configuration among the objects says.
        version: minor version whose rules apply; otherwise that of a manager's image among the objects, else 0.19 for
            objects of the v1beta2 API and 0.13 for older ones.
        exclude: beginnings of the names of resources that are not counted, besides those of a configuration among the
            objects (``resources.excludeResourcePrefixes``).

    Raises:
        InputError: every fault of the objects, by file, line and field.
    """
    faults = Faults()
    design = read_design(objects, faults)
    jobs = read_jobs(objects, faults)
    settings = settings_of(objects, fair_sharing=fair_sharing, version=version, exclude=exclude)
    if settings.excluded:
        _uncount(jobs, settings.excluded)
    _no_queue(design, jobs, faults)
    if faults.found:
        raise InputError(faults.found)
    engine = Engine(_with_namespaces(design, jobs), settings)
    for reserved in jobs.running:
        engine.place(reserved)
    engine.arrive(jobs.waiting)
    course, crash = Course(), ""
    try:
        course = engine.run(MOST_ROUNDS)
    except SchedulerCrashError as error:
        crash = error.queue
    found = _answer(engine, course, crash, design, jobs)
    return replace(found, undecided=(*found.undecided, *unseen(objects, next(_configurations(objects), {}))))


def _uncount(jobs: Jobs, excluded: tuple[str, ...]) -> None:
    """Take resources that are not counted out of what the workloads ask for."""

    def without(workload: Workload) -> Workload:
        parts = tuple(
            replace(part, requests={name: n for name, n in part.requests.items() if not name.startswith(excluded)})
            for part in workload.pod_sets
        )
        return replace(workload, pod_sets=parts)

    jobs.waiting[:] = [without(workload) for workload in jobs.waiting]
    jobs.running[:] = [replace(one, workload=without(one.workload)) for one in jobs.running]


def _with_namespaces(design: Design, jobs: Jobs) -> Design:
    """Return the design with the namespaces that are only named: Kubernetes labels each with its name."""
    named = {workload.namespace for workload in jobs.waiting}
    missing = {name: {"kubernetes.io/metadata.name": name} for name in named - design.namespaces.keys()}
    return Design(
        design.cluster_queues,
        design.cohorts,
        design.flavors,
        design.local_queues,
        {**design.namespaces, **missing},
        design.topologies,
        design.machines,
    )


def _no_queue(design: Design, jobs: Jobs, faults: Faults) -> None:
    queues = {queue.name for queue in design.cluster_queues}
    for workload in jobs.waiting:
        key = f"{workload.namespace}/{workload.local_queue}"
        if key not in design.local_queues:
            faults.add(
                jobs.items[workload.key],
                "queue",
                f"LocalQueue {key} does not exist" if workload.local_queue else "names no queue",
                ", ".join(sorted(name for name in design.local_queues)),
                cure="create it, or name another",
            )
    for reserved in jobs.running:
        if reserved.cluster_queue not in queues:
            faults.add(
                jobs.items[reserved.workload.key],
                "status.admission.clusterQueue",
                f"ClusterQueue {reserved.cluster_queue!r} does not exist",
            )


def _answer(engine: Engine, course: Course, crash: str, design: Design, jobs: Jobs) -> Admission:
    admitted, preempted = [], []
    for step in course.steps:
        admitted += [
            Admitted(one.job.key, one.queue, step.cycle, one.granted, engine.named(one.over)) for one in step.admitted
        ]
        preempted += [
            Preempted(one.job.key, one.queue, step.cycle, one.by, one.reason)
            for one in sorted(step.preempted, key=lambda one: (one.by, one.job.key))
        ]
    version = engine.settings.version
    shares = engine.shares() if engine.settings.fair_sharing else {}
    return Admission(
        MODELLED if version == Settings.version else f"{version[0]}.{version[1]}",
        engine.settings.fair_sharing,
        tuple(admitted),
        tuple(preempted),
        tuple(_waiting(engine)),
        tuple(sorted(engine.running())),
        tuple(_states(engine, shares)),
        course.cycles,
        course.settled,
        crash,
        tuple(undecided(design, jobs, version)),
        tuple(jobs.notes),
        jobs,
        design,
    )


def _states(engine: Engine, shares: Mapping[str, float | str]) -> Iterator[QueueState]:
    for name, pool in sorted(engine.pools.items()):
        node = pool.node
        borrowed = {} if node.parent is None else {slot: node.usage[slot] - node.quota[slot] for slot in node.slots}
        yield QueueState(
            name,
            pool.definition.cohort,
            engine.usage(node),
            engine.named({slot: max(0, amount) for slot, amount in borrowed.items()}),
            engine.free(pool),
            shares.get(name, 0),
            " ".join(pool.inactive) if pool.inactive else "",
        )


def _waiting(engine: Engine) -> Iterator[Waiting]:
    for name, pool in sorted(engine.pools.items()):
        strict_head = ""
        for job in [*pool.waiting.queued, *sorted(pool.waiting.parked.values(), key=lambda job: job.key)]:
            if pool.inactive is not None:
                why, about = pool.inactive
                says = {
                    "Stopped": f"queue {name} is stopped ({about})",
                    "FlavorNotFound": f"queue {name} is stopped: its flavor {about} does not exist",
                    "TopologyNotFound": f"queue {name} is stopped: topology {about} does not exist",
                }[why]
                yield Waiting(job.key, name, "Inadmissible", (Cause("", why, says),))
                continue
            if not engine.welcome(pool, job):
                says = f"queue {name} takes no workloads of namespace {job.workload.namespace}"
                yield Waiting(job.key, name, "Pending", (Cause("", "NamespaceMismatch", says),))
                continue
            found, targets = engine.explain(pool, job)
            listed = list(causes(found, engine.slots)) if not targets else []
            if targets:
                names = ", ".join(sorted(target.job.key for target in targets))
                listed.append(Cause("", "PendingPreemption", f"would preempt {names}"))
            if strict_head:
                listed.insert(0, Cause("", "StrictFIFO", f"waits behind {strict_head}, which comes first"))
            elif pool.definition.strategy == "StrictFIFO":
                strict_head = job.key
            if not listed:
                listed.append(Cause("", "NotYet", "fits, once it is looked at again"))
            yield Waiting(job.key, name, condition(found, engine.settings.version), tuple(listed))
