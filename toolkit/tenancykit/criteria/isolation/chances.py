"""How likely a barrier is down at a random moment: published flaws times the exposure window, and misconfiguration.

Convention. A barrier's flaws arrive as a Poisson process. Its yearly rate has a Gamma prior by kind of barrier
(catalogue ``priors``, all assumptions) and the posterior after the flaws that were published from the barrier's first
counted year on. A flaw counts where the design leaves its preconditions in place: no hardening that removes it holds,
and a component it needs is shared. The barrier is open for the exposure window after each disclosure, so its chance of
being open is the posterior predictive ``1 - (b / (b + w)) ** a``. Every flaw weighs the same; no severity is used.
A barrier whose failures nobody publishes (``observed: false``) keeps its prior, silence earning no credit; flaws that
are known all the same add their yearly rate to the prior's.
Misconfiguration is an independent second cause: ``1 - (1 - flaw) * (1 - misconfiguration)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tenancykit.catalogue.attack import Barrier, Boundary, Evidence
from tenancykit.catalogue.barriers import OBSERVED_UNTIL, IsolationCatalogue
from tenancykit.conditions import Condition, parse_condition
from tenancykit.criteria.isolation.components import any_shared, breach_of, components_of, sharable
from tenancykit.distributions import GammaRate

WINDOW_DAYS = 30.0
"""Default exposure window, days from disclosure to patched. Assumption, used where operations give none."""

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Strength:
    """What is believed of one barrier under the facts of a pair.

    Attributes:
        barrier: its id.
        rate: posterior of the yearly rate of flaws.
        flaws: ids of the published flaws that count here.
        misconfiguration: chance of being configured wrong.
        window_days: exposure window, days.
        chance: chance that the barrier is down at a random moment.
    """

    barrier: str
    rate: GammaRate
    flaws: tuple[str, ...]
    misconfiguration: float
    window_days: float
    chance: float


@dataclass(frozen=True)
class Flaws:
    """Published flaws of a barrier that share their preconditions.

    Attributes:
        when: facts of a pair under which they count.
        entries: ids, in order.
    """

    when: Condition
    entries: tuple[str, ...]


def hardening(token: str, model: IsolationCatalogue) -> str:
    """Return the condition under which a hardening named by published flaws holds.

    A catalogue fact ``hardened:<token>`` says it, or the token is a fact of the attacker's class; tenants without
    verbs have every ``rbac-...``, pods without added capabilities every ``drop-...``.
    """
    if f"hardened:{token}" in model.derived:
        return f"(hardened:{token} or attacker:{token})"
    if token.startswith("rbac-"):
        return f"(hardened:rbac-least-privilege or attacker:{token})"
    if token.startswith("drop-"):
        return f"(hardened:drop-capabilities or attacker:{token})"
    return f"attacker:{token}"


def withheld(entry: Evidence, boundary: Boundary, model: IsolationCatalogue) -> str:
    """Return the condition under which the attacker surely lacks a verb the flaw needs.

    Where the record names verbs, an identity of little privilege lacks them. Where it says nothing and the boundary
    begins with objects that are no workloads, only tenants known to lack whatever a flaw needs are taken to lack it:
    how much an identity may do with an operator's own objects differs from platform to platform.
    """
    if entry.verbs:
        return hardening("rbac-least-privilege", model)
    if entry.verbs is None and entry.attacker_position in boundary.withheld:
        return "attacker:rbac-least-privilege"
    return "never"


def counts_when(entry: Evidence, boundary: Boundary, model: IsolationCatalogue) -> Condition:
    """Return the facts of a pair under which a published flaw counts against its barrier."""
    groups = components_of(entry, boundary, sharable(entry, boundary, model))
    shared = " and ".join(f"({any_shared(group)})" for group in groups)
    removing = (*(hardening(token, model) for token in entry.removed_by), withheld(entry, boundary, model))
    absent = "".join(f" and not {condition}" for condition in removing if condition != "never")
    return parse_condition(f"{shared}{absent}")


@lru_cache(maxsize=64)
def flaws_of(model: IsolationCatalogue) -> Mapping[str, tuple[Flaws, ...]]:
    """Return, per barrier, its published flaws grouped by the facts under which they count."""
    grouped: dict[str, dict[Condition, list[str]]] = {}
    for entry in model.evidence.values():
        boundary = model.boundaries[entry.boundary]
        breach = breach_of(entry, boundary)
        if breach is None:
            continue
        when = counts_when(entry, boundary, model)
        for name in breach.barriers:
            if entry.year >= int(model.barriers[name].since):
                grouped.setdefault(name, {}).setdefault(when, []).append(entry.id)
    return {
        name: tuple(Flaws(when, tuple(entries)) for when, entries in groups.items()) for name, groups in grouped.items()
    }


def prior_rate(barrier: Barrier, model: IsolationCatalogue) -> GammaRate:
    """Return the prior of a barrier's yearly rate of flaws."""
    prior = model.priors[barrier.kind]
    return GammaRate(prior.flaws, prior.years)


