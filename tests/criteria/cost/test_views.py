"""What pictures are drawn from: who stands where, demand over time, the way from one cost to another."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tenancykit.criteria.cost.measure import measure
from tenancykit.criteria.cost.statement import Statement
from tenancykit.criteria.cost.views import over_time, placement_by_tenants, waterfall
from tenancykit.design.model import ResolvedDesign
from tenancykit.scenario.model import Scenario
from tests.criteria.cost.platforms import catalogue, design, platform, reference


def statement(resolved: ResolvedDesign, scenario: Scenario) -> Statement:
    result = measure(resolved, scenario, catalogue()).detail
    assert isinstance(result, Statement)
    return result


def test_the_way_from_one_cost_to_another_ends_at_the_other() -> None:
    scenario = platform(12)
    first, second = statement(design(scenario), scenario), statement(reference(scenario, "RA10"), scenario)
    steps = waterfall(first, second)
    assert steps[-1].level == second.total
    assert sum((step.change for step in steps), Decimal(0)) == second.total - first.total
    assert not waterfall(first, first)


def test_costs_in_two_currencies_are_not_compared() -> None:
    dollars, euros = platform(2), platform(2, currency="EUR")
    with pytest.raises(ValueError, match="cannot be compared"):
        waterfall(statement(design(dollars), dollars), statement(design(euros), euros))


def test_demand_never_exceeds_the_capacity_that_was_bought_for_it() -> None:
    scenario = platform(25, demand="demand: {profile: diurnal, mean: 0.5, seed: 4}")
    for identifier in ("RA01", "RA05", "RA10", "RA15"):
        for one in over_time(statement(reference(scenario, identifier), scenario)):
            assert one.demand.max() <= one.capacity
            assert 0 < one.mean_utilisation <= 1


def test_steady_demand_is_one_value() -> None:
    scenario = platform(4)
    (one,) = over_time(statement(design(scenario), scenario))
    assert one.demand.tolist() == [4 * 4.5]
    assert one.resource == "GPUs"


def test_every_pod_of_the_busiest_hour_stands_somewhere_under_its_tenants_name() -> None:
    scenario = platform(9)
    domain = statement(design(scenario), scenario).layout.domains[0]
    placed = placement_by_tenants(domain).placed
    assert placed["team: train"] == 36
    assert placed["team: notebook"] == 18
    assert all(name.startswith(("team: ", "system/")) for name in placed)
