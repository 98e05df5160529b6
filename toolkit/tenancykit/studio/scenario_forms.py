"""Tables of fields over the lists of a scenario: one line per tenant class or workload, its faults beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import ipywidgets as widgets

from kubeanswers.errors import Fault
from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.source import Path_
from tenancykit.scenario.model import NodeOffer, TenantClass, Workload
from tenancykit.studio.desk import button, page, safe

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
        read: what an item holds there, as the widget shows it.
        options: what may be chosen; empty for a field to type in.
        told: what it means, shown on hovering.
        parent: the place below the line's own that is emptied where "none" is chosen, if not the field's.
        share: the place below the line's own of numbers between 0 and 1, if not the field's.
        offered: whether what may be chosen is known only once the scenario is.
        several: whether it holds a list of words, written with commas between them.
    """

    head: str
    path: Path_
    width: int
    read: Callable[[Any], Any]
    options: tuple[str, ...] = ()
    told: str = ""
    parent: Path_ = ()
    share: Path_ = ()
    several: bool = False
    offered: bool = False

    def field(self) -> Any:
        """Return a widget for the column's value."""
        layout = widgets.Layout(width=f"{self.width - 8}px")
        if self.options or self.offered:
            return widgets.Dropdown(options=self.options, layout=layout)
        return widgets.Text(continuous_update=False, layout=layout)

    def title(self, item: str) -> str:
        """Return what the field of an item is, as a screen reader says it and as it is shown on hovering."""
        return f"{item}, {self.head}" + (f": {self.told}" if self.told else "")

    def edit(self, value: str) -> tuple[Path_, Any]:
        """Return the place below the line's own to change, and what it becomes."""
        if self.several:
            return self.path, [part.strip() for part in value.split(",") if part.strip() not in ("", "none")]
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


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _words(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"


CLASS_COLUMNS: Final = (
    Column("name", ("name",), 130, lambda c: c.name, told="title for people"),
    Column("tenants", ("count",), 76, lambda c: _number(c.count)),
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
DETAIL_COLUMNS: Final = (
    Column(
        "API access",
        ("api_access",),
        200,
        lambda c: c.api_access or "default",
        ("default", "none", "namespace", "cluster"),
        "rights its tenants hold on the Kubernetes API",
    ),
    Column(
        "Service tier",
        ("service_tier",),
        200,
        lambda c: c.service_tier,
        ("basic", "standard", "premium"),
        "what they pay for",
    ),
    Column("Environment", ("environment",), 220, lambda c: c.environment, ("production", "development")),
    Column(
        "Compliance",
        ("compliance",),
        230,
        lambda c: _words(c.compliance),
        ("none", "hipaa", "pci-dss", "iso27001"),
        "regimes it falls under; several in the text",
        several=True,
    ),
    Column("Data stays in", ("residency",), 200, lambda c: _words(c.residency), told="jurisdictions", several=True),
    Column(
        "Control plane",
        ("requirements", "control_plane"),
        190,
        lambda c: c.requirements.control_plane or "none",
        _LEVELS,
        "isolation of the API, at least",
    ),
    Column(
        "Data plane",
        ("requirements", "data_plane"),
        170,
        lambda c: c.requirements.data_plane or "none",
        _LEVELS,
        "isolation of machines, network, storage and GPUs, at least",
    ),
    Column(
        "Own CRDs",
        ("requirements", "own_crds"),
        150,
        lambda c: _yes(c.requirements.own_crds),
        ("no", "yes"),
        "whether tenants bring resource definitions or webhooks of their own",
    ),
    Column(
        "Slowdown, at most",
        ("requirements", "max_slowdown"),
        210,
        lambda c: _number(c.requirements.max_slowdown),
        told="by neighbours and sandboxes; 1.2: a fifth more time",
    ),
)
FLEET_COLUMNS: Final = (
    Column(
        "Machines",
        ("infrastructure", "mode"),
        180,
        lambda s: s.infrastructure.mode,
        ("fixed", "elastic"),
        "fixed: those counted are all there are; elastic: bought as needed",
    ),
    Column(
        "Buying more",
        ("infrastructure", "buying"),
        190,
        lambda s: s.infrastructure.buying or "default",
        ("default", "allowed", "refused"),
        "whether a fixed fleet may grow, at its price",
    ),
    Column(
        "Control planes",
        ("infrastructure", "control_plane"),
        230,
        lambda s: s.infrastructure.control_plane,
        ("managed", "self-managed"),
        "who runs those of ordinary clusters",
    ),
    Column(
        "Fabric",
        ("infrastructure", "fabric"),
        170,
        lambda s: s.infrastructure.fabric,
        ("none", "infiniband", "roce"),
        "RDMA between GPU machines",
    ),
    Column(
        "Provider",
        ("infrastructure", "sites", 0, "provider"),
        190,
        lambda s: s.infrastructure.sites[0].provider,
        told="of the first site",
        offered=True,
    ),
    Column("Region", ("infrastructure", "sites", 0, "region"), 190, lambda s: s.infrastructure.sites[0].region),
    Column(
        "Jurisdiction",
        ("infrastructure", "sites", 0, "jurisdiction"),
        160,
        lambda s: s.infrastructure.sites[0].jurisdiction,
        told="of the first site, such as eu",
    ),
)
TEAM_COLUMNS: Final = (
    Column(
        "Changes by",
        ("team", "automation"),
        190,
        lambda s: s.team.automation,
        ("gitops", "scripts", "manual"),
        "how changes reach clusters",
    ),
    Column("Around the clock", ("team", "on_call"), 180, lambda s: _yes(s.team.on_call), ("yes", "no"), "support"),
    Column(
        "Admission policies",
        ("team", "admission"),
        220,
        lambda s: s.team.admission,
        ("enforce", "audit"),
        "refuse what breaks them, or only report it",
    ),
)
NODE_COLUMNS: Final = (
    Column("machine", ("type",), 420, lambda n: n.type, offered=True),
    Column("there are", ("count",), 88, lambda n: _number(n.count), told="empty: bought as needed"),
    Column(
        "paid",
        ("term",),
        120,
        lambda n: n.term,
        ("on-demand", "reserved", "reserved-3y", "spot", "capacity-block"),
        "terms of payment",
    ),
)
WORKLOAD_COLUMNS: Final = (
    Column("kind", ("kind",), 96, lambda w: w.kind, ("training", "inference", "notebook", "batch", "service")),
    Column("replicas", ("replicas",), 66, lambda w: _number(w.replicas), told="per tenant, unless a class says else"),
    Column("CPU", ("cpu",), 68, lambda w: cpu_text(w.cpu), told="request of one replica, such as 4 or 500m"),
    Column("memory", ("memory",), 72, lambda w: memory_text(w.memory), told="request of one replica, such as 64Gi"),
    Column(
        "GPUs", ("gpu", "count"), 56, _gpus, told="of one replica; below 1 a share of a GPU", share=("gpu", "fraction")
    ),
    Column("gang", ("gang",), 52, lambda w: _number(w.gang), told="replicas that start together or not at all"),
    Column("priority", ("priority",), 66, lambda w: _number(w.priority), told="Kubernetes priority value"),
    Column(
        "reached from",
        ("exposure", "scope"),
        88,
        lambda w: w.exposure.scope if w.exposure else "none",
        ("none", "internal", "public"),
        "internal: the organisation's network; public: the internet",
        parent=("exposure",),
    ),
    Column(
        "untrusted code",
        ("untrusted_code",),
        92,
        lambda w: "yes" if w.untrusted_code else "no",
        ("no", "yes"),
        "runs code the platform's owner does not vouch for",
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
        self._faults.layout.grid_column = "1 / -1"
        self._fields = [column.field() for column in table.columns]
        for column, field in zip(table.columns, self._fields, strict=True):
            table.follow(field, (*table.path, position), column.edit)
        self._copy = button("Copy", lambda: table.change("copy", position), width="52px")
        self._remove = button("Remove", lambda: table.change("remove", position), width="68px")
        for made in (self._copy, self._remove):
            made.add_class("tk-number")
        self.cells = (self._name, *self._fields, widgets.HBox([self._copy, self._remove]), self._faults)

    def show(self, item: Item, faults: Sequence[Fault], choices: Mapping[str, Choices]) -> None:
        """Write the faults of the item's fields and, where the scenario holds none, its values."""
        self._faults.value = listed([f for f in faults if f"{self._where}[{self._position}]" in f.where])
        self._faults.layout.display = "" if self._faults.value else "none"
        if faults:
            return  # what was entered stays, so that it can be corrected
        name = named(item)
        self._name.value = f'<div class="tks"><b>{safe(name)}</b></div>'
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
        self, items: Sequence[Item], faults: Sequence[Fault], choices: Mapping[str, Choices] = MappingProxyType({})
    ) -> None:
        """Bring the lines in line with the items and their faults; ``choices`` by column head replace fixed ones."""
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
        self.widget = widgets.HBox(self._fields, layout=widgets.Layout(flex_flow="row wrap"))

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
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def listed(faults: Sequence[Fault]) -> str:
    """Return HTML that lists faults; empty where there are none."""
    items = "".join(f"<li>{safe(str(fault))}</li>" for fault in faults)
    return f'<div class="tks"><ul class="fault">{items}</ul></div>' if items else ""
