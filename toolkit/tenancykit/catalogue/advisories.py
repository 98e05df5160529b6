"""How often published flaws have to be reacted to: the records of the evidence, by what a design installs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from kubeanswers.errors import Fault, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Evidence
from tenancykit.catalogue.barriers import OBSERVED_UNTIL
from tenancykit.catalogue.reading import Entries
from tenancykit.catalogue.work import Toil
from tenancykit.distributions import (
    GammaRate,
    Moments,
    ThreePoint,
    of_estimate,
    product_independent,
    sum_independent,
)


@dataclass(frozen=True)
class Reactions:
    """Flaws that call for a reaction.

    Attributes:
        rate: per year.
        basis: the records it was counted from, in words.
    """

    rate: Moments
    basis: str


def advisory_rates(toil: Iterable[Toil], evidence: Iterable[Evidence]) -> Mapping[str, Reactions]:
    """Return flaws to react to per year, by the toil that states them and by the components that bring it.

    Records are events of a Poisson process; its rate has Jeffreys' prior, Gamma(1/2, 0) (Gelman et al., Bayesian Data
    Analysis, 3rd ed., section 2.8). What several entries say of a component adds up.
    """
    found: dict[str, Reactions] = {}
    records = [(record.component, record.year) for record in evidence]
    for entry in toil:
        named = entry.advisories
        if named is None:
            continue
        events = sum(component in named.components and year >= named.since for component, year in records)
        rate = GammaRate(0.5, 0.0).after(events, OBSERVED_UNTIL - named.since)
        needed = product_independent(Moments(rate.mean, rate.deviation), of_estimate(named.share))
        basis = f"{events} records of {', '.join(named.components)} since {named.since:g}"
        if named.share.mean != 1:
            basis += f", {named.share.mean:.2g} of them here (assumption)"
        for subject in dict.fromkeys((entry.id, *(() if entry.anywhere else entry.brought_by))):
            known = found.get(subject)
            found[subject] = (
                Reactions(needed, basis)
                if known is None
                else Reactions(sum_independent([known.rate, needed]), f"{known.basis}; {basis}")
            )
    return MappingProxyType(found)


def advisory_faults(toil: Entries[Toil], evidence: Iterable[Evidence]) -> list[Fault]:
    """Return what is wrong with the advisories that toil states, and where."""
    known = {record.component for record in evidence}
    faults: list[Fault] = []
    for entry in toil.values():
        named, place = entry.advisories, toil.places[entry.id]
        if named is None:
            faults.extend(
                Fault(place, f"{activity.id!r} follows advisories that {entry.id!r} does not state", cure="state them")
                for activity in entry.activities
                if activity.driver == "advisory" and activity.per not in ("component", "installation")
            )
            continue
        faults.extend(
            Fault(
                place,
                f"the evidence has no record of a component {name!r}",
                cure=did_you_mean(name, known) or f"name one of {', '.join(sorted(known))}",
            )
            for name in named.components
            if name not in known
        )
        if named.since >= OBSERVED_UNTIL:
            text = f"records since {named.since:g} are not observed yet"
            faults.append(Fault(place, text, f"a year before {OBSERVED_UNTIL:g}", "count from an earlier year"))
        if named.share != ThreePoint(1.0, 1.0, 1.0) and not named.why:
            faults.append(Fault(place, f"{entry.id!r} assumes a share without a reason", cure="write why: ..."))
    return faults
