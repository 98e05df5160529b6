"""Tables of fields over the lists of a scenario: one line per tenant class or workload, its faults beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from html import escape
from types import MappingProxyType
from typing import Any, Final, Literal, get_args, get_origin

import ipywidgets as widgets
from pydantic import BaseModel

from kubeanswers.errors import Fault
from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.records import dataclass
from kubeanswers.scalars import decimal_number
from kubeanswers.source import Path_, field_text
from tenancykit.scenario.model import Exposure, Infrastructure, NodeOffer, Team, TenantClass, Workload
from tenancykit.studio.desk import button, page

MOST_LINES: Final = 12
"""Lines a table shows; the rest of a long list is edited in the text."""
_LEVELS: Final = ("none", "L0", "L1", "L2", "L3", "L4", "L5")
_NAME_WIDTH: Final = "minmax(110px,1.4fr)"
_BUTTONS_WIDTH: Final = "128px"
Choices = Sequence[tuple[str, str]]
"""What may be chosen: how it is shown, and what it is."""


@dataclass(frozen=True)
class Column:
    """One field of every line of a table.

    Attributes:
        head: its title.
        path: its place below the line's own.
        width: of the column, pixels.
        options: what may be chosen, the first where an item says nothing; empty for a field to type in.
        told: what it means, shown on hovering.
        form: returns what an item holds there as the widget shows it, if not as it stands there.
        parent: the place below the line's own that is emptied where "none" is chosen, if not the field's.
        share: the place below the line's own of numbers between 0 and 1, if not the field's.
        empty: what an empty field means, shown in it.
        offered: whether what may be chosen is known only once the scenario is.
        several: whether it holds a list of words, written with commas between them.
        text: whether it holds a text, whatever it looks like: "no" is a country.
    """

    head: str
    path: Path_
    width: int
    options: tuple[str, ...] = ()
    told: str = ""
    form: Callable[[Any], str] | None = None
    parent: Path_ = ()
    share: Path_ = ()
    several: bool = False
    text: bool = False
    empty: str = ""
    offered: bool = False

    def field(self) -> Any:
        """Return a widget for the column's value."""
        layout = widgets.Layout(width=f"{self.width - 8}px")
        if self.options or self.offered:
            return widgets.Dropdown(options=self.options, layout=layout)
        return widgets.Text(continuous_update=False, layout=layout, placeholder=self.empty)

    def read(self, item: Any) -> str:
        """Return what an item holds, as the widget shows it."""
        if self.form is not None:
            return self.form(item)
        value = _held(item, self.path)
        return (self.options or ("",))[0] if value is None else _shown(value)

    def title(self, item: str) -> str:
        """Return what the field of an item is, as a screen reader says it and as it is shown on hovering."""
        return f"{item}, {self.head}" + (f": {self.told}" if self.told else "")

    def edit(self, value: str) -> tuple[Path_, Any]:
        """Return the place below the line's own to change, and what it becomes."""
        if self.several:
            return self.path, [part.strip() for part in value.split(",") if part.strip() not in ("", "none")]
        if self.text:
            return self.path, value.strip() or None
        if self.parent and value == "none":
            return self.parent, None
        found = entered(value)
        return (self.share if self.share and isinstance(found, float) and 0 < found < 1 else self.path), found


def _held(item: Any, path: Path_) -> Any:
    """Return what an item holds at a place; None where nothing on the way there is."""
    for step in path:
        item = item[step] if isinstance(step, int) else getattr(item, step, None)
    return item


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return f"{float(value):.15g}"
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)


def _words(model: type[BaseModel], field: str, *first: str) -> tuple[str, ...]:
    """Return the words a field of the scenario takes, as its model states them."""

    def stated(kind: Any) -> tuple[str, ...]:
        if get_origin(kind) is Literal:
            return get_args(kind)
        return tuple(word for part in get_args(kind) for word in stated(part))

    return (*first, *stated(model.model_fields[field].annotation))


