"""Kueue's recorded decisions beside the engine's: quota scenarios, event by event."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kubeanswers.queueing.engine import Course, Engine
from kubeanswers.queueing.fairness import SchedulerCrashError
from kubeanswers.queueing.tree import Node
from kubeanswers.queueing.values import (
    ClusterQueue,
    Cohort,
    Design,
    Flavor,
    FlavorQuotas,
    Granted,
    Limit,
    PodSet,
    Preemption,
    Reserved,
    ResourceGroup,
    Settings,
    TopologyRequest,
    Workload,
)
from kubeanswers.scheduling.objects import requirements, toleration
from kubeanswers.scheduling.requests import amount
from kubeanswers.scheduling.values import Machine, NodeTerm, Requirement, Taint
from tests.oracle.comparison import Comparison

Object = Mapping[str, Any]


def _limit(resource: str, quota: Object) -> Limit:
    def of(key: str) -> int | None:
        return amount(resource, quota[key], key) if quota.get(key) is not None else None

    return Limit(of("nominal") or 0, of("borrowing_limit"), of("lending_limit"))


def _groups(thing: Object) -> tuple[ResourceGroup, ...]:
    return tuple(
        ResourceGroup(
            tuple(group["resources"]),
            tuple(
                FlavorQuotas(
                    flavor["name"],
                    {resource: _limit(resource, quota) for resource, quota in flavor["quotas"].items()},
                )
                for flavor in group["flavors"]
            ),
        )
        for group in thing.get("resource_groups", ())
    )


def cluster_queue(thing: Object) -> ClusterQueue:
    """Return a queue of a scenario."""
    preemption = thing.get("preemption", {})
    borrow = preemption.get("borrow_within_cohort") or {}
    fungibility = thing.get("flavor_fungibility", {})
    return ClusterQueue(
        thing["name"],
        _groups(thing),
        thing.get("cohort", ""),
        thing.get("queueing_strategy", "BestEffortFIFO"),
        Preemption(
            preemption.get("within_cluster_queue", "Never"),
            preemption.get("reclaim_within_cohort", "Never"),
            borrow.get("policy", "Never"),
            borrow.get("max_priority_threshold"),
        ),
        fungibility.get("when_can_borrow", "Borrow"),
        fungibility.get("when_can_preempt", "TryNextFlavor"),
        "",
        float(thing.get("weight", 1)),
        thing.get("stop_policy", "None"),
        tuple(Requirement(key, "In", (value,)) for key, value in thing.get("namespace_selector", {}).items()),
    )


def cohort(thing: Object) -> Cohort:
    """Return a cohort of a scenario."""
    return Cohort(thing["name"], thing.get("parent", ""), _groups(thing), float(thing.get("weight", 1)))


def _amounts(requests: Object) -> dict[str, int]:
    return {resource: amount(resource, value, resource) for resource, value in requests.items()}


def _topology(thing: Object | None) -> TopologyRequest | None:
    if thing is None:
        return None
    return TopologyRequest(
        thing.get("required", ""), thing.get("preferred", ""), bool(thing.get("unconstrained", False))
    )


def _pod_set(thing: Object) -> PodSet:
    terms = thing.get("node_affinity")
    return PodSet(
        thing["name"],
        thing["count"],
        _amounts(thing["requests"]),
        thing.get("min_count"),
        thing.get("node_selector", {}),
        None if terms is None else tuple(NodeTerm(requirements(term)) for term in terms),
        tuple(map(toleration, thing.get("tolerations", ()))),
        _topology(thing.get("topology")),
    )


class ChangingEngine(Engine):
    """Queues at work whose definitions change meanwhile, as those of a recorded cluster did."""

    def __init__(self, design: Design, settings: Settings) -> None:
        super().__init__(design, settings)
        self.stopped: list[str] = []
        """Workloads evicted since the last event because their queue was drained."""

    def set_cohort(self, cohort: Cohort) -> None:
        """Put a cohort's definition in place of the old one."""
        self._plan.cohorts[cohort.name] = cohort
        self._rebuild()
        self._wake(self.nodes[cohort.name].root)
        self._renew(self.nodes[cohort.name].root)

    def set_queue(self, queue: ClusterQueue) -> None:
        """Put a queue's definition in place of the old one; draining evicts what runs in it."""
        before = self._plan.queues.get(queue.name)
        moved = before is None or before.cohort != queue.cohort
        if moved and before is not None:
            self._renew(self.pools[queue.name].root)
        self._plan.queues[queue.name] = queue
        self._rebuild()
        pool = self.pools[queue.name]
        if moved or before is None or before.groups != queue.groups:
            self._renew(pool.root)
        if pool.inactive is None or pool.inactive[0] != "Stopped":
            for job in pool.waiting.parked.values():
                job.held = False
        self._wake(pool.root)
        if queue.stop == "HoldAndDrain":
            for key in sorted(pool.running):
                job = pool.running[key]
                self._release(job)
                job.held = True
                pool.waiting.parked[key] = job
                self.stopped.append(job.workload.name)

    def _renew(self, root: Node) -> None:
        for pool in self._pools_of(root):
            pool.generation += 1


