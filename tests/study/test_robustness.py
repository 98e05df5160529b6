"""What would change a decision: assumptions start from the study's own figures and move them the right way."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import numpy as np
import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.report.opening_sure import what_would_settle_it
from tenancykit.report.robust import robustness_payload, robustness_text
from tenancykit.scenario.model import Weights
from tenancykit.study.comparison import Study, study_of
from tenancykit.study.robustness import Robustness, robustness
from tests.laws.small import teams
from tests.studies import EXAMPLES, study

COST = 3


KEPT: Final = (0, 1, 2, -4, -2, -1)
"""Places of the admitted designs that are looked at: effects are worked out design by design; more show nothing new."""


@cache
def few(name: str) -> Study:
    """Return an example's first and last admitted designs and one that is not admitted."""
    whole = study(name)
    admitted = [e for e in whole.order if whole.rank(e.id) is not None]
    refused = [e for e in whole.order if whole.rank(e.id) is None]
    kept = [admitted[place] for place in KEPT] if len(admitted) > len(KEPT) else admitted
    return study_of(whole.scenario, whole.catalogue, [*kept, *refused[:1]])


@cache
def of(name: str) -> Robustness:
    return robustness(few(name))


@pytest.mark.parametrize("name", ["gpu-cloud", "saas-inference"])
def test_every_assumption_leaves_the_table_as_it_is_at_its_present_value(name: str) -> None:
    found = of(name)
    table = found.study.admitted
    assert table is not None
    assert len(found.assumptions) > 15
    for assumption in found.assumptions:
        now = assumption.values(table, assumption.current)
        assert np.allclose(now, table.values, rtol=1e-8, atol=1e-9), assumption.name


@pytest.mark.parametrize("name", EXAMPLES)
def test_compare_and_robust_use_the_same_word_and_overturn_by_another_family_only(name: str) -> None:
    found = of(name)
    quick, whole = found.study.verdict, found.verdict
    assert quick is not None
    assert whole is not None
    assert quick.word == whole.word
    assert all(one.new_first not in whole.family for one in whole.overturning)
    assert len(found.survival) > 50


def test_where_one_design_is_ahead_of_all_both_say_clear() -> None:
    found = robustness(tk.compare(alone()))
    assert found.verdict is not None
    assert found.study.verdict is not None
    assert found.verdict.word == found.study.verdict.word == "clear"


def alone() -> tk.Scenario:
    """Teams who ask for L4, which three references provide and one far ahead."""
    scenario = teams()
    classes = [
        c.model_copy(update={"requirements": c.requirements.model_copy(update={"isolation": "L4"})})
        for c in scenario.tenants.classes
    ]
    return scenario.model_copy(update={"tenants": scenario.tenants.model_copy(update={"classes": tuple(classes)})})


def test_dearer_gpu_nodes_cost_each_design_what_it_spends_on_them() -> None:
    found = of("saas-inference")
    table = found.study.admitted
    assert table is not None
    level = next(a for a in found.assumptions if a.name == "the level of prices of GPU nodes")
    moved = level.values(table, 1.5) - table.values
    for row, label in enumerate(table.labels):
        spent = found.study[label].scores["cost"].figures["per_month"]["GPU nodes"]
        assert moved[row, COST] == pytest.approx(float(spent) / 2)
    assert not moved[:, :COST].any()


def test_patching_faster_isolates_better_and_misconfiguration_worse() -> None:
    found = of("saas-inference")
    table = found.study.admitted
    assert table is not None
    patch = next(a for a in found.assumptions if a.name.startswith("the time from"))
    wrong = next(a for a in found.assumptions if a.name.startswith("the chance of mis"))
    assert (patch.values(table, 0.5)[:, 0] >= table.values[:, 0]).all()
    assert (patch.values(table, 2.0)[:, 0] < table.values[:, 0]).any()
    assert (wrong.values(table, 3.0)[:, 0] <= table.values[:, 0] + 1e-12).all()


