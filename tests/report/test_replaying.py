"""A decision record carries its inputs: they give the same numbers, or the replay says what changed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit import example, load_catalogue
from tenancykit.examples import EXAMPLES
from tenancykit.report.completing import made_of
from tenancykit.report.paper import Paper
from tenancykit.report.record_inputs import digest_of, embedded_inputs, inputs_of
from tenancykit.report.replaying import replay
from tenancykit.study.comparison import Study
from tests import studies


@cache
def study(name: str) -> Study:
    return studies.study(name, "RA01 +pol_vap")


def page(name: str) -> str:
    found = study(name)
    return f"<html><body>{embedded_inputs(found, found.best.id, digest_of(found, found.best))}</body></html>"


def changed(name: str, **changes: object) -> str:
    text = page(name)
    block = re.search(r'id="tenancykit-inputs">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    data = {**json.loads(block[1]), **changes}
    return text.replace(block[1], json.dumps(data))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_same_inputs_give_the_same_numbers(tmp_path: Path, name: str) -> None:
    file = tmp_path / "decision.html"
    file.write_text(page(name))
    found = replay(tmp_path, load_catalogue(), folder=example(name).parent)
    assert found.same, found.text()
    assert found.candidates == len(studies.candidates(name)) + 1
    assert found.study.best.id == study(name).best.id
    assert "same figures" in found.text()
    assert found.data()["same"] is True
    for evaluation in study(name).evaluations:
        assert made_of(found.study[evaluation.id]) == made_of(evaluation)
        assert found.study[evaluation.id].resolved.design == evaluation.resolved.design


def test_a_record_that_does_not_say_what_completed_its_designs_is_replayed_all_the_same(tmp_path: Path) -> None:
    found = study("saas-inference")
    said = inputs_of(found, found.best.id, digest_of(found, found.best), Paper())
    candidates = json.loads(json.dumps(said))["candidates"]
    for candidate in candidates:
        for name in ("named", "title"):
            candidate.pop(name)
        for choice in candidate["classes"].values():
            for name in ("supplements", "named", "omissions"):
                choice.pop(name, None)
    (tmp_path / "decision.html").write_text(changed("saas-inference", candidates=candidates))
    again = replay(tmp_path, load_catalogue(), folder=example("saas-inference").parent)
    assert again.same, again.text()


def test_every_difference_is_named(tmp_path: Path) -> None:
    candidates = json.loads(
        re.search(r'id="tenancykit-inputs">(.*?)</script>', page("saas-inference"), re.DOTALL)[1]  # type: ignore[index]
    )["candidates"]
    candidates[0]["figures"]["cost"] *= 1.5
    candidates[1]["classes"] = {
        key: {**value, "options": ["cp_gone", *value["options"][1:]]} for key, value in candidates[1]["classes"].items()
    }
    file = tmp_path / "decision.html"
    file.write_text(
        changed("saas-inference", candidates=candidates, tenancykit="0.0.1", catalogue="other", order=["RA01"])
    )
    found = replay(file, load_catalogue(), folder=example("saas-inference").parent)
    told = found.text()
    assert not found.same
    for word in ("tenancykit: 0.0.1", "catalogue: other", "cost of RA01", "cp_gone", "order of the admitted: RA01"):
        assert word in told


def test_a_page_without_inputs_or_of_another_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "decision.html"
    file.write_text("<html></html>")
    with pytest.raises(InputError, match="carries no inputs"):
        replay(file, load_catalogue())
    file.write_text(changed("saas-inference", schema="tenancykit/record-inputs/v0"))
    with pytest.raises(InputError, match="record-inputs/v0"):
        replay(file, load_catalogue())
    file.write_text(changed("saas-inference", scenario={"name": "x"}))
    with pytest.raises(InputError, match="not accepted any more"):
        replay(file, load_catalogue())
    file.write_text(changed("saas-inference", files={"demand.csv": "0"}))
    with pytest.raises(InputError, match=r"demand\.csv"):
        replay(file, load_catalogue())


def test_no_text_of_a_scenario_ends_the_block() -> None:
    hostile = "</script><script>alert(1)</script>"
    found = study("saas-inference")
    scenario = found.scenario.model_copy(update={"title": hostile})
    block = embedded_inputs(replace(found, scenario=scenario), "RA01", "d")
    assert block.count("</script>") == 1
    assert block.count("<") == 2
    data = json.loads(block[block.index(">") + 1 : block.rindex("<")])
    assert data["scenario"]["title"] == hostile


def test_measured_tasks_are_part_of_the_record(tmp_path: Path) -> None:
    (tmp_path / "measured.csv").write_text("task,days\ncapsule_and_engine.work,6\nautoscaler_and_gangs.work,4\n")
    found = tk.compare(tk.load_scenario("saas-inference"), calibration=tmp_path / "measured.csv")
    assert found.best.scores["effort"].value > study("saas-inference")[found.best.id].scores["effort"].value
    tk.record(found).write(tmp_path)
    assert replay(tmp_path, load_catalogue()).same
    assert tk.record(found).digest != tk.record(studies.study("saas-inference")).digest


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weights": [1]}, "inputs cannot be read: weights: input should be"),
        ({"weights": {"isolation": 1}}, "inputs cannot be read: weights: dictionary should have at least 4 items"),
        ({"candidates": 3}, "inputs cannot be read: candidates: "),
        ({"candidates": [{"id": "RA01"}]}, "inputs cannot be read: candidates.0.name: field required"),
        ({"candidates": []}, "inputs cannot be read: candidates: "),
        ({"order": 5}, "inputs cannot be read: order: "),
        ({"files": 5}, "inputs cannot be read: files: "),
        ({"schema": 1}, "inputs are of format 1; allowed: tenancykit/record-inputs/v1"),
    ],
)
def test_inputs_that_were_tampered_with_are_refused_with_their_place(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    file = tmp_path / "decision.html"
    file.write_text(changed("saas-inference", **changes))
    with pytest.raises(InputError) as caught:
        replay(file, load_catalogue())
    assert told in str(caught.value)


def test_nested_nonsense_in_place_of_the_inputs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "decision.html"
    file.write_text(re.sub(r'(inputs">).*?(</script>)', rf"\1{'[' * 100_000}\2", page("saas-inference")))
    with pytest.raises(InputError, match="inputs cannot be read"):
        replay(file, load_catalogue())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"chosen": "RA02"}, "number of the decision: "),
        ({"chosen": "RA99"}, "design decided for: RA99 in the record, not among the candidates now"),
        ({"digest": "0123"}, "number of the decision: 0123 in the record"),
    ],
)
def test_another_choice_or_number_than_the_figures_give_is_told(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    file = tmp_path / "decision.html"
    file.write_text(changed("saas-inference", **changes))
    found = replay(file, load_catalogue())
    assert not found.same
    assert told in found.text()


def test_a_page_that_shows_something_else_than_its_inputs_give_is_told(tmp_path: Path) -> None:
    written = tk.record(study("saas-inference")).write(tmp_path)[1]
    found = replay(tmp_path, load_catalogue(), folder=example("saas-inference").parent)
    assert found.same, found.text()
    assert "the page shows what they give" in found.text()
    for old, new in (("<h1>", "<h1>Rejected: "), ("</body>", "<p>approved</p></body>"), ("%", "% ")):
        text = written.read_text()
        assert old in text
        (tmp_path / "forged.html").write_text(text.replace(old, new, 1))
        forged = replay(tmp_path / "forged.html", load_catalogue(), folder=example("saas-inference").parent)
        assert not forged.same
        assert "what the page shows" in forged.text()


def test_where_no_page_is_around_the_inputs_the_replay_says_that_only_they_were_checked(tmp_path: Path) -> None:
    file = tmp_path / "decision.html"
    file.write_text(page("saas-inference"))
    assert "only the block of data was checked" in replay(file, load_catalogue()).text()


@pytest.mark.parametrize("place", ["../outside.csv", "/etc/hostname", "a/../../outside.csv", "link.csv"])
def test_a_record_reads_no_file_outside_its_folder(tmp_path: Path, place: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "outside.csv").write_text("tenant,hour,active\n")
    (home / "link.csv").symlink_to(tmp_path / "outside.csv")
    scenario = json.loads(page("saas-inference").split('inputs">')[1].split("</script>")[0])["scenario"]
    file = home / "decision.html"
    file.write_text(changed("saas-inference", files={place: "0"}))
    with pytest.raises(InputError, match="leaves the record's folder"):
        replay(file, load_catalogue())
    scenario["workloads"][0]["demand"] = {"profile": "trace", "file": place}
    file.write_text(changed("saas-inference", scenario=scenario))
    with pytest.raises(InputError, match="leaves the record's folder"):
        replay(file, load_catalogue())


@pytest.mark.parametrize("ratio", [0, -1, 1e300, 1e-300, "NaN", None])
def test_measured_ratios_of_a_record_are_held_to_what_a_task_may_take(tmp_path: Path, ratio: object) -> None:
    file = tmp_path / "decision.html"
    file.write_text(changed("saas-inference", calibration={"ratios": {"x": [ratio]}, "common": 0.5}))
    with pytest.raises(InputError, match=r"calibration\.ratios"):
        replay(file, load_catalogue())
