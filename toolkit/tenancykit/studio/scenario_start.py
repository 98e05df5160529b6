"""Where a scenario begins: one of the examples, or questions with why they are asked."""

from __future__ import annotations

from html import escape
from typing import Any, Final

import ipywidgets as widgets

from kubeanswers.errors import InputError
from tenancykit.api import load_scenario, parse_scenario
from tenancykit.examples import EXAMPLES
from tenancykit.studio.desk import Desk, Quiet, button, page, written
from tenancykit.study.drafting import drafted
from tenancykit.study.interviewing import Question, interview

_NUMBERS: Final = (*range(13), 14, 15, 16, 18, 20, 24, 25, 30, 32, 40, 48, 50, 60, 64, 80, 100, 128, 150, 200, 256)
_LARGE: Final = (300, 400, 500, 750, 1_000, 2_000, 5_000, 10_000)
_MONEY: Final = tuple(n * 10_000 for n in (1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1_000))
_OTHER: Final = "other"
_TOLD: Final = "Nothing changes until you press Create scenario; Undo brings the scenario before it back."


class _Asked:
    """One question with its control."""

    def __init__(self, question: Question, changed: Any) -> None:
        self.question = question
        self._quiet = Quiet()
        self._changed = changed
        told = f"{question.ask} Why: {question.why}"
        wide = widgets.Layout(width="420px")
        self._boxes: dict[str, Any] = {}
        self._other = widgets.Text(
            value="",
            placeholder="number",
            tooltip=question.ask,
            continuous_update=False,
            layout=widgets.Layout(width="120px"),
        )
        self._other.layout.display = "none"
        if question.kind == "several":
            self._boxes = {
                value: widgets.Checkbox(description=text, indent=False, layout=widgets.Layout(width="auto"))
                for value, text in question.choices
            }
            control: Any = widgets.HBox(list(self._boxes.values()), layout=widgets.Layout(flex_flow="row wrap"))
            for box in self._boxes.values():
                box.observe(self._set, "value")
        elif question.kind == "text":
            control = self._field = widgets.Text(tooltip=told, continuous_update=False, layout=wide)
            control.observe(self._set, "value")
        else:
            self._field = widgets.Dropdown(options=self._options(), tooltip=told, layout=wide)
            self._field.observe(self._set, "value")
            self._other.observe(self._set, "value")
            control = widgets.HBox([self._field, self._other])
        self._fault = page()
        self.widget = widgets.VBox(
            [
                page(written(f"<p><b>{escape(question.ask)}</b><br><small>Why: {escape(question.why)}</small></p>")),
                control,
                self._fault,
            ],
            layout=widgets.Layout(margin="0 0 6px 0"),
        )

    def _options(self) -> list[tuple[str, str]]:
        if self.question.kind != "number":
            return [(text, value) for value, text in self.question.choices]
        numbers = _MONEY if self.question.id == "budget" else (*_NUMBERS, *_LARGE)
        none = [("no limit", "")] if not self.question.default else []
        return [*none, *((f"{n:,}", str(n)) for n in numbers), ("another number", _OTHER)]

    @property
    def answer(self) -> str:
        """What is answered now."""
        if self._boxes:
            return ",".join(value for value, box in self._boxes.items() if box.value)
        return str(self._other.value if self._field.value == _OTHER else self._field.value)

    def show(self, question: Question, answer: str, fault: str = "") -> None:
        """Show an answer, and what is wrong with it; the choices follow from the answers before it."""
        with self._quiet():
            self._fault.value = written(f'<p class="fault">{escape(fault)}</p>') if fault else ""
            if self._boxes:
                chosen = answer.split(",")
                for value, box in self._boxes.items():
                    box.value = value in chosen
                return
            if question != self.question and question.kind == "choice":
                self.question = question
                self._field.options = self._options()
            if question.kind == "text":
                self._field.value = answer
                return
            values = [value for _, value in self._field.options]
            other = question.kind == "number" and (answer not in values or self._field.value == _OTHER)
            self._field.value = _OTHER if other else answer
            self._other.value = answer if other else self._other.value
            self._other.layout.display = "" if other else "none"

    def _set(self, change: Any) -> None:
        if not self._quiet.on:
            if change["new"] == _OTHER:
                with self._quiet():
                    self._other.value = str(change["old"])
            self._changed()


class ScenarioStart:
    """The example picker and the questions."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked: dict[str, _Asked] = {}
        self._example = widgets.Dropdown(
            options=[(name, name) for name in EXAMPLES], description="Example", tooltip="Example to open"
        )
        self._questions = widgets.VBox([])
        self._told = page()
        self._create = button("Create scenario", self._make, told="Make a scenario of these answers and measure it")
        self._create.button_style = "primary"
        fold = widgets.Accordion(
            [
                widgets.HBox(
                    [self._example, button("Open example", self._open)], layout=widgets.Layout(flex_flow="row wrap")
                ),
                widgets.VBox(
                    [page(written(f"<p><small>{_TOLD}</small></p>")), self._questions, self._create, self._told]
                ),
            ],
            selected_index=None,
        )
        fold.set_title(0, "Open an example")
        fold.set_title(1, "New scenario, by questions")
        fold.observe(lambda change: self._ask() if change["new"] == 1 else None, "selected_index")
        self._fold = fold
        self.widget = fold

    def _open(self) -> None:
        name = self._example.value

        def act() -> None:
            self._desk.session.begin(load_scenario(name, self._desk.session.catalogue))

        self._desk.do(act, f"opened the example {name}")

    def _ask(self) -> dict[str, str] | None:
        """Show every question that the answers so far leave to ask; return the answers, None where one is none."""
        found: dict[str, str] = {}
        shown, wrong = [], False
        for question in interview(found, self._desk.session.catalogue):
            known = self._asked.get(question.id)
            answer, fault = question.default, ""
            if known is not None:
                answer = known.answer
                try:
                    answer = question.checked(answer)
                except InputError as error:
                    if question.kind == "choice":  # what was chosen is not on offer any more
                        answer = question.default
                    else:
                        fault = str(error)
            else:
                known = self._asked[question.id] = _Asked(question, self._ask)
            known.show(question, answer, fault)
            wrong = wrong or bool(fault)
            found[question.id] = question.default if fault else answer
            shown.append(known.widget)
        if tuple(shown) != self._questions.children:
            self._questions.children = tuple(shown)
        return None if wrong else found

    def _make(self) -> None:
        session = self._desk.session
        answers = self._ask()
        if answers is None:
            self._told.value = written('<p class="fault">Not created: correct the answers that are marked.</p>')
            return

        def act() -> None:
            text = drafted(answers, session.catalogue)
            session.begin(parse_scenario(text, session.catalogue), text)

        done = self._desk.do(act, "created; the sizes it assumes are marked in its text and can be changed below")
        self._told.value = ""
        if done:
            self._fold.selected_index = None
            self._desk.go("Ranking")
        else:
            self._told.value = written('<p class="fault">Not created: see the message on the side.</p>')
