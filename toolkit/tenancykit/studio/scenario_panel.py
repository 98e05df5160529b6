"""The scenario editor: forms for what is changed most, the whole as text, every fault beside its place."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from tenancykit.errors import Fault
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.source import Path_
from tenancykit.studio.desk import Desk, Quiet, button, page, safe, written

_LEVELS = ("none", "L0", "L1", "L2", "L3", "L4", "L5")
_MOST_FORMS = 12
_FIELD = widgets.Layout(width="auto")


class _ClassForm:
    """One line of fields for a tenant class."""

    def __init__(self, position: int, panel: ScenarioPanel) -> None:
        self.position = position
        self.name = page()
        self.faults = page()
        path: Path_ = ("tenants", "classes", position)
        self.count = widgets.IntText(layout=widgets.Layout(width="80px"), continuous_update=False)
        self.kind = widgets.Dropdown(options=["team", "customer"], layout=_FIELD)
        self.level = widgets.Dropdown(options=_LEVELS, layout=_FIELD)
        self.trust = widgets.Dropdown(options=["default", "trusted", "semi-trusted", "untrusted"], layout=_FIELD)
        self.growth = widgets.FloatText(layout=widgets.Layout(width="70px"), continuous_update=False)
        panel.follow(self.count, (*path, "count"))
        panel.follow(self.kind, (*path, "kind"))
        panel.follow(self.level, (*path, "requirements", "isolation"))
        panel.follow(self.trust, (*path, "trust"))
        panel.follow(self.growth, (*path, "growth_per_year"))
        self.cells = (self.name, self.count, self.kind, self.level, self.trust, self.growth, self.faults)

    def show(self, tenant_class: TenantClass, faults: list[Fault]) -> None:
        """Write the faults of the class's fields and, where the scenario holds none, its values."""
        self.faults.value = _listed([f for f in faults if f"classes[{self.position}]" in f.where])
        if faults:
            return  # what was entered stays, so that it can be corrected
        self.name.value = f'<div class="tks"><b>{safe(tenant_class.name or tenant_class.id)}</b></div>'
        self.count.value = tenant_class.count
        self.kind.value = tenant_class.kind
        self.level.value = tenant_class.requirements.isolation or "none"
        self.trust.value = tenant_class.trust or "default"
        self.growth.value = tenant_class.growth_per_year


class ScenarioPanel:
    """Edits the scenario as forms and as text."""

    title = "Scenario"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._forms: list[_ClassForm] = []
        self._table = widgets.GridBox(
            [],
            layout=widgets.Layout(
                grid_template_columns="minmax(110px,1.4fr) 88px 100px 76px 116px 78px minmax(90px,2fr)", width="100%"
            ),
        )
        self._limits = {
            "budget_per_month": self._limit("Budget", "most per month, people included"),
            "go_live_weeks": self._limit("Go-live", "most weeks until it serves"),
            "platform_engineers": self._limit("Engineers", "most people to run it"),
        }
        for name, field in self._limits.items():
            self.follow(field, ("requirements", name))
        self._team = widgets.FloatText(
            description="Team", tooltip="engineers there are", layout=widgets.Layout(width="180px")
        )
        self.follow(self._team, ("team", "engineers"))
        self._text = widgets.Textarea(layout=widgets.Layout(width="100%", height="420px"), rows=24)
        self._text.add_class("tk-scenario")
        self._told = page()
        apply = button("Apply text", self._apply, told="Read the text and measure anew")
        self.widget = widgets.VBox(
            [
                page(written("<h3>Tenants</h3>")),
                self._table,
                page(written("<h3>Limits</h3><p><small>Empty: no limit.</small></p>")),
                widgets.HBox([*self._limits.values(), self._team], layout=widgets.Layout(flex_flow="row wrap")),
                page(written("<h3>Everything, as YAML</h3>")),
                self._text,
                apply,
                self._told,
            ]
        )

    def _limit(self, text: str, told: str) -> Any:
        return widgets.Text(
            description=text,
            tooltip=told,
            placeholder="no limit",
            continuous_update=False,
            layout=widgets.Layout(width="200px"),
        )

    def follow(self, field: Any, path: Path_) -> None:
        """Write what is entered into a field to a place of the scenario."""

        def changed(change: Any) -> None:
            if not self._quiet.on:
                self._desk.do(lambda: self._desk.session.set_field(path, _entered(change["new"])))

        field.observe(changed, "value")

    def _apply(self) -> None:
        self._desk.do(lambda: self._desk.session.edit(self._text.value))

    def show(self) -> None:
        """Bring the forms and the text in line with the session."""
        session = self._desk.session
        state, scenario = session.state, session.scenario
        faults = list(state.faults)
        with self._quiet():
            self._show_classes(scenario, faults)
            if not faults:
                self._show_limits(scenario)
            self._text.value = state.text
        if faults:
            self._told.value = written(
                f'<p class="fault">{len(faults)} faults; the figures are still about the last scenario without:</p>',
                _listed(faults),
            )
        else:
            self._told.value = written('<p class="good">No faults.</p>')

    def _show_limits(self, scenario: Scenario) -> None:
        for name, field in self._limits.items():
            value = getattr(scenario.requirements, name)
            field.value = "" if value is None else f"{float(value):.15g}"
        self._team.value = scenario.team.engineers

    def _show_classes(self, scenario: Scenario, faults: list[Fault]) -> None:
        classes = scenario.tenants.classes[:_MOST_FORMS]
        while len(self._forms) < len(classes):
            self._forms.append(_ClassForm(len(self._forms), self))
        heads = ("class", "tenants", "kind", "isolation", "trust", "growth/year", "")
        cells = [page(f'<div class="tks"><small>{head}</small></div>') for head in heads]
        for form, tenant_class in zip(self._forms, classes, strict=False):
            form.show(tenant_class, faults)
            cells.extend(form.cells)
        if len(cells) != len(self._table.children):
            self._table.children = tuple(cells)


def _entered(value: Any) -> Any:
    """Return what a field means in YAML: nothing for 'none', 'default' and empty text, numbers as numbers."""
    if not isinstance(value, str):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    text = value.strip()
    if text in ("", "none", "default"):
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _listed(faults: list[Fault]) -> str:
    items = "".join(f"<li>{safe(str(fault))}</li>" for fault in faults)
    return f'<div class="tks"><ul class="fault">{items}</ul></div>' if items else ""
