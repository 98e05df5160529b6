from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.drawing import html_of, text_of
from tenancykit.report.sharing import question_of
from tenancykit.studio import workshop
from tenancykit.studio.workshop import checks


def mixed(basic: str, regulated: str) -> tk.Design:
    study = checks.studied("saas-inference")
    options = {c: study[basic].resolved.design.choices[c].options for c in ("basic", "premium")}
    options["regulated"] = study[regulated].resolved.design.choices["regulated"].options
    return tk.own_design("mine", "Mine", options, study.scenario)


def whole_classes() -> dict[str, float]:
    study = checks.studied("saas-inference")
    each = {c.id: c for c in study.scenario.tenants.classes}
    return {c: (checks._each(study["RA09"], c) - checks._each(study["RA02"], c)) * each[c].count for c in each}


def turned_round() -> dict[str, float]:
    study = checks.studied("saas-inference")
    return {
        c.id: checks._each(study["RA02"], c.id) - checks._each(study["RA09"], c.id)
        for c in study.scenario.tenants.classes
    }


def gpus(name: str) -> float:
    return float(checks.studied("gpu-cloud")["RA09"].scores["cost"].figures["gpus"][name])


def quotas_of(design: str, *gpus: int) -> dict[str, Any]:
    return {"design": design, "quotas": dict(zip(("language", "speech", "tests", "vision"), gpus, strict=True))}


def turning_point() -> float:
    return next(i.high for i in checks.studied("ml-platform").weight_intervals if i.criterion == "isolation")


def safest_of_all() -> str:
    study = checks.studied("ml-platform")
    return max((e for e in study.evaluations if study.rank(e.id) is None), key=lambda e: e.scores["isolation"].value).id


WRONG: list[tuple[int, Any, str]] = [
    (1, lambda: {"first": checks.studied("ml-platform").best.id, "safest": safest_of_all()}, "is not admitted"),
    (1, lambda: {"first": checks.studied("ml-platform").order[1].id, "safest": "RA01"}, "has rank 2"),
    (1, lambda: {"first": "RA99", "safest": "RA01"}, "unknown design"),
    (1, lambda: {"first": "RA01"}, "says nothing about safest"),
    (2, lambda: "RA01 +rt_kata", "cannot be built here"),
    (2, lambda: "RA01 +node_dedicated_tenant", "costs"),
    (2, lambda: "RA01 -obs_opencost", "it changes isolation by"),
    (2, lambda: "RA01 +rt_gvizor", "did you mean rt_gvisor"),
    (3, lambda: {"weight": 38, "verdict": "contested"}, "not a percentage"),
    (3, lambda: {"weight": 0.25, "verdict": "contested"}, "which is what isolation weighs now"),
    (3, lambda: {"weight": 0.95, "verdict": "contested"}, "already with less"),
    (3, lambda: {"weight": turning_point(), "verdict": "clear"}, "is not what the study says"),
    (3, lambda: 0.5, "not a dictionary"),
    (4, whole_classes, "one tenant is asked for"),
    (4, turned_round, "signs are turned round"),
    (4, lambda: {"basic": 100, "premium": 100, "regulated": 100}, "do not pay alike"),
    (5, lambda: gpus("stranded_at_peak"), "stranded at the peak"),
    (5, lambda: gpus("bought") - gpus("taken_at_peak"), "the average over all hours"),
    (5, lambda: gpus("used_on_average"), "one part of the subtraction"),
    (6, lambda: 1, "too many"),
    (6, lambda: 60, "the least number is asked for"),
    (6, lambda: 5.5, "a whole number"),
    (7, lambda: quotas_of("borrowing", 5, 5, 5, 5), "language waits 2.0 h"),
    (7, lambda: quotas_of("static", 8, 4, 2, 6), "may they be lent?"),
    (7, lambda: quotas_of("borrowing", 8, 8, 8, 8), "takes 32 GPUs, and there are 20"),
    (7, lambda: quotas_of("clusters", 8, 4, 2, 6), "takes 32 GPUs, and there are 20"),
    (7, lambda: quotas_of("lending", 8, 4, 2, 6), "is no quota design"),
    (7, lambda: quotas_of("fair", 8, 4, 2, -1), "whole number of GPUs"),
    (7, lambda: {"design": "fair", "quotas": {"language": 20}}, "says nothing about speech"),
    (8, lambda: mixed("RA10", "RA10"), "must they?"),
    (8, lambda: mixed("RA02", "RA02"), "what does its next level ask for"),
    (8, lambda: mixed("RA12", "RA12"), "not admitted"),
    (8, lambda: "RA10", "is not a design"),
    (9, lambda: "/nowhere", "holds no export"),
]


@pytest.mark.parametrize(("number", "answer", "told"), WRONG, ids=[f"{n}-{t[:24]}" for n, _, t in WRONG])
def test_a_typical_wrong_answer_gets_a_helpful_message(number: int, answer: Any, told: str) -> None:
    verdict = workshop.check(number, answer())
    assert not verdict.passed
    assert told in verdict.message


def test_every_exercise_is_tested_with_three_typical_wrong_answers() -> None:
    for exercise in workshop.exercises():
        known = [told for number, _, told in WRONG if number == exercise.number]
        assert len(known) >= (1 if exercise.number == 9 else 3), exercise.number
        assert len(exercise.hints) >= 2