def posterior(barrier: Barrier, flaws: int, model: IsolationCatalogue) -> GammaRate:
    """Return the rate of a barrier after so many published flaws that count."""
    prior = prior_rate(barrier, model)
    watched = OBSERVED_UNTIL - barrier.since
    if not barrier.observed:
        return GammaRate(prior.shape + flaws * prior.years / watched, prior.years)
    return prior.after(flaws, watched)


def strengths(
    barriers: tuple[str, ...],
    facts: frozenset[str],
    model: IsolationCatalogue,
    *,
    window_days: float | Mapping[str, float] = WINDOW_DAYS,
    proven: bool = False,
) -> dict[str, Strength]:
    """Return what is believed of each barrier under the facts of a pair.

    Args:
        barriers: ids of barriers.
        facts: facts of the pair.
        model: the catalogue.
        window_days: exposure window in days, one for all or per barrier id or kind (``default`` for the rest).
        proven: whether the exported manifests were read back and proven, which lowers misconfiguration.
    """
    return {name: _strength(name, facts, model, _window(name, window_days, model), proven) for name in barriers}


def _window(name: str, window_days: float | Mapping[str, float], model: IsolationCatalogue) -> float:
    if not isinstance(window_days, Mapping):
        return float(window_days)
    kind = model.barriers[name].kind
    return float(window_days.get(name, window_days.get(kind, window_days.get("default", WINDOW_DAYS))))


def _strength(
    name: str, facts: frozenset[str], model: IsolationCatalogue, window_days: float, proven: bool
) -> Strength:
    barrier = model.barriers[name]
    counted = [entry for flaws in flaws_of(model).get(name, ()) if flaws.when.holds(facts) for entry in flaws.entries]
    rate = posterior(barrier, len(counted), model)
    wrong = misconfiguration(barrier, facts, proven)
    chance = 1 - (1 - rate.chance_within(window_days / DAYS_PER_YEAR)) * (1 - wrong)
    return Strength(name, rate, tuple(sorted(counted)), wrong, window_days, chance)


def misconfiguration(barrier: Barrier, facts: frozenset[str], proven: bool) -> float:
    """Return the chance that a barrier is configured wrong; 0 for barriers not made of configuration."""
    for wrong in barrier.misconfiguration:
        if wrong.when.holds(facts):
            return wrong.proven if proven else wrong.chance
    return 0.0


def assumed_share(strength: Strength, model: IsolationCatalogue) -> float:
    """Return the share of a barrier's chance of being down that no published flaw and no measurement stands behind.

    Of the rate's posterior, the flaws counted are published and the prior's are assumed; a barrier whose failures
    nobody publishes is assumed but for the flaws known all the same. Chances of misconfiguration are assumptions.
    """
    barrier = model.barriers[strength.barrier]
    flaw = strength.rate.chance_within(strength.window_days / DAYS_PER_YEAR)
    prior = prior_rate(barrier, model)
    of_rate = prior.shape / strength.rate.shape if strength.rate.shape else 1.0
    total = flaw + strength.misconfiguration
    return (flaw * of_rate + strength.misconfiguration) / total if total else 0.0
