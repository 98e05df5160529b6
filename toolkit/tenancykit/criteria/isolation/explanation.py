"""The tree of evidence under an isolation score: pair, asset, crossings, barriers, published flaws."""

from __future__ import annotations

from tenancykit.catalogue.attack import Lapse
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.chances import Strength
from tenancykit.criteria.isolation.exposure import IsolationResult
from tenancykit.criteria.isolation.graph import words
from tenancykit.criteria.isolation.result import AssetFinding, GraphFinding, PairFinding
from tenancykit.criteria.score import Evidence


def evidence_tree(result: IsolationResult, model: IsolationCatalogue) -> Evidence:
    """Return the least isolated pair with its weakest asset of every plane, each down to published flaws."""
    pair = result.worst_pair
    if pair is None:
        return Evidence("there is only one tenant")
    finding = pair.finding
    weakest: dict[str, AssetFinding] = {}
    for asset in sorted((a for a in finding.assets if a.guarded), key=lambda a: a.figure):
        weakest.setdefault(asset.plane, asset)
    children = tuple(_asset(asset, finding, model) for asset in sorted(weakest.values(), key=lambda a: a.figure))
    missed = (
        (Evidence("what the next level asks for", note=finding.missed["overall"]),) if finding.missed["overall"] else ()
    )
    return Evidence(
        label=f"least isolated pair: {_pair(pair)}",
        value=finding.worst.figure,
        unit="nines",
        note="nines of the worst confidentiality or integrity asset, plus 0.01 per barrier of depth",
        children=(*children, *missed),
    )


def _pair(pair: PairFinding) -> str:
    same = pair.attacker == pair.victim
    return f"two tenants of {pair.attacker}" if same else f"{pair.attacker} against {pair.victim}"


def _asset(asset: AssetFinding, finding: GraphFinding, model: IsolationCatalogue) -> Evidence:
    return Evidence(
        label=f"{asset.title} ({asset.plane} plane)",
        value=asset.exposure,
        unit="chance that a path is open",
        note=f"depth {asset.depth}; {asset.days_per_year:.3g} days a year; likeliest path: {asset.path or 'none'}",
        children=tuple(_crossing(index, finding, model) for index in asset.links),
    )


def _crossing(index: int, finding: GraphFinding, model: IsolationCatalogue) -> Evidence:
    link, crossing = finding.graph.links[index], finding.graph.crossings[index]
    return Evidence(
        label=words(finding.graph, (index,), model),
        source=model.catalogue.url(crossing.source) if crossing.source else f"catalogue crossing {crossing.id}",
        assumption=crossing.assumption,
        note=crossing.why,
        children=tuple(barrier_evidence(finding.strengths[str(name)], model) for name in link.variables),
    )


def barrier_evidence(strength: Strength, model: IsolationCatalogue) -> Evidence:
    """Return one barrier's chance of being down, with the flaws, the prior and the misconfiguration it rests on."""
    barrier = model.barriers[strength.barrier]
    prior = model.priors[barrier.kind]
    seen = "nobody publishes its failures" if not barrier.observed else f"counted from {barrier.since:g}"
    children = [
        Evidence(
            f"published flaws that reach across here: {len(strength.flaws)}",
            strength.rate.mean,
            "per year",
            note=f"Gamma prior of {prior.flaws:g} over {prior.years:g} observed years; {seen}; "
            f"exposure window {strength.window_days:g} days",
            children=tuple(_flaw(entry, model) for entry in strength.flaws),
        ),
        Evidence(
            f"prior rate, barriers of kind {barrier.kind}",
            prior.flaws / prior.years,
            "per year",
            f"catalogue prior {prior.id}",
            assumption=True,
            note=prior.why,
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
    upkeep = tuple(
        Evidence(each.what, each.factor.likely, "share left", each.source, assumption=each.assumption, note=each.why)
        for each in strength.upkeep
    )
    return Evidence(
        f"misconfigured: {lapse.what}",
        strength.misconfiguration,
        "chance",
        lapse.source,
        assumption=lapse.assumption or any(each.assumption for each in strength.upkeep),
        note=f"{lapse.chance.likely:g} ({lapse.chance.low:g} to {lapse.chance.high:g}) before upkeep; {lapse.why}",
        children=upkeep,
    )


def _flaw(entry_id: str, model: IsolationCatalogue) -> Evidence:
    entry = model.evidence[entry_id]
    return Evidence(f"{entry.id}: {entry.title}", source=entry.source_url, note=f"{entry.component}, {entry.boundary}")
