"""Unit prices in the scenario's currency, each with its range and the entry of the price book it comes from."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from functools import cached_property
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.quantities import HOURS_PER_MONTH
from kubeanswers.records import dataclass
from tenancykit.catalogue.price_entries import BASE_CURRENCY, HOURS_PER_YEAR, SPREAD, Kind, OwnHardware, Price, Term
from tenancykit.catalogue.prices import PriceBook
from tenancykit.criteria.score import Evidence

MONTHS_PER_YEAR: Final = 12


@dataclass(frozen=True)
class Cost:
    """An exact amount of money with the ends of its range.

    Attributes:
        amount: the amount that is counted.
        low: lower end (P10).
        high: upper end (P90).
    """

    amount: Decimal
    low: Decimal
    high: Decimal

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.amount + other.amount, self.low + other.low, self.high + other.high)

    def times(self, factor: Decimal | int) -> Cost:
        """Return the cost of that many."""
        return Cost(self.amount * factor, self.low * factor, self.high * factor)

    def by(self, factor: Cost) -> Cost:
        """Return the product with an uncertain factor, low with low and high with high."""
        return Cost(self.amount * factor.amount, self.low * factor.low, self.high * factor.high)


NOTHING: Final = Cost(Decimal(0), Decimal(0), Decimal(0))


def exactly(amount: Decimal) -> Cost:
    """Return a cost that is known without doubt."""
    return Cost(amount, amount, amount)


@dataclass(frozen=True)
class UnitPrice:
    """What one unit costs, and why.

    Attributes:
        cost: price per unit, in the scenario's currency.
        unit: what a unit is, such as ``hour``.
        evidence: the entry of the price book behind it.
    """

    cost: Cost
    unit: str
    evidence: Evidence


def own_machine_per_hour(own: OwnHardware, facility: Cost, electricity: Cost, pue: Cost) -> Cost:
    """Return the price of one hour of a machine that is bought.

    Straight-line depreciation, a yearly maintenance contract, floor space and cooling per kW of the greatest power,
    electricity for the mean power at the wall: ``capex/(years x 8760) + capex x support/8760 + kW x facility/730 +
    kW x load x PUE x electricity``.

    Args:
        own: the machine.
        facility: price of one kW and month.
        electricity: price of one kWh.
        pue: power usage effectiveness of the facility (a ratio, not money).
    """
    hours = Decimal(HOURS_PER_YEAR)
    fixed = own.capex / (Decimal(str(own.years)) * hours) + own.capex * own.support_share / hours
    space = facility.times(own.power_kw / Decimal(HOURS_PER_MONTH))
    power = electricity.by(pue).times(own.power_kw * own.load)
    spread = SPREAD["C"]
    return Cost(fixed, fixed * (1 - spread), fixed * (1 + spread)) + space + power


@dataclass(frozen=True)
class PriceList:
    """The price book as one scenario sees it: one currency, missing entries named.

    Attributes:
        book: the price book.
        currency: currency of every result.
    """

    book: PriceBook
    currency: str
    _units: dict[tuple[Kind, str], UnitPrice | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def cost_of(self, price: Price, amount: Decimal | None = None) -> Cost:
        """Return an entry's amount (or another amount in its currency) with its range, in the list's currency.

        The range is the entry's own, or else its confidence's (``catalogue.prices.SPREAD``, an assumption).
        """
        value = price.amount if amount is None else amount
        if value is None:
            raise LookupError(f"price {price.id!r} is derived from own hardware")
        spread = SPREAD[price.confidence]
        if amount is None and (price.low is not None or price.high is not None):
            low, high = price.low if price.low is not None else value, price.high if price.high is not None else value
        else:
            low, high = value * (1 - spread), value * (1 + spread)
        cost = Cost(value, low, high)
        return cost if price.kind in ("factor", "exchange-rate") else cost.times(self._rate(price))

    def _rate(self, price: Price) -> Decimal:
        if price.currency == self.currency:
            return Decimal(1)
        return self._per_base(self.currency, price) / self._per_base(str(price.currency), price)

    def _per_base(self, currency: str, price: Price) -> Decimal:
        rate = self.book.rates.get(currency)
        if rate is None:
            what = f"price {price.id!r} is in {price.currency}, the scenario in {self.currency}, and there is no rate"
            cure = f"add an entry of kind exchange-rate with currency {currency}: its amount for one {BASE_CURRENCY}"
            raise InputError(Fault(self.book.places.get(price.id, "price book"), what, cure=cure))
        return rate

    def unit(self, kind: Kind, provider: str) -> UnitPrice | None:
        """Return what a provider charges for one unit of a kind (its standard tier), or None where nothing is known."""
        key = (kind, provider)
        if key not in self._units:
            found = self.book.find(kind, provider, where=lambda p: p.standard or kind != "control-plane")
            self._units[key] = None if found is None else self.of(found)
        return self._units[key]

    def of(self, price: Price) -> UnitPrice:
        """Return an entry as a unit price."""
        return UnitPrice(self.cost_of(price), price.per, self.evidence(price, self.cost_of(price)))

    def evidence(self, price: Price, cost: Cost, note: str = "", children: tuple[Evidence, ...] = ()) -> Evidence:
        """Return the line of an explanation that opens a price to its entry, source and date."""
        place = self.book.places.get(price.id, "")
        facts = [f"{price.region}, {price.as_of}, confidence {price.confidence}", price.note, note, f"entry {place}"]
        is_money = price.kind != "factor"
        return Evidence(
            label=f"{price.id}: {price.name}" if price.name else price.id,
            value=float(cost.amount),
            unit=f"{self.currency} per {price.per}" if is_money else price.per,
            source=price.source,
            assumption=price.assumption,
            note="; ".join(filter(None, facts)),
            children=children,
        )

    def machine(self, price: Price, term: Term = "on-demand") -> UnitPrice:
        """Return what one hour of a machine of the price book costs under a term; own machines know no terms.

        An hour of a spot machine is an hour of work kept: what interruptions lose is on top of the price.
        """
        if term == "spot" and price.own is None:
            return self._interrupted(price, self._under_term(price, term))
        return self._under_term(price, term)

    def _interrupted(self, price: Price, paid: UnitPrice) -> UnitPrice:
        often, lost = (self.book[name] for name in ("spot_interruptions", "spot_lost_hours"))
        month = Decimal(HOURS_PER_MONTH)
        hours = self.cost_of(often).by(self.cost_of(lost))
        share = Cost(hours.amount / month, hours.low / month, hours.high / month)
        cost = paid.cost.by(exactly(Decimal(1)) + share)
        children = (paid.evidence, self.evidence(often, self.cost_of(often)), self.evidence(lost, self.cost_of(lost)))
        note = f"with {share.amount:.2%} on top for work lost to interruptions"
        return UnitPrice(cost, paid.unit, self.evidence(price, cost, note, children))

    def _under_term(self, price: Price, term: Term) -> UnitPrice:
        known = price.terms.get(term) if term != "on-demand" else None
        if known is not None and price.own is None:
            cost = self.cost_of(price, known)
            return UnitPrice(cost, "hour", self.evidence(price, cost, f"{term} price"))
        if price.amount is None and price.own is None:
            place = self.book.places.get(price.id, "price book")
            text = f"price {price.id!r} has no {term} price"
            raise InputError(Fault(place, text, ", ".join(price.terms), "choose one of them as the node type's term"))
        on_demand, children = self._on_demand(price)
        if term == "on-demand" or price.own is not None:
            return UnitPrice(on_demand, "hour", self.evidence(price, on_demand, children=children))
        factor = self.book[f"term_{term}"]
        ratio = self.cost_of(factor)
        cost = on_demand.by(ratio)
        line = self.evidence(factor, ratio)
        return UnitPrice(cost, "hour", self.evidence(price, cost, f"{term}, by factor", (*children, line)))

    def _on_demand(self, price: Price) -> tuple[Cost, tuple[Evidence, ...]]:
        if price.own is None:
            return self.cost_of(price), ()
        facility, electricity, pue = self._facility
        own = price.own
        parts = [facility, electricity, pue]
        costs = [self.cost_of(part) for part in parts]
        raw = own_machine_per_hour(own.model_copy(update={"capex": own.capex * self._rate(price)}), *costs)
        children = (
            Evidence("purchase", float(own.capex), str(price.currency), assumption=price.assumption),
            Evidence("written off over", own.years, "years", assumption=price.assumption),
            Evidence("power", float(own.power_kw), "kW", assumption=price.assumption),
            *(self.evidence(part, cost) for part, cost in zip(parts, costs, strict=True)),
        )
        return raw, children

    @cached_property
    def _facility(self) -> tuple[Price, Price, Price]:
        facility, electricity = self.book["colocation"], self.book["electricity"]
        return facility, electricity, self.book["pue"]

    def node(self, identifier: str, where: str) -> Price:
        """Return a machine of the price book.

        Raises:
            InputError: the book has no machine of that name.
        """
        known = {price.id: price for price in self.book.of_kind("node")}
        if identifier not in known:
            cure = did_you_mean(identifier, known) or "see: tenancykit catalogue prices"
            raise InputError(Fault(where, f"the price book has no node type {identifier!r}", cure=cure))
        return known[identifier]


def day_rate(book: PriceBook, region: str, currency: str) -> UnitPrice:
    """Return what a platform engineer's day costs in a labour region (``na``, ``eu``)."""
    return PriceList(book, currency).of(book[f"person_day_{region}"])
