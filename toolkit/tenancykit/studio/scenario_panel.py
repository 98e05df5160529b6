"""The scenario editor: forms for what is changed most, the whole as text, every fault beside its place."""

from __future__ import annotations

from functools import partial
from typing import Any

import ipywidgets as widgets

from kubeanswers.source import Path_
from tenancykit.scenario.model import Scenario
from tenancykit.studio.desk import UNKEPT, Desk, Quiet, button, page, written
from tenancykit.studio.scenario_forms import CLASS_COLUMNS, WORKLOAD_COLUMNS, Edit, Table, entered, listed


class ScenarioPanel:
    """Edits the scenario as forms and as text."""

    title = "Scenario"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._classes = Table("class", ("tenants", "classes"), CLASS_COLUMNS, self._follow)
        self._workloads = Table("workload", ("workloads",), WORKLOAD_COLUMNS, self._follow)
        self._limits = {
            "budget_per_month": self._limit("Budget a month", "at most, people included, in the scenario's currency"),
            "go_live_weeks": self._limit("Weeks to go-live", "at most, until it serves"),
            "platform_engineers": self._limit("Engineers to run it", "at most"),
        }
        for name, field in self._limits.items():
            self._follow(field, ("requirements",), partial(_of, name))
        self._team = self._limit("Engineers there are", "who build it", empty="")
        self._follow(self._team, ("team",), partial(_of, "engineers"))
        self._text = widgets.Textarea(
            tooltip="The scenario as YAML", layout=widgets.Layout(width="98%", height="420px"), rows=24
        )
        self._text.add_class("tk-scenario")
        self._text.observe(lambda _: self._mark(), "value")
        self._told = page()
        apply = button("Apply text", self._apply, told="Read the text and measure anew")
        self.widget = widgets.VBox(
            [
                page(written("<h3>Tenants</h3>")),
                self._classes.widget,
                page(written("<h3>Workloads</h3>")),
                self._workloads.widget,
                page(written("<h3>Limits and team</h3><p><small>An empty limit is none.</small></p>")),
                widgets.HBox([*self._limits.values(), self._team], layout=widgets.Layout(flex_flow="row wrap")),
                page(written("<h3>Everything, as YAML</h3>")),
                self._text,
                apply,
                self._told,
            ]
        )

    def _limit(self, text: str, told: str, empty: str = "no limit") -> Any:
        return widgets.Text(
            description=text,
            tooltip=f"{text}: {told}",
            placeholder=empty,
            continuous_update=False,
            style={"description_width": "initial"},
            layout=widgets.Layout(width="220px"),
        )

    def _follow(self, field: Any, place: Path_, edit: Edit) -> None:
        """Write what is entered into a field to a place of the scenario."""

        def changed(change: Any) -> None:
            if not self._quiet.on:
                below, value = edit(change["new"])
                self._desk.do(lambda: self._desk.session.set_field((*place, *below), value))

        field.observe(changed, "value")

    def _mark(self) -> None:
        """Let the browser warn who leaves with text that was typed and not applied."""
        applied = self._text.value == self._desk.session.state.text
        (self._text.remove_class if applied else self._text.add_class)(UNKEPT)

    def _apply(self) -> None:
        self._desk.do(lambda: self._desk.session.edit(self._text.value))

    def show(self) -> None:
        """Bring the forms and the text in line with the session."""
        session = self._desk.session
        state, scenario = session.state, session.scenario
        faults = list(state.faults)
        with self._quiet():
            self._classes.show(scenario.tenants.classes, faults)
            self._workloads.show(scenario.workloads, faults)
            if not faults:
                self._show_limits(scenario)
            self._text.value = state.text
            self._mark()
        if faults:
            many = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
            self._told.value = written(
                f'<p class="fault">{many}; the figures are still about the last scenario without:</p>',
                listed(faults),
            )
        else:
            self._told.value = written('<p class="good">No faults.</p>')

    def _show_limits(self, scenario: Scenario) -> None:
        for name, field in self._limits.items():
            value = getattr(scenario.requirements, name)
            field.value = "" if value is None else f"{float(value):.15g}"
        self._team.value = f"{scenario.team.engineers:.15g}"


def _of(key: str, value: str) -> tuple[Path_, Any]:
    return (key,), entered(value)
