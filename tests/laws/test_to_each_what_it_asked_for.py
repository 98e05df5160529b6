"""Law 4: a design per class is an ordinary candidate, found exactly."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
import yaml

import tenancykit as tk
from tenancykit.decision.screen import screen
from tenancykit.design.families import family_of
from tenancykit.design.model import Design
from tenancykit.study import composing
from tenancykit.study.comparison import Study
from tenancykit.study.composing import COMPOSED, best_composition
from tenancykit.study.evaluation import evaluate
from tenancykit.study.leaves import leaf_values
from tenancykit.study.requirements import class_level, figures_table, hard_requirements, measures
from tests.exam.marking import CASES
from tests.laws.small import saas, teams

SOME = ("RA01", "RA03", "RA08", "RA10", "RA16")


@pytest.fixture(scope="module")
def study() -> Study:
    return tk.compare(saas())


def test_those_who_ask_for_more_get_it_and_nobody_else_pays_for_clusters(study: Study) -> None:
    hybrid, everybody = study[COMPOSED], study["RA10"]
    assert study.rank(COMPOSED) is not None
    assert class_level(hybrid, "regulated", "overall") >= "L4"
    assert not hybrid.resolved.of_class("basic").cluster.per_tenant
    assert hybrid.resolved.of_class("regulated").cluster.per_tenant
    assert hybrid.scores["cost"].value < everybody.scores["cost"].value


def test_it_is_the_best_of_all_combinations(study: Study) -> None:
    scenario, catalogue = study.scenario, study.catalogue
    references = [study[name] for name in SOME]
    found = best_composition(references, scenario, catalogue, study.scales, study.weights)
    assert found is not None
    taken = {family_of(one.resolved) for one in references}
    every = []
    for first, second in itertools.product(references, references):
        choices = {
            "basic": first.resolved.of_class("basic").choice,
            "regulated": second.resolved.of_class("regulated").choice,
        }
        one = evaluate(Design("x", "x", choices), scenario, catalogue)
        admitted = screen(figures_table([one]), hard_requirements(scenario), measures([one])).passed
        if one.resolved.is_valid and admitted and family_of(one.resolved) not in taken:
            every.append(one)
    values = study.scales.tree.score(leaf_values([found, *every], study.scales.keys), study.heard)
    assert len(every) > 2
    # What components request is priced at the cheapest machine while looking, whole machines afterwards.
    assert values[0] >= values[1:].max() - 0.005


def test_variants_change_nothing_about_it(study: Study) -> None:
    other = tk.compare(saas(), designs=["RA01 +rt_gvisor"])
    assert other[COMPOSED].resolved.design.choices == study[COMPOSED].resolved.design.choices
    assert [e.id for e in other.order if e.id in {x.id for x in study.order}] == [e.id for e in study.order]


def test_with_one_class_there_is_nothing_to_compose() -> None:
    assert COMPOSED not in {e.id for e in tk.compare(teams(), as_published=True).evaluations}


def test_it_says_of_what_it_is_composed(study: Study) -> None:
    assert study[COMPOSED].resolved.published.count(" for ") == 2
    assert "one shared cluster" in study[COMPOSED].name
    assert "cluster per customer" in study[COMPOSED].name


def test_a_composition_that_misses_a_requirement_is_compared_and_says_what_it_misses() -> None:
    """Where the fleet held no composition, the nearest design that could be had by buying was not among those told."""
    scenario = saas()
    few = scenario.requirements.model_copy(update={"budget_per_month": Decimal(1000)})
    study = tk.compare(scenario.model_copy(update={"requirements": few}))
    assert study.ranking is None
    assert any("budget" in reason for reason in study.exclusions(COMPOSED))


def test_combinations_a_fixed_fleet_has_no_cards_for_use_up_no_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = yaml.safe_load(CASES["hospital-studies"].read_text())["scenario"]
    scenario = tk.parse_scenario(yaml.safe_dump(asked, sort_keys=False))
    monkeypatch.setattr(composing, "TRIES", 1)
    found = tk.compare(scenario)
    assert found.rank(COMPOSED) is not None
    assert found[COMPOSED].scores["cost"].figures["fleet"]["missing_gpu_nodes"] == 0
    monkeypatch.setattr(composing, "TOO_LARGE", 1)
    assert tk.compare(scenario)[COMPOSED].scores["cost"].figures["fleet"]["missing_gpu_nodes"] > 0
