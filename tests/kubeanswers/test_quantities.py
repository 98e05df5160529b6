from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeanswers.quantities import cents, cpu_text, memory_text, millis, parse_quantity, share_exactly, whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("100k", "100000"),
        (0.1, "0.1"),
        ("1E", "1e18"),
        ("1Ei", str(2**60)),
        ("2E3", "2000"),
    ],
)
def test_kubernetes_quantities_are_read_exactly(text: str | float, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "banana",
        "1 Gi",
        "1GiB",
        "--1",
        float("nan"),
        float("inf"),
        True,
        "9" * 100,
        "1e9999",
        None,
        [],
        {},
        "\uff11",
        "1Zi",
    ],
)
def test_what_is_no_quantity_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"quantity|finite"):
        parse_quantity(text)


def test_parts_of_a_unit_round_up_as_kubernetes_does() -> None:
    assert millis("0.1m") == 1
    assert whole("1.1") == 2


@given(st.integers(0, 10**9))
def test_cpu_and_memory_survive_printing(amount: int) -> None:
    assert millis(cpu_text(amount)) == amount
    assert whole(memory_text(amount)) == amount


money = st.decimals(0, 10**9, places=4, allow_nan=False, allow_infinity=False)


@given(money, st.lists(st.decimals(0, 1000, places=3, allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_shares_add_up_to_the_cent_and_stay_within_a_cent(total: Decimal, weights: list[Decimal]) -> None:
    if sum(weights) == 0:
        return
    parts = share_exactly(total, weights)
    assert sum(parts) == cents(total)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - cents(total) * weight / sum(weights)) <= Decimal("0.01")


def test_a_share_without_weights_is_an_error() -> None:
    with pytest.raises(ValueError, match="all zero"):
        share_exactly(Decimal(1), [Decimal(0)])
    with pytest.raises(ValueError, match="negative"):
        share_exactly(Decimal(1), [Decimal(-1)])