def _gpus(workload: Workload) -> str:
    gpu = workload.gpu
    return "0" if gpu is None else _shown(gpu.count if gpu.fraction is None else gpu.fraction)


_DEMAND: Final = "requirements"
_FLEET: Final = "infrastructure"
_SITE: Final = ("infrastructure", "sites", 0)

CLASS_COLUMNS: Final = (
    Column("name", ("name",), 130, told="title for people", text=True),
    Column("tenants", ("count",), 76),
    Column("kind", ("kind",), 100, _words(TenantClass, "kind")),
    Column("isolation", (_DEMAND, "isolation"), 76, _LEVELS, "at least"),
    Column("trust", ("trust",), 128, _words(TenantClass, "trust", "default"), "how far its tenants trust each other"),
    Column("growth/year", ("growth_per_year",), 78, told="0.5: half more a year"),
)
DETAIL_COLUMNS: Final = (
    Column(
        *("API access", ("api_access",), 200, _words(TenantClass, "api_access", "default")),
        told="rights its tenants hold on the Kubernetes API",
    ),
    Column("Service tier", ("service_tier",), 200, _words(TenantClass, "service_tier"), "what they pay for"),
    Column("Environment", ("environment",), 220, _words(TenantClass, "environment")),
    Column(
        *("Compliance", ("compliance",), 230, ("none", "hipaa", "pci-dss", "iso27001")),
        told="regimes it falls under; several in the text",
        several=True,
    ),
    Column("Data stays in", ("residency",), 200, told="jurisdictions", several=True),
    Column("Control plane", (_DEMAND, "control_plane"), 190, _LEVELS, "isolation of the API, at least"),
    Column(
        *("Data plane", (_DEMAND, "data_plane"), 170, _LEVELS),
        told="isolation of machines, network, storage and GPUs, at least",
    ),
    Column(
        *("Own CRDs", (_DEMAND, "own_crds"), 150, ("no", "yes")),
        told="whether tenants bring resource definitions or webhooks of their own",
    ),
    Column(
        *("Slowdown, at most", (_DEMAND, "max_slowdown"), 210),
        told="by neighbours and sandboxes; 1.2: a fifth more time",
    ),
)
FLEET_COLUMNS: Final = (
    Column(
        *("Machines", (_FLEET, "mode"), 180, _words(Infrastructure, "mode")),
        told="fixed: those counted are all there are; elastic: bought as needed",
    ),
    Column(
        *("Buying more", (_FLEET, "buying"), 190, _words(Infrastructure, "buying", "default")),
        told="whether a fixed fleet may grow, at its price",
    ),
    Column(
        *("Control planes", (_FLEET, "control_plane"), 230, _words(Infrastructure, "control_plane")),
        told="who runs those of ordinary clusters",
    ),
    Column("Fabric", (_FLEET, "fabric"), 170, _words(Infrastructure, "fabric"), "RDMA between GPU machines"),
    Column("Provider", (*_SITE, "provider"), 190, told="of the first site", offered=True),
    Column("Region", (*_SITE, "region"), 190, text=True),
    Column("Jurisdiction", (*_SITE, "jurisdiction"), 160, told="of the first site, such as eu", text=True),
)
LIMIT_COLUMNS: Final = (
    Column(
        *("Budget a month", (_DEMAND, "budget_per_month"), 228),
        told="at most, people included, in the scenario's currency",
        empty="no limit",
    ),
    Column("Weeks to go-live", (_DEMAND, "go_live_weeks"), 228, told="at most, until it serves", empty="no limit"),
    Column("Engineers to run it", (_DEMAND, "platform_engineers"), 228, told="at most", empty="no limit"),
)
TEAM_COLUMNS: Final = (
    Column("Engineers there are", ("team", "engineers"), 228, told="who build it"),
    Column("Changes by", ("team", "automation"), 190, _words(Team, "automation"), "how changes reach clusters"),
    Column("Around the clock", ("team", "on_call"), 180, ("yes", "no"), "support"),
    Column(
        *("Admission policies", ("team", "admission"), 220, _words(Team, "admission")),
        told="refuse what breaks them, or only report it",
    ),
)
NODE_COLUMNS: Final = (
    Column("what it is", ("type",), 472, offered=True),
    Column("there are", ("count",), 66, told="empty: bought as needed"),
    Column("paid", ("term",), 108, _words(NodeOffer, "term"), "terms of payment"),
)
WORKLOAD_COLUMNS: Final = (
    Column("kind", ("kind",), 108, _words(Workload, "kind")),
    Column("replicas", ("replicas",), 66, told="per tenant, unless a class says else"),
    Column("CPU", ("cpu",), 84, (), "request of one replica, such as 4 or 500m", lambda w: cpu_text(w.cpu)),
    Column("memory", ("memory",), 72, (), "request of one replica, such as 64Gi", lambda w: memory_text(w.memory)),
    Column(
        *("GPUs", ("gpu", "count"), 56, (), "of one replica; below 1 a share of a GPU", _gpus),
        share=("gpu", "fraction"),
    ),
    Column("gang", ("gang",), 52, told="replicas that start together or not at all"),
    Column("priority", ("priority",), 62, told="Kubernetes priority value"),
    Column(
        *("reached from", ("exposure", "scope"), 96, _words(Exposure, "scope", "none")),
        told="internal: the organisation's network; public: the internet",
        parent=("exposure",),
    ),
    Column(
        *("untrusted code", ("untrusted_code",), 74, ("no", "yes")),
        told="runs code the platform's owner does not vouch for",
    ),
)


