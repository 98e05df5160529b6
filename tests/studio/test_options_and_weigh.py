"""Options picked by name, and weights asked for, in the studio."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tenancykit.report.sharing import question_of

pytest.importorskip("ipywidgets")

import tenancykit as tk
from tenancykit.criterion_names import TITLES
from tenancykit.scenario.model import Weights
from tenancykit.studio import Session, Studio
from tenancykit.studio.options_panel import OptionsPanel
from tests.studio.test_studio import find, walk, words


@pytest.fixture
def studio(measured: tk.Study, tmp_path: Path) -> Studio:
    return Studio(measured, folder=str(tmp_path / "out"))


def pick(panel: OptionsPanel, option: str) -> None:
    panel._dimension.value = panel._desk.session.catalogue.options[option].dimension
    panel._option.value = option


def test_an_option_says_what_it_is_and_what_it_would_change(studio: Studio) -> None:
    studio.go("Options")
    panel = studio.panel("Options")
    assert isinstance(panel, OptionsPanel)
    before = studio.session.opened
    pick(panel, "node_dedicated_tenant")
    option = studio.session.catalogue.options["node_dedicated_tenant"]
    assert option.what.split(".")[0] in words(studio)
    find(studio, "Button", "What it changes").click()
    rows = {row.split(" <small>")[0]: row for row in panel._changes.value.split("<tr><td>")[1:]}
    assert studio.session.opened.id == before.id, "nothing but words has changed"
    find(studio, "Button", "Compare with the others").click()
    then = studio.session.opened
    assert then.id == f"{before.id}+node_dedicated_tenant"
    for name, title in TITLES.items():
        one, other = before.scores[name], then.scores[name]
        better = (other.value > one.value) == (one.better == "higher")
        word = "no change" if one.value == other.value else "better" if better else "worse"
        assert rows[title].endswith(f"<td>{word}</td></tr>" + ("</table></div>" if name == "cost" else "")), rows[title]


class Desk:
    """A desk that acts and shows nothing."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def do(self, action: Callable[[], object], told: str = "") -> bool:
        action()
        return bool(told)

    def go(self, title: str) -> None:
        raise AssertionError(title)


def test_a_wish_for_an_option_stands_in_the_scenario_beside_its_comments(measured: tk.Study) -> None:
    session = Session(measured.scenario, study=measured)
    panel = OptionsPanel(Desk(session))
    panel.show()
    pick(panel, "node_dedicated_tenant")
    panel._wish("require_options")
    pick(panel, "rt_gvisor")
    panel._wish("forbid_options")
    wishes = session.scenario.tenants.classes[0].requirements
    assert wishes.require_options == ("node_dedicated_tenant",)
    assert wishes.forbid_options == ("rt_gvisor",)
    assert session.state.faults == ()


def meaning(studio: Studio) -> str:
    panel: Any = studio.panel("Weigh")
    return str(panel._meaning.value)


def test_swings_are_said_back_and_kept_for_a_stakeholder(studio: Studio) -> None:
    studio.go("Weigh")
    assert "Which would you bring to its better end first? Give it 100." in words(studio)
    for name, points in (("Isolation", 0), ("Implementation effort", 0), ("Operational complexity", 0)):
        find(studio, "IntSlider", name).value = points
    find(studio, "IntSlider", "Service cost").value = 100
    keep = find(studio, "Button", "Keep these weights")
    assert keep.disabled
    find(studio, "Button", "What these points mean").click()
    assert "service cost 100%" in meaning(studio)
    only_cost = Weights(isolation=0, effort=0, operations=0, cost=1)
    assert f"<b>{studio.study.with_weights(only_cost).best.id} " in meaning(studio)
    find(studio, "Dropdown", "Keep for").value = "somebody new"
    next(w for w in walk(studio.widget) if getattr(w, "tooltip", "") == "Name of who answered").value = "board"
    assert "What the answers mean" in meaning(studio)
    keep.click()
    assert "What the answers mean" not in meaning(studio), "they are kept: what holds now is told instead"
    assert "Now." in meaning(studio)
    assert studio.session.scenario.stakeholders["board"].cost == 1
    assert studio.study.weights["cost"] == 1
    assert "finance" in studio.session.scenario.stakeholders


def test_trade_offs_are_said_back_and_what_is_no_amount_is_told(studio: Studio) -> None:
    studio.go("Weigh")
    day = next(w for w in walk(studio.widget) if str(getattr(w, "tooltip", "")).startswith("Worth of a person-day"))
    day.value = "a lot"
    find(studio, "Button", "What these answers mean").click()
    assert "is not an amount" in studio._sidebar.status.value
    assert find(studio, "Button", "Keep these weights").disabled
    day.value = "700"
    find(studio, "Button", "What these answers mean").click()
    assert "a person-day 700 USD" in meaning(studio)
    find(studio, "Button", "Keep these weights").click()
    kept = studio.session.scenario.weights
    assert sum((kept.isolation, kept.effort, kept.operations, kept.cost)) == pytest.approx(1)


def given(who: str, question: str, *points: float) -> dict[str, object]:
    """Return a file of weights as a browser hands it over."""
    weights = dict(zip(("isolation", "effort", "operations", "cost"), points, strict=True))
    data = {"schema": "tenancykit/weights/v1", "question": question, "who": who, "weights": weights}
    content = json.dumps(data).encode()
    return {
        "name": f"{who}.json",
        "type": "",
        "size": len(content),
        "content": memoryview(content),
        "last_modified": datetime.fromtimestamp(0, tz=UTC),
    }


def test_files_of_weights_become_agreement_conflict_and_a_joint_decision_before_and_after_the_talk(
    studio: Studio,
) -> None:
    studio.go("Weigh")
    question = question_of(studio.session.study)
    now, before = (find(studio, "FileUpload", f"Weights {text}") for text in ("given back", "before the talk"))
    hear = find(studio, "Button", "What the group says")
    hear.click()
    assert "no file was given" in studio._sidebar.status.value
    now.set_trait("value", (given("Ada", question, 90, 1, 1, 8), given("Grace", question, 1, 1, 8, 90)))
    hear.click()
    said = words(studio)
    assert "Ada" in said
    assert "Grace" in said
    assert "Together" in said or "together" in said
    before.set_trait("value", (given("Ada", question, 1, 1, 8, 90), given("Grace", question, 1, 1, 8, 90)))
    hear.click()
    assert words(studio) != said, "what the talk has changed is told"


def test_hostile_and_broken_files_of_weights_are_refused_by_name_and_nothing_is_said_for_a_group(
    studio: Studio,
) -> None:
    studio.go("Weigh")
    question = question_of(studio.session.study)
    now, hear = find(studio, "FileUpload", "Weights given back"), find(studio, "Button", "What the group says")
    good = given("Ada", question, 1, 1, 1, 1)
    for content, told in ((b"\xff\xfe", "bad.json"), (b"{", "bad.json:1"), (b" " * 70_000, "70,000 bytes")):
        now.set_trait("value", (good, {**good, "name": "bad.json", "content": memoryview(content)}))
        hear.click()
        assert told in studio._sidebar.status.value
        assert "puts first" not in words(studio)
    now.set_trait("value", (given("<img src=x onerror=alert(1)>", question, 1, 1, 1, 1),))
    hear.click()
    assert "&lt;img" in words(studio)
    now.set_trait("value", (given("Ada", "of other scales", 1, 1, 1, 1),))
    hear.click()
    assert "other scales" in studio._sidebar.status.value