class Scenario:
    """A recorded case, ready to run."""

    def __init__(self, case: Object) -> None:
        self.case = case
        self._priorities = {item["name"]: item["value"] for item in case.get("priority_classes", ())}
        self._keys: dict[str, str] = {}
        settings = case["settings"]
        local = {
            f"{item.get('namespace', 'default')}/{item['name']}": item["cluster_queue"] for item in case["local_queues"]
        }
        namespaces = {item["name"]: item.get("labels", {}) for item in case.get("namespaces", ())}
        self.engine = ChangingEngine(
            Design(
                tuple(map(cluster_queue, case["cluster_queues"])),
                tuple(map(cohort, case.get("cohorts", ()))),
                tuple(map(_flavor, case["flavors"])),
                local,
                {"default": {}, **namespaces},
                {item["name"]: tuple(item["levels"]) for item in case.get("topologies", ())},
                tuple(
                    Machine(node["name"], node["labels"], _amounts(node["allocatable"]))
                    for node in case.get("nodes", ())
                ),
            ),
            Settings(
                settings["fair_sharing"],
                tuple(settings.get("preemption_strategies") or Settings.strategies),
                settings.get("topology_aware", False),
                settings.get("eviction_delay_cycles", 0),
            ),
        )

    def workload(self, thing: Object) -> Workload:
        """Return a workload of an event."""
        priority = thing.get("priority")
        if priority is None:
            priority = self._priorities.get(thing.get("priority_class"), 0)
        return Workload(
            thing["name"],
            thing["local_queue"],
            tuple(map(_pod_set, thing["pod_sets"])),
            priority,
            thing["created"],
            thing.get("namespace", "default"),
        )

    def row(self, columns: Iterable[str], row: Iterable[Any]) -> Workload:
        """Return a workload of a table."""
        it = dict(zip(columns, row, strict=True))
        requests = {"cpu": it["cpu_millis"], "nvidia.com/gpu": it["gpus"]}
        part = PodSet("main", it["count"], {name: value for name, value in requests.items() if value})
        return Workload(it["name"], it["local_queue"], (part,), it["priority"], it["created"])

    def arriving(self, event: Object, columns: Iterable[str] = ()) -> list[Workload]:
        """Return the workloads that arrive with an event."""
        columns = tuple(columns)
        found = [
            *map(self.workload, event.get("arrive", ())),
            *(self.row(columns, row) for row in event.get("arrive_table", ())),
        ]
        self._keys.update((workload.name, workload.key) for workload in found)
        return found

    def play(self, event: Object, arriving: Iterable[Workload] | None = None) -> Course:
        """Let an event happen, and run rounds."""
        engine = self.engine
        engine.stopped = []
        for item in event.get("set_cohort", ()):
            engine.set_cohort(cohort(item))
        for item in event.get("set_cluster_queue", ()):
            engine.set_queue(cluster_queue(item))
        engine.finish(self._keys[name] for name in event.get("finish", ()))
        for item in event.get("place", ()):
            engine.place(self._reserved(item))
        engine.arrive(self.arriving(event) if arriving is None else arriving)
        return engine.run(event.get("max_cycles", self.case["settings"].get("max_cycles")))

    def _reserved(self, item: Object) -> Reserved:
        self._keys[item["name"]] = f"{item.get('namespace', 'default')}/{item['name']}"
        parts = tuple(Granted(part["name"], part["count"], part["flavors"]) for part in item["pod_sets"])
        return Reserved(self.workload(item), item["cluster_queue"], parts, item["reserved_at"])


def _flavor(thing: Object) -> Flavor:
    taints = tuple(Taint(t["key"], t.get("value", ""), t["effect"]) for t in thing.get("node_taints", ()))
    return Flavor(
        thing["name"],
        thing.get("node_labels", {}),
        taints,
        tuple(map(toleration, thing.get("tolerations", ()))),
        thing.get("topology", ""),
    )


def _steps(steps: Iterable[Object]) -> list[Any]:
    """Return recorded steps as what does not depend on order."""
    found = []
    for step in steps:
        admitted = {
            item["workload"]: (
                item["cluster_queue"],
                [
                    (
                        p["name"],
                        p["count"],
                        p["flavors"],
                        [(tuple(d["values"]), d["count"]) for d in p.get("topology", ())],
                    )
                    for p in item["pod_sets"]
                ],
                item.get("over_nominal", {}),
            )
            for item in step.get("admitted", ())
        }
        preempted = {(i["workload"], i["cluster_queue"], i["by"], i["reason"]) for i in step.get("preempted", ())}
        found.append((admitted, preempted))
    return found


