"""Charts of what a design costs: waterfall between two designs, bill per tenant, map of what stands on which nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.activity import TenantGroup
from tenancykit.criteria.cost.charges import CATEGORIES
from tenancykit.criteria.cost.housing import Housed, gpu_share
from tenancykit.criteria.cost.placement.values import NodeClass, NodeGroup, PodClass
from tenancykit.criteria.cost.shapes import machine_name
from tenancykit.criteria.cost.statement import Statement
from tenancykit.report.chart_canvas import WIDTH, Axis, Canvas, Chart, short
from tenancykit.report.chart_colours import BLUE, EMPTY, GREEN, GREY, PALETTE, VERMILLION, class_colours
from tenancykit.report.figures import number, numbers_apart
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import class_tenants
from tenancykit.study.evaluation import Evaluation

CATEGORY_HUES: Final = dict(zip(CATEGORIES, PALETTE, strict=False))
"""The colour of each category of costs, in every chart."""
_MOST_BILLS: Final = 24
_MOST_GROUPS: Final = 40
_PLATFORM: Final = "platform"


def cost_bridge(first: Evaluation, second: Evaluation) -> Chart:
    """Return how the monthly cost gets from one design to another, category by category (a waterfall)."""
    before, after = _by_category(first), _by_category(second)
    steps = {c: after.get(c, 0.0) - before.get(c, 0.0) for c in CATEGORIES}
    steps = {c: change for c, change in steps.items() if abs(change) >= 0.005}
    start, end = sum(before.values()), sum(after.values())
    unit = first.scores["cost"].unit
    title = _bridge_title(first, second, end - start, steps, unit)
    levels = [start, end]
    for change in steps.values():
        levels.append(levels[-1] + change if len(levels) > 2 else start + change)
    low, high = min(levels), max(levels)
    from_zero = low <= 0 or (high - low) > 0.35 * high
    floor = 0.0 if from_zero else low - (high - low) * 0.6 - high * 0.002
    note = "" if from_zero else "The vertical axis does not start at zero, so that the differences can be read."
    left, right, height = 84, WIDTH - 16, 330
    canvas = Canvas(title, height, note=note)
    base = canvas.top + height - 50
    up = Axis(floor, high + (high - floor) * 0.1 or 1.0, base, canvas.top + 10)
    canvas.scale_up(up, left, right, unit[:1].upper() + unit[1:])
    names = [first.id, *steps, second.id]
    wide = (right - left) / len(names)
    along, totals = start, numbers_apart(start, end)
    for place, name in enumerate(names):
        x = left + wide * place + wide * 0.12
        if place in (0, len(names) - 1):
            total = start if place == 0 else end
            canvas.rect(x, up(total), wide * 0.76, base - up(total), BLUE, title=f"{name}: {total:,.2f} {unit}")
            label, top = totals[place > 0], up(total)
        else:
            change = steps[name]
            fill = VERMILLION if change > 0 else GREEN
            top = min(up(along), up(along + change))
            tall = abs(up(along) - up(along + change))
            canvas.rect(x, top, wide * 0.76, max(1.0, tall), fill, title=f"{name}: {change:+,.2f} {unit}")
            along += change
            label = ("+" if change > 0 else "\u2212") + number(abs(change))
        canvas.line(x + wide * 0.76, up(along), x + wide * 1.12, up(along), "#666666", dash="2 2") if place < len(
            names
        ) - 1 else None
        canvas.text(x + wide * 0.38, top - 5, label, size=11, anchor="middle", weight=600)
        canvas.text(x + wide * 0.38, base + 16, name, size=11, anchor="middle", room=wide)
    rows = [
        [c, f"{before.get(c, 0.0):,.2f}", f"{after.get(c, 0.0):,.2f}", f"{steps.get(c, 0.0):+,.2f}"] for c in CATEGORIES
    ]
    rows.append(["total", f"{start:,.2f}", f"{end:,.2f}", f"{end - start:+,.2f}"])
    return canvas.chart([f"{unit}", first.id, second.id, "difference"], rows)


def _bridge_title(first: Evaluation, second: Evaluation, change: float, steps: Mapping[str, float], unit: str) -> str:
    if not steps:
        return f"{second.id} costs the same as {first.id}"
    chief = max(steps, key=lambda c: abs(steps[c]))
    way = "more" if change >= 0 else "less"
    sign = "+" if steps[chief] > 0 else "\u2212"
    return (
        f"{second.id} costs {number(abs(change))} {unit} {way} than {first.id}; the largest step is {chief} "
        f"({sign}{number(abs(steps[chief]))})"
    )


def _by_category(evaluation: Evaluation) -> dict[str, float]:
    statement: Statement = evaluation.scores["cost"].detail
    sums: dict[str, Decimal] = {}
    for charge in statement.charges:
        sums[charge.category] = sums.get(charge.category, Decimal(0)) + charge.cost.amount
    return {category: float(amount) for category, amount in sums.items()}


def bill(evaluation: Evaluation) -> Chart:
    """Return what one tenant of each group pays per month, by category, everything shared divided among them."""
    statement: Statement = evaluation.scores["cost"].detail
    found = statement.bill()
    labels = group_labels(statement, evaluation.scenario)
    each = {
        group.id: {c: float(amount) / group.count for c, amount in found.lines[group.id].items() if amount}
        for group in statement.groups
    }
    order = sorted(each, key=lambda g: (-sum(each[g].values()), g))
    categories = _ordered({c for lines in each.values() for c in lines})
    hues = {c: CATEGORY_HUES.get(c, GREY) for c in categories}
    hues |= dict(
        zip([c for c in categories if c not in CATEGORY_HUES], ("#444444", "#bbbbbb", "#777777"), strict=False)
    )
    dear, cheap = order[0], order[-1]
    title = f"{evaluation.id}: {labels[dear]} pays {number(sum(each[dear].values()))} {evaluation.scores['cost'].unit}"
    title += " and tenant" if " tenants)" in labels[dear] else ""
    if dear != cheap:
        title += f", {labels[cheap]} {number(sum(each[cheap].values()))}"
    shown = order[:_MOST_BILLS]
    left, right, row = 190, WIDTH - 76, 22
    note = f"The bills of all tenants add up to {found.total:,.2f} {evaluation.scores['cost'].unit}, to the cent."
    if len(order) > len(shown):
        note += f" {len(order) - len(shown)} smaller groups stand in the table only."
    canvas = Canvas(title, 10, note=note)
    first = canvas.top + 8 + canvas.legend(12, canvas.top + 8, list(hues.items()), room=WIDTH - 30) - 8
    base = first + row * len(shown) + 6
    canvas.bottom = base + 44
    axis = Axis(0, max(sum(each[g].values()) for g in order) * 1.02 or 1.0, left, right)
    canvas.scale_across(axis, base, first, f"{statement.currency} per tenant and month")
    for place, group in enumerate(shown):
        y, along = first + row * place, 0.0
        canvas.text(left - 8, y + 15, labels[group], size=11, anchor="end", room=left - 16)
        for category in categories:
            amount = each[group].get(category, 0.0)
            x, wide = axis(along), axis(along + amount) - axis(along)
            canvas.rect(x, y + 3, wide, row - 6, hues[category], title=f"{category}: {amount:,.2f}")
            along += amount
        canvas.text(axis(along) + 5, y + 15, number(along), size=11)
    data = [
        [labels[g], *(f"{each[g].get(c, 0.0):,.2f}" for c in categories), f"{sum(each[g].values()):,.2f}"]
        for g in order
    ]
    return canvas.chart(["tenant", *categories, "total"], data)


def _ordered(categories: set[str]) -> list[str]:
    known = [c for c in ("compute", "idle", "system", *CATEGORIES) if c in categories]
    return [*known, *sorted(categories - set(known))]


def group_labels(statement: Statement, scenario: Scenario) -> dict[str, str]:
    """Return how groups of tenants are called: a tenant's own name, else the class with the number of tenants."""
    labels = {}
    for group in statement.groups:
        if group.count == 1:
            labels[group.id] = _tenant_name(scenario, group)
        else:
            labels[group.id] = f"{group.id} ({group.count} tenants)"
    return labels


