"""How likely a barrier is down at a random moment: published flaws times the exposure window, and misconfiguration.

Convention. A barrier's flaws arrive as a Poisson process. Its yearly rate has a Gamma prior by kind of barrier
(catalogue ``priors``, all assumptions) and the posterior after the flaws that were published from the barrier's first
counted year on. A flaw counts where the design leaves its preconditions in place: no hardening that removes it holds,
and a component it needs is shared. The barrier is open for the exposure window after each disclosure, so its chance of
being open is the posterior predictive ``1 - (b / (b + w)) ** a``. Every flaw weighs the same; no severity is used.
A barrier whose failures nobody publishes (``observed: false``) keeps its prior, silence earning no credit; flaws that
are known all the same add their yearly rate to the prior's.

The window is the scenario's ``patch_days`` for the kind of component, else the catalogue's (``windows``), and never
shorter than what operations take. Misconfiguration is an independent second cause, ``1 - (1 - flaw) * (1 - wrong)``:
``wrong`` is the chance of a lapse (catalogue ``lapses``) times what each kind of upkeep leaves of it (``upkeep``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Barrier, Boundary, Evidence, Lapse, Range, Upkeep
from tenancykit.catalogue.barriers import OBSERVED_UNTIL, IsolationCatalogue
from tenancykit.conditions import Condition, parse_condition
from tenancykit.criteria.isolation.beliefs import BELIEVED, Beliefs, window_cases
from tenancykit.criteria.isolation.components import any_shared, breach_of, components_of, sharable
from tenancykit.distributions import GammaRate

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, eq=False)
class Strength:
    """What is believed of one barrier under the facts of a pair; where the same is believed, often the same object.

    Attributes:
        barrier: its id.
        rate: posterior of the yearly rate of flaws.
        flaws: ids of the published flaws that count here.
        misconfiguration: chance of being configured wrong, upkeep included.
        lapse: what is wrong then; None for barriers not made of configuration.
        upkeep: what makes the lapse rarer here.
        window: exposure window as believed, days; None where the scenario states it.
        window_days: exposure window used, days.
        chance: chance that the barrier is down at a random moment.
    """

    barrier: str
    rate: GammaRate
    flaws: tuple[str, ...]
    misconfiguration: float
    lapse: Lapse | None
    upkeep: tuple[Upkeep, ...]
    window: Range | None
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


def prior_rate(barrier: Barrier, model: IsolationCatalogue, believed: Beliefs = BELIEVED) -> GammaRate:
    """Return the prior of a barrier's yearly rate of flaws."""
    prior = model.priors[barrier.kind]
    return GammaRate(believed.value(f"rate:{prior.id}", prior.flaws / prior.years) * prior.years, prior.years)


def posterior(barrier: Barrier, flaws: int, model: IsolationCatalogue, believed: Beliefs = BELIEVED) -> GammaRate:
    """Return the rate of a barrier after so many published flaws that count."""
    prior = prior_rate(barrier, model, believed)
    watched = OBSERVED_UNTIL - barrier.since
    if not barrier.observed:
        return GammaRate(prior.shape + flaws * prior.years / watched, prior.years)
    return prior.after(flaws, watched)


def window_kind(barrier: Barrier, model: IsolationCatalogue) -> str:
    """Return the kind of component whose exposure window a barrier has."""
    return barrier.window or model.priors[barrier.kind].window


def strengths(
    barriers: tuple[str, ...],
    facts: frozenset[str],
    model: IsolationCatalogue,
    believed: Beliefs = BELIEVED,
) -> dict[str, Strength]:
    """Return what is believed of each barrier under the facts of a pair (``proven-export`` among them where it is)."""
    read = _read(model)
    return {name: _believed(_case(name, read[name] & facts, model), believed) for name in barriers}


@lru_cache(maxsize=64)
def _read(model: IsolationCatalogue) -> Mapping[str, frozenset[str]]:
    """Return the facts that what is believed of each barrier depends on; they are few, and most pairs share them."""
    published = flaws_of(model)
    found = {}
    for name, barrier in model.barriers.items_by_id.items():
        conditions = [flaws.when for flaws in published.get(name, ())]
        conditions += [when for when, _ in window_cases(window_kind(barrier, model), model)]
        for wrong in barrier.misconfiguration:
            conditions.append(wrong.when)
            conditions += [model.upkeep[each].when for each in model.lapses[wrong.lapse].upkeep]
        found[name] = frozenset[str]().union(*(condition.atoms() for condition in conditions))
    return found


