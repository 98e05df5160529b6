"""Laws every course of events obeys: no queue above its limits, no quota twice, nothing left when all has finished."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.queueing.engine import Engine
from kubeanswers.queueing.fairness import SchedulerCrashError
from kubeanswers.queueing.flat import FlatCohorts
from kubeanswers.queueing.leaving import Need
from kubeanswers.queueing.preemption import Preemptor
from kubeanswers.queueing.values import (
    ClusterQueue,
    Cohort,
    Design,
    Flavor,
    FlavorQuotas,
    Limit,
    PodSet,
    Preemption,
    ResourceGroup,
    Settings,
    Workload,
)

_POLICIES = ("Never", "LowerPriority", "LowerOrNewerEqualPriority")
_LIMITS = st.builds(Limit, st.integers(0, 8), st.none() | st.integers(0, 6), st.none() | st.integers(0, 6))


@st.composite
def designs(draw: st.DrawFn) -> Design:
    cohorts = [Cohort("top"), Cohort("left", draw(st.sampled_from(("", "top"))))]
    queues = []
    for number in range(draw(st.integers(1, 4))):
        reclaim = draw(st.sampled_from((*_POLICIES, "Any")))
        flavors = tuple(FlavorQuotas(name, {"gpu": draw(_LIMITS)}) for name in ("a", "b")[: draw(st.integers(1, 2))])
        queues.append(
            ClusterQueue(
                f"q{number}",
                (ResourceGroup(("gpu",), flavors),),
                draw(st.sampled_from(("top", "left", "left"))),
                draw(st.sampled_from(("BestEffortFIFO", "StrictFIFO"))),
                Preemption(
                    draw(st.sampled_from(_POLICIES)),
                    reclaim,
                    "Never" if reclaim == "Never" else draw(st.sampled_from(("Never", "LowerPriority"))),
                ),
                weight=draw(st.sampled_from((0.0, 1.0, 2.0))),
            )
        )
    local = {f"default/{queue.name}": queue.name for queue in queues}
    return Design(tuple(queues), tuple(cohorts), (Flavor("a"), Flavor("b")), local, {"default": {}})


@st.composite
def jobs(draw: st.DrawFn) -> list[list[Workload]]:
    waves = []
    number = 0
    for _ in range(draw(st.integers(1, 4))):
        wave = []
        for _ in range(draw(st.integers(1, 4))):
            number += 1
            part = PodSet("main", draw(st.integers(1, 3)), {"gpu": draw(st.integers(0, 4))})
            queue, priority = f"q{draw(st.integers(0, 3))}", draw(st.sampled_from((0, 5, 10)))
            wave.append(Workload(f"j{number:02}", queue, (part,), priority, number))
        waves.append(wave)
    return waves


def _sums(engine: Engine) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for name, pool in engine.pools.items():
        total: dict[int, int] = {}
        for job in pool.running.values():
            for slot, amount in job.holds.items():
                total[slot] = total.get(slot, 0) + amount
        found[name] = total
    return found


@settings(max_examples=60, deadline=None)
@given(designs(), jobs(), st.booleans())
def test_usage_is_what_runs_within_limits_and_returns_to_zero(
    design: Design, waves: list[list[Workload]], fair: bool
) -> None:
    engine = Engine(design, Settings(fair, topology_aware=False))
    for wave in waves:
        engine.arrive(wave)
        try:
            engine.run(40)
        except SchedulerCrashError:
            return
        for name, total in _sums(engine).items():
            node = engine.pools[name].node
            for slot in node.slots:
                used = node.usage[slot]
                assert used == total.get(slot, 0)
                limit = node.limit[slot]
                assert used <= node.potential[slot]
                assert limit is None or used <= node.quota[slot] + limit
        for node in engine.nodes.values():
            for slot in node.slots:
                above = sum(max(0, child.usage[slot] - child.kept[slot]) for child in node.children)
                assert node.usage[slot] == above
                assert node.parent is not None or node.usage[slot] <= node.quota[slot]
    engine.finish(list(engine.jobs))
    assert not any(any(pool.node.usage) for pool in engine.pools.values())
    assert not any(any(node.usage) for node in engine.nodes.values())


@settings(max_examples=60, deadline=None)
@given(designs(), jobs(), st.data())
def test_the_quick_way_to_find_whom_to_preempt_agrees_with_the_long_one(
    design: Design, waves: list[list[Workload]], data: Any
) -> None:
    engine = Engine(design, Settings(topology_aware=False))
    for wave in waves:
        engine.arrive(wave)
        engine.run(30)
    active = {pool.node: pool for pool in engine.pools.values()}
    waiting = [job for pool in engine.pools.values() for job in [*pool.waiting.queued, *pool.waiting.parked.values()]]
    if not waiting:
        return
    job = data.draw(st.sampled_from(sorted(waiting, key=lambda one: one.key)))
    pool = engine.pools[job.queue]
    slot = data.draw(st.sampled_from(pool.node.slots))
    need = Need(job, pool, frozenset((slot,)), {slot: data.draw(st.integers(0, 8))}, only=slot)
    quick = FlatCohorts(active).targets(need)
    if quick is None:
        return
    long = Preemptor(engine.pools, active)
    long._flat = type("Never", (), {"targets": staticmethod(lambda _: None)})()
    assert [(one.job.key, one.reason) for one in quick] == [(one.job.key, one.reason) for one in long.targets(need)]
