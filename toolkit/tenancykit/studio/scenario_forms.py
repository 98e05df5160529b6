"""Tables of fields over the lists of a scenario: one line per tenant class or workload, its faults beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ipywidgets as widgets

from kubeanswers.errors import Fault
from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.source import Path_
from tenancykit.scenario.model import TenantClass, Workload
from tenancykit.studio.desk import page, safe

MOST_LINES: Final = 12
"""Lines a table shows; the rest of a long list is edited in the text."""
_LEVELS: Final = ("none", "L0", "L1", "L2", "L3", "L4", "L5")
_NAME_WIDTH: Final = "minmax(110px,1.4fr)"
_FAULTS_WIDTH: Final = "minmax(90px,2fr)"


@dataclass(frozen=True)
class Column:
    """One field of every line of a table.

    Attributes:
        head: its title.
        path: its place below the line's own.
        width: of the column, pixels.
        read: what an item holds there, as the widget shows it.
        options: what may be chosen; empty for a field to type in.
        told: what it means, shown on hovering.
        parent: the place below the line's own that is emptied where "none" is chosen, if not the field's.
        share: the place below the line's own of numbers between 0 and 1, if not the field's.
    """

    head: str
    path: Path_
    width: int
    read: Callable[[Any], Any]
    options: tuple[str, ...] = ()
    told: str = ""
    parent: Path_ = ()
    share: Path_ = ()

    def field(self) -> Any:
        """Return a widget for the column's value."""
        layout = widgets.Layout(width=f"{self.width - 8}px")
        if self.options:
            return widgets.Dropdown(options=self.options, layout=layout)
        return widgets.Text(continuous_update=False, layout=layout)

    def title(self, item: str) -> str:
        """Return what the field of an item is, as a screen reader says it and as it is shown on hovering."""
        return f"{item}, {self.head}" + (f": {self.told}" if self.told else "")

    def edit(self, value: str) -> tuple[Path_, Any]:
        """Return the place below the line's own to change, and what it becomes."""
        if self.parent and value == "none":
            return self.parent, None
        found = entered(value)
        return (self.share if self.share and isinstance(found, float) and 0 < found < 1 else self.path), found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"


def _gpus(workload: Workload) -> str:
    if workload.gpu is None:
        return "0"
    return _number(workload.gpu.count if workload.gpu.fraction is None else workload.gpu.fraction)


CLASS_COLUMNS: Final = (
    Column("tenants", ("count",), 88, lambda c: _number(c.count)),
    Column("kind", ("kind",), 100, lambda c: c.kind, ("team", "customer")),
    Column(
        "isolation",
        ("requirements", "isolation"),
        76,
        lambda c: c.requirements.isolation or "none",
        _LEVELS,
        "at least",
    ),
    Column(
        "trust",
        ("trust",),
        116,
        lambda c: c.trust or "default",
        ("default", "trusted", "semi-trusted", "untrusted"),
        "how far its tenants trust each other",
    ),
    Column("growth/year", ("growth_per_year",), 78, lambda c: _number(c.growth_per_year), told="0.5: half more a year"),
)
WORKLOAD_COLUMNS: Final = (
    Column("kind", ("kind",), 100, lambda w: w.kind, ("training", "inference", "notebook", "batch", "service")),
    Column("replicas", ("replicas",), 78, lambda w: _number(w.replicas), told="per tenant, unless a class says else"),
    Column("CPU", ("cpu",), 72, lambda w: cpu_text(w.cpu), told="request of one replica, such as 4 or 500m"),
    Column("memory", ("memory",), 84, lambda w: memory_text(w.memory), told="request of one replica, such as 64Gi"),
    Column(
        "GPUs", ("gpu", "count"), 64, _gpus, told="of one replica; below 1 a share of a GPU", share=("gpu", "fraction")
    ),
    Column("gang", ("gang",), 64, lambda w: _number(w.gang), told="replicas that start together or not at all"),
    Column("priority", ("priority",), 78, lambda w: _number(w.priority), told="Kubernetes priority value"),
    Column(
        "reached from",
        ("exposure", "scope"),
        100,
        lambda w: w.exposure.scope if w.exposure else "none",
        ("none", "internal", "public"),
        "internal: the organisation's network; public: the internet",
        parent=("exposure",),
    ),
    Column(
        "untrusted code",
        ("untrusted_code",),
        106,
        lambda w: "yes" if w.untrusted_code else "no",
        ("no", "yes"),
        "runs code the platform's owner does not vouch for",
    ),
)


Edit = Callable[[Any], tuple[Path_, Any]]
"""Turns what is entered into a place, below a given one, and the value it gets."""
Follow = Callable[[Any, Path_, Edit], None]


class _Line:
    """The fields of one item."""

    def __init__(self, table: Table, position: int) -> None:
        self._where = table.path[-1]
        self._position = position
        self._columns = table.columns
        self._name = page()
        self._faults = page()
        self._fields = [column.field() for column in table.columns]
        for column, field in zip(table.columns, self._fields, strict=True):
            table.follow(field, (*table.path, position), column.edit)
        self.cells = (self._name, *self._fields, self._faults)

    def show(self, item: TenantClass | Workload, faults: Sequence[Fault]) -> None:
        """Write the faults of the item's fields and, where the scenario holds none, its values."""
        self._faults.value = listed([f for f in faults if f"{self._where}[{self._position}]" in f.where])
        if faults:
            return  # what was entered stays, so that it can be corrected
        name = str(getattr(item, "name", "") or item.id)
        self._name.value = f'<div class="tks"><b>{safe(name)}</b></div>'
        for column, field in zip(self._columns, self._fields, strict=True):
            field.value = column.read(item)
            field.tooltip = column.title(name)


class Table:
    """A table over one list of the scenario.

    Attributes:
        path: place of the list in the scenario.
        columns: its fields.
        follow: called with a field, its line's place and what turns a value into an edit; writes what is entered.
        widget: the table.
    """

    def __init__(self, what: str, path: Path_, columns: tuple[Column, ...], follow: Follow) -> None:
        self.path = path
        self.columns = columns
        self.follow = follow
        self._heads = (what, *(column.head for column in columns), "")
        self._lines: list[_Line] = []
        widths = " ".join(f"{column.width}px" for column in columns)
        self.widget = widgets.GridBox(
            [],
            layout=widgets.Layout(
                grid_template_columns=f"{_NAME_WIDTH} {widths} {_FAULTS_WIDTH}", width="100%", overflow="auto"
            ),
        )

    def show(self, items: Sequence[TenantClass | Workload], faults: Sequence[Fault]) -> None:
        """Bring the lines in line with the items and their faults."""
        shown = items[:MOST_LINES]
        while len(self._lines) < len(shown):
            self._lines.append(_Line(self, len(self._lines)))
        cells = [page(f'<div class="tks"><small>{head}</small></div>') for head in self._heads]
        for line, item in zip(self._lines, shown, strict=False):
            line.show(item, faults)
            cells.extend(line.cells)
        if len(cells) != len(self.widget.children):
            self.widget.children = tuple(cells)


def entered(value: str) -> Any:
    """Return what a field means in YAML: nothing for 'none', 'default' and empty text, numbers as numbers."""
    text = value.strip()
    if text in ("", "none", "default"):
        return None
    if text in ("yes", "no"):
        return text == "yes"
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def listed(faults: Sequence[Fault]) -> str:
    """Return HTML that lists faults; empty where there are none."""
    items = "".join(f"<li>{safe(str(fault))}</li>" for fault in faults)
    return f'<div class="tks"><ul class="fault">{items}</ul></div>' if items else ""
