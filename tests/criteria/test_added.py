"""A fifth criterion: its own folder and one registration, and everything shows and weighs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.cli import main
from tenancykit.criteria.added import AddedCriterion, register, registered, registration
from tenancykit.criteria.score import Score
from tenancykit.criterion_names import CRITERIA
from tenancykit.design.validity import reference_design
from tenancykit.drawing import html_of, text_of
from tenancykit.report import text
from tenancykit.report.payload import comparison
from tenancykit.report.record import record_html
from tenancykit.scenario.model import Weights
from tenancykit.study.evaluation import evaluate
from tenancykit.study.exchange_rates import weights_of
from tenancykit.study.scales import scales_of
from tests.criteria.toy import CRITERION

FILE = Path(__file__).with_name("toy") / "__init__.py"
LINE = f"{FILE}:{CRITERION.measure.__code__.co_firstlineno}"
NARROWED = {"runtime": ["rt_runc"], "network": ["net_np_default_deny"], "storage": ["st_sc_quota"]}
WEIGHTS = {"isolation": 0.2, "effort": 0.2, "operations": 0.2, "cost": 0.2, "parts": 0.2}


@pytest.fixture(scope="module")
def toy() -> Iterator[AddedCriterion]:
    with registration(CRITERION) as criterion:
        yield criterion


@pytest.fixture(scope="module")
def study(toy: AddedCriterion) -> tk.Study:  # noqa: ARG001 - registered while the module is tested
    scenario = tk.load_scenario("ml-platform")
    return tk.compare(scenario.model_copy(update={"weights": Weights.by_criterion(WEIGHTS)}))


def test_a_table_of_five_criteria_fits_a_terminal_of_80_columns(
    study: tk.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "line_width", lambda: 80)
    lines = text.study_text(study).splitlines()
    assert any("Parts" in line.split() for line in lines)
    assert [line for line in lines if len(line) > 80] == []


def test_a_registered_criterion_is_compared_and_ranked_after_the_four(study: tk.Study) -> None:
    assert tuple(CRITERIA)[-1] == "parts"
    assert tuple(study.best.scores) == tuple(CRITERIA)
    assert study.weights.as_dict()["parts"] == pytest.approx(0.2)
    assert {e.scores["parts"].value for e in study.order} != {study.best.scores["parts"].value}


def test_its_weight_counts_in_every_score(study: tk.Study) -> None:
    assert study.with_weights(Weights()).weights.as_dict()["parts"] == 0
    alone = study.with_weights(Weights.by_criterion({**dict.fromkeys(WEIGHTS, 0.0), "parts": 1}))
    fewest = min(e.scores["parts"].value for e in alone.order if alone.rank(e.id) is not None)
    assert alone.best.scores["parts"].value == fewest


def test_it_is_explained_down_to_its_lines(study: tk.Study) -> None:
    found = study.best.explain("parts")
    assert len(found.evidence.children) == len(study.scenario.tenants.classes)
    assert "Number of parts" in text_of(found)
    assert "Number of parts" in html_of(found)


def test_it_stands_in_text_json_tables_record_and_shared_page(study: tk.Study, tmp_path: Path) -> None:
    assert "Parts" in text_of(study)
    assert "Number of parts" in html_of(study)
    assert "parts" in study.table.columns
    assert "Number of parts" in record_html(tk.record(study))
    assert "Number of parts" in tk.share(study, tmp_path / "page.html").read_text(encoding="utf-8")
    assert comparison(study)["weights"]["parts"] == pytest.approx(0.2)


def test_samples_of_weights_and_figures_draw_it_too(study: tk.Study) -> None:
    assert study.acceptability is not None
    assert len(study.acceptability.central_weights[0]) == len(CRITERIA)


@pytest.mark.usefixtures("toy")
def test_scenarios_weigh_it_and_move_the_ends_of_its_scale() -> None:
    text = tk.example("saas-inference").read_text(encoding="utf-8")
    own = "weights: {isolation: 0.5, effort: 0, operations: 0, cost: 0, added: {parts: 0.5}}\n"
    own += "scales: {added: {parts: {best: 5, worst: 50}}}\n"
    scenario = tk.parse_scenario(_without(text, "weights", "scales") + own)
    assert weights_of(scenario.weights).as_dict()["parts"] == 0.5
    assert scales_of(scenario, tk.load_catalogue(), ())["parts"].worst == 50


def test_an_unknown_criterion_in_weights_is_refused_with_its_line() -> None:
    text = _without(tk.example("ml-platform").read_text(encoding="utf-8"), "weights")
    with pytest.raises(InputError, match=r":\d+: weights\.added.*'lock_in' is no criterion"):
        tk.parse_scenario(text + "weights: {isolation: 1, effort: 0, operations: 0, cost: 0, added: {lock_in: 0.5}}\n")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "Parts!"}, "no id"),
        ({"id": "cost"}, "is taken"),
        ({"title": " "}, "title: is empty"),
        ({"why": ""}, "why: is empty"),
        ({"better": "less"}, "higher, lower"),
        ({"worst": 0.0, "best": 60.0}, "exchange the two ends"),
        ({"best": float("nan")}, "two finite numbers"),
    ],
)
def test_a_wrong_criterion_is_refused_with_file_line_and_cure(change: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        register(replace(CRITERION, **change))
    assert all(fault.where.startswith(LINE) for fault in error.value.faults)
    assert not registered() or change.get("id") != registered()[-1].id


def test_a_measure_that_gives_no_score_of_its_criterion_is_named_with_file_and_line() -> None:
    scenario, catalogue = tk.load_scenario("ml-platform"), tk.load_catalogue()

    def wrong(*_: object) -> Score:
        return replace(CRITERION.measure(*_), unit="pieces")  # type: ignore[arg-type]

    with (
        registration(replace(CRITERION, id="wrong", measure=wrong)),
        pytest.raises(InputError, match=r"test_added\.py:\d+: wrong of RA\d\d: the score's id is 'parts'"),
    ):
        evaluate(reference_design(catalogue.references["RA01"], scenario, catalogue), scenario, catalogue)


@pytest.mark.usefixtures("toy")
def test_exploring_measures_the_four_and_says_so_where_more_is_weighed() -> None:
    scenario = tk.load_scenario("ml-platform")
    with pytest.raises(InputError, match="parts has a weight"):
        tk.explore(scenario.model_copy(update={"weights": Weights.by_criterion(WEIGHTS)}), limit=10)
    found = tk.explore(scenario, allowed=NARROWED, limit=10)
    assert len(found.front[0].values) == 4
    assert set(found.merits_if({})) == {one.id for one in found.every}


@pytest.mark.usefixtures("toy")
def test_the_command_line_explains_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "ml-platform", "RA01", "--criterion", "parts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def _without(text: str, *blocks: str) -> str:
    """Return YAML without some top-level blocks."""
    kept, dropping = [], False
    for line in text.splitlines(keepends=True):
        if line[:1].strip() and not line.startswith("#"):
            dropping = line.split(":")[0] in blocks
        if not dropping:
            kept.append(line)
    return "".join(kept)
