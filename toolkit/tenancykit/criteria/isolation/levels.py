"""The named level of a pair of tenants, decided by the rules of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tenancykit.catalogue.attack import PLANES, Asset, LevelRule, Plane
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.graph import AttackGraph
from tenancykit.criteria.isolation.reliability import reachable

DATA_PLANES: tuple[Plane, ...] = tuple(plane for plane in PLANES if plane != "control")

VIEWS: Mapping[str, tuple[Plane, ...]] = {
    "overall": PLANES,
    "control": ("control",),
    "data": DATA_PLANES,
    **{plane: (plane,) for plane in DATA_PLANES},
}
"""Which planes each level that is reported speaks of."""


def level_of(
    graph: AttackGraph, depths: Mapping[str, int], planes: Iterable[Plane], model: IsolationCatalogue
) -> tuple[str, str]:
    """Return the highest level whose rules and those below hold on some planes, and what the next one asks for.

    Args:
        graph: attack graph of the pair.
        depths: depth of every asset of the graph that can be reached.
        planes: planes looked at.
        model: the catalogue.
    """
    wanted = set(planes)
    reached = "L0"
    for level in model.levels.values():
        for rule in level.rules:
            if set(rule.planes) & wanted and not _holds(rule, graph, depths, wanted, model):
                return reached, f"{level.id} {level.title}: {rule.why}"
        reached = level.id
    return reached, ""


def guarded(asset: Asset) -> bool:
    """Return whether the asset counts for levels and ranking: confidentiality or integrity is at stake."""
    return "availability" not in asset.kinds or len(asset.kinds) > 1


def _holds(
    rule: LevelRule, graph: AttackGraph, depths: Mapping[str, int], planes: set[Plane], model: IsolationCatalogue
) -> bool:
    if not rule.when.holds(graph.facts):
        return False
    assets = [a.id for a in graph.assets if guarded(a) and a.plane in planes and a.plane in rule.planes]
    if rule.depth is not None and any(depths.get(asset, rule.depth) < rule.depth for asset in assets):
        return False
    return not rule.hard or not _reached_softly(rule, graph, model) & set(assets)


def _reached_softly(rule: LevelRule, graph: AttackGraph, model: IsolationCatalogue) -> set[object]:
    """Return what is reached when every barrier falls that is neither hardware nor a hypervisor."""
    soft = {name for name in graph.barriers if not model.priors[model.barriers[name].kind].hard}
    links = [link for link in graph.links if link.source not in rule.except_through]
    return set(reachable(links, graph.starts, lambda name: name in soft))