Edit = Callable[[Any], tuple[Path_, Any]]
"""Turns what is entered into a place, below a given one, and the value it gets."""
Follow = Callable[[Any, Path_, Edit], None]
Item = TenantClass | Workload | NodeOffer


class _Line:
    """The fields of one item, its copy and remove buttons, and its faults below."""

    def __init__(self, table: Table, position: int) -> None:
        self._where = table.path[-1]
        self._position = position
        self._columns = table.columns
        self._name = page()
        self._faults = page()
        self._faults.layout.grid_area = "auto / 1 / auto / -1"  # an own grid_column is undone by grid_area's default
        self._fields = [column.field() for column in table.columns]
        for column, field in zip(table.columns, self._fields, strict=True):
            table.follow(field, (*table.path, position), column.edit)
        self._copy = button("Copy", lambda: table.change("copy", position), width="52px")
        self._remove = button("Remove", lambda: table.change("remove", position), width="68px")
        for made in (self._copy, self._remove):
            made.add_class("tk-number")
        self.cells = (self._name, *self._fields, widgets.HBox([self._copy, self._remove]), self._faults)

    def show(self, item: Item | None, faults: Sequence[Fault], choices: Mapping[str, Choices]) -> None:
        """Write the faults of the item's fields and its values; of none, what was entered stays to be corrected."""
        self._faults.value = listed([f for f in faults if f"{self._where}[{self._position}]" in f.where])
        self._faults.layout.display = "" if self._faults.value else "none"
        if item is None:
            return
        name = named(item)
        self._name.value = f'<div class="tks"><b>{escape(name)}</b></div>'
        self._copy.tooltip, self._remove.tooltip = f"Copy {name}", f"Remove {name}"
        for column, field in zip(self._columns, self._fields, strict=True):
            value = column.read(item)
            _set(column, field, value, choices)
            field.tooltip = column.title(name)


