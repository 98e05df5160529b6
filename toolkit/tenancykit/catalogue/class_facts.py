"""The facts conditions of the catalogue may read: those of a tenant class, options by id, traits they provide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kubeanswers.errors import Fault, did_you_mean
from tenancykit.catalogue.model import Option
from tenancykit.conditions import Condition

CLASS_FACTS: Final = frozenset(
    {
        *("team", "customer", "several-tenants", "several-classes", "single-user", "external-tenant", "regulated"),
        *("api-access", "cluster-api-access"),
        *("trusted", "semi-trusted", "untrusted", "untrusted-code", "untrusted-gpu-code"),
        *("gpu", "gpu-fraction", "gang", "persistent-storage", "exposed", "public", "rdma"),
        *("fabric-neighbours",),
        *("virtualised-nodes", "managed-control-plane", "elastic-fleet", "high-availability"),
        *("gpu-jobs", "own-crds", "whole-board-nodes"),
    }
)
"""Facts of a class and of the infrastructure under it, as scenarios produce them."""
PREFIXES: Final = (
    "asked:",
    "automation:",
    "policy:",
    "checks:",
    "provider-trust:",
    "fabric:",
    "maker:",
    "provider:",
    "site:",
    "tier:",
    "environment:",
    "compliance:",
)
"""Beginnings of facts that name a value of the scenario, such as ``fabric:roce``."""


def is_class_fact(atom: str) -> bool:
    """Return whether a fact is one that scenarios produce."""
    return atom in CLASS_FACTS or atom.startswith(PREFIXES)


def unknown_facts(conditions: Iterable[tuple[str, Condition | None]], options: Mapping[str, Option]) -> Iterator[Fault]:
    """Yield each fact of some conditions, given with their places, that no scenario and no option can make true."""
    known = {*options, *(trait for option in options.values() for trait in option.provides)}
    for place, condition in conditions:
        for atom in sorted(condition.atoms()) if condition is not None else ():
            if atom not in known and not is_class_fact(atom):
                cure = (
                    did_you_mean(atom, {*known, *CLASS_FACTS}) or "name an option, a trait that one provides, or a fact"
                )
                yield Fault(place, f"unknown fact {atom!r}: it would never hold", cure=cure)
