"""A record made on other scales says so when it is replayed, and is worked out on both."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kubeanswers.errors import InputError
from tenancykit import example, load_catalogue
from tenancykit.report.record import record
from tenancykit.report.record_inputs import digest_of, embedded_inputs
from tenancykit.report.replaying import Replay, replay
from tests import studies

NAME = "saas-inference"
BLOCK = re.compile(r'(id="tenancykit-inputs">)(.*?)(</script>)', re.DOTALL)


def inputs() -> dict[str, Any]:
    """Return what a record of the example carries."""
    study = studies.study(NAME)
    found = BLOCK.search(embedded_inputs(study, study.best.id, digest_of(study, study.best)))
    assert found is not None
    data: dict[str, Any] = json.loads(found[2])
    return data


def replayed(folder: Path, data: dict[str, Any]) -> Replay:
    """Return the replay of a record that carries such data."""
    (folder / "decision.html").write_text(
        f'<html><script type="application/json" id="tenancykit-inputs">{json.dumps(data)}</script></html>'
    )
    return replay(folder, load_catalogue(), folder=example(NAME).parent)


def moved(data: dict[str, Any], leaf: str, **ends: float) -> dict[str, Any]:
    """Return the data with other ends of one scale."""
    return {**data, "scales": [{**end, **(ends if end["leaf"] == leaf else {})} for end in data["scales"]]}


def test_a_record_holds_the_ends_of_every_scale() -> None:
    ends = {end["leaf"]: end for end in inputs()["scales"]}
    for end in studies.study(NAME).scales.ends:
        assert (ends[end.leaf]["worst"], ends[end.leaf]["best"]) == (end.worst, end.best)
        assert ends[end.leaf]["why"] == end.why


def test_on_the_same_scales_nothing_is_said_of_them(tmp_path: Path) -> None:
    found = replayed(tmp_path, inputs())
    assert found.same
    assert "scales" not in found.text()
    assert found.data()["scales"]["recorded"] == found.data()["scales"]["now"]


def test_other_ends_are_told_and_the_decision_is_worked_out_on_both(tmp_path: Path) -> None:
    data = inputs()
    cost = next(end for end in data["scales"] if end["leaf"] == "cost")
    # a scale a hundred times as long: money hardly tells designs apart any more
    found = replayed(tmp_path, moved(data, "cost", worst=cost["best"] + 100 * (cost["worst"] - cost["best"])))
    assert not found.same
    text = found.text()
    assert "scale of cost: " in text
    assert "on the record's scales: " in text
    assert "on today's scales: " in text
    told = found.data()["scales"]
    study = studies.study(NAME)
    assert study.ranking is not None
    assert list(told["now"]) == list(study.ranking.ordered())
    assert told["now"] != told["recorded"]
    # worked out by hand: what cost adds to a score shrinks to where the figure stands on the longer scale
    weight = study.heard.as_dict()["cost"]
    for design, score in told["now"].items():
        before = study.value_of(design, "cost")
        after = (cost["worst"] + 99 * (cost["worst"] - cost["best"]) - study[design].scores["cost"].value) / (
            100 * (cost["worst"] - cost["best"])
        )
        assert told["recorded"][design] == pytest.approx(score + weight * (after - before), abs=1e-9)


def test_where_the_first_place_depends_on_the_scales_both_are_named(tmp_path: Path) -> None:
    data = inputs()
    leaves = [end["leaf"] for end in data["scales"]]
    for leaf in leaves[:3]:
        end = next(one for one in data["scales"] if one["leaf"] == leaf)
        data = moved(data, leaf, worst=end["best"] + 1e4 * (end["worst"] - end["best"]))
    found = replayed(tmp_path, data)
    first = [next(iter(found.data()["scales"][which])) for which in ("recorded", "now")]
    assert first[0] != first[1], "isolation alone decides on the record's scales"
    assert f"{first[0]} on the record's, {first[1]} on today's" in found.text()


def test_a_record_without_ends_says_that_it_cannot_be_worked_out_on_its_own_scales(tmp_path: Path) -> None:
    data = inputs()
    del data["scales"]
    found = replayed(tmp_path, data)
    assert found.same, found.text()
    assert "cannot be worked out on the scales it was decided on: the record holds no ends" in found.text()
    assert found.data()["scales"]["missing"]


def test_a_whole_page_without_ends_is_still_looked_at(tmp_path: Path) -> None:
    study = studies.study(NAME)
    page = record(study).html

    def without(found: re.Match[str]) -> str:
        data = json.loads(found[2])
        del data["scales"]
        return found[1] + json.dumps(data) + found[3]

    file = tmp_path / "decision.html"
    file.write_text(BLOCK.sub(without, page))
    assert "the page shows what they give" in replay(file, load_catalogue(), folder=example(NAME).parent).text()


def test_leaves_that_are_no_more_are_named(tmp_path: Path) -> None:
    data = inputs()
    data["scales"][-1]["leaf"] = "isolation of nobody"
    found = replayed(tmp_path, data)
    assert "not of the same leaves" in found.text()
    assert "isolation of nobody" in found.text()


@pytest.mark.parametrize("ends", [{"worst": 5.0, "best": 5.0}, {"worst": 1e400}, {"worst": "much"}])
def test_ends_that_are_no_scale_are_refused_or_told(tmp_path: Path, ends: dict[str, Any]) -> None:
    data = moved(inputs(), inputs()["scales"][-1]["leaf"], **ends)
    try:
        text = replayed(tmp_path, data).text()
    except InputError as error:
        text = str(error)
    assert "scales" in text
    assert "cannot be" in text
