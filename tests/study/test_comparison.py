from __future__ import annotations

import itertools
import re

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError, UndecidedError
from tenancykit.criterion_names import CRITERIA
from tenancykit.scenario.model import Weights
from tests.studies import EXAMPLES, candidates, published, study


@pytest.mark.parametrize("example", EXAMPLES)
def test_all_references_and_the_best_composition_per_class_have_all_four_criteria(example: str) -> None:
    found = study(example)
    assert [e.id for e in found.evaluations] == candidates(example)
    for evaluation in found.evaluations:
        assert tuple(evaluation.scores) == tuple(CRITERIA)
        for score in evaluation.scores.values():
            assert score.low <= score.value <= score.high
            assert score.unit
            assert score.summary
            assert score.evidence.children


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_design_is_ranked_or_excluded_with_reasons(example: str) -> None:
    found = study(example)
    for evaluation in found.evaluations:
        assert (found.rank(evaluation.id) is None) == bool(found.exclusions(evaluation.id))
    assert [found.rank(e.id) for e in found.order if found.rank(e.id)] == sorted(
        rank for e in found.evaluations if (rank := found.rank(e.id))
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_admits_a_design_and_says_why_it_is_first(example: str) -> None:
    from tenancykit.report.reasons import why_first

    found = study(example)
    assert not re.search(r"\b(RA\d\d|HY\d)\b", why_first(found))
    assert found.rank(found.best.id) == 1
    assert found.pareto_front is not None
    assert found.best.id in found.pareto_front.labels


def test_a_dominated_design_never_ranks_above_its_dominator() -> None:
    for example in EXAMPLES:
        found = study(example)
        table = found.admitted
        assert table is not None
        for one, other in itertools.permutations(range(len(table)), 2):
            if (table.oriented[one] >= table.oriented[other]).all():
                first, second = found.rank(table.labels[one]), found.rank(table.labels[other])
                assert first is not None
                assert second is not None
                assert first <= second


def test_adding_a_candidate_changes_nobody_elses_score() -> None:
    alone, beside = study("ml-platform"), study("ml-platform", "RA01 +node_dedicated_tenant", "RA03 -sch_kueue")
    assert alone.ranking is not None
    assert beside.ranking is not None
    for label, score in zip(alone.ranking.labels, alone.ranking.scores, strict=True):
        assert beside.ranking.scores[beside.ranking.labels.index(label)] == score


def test_the_same_scenario_gives_the_same_figures() -> None:
    again = tk.compare(tk.load_scenario("saas-inference"))
    assert (again.criteria_table.values == study("saas-inference").criteria_table.values).all()


def test_dropping_admission_policy_lowers_isolation_and_nothing_gets_dearer() -> None:
    found = tk.compare(tk.load_scenario("ml-platform"), designs=["RA01 -pol_vap -pol_psa"], as_published=True)
    full, bare = found["RA01"], found["RA01-pol_vap-pol_psa"]
    assert bare.scores["isolation"].value < full.scores["isolation"].value
    assert bare.scores["effort"].value < full.scores["effort"].value
    assert bare.scores["cost"].value <= full.scores["cost"].value
    assert any("admission" in str(v) or "pod" in str(v).lower() for v in bare.resolved.violations)


@pytest.mark.parametrize("example", ["ml-platform", "saas-inference"])
def test_dedicated_nodes_isolate_better_and_cost_more(example: str) -> None:
    found = study(example, "RA01 +node_dedicated_tenant")
    shared, own = found["RA01"], found["RA01+node_dedicated_tenant"]
    assert own.scores["isolation"].value > shared.scores["isolation"].value
    assert own.scores["cost"].value > shared.scores["cost"].value


def test_customers_without_api_access_are_better_isolated_than_teams_with_it() -> None:
    scenario = tk.load_scenario("ml-platform")
    teams = scenario.tenants.classes[0]
    customers = teams.model_copy(update={"kind": "customer", "api_access": "none", "trust": "semi-trusted"})
    tenants = scenario.tenants.model_copy(update={"classes": (customers,)})
    other = tk.compare(scenario.model_copy(update={"tenants": tenants}), as_published=True)
    for design in ("RA01", "RA03"):
        mine, theirs = published("ml-platform")[design], other[design]
        assert theirs.scores["isolation"].value > mine.scores["isolation"].value


def test_what_teams_share_most_openly_is_named_and_the_next_thing_once_it_is_theirs() -> None:
    """On shared nodes any pod runs beside another's on one core: no API access needed, and one barrier to cross."""
    found = published("ml-platform", "RA01 +node_dedicated_tenant")
    told = {design: found[design].scores["isolation"].summary for design in ("RA01", "RA01+node_dedicated_tenant")}
    assert "pod -> (CPU core) ->" in told["RA01"]
    assert "API user ->" in told["RA01+node_dedicated_tenant"], "with nodes of one's own the shared API is what is left"


@pytest.mark.parametrize("design", ["RA01", "RA02", "RA03", "RA04"])
def test_where_teams_share_an_api_server_the_control_plane_stands_open_longest(design: str) -> None:
    found = published("ml-platform")
    result = found[design].scores["isolation"].detail
    days = {plane: result.days["research", plane] for plane in result.planes["research"]}
    assert max(days, key=lambda plane: days[plane]) == "control"
    own = found["RA10"].scores["isolation"].detail
    assert own.days["research", "control"] < days["control"] / 20


@pytest.mark.parametrize("design", ["RA02", "RA03", "RA04"])
def test_where_one_hub_delivers_for_every_team_the_hub_is_the_weakest_path(design: str) -> None:
    told = published("ml-platform")[design].scores["isolation"].summary
    assert "API user -> (delivery hub) ->" in told


def test_a_cluster_per_tenant_isolates_better_than_namespaces_and_costs_more_effort() -> None:
    found = study("ml-platform")
    for other in ("RA09", "RA10"):
        assert found[other].scores["isolation"].value > found["RA01"].scores["isolation"].value
        assert found[other].scores["effort"].value > found["RA01"].scores["effort"].value
        assert found[other].scores["operations"].value > found["RA01"].scores["operations"].value


def test_a_budget_nobody_meets_names_the_nearest_designs_and_what_each_misses() -> None:
    scenario = tk.load_scenario("ml-platform")
    limits = scenario.requirements.model_copy(update={"budget_per_month": 1000})
    found = tk.compare(scenario.model_copy(update={"requirements": limits}))
    assert found.ranking is None
    with pytest.raises(UndecidedError, match=r"nearest: namespaces .* misses the monthly budget by [\d,]*000 %"):
        _ = found.best
    assert all(any("monthly budget" in reason for reason in found.exclusions(e.id)) for e in found.evaluations)


def test_the_picture_of_the_readme_shows_todays_first_place() -> None:
    picture = tk.example("saas-inference").parent / "comparison.svg"
    assert f"first is {study('saas-inference').best.id} with" in picture.read_text(encoding="utf-8")


def test_weights_decide_without_measuring_again() -> None:
    found = study("ml-platform")
    cheapest = found.with_weights(Weights(isolation=0, effort=0, operations=0, cost=1))
    safest = found.with_weights(Weights(isolation=1, effort=0, operations=0, cost=0))
    admitted = [e for e in found.evaluations if found.rank(e.id)]
    assert cheapest.best.scores["cost"].value == min(e.scores["cost"].value for e in admitted)
    assert safest.best.scores["isolation"].value == max(e.scores["isolation"].value for e in admitted)


def test_people_are_paid_for_once_in_the_bill() -> None:
    best = study("ml-platform").best
    assert float(best.people.per_month) == pytest.approx(best.scores["cost"].figures["per_month"]["people"], abs=0.011)


def test_unknown_designs_and_criteria_are_refused_with_a_cure() -> None:
    with pytest.raises(InputError, match="unknown design 'RA99'"):
        study("ml-platform")["RA99"]
    with pytest.raises(InputError, match=r"unknown criterion 'isolaton'.*did you mean isolation\?"):
        study("ml-platform").best.explain("isolaton")
