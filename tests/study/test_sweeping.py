"""A sweep gives every design the figures that evaluating it alone gives."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tenancykit import example, load_catalogue, load_scenario
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import evaluate
from tenancykit.study.refining import Refiner
from tenancykit.study.sweeping import Question, sweep_codes, sweep_numbers, sweeper_of

EXAMPLES = ("gpu-cloud", "ml-platform", "regulated-hybrid", "saas-inference")


def with_team(scenario: Scenario, **changes: object) -> Scenario:
    return scenario.model_copy(update={"team": scenario.team.model_copy(update=changes)})


def agree(question: Question, rows: int, seed: int) -> None:
    sweeper = sweeper_of(question)
    rng = np.random.default_rng(seed)
    parts = [part.codes(rng.integers(0, len(part), rows)) for part in sweeper.parts]
    codes = np.concatenate(parts, axis=1)
    columns = sweep_codes(question, codes)
    batch = sweeper.batch(codes)
    for row in range(rows):
        found = evaluate(batch.design(row), question.scenario, question.catalogue)
        scores = found.scores
        assert columns.isolation[row] == pytest.approx(scores["isolation"].value, rel=1e-9, abs=1e-12)
        assert columns.effort[row] == pytest.approx(scores["effort"].value, rel=1e-9)
        assert columns.operations[row] == pytest.approx(scores["operations"].value, rel=1e-9)
        assert columns.engineers[row] == scores["operations"].figures["people_needed"]
        assert columns.patch_days[row] == pytest.approx(scores["operations"].figures["patch_latency_days"], rel=1e-9)
        assert columns.people[row] == pytest.approx(float(found.people.per_month), abs=0.03)
        bill = float(sweeper.cost.infrastructure(found.resolved)) + float(found.people.per_month)
        assert bill == pytest.approx(scores["cost"].value, abs=1e-6)


@pytest.mark.parametrize("name", EXAMPLES)
def test_figures_of_random_designs_equal_their_evaluation(name: str) -> None:
    catalogue = load_catalogue()
    agree(Question.of(load_scenario(example(name), catalogue), catalogue), rows=12, seed=1)


@pytest.mark.parametrize("name", ["gpu-cloud", "regulated-hybrid"])
def test_figures_of_random_hybrids_equal_their_evaluation(name: str) -> None:
    catalogue = load_catalogue()
    # Two ways to cut GPUs in one cluster cannot be exported together, and evaluating counts the exported objects.
    allowed = {"gpu_sharing": ["gpu_exclusive", "gpu_mig"]}
    scenario = load_scenario(example(name), catalogue)
    agree(Question.of(scenario, catalogue, allowed, per_class=True), rows=12, seed=2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "team",
    [
        {"automation": "manual", "engineers": 1.5},
        {"automation": "scripts", "on_call": True, "running": ("argo-cd", "id_oidc_rbac", "cni-cilium")},
    ],
)
def test_figures_equal_for_other_teams_too(team: dict[str, object]) -> None:
    catalogue = load_catalogue()
    scenario = with_team(load_scenario(example("saas-inference"), catalogue), **team)
    agree(Question.of(scenario, catalogue), rows=8, seed=3)


def test_no_design_costs_less_than_its_bounds() -> None:
    catalogue = load_catalogue()
    question = Question.of(load_scenario(example("gpu-cloud"), catalogue), catalogue)
    sweeper = sweeper_of(question)
    numbers = np.linspace(0, sweeper.count - 1, 25).astype(np.int64)
    columns = sweep_numbers(question, numbers)
    costs = Refiner(question).bounded(columns)
    batch = sweeper.batch(columns.codes)
    for row in range(len(columns)):
        resolved = batch.resolved(row)
        bill = float(sweeper.cost.infrastructure(resolved)) + columns.people[row]
        core = sweeper.cost.bound(resolved.design) + columns.people[row] + columns.hosts[row]
        assert costs.least[row] <= core + 0.5 <= bill + 1.0


def test_a_question_travels_and_keeps_its_key() -> None:
    catalogue = load_catalogue()
    question = Question.of(load_scenario(example("gpu-cloud"), catalogue), catalogue, {"runtime": ["rt_runc"]})
    question.catalogue  # noqa: B018 - what was read must not travel
    sent = pickle.dumps(question)
    assert len(sent) < 20_000
    assert pickle.loads(sent).key == question.key  # noqa: S301 - our own bytes
    assert Question.of(question.scenario, catalogue).key != question.key
