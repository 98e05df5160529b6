"""What a published flaw brings down, and which components must be shared for it to reach another tenant."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

from tenancykit.catalogue.attack import Boundary, Breach, Evidence
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.conditions import parse_condition
from tenancykit.criteria.isolation.trivalent import alike

BASELINE: Final = "baseline"
"""Id of the choice that holds the facts every other choice is laid upon."""


def breach_of(entry: Evidence, boundary: Boundary) -> Breach | None:
    """Return which barriers a flaw brings down at its boundary, or None where no rule matches."""
    for breach in boundary.breaches:
        if (
            (not breach.effects or entry.effect in breach.effects)
            and (not breach.positions or entry.attacker_position in breach.positions)
            and (not breach.components or entry.component in breach.components)
            and (not breach.shared or set(breach.shared) & set(entry.shared_component))
        ):
            return breach
    return None


def components_of(entry: Evidence, boundary: Boundary, known: AbstractSet[str]) -> tuple[tuple[str, ...], ...]:
    """Return groups of components; of each group one must be shared for the flaw to reach another tenant.

    First what the breach says; else those the record names and the boundary knows; else the boundary's first. A record
    that names none of the boundary's components but others of ``known`` reaches nobody who shares none of those
    either: a flaw of a service on the ``node`` crosses only between tenants of one node.
    """
    breach = breach_of(entry, boundary)
    named = tuple(name for name in boundary.shares if name in entry.shared_component)
    needed = (breach.needs if breach is not None else ()) or named or boundary.shares[:1]
    others = () if named else tuple(name for name in entry.shared_component if name in known and name not in needed)
    return (needed, others) if others else (needed,)


def any_shared(components: Iterable[str]) -> str:
    """Return the condition under which one of the components is shared."""
    return " or ".join(f"shares:{name}" for name in components)


def premise(entry: Evidence, boundary: Boundary, model: IsolationCatalogue) -> frozenset[str]:
    """Return the facts of both tenants that a flaw presumes where everything is shared.

    They are the baseline, what its boundary presumes, and what the usual boundary of a component presumes that the
    record names beside those its boundary knows: a record of an ``in-cluster-app`` presumes that there is one.
    """
    return _presumed(boundary.id, tuple(n for n in entry.shared_component if n not in boundary.shares), model)


@lru_cache(maxsize=1024)
def _presumed(boundary_id: str, named: tuple[str, ...], model: IsolationCatalogue) -> frozenset[str]:
    boundary = model.boundaries[boundary_id]
    facts = {*model.choices[BASELINE].provides, *boundary.premise}
    facts.update(*(home.premise for home in model.boundaries.values() if home.shares[0] in named))
    return frozenset(facts - set(boundary.replaces))


def sharable(entry: Evidence, boundary: Boundary, model: IsolationCatalogue) -> frozenset[str]:
    """Return the components that two tenants may share where everything is shared that a flaw presumes."""
    return _sharable(premise(entry, boundary, model), model)


@lru_cache(maxsize=1024)
def _sharable(facts: frozenset[str], model: IsolationCatalogue) -> frozenset[str]:
    known = alike(facts, (), model)
    return frozenset(name for name in model.components if known.possibly(parse_condition(f"shares:{name}")))
