"""Crossing points come out of the growth curves; nobody writes them down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeanswers.errors import InputError
from tenancykit.criteria.operations.measure import Operations
from tenancykit.report import charts
from tenancykit.study.evaluation import Evaluation, evaluate_resolved
from tenancykit.study.growing import crossing_points
from tests import studies
from tests.criteria.effort.designs import CLUSTERS, FLEET_OF_CLUSTERS, NAMESPACES, catalogue, designed, platform


def evaluated(name: str, *options: str) -> Evaluation:
    scenario = platform()
    return evaluate_resolved(designed(scenario, *options, name=name), scenario, catalogue())


@pytest.fixture(scope="module")
def designs() -> dict[str, Evaluation]:
    options = {"spaces": NAMESPACES, "clusters": CLUSTERS, "fleet": FLEET_OF_CLUSTERS}
    return {name: evaluated(name, *chosen) for name, chosen in options.items()}


def hours(evaluation: Evaluation, tenants: int) -> float:
    detail = evaluation.scores["operations"].detail
    assert isinstance(detail, Operations)
    return detail.curve.at(tenants).mean


def test_every_point_is_where_the_order_of_two_designs_changes(designs: dict[str, Evaluation]) -> None:
    found = crossing_points(list(designs.values()))
    assert ("fleet", "clusters") in {(c.less, c.more) for c in found}
    for crossing in found:
        less, more = designs[crossing.less], designs[crossing.more]
        assert hours(less, crossing.tenants) < hours(more, crossing.tenants)
        assert hours(less, crossing.tenants - 1) >= hours(more, crossing.tenants - 1)


def test_namespaces_stay_below_clusters_at_every_size(designs: dict[str, Evaluation]) -> None:
    both = [designs["spaces"], designs["clusters"]]
    assert not crossing_points(both)
    assert not crossing_points(both, "effort")


def test_effort_has_points_of_its_own(designs: dict[str, Evaluation]) -> None:
    (found,) = crossing_points([designs["clusters"], designs["fleet"]], "effort")
    assert found.less == "fleet"
    (toil,) = crossing_points([designs["clusters"], designs["fleet"]])
    assert toil.tenants != found.tenants


def test_a_study_reports_the_points_of_its_designs() -> None:
    study = studies.study("regulated-hybrid")
    found = study.crossing_points("RA09", "RA10")
    assert [(c.less, c.more) for c in found] == [("RA09", "RA10")]
    every = study.crossing_points()
    assert set(found) <= set(every)
    assert [c.tenants for c in every] == sorted(c.tenants for c in every)
    with pytest.raises(InputError, match="RA99"):
        study.crossing_points("RA99")


def test_the_growth_chart_says_where_designs_change_places(designs: dict[str, Evaluation]) -> None:
    both = [designs["clusters"], designs["fleet"]]
    (found,) = crossing_points(both)
    svg = charts.growth(both).svg
    assert f"From {found.tenants:,} tenants on fleet takes less than clusters." in " ".join(svg.split())
    alone = replace(both[0])
    assert "tenants on" not in charts.growth([alone]).svg
