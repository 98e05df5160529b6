"""The evidence under an isolation score: what stands open most, for whom, why, and what would close it. A page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tenancykit.catalogue.attack import Lapse
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, Strength, assumed_share, window_kind
from tenancykit.criteria.isolation.exposure import PERFORMANCE, IsolationResult, worst_of_each
from tenancykit.criteria.isolation.graph import words
from tenancykit.criteria.isolation.network import contracted
from tenancykit.criteria.isolation.result import AssetFinding, PairFinding
from tenancykit.criteria.score import Evidence

SHOWN = 3
"""Assets opened down to their flaws, and barriers named as what would close most."""

FLAWS, NAMED = 5, 3
"""Published flaws shown of one barrier, and named of it on a page; the rest are counted."""


def evidence_tree(
    result: IsolationResult, model: IsolationCatalogue, *, ranges: bool = False, page: bool = False
) -> Evidence:
    """Return what stands open per class, the worst of it down to published flaws, and what would close it.

    A barrier is opened once, wherever it stands first; later it is only named.

    Args:
        result: the isolation of a design.
        model: the catalogue.
        ranges: whether to draw ranges and tell shares by assumption, which takes longer than the figures themselves.
        page: whether to keep to a page: a line per barrier, which names its newest flaws by id.
    """
    if not result.pairs and not result.provider:
        return Evidence("there is only one tenant")
    worst = worst_of_each(result)
    found = sorted((pair for assets in worst.values() for pair in assets.values()), key=lambda pair: -pair[0].exposure)
    told: set[str] = set()
    shown = _of_different_assets(found)[:SHOWN]
    opened = tuple(_asset(*pair, model, told, page=page) for pair in shown)
    return Evidence(
        label="open days a year, every class and plane",
        value=math.fsum(result.days.values()),
        unit="days",
        note="days on which a path from another tenant stood open, added up over assets, and days neighbours take",
        children=(
            *_classes(result, ranges=ranges),
            Evidence("what stands open most", children=opened),
            Evidence("what would close most of it", children=_closing(shown, model)),
            Evidence("exposure windows used", note=_windows(found, model)),
            *_missed(result),
        ),
    )


def _classes(result: IsolationResult, *, ranges: bool) -> Iterator[Evidence]:
    """Yield what stands open of every class; classes of which the same is told share a line."""
    alike: dict[tuple[float, str], list[str]] = {}
    for class_id in result.planes:
        alike.setdefault(_class(class_id, result, ranges=ranges), []).append(class_id)
    for (days, note), names in alike.items():
        each = " each" if len(names) > 1 else ""
        yield Evidence(f"tenants of {', '.join(names)}", days, f"days{each}", note=note)


def _class(class_id: str, result: IsolationResult, *, ranges: bool) -> tuple[float, str]:
    days = {plane: result.days[class_id, plane] for plane in result.planes[class_id]}
    slowed = next(each for each in result.slowdowns if each.class_id == class_id)
    told = {plane: f"{plane} {value:.3g}" for plane, value in days.items()}
    assumed = ""
    if ranges:
        mine = [each for each in result.exposure if each.class_id == class_id]
        told = {e.plane: f"{e.plane} {e.days:.3g} ({e.low:.3g} to {e.high:.3g})" for e in mine}
        share = math.fsum(e.assumption_share * e.days for e in mine) / (math.fsum(e.days for e in mine) or 1.0)
        assumed = f"; {share:.0%} of it all rests on assumptions"
    planes = ", ".join(text for plane, text in told.items() if plane != PERFORMANCE)
    cause = f", most by {slowed.resource}" if slowed.resource else ""
    note = (
        f"{planes}; neighbours take {told[PERFORMANCE].removeprefix('performance ')} days; the same work takes "
        f"{slowed.mean.likely:.3g} times as long ({slowed.mean.low:.3g} to {slowed.mean.high:.3g}{cause}){assumed}"
    )
    return math.fsum(days.values()), note


def _of_different_assets(found: list[tuple[AssetFinding, PairFinding]]) -> list[tuple[AssetFinding, PairFinding]]:
    """Return the worst finding of every asset, whatever the class."""
    kept: dict[str, tuple[AssetFinding, PairFinding]] = {}
    for asset, pair in found:
        kept.setdefault(asset.asset, (asset, pair))
    return list(kept.values())


def _counted(flaws: int) -> str:
    return "1 published flaw reaches" if flaws == 1 else f"{flaws} published flaws reach"


def _barriers(depth: int) -> str:
    return "1 barrier" if depth == 1 else f"{depth} barriers"


def _pair(pair: PairFinding) -> str:
    same = pair.attacker == pair.victim
    return f"two tenants of {pair.attacker}" if same else f"{pair.attacker} against {pair.victim}"


def _asset(
    asset: AssetFinding, pair: PairFinding, model: IsolationCatalogue, told: set[str], *, page: bool
) -> Evidence:
    graph = pair.finding.graph
    if page:
        names = [str(name) for i in asset.links for name in graph.links[i].variables]
        children = tuple(_line(pair.finding.strengths[name], model) for name in names if _untold(name, told))
    else:
        steps = [i for i in asset.links if _untold(words(graph, (i,), model), told)]
        children = tuple(_crossing(i, pair, model, told) for i in steps)
    return Evidence(
        label=f"{asset.title} ({asset.plane} plane), {_pair(pair)}",
        value=asset.days_per_year,
        unit="days a year",
        note=f"{_barriers(asset.depth)} at least; likeliest path: {asset.path or 'none'}",
        children=children,
    )


def _line(strength: Strength, model: IsolationCatalogue) -> Evidence:
    """Return a barrier on a line: flaws counted, the newest by id, and how it is misconfigured."""
    barrier = model.barriers[strength.barrier]
    newest = sorted(strength.flaws, key=lambda entry: (-model.evidence[entry].year, entry))[:NAMED]
    count = len(strength.flaws)
    note = f"{_counted(count)} across (newest {', '.join(newest)})" if count else "no published flaw counts"
    if strength.lapse:
        note += f"; misconfigured with chance {strength.misconfiguration:.2g}: {strength.lapse.what}"
    share = assumed_share(strength, model)
    lapse = strength.lapse.source if strength.lapse else ""
    source = model.evidence[newest[0]].source_url if newest else lapse
    return Evidence(f"{barrier.title} is down", strength.chance, "chance", source, note=f"{note}; {share:.0%} assumed")


def _untold(name: str, told: set[str]) -> bool:
    """Return whether something was not told before, and keep in mind that it is now."""
    new = name not in told
    told.add(name)
    return new


def _crossing(index: int, pair: PairFinding, model: IsolationCatalogue, told: set[str]) -> Evidence:
    graph = pair.finding.graph
    link, crossing = graph.links[index], graph.crossings[index]
    barriers = []
    for name in map(str, link.variables):
        if name not in told:
            told.add(name)
            barriers.append(barrier_evidence(pair.finding.strengths[name], model))
    return Evidence(
        label=words(graph, (index,), model),
        source=model.catalogue.url(crossing.source) if crossing.source else "",
        assumption=crossing.assumption,
        note=crossing.why,
        children=tuple(barriers),
    )


def _closing(found: list[tuple[AssetFinding, PairFinding]], model: IsolationCatalogue) -> tuple[Evidence, ...]:
    """Return the barriers whose never falling would save most days of some assets."""
    saved: dict[str, float] = {}
    strengths: dict[str, Strength] = {}
    for asset, pair in found:
        finding = pair.finding
        chance = {name: strength.chance for name, strength in finding.strengths.items()}
        network = contracted(asset.asset, frozenset(finding.graph.starts), model)
        for name, slope in network.slopes(finding.graph, chance).items():
            saved[name] = saved.get(name, 0.0) + slope * chance[name] * DAYS_PER_YEAR
            strengths.setdefault(name, finding.strengths[name])
    best = sorted(saved, key=lambda name: (-saved[name], name))[:SHOWN]
    return tuple(
        Evidence(
            f"{model.barriers[name].title} never down", -saved[name], "days a year", note=_cure(strengths[name], model)
        )
        for name in best
    )


def _cure(strength: Strength, model: IsolationCatalogue) -> str:
    """Return what makes a barrier fall less often."""
    barrier = model.barriers[strength.barrier]
    what = model.windows[window_kind(barrier, model)].what
    parts = [f"patching {what} sooner than {strength.window_days:g} days" if strength.chance else ""]
    if strength.lapse:
        done = {each.id for each in strength.upkeep}
        parts += [model.upkeep[name].what for name in strength.lapse.upkeep if name not in done]
    return "; ".join(filter(None, parts))


def _windows(found: list[tuple[AssetFinding, PairFinding]], model: IsolationCatalogue) -> str:
    used: dict[str, float] = {}
    for strengths in {id(pair.finding): pair.finding.strengths for _, pair in found}.values():
        for name, strength in strengths.items():
            used.setdefault(window_kind(model.barriers[name], model), strength.window_days)
    return ", ".join(f"{kind} {days:g} days" for kind, days in sorted(used.items()))


def _missed(result: IsolationResult) -> tuple[Evidence, ...]:
    pair = result.worst_pair
    missed = pair.finding.missed["overall"] if pair else ""
    return (Evidence("what the next level asks for", note=missed),) if missed else ()


def barrier_evidence(strength: Strength, model: IsolationCatalogue) -> Evidence:
    """Return one barrier's chance of being down, with the flaws, the prior and the lapse it rests on."""
    barrier = model.barriers[strength.barrier]
    prior = model.priors[barrier.kind]
    seen = "nobody publishes its failures" if not barrier.observed else f"counted from {barrier.since:g}"
    more = len(strength.flaws) - FLAWS
    newest = sorted(strength.flaws, key=lambda entry: (-model.evidence[entry].year, entry))[:FLAWS]
    children = [
        Evidence(
            f"published flaws that reach across here: {len(strength.flaws)}",
            strength.rate.mean,
            "per year",
            note=f"Gamma prior of {prior.flaws:g} over {prior.years:g} observed years ({prior.why}); {seen}; "
            f"window {strength.window_days:g} days" + (f"; the newest {FLAWS} are shown" if more > 0 else ""),
            children=tuple(_flaw(entry, model) for entry in newest),
            assumption=not strength.flaws,
        ),
    ]
    if strength.lapse:
        children.append(_lapse(strength.lapse, strength))
    return Evidence(
        f"{barrier.title} is down",
        strength.chance,
        "chance",
        f"catalogue barrier {barrier.id}",
        note=barrier.what,
        children=tuple(children),
    )


def _lapse(lapse: Lapse, strength: Strength) -> Evidence:
    upkeep = "".join(f"; {each.what}: {each.factor.likely:g} of it is left" for each in strength.upkeep)
    return Evidence(
        f"misconfigured: {lapse.what}",
        strength.misconfiguration,
        "chance",
        lapse.source,
        assumption=lapse.assumption or any(each.assumption for each in strength.upkeep),
        note=f"{lapse.chance.likely:g} ({lapse.chance.low:g} to {lapse.chance.high:g}){upkeep}; {lapse.why}",
    )


def _flaw(entry_id: str, model: IsolationCatalogue) -> Evidence:
    entry = model.evidence[entry_id]
    return Evidence(f"{entry.id}: {entry.title}", source=entry.source_url)
