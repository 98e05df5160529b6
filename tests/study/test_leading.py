"""What explore recommends is never worth less than what compare puts first, on the same scales and weights."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tenancykit import example, load_catalogue, load_scenario
from tenancykit.criterion_names import FOUR
from tenancykit.design.model import Design
from tenancykit.design.space import common_space
from tenancykit.report.exploring import exploration_payload, exploration_text, front_csv
from tenancykit.scenario.model import Scenario
from tenancykit.study.comparison import compare, study_of
from tenancykit.study.evaluation import evaluate
from tenancykit.study.exploration import Exploration, explore
from tenancykit.study.handful import LEVEL, handful
from tenancykit.study.leaves import leaf_values
from tenancykit.study.searching import Search
from tenancykit.study.sweeping import Question
from tests.studies import EXAMPLES, sampled, study
from tests.study.test_exploration import NARROW, loaded

FEW = 300
"""Designs measured: enough for a search that ends before it finds anything by itself."""


@cache
def searched(name: str, *, per_class: bool) -> Exploration:
    return explore(load_scenario(example(name)), load_catalogue(), limit=FEW, per_class=per_class)


CASES = sampled(
    [(name, per_class) for name in EXAMPLES for per_class in (False, True)],
    [("saas-inference", True), ("saas-inference", False), ("gpu-cloud", False)],
)


@pytest.mark.parametrize("case", CASES)
def test_the_first_is_worth_at_least_what_compare_puts_first(case: tuple[str, bool]) -> None:
    name, per_class = case
    found, known = searched(name, per_class=per_class), study(name)
    chosen = handful(found)
    assert known.ranking is not None
    first = chosen[0].evaluation
    score = known.scales.tree.score(leaf_values([first], known.scales.keys), known.weights)[0]
    assert score >= max(known.ranking.scores) - 1e-9
    merits = found.merits_if({})
    assert merits[chosen[0].found.id] == pytest.approx(score, abs=1e-9)
    assert max(merits[one.id] for one in found.members) == merits[chosen[0].found.id]
    assert {one.ranked for one in found.known} == set(known.ranking.labels)


@pytest.mark.parametrize("case", CASES)
def test_every_one_of_the_handful_meets_what_is_asked_and_is_told_apart(case: tuple[str, bool]) -> None:
    found = searched(case[0], per_class=case[1])
    chosen = handful(found)
    compared = compare(found.scenario, found.catalogue, [one.found.design for one in chosen])
    for one in chosen:
        assert compared.rank(one.found.id) is not None
        figures = [one.evaluation.scores[name].value for name in FOUR]
        assert one.found.values == pytest.approx(figures, rel=1e-8)
    assert len({one.name for one in chosen}) == len(chosen)
    text, rows = exploration_text(found), front_csv(found).splitlines()
    assert all(one.found.id in text for one in chosen)
    assert {one.id for one in (*found.leading, *(each.found for each in chosen))} <= {row.split(",")[0] for row in rows}
    assert [one["id"] for one in exploration_payload(found)["handful"]] == [one.found.id for one in chosen]


def test_what_leads_is_what_measuring_every_design_puts_first() -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    found = explore(scenario, catalogue, allowed=NARROW)
    classes = [c.id for c in scenario.tenants.classes]
    choices = common_space(scenario, catalogue, allowed=NARROW)  # type: ignore[arg-type]
    every = [Design(f"d{i}", "", dict.fromkeys(classes, choice)) for i, choice in enumerate(choices)]
    ranked = study_of(scenario, catalogue, [evaluate(design, scenario, catalogue) for design in every])
    assert found.exact
    assert ranked.ranking is not None
    assert found.merits_if({})[found.leading[0].id] == pytest.approx(max(ranked.ranking.scores), abs=1e-9)
    costs = [ranked[label].scores["cost"].value for label in ranked.ranking.labels]
    assert min(one["cost"] for one in found.leading) == pytest.approx(min(costs), rel=1e-6)


def test_designs_that_are_not_allowed_are_not_recommended() -> None:
    found = explore(load_scenario(example("gpu-cloud")), load_catalogue(), allowed=NARROW, limit=FEW)
    options = {name for one in found.members for choice in one.choices.values() for name in choice.options}
    for dimension, allowed in NARROW.items():
        mine = {option.id for option in load_catalogue().in_dimension(dimension)}
        assert options & mine <= set(allowed)


def variation(name: str, number: int) -> Scenario:
    """Return an example asked differently: other weights, another number of tenants, another team."""
    scenario = load_scenario(example(name))
    rng = np.random.default_rng(number)
    weights = dict(zip(("isolation", "effort", "operations", "cost"), rng.dirichlet([1.0] * 4), strict=True))
    first, *others = scenario.tenants.classes
    classes = (first.model_copy(update={"count": int(rng.integers(2, 60))}), *others)
    changes = {
        "weights": scenario.weights.model_copy(update=weights),
        "tenants": scenario.tenants.model_copy(update={"classes": classes}),
    }
    return scenario.model_copy(update=changes)


@pytest.mark.parametrize("number", sampled(range(8), [0]))
def test_the_law_holds_for_scenarios_of_other_weights_and_sizes(number: int) -> None:
    name = EXAMPLES[number % len(EXAMPLES)]
    found = explore(variation(name, number), load_catalogue(), limit=150, per_class=number % 2 == 0)
    merits = found.merits_if({})
    chosen = handful(found)
    if found.known:
        assert merits[chosen[0].found.id] >= max(merits[one.id] for one in found.known)
    assert all(one.found.admitted for one in chosen)


@pytest.mark.parametrize("name", sampled(("gpu-cloud", "regulated-hybrid", "saas-inference"), ["gpu-cloud"]))
def test_a_search_per_class_does_not_end_below_one_of_a_quarter_with_the_same_for_all(name: str) -> None:
    scenario, catalogue = load_scenario(example(name)), load_catalogue()
    same = explore(scenario, catalogue, limit=600)
    each = explore(scenario, catalogue, limit=4 * 600, per_class=True)
    assert each.evaluated <= 4 * 600
    mine, theirs = each.merits_if({}), same.merits_if({})
    assert max(mine[one.id] for one in each.members) >= max(theirs[one.id] for one in same.members) - 1e-9


def test_what_cannot_be_changed_alone_is_changed_with_what_it_needs() -> None:
    scenario, catalogue = load_scenario(example("gpu-cloud")), load_catalogue()
    search = Search(Question.of(scenario, catalogue), catalogue, 1_000, None, None, None, None, None)
    code = search.sweeper.codes(np.array([12_345_678]))[0]
    mended = search._mended(code)
    assert len(mended)
    assert search.sweeper.valid(mended).all()
    for row in mended:
        changed = np.flatnonzero(row != code)
        assert len(changed) == 2
        alone = np.tile(code, (2, 1))
        alone[[0, 1], changed] = row[changed]
        assert not search.sweeper.valid(alone).all()


@pytest.mark.parametrize("case", CASES)
def test_a_design_found_is_compared_as_it_was_found(case: tuple[str, bool]) -> None:
    found = searched(case[0], per_class=case[1])
    chosen = handful(found)
    compared = compare(found.scenario, found.catalogue, [one.found.design for one in chosen])
    assert compared.ranking is not None
    merits = found.merits_if({})
    for one in chosen:
        assert compared[one.found.id].resolved.design.fingerprint() == one.found.design.fingerprint()
        at = compared.ranking.labels.index(one.found.id)
        assert compared.ranking.scores[at] == pytest.approx(merits[one.found.id], abs=1e-9)


def test_the_safest_says_by_how_much_and_the_first_takes_the_role_where_nobody_could_tell() -> None:
    for case in (("saas-inference", True), ("gpu-cloud", False)):
        found = searched(case[0], per_class=case[1])
        safety = found.merits_if(dict.fromkeys(("effort", "operations", "cost"), 0.0))
        chosen = handful(found)
        safest = next(one for one in chosen if "safest within budget" in one.roles)
        told = next(why for why in safest.why if "the safest found" in why)
        assert f"isolation is worth {safety[safest.found.id]:.3f} of 1" in told or "with the add-ons of" in told
        if safest is not chosen[0]:
            assert safety[safest.found.id] > safety[chosen[0].found.id] + LEVEL


def test_where_nobody_meets_every_requirement_the_nearest_is_named() -> None:
    scenario = load_scenario(example("ml-platform"))
    limits = scenario.requirements.model_copy(update={"platform_engineers": 1})
    found = explore(scenario.model_copy(update={"requirements": limits}), load_catalogue(), limit=100)
    assert not handful(found)
    assert "nearest: " in exploration_text(found)
