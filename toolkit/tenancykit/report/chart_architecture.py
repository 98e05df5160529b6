"""The architecture of a design as a drawing: sites, clusters, control planes, node pools and the tenants in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.domains import Clusters
from tenancykit.criteria.cost.housing import Housed
from tenancykit.criteria.cost.statement import Statement
from tenancykit.report.chart_canvas import Canvas, Chart
from tenancykit.report.chart_colours import BLUE, GREEN, GREY, ORANGE, PURPLE, class_colours
from tenancykit.study.evaluation import Evaluation

_CARD: Final = 344
_GAP: Final = 14
_LONG: Final = 44
"""Characters of a pool's machines from which they are written smaller, so that none is cut."""
_KINDS: Final = {"shared": "shared cluster", "tenant": "cluster of a tenant", "hub": "management cluster"}
_PAYS: Final = {
    "fee": "control plane run by the provider",
    "hosts": "control plane on machines of its own",
    "pods": "control plane as pods in the management cluster",
}
_POOLS: Final = {
    "shared": "nodes shared by all tenants",
    "class": "nodes of one class",
    "tenant": "nodes of one tenant",
    "system": "nodes for the platform",
}
_HUES: Final = {"shared": ORANGE, "class": PURPLE, "tenant": GREEN, "system": GREY}


@dataclass(frozen=True)
class _Pool:
    kind: str
    copies: int
    classes: tuple[str, ...]
    machines: str


@dataclass(frozen=True)
class _Card:
    """Clusters that look alike."""

    site: str
    kind: str
    control_plane: str
    copies: int
    classes: tuple[str, ...]
    pools: tuple[_Pool, ...]


def architecture(evaluation: Evaluation) -> Chart:
    """Return the clusters of a design, alike ones as one card: control plane, node pools, tenants.

    Machines that a fixed fleet lacks stand in their pools, marked as to buy, or as missing where buying is not allowed.
    """
    statement: Statement = evaluation.scores["cost"].detail
    lacking = "to buy" if evaluation.scenario.infrastructure.buying == "allowed" else "missing"
    cards = _cards(statement, lacking)
    total = sum(c.copies for c in cards)
    sites = len({c.site for c in cards})
    tenants = sum(group.count for group in statement.groups)
    title = (
        f"{evaluation.id} serves {tenants:,} tenants from {total:,} cluster{'s' if total > 1 else ''} "
        f"at {sites} site{'s' if sites > 1 else ''}"
    )
    heights = [_height(card) for card in cards]
    rows = [heights[i : i + 2] for i in range(0, len(cards), 2)]
    canvas = Canvas(title, sum(max(row) + _GAP for row in rows) + 4)
    hues = class_colours([c.id for c in evaluation.scenario.tenants.classes])
    y = canvas.top + 2.0
    for start in range(0, len(cards), 2):
        for column, card in enumerate(cards[start : start + 2]):
            _draw(canvas, card, 12 + column * (_CARD + _GAP + 4), y, hues)
        y += max(heights[start : start + 2]) + _GAP
    data = [
        [
            card.site,
            _KINDS[card.kind],
            f"{card.copies:,}",
            ", ".join(card.classes),
            _PAYS[card.control_plane],
            "; ".join(f"{_POOLS[p.kind]}: {p.machines}" for p in card.pools) or "-",
        ]
        for card in cards
    ]
    return canvas.chart(["site", "cluster", "number", "classes", "control plane", "nodes"], data)


def _cards(statement: Statement, lacking: str) -> list[_Card]:
    by_cluster: dict[str, list[Housed]] = {}
    for one in statement.housing.housed:
        by_cluster.setdefault(one.domain.cluster, []).append(one)
    alike: dict[tuple[str, str, str, tuple[str, ...]], list[Clusters]] = {}
    for clusters in statement.layout.clusters:
        key = (clusters.site.id, clusters.kind, clusters.control_plane, tuple(sorted(clusters.classes)))
        alike.setdefault(key, []).append(clusters)
    return [
        _Card(
            site,
            kind,
            pays,
            sum(c.copies for c in found),
            classes,
            _pools([one for c in found for one in by_cluster.get(c.id, [])], lacking),
        )
        for (site, kind, pays, classes), found in alike.items()
    ]


def _pools(housed: Sequence[Housed], lacking: str) -> tuple[_Pool, ...]:
    found: dict[tuple[str, tuple[str, ...]], tuple[int, Counter[str], Counter[str]]] = {}
    for one in housed:
        key = (one.domain.kind, one.domain.classes)
        copies, machines, extra = found.get(key, (0, Counter(), Counter()))
        for name, number in one.nodes.items():
            machines[name] += number * one.copies
        for name, number in one.extra.items():
            extra[name] += number * one.copies
        found[key] = (copies + one.copies, machines, extra)
    return tuple(
        _Pool(kind, copies, classes, _machines(machines, extra, lacking))
        for (kind, classes), (copies, machines, extra) in found.items()
    )


def _machines(machines: Counter[str], extra: Counter[str], lacking: str) -> str:
    """Return machines in words, with how many of them the fleet lacks."""
    alone = not machines.total()
    told = []
    for name, number in sorted((machines + extra).items()):
        lacks = f" ({extra[name]:,} {lacking})" if extra[name] and not alone else ""
        told.append(f"{number:,} \u00d7 {name}{lacks}")
    if not told:
        return "none"
    return ", ".join(told) + (f" (all {lacking})" if alone else "")


def _height(card: _Card) -> float:
    return 70 + 50 * max(1, len(card.pools))


def _draw(canvas: Canvas, card: _Card, x: float, y: float, hues: Mapping[str, str]) -> None:
    height = _height(card)
    if card.copies > 1:
        for step in (8, 4):
            canvas.rect(x + step, y - step / 2, _CARD, height, "#fafafa", stroke=GREY)
    canvas.rect(x, y, _CARD, height, "#ffffff", stroke="#444444")
    number = f"{card.copies:,} \u00d7 " if card.copies > 1 else ""
    canvas.text(x + 10, y + 19, f"{number}{_KINDS[card.kind]}", size=13, weight=600, room=_CARD - 110)
    canvas.text(x + _CARD - 10, y + 19, f"site {card.site}", size=11, anchor="end", fill="#555555", room=100)
    canvas.rect(x + 10, y + 28, _CARD - 20, 24, BLUE)
    canvas.text(x + 18, y + 44, _PAYS[card.control_plane], size=11, fill="#ffffff", room=_CARD - 36)
    if not card.pools:
        canvas.text(x + 18, y + 78, "no nodes of its own", size=11, fill="#555555")
    for place, pool in enumerate(card.pools):
        top = y + 60 + 50 * place
        canvas.rect(x + 10, top, 6, 42, _HUES[pool.kind])
        canvas.rect(x + 16, top, _CARD - 26, 42, "#f7f7f7", stroke="#cccccc")
        pools = f"{pool.copies:,} pools, " if pool.copies > 1 and card.copies == 1 else ""
        who = f": {', '.join(pool.classes)}" if pool.classes else ""
        room = _CARD - 48 - 12 * len(pool.classes)
        canvas.text(x + 24, top + 17, f"{pools}{_POOLS[pool.kind]}{who}", size=11, weight=600, room=room)
        for turn, name in enumerate(reversed(pool.classes), start=1):
            canvas.rect(x + _CARD - 12 - 12 * turn, top + 8, 9, 9, hues.get(name, GREY), title=name)
        size = 11 if len(pool.machines) <= _LONG else 9
        canvas.text(x + 24, top + 33, pool.machines, size=size, room=_CARD - 44)
