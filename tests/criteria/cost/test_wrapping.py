"""What wraps a workload by its design's own choice is capacity to pay for, and no more than that."""

from __future__ import annotations

import math

import pytest

import tenancykit as tk
from tenancykit.criteria.cost.housing import peaks
from tenancykit.criteria.cost.wrapping import UNWRAPPED, slowed, wrapping
from tenancykit.study.comparison import Study
from tests.criteria.cost.platforms import catalogue, design, platform
from tests.criteria.cost.test_domains import plan

GVISOR = {"rt_runc": "rt_gvisor"}


def test_a_sandbox_asks_for_more_cores_for_work_of_the_cpu_and_not_for_more_pods() -> None:
    scenario = platform(20)
    plain, sandboxed = (plan(design(scenario, **swap), scenario) for swap in ({}, GVISOR))
    of = [{s.pod.name: s for d in found.domains for s in d.streams} for found in (plain, sandboxed)]
    before, after = (streams["team/web"] for streams in of)
    assert after.steady == before.steady
    entry = next(e for e in after.wrapped.entries if e.id == "gvisor")
    more = after.pod.cpu_total_milli - before.pod.cpu_total_milli
    assert more >= round(before.pod.cpu_milli * (entry.mean.likely - 1))
    assert before.wrapped == UNWRAPPED


def test_a_sandbox_holds_cards_for_longer_by_its_figure_for_gpus_alone() -> None:
    scenario = platform(20)
    (domain,) = plan(design(scenario, **GVISOR), scenario).domains
    (entry,) = next(s for s in domain.streams if s.pod.name == "team/train").wrapped.entries
    assert entry.on_gpu is not None
    assert entry.on_gpu.likely < entry.mean.likely
    (pods,) = peaks(domain)
    train = next(p for p in pods if p.name == "team/train")
    longer = 80 + math.floor(80 * (entry.on_gpu.likely - 1) + 1e-9)
    assert train.count == -(-longer // train.gang) * train.gang > 80


@pytest.mark.parametrize("times", [1.0, 1.02, 1.25, 2.0])
def test_whole_pods_are_added_only_for_whole_pods_lost(times: float) -> None:
    for pods in (0.0, 0.4, 1.0, 49.0, 50.0, 51.0, 856.0):
        assert pods <= slowed(pods, times) <= pods * times + 1e-9
        assert pods * times - slowed(pods, times) < 1


def test_what_neighbours_take_is_left_to_isolation() -> None:
    scenario = platform(20)
    kinds = {e.kind for c in design(scenario, **GVISOR).classes for e in wrapping(c, catalogue()).entries}
    assert kinds == {"overhead"}


@pytest.fixture(scope="module")
def studied() -> Study:
    return tk.compare(tk.load_scenario("ml-platform"), designs=["RA01 -rt_runc +rt_gvisor -gpu_mig +gpu_mps"])


def test_a_sandbox_nobody_asked_for_costs_more_and_its_slowdown_is_in_the_interval(studied: Study) -> None:
    sandboxed = next(e for e in studied.evaluations if e.id.startswith("RA01-"))
    statement = sandboxed.scores["cost"].detail
    slowed_work = statement.slowed["gVisor on GPUs"]
    assert float(slowed_work.cost) > 1_000_000
    cost = sandboxed.scores["cost"]
    assert cost.high - cost.value > float(slowed_work.cost) * (slowed_work.times.high / slowed_work.times.likely - 1)
