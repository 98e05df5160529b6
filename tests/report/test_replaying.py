"""A decision record carries its inputs: they give the same numbers, or the replay says what changed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tenancykit import compare, example, load_catalogue, load_scenario
from tenancykit.errors import InputError
from tenancykit.report.replaying import embedded_inputs, replay
from tenancykit.study.comparison import Study


@cache
def study(name: str) -> Study:
    return compare(load_scenario(example(name)), load_catalogue(), designs=["RA01 +pol_vap"])


def page(name: str) -> str:
    found = study(name)
    return f"<html><body>{embedded_inputs(found, found.best.id, 'd1')}</body></html>"


def changed(name: str, **changes: object) -> str:
    text = page(name)
    block = re.search(r'id="tenancykit-inputs">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    data = {**json.loads(block[1]), **changes}
    return text.replace(block[1], json.dumps(data))


def test_the_same_inputs_give_the_same_numbers(tmp_path: Path) -> None:
    file = tmp_path / "decision.html"
    file.write_text(page("saas-inference"))
    found = replay(tmp_path, load_catalogue(), folder=example("saas-inference").parent)
    assert found.same, found.text()
    assert found.candidates == 17
    assert found.study.best.id == study("saas-inference").best.id
    assert "same figures" in found.text()
    assert found.data()["same"] is True


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
