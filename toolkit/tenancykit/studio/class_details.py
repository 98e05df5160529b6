"""What must hold for one tenant class: requirements and needs as choices, what it runs, options that are wished."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any, Final

import ipywidgets as widgets

from kubeanswers.errors import Fault
from kubeanswers.source import Path_
from tenancykit.design.needs import needs_of
from tenancykit.scenario.model import TenantClass
from tenancykit.studio.desk import Desk, Quiet, button, page, written
from tenancykit.studio.edits import add_item, remove_item, remove_key, set_list, set_value
from tenancykit.studio.scenario_forms import DETAIL_COLUMNS, Edit, Form

_FOLLOWS, _YES, _NO = "follows", "yes", "no"
_WISHES: Final = (("require_options", "must have"), ("forbid_options", "must not have"))


class ClassDetails:
    """Requirements, needs and workloads of the class that is chosen."""

    def __init__(self, desk: Desk, follow: Any) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._which = widgets.Dropdown(
            description="Class", tooltip="Class whose requirements are shown", layout=widgets.Layout(width="320px")
        )
        self._which.observe(lambda _: None if self._quiet.on else self.show(), "value")
        self._form = Form(DETAIL_COLUMNS, lambda field, edit: follow(field, (), partial(self._placed, edit)))
        self._runs = widgets.HBox([], layout=widgets.Layout(flex_flow="row wrap"))
        self._needs = {need.id: self._need(need.id, need.name) for need in desk.session.catalogue.needs.values()}
        self._why = {name: page() for name in self._needs}
        rows = [cell for name, field in self._needs.items() for cell in (field, self._why[name])]
        needs = widgets.GridBox(
            rows, layout=widgets.Layout(grid_template_columns="360px minmax(200px,1fr)", width="100%")
        )
        self._wishes = widgets.VBox([])
        fold = widgets.Accordion(
            [
                widgets.VBox(
                    [self._which, self._form.widget, page(written("<p><b>It runs</b></p>")), self._runs, self._wishes]
                ),
                needs,
            ],
            selected_index=None,
        )
        fold.set_title(0, "Requirements of a class, and what it runs")
        fold.set_title(1, "Needs of that class")
        self.widget = fold

    @property
    def _position(self) -> int:
        return int(self._which.value or 0)

    @property
    def _place(self) -> Path_:
        return ("tenants", "classes", self._position)

    @property
    def chosen(self) -> TenantClass:
        """The class that is shown."""
        classes = self._desk.session.scenario.tenants.classes
        return classes[min(self._position, len(classes) - 1)]

    def _placed(self, edit: Edit, value: Any) -> tuple[Path_, Any]:
        below, found = edit(value)
        return (*self._place, *below), found

    def _need(self, identifier: str, name: str) -> Any:
        field = widgets.Dropdown(
            description=name,
            options=[("as it follows", _FOLLOWS), ("asked", _YES), ("not asked", _NO)],
            style={"description_width": "210px"},
            layout=widgets.Layout(width="350px"),
        )
        field.observe(partial(self._state_need, identifier), "value")
        return field

    def _state_need(self, identifier: str, change: Any) -> None:
        if self._quiet.on:
            return
        path = (*self._place, "needs", identifier)

        def act(text: str) -> str:
            return remove_key(text, path) if change["new"] == _FOLLOWS else set_value(text, path, change["new"] == _YES)

        self._desk.do(lambda: self._desk.session.revise(act))

    def _run(self, template: str, change: Any) -> None:
        if self._quiet.on:
            return
        path = (*self._place, "workloads")
        uses = [use.template for use in self.chosen.workloads]

        def act(text: str) -> str:
            if change["new"]:
                return add_item(text, path, {"template": template})
            return remove_item(text, (*path, uses.index(template)))

        self._desk.do(lambda: self._desk.session.revise(act))

    def _unwish(self, field: str, option: str) -> None:
        left = [name for name in getattr(self.chosen.requirements, field) if name != option]
        path = (*self._place, "requirements", field)
        act = partial(set_list, path=path, values=left) if left else partial(remove_key, path=path)
        self._desk.do(lambda: self._desk.session.revise(act), "wish removed")

    def tell(self, faults: Sequence[Fault]) -> None:
        """Say below the requirements what is wrong with those of the class that is shown."""
        self._form.tell(faults, self._place)

    def show(self) -> None:
        """Bring the fields in line with the session."""
        session = self._desk.session
        scenario = session.scenario
        with self._quiet():
            names = [(c.name or c.id, index) for index, c in enumerate(scenario.tenants.classes)]
            if list(self._which.options) != names:
                position = min(self._position, len(names) - 1)
                self._which.options = names
                self._which.value = position
            found = self.chosen
            title = found.name or found.id
            self._form.show(found, title)
            self._show_runs(found, title)
            self._show_wishes(found)
            for asked in needs_of(found, scenario, session.catalogue):
                field = self._needs[asked.need.id]
                field.value = _FOLLOWS if not asked.stated else _YES if asked.wanted else _NO
                field.tooltip = f"{title}, {asked.need.name}: {asked.need.what}"
                now = "asked" if asked.wanted else "not asked"
                self._why[asked.need.id].value = written(
                    f"<p><b>{now}</b>, {escape(asked.why)}<br><small>{escape(asked.need.what)}</small></p>"
                )

    def _show_runs(self, found: TenantClass, title: str) -> None:
        running = {use.template for use in found.workloads}
        boxes = []
        for workload in self._desk.session.scenario.workloads:
            box = widgets.Checkbox(
                value=workload.id in running,
                description=workload.id,
                tooltip=f"{title} runs {workload.id}",
                indent=False,
                layout=widgets.Layout(width="auto"),
            )
            box.observe(partial(self._run, workload.id), "value")
            boxes.append(box)
        for box in self._runs.children:
            box.close()
        self._runs.children = tuple(boxes)

    def _show_wishes(self, found: TenantClass) -> None:
        rows: list[Any] = []
        options = self._desk.session.catalogue.options
        for field, told in _WISHES:
            for name in getattr(found.requirements, field):
                text = f"{told}: {options[name].name if name in options else name}"
                gone = button(
                    "Remove", partial(self._unwish, field, name), told=f"Remove the wish: {text}", width="80px"
                )
                gone.add_class("tk-number")
                rows.append(widgets.HBox([page(written(f"<p>{escape(text)}</p>")), gone]))
        hint = "<p><small>Wishes for options are made in the tab Options.</small></p>"
        self._wishes.children = (page(written(hint)), *rows)
