"""The isolation of a design: depth, exposure and level of every asset between every pair of tenant classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from typing import Any, Literal

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import PLANES, Plane
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.beliefs import BELIEVED, Beliefs
from tenancykit.criteria.isolation.chances import strengths
from tenancykit.criteria.isolation.explanation import evidence_tree
from tenancykit.criteria.isolation.exposure import PERFORMANCE, IsolationResult, Performance
from tenancykit.criteria.isolation.graph import (
    PROVIDER,
    PROVIDER_FACTS,
    attack_graph,
    pair_facts,
    provider_attacks,
)
from tenancykit.criteria.isolation.interval import figure_interval
from tenancykit.criteria.isolation.levels import VIEWS, guarded, level_of
from tenancykit.criteria.isolation.network import contracted
from tenancykit.criteria.isolation.result import (
    MAX_DEPTH,
    MAX_NINES,
    AssetFinding,
    GraphFinding,
    PairFinding,
    Ways,
    figure,
)
from tenancykit.criteria.isolation.slowdown import Slowdown, alone, slowdown
from tenancykit.criteria.score import Evidence, Figures, Later, Score
from tenancykit.design.model import ResolvedDesign
from tenancykit.scenario.model import Scenario

UNIT = "nines"


def measure(
    design: ResolvedDesign,
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    latency_days: float = 0.0,
    believed: Beliefs | None = None,
    proven: bool = False,
) -> Score:
    """Return the isolation of a design: the figure of the worst asset of its least isolated pair of classes.

    The figure is nines (minus the decimal logarithm of the chance that some path stands open at a random moment) plus
    a hundredth per barrier of depth; only assets whose confidentiality or integrity is at stake are ranked, the rest
    stands beside. The interval is P10 to P90 over the posteriors of the barriers' rates.

    Args:
        design: the design, looked up.
        scenario: the scenario; decides which classes hold another tenant.
        catalogue: the catalogue.
        latency_days: days that operations take from a release to the last machine; no exposure window is shorter.
        believed: windows, lapses and rates to use; by default those of the scenario and the catalogue.
        proven: whether the exported manifests were read back and proven.

    Raises:
        InputError: the latency is negative or not finite.
    """
    model = load_isolation(catalogue)
    if not (math.isfinite(latency_days) and latency_days >= 0):
        raise InputError(Fault("latency_days", f"{latency_days!r} is not a number of days", "0 or more"))
    if believed is None:
        believed = Beliefs.of(scenario, latency=latency_days)
    result = assess(design, model, believed=believed, proven=proven)
    worst = result.worst_pair
    if worst is None:
        return _alone(result, scenario)
    interval = _Interval(worst.finding, model)
    return Score(
        criterion="isolation",
        value=worst.finding.worst.figure,
        unit=UNIT,
        better="higher",
        low=Later(partial(interval.end, 0)),
        high=Later(partial(interval.end, 1)),
        summary=Later(partial(_summary, worst, scenario)),
        evidence=Later(partial(evidence_tree, result, model)),
        figures=_figures(result, scenario),
        detail=result,
    )


@dataclass(frozen=True, eq=False)
class _Interval:
    """The interval of a pair's figure, which holds the figure; drawn when an end is first asked for."""

    finding: GraphFinding
    model: IsolationCatalogue

    @cached_property
    def ends(self) -> tuple[float, float]:
        worst = self.finding.worst
        low, high = figure_interval(self.finding.graph, self.finding.strengths, worst.asset, worst.depth, self.model)
        return min(low, worst.figure), max(high, worst.figure)

    def end(self, place: int) -> float:
        return self.ends[place]


