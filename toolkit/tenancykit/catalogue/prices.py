"""The price book: what machines, control planes, network, storage, licences and people cost, each with its source."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import field
from datetime import date
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType

from kubeanswers.errors import CatalogueError, Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.source import Document, read_yaml
from tenancykit.catalogue.price_entries import BASE_CURRENCY, Kind, Price
from tenancykit.catalogue.price_feeds import is_feed, read_feed
from tenancykit.catalogue.reading import Catalogue, read_entries
from tenancykit.conditions import ALWAYS, Condition
from tenancykit.dates import last_day
from tenancykit.validation import validate


@dataclass(frozen=True, eq=False)
class PriceBook:
    """Prices by id, with the places they were read from.

    Attributes:
        prices: the prices in order of id.
        places: ``file:line`` of each.
        replaced: ids a later file replaced, with the place of the entry that lost.
    """

    prices: Mapping[str, Price]
    places: Mapping[str, str] = field(default_factory=dict, repr=False)
    replaced: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __getitem__(self, identifier: str) -> Price:
        found = self.prices.get(identifier)
        if found is None:
            cure = did_you_mean(identifier, self.prices) or "tenancykit catalogue prices lists them"
            raise InputError(Fault("price book", f"unknown price {identifier!r}", cure=cure))
        return found

    def __contains__(self, identifier: str) -> bool:
        return identifier in self.prices

    def of_kind(self, kind: Kind) -> tuple[Price, ...]:
        """Return the prices of a kind in order of id."""
        return tuple(price for price in self.prices.values() if price.kind == kind)

    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions under which licences, and tiers of control planes, are due."""
        due = (price.when for price in (*self.of_kind("licence"), *self.of_kind("control-plane")))
        return tuple(when for when in due if when != ALWAYS)

    def stale(self, days: int, today: date) -> tuple[tuple[Price, int], ...]:
        """Return prices older than so many days, each with its least age in days, the oldest first.

        A date that names a year or a month only is read as that period's last day: the price is at least so old.
        """
        aged = ((price, (today - last_day(price.as_of)).days) for price in self.prices.values())
        return tuple(sorted((item for item in aged if item[1] > days), key=lambda item: (-item[1], item[0].id)))

    @cached_property
    def rates(self) -> Mapping[str, Decimal]:
        """Amount of each currency that one of the base currency is worth; a price is in none without a rate."""
        stated = {p.currency: p.amount for p in reversed(self.of_kind("exchange-rate")) if p.currency and p.amount}
        return {**stated, BASE_CURRENCY: Decimal(1)}

    def find(self, kind: Kind, provider: str, *, where: Callable[[Price], bool] = lambda _: True) -> Price | None:
        """Return the provider's price of a kind, or one that holds for any provider, or None."""
        found = [p for p in self.of_kind(kind) if p.provider in (provider, "") and where(p)]
        return max(found, key=lambda p: bool(p.provider), default=None)


def load_prices(catalogue: Catalogue, override: str | os.PathLike[str] | None = None) -> PriceBook:
    """Return the catalogue's price book, with the entries of the user's file taking precedence by id.

    Args:
        catalogue: the catalogue; its overlay folders may hold ``prices/*.yaml`` too.
        override: a YAML file of the same format (``entries: [...]``), named by ``infrastructure.price_book``.

    Raises:
        CatalogueError: every fault of every file, each with file and line.
    """
    book = _catalogue_prices(catalogue.roots)
    if override is None:
        return book
    file = Path(override)
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    return _overlaid(catalogue.roots, file, changed)


@cache
def _catalogue_prices(roots: tuple[Path, ...]) -> PriceBook:
    entries = read_entries(roots, "prices", Price)
    book = PriceBook(entries.items_by_id, entries.places, entries.replaced)
    stated = [(price.currency or "", book.places[price.id]) for price in book.prices.values()]
    faults = list(_rateless(stated, book.rates))
    if faults:
        raise CatalogueError(faults)
    return book


def _rateless(stated: Iterable[tuple[str, str]], rates: Container[str], held_by: str = "") -> Iterator[Fault]:
    """Yield each currency of prices that no rate converts, at the first price in it: no total could hold both.

    Args:
        stated: currency and place of each price, in the order of the file.
        rates: currencies that can be converted.
        held_by: where a rate would have to stand, if not in the same file.
    """
    first: dict[str, str] = {}
    for currency, place in stated:
        first.setdefault(currency, place)
    for currency, place in first.items():
        if currency and currency not in rates:
            cure = f"add an entry of kind exchange-rate with currency {currency}: its amount for one {BASE_CURRENCY}"
            yield Fault(place, f"prices are in {currency}, and there is no exchange rate for it", cure=cure + held_by)


@lru_cache(maxsize=16)
def _overlaid(roots: tuple[Path, ...], file: Path, _changed: int) -> PriceBook:
    book = _catalogue_prices(roots)
    if is_feed(file):
        read = {price.id: price for price in read_feed(file, book.prices)}
        lost = {name: book.places[name] for name in read if name in book.prices}
        merged = dict(sorted({**book.prices, **read}.items()))
        stated = [(price.currency or "", str(file)) for price in read.values()]
        held_by = f", in prices/ of a folder given with --catalogue, or give the list in {BASE_CURRENCY}"
        if rateless := list(_rateless(stated, book.rates, held_by)):
            raise CatalogueError(rateless)
        return PriceBook(merged, {**book.places, **dict.fromkeys(read, str(file))}, lost)
    document = read_yaml(file)
    prices = dict(book.prices)
    places = dict(book.places)
    replaced = dict(book.replaced)
    own: set[str] = set()
    faults: list[Fault] = []
    for index in range(_length(document)):
        path = ("entries", index)
        try:
            price = validate(Price, document, path)
        except InputError as error:
            faults.extend(error.faults)
            continue
        place = document.where(path).rsplit(": ", 1)[0]
        if price.id in own:
            faults.append(Fault(place, f"id {price.id!r} is already at {places[price.id]}", cure="rename one"))
        elif price.id in prices:
            replaced[price.id] = places[price.id]
        own.add(price.id)
        prices[price.id], places[price.id] = price, place
    ordered = {key: prices[key] for key in sorted(prices)}
    made = PriceBook(MappingProxyType(ordered), MappingProxyType(places), MappingProxyType(replaced))
    # of entries with faults of their own too: a fault is told before the others are mended
    faults += _rateless(_currencies(document), made.rates)
    if faults:
        raise CatalogueError(sorted(faults))
    return made


def _currencies(document: Document) -> Iterator[tuple[str, str]]:
    for index, entry in enumerate(document.data["entries"]):
        currency = entry.get("currency") if isinstance(entry, dict) else None
        if isinstance(currency, str) and len(currency) == len(BASE_CURRENCY) and entry.get("kind") != "exchange-rate":
            yield currency, document.where(("entries", index, "currency"))


def _length(document: Document) -> int:
    data = document.data
    if not isinstance(data, dict) or set(data) != {"entries"} or not isinstance(data["entries"], list):
        raise CatalogueError(Fault(f"{document.name}:1", "a price book holds 'entries: [...]' and nothing else"))
    return len(data["entries"])
