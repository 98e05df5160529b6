"""The scenario tab without measuring: what is pressed and chosen, and the text it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("ipywidgets")

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.studio.scenario_panel import ScenarioPanel
from tenancykit.studio.session import Session
from tests.studio.conftest import SMALL


class Desk:
    """A desk that acts and shows, and measures nothing."""

    def __init__(self) -> None:
        self.session = Session(tk.parse_scenario(SMALL))
        self.session.edit(SMALL)
        self.said: list[str] = []
        self.tab = ""
        self.panel = ScenarioPanel(self)
        self.panel.show()

    def do(self, action: Callable[[], object], told: str = "") -> bool:
        try:
            action()
        except InputError as error:
            self.said.append(str(error))
            return False
        self.said.append(told)
        self.panel.show()
        return True

    def go(self, title: str) -> None:
        self.tab = title


@pytest.fixture
def desk() -> Desk:
    return Desk()


def walk(widget: Any) -> list[Any]:
    return [widget, *(w for child in getattr(widget, "children", ()) for w in walk(child))]


def named(desk: Desk, name: str) -> Any:
    """Return the one visible widget whose description or tooltip this is, or begins so where a colon follows."""
    found = [
        w
        for w in walk(desk.panel.widget)
        if name in (getattr(w, "description", None), str(getattr(w, "tooltip", None)).split(":")[0])
    ]
    assert len(found) == 1, f"{len(found)} x {name!r}"
    return found[0]


def test_classes_are_copied_added_and_removed_and_comments_stay(desk: Desk) -> None:
    named(desk, "Copy team").click()
    named(desk, "Add a class of customers").click()
    ids = [c.id for c in desk.session.scenario.tenants.classes]
    assert ids == ["team", "guest", "team-2", "class-2"]
    assert desk.session.state.text.count("# the home team") == 2
    named(desk, "Remove guest").click()
    named(desk, "Remove team-2").click()
    assert [c.id for c in desk.session.scenario.tenants.classes] == ["team", "class-2"]
    assert "# the home team" in desk.session.state.text
    assert desk.session.state.faults == ()
    for _ in range(4):
        desk.session.undo()
    assert desk.session.state.text == SMALL


def test_workloads_and_machines_are_added_and_classes_run_them(desk: Desk) -> None:
    named(desk, "Add a workload").click()
    named(desk, "Add a machine type").click()
    scenario = desk.session.scenario
    assert [w.id for w in scenario.workloads] == ["service", "workload-2"]
    machine = scenario.infrastructure.nodes[1].type
    field = named(desk, f"{machine}, what it is")
    assert any("H100" in text for text, _ in field.options)
    field.value = "aws_p5_48xlarge"
    assert desk.session.scenario.infrastructure.nodes[1].type == "aws_p5_48xlarge"
    named(desk, "team runs workload-2").value = True
    assert [u.template for u in desk.session.scenario.tenants.classes[0].workloads] == ["service", "workload-2"]
    named(desk, "team runs service").value = False
    assert [u.template for u in desk.session.scenario.tenants.classes[0].workloads] == ["workload-2"]
    assert desk.session.state.faults == ()


def test_a_copied_machine_is_one_the_scenario_has_not_yet(desk: Desk) -> None:
    first = desk.session.scenario.infrastructure.nodes[0]
    named(desk, f"Copy {first.type}").click()
    own, other = desk.session.scenario.infrastructure.nodes
    assert own == first
    assert other.type != first.type
    assert (other.count, other.term) == (first.count, first.term)
    assert f"copied, as {other.type}" in desk.said[-1]
    assert desk.session.state.faults == ()


def test_lines_are_added_copied_and_drawn_while_the_text_has_faults(desk: Desk) -> None:
    """They were not drawn until the fault was gone, and two of them got the same name."""
    tenants = named(desk, "team, tenants")
    tenants.value = "none of them"
    assert desk.session.state.faults
    for _ in range(2):
        named(desk, "Add a class of teams").click()
    named(desk, "Copy New class-2").click()
    assert named(desk, "New class-2, name").value == "New class-2"
    assert named(desk, "New class-3, name").value == "New class-3"
    assert tenants.value == "none of them", "what was entered stays to be corrected"
    named(desk, "Add a workload").click()
    assert named(desk, "workload-2, replicas").value == "1"
    tenants.value = "3"
    assert desk.session.state.faults == ()
    ids = [c.id for c in desk.session.scenario.tenants.classes]
    assert ids == ["team", "guest", "class-2", "class-3", "class-2-2"]


def test_a_text_that_cannot_be_read_leaves_the_lines_as_they_are(desk: Desk) -> None:
    desk.session.edit("tenants: [")
    desk.panel.show()
    assert named(desk, "team, tenants").value


def test_a_fault_is_told_below_the_fields_it_is_about(desk: Desk) -> None:
    named(desk, "Budget a month").value = "a lot"
    told = [w.value for w in walk(desk.panel._limits.widget) if "fault" in str(getattr(w, "value", ""))]
    assert len(told) == 1
    assert "requirements.budget_per_month" in told[0]
    named(desk, "Budget a month").value = "500000"
    assert not any("fault" in str(getattr(w, "value", "")) for w in walk(desk.panel._limits.widget))


def test_what_is_still_used_and_removed_is_told_as_a_fault(desk: Desk) -> None:
    named(desk, "Remove service").click()
    assert desk.session.state.faults
    named(desk, "Apply text")  # the page is still there, and so is undo
    assert desk.session.undo()
    assert desk.session.state.faults == ()


def test_requirements_and_needs_are_choices(desk: Desk) -> None:
    named(desk, "Class").value = 1
    named(desk, "guest, Compliance").value = "hipaa"
    named(desk, "guest, Environment").value = "development"
    named(desk, "guest, Control plane").value = "L2"
    need = named(desk, "guest, cost reports per tenant")
    assert need.value == "follows"
    need.value = "yes"
    found = desk.session.scenario.tenants.classes[1]
    assert found.compliance == ("hipaa",)
    assert found.environment == "development"
    assert found.requirements.control_plane == "L2"
    assert found.needs == {"chargeback": True}
    need.value = "follows"
    named(desk, "guest, Compliance").value = "none"
    named(desk, "guest, Environment").value = "production"
    named(desk, "guest, Control plane").value = "none"
    found = desk.session.scenario.tenants.classes[1]
    assert found.needs == {}
    assert found.compliance == ()
    assert found.requirements.control_plane is None
    assert desk.session.state.faults == ()


def test_an_example_is_opened_and_undone(desk: Desk) -> None:
    named(desk, "Example to open").value = "gpu-cloud"
    named(desk, "Open example").click()
    assert desk.session.scenario.name == "gpu-cloud"
    assert desk.session.state.text == tk.example("gpu-cloud").read_text()
    assert desk.session.undo()
    assert desk.session.scenario.name == "small"


def test_a_scenario_is_made_of_answers_and_questions_follow_answers(desk: Desk) -> None:
    start = desk.panel._start
    start.widget.selected_index = 1
    words = "\n".join(str(w.value) for w in walk(start.widget) if type(w).__name__ == "HTML")
    assert words.count("Why: ") == len(start._questions.children)

    def choose(name: str, value: str) -> None:
        start._asked[name]._field.value = value

    assert "customers-work" not in start._asked
    choose("teams", "8")
    choose("customers", "40")
    assert "customers-work" in start._asked
    choose("provider", "own")
    assert start._asked["gpu-node"].answer.startswith("own_")
    choose("gpu-nodes", "other")
    start._asked["gpu-nodes"]._other.value = "37"
    named(desk, "Create scenario").click()
    scenario = desk.session.scenario
    assert [c.count for c in scenario.tenants.classes] == [8, 40]
    assert scenario.infrastructure.nodes[0].count == 37
    assert desk.tab == "Ranking"
    assert "# " in desk.session.state.text


def test_answers_that_are_none_are_told_beside_the_question_and_nothing_is_created(desk: Desk) -> None:
    start = desk.panel._start
    start.widget.selected_index = 1
    start._asked["teams"]._field.value = "other"
    start._asked["teams"]._other.value = "many"
    assert "is not a number" in start._asked["teams"]._fault.value
    assert start._asked["teams"]._other.value == "many", "what was entered stays, so that it can be corrected"
    named(desk, "Create scenario").click()
    assert desk.session.scenario.name == "small"


@pytest.mark.parametrize("word", ["no", "123", "1e3", "none", "default", "0x1f", "~", "[x]", "#x"])
def test_a_name_or_a_place_is_the_text_that_was_typed_whatever_it_looks_like(desk: Desk, word: str) -> None:
    named(desk, "guest, name").value = word
    assert desk.session.scenario.tenants.classes[1].name == word
    named(desk, f"{word}, name").value = ""
    assert desk.session.scenario.tenants.classes[1].name in (None, "", "guest")
    named(desk, "infrastructure, Region").value = word
    assert desk.session.scenario.infrastructure.sites[0].region == word
    assert desk.session.state.faults == ()