def _own_steps(engine: Engine, course: Course) -> list[Any]:
    found = []
    for step in course.steps:
        admitted = {
            item.job.workload.name: (
                item.queue,
                [(p.name, p.count, dict(p.flavors), [(d.values, d.count) for d in p.topology]) for p in item.granted],
                engine.named(item.over),
            )
            for item in step.admitted
        }
        preempted = {(i.job.workload.name, i.queue, i.by, i.reason) for i in step.preempted}
        found.append((admitted, preempted))
    return found


def differences(engine: ChangingEngine, course: Course, answer: Object, quota: dict[str, Any]) -> list[str]:
    """Return what differs after one event; ``quota`` is the cohorts' as last recorded."""
    found = []

    def check(what: str, ours: Any, theirs: Any) -> None:
        if ours != theirs:
            found.append(f"{what}: {ours!r}, recorded {theirs!r}")

    check("steps", _own_steps(engine, course), _steps(answer.get("steps", ())))
    check("running", sorted(job.workload.name for job in engine.running().values()), answer.get("running", []))
    check("usage", _filled((name, engine.usage(p.node)) for name, p in engine.pools.items()), answer.get("usage", {}))
    check("stopped", engine.stopped, answer.get("evicted_by_stop", []))
    check("settled", course.settled, answer.get("settled", True))
    check(
        "pending",
        _filled((name, _pending(pool)) for name, pool in engine.pools.items()),
        {name: {key: set(value) for key, value in lists.items()} for name, lists in answer.get("pending", {}).items()},
    )
    check(
        "cohort usage",
        _filled((name, engine.usage(node)) for name, node in engine.nodes.items()),
        answer.get("cohort_usage", {}),
    )
    check("cohort quota", _filled((name, engine.quota(node)) for name, node in engine.nodes.items()), quota)
    if "available" in answer:
        check(
            "available",
            _filled((name, engine.free(p)) for name, p in engine.pools.items() if p.inactive is None),
            answer["available"],
        )
    if engine.settings.fair_sharing:
        check("shares", engine.shares(), answer.get("shares", {}))
    return found


def _filled(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if value}


def _pending(pool: Any) -> dict[str, set[str]]:
    waiting = {job.workload.name for job in pool.waiting.queued}
    parked = {job.workload.name for job in pool.waiting.parked.values()}
    return {key: names for key, names in (("waiting", waiting), ("parked", parked)) if names}


def compare(data: dict[str, Any], _: Path) -> Comparison:
    """Compare the scenarios, event by event; of a loop only that it does not come to rest."""
    comparison = Comparison(str(data.get("set")))
    for case in data["cases"]:
        for number, wrong in enumerate(_compared(case), start=1):
            comparison.add(
                f"{case['kind']}/{case['id']}", number, "agrees", "differs" if wrong else "agrees", "; ".join(wrong)
            )
    return comparison


def _compared(case: Object) -> Iterable[list[str]]:
    scenario = Scenario(case)
    quota: dict[str, Any] = {}
    last = len(case["events"])
    for number, (event, answer) in enumerate(zip(case["events"], case["answers"], strict=True), start=1):
        quota = answer.get("cohort_quota", quota)
        try:
            course = scenario.play(event)
        except SchedulerCrashError as crash:
            yield [f"crash of {crash.queue}"]
            return
        if case["kind"] == "loop" and number == last:
            yield [] if not course.settled else ["comes to rest"]
        else:
            yield differences(scenario.engine, course, answer, quota)


def running_hash(engine: Engine) -> str:
    """Return the digest of who runs, as the large cases record it."""
    return hashlib.sha256(
        "\n".join(sorted(job.workload.name for job in engine.running().values())).encode()
    ).hexdigest()


def compare_large(data: dict[str, Any], _: Path) -> Comparison:
    """Compare who runs after every event of the big cases, and how many were looked at, admitted and preempted."""
    comparison = Comparison(str(data.get("set")))
    columns = data["meta"]["arrive_table_columns"]
    for case in data["cases"]:
        scenario = Scenario(case)
        for number, (event, answer) in enumerate(zip(case["events"], case["answers"], strict=True), start=1):
            course = scenario.play(event, scenario.arriving(event, columns))
            ours = (
                course.cycles,
                course.looked_at,
                sum(len(step.admitted) for step in course.steps),
                sum(len(step.preempted) for step in course.steps),
                running_hash(scenario.engine),
            )
            keys = ("cycles", "attempts", "admitted", "preempted", "running_sha256")
            comparison.add(case["id"], number, tuple(answer[key] for key in keys), ours)
    return comparison