def test_an_export_that_was_changed_or_undecided_is_told(tmp_path: Path) -> None:
    study = checks.studied("regulated-hybrid")
    tk.export(study, tmp_path / "good")
    assert workshop.check(9, tmp_path / "good").passed
    lost = next(iter(sorted((tmp_path / "good").rglob("network.yaml"))))
    lost.unlink()
    told = workshop.check(9, tmp_path / "good")
    assert not told.passed
    assert "network.yaml" in told.message
    tk.export(study.best, tmp_path / "alone")
    assert "no decision record" in workshop.check(9, str(tmp_path / "alone")).message
    tk.export(study[study.order[1].id], tmp_path / "other", study=study)
    assert "not in first place" in workshop.check(9, str(tmp_path / "other")).message


@pytest.mark.parametrize("number", range(1, 10))
def test_no_answer_and_nonsense_are_told_without_a_traceback(number: int) -> None:
    assert "no answer yet" in workshop.check(number, None).message
    for nonsense in (object(), [], "<script>", float("nan"), True):
        verdict = workshop.check(number, nonsense)
        assert not verdict.passed
        assert verdict.message
        assert "<script>" not in html_of(verdict)
        assert text_of(verdict).startswith(f"exercise {number}: not yet")


def test_hints_say_more_and_more_and_end() -> None:
    assert "(hint 1 of" in workshop.hint(1)
    assert workshop.hint(1, 99) == workshop.hint(1, 3)
    with pytest.raises(InputError, match="1 to 9"):
        workshop.task(10)


def test_no_hint_names_what_passes() -> None:
    best = checks.studied("ml-platform").best.id
    for exercise in workshop.exercises():
        for text in exercise.hints:
            assert not workshop.check(exercise.number, text).passed
        if exercise.number == 1:
            assert best not in " ".join(exercise.hints)


def test_a_group_is_compared_from_its_files(tmp_path: Path) -> None:
    study = checks.studied("saas-inference")
    workshop.submit("Ada <b>", study["RA02"].resolved.design, "saas-inference", tmp_path)
    workshop.submit("RA01", mixed("RA02", "RA10"), "saas-inference", tmp_path)
    (tmp_path / "broken.design.json").write_text("{")
    (tmp_path / "empty.design.json").write_text("{}")
    found = workshop.group(tmp_path)
    assert sorted(found.names.values()) == ["Ada <b>", "RA01"]
    assert len(found.faults) >= 2
    ada = next(i for i, name in found.names.items() if name.startswith("Ada"))
    for criterion, score in found.study[ada].scores.items():
        assert score.value == study["RA02"].scores[criterion].value
    shown = html_of(found)
    assert "Ada &lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "left out" in text_of(found)
    assert all(score.unit in shown for score in study.best.scores.values())


def test_figures_in_a_file_cannot_be_made_up(tmp_path: Path) -> None:
    file = workshop.submit("Eve", mixed("RA02", "RA10"), "saas-inference", tmp_path)
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "cost": 1}))
    with pytest.raises(InputError, match="unknown key 'cost'"):
        workshop.group(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"options": {"basic": []}}, "does not name exactly the classes of saas-inference"),
        ({"scenario": "elsewhere"}, "ml-platform"),
        ({"name": ""}, "a tenant name is empty"),
    ],
)
def test_a_malformed_submission_is_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    file = workshop.submit("Eve", mixed("RA02", "RA10"), "saas-inference", tmp_path)
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(InputError, match=told):
        workshop.group(tmp_path)


def test_an_amount_of_a_bill_is_an_answer_as_it_is() -> None:
    study = checks.studied("saas-inference")
    answer = {}
    for tenant_class in study.scenario.tenants.classes:
        paid = []
        for design in ("RA09", "RA02"):
            bills = study[design].scores["cost"].detail.tenant_bills(study.scenario)
            own = [lines for name, lines in bills.items() if name.startswith(tenant_class.id)]
            paid.append(sum((amount for lines in own for amount in lines.values()), Decimal(0)))
        answer[tenant_class.id] = (paid[0] - paid[1]) / tenant_class.count
    assert all(isinstance(amount, Decimal) for amount in answer.values())
    assert workshop.check(4, answer).passed


@pytest.mark.parametrize("number", range(1, 10))
def test_a_message_never_repeats_a_long_answer(number: int) -> None:
    assert len(workshop.check(number, ["a long list"] * 1000).message) < 300


@pytest.mark.parametrize(
    ("design", "scenario", "told"),
    [
        (..., "saas-inference", "ellipsis is not a design"),
        ("RA02", "saas-inference", "str is not a design"),
        (lambda: mixed("RA02", "RA10"), "ml-platform", "the classes of ml-platform"),
    ],
)
def test_what_is_no_design_for_the_example_is_not_handed_in(
    design: Any, scenario: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        workshop.submit("Eve", design() if callable(design) else design, scenario, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no design"):
        workshop.group(tmp_path)


def test_a_groups_weights_are_heard_before_and_after_the_talk_and_missing_ones_are_asked_for(
    measured: tk.Study, tmp_path: Path
) -> None:
    assert f"tenancykit share {measured.scenario.name}" in workshop.heard(tmp_path, measured)
    (tmp_path / "before").mkdir()
    for file, points in (("weights-ada.json", (1, 1, 1, 9)), ("before/weights-ada.json", (9, 1, 1, 1))):
        weights = dict(zip(("isolation", "effort", "operations", "cost"), points, strict=True))
        data = {"schema": "tenancykit/weights/v1", "question": question_of(measured), "who": "Ada", "weights": weights}
        (tmp_path / file).write_text(json.dumps(data))
        if file.startswith("weights"):
            alone = workshop.heard(tmp_path, measured)
    assert "Ada" in alone
    assert workshop.heard(tmp_path, measured) != alone
    (tmp_path / "weights-bo.json").write_text("{")
    with pytest.raises(InputError, match=r"weights-bo\.json:1"):
        workshop.heard(tmp_path, measured)
