"""Why nobody reaches the isolation a class requires: how far valid designs get, what stands alone, what would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.prices import load_prices
from tenancykit.criteria.isolation.exposure import IsolationResult
from tenancykit.criteria.isolation.measure import measure
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.lifting import wanted_levels
from tenancykit.study.requirements import class_level

_TWO: Final = 2
"""Barriers on every path from L3 on, which L4 and L5 hold too (levels.yaml)."""


@dataclass(frozen=True)
class OutOfReach:
    """A class whose required level no valid design reaches.

    Attributes:
        tenant_class: the class.
        wanted: the level it requires, 0..5.
        reached: the highest level that a valid design gives it.
        nearest: that design, the least exposed of its level.
        missing: what the level above the one reached asks for and the class does not have.
        alone: barriers that stand alone on some path to its data under that design; empty where two stand everywhere.
        root: whether its tenants hold cluster-admin on rented virtual machines, and so are root on them.
        without_root: the level it would have under that design if its tenants held no cluster-admin.
        hosts: names of whole GPU hosts that the scenario's providers have in the price list.
        on_hosts: a design that would reach the level on whole hosts of each tenant's, were these nodes such; else None.
    """

    tenant_class: TenantClass
    wanted: int
    reached: int
    nearest: Evaluation
    missing: str
    alone: tuple[str, ...]
    root: bool
    without_root: int
    hosts: tuple[str, ...]
    on_hosts: Evaluation | None


def out_of_reach(evaluations: Sequence[Evaluation]) -> Iterator[OutOfReach]:
    """Yield the classes whose required overall level no valid design reaches.

    Args:
        evaluations: every design of a study.
    """
    scenario = evaluations[0].scenario
    valid = [one for one in evaluations if one.resolved.is_valid]
    for name, asked in wanted_levels(scenario).items():
        wanted = asked.get("overall", 0)
        reached = max((_level(one, name) for one in valid), default=wanted)
        if reached < wanted:
            near = min((e for e in valid if _level(e, name) == reached), key=lambda e: (_exposure(e, name), e.id))
            yield _told(near, evaluations, name, wanted)


def _told(near: Evaluation, evaluations: Sequence[Evaluation], name: str, wanted: int) -> OutOfReach:
    scenario = near.scenario
    facts = near.resolved.of_class(name).facts
    on_hosts = (e for e in evaluations if "tenant-hosts" in e.resolved.of_class(name).facts and _holds(e, name, wanted))
    return OutOfReach(
        scenario.tenant_class(name),
        wanted,
        _level(near, name),
        near,
        _missing(near, name),
        tuple(_alone(near, name)) if wanted > _TWO else (),
        scenario.tenant_class(name).api_access == "cluster" and "virtualised-nodes" in facts,
        _without_root(near, name),
        tuple(_whole_hosts(near)),
        next(on_hosts, None) if "virtualised-nodes" in facts else None,
    )


def _holds(evaluation: Evaluation, name: str, wanted: int) -> bool:
    """Return whether a design is valid and gives a class the level on whole hosts."""
    infrastructure = evaluation.scenario.infrastructure.model_copy(update={"virtualised": False})
    there = _changed(evaluation.scenario, {"infrastructure": infrastructure})
    found = resolve(evaluation.resolved.design, there, evaluation.catalogue)
    return found.is_valid and _measured(evaluation, there, name) >= wanted


def _measured(evaluation: Evaluation, scenario: Scenario, name: str) -> int:
    """Return the level a design would give a class in another scenario."""
    found = resolve(evaluation.resolved.design, scenario, evaluation.catalogue)
    return int(str(measure(found, scenario, evaluation.catalogue).figures["classes"][name]["overall"])[1])


def _level(evaluation: Evaluation, name: str) -> int:
    return int(class_level(evaluation, name, "overall")[1])


def _exposure(evaluation: Evaluation, name: str) -> float:
    return float(evaluation.scores["isolation"].figures["classes"][name]["exposure"])


def _missing(evaluation: Evaluation, name: str) -> str:
    """Return what the least separated pair in which the class is the victim lacks to its next level."""
    result: IsolationResult = evaluation.scores["isolation"].detail
    pairs = [pair.finding for pair in result.pairs if pair.victim == name]
    return min(pairs, key=lambda finding: finding.levels["overall"]).missed["overall"] if pairs else ""


def _alone(evaluation: Evaluation, name: str) -> Iterator[str]:
    """Yield each barrier that alone guards confidentiality or integrity on some path, the widest open first."""
    result: IsolationResult = evaluation.scores["isolation"].detail
    pairs = [pair.finding for pair in result.pairs if pair.victim == name]
    assets = [(asset, pair.openers) for pair in pairs for asset in pair.assets if asset.guarded and asset.depth == 1]
    assets.sort(key=lambda found: -found[0].exposure)
    alone = dict.fromkeys(one for asset, openers in assets for one in asset.barriers if one in openers)
    yield from dict.fromkeys(result.model.barriers[one].title for one in alone)


def _without_root(near: Evaluation, name: str) -> int:
    """Return the level of a class whose tenants keep to their namespaces, under the same design."""
    scenario = near.scenario
    classes = tuple(
        c.model_copy(update={"api_access": "namespace"}) if c.id == name else c for c in scenario.tenants.classes
    )
    there = _changed(scenario, {"tenants": scenario.tenants.model_copy(update={"classes": classes})})
    return _measured(near, there, name)


def _changed(scenario: Scenario, values: Mapping[str, object]) -> Scenario:
    changed = scenario.model_copy(update=dict(values))
    return changed if scenario.folder is None else changed.in_folder(scenario.folder)


def _whole_hosts(evaluation: Evaluation) -> Iterator[str]:
    """Yield the whole GPU hosts that the providers of the sites have in the price list."""
    providers = {site.provider for site in evaluation.scenario.infrastructure.sites}
    for price in load_prices(evaluation.catalogue).of_kind("node"):
        if price.provider in providers and price.node and price.node.bare_metal and price.node.gpus:
            yield price.id


__all__ = ["OutOfReach", "out_of_reach"]
