"""What pictures are drawn from: demand over time beside the machines bought for it."""

from __future__ import annotations

from tenancykit.criteria.cost.measure import measure
from tenancykit.criteria.cost.statement import Statement
from tenancykit.criteria.cost.views import over_time
from tenancykit.design.model import ResolvedDesign
from tenancykit.scenario.model import Scenario
from tests.criteria.cost.platforms import catalogue, design, platform, reference


def statement(resolved: ResolvedDesign, scenario: Scenario) -> Statement:
    result = measure(resolved, scenario, catalogue()).detail
    assert isinstance(result, Statement)
    return result


def test_demand_never_exceeds_the_capacity_that_was_bought_for_it() -> None:
    scenario = platform(25, demand="demand: {profile: diurnal, mean: 0.5, seed: 4}")
    for identifier in ("RA01", "RA05", "RA10", "RA15"):
        for one in over_time(statement(reference(scenario, identifier), scenario)):
            assert one.demand.max() <= one.capacity
            assert one.demand.mean() > 0


def test_steady_demand_is_one_value() -> None:
    scenario = platform(4)
    (one,) = over_time(statement(design(scenario), scenario))
    assert one.demand.tolist() == [4 * 4.5]
    assert one.resource == "GPUs"
