"""What the catalogue states that is older than it claims to be: versions, support windows, prices, evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, Literal

from kubeanswers.records import dataclass
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.dates import last_day

PRICE_DAYS: Final = 180
"""Days after which a price is read again (assumption: GPU clouds moved theirs by up to a third in a year)."""
_DAYS_A_MONTH: Final = 365.25 / 12

Subject = Literal["version", "support", "price", "evidence"]


@dataclass(frozen=True)
class Overdue:
    """Something to be read again.

    Attributes:
        what: kind of statement.
        id: id of the component or price, or what the evidence is of.
        as_of: date it was read or released, as stated.
        days: days it is past what it claims.
        why: what it claims, in words.
    """

    what: Subject
    id: str
    as_of: str
    days: int
    why: str


def overdue(catalogue: Catalogue, today: date, price_days: int = PRICE_DAYS) -> tuple[Overdue, ...]:
    """Return what has to be read again, by kind, the most overdue first.

    A version is overdue when a project's own pace (minor releases in twelve months) promises a newer one than was seen;
    a release when its support has ended; a price after ``price_days``; evidence when no record is of this year or the
    last. Dates that name a month or a year only count from that period's last day.

    Args:
        catalogue: the catalogue, overlays included.
        today: the day to judge by.
        price_days: days a price stays good.
    """
    found = [*_versions(catalogue, today), *_prices(catalogue, today, price_days), *_evidence(catalogue, today)]
    return tuple(sorted(found, key=lambda item: (item.what, -item.days, item.id)))


def stated(catalogue: Catalogue) -> Mapping[tuple[Subject, str], int]:
    """Return how many statements of each kind can go out of date, by the kind and what it is called in a sentence."""
    dated = [component.lifecycle for component in catalogue.components.values() if component.lifecycle.date]
    return {
        ("price", "prices"): len(load_prices(catalogue).prices),
        ("version", "versions of components"): sum(bool(life.minor_releases_12m) for life in dated),
        ("support", "windows of support"): sum(bool(life.support_months) for life in dated),
    }


def newest_flaw(catalogue: Catalogue) -> int:
    """Return the year of the newest flaw that is held as evidence."""
    return max((record.year for record in load_isolation(catalogue).evidence.values()), default=0)


def _versions(catalogue: Catalogue, today: date) -> Iterator[Overdue]:
    for component in catalogue.components.values():
        life = component.lifecycle
        if not life.date:
            continue
        released = last_day(life.date)
        seen = max(released, last_day(component.helm.as_of)) if component.helm and component.helm.as_of else released
        if life.minor_releases_12m:
            late = (today - seen).days - 365 / life.minor_releases_12m
            if late > 0:
                pace = f"{life.minor_releases_12m:g} minor releases a year; last looked at {seen}"
                yield Overdue("version", component.id, life.date, int(late), pace)
        if life.support_months:
            late = (today - released).days - life.support_months * _DAYS_A_MONTH
            if late > 0:
                why = f"{life.latest or 'the release'} is supported for {life.support_months:g} months"
                yield Overdue("support", component.id, life.date, int(late), why)


def _prices(catalogue: Catalogue, today: date, days: int) -> Iterator[Overdue]:
    for price, age in load_prices(catalogue).stale(days, today):
        yield Overdue(
            "price", price.id, price.as_of, age - days, f"confidence {price.confidence}, good for {days} days"
        )


def _evidence(catalogue: Catalogue, today: date) -> Iterator[Overdue]:
    year = newest_flaw(catalogue)
    if year < today.year - 1:
        late = (today - date(year + 1, 12, 31)).days
        yield Overdue("evidence", "published flaws", str(year), late, "no record is of this year or the last")
