"""The scenario editor: where it begins, forms for what is changed most, the whole as text, faults beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import ipywidgets as widgets
from pydantic import ValidationError

from kubeanswers.errors import InputError
from kubeanswers.source import Path_, parse_yaml
from tenancykit.catalogue.prices import load_prices
from tenancykit.scenario.model import NodeOffer, Scenario, TenantClass, Workload
from tenancykit.studio.class_details import ClassDetails
from tenancykit.studio.desk import UNKEPT, Desk, Quiet, button, page, written
from tenancykit.studio.edits import add_item, copy_item, remove_item, remove_key, set_list, set_value
from tenancykit.studio.scenario_forms import (
    CLASS_COLUMNS,
    FLEET_COLUMNS,
    LIMIT_COLUMNS,
    NODE_COLUMNS,
    TEAM_COLUMNS,
    WORKLOAD_COLUMNS,
    Edit,
    Form,
    Table,
    listed,
)
from tenancykit.studio.scenario_start import ScenarioStart
from tenancykit.study.interviewing import machine

_CLASSES: Path_ = ("tenants", "classes")
_NODES: Path_ = ("infrastructure", "nodes")
_WORKLOADS: Path_ = ("workloads",)
ItemT = TypeVar("ItemT", TenantClass, Workload, NodeOffer)


class ScenarioPanel:
    """Edits the scenario as forms and as text."""

    title = "Scenario"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._start = ScenarioStart(desk)
        self._classes = self._table("class", _CLASSES, CLASS_COLUMNS)
        self._workloads = self._table("workload", _WORKLOADS, WORKLOAD_COLUMNS)
        self._nodes = self._table("machine", _NODES, NODE_COLUMNS)
        self._details = ClassDetails(desk, self._follow)
        self._fleet = Form(FLEET_COLUMNS, lambda field, edit: self._follow(field, (), edit))
        self._work = Form(TEAM_COLUMNS, lambda field, edit: self._follow(field, (), edit))
        self._limits = Form(LIMIT_COLUMNS, lambda field, edit: self._follow(field, (), edit))
        self._text = widgets.Textarea(
            desk.session.state.text,
            tooltip="The scenario as YAML",
            layout=widgets.Layout(width="98%", height="420px"),
            rows=24,
        )
        self._text.add_class("tk-scenario")
        self._text.observe(lambda _: self._mark(), "value")
        self._told = page()
        apply = button("Apply text", self._apply, told="Read the text and measure anew")
        self.widget = widgets.VBox(
            [
                self._start.widget,
                page(written("<h3>Tenants</h3>")),
                self._classes.widget,
                widgets.HBox(
                    [
                        button("Add a class of teams", partial(self._add_class, "team")),
                        button("Add a class of customers", partial(self._add_class, "customer")),
                    ]
                ),
                self._details.widget,
                page(written("<h3>Workloads</h3>")),
                self._workloads.widget,
                button("Add a workload", self._add_workload),
                page(written("<h3>Machines</h3>")),
                self._nodes.widget,
                button("Add a machine type", self._add_node),
                self._fleet.widget,
                page(written("<h3>Limits and team</h3><p><small>An empty limit is none.</small></p>")),
                self._limits.widget,
                self._work.widget,
                page(written("<h3>Everything, as YAML</h3>")),
                self._text,
                apply,
                self._told,
            ]
        )

    def _table(self, what: str, path: Path_, columns: Any) -> Table:
        return Table(what, path, columns, self._follow, partial(self._change, path))

    def _follow(self, field: Any, place: Path_, edit: Edit) -> None:
        """Write what is entered into a field to a place of the scenario."""

        def changed(change: Any) -> None:
            if not self._quiet.on:
                below, value = edit(change["new"])
                self._desk.do(lambda: self._desk.session.revise(lambda text: _set(text, (*place, *below), value)))

        field.observe(changed, "value")

    def _revise(self, *steps: Any, told: str) -> None:
        def act(text: str) -> str:
            for step in steps:
                text = step(text)
            return text

        self._desk.do(lambda: self._desk.session.revise(act), told)

    def _change(self, path: Path_, what: str, position: int) -> None:
        """Copy or remove an item of a list; a copy gets a name of its own, and a machine is another one."""
        if what == "remove":
            self._revise(lambda text: remove_item(text, (*path, position)), told="removed; Undo brings it back")
            return
        last, own, told = self._of_a_copy(path, position)
        self._revise(
            lambda text: copy_item(text, (*path, position)),
            *(partial(set_value, path=(*path, last, key), value=value) for key, value in own.items()),
            told=told,
        )

    def _of_a_copy(self, path: Path_, position: int) -> tuple[int, dict[str, str], str]:
        """Return where the copy of an item stands, what it does not share with the item, and what to say of it."""
        items = self._listed(path) or []
        if path == _NODES:
            offered = self._another_machine()
            return len(items), {"type": offered}, f"copied, as {offered}; choose which machine it is"
        item = items[position] if position < len(items) else {}
        own = {"id": _fresh(str(item.get("id", "copy")), self._ids(path))}
        if name := item.get("name"):
            own["name"] = f"{name} (copy)"[:200]
        return len(items), own, "copied to the end of the list"

    def _listed(self, path: Path_) -> list[Mapping[str, Any]] | None:
        """Return the items of a list as the text has them, faults and all; None where it cannot be read."""
        try:
            found = parse_yaml(self._desk.session.state.text, "scenario").at(path)
        except (InputError, LookupError, TypeError):
            return None
        return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else None

    def _ids(self, path: Path_) -> list[str]:
        return [str(one.get("id", "")) for one in self._listed(path) or []]

    def _drawn(self, path: Path_, items: Sequence[ItemT]) -> Sequence[ItemT | None]:
        """Return what a table shows: the scenario's items, with faults those of the text that can be read alone."""
        if not self._desk.session.state.faults:
            return items
        there = self._listed(path)
        return [None for _ in items] if there is None else [_read(type(items[0]), one) for one in there]

    def _add_class(self, kind: str) -> None:
        scenario = self._desk.session.scenario
        fresh = _fresh("class", self._ids(_CLASSES))
        value = {
            "id": fresh,
            "name": f"New {fresh}",
            "kind": kind,
            "count": 1,
            "workloads": [{"template": scenario.workloads[0].id}],
        }
        self._revise(
            lambda text: add_item(text, _CLASSES, value), told=f"added {fresh}; it runs {scenario.workloads[0].id}"
        )

    def _add_workload(self) -> None:
        fresh = _fresh("workload", self._ids(_WORKLOADS))
        value = {"id": fresh, "kind": "service", "replicas": 1, "cpu": "1", "memory": "2Gi"}
        told = f"added {fresh}; say under a class that it runs it"
        self._revise(lambda text: add_item(text, _WORKLOADS, value), told=told)

    def _add_node(self) -> None:
        session, offered = self._desk.session, self._another_machine()
        value: dict[str, Any] = {"type": offered}
        if session.scenario.infrastructure.mode == "fixed":
            value["count"] = 1
        self._revise(lambda text: add_item(text, _NODES, value), told=f"added {offered}; choose which it is")

    def _another_machine(self) -> str:
        """Return a machine type that is offered and not in the scenario yet; where all are, the last, which is told."""
        there = {one.get("type") for one in self._listed(_NODES) or []}
        offered = [name for _, name in self._machines()]
        return next((name for name in offered if name not in there), offered[-1])

    def _machines(self) -> list[tuple[str, str]]:
        """Return the machine types of the scenario's providers, by name."""
        session = self._desk.session
        providers = {site.provider for site in session.scenario.infrastructure.sites}
        nodes = load_prices(session.catalogue).of_kind("node")
        found = [p for p in nodes if p.provider in providers]
        return [(f"{p.provider} {machine(p)}", p.id) for p in (found or nodes)]

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
            nodes = self._drawn(_NODES, scenario.infrastructure.nodes)
            self._classes.show(self._drawn(_CLASSES, scenario.tenants.classes), faults)
            self._workloads.show(self._drawn(_WORKLOADS, scenario.workloads), faults)
            self._nodes.show(nodes, faults, {"what it is": self._machines()})
            for form in (self._details, self._fleet, self._limits, self._work):
                form.tell(faults)
            if not faults:
                self._show_forms(scenario)
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

    def _show_forms(self, scenario: Scenario) -> None:
        self._details.show()
        nodes = load_prices(self._desk.session.catalogue).of_kind("node")
        providers = [(name, name) for name in sorted({p.provider for p in nodes if p.provider})]
        self._fleet.show(scenario, "infrastructure", {"Provider": providers})
        self._work.show(scenario, "team")
        self._limits.show(scenario, "limits")


def _set(text: str, path: Path_, value: Any) -> str:
    """Return the text with a value: a list item by item, nothing as no key at all, where the key has its own line."""
    if isinstance(value, list) and value:
        return set_list(text, path, value)
    if value is None or value == []:
        try:
            return remove_key(text, path)
        except KeyError:
            return set_value(text, path, value)
    return set_value(text, path, value)


def _read(model: type[ItemT], item: Mapping[str, Any]) -> ItemT | None:
    """Return an item of a list, None where it cannot be read."""
    try:
        return model.model_validate(item)
    except ValidationError:
        return None


def _fresh(base: str, taken: list[str]) -> str:
    """Return a short name that is not taken."""
    number = 2
    while (found := f"{base[:36]}-{number}") in taken:
        number += 1
    return found
