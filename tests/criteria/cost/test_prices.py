"""Unit prices of one scenario: currency, terms, own hardware, and the evidence behind each."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from kubeanswers.errors import InputError
from tenancykit.catalogue.price_entries import OwnHardware
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.cost.pricing import Cost, PriceList, day_rate, exactly, own_machine_per_hour

BOOK = load_prices(load_catalogue())
DOLLARS = PriceList(BOOK, "USD")


def test_an_hour_of_an_own_machine_is_depreciation_support_space_and_power() -> None:
    """By hand: 35,040/(4 x 8,760) = 1; 5 % of it a year = 0.2; 10 kW x 73/730 = 1; 10 kW x 0.5 x 1.2 x 0.1 = 0.6."""
    own = OwnHardware(capex=Decimal(35040), years=4, power_kw=Decimal(10), load=Decimal("0.5"))
    cost = own_machine_per_hour(own, exactly(Decimal(73)), exactly(Decimal("0.1")), exactly(Decimal("1.2")))
    assert cost.amount == pytest.approx(Decimal("2.8"))
    assert cost.low < cost.amount < cost.high


def test_own_machines_of_the_book_open_to_what_their_price_follows_from() -> None:
    price = DOLLARS.machine(BOOK["own_hgx_h100"])
    labels = [line.label for line in price.evidence.children]
    assert labels[:3] == ["purchase", "written off over", "power"]
    assert any(label.startswith("electricity") for label in labels)
    assert all(line.source or line.assumption for line in price.evidence.children)
    assert Decimal(10) < price.cost.amount < Decimal(20)


def test_a_known_reserved_price_is_taken_and_an_unknown_one_estimated_with_a_label() -> None:
    node = BOOK["aws_p5_48xlarge"]
    estimated = DOLLARS.machine(node, "reserved")
    assert estimated.cost.amount == node.amount * BOOK["term_reserved"].amount  # type: ignore[operator]
    assert any(line.assumption and "term_reserved" in line.label for line in estimated.evidence.children)
    known = DOLLARS.machine(node.model_copy(update={"terms": {"reserved": Decimal(40)}}), "reserved")
    assert known.cost.amount == 40
    assert not known.evidence.children


def test_spot_is_cheaper_than_reserved_and_that_than_on_demand() -> None:
    node = BOOK["gcp_a3_highgpu_8g"]
    spot, reserved, full = (DOLLARS.machine(node, term).cost.amount for term in ("spot", "reserved", "on-demand"))
    assert spot < reserved < full


def test_own_machines_cost_the_same_under_every_term() -> None:
    own = BOOK["own_cpu_server"]
    assert DOLLARS.machine(own, "spot").cost == DOLLARS.machine(own).cost


def test_prices_are_converted_into_the_scenarios_currency() -> None:
    rate = BOOK["rate_usd_eur"].amount
    assert rate is not None
    euros = PriceList(BOOK, "EUR")
    assert euros.of(BOOK["aws_gp3"]).cost.amount == Decimal("0.08") * rate
    assert euros.of(BOOK["aws_gp3"]).evidence.unit == "EUR per gib-month"


def test_conversion_there_and_back_is_the_identity(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(
        "entries:\n  - {id: mine, kind: storage, amount: 0.09, per: gib-month, currency: EUR, provider: x,"
        " source: https://example.org, as_of: 2026-11, confidence: A}\n"
    )
    book = load_prices(load_catalogue(), file)
    assert PriceList(book, "EUR").of(book["mine"]).cost.amount == Decimal("0.09")
    dollars = PriceList(book, "USD").of(book["mine"]).cost.amount
    assert dollars == pytest.approx(Decimal("0.10"))


def test_a_currency_without_a_rate_is_refused_with_the_cure() -> None:
    with pytest.raises(InputError, match="add an entry of kind exchange-rate with currency CHF") as caught:
        PriceList(BOOK, "CHF").of(BOOK["aws_gp3"])
    assert "catalogue/prices/storage.yaml:" in str(caught.value)


def test_a_stated_range_beats_the_one_of_the_confidence() -> None:
    power = BOOK["electricity"]
    assert DOLLARS.cost_of(power) == Cost(Decimal("0.08"), Decimal("0.05"), Decimal("0.14"))
    listed = DOLLARS.cost_of(BOOK["aws_p5_48xlarge"])
    assert listed.low == listed.amount * Decimal("0.95")


def test_a_person_day_follows_from_salary_loading_and_productive_days() -> None:
    salary, loading, days = (BOOK[i].amount for i in ("platform_engineer_na", "loading_factor", "productive_days_year"))
    assert salary is not None
    assert loading is not None
    assert days is not None
    assert day_rate(BOOK, "na", "USD").cost.amount == (salary * loading / days).quantize(Decimal(1))


def test_an_unknown_node_type_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(InputError, match="did you mean aws_p5_48xlarge"):
        DOLLARS.node("aws_p5_48xlarg", "infrastructure.nodes[0].type")


def test_a_spot_hour_counts_what_interruptions_lose_and_says_so() -> None:
    node = BOOK["gcp_a3_highgpu_8g"].model_copy(update={"terms": {"spot": Decimal(10)}})
    often, lost = (BOOK[name].amount for name in ("spot_interruptions", "spot_lost_hours"))
    assert often is not None
    assert lost is not None
    found = DOLLARS.machine(node, "spot")
    assert found.cost.amount == 10 * (1 + often * lost / 730)
    assert found.cost.low < found.cost.amount < found.cost.high
    assert all(line.assumption for line in found.evidence.children[1:])
