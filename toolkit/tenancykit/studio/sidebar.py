"""The studio's side: weights, candidates, what is open, undo, progress."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, Final

import ipywidgets as widgets

from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.report.apart import names_apart
from tenancykit.scenario.model import Weights
from tenancykit.studio.desk import Desk, Quiet, button, page

_SCENARIO, _MINE = ("scenario", ""), ("mine", "")
"""Whose weights they are, beside those of a stakeholder: ``("stakeholder", name)``."""
_FIRST = ""
_SAME: Final = 1e-9
"""Weights this close are the same; they went through a division by their sum."""

_PLACES: Final = 2
"""Of a slider's steps. A browser draws a value to a whole step and sends that back as if somebody had moved it."""


class Sidebar:
    """Weights, candidates, open designs, undo and redo."""

    def __init__(self, desk: Desk, stop: Callable[[], None], take_over: Callable[[], None]) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._title = page()
        self._sliders = {name: self._slider(name) for name in CRITERIA}
        self._shares = page()
        self._as = widgets.Dropdown(
            description="Weights of", options=[("the scenario", _SCENARIO)], layout=widgets.Layout(width="97%")
        )
        self._as.observe(self._weigh_as, "value")
        self._open = self._dropdown("Open", desk.session.open)
        self._beside = self._dropdown("Beside", desk.session.compare_with)
        self._undo = button("Undo", lambda: desk.do(desk.session.undo), told="Undo the last step", width="48%")
        self._redo = button("Redo", lambda: desk.do(desk.session.redo), told="Redo what was undone", width="48%")
        self._checks: dict[str, Any] = {}
        self._candidates = widgets.VBox([])
        every = button("Compare all", lambda: desk.do(lambda: desk.session.choose(None)))
        self._variant = widgets.Text(
            placeholder="RA01 +node_dedicated_tenant",
            tooltip="Variation: RA id, then +option or -option",
            layout=widgets.Layout(width="97%"),
            continuous_update=False,
        )
        add = button("Add variant", self._add, told="Add a variation: RA id, then +option or -option")
        folded = widgets.Accordion([widgets.VBox([every, self._candidates]), widgets.VBox([self._variant, add])])
        folded.set_title(0, "Candidates")
        folded.set_title(1, "Own variant")
        self.progress = widgets.IntProgress(layout=widgets.Layout(width="100%", display="none"))
        self.stop = button("Stop", stop, told="Stop measuring; what is measured is kept", width="97%")
        self.stop.layout.display = "none"
        told = "Keep what this tab shows, in place of what the other tab kept"
        self.take_over = button("Keep this tab's work", take_over, told=told, width="97%")
        self.take_over.layout.display = "none"
        self.status = page()
        weighing = [self._title, self._as, *self._sliders.values(), self._shares]
        choosing = [
            widgets.HBox([self._undo, self._redo]),
            self._open,
            self._beside,
            self.progress,
            self.stop,
            self.status,
        ]
        choosing.append(self.take_over)
        part = widgets.Layout(flex="1 1 260px", min_width="250px", overflow="hidden")
        self.widget = widgets.HBox(
            [
                widgets.VBox(weighing, layout=part),
                widgets.VBox([*choosing, folded], layout=part),
            ],
            layout=widgets.Layout(flex="1 1 290px", flex_flow="row wrap", align_content="flex-start"),
        )

    def _slider(self, name: str) -> Any:
        made = widgets.FloatSlider(
            min=0,
            max=1,
            step=10**-_PLACES,
            description=TITLES[name].split()[-1].capitalize(),
            tooltip=f"Importance of {TITLES[name].lower()}; the weights are shares of the sum",
            readout=False,
            layout=widgets.Layout(width="97%"),
        )
        made.observe(lambda change: self._weigh(name, change["new"]), "value")
        return made

    def _dropdown(self, text: str, act: Callable[[str], object]) -> Any:
        made = widgets.Dropdown(
            description=text, options=[("first in rank", _FIRST)], layout=widgets.Layout(width="97%")
        )
        made.add_class("tk-over")  # names are long: the whole width is theirs

        def changed(change: Any) -> None:
            if not self._quiet.on and change["new"]:
                self._desk.do(lambda: act(change["new"]))

        made.observe(changed, "value")
        return made

    def _weigh(self, name: str, value: float) -> None:
        if not self._quiet.on:
            self._desk.do(lambda: self._desk.session.weigh(**{name: value}))

    def _weigh_as(self, change: Any) -> None:
        if not self._quiet.on and change["new"] != _MINE:
            _, name = change["new"]
            self._desk.do(lambda: self._desk.session.weigh_as(name), f"weights of {name or 'the scenario'}")

    def _choose(self, _: Any) -> None:
        if self._quiet.on:
            return
        chosen = [name for name, box in self._checks.items() if box.value]
        every = len(chosen) == len(self._checks)
        if not self._desk.do(lambda: self._desk.session.choose(None if every else chosen)):
            self.show()

    def _add(self) -> None:
        text = self._variant.value
        if self._desk.do(lambda: self._desk.session.add_variant(text), f"added {text}"):
            self._variant.value = ""

    def show(self) -> None:
        """Bring the side in line with the session."""
        session = self._desk.session
        scenario, state = session.scenario, session.state
        with self._quiet():
            self._title.value = f'<div class="tks"><h3>{escape(scenario.title or scenario.name)}</h3></div>'
            self._show_whose()
            most = max(1.0, *state.weights.values())
            for name, slider in self._sliders.items():
                slider.value = round(state.weights[name] / most, _PLACES)
            total = sum(state.weights.values())
            told = ", ".join(f"{name} {state.weights[name] / total:.0%}" for name in CRITERIA)
            self._shares.value = f'<div class="tks" aria-live="polite">Weights: {told}</div>'
            self._undo.disabled, self._redo.disabled = not session.can_undo, not session.can_redo
            if not session.waiting():
                self._show_designs()

    def _show_whose(self) -> None:
        """Say whose weights these are: nobody's but one's own, once a slider was moved."""
        session = self._desk.session
        known = {_SCENARIO: session.scenario.weights} | {
            ("stakeholder", str(name)): weights for name, weights in session.scenario.stakeholders.items()
        }
        whose = next((w for w, weights in known.items() if self._are_weights(weights)), _MINE)
        options = [(name or "the scenario", (kind, name)) for kind, name in known]
        options += [("my own", _MINE)] if whose == _MINE else []
        if list(self._as.options) != options:
            self._as.options = options
        self._as.value = whose

    def _are_weights(self, weights: Weights) -> bool:
        now = self._desk.session.weights
        wanted, there = weights.of_criteria(), now.of_criteria()
        total = sum(wanted.values())
        return all(abs(wanted[c] / total - there[c]) < _SAME for c in CRITERIA)

    def _show_designs(self) -> None:
        session = self._desk.session
        called = names_apart(session.study.evaluations)  # what its parts are, where it is measured
        names = [(f"{d.id} {called.get(d.id, d.name)}", d.id) for d in session.designs]
        if [box.description for box in self._checks.values()] != [name for name, _ in names]:
            self._checks = {identifier: self._check(text) for text, identifier in names}
            self._candidates.children = tuple(self._checks.values())
        for identifier, box in self._checks.items():
            box.value = identifier in called
        for dropdown, chosen in ((self._open, session.opened.id), (self._beside, session.beside.id)):
            options = [(text, identifier) for text, identifier in names if identifier in called]
            if list(dropdown.options) != options:
                dropdown.options = options
            dropdown.value = chosen

    def _check(self, text: str) -> Any:
        made = widgets.Checkbox(description=text, indent=False, value=True, layout=widgets.Layout(width="97%"))
        made.observe(self._choose, "value")
        return made