def class_levels(design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> Mapping[str, Mapping[str, Any]]:
    """Return what ``figures["classes"]`` of :func:`measure` holds - levels per view - without intervals."""
    result = assess(design, load_isolation(catalogue), believed=Beliefs.of(scenario))
    return {c.id: _class_figures(result, c.id) for c in scenario.tenants.classes}


def assess(
    design: ResolvedDesign, model: IsolationCatalogue, *, believed: Beliefs = BELIEVED, proven: bool = False
) -> IsolationResult:
    """Return every pair of classes of a design with what tenants of one can do to tenants of the other."""
    pairs = []
    for attacker in design.classes:
        for victim in design.classes:
            same = attacker is victim
            others = victim.tenant_class.count - (1 if same else 0)
            if others < 1:
                continue
            facts = pair_facts(attacker.facts, victim.facts, same_class=same, model=model)
            finding = assess_facts(facts | {"proven-export"} if proven else facts, model, believed)
            count = attacker.tenant_class.count - (1 if same else 0)
            pairs.append(PairFinding(attacker.tenant_class.id, victim.tenant_class.id, count, others, finding))
    provider = []
    everybody = sum(each.tenant_class.count for each in design.classes)
    for victim in design.classes:
        if provider_attacks(victim.facts):
            facts = pair_facts(PROVIDER_FACTS, victim.facts, same_class=False, model=model)
            finding = assess_facts(facts | {"proven-export"} if proven else facts, model, believed)
            count = victim.tenant_class.count
            provider.append(PairFinding(PROVIDER, victim.tenant_class.id, everybody, count, finding))
    planes = {resolved.tenant_class.id: _planes(resolved.facts, model) for resolved in design.classes}
    return IsolationResult(tuple(pairs), tuple(provider), planes, _slowdowns(design, model), model)


def _slowdowns(design: ResolvedDesign, model: IsolationCatalogue) -> tuple[Slowdown, ...]:
    """Return how much slower every class is, as the victim of every class that holds another tenant."""
    found = []
    for victim in design.classes:
        pairs = [
            pair_facts(attacker.facts, victim.facts, same_class=attacker is victim, model=model)
            for attacker in design.classes
            if attacker is not victim or victim.tenant_class.count > 1
        ]
        found.append(slowdown(victim.tenant_class.id, pairs or [alone(victim.facts)], model))
    return tuple(found)


def _planes(facts: frozenset[str], model: IsolationCatalogue) -> tuple[Plane | Performance, ...]:
    """Return the planes on which a class has something to lose; performance is one for everybody."""
    held = pair_facts(facts, facts, same_class=True, model=model)
    lost = {asset.plane for asset in model.assets.values() if guarded(asset) and asset.when.holds(held)}
    return (*(plane for plane in PLANES if plane in lost), PERFORMANCE)


@lru_cache(maxsize=4096)
def assess_facts(facts: frozenset[str], model: IsolationCatalogue, believed: Beliefs = BELIEVED) -> GraphFinding:
    """Return what follows from the attack graph of a pair with these facts."""
    graph = attack_graph(facts, model)
    known = strengths(graph.barriers, facts, model, believed)
    chance = {name: strength.chance for name, strength in known.items()}
    ids = [asset.id for asset in graph.assets]
    standing = frozenset(graph.starts)
    solved = {asset: contracted(asset, standing, model).solve(graph, chance) for asset in ids}
    depths = {asset: depth for asset, (_, depth) in solved.items()}
    ways = Ways(graph, chance, model)
    findings = tuple(
        AssetFinding(a.id, a.title, a.plane, a.kinds, depths[a.id], solved[a.id][0], ways) for a in graph.assets
    )
    verdicts = {view: level_of(graph, depths, planes, model) for view, planes in VIEWS.items()}
    return GraphFinding(
        graph,
        known,
        findings,
        {view: level for view, (level, _) in verdicts.items()},
        {view: why for view, (_, why) in verdicts.items()},
    )


def _summary(pair: PairFinding, scenario: Scenario) -> str:
    worst = pair.finding.worst
    who = "another tenant" if pair.attacker == pair.victim else f"a tenant of {_name(scenario, pair.victim)}"
    barriers = "no barrier" if worst.depth == 0 else "one barrier" if worst.depth == 1 else f"{worst.depth} barriers"
    return (
        f"{barriers[0].upper()}{barriers[1:]} between a tenant of {_name(scenario, pair.attacker)} and {who}'s "
        f"{worst.title}, open {worst.days_per_year:.3g} days a year ({pair.finding.levels['overall']}): {worst.path}"
    )


def _name(scenario: Scenario, class_id: str) -> str:
    return scenario.tenant_class(class_id).name or class_id


def _figures(result: IsolationResult, scenario: Scenario) -> Mapping[str, Any]:
    pair = result.worst_pair
    assert pair is not None  # noqa: S101 - the caller has checked
    worst = pair.finding.worst
    levels = {view: min(p.finding.levels[view] for p in result.pairs) for view in VIEWS}
    figures = {
        "level": levels["overall"],
        "planes": {view: level for view, level in levels.items() if view not in ("overall", "data")},
        "data_level": levels["data"],
        "depth": worst.depth,
        "exposure": worst.exposure,
        "nines": worst.nines,
        "days_per_year": worst.days_per_year,
        "weakest_path": Later(partial(getattr, worst, "path")),
        "worst_asset": worst.asset,
        "attacker": pair.attacker,
        "victim": pair.victim,
        "missed": pair.finding.missed["overall"],
        "blast_radius_tenants": Later(partial(_blast_radius, result, 0)),
        "blast_radius_barrier": Later(partial(_blast_radius, result, 1)),
        "classes": {c.id: _class_figures(result, c.id) for c in scenario.tenants.classes},
        "plane_nines": _plane_nines(result),
        "open_days": _open_days(result),
        "slowdowns": _slowed(result),
        "availability": Later(partial(_availability, result)),
        "matrix": Later(result.rows),
    }
    return Figures(figures)


def _class_figures(result: IsolationResult, class_id: str) -> Mapping[str, Any]:
    """Return the figures of one class as the victim: levels per view, and its worst asset."""
    pairs = [pair for pair in result.pairs if pair.victim == class_id]
    if not pairs:
        return {**dict.fromkeys(VIEWS, "L5"), "depth": MAX_DEPTH, "exposure": 0.0, "nines": MAX_NINES, "path": ""}
    worst = min((pair.finding.worst for pair in pairs), key=lambda finding: finding.figure)
    figures = {
        **{view: min(pair.finding.levels[view] for pair in pairs) for view in VIEWS},
        "depth": worst.depth,
        "exposure": worst.exposure,
        "nines": worst.nines,
        "path": Later(partial(getattr, worst, "path")),
    }
    return Figures(figures)


def _plane_nines(result: IsolationResult) -> dict[str, float]:
    found: dict[str, float] = {}
    for pair in result.pairs:
        for asset in pair.finding.assets:
            if asset.guarded:
                found[asset.plane] = min(found.get(asset.plane, MAX_NINES), asset.nines)
    return found


def _slowed(result: IsolationResult) -> dict[str, dict[str, Any]]:
    """Return per class how many times as long the same work takes, with range, tail and what slows most."""
    return {
        s.class_id: {
            "mean": s.mean.likely,
            "low": s.mean.low,
            "high": s.mean.high,
            "tail": s.tail.likely,
            "resource": s.resource,
            "assumption": s.assumption,
        }
        for s in result.slowdowns
    }


def _open_days(result: IsolationResult) -> dict[str, dict[str, float]]:
    """Return the expected open days a year per class of victims and plane."""
    found: dict[str, dict[str, float]] = {victim: {} for victim in result.planes}
    for (victim, plane), days in result.days.items():
        found[victim][plane] = days
    return found


def _availability(result: IsolationResult) -> dict[str, Any]:
    found: dict[str, AssetFinding] = {}
    for pair in result.pairs:
        for asset in pair.finding.assets:
            if not asset.guarded and (asset.asset not in found or asset.figure < found[asset.asset].figure):
                found[asset.asset] = asset
    return {
        name: {"depth": a.depth, "exposure": a.exposure, "days_per_year": a.days_per_year, "path": a.path}
        for name, a in found.items()
    }


def _blast_radius(result: IsolationResult, part: Literal[0, 1]) -> int | str:
    """Return the most tenants that fall to one tenant with one barrier (or none), or that barrier."""
    falls: dict[tuple[str, str], int] = {}
    for pair in result.pairs:
        openers = pair.finding.openers
        every = {b for other in result.pairs if other.attacker == pair.attacker for b in other.finding.openers if b}
        for barrier in sorted(every) or [""]:
            if None in openers or barrier in openers:
                key = (pair.attacker, barrier)
                falls[key] = falls.get(key, 0) + pair.victims
    if not falls:
        return (0, "")[part]
    (_, barrier), tenants = max(falls.items(), key=lambda item: (item[1], item[0][1]))
    return (tenants, barrier)[part]


def _alone(result: IsolationResult, scenario: Scenario) -> Score:
    value = figure(0.0, MAX_DEPTH)
    text = "there is only one tenant; nobody else can be reached"
    classes = {
        c.id: {**dict.fromkeys(VIEWS, "L5"), "depth": MAX_DEPTH, "exposure": 0.0, "nines": MAX_NINES, "path": ""}
        for c in scenario.tenants.classes
    }
    figures = {
        "level": "L5",
        "planes": {view: "L5" for view in VIEWS if view not in ("overall", "data")},
        "data_level": "L5",
        "depth": MAX_DEPTH,
        "exposure": 0.0,
        "nines": MAX_NINES,
        "days_per_year": 0.0,
        "weakest_path": "",
        "worst_asset": "",
        "attacker": "",
        "victim": "",
        "missed": "",
        "blast_radius_tenants": 0,
        "blast_radius_barrier": "",
        "classes": classes,
        "plane_nines": {},
        "open_days": _open_days(result),
        "slowdowns": _slowed(result),
        "availability": {},
        "matrix": [],
    }
    return Score("isolation", value, UNIT, "higher", value, value, text, Evidence(text), figures, result)
