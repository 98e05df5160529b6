"""Clusters of one's own made in another way, where no published design reaches the isolation that a class requires.

Published architectures hang all clusters on one hub, which an administrator of a cluster reaches in one step. Where
that keeps every one of them below a level a class requires, their control planes are made in the cheapest other way
that reaches it: still a cluster per tenant, shown as a swap. Designs that share an API server stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.measure import class_levels
from tenancykit.design.model import Design, Supplement, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario

OWN_CLUSTER: Final = "cluster-per-tenant"
"""Trait of the control planes that are swapped for one another."""
_LAYER: Final = ("control_plane", "tenancy")
Wanted = Mapping[str, Mapping[str, int]]
"""Per class, the least level of each plane that it requires."""


def wanted_levels(scenario: Scenario) -> Wanted:
    """Return the levels that classes require, by class and plane (``overall``, ``control``, ``data``)."""
    found: dict[str, dict[str, int]] = {}
    for one in scenario.tenants.classes:
        wishes = one.requirements
        planes = {
            "overall": wishes.isolation or scenario.requirements.isolation,
            "control": wishes.control_plane,
            "data": wishes.data_plane,
        }
        if asked := {plane: int(level[1]) for plane, level in planes.items() if level}:
            found[one.id] = asked
    return found


def unreached(designs: Sequence[Design], scenario: Scenario, catalogue: Catalogue) -> Wanted:
    """Return the levels of those classes for which none of the designs both is valid and reaches them."""
    left = dict(wanted_levels(scenario))
    for design in designs:
        if not left:
            break
        levels = _levels(design, scenario, catalogue)
        left = {name: asked for name, asked in left.items() if not _reaches(levels, {name: asked})}
    return left


def lifted(design: Design, wanted: Wanted, scenario: Scenario, catalogue: Catalogue) -> list[Design]:
    """Return the design with control planes made in each other way that reaches levels it misses; none if none does.

    Args:
        design: a completed design.
        wanted: the levels that no published design reaches.
        scenario: the scenario.
        catalogue: the options.
    """
    facts = {one.tenant_class.id: one.facts for one in resolve(design, scenario, catalogue).classes}
    mine = {name: asked for name, asked in wanted.items() if OWN_CLUSTER in facts[name]}
    if not mine or _reaches(_levels(design, scenario, catalogue), mine):
        return []
    ways = (_swapped(design, option, tuple(mine), catalogue) for option in _makers(catalogue))
    return [way for way in ways if _reaches(_levels(way, scenario, catalogue), mine)]


def _makers(catalogue: Catalogue) -> Iterator[str]:
    for option in catalogue.options.values():
        if (option.dimension, option.layer) == _LAYER and OWN_CLUSTER in option.provides:
            yield option.id


def _swapped(design: Design, option: str, class_ids: Sequence[str], catalogue: Catalogue) -> Design:
    choices = dict(design.choices)
    for name in class_ids:
        choice = choices[name]
        known = catalogue.options
        before = next(o for o in choice.options if (known[o].dimension, known[o].layer) == _LAYER)
        options = [option if one == before else one for one in choice.options]
        chosen = choose(catalogue, options, completion=choice.completion, tier=choice.tier)
        supplements = (*choice.supplements, Supplement(option, (), before))
        choices[name] = replace(chosen, supplements=supplements, omissions=choice.omissions)
    return replace(design, choices=choices)


def _levels(design: Design, scenario: Scenario, catalogue: Catalogue) -> Mapping[str, Mapping[str, str]]:
    """Return the level of each plane per class; none where the design is not valid for the scenario."""
    found = resolve(design, scenario, catalogue)
    if not found.is_valid:
        return {}
    return class_levels(found, scenario, catalogue)


def _reaches(levels: Mapping[str, Mapping[str, str]], wanted: Wanted) -> bool:
    return bool(levels) and all(
        int(str(levels[name][plane])[1]) >= least for name, asked in wanted.items() for plane, least in asked.items()
    )


__all__ = ["OWN_CLUSTER", "Wanted", "lifted", "unreached", "wanted_levels"]
