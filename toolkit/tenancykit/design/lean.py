"""Options that can only be a burden: leaving them out of a design makes nothing worse.

Conditions of the catalogue grow true or false with the facts they read: a fact read plainly makes one truer, one
read under ``not`` makes it less true. From the way each criterion reads a fact follows whether an option, chosen beside
the same others, can ever improve a figure. One that cannot, and that no rule asks for, need not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.conditions import Condition
from tenancykit.design.batch import required_components
from tenancykit.design.space import Space, State, Step

PLAIN: Final = 1
NEGATED: Final = -1

Reading = tuple[str, int]
"""A fact and how it is read: :data:`PLAIN` or :data:`NEGATED`."""


@dataclass(frozen=True)
class LeftOut:
    """An option that need not be looked at.

    Attributes:
        option: its id.
        reason: why, in words.
    """

    option: str
    reason: str


def readings(condition: Condition, sign: int = PLAIN) -> frozenset[Reading]:
    """Return the facts a condition reads, each with whether it makes the condition truer (plain) or less true."""
    if condition.kind == "atom":
        return frozenset({(condition.atom, sign)})
    if condition.kind == "not":
        return readings(condition.parts[0], -sign)
    return frozenset().union(*(readings(part, sign) for part in condition.parts))


def work_readings(catalogue: Catalogue, conditions: Iterable[Condition]) -> frozenset[Reading]:
    """Return how conditions under which something has to be done, run or paid read facts, footprints included."""
    footprints = (f.when for component in catalogue.components.values() for f in component.footprint)
    return frozenset().union(*(readings(condition) for condition in (*conditions, *footprints)))


def burdens(
    space: Space, catalogue: Catalogue, work: frozenset[Reading], isolation: frozenset[Reading]
) -> tuple[LeftOut, ...]:
    """Return the options that can only be a burden in a space.

    Args:
        space: the valid designs.
        catalogue: options and components.
        work: facts that work, toil, footprints and licences read; plain means more of them.
        isolation: facts the isolation of a design reads; plain means a better figure or level.
    """
    found: list[LeftOut] = []
    for index, step in enumerate(space.steps):
        options = {option.id: option for edges in step.edges.values() for option, _ in edges if option is not None}
        found += [
            LeftOut(option.id, "adds work, machines' load or ways in; nothing is better with it")
            for option in options.values()
            if _only_adds(option, catalogue, work, isolation) and _can_go(space.steps, index, option)
        ]
    return tuple(sorted(found, key=lambda item: item.option))


def _only_adds(option: Option, catalogue: Catalogue, work: frozenset[Reading], isolation: frozenset[Reading]) -> bool:
    """Return whether an option, added to a design, takes nothing away but adds things to do and ways in."""
    shapes = (option.cluster, option.placement, option.sandbox, option.gpu)
    if LAYERS[option.dimension][option.layer] or option.layer == "fleet" or any(s is not None for s in shapes):
        return False
    facts = {option.id, *option.provides, *required_components(option.components, catalogue)}
    return not any((fact, NEGATED) in work or (fact, PLAIN) in isolation for fact in facts)


def _can_go(steps: tuple[Step, ...], index: int, option: Option) -> bool:
    """Return whether every valid design with an option is as valid without it: whatever may follow still may."""
    known: dict[tuple[int, State, State], bool] = {}

    def follows(level: int, chosen: State, left: State) -> bool:
        if chosen == left or level == len(steps):
            return True
        key = (level, chosen, left)
        if key not in known:
            ways = {_name(o): following for o, following in steps[level].edges.get(left, ())}
            known[key] = all(
                _name(o) in ways and follows(level + 1, following, ways[_name(o)])
                for o, following in steps[level].edges.get(chosen, ())
            )
        return known[key]

    for edges in steps[index].edges.values():
        ends = {_name(o): following for o, following in edges}
        if option.id in ends and ("" not in ends or not follows(index + 1, ends[option.id], ends[""])):
            return False
    return True


def _name(option: Option | None) -> str:
    return "" if option is None else option.id


def without(space: Space, left_out: Iterable[LeftOut]) -> Mapping[str, tuple[str, ...]]:
    """Return the options that remain, by dimension, for building the leaner space."""
    gone = {item.option for item in left_out}
    kept: dict[str, tuple[str, ...]] = {}
    for step in space.steps:
        here = {option.id for edges in step.edges.values() for option, _ in edges if option is not None}
        kept[step.layer[0]] = (*kept.get(step.layer[0], ()), *sorted(here - gone))
    return kept