def _tenant_name(scenario: Scenario, group: TenantGroup) -> str:
    position = group.positions[0]
    found = next(islice(class_tenants(scenario, group.tenant_class), position, None))
    return found.name


# --- what stands where --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bar:
    """Nodes alike: how many, and which share of each is whose."""

    owner: str
    domain: str
    nodes: int
    machine: str
    parts: tuple[tuple[str, str, float], ...]
    stranded: float
    resource: str

    @property
    def label(self) -> str:
        """Number, machine and whose they are."""
        return f"{self.nodes:,} \u00d7 {self.machine}" + (f" for {self.owner}" if self.owner else "")


def placement(evaluation: Evaluation) -> Chart:
    """Return what stands on which nodes at the hour that needs most: a bar per kind of node, stranded GPU hatched."""
    statement: Statement = evaluation.scores["cost"].detail
    labels = group_labels(statement, evaluation.scenario)
    bars = _merged([bar for one in statement.housing.housed for bar in _bars(one, labels)])
    bars.sort(key=lambda bar: (bar.resource != "GPU", -bar.nodes, bar.owner, bar.machine, bar.domain))
    hues, legend = _class_hues(bars, statement, evaluation.scenario)
    figures = evaluation.scores["cost"].figures["gpus"]
    shown = bars[:_MOST_GROUPS]
    note = "Nodes alike are one bar. Bars of GPU nodes show GPUs, the others CPU. Where tenants share nodes, a bar is "
    note += "divided by their mean demand."
    if len(bars) > len(shown):
        note += f" {len(bars) - len(shown)} rarer kinds of nodes stand in the table only."
    left, right, row = 290, WIDTH - 20, 19
    canvas = Canvas(_placement_title(evaluation, figures), 10, note=note)
    entries = [*legend.items()]
    entries += [("free", EMPTY), ("stranded: no pod can use it", "hatch")]
    first = canvas.top + 6 + canvas.legend(12, canvas.top + 8, entries, room=WIDTH - 30)
    base = first + row * len(shown) + 4
    canvas.bottom = base + 42
    axis = Axis(0, 100, left, right)
    canvas.scale_across(axis, base, first, "Share of a node's GPUs (GPU nodes) or CPU (other nodes), %")
    for place, bar in enumerate(shown):
        y = first + row * place
        canvas.text(left - 8, y + 13, bar.label, size=11, anchor="end", room=left - 14)
        canvas.rect(left, y + 2, right - left, row - 5, EMPTY)
        along = 0.0
        for owner, pod, share in bar.parts:
            x, wide = axis(along * 100), axis(share * 100) - axis(0)
            told = f"{labels.get(owner, owner)}, {pod}: {share:.0%} of the {bar.resource} of each of {bar.nodes} nodes"
            canvas.rect(x, y + 2, wide, row - 5, hues.get(owner, GREY), title=told, stroke="#ffffff")
            along += share
        if bar.stranded > 0:
            wide = axis(bar.stranded * 100) - axis(0)
            canvas.hatched(right - wide, y + 2, wide, row - 5, title=f"stranded: {bar.stranded:.0%} of the GPUs")
    data = [
        [
            bar.domain,
            str(bar.nodes),
            bar.machine,
            "; ".join(f"{labels.get(o, o)} {pod} {share:.0%}" for o, pod, share in bar.parts) or "-",
            f"{bar.stranded:.0%}" if bar.resource == "GPU" else "-",
        ]
        for bar in bars
    ]
    return canvas.chart(["domain", "nodes", "machine", "on each node", "GPU stranded"], data)