def test_a_tipping_point_is_where_the_rival_draws_level() -> None:
    base = of("saas-inference").study
    edge = next(i for i in base.weight_intervals if i.criterion == "cost" and i.below)
    near = edge.low + 1e-4
    rest = {name: w * (1 - near) / (1 - edge.current) for name, w in base.weights.as_dict().items() if name != "cost"}
    found = robustness(base.with_weights(Weights(cost=near, normalise=True, **rest)))
    tips = [tip for tip in found.tipping_points if tip.tips_at is not None and tip.exact]
    assert tips
    study = found.study
    assert study.scaled is not None
    weights = study.heard.along(study.scaled.table.names)
    for tip in tips:
        assumption = next(a for a in found.assumptions if a.name == tip.name)
        assert tip.tips_at is not None
        assert tip.new_winner is not None
        scores = study.scaled.to_utility(assumption.values(study.scaled.table, tip.tips_at)) @ weights
        rows = [study.scaled.table.row(label) for label in (study.best.id, tip.new_winner)]
        assert scores[rows[0]] == pytest.approx(scores[rows[1]], abs=1e-9)


def test_the_nearest_cheaper_design_keeps_the_isolation() -> None:
    found = robustness(study("gpu-cloud"))
    table = found.study.admitted
    assert table is not None
    dearest = max(table.labels, key=lambda label: found.study[label].scores["cost"].value)
    for neighbour in found.cheaper(dearest):
        one, other = found.study[dearest], found.study[neighbour.label]
        assert other.scores["isolation"].value >= one.scores["isolation"].value
        assert one.scores["cost"].value - other.scores["cost"].value == pytest.approx(neighbour.saves)
    step = found.last_euro(dearest)
    assert step is None or step.dearer == dearest
    refused = next(e.id for e in found.study.evaluations if found.study.rank(e.id) is None)
    with pytest.raises(InputError, match="not admitted"):
        found.cheaper(refused)


def test_stakeholders_veto_what_falls_far_behind_their_favourite() -> None:
    found = of("saas-inference")
    agreed = found.consensus
    assert agreed is not None
    assert {s.name for s in agreed.stakeholders} == set(found.study.scenario.stakeholders)
    assert agreed.vetoes
    lenient = found.agreed(None)
    assert lenient is not None
    assert not lenient.vetoes
    assert lenient.choice == lenient.ranking.winner
    alone = robustness(found.study.with_weights(Weights(isolation=1, effort=0, operations=0, cost=0)))
    assert alone.tornado


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_question_is_the_one_compare_asks_and_what_the_last_money_buys_is_told_as_it_is(name: str) -> None:
    found = of(name)
    told = " ".join(robustness_text(found).split())
    assert found.verdict is not None
    assert not re.search(r"What is (?:it|the .*) really", told), "nobody can answer what a share of a scale is"
    if found.verdict.word != "clear":
        assert " ".join(what_would_settle_it(found.study).split()) in told
    costs = [e.scores["cost"].value for e in found.study.evaluations if found.study.rank(e.id)]
    cheapest = found.study.best.scores["cost"].value <= min(costs)
    assert ("it is the cheapest of the admitted designs" in told) is cheapest
    assert "or it is the cheapest" not in told


def test_the_text_names_what_it_found() -> None:
    told = robustness_text(of("saas-inference"))
    assert "Tipping points" in told
    assert "would veto" in told
    spoken = set(re.findall(r"\b(?:RA\d\d|HY\d)\b", told.split("The designs spoken of:")[0]))
    assert len(spoken) > 2
    for label in spoken - {of("saas-inference").study.best.id}:
        assert f"- {label} is " in told, "nobody has to know an id"
    assert not re.search(r"at [\d.,]+ x\b", told)
    data = robustness_payload(of("saas-inference"))
    assert data["tornado"]
    assert data["consensus"]["vetoes"]


@pytest.mark.parametrize("name", ["gpu-cloud", "saas-inference"])
def test_assumptions_are_told_in_words_with_range_and_unit_and_data_keeps_their_ids(name: str) -> None:
    found = of(name)
    told = robustness_text(found)
    ids = {item.id for item in found.survival} - {""}
    assert len(ids) > 20
    assert [identifier for identifier in ids if identifier in told] == []
    assert re.findall(r"\w+_\w+", told) == [], "the catalogue's ids have underscores, words have none"
    kept = robustness_payload(found)
    assert {entry["id"] for entry in kept["survival"]} >= ids
    assert len({entry["assumption"] for entry in kept["survival"]}) == len(kept["survival"])
    flat = " ".join(told.split())
    for item in found.survival:
        assert item.name in flat
        assert item.unit
