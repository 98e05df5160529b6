"""Small examples run on a design, and told step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kubeanswers.queueing.engine import Course, Engine
from kubeanswers.queueing.loops import UNITS
from kubeanswers.queueing.reasons import text
from kubeanswers.queueing.values import Design, PodSet, Settings, Workload
from kubeanswers.scheduling.values import Toleration

_EVERYTHING: Final = (Toleration(operator="Exists"),)


class Trial:
    """A design with nothing running, to which workloads of one resource arrive.

    They tolerate everything and ask for the machines of one flavor (none: of any).

    Attributes:
        unit: the smallest amount worth asking for.
        story: what happened, in sentences.
    """

    def __init__(self, design: Design, settings: Settings, flavor: str, resource: str) -> None:
        plain = replace(
            design,
            cluster_queues=tuple(replace(queue, namespaces=()) for queue in design.cluster_queues),
            local_queues={f"trial/{queue.name}": queue.name for queue in design.cluster_queues},
            flavors=tuple(replace(one, topology="") for one in design.flavors),
        )
        self.engine = Engine(plain, replace(settings, topology_aware=False))
        self.unit = UNITS.get(resource, 1)
        self._resource = resource
        self._flavor = flavor
        self._labels = next((dict(one.labels) for one in design.flavors if one.name == flavor), {})
        self._count = 0
        self._story: list[str] = []

    @property
    def story(self) -> tuple[str, ...]:
        """What happened so far, ended by who waits."""
        waiting = sorted(job.workload.name for job in self.engine.jobs.values() if job.key not in self.engine.running())
        return (*self._story, *([f"{', '.join(waiting)} wait"] if waiting else ()))

    def free(self, queue: str) -> int:
        """Return what a queue could still take of the flavor."""
        slot = self.engine.slots.number(self._flavor, self._resource)
        return max(0, self.engine.pools[queue].node.free(slot))

    def arrive(self, queue: str, name: str, amount: int, *, priority: int = 0) -> None:
        """Let a workload arrive."""
        self._count += 1
        part = PodSet("main", 1, {self._resource: amount}, node_selector=self._labels, tolerations=_EVERYTHING)
        workload = Workload(name, queue, (part,), priority, self._count, "trial")
        self.engine.arrive([workload])
        level = f" of priority {priority}" if priority else ""
        self._story.append(f"{name}{level} asks {queue} for {text(self._resource, amount)} {self._resource}")

    def run(self, most: int | None = 1000) -> Course:
        """Run rounds, and tell what they do."""
        course = self.engine.run(most)
        for step in course.steps:
            for admitted in step.admitted:
                flavors = " and ".join(sorted({name for part in admitted.granted for name in part.flavors.values()}))
                over = " by borrowing" if admitted.over else ""
                self._story.append(f"{admitted.job.workload.name} starts on {flavors}{over}")
            self._story += [
                f"{one.job.workload.name} has to leave for {one.by} ({one.reason})" for one in step.preempted
            ]
        return course

    def waits(self, name: str) -> bool:
        """Return whether a workload waits."""
        return f"trial/{name}" not in self.engine.running()

    def flavor_of(self, name: str) -> str:
        """Return the flavor a workload runs on; empty if it waits."""
        job = self.engine.running().get(f"trial/{name}")
        if job is None:
            return ""
        granted = job.got.granted
        return str(granted[0].flavors[self._resource])