class Table:
    """A table over one list of the scenario.

    Attributes:
        path: place of the list in the scenario.
        columns: its fields.
        follow: called with a field, its line's place and what turns a value into an edit; writes what is entered.
        change: called with ``copy`` or ``remove`` and the position of an item.
        widget: the table.
    """

    def __init__(
        self, what: str, path: Path_, columns: tuple[Column, ...], follow: Follow, change: Callable[[str, int], None]
    ) -> None:
        self.path = path
        self.columns = columns
        self.follow = follow
        self.change = change
        self._heads = (what, *(column.head for column in columns), "")
        self._lines: list[_Line] = []
        widths = " ".join(f"{column.width}px" for column in columns)
        self.widget = widgets.GridBox(
            [],
            layout=widgets.Layout(
                grid_template_columns=f"{_NAME_WIDTH} {widths} {_BUTTONS_WIDTH}", width="100%", overflow="auto"
            ),
        )

    def show(
        self,
        items: Sequence[Item | None],
        faults: Sequence[Fault],
        choices: Mapping[str, Choices] = MappingProxyType({}),
    ) -> None:
        """Bring the lines in line with the items and their faults.

        Args:
            items: the items, None for one that cannot be read: its line stays as it was entered.
            faults: of the scenario.
            choices: what may be chosen by column head, in place of what is fixed.
        """
        shown = items[:MOST_LINES]
        while len(self._lines) < len(shown):
            self._lines.append(_Line(self, len(self._lines)))
        cells = [page(f'<div class="tks"><small>{head}</small></div>') for head in self._heads]
        for line, item in zip(self._lines, shown, strict=False):
            line.show(item, faults, choices)
            cells.extend(line.cells)
        if len(cells) != len(self.widget.children):
            self.widget.children = tuple(cells)


class Form:
    """Fields over one item, each with its name beside it.

    Attributes:
        widget: the form.
    """

    def __init__(self, columns: tuple[Column, ...], follow: Callable[[Any, Edit], None]) -> None:
        self._columns = columns
        self._fields = []
        for column in columns:
            field = column.field()
            field.description = column.head
            field.style.description_width = "initial"
            field.layout.width = f"{column.width}px"
            follow(field, column.edit)
            self._fields.append(field)
        self._faults = page()
        self._faults.layout.display = "none"
        fields = widgets.HBox(self._fields, layout=widgets.Layout(flex_flow="row wrap"))
        self.widget = widgets.VBox([fields, self._faults])

    def tell(self, faults: Sequence[Fault], place: Path_ = ()) -> None:
        """Say below the fields which faults are theirs; ``place`` is where the columns' paths start."""
        fields = {field_text((*place, *column.path)) for column in self._columns}
        self._faults.value = listed([f for f in faults if f.where.rsplit(" ", 1)[-1] in fields])
        self._faults.layout.display = "" if self._faults.value else "none"

    def show(self, item: Any, name: str, choices: Mapping[str, Choices] = MappingProxyType({})) -> None:
        """Show an item's values."""
        for column, field in zip(self._columns, self._fields, strict=True):
            value = column.read(item)
            _set(column, field, value, choices)
            field.tooltip = column.title(name)


def _set(column: Column, field: Any, value: str, choices: Mapping[str, Choices]) -> None:
    """Show a value; one that is not on offer, such as several at once, is offered beside the others."""
    if column.options or column.offered:
        offered = tuple(choices.get(column.head) or ((text, text) for text in column.options))
        wanted = offered if value in {found for _, found in offered} else ((value, value), *offered)
        if tuple(field.options) != wanted:
            field.options = wanted
    field.value = value


def named(item: Item) -> str:
    """Return what an item is called."""
    if isinstance(item, NodeOffer):
        return item.type
    return str(getattr(item, "name", "") or item.id)


def entered(value: str) -> Any:
    """Return what a field means in YAML: nothing for 'none', 'default' and empty text, numbers as numbers."""
    text = value.strip()
    if text in ("", "none", "default"):
        return None
    if text in ("yes", "no"):
        return text == "yes"
    number = decimal_number(text)
    if number is None:
        return text
    return int(number) if number.is_integer() else number


def listed(faults: Sequence[Fault]) -> str:
    """Return HTML that lists faults; empty where there are none."""
    items = "".join(f"<li>{escape(str(fault))}</li>" for fault in faults)
    return f'<div class="tks"><ul class="fault">{items}</ul></div>' if items else ""