def _placement_title(evaluation: Evaluation, figures: Mapping[str, float]) -> str:
    bought, lost = figures["bought"], figures["stranded_at_peak"]
    machines = sum(evaluation.scores["cost"].figures["nodes"].values())
    if not bought:
        return f"{evaluation.id} stands on {machines:,} machines"
    return (
        f"{evaluation.id} stands on {machines:,} machines; of {bought:,} GPUs {number(figures['used_on_average'])} "
        f"are used on average and {short(round(lost, 1))} are stranded at the peak"
    )


def _merged(bars: Sequence[_Bar]) -> list[_Bar]:
    """Return the bars with those that look alike to a percent as one."""
    found: dict[tuple[object, ...], _Bar] = {}
    for bar in bars:
        owners: dict[str, float] = {}
        for owner, _, share in bar.parts:
            owners[owner] = owners.get(owner, 0.0) + share
        shares = tuple((owner, round(share, 2)) for owner, share in owners.items())
        key = (bar.owner, bar.machine, shares, round(bar.stranded, 2))
        known = found.get(key)
        found[key] = bar if known is None else replace(known, nodes=known.nodes + bar.nodes)
    return list(found.values())


def _bars(one: Housed, labels: Mapping[str, str]) -> Iterator[_Bar]:
    types = {node.name: node for node in one.domain.types}
    pods = {s.pod.name: s.pod for s in one.domain.streams} | {p.name: p for p in one.domain.fixed}
    owners = _owners(one)
    for group in one.purchase.placement.groups:
        node = types[group.node_class]
        machine = machine_name(group.node_class)
        number_of = group.count * one.copies
        owner = "" if one.domain.kind == "shared" else _for(one, labels)
        gpu = node.gpu_count > 0
        parts = tuple(_parts(group, node, pods, owners, one))
        yield _Bar(
            owner,
            one.domain.id,
            number_of,
            machine,
            parts,
            group.gpu_stranded_milli / (node.gpu_count * 1000) if gpu else 0.0,
            "GPU" if gpu else "CPU",
        )


