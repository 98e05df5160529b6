"""The cost of isolation: machines shared against machines of one's own."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from cost_isolation import TENANTS, cost_of_isolation
from kubeanswers.quantities import GIB
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass

TYPES = (
    NodeClass("small", None, 4000, 16 * GIB, price=Decimal("0.2")),
    NodeClass("large", None, 16_000, 64 * GIB, price=Decimal("0.7")),
)


@st.composite
def tenants_pods(draw: st.DrawFn) -> list[PodClass]:
    return [
        PodClass(f"p{i}", draw(st.integers(1, 4)), draw(st.integers(100, 4000)), draw(st.integers(1, 16)) * GIB)
        for i in range(draw(st.integers(1, 3)))
    ]


@given(tenants_pods())
@settings(max_examples=15, deadline=None)
def test_isolation_never_saves_money_and_its_price_grows_with_the_tenants(pods: list[PodClass]) -> None:
    rows = cost_of_isolation(pods, TYPES, (1, 5, 20))
    assert all(row.dedicated_price >= row.shared_price for row in rows)
    assert [row.dedicated_price for row in rows] == [rows[0].dedicated_price * n for n in (1, 5, 20)]
    assert rows[0].price_ratio >= 1.0


def test_small_tenants_pay_most_for_machines_of_their_own() -> None:
    small = cost_of_isolation([PodClass("web", 1, 500, GIB)], TYPES[:1])
    full = cost_of_isolation([PodClass("web", 1, 4000, 16 * GIB)], TYPES[:1])
    assert [row.tenants for row in small] == list(TENANTS)
    assert [row.extra_nodes for row in small] == [n - -(-n // 8) for n in TENANTS]
    assert all(row.extra_nodes == 0 and row.price_ratio == 1.0 for row in full)