@dataclass(frozen=True, eq=False)
class _Case:
    """What the facts of a pair say of a barrier, before anything is believed of it."""

    barrier: Barrier
    flaws: tuple[str, ...]
    kind: str
    window: Range
    lapse: Lapse | None
    upkeep: tuple[Upkeep, ...]
    model: IsolationCatalogue


@lru_cache(maxsize=8192)
def _case(name: str, facts: frozenset[str], model: IsolationCatalogue) -> _Case:
    published = flaws_of(model).get(name, ())
    counted = [entry for flaws in published if flaws.when.holds(facts) for entry in flaws.entries]
    return _case_of(name, counted, facts, model)


def _case_of(name: str, counted: Sequence[str], facts: frozenset[str], model: IsolationCatalogue) -> _Case:
    barrier = model.barriers[name]
    kind = window_kind(barrier, model)
    window = next(days for when, days in window_cases(kind, model) if when.holds(facts))
    lapse = lapse_of(barrier, facts, model)
    upkeep = tuple(model.upkeep[u] for u in lapse.upkeep if model.upkeep[u].when.holds(facts)) if lapse else ()
    return _Case(barrier, tuple(sorted(counted)), kind, window, lapse, upkeep, model)


def strength_of(
    name: str, counted: Sequence[str], facts: frozenset[str], model: IsolationCatalogue, believed: Beliefs = BELIEVED
) -> Strength:
    """Return what is believed of a barrier against which these published flaws count."""
    return _believed(_case_of(name, counted, facts, model), believed)


def _believed(case: _Case, believed: Beliefs) -> Strength:
    days = max(believed.value(f"window:{case.kind}", case.window.likely), believed.latency)
    return _strength(case, days, believed.stated)


@lru_cache(maxsize=8192)
def _strength(case: _Case, days: float, stated: tuple[tuple[str, float], ...]) -> Strength:
    """Return what is believed of a barrier that stays open so many days after a flaw is published."""
    believed, lapse = Beliefs(stated), case.lapse
    rate = posterior(case.barrier, len(case.flaws), case.model, believed)
    wrong = 0.0
    if lapse:
        wrong = believed.value(f"lapse:{lapse.id}", lapse.chance.likely)
        for each in case.upkeep:
            wrong *= believed.value(f"upkeep:{each.id}", each.factor.likely)
        wrong = min(wrong, 1.0)
    chance = 1 - (1 - rate.chance_within(days / DAYS_PER_YEAR)) * (1 - wrong)
    window = None if f"window:{case.kind}" in believed.values else case.window
    return Strength(case.barrier.id, rate, case.flaws, wrong, lapse, case.upkeep, window, days, chance)


def lapse_of(barrier: Barrier, facts: frozenset[str], model: IsolationCatalogue) -> Lapse | None:
    """Return how a barrier can be configured wrong under the facts of a pair."""
    for wrong in barrier.misconfiguration:
        if wrong.when.holds(facts):
            return model.lapses[wrong.lapse]
    return None


@lru_cache(maxsize=8192)
def assumed_share(strength: Strength, model: IsolationCatalogue) -> float:
    """Return the share of a barrier's chance of being down that no published flaw and no measurement stands behind.

    Of the rate's posterior, the flaws counted are published and the prior's are assumed; a barrier whose failures
    nobody publishes is assumed but for the flaws known all the same. Of misconfiguration, a lapse counts as assumed
    unless a scan measured just it; upkeep by assumption makes it assumed.
    """
    prior = prior_rate(model.barriers[strength.barrier], model)
    flaw = strength.rate.chance_within(strength.window_days / DAYS_PER_YEAR)
    assumed = flaw * min(1.0, prior.shape / strength.rate.shape)
    if strength.lapse and (strength.lapse.assumption or any(each.assumption for each in strength.upkeep)):
        assumed += strength.misconfiguration
    total = flaw + strength.misconfiguration
    return assumed / total if total else 0.0