def _for(one: Housed, labels: Mapping[str, str]) -> str:
    groups = sorted({s.group for s in one.domain.streams})
    if one.domain.kind == "class":
        return ", ".join(one.domain.classes)
    return ", ".join(labels[g] for g in groups) or "the platform"


def _owners(one: Housed) -> dict[str, list[tuple[str, float]]]:
    """Return by pod class who its pods belong to, with shares that add up to 1."""
    found: dict[str, list[tuple[str, float]]] = {pod.name: [(_PLATFORM, 1.0)] for pod in one.domain.fixed}
    for stream in one.domain.streams:
        found.setdefault(stream.pod.name, []).append((stream.group, stream.mean))
    shares = {}
    for name, parts in found.items():
        total = sum(amount for _, amount in parts) or 1.0
        shares[name] = [(owner, amount / total) for owner, amount in parts]
    return shares


def _parts(
    group: NodeGroup,
    node: NodeClass,
    pods: Mapping[str, PodClass],
    owners: Mapping[str, list[tuple[str, float]]],
    one: Housed,
) -> Iterator[tuple[str, str, float]]:
    gpu = node.gpu_count > 0
    amounts: list[tuple[str, float]] = []
    for name, count in group.pods:
        pod = pods[name]
        each = pod.gpu_count * gpu_share(one.domain.types, pod) if gpu else pod.cpu_total_milli
        if each:
            amounts.append((name, float(each * count)))
    capacity = float(node.gpu_count * 1000 if gpu else node.cpu_milli)
    used = capacity - (sum(group.gpu_free_milli) if gpu else group.cpu_free_milli)
    asked = sum(amount for _, amount in amounts) or 1.0
    by_owner: dict[str, list[tuple[str, float]]] = {}
    for name, amount in amounts:
        for owner, share in owners[name]:
            by_owner.setdefault(owner, []).append((name, amount / asked * used / capacity * share))
    for owner in sorted(by_owner, key=lambda o: (o == _PLATFORM, -sum(s for _, s in by_owner[o]), o)):
        for name, share in by_owner[owner]:
            yield owner, name, share


def _class_hues(bars: list[_Bar], statement: Statement, scenario: Scenario) -> tuple[dict[str, str], dict[str, str]]:
    """Return the colour of each owner, and the legend: the classes that stand here, in the scenario's order."""
    there = {owner for bar in bars for owner, _, _ in bar.parts}
    of_class = class_colours([c.id for c in scenario.tenants.classes])
    owners = {g.id: of_class[g.tenant_class.id] for g in statement.groups}
    present = {g.tenant_class.id for g in statement.groups if g.id in there}
    legend = {name: hue for name, hue in of_class.items() if name in present}
    if _PLATFORM in there:
        owners[_PLATFORM] = legend["the platform"] = "#555555"
    return owners, legend
