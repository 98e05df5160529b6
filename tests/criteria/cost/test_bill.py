"""Division of cost by the OpenCost specification, exact to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.quantities import cents
from tenancykit.criteria.cost.billing import (
    COMPUTE,
    IDLE,
    SYSTEM,
    SYSTEM_LINE,
    Bill,
    IdlePolicy,
    Item,
    Pool,
    SharePolicy,
    Use,
    divide,
)

ONE = {"cpu": Decimal(1)}
PRICES = {"cpu": Decimal("0.031611"), "memory": Decimal("0.004237"), "gpu": Decimal("0.95")}


def amounts(draw: st.DrawFn, most: int) -> dict[str, Decimal]:
    return {r: draw(st.decimals(0, most, places=3)) for r in PRICES}


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Pool], list[Use], list[Item], dict[str, int]]:
    names = draw(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=5, unique=True))
    tenants = {name: draw(st.integers(1, 40)) for name in names}
    pools, uses = [], []
    for number in range(draw(st.integers(0, 3))):
        pool = f"pool{number}"
        here = draw(st.lists(st.sampled_from([*names, SYSTEM]), unique=True))
        mine = [Use(party, pool, amounts(draw, 50), amounts(draw, 50)) for party in here]
        held = {r: sum((u.held(r) for u in mine), Decimal(0)) for r in PRICES}
        capacity = {r: held[r] + draw(st.decimals(0, 20, places=2)) for r in PRICES}
        pools.append(Pool(pool, draw(st.decimals(0, 100_000, places=2)), capacity, PRICES))
        uses += mine
    items = [
        Item(
            draw(st.sampled_from(["network", "people"])),
            draw(st.decimals(0, 10_000, places=2)),
            tuple(draw(st.lists(st.sampled_from(names), unique=True))),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]
    return pools, uses, items, tenants


IDLE_POLICIES: tuple[IdlePolicy, ...] = ("distributed", "apart")
SHARE_POLICIES: tuple[SharePolicy, ...] = ("proportional", "uniform")


@given(cases(), st.sampled_from(IDLE_POLICIES), st.sampled_from(SHARE_POLICIES))
@settings(max_examples=60, deadline=None)
def test_bills_add_up_to_the_total_to_the_cent(
    case: tuple[list[Pool], list[Use], list[Item], dict[str, int]], idle: IdlePolicy, shared: SharePolicy
) -> None:
    pools, uses, items, tenants = case
    bill = divide(pools, uses, items, tenants, idle=idle, shared=shared)
    owed = sum((pool.cost for pool in pools), Decimal(0)) + sum((item.cost for item in items), Decimal(0))
    assert bill.total == owed
    assert sum((bill.of_party(party) for party in tenants), bill.apart) == owed
    each = [bill.of_tenant(party, i) for party, number in tenants.items() for i in range(number)]
    assert sum((sum(lines.values(), Decimal(0)) for lines in each), bill.apart) == owed
    for lines in each:
        assert all(amount >= 0 and amount == cents(amount) for amount in lines.values())


@given(cases())
@settings(max_examples=30, deadline=None)
def test_idle_shown_apart_is_the_idle_that_is_distributed_otherwise(
    case: tuple[list[Pool], list[Use], list[Item], dict[str, int]],
) -> None:
    distributed = divide(*case)
    apart = divide(*case, idle="apart")
    assert apart.apart == sum((lines.get(IDLE, Decimal(0)) for lines in distributed.lines.values()), Decimal(0))
    assert [lines.get(COMPUTE) for lines in apart.lines.values()] == [
        lines.get(COMPUTE) for lines in distributed.lines.values()
    ]


def _half_used(**policies: str) -> Bill:
    pool = Pool("p", Decimal(100), {"cpu": Decimal(10)}, ONE)
    uses = [
        Use("a", "p", {"cpu": Decimal(3)}),
        Use("b", "p", {"cpu": Decimal(1)}),
        Use(SYSTEM, "p", {"cpu": Decimal(1)}),
    ]
    return divide([pool], uses, [], {"a": 1, "b": 3}, **policies)  # type: ignore[arg-type]


def test_total_cluster_cost_is_workload_plus_idle_plus_overhead() -> None:
    """Worked by hand from the specification's formulas: rate 10 per core; 40 workloads, 10 system, 50 idle."""
    bill = _half_used()
    assert bill.lines["a"] == {COMPUTE: Decimal(30), SYSTEM_LINE: Decimal("7.50"), IDLE: Decimal("37.50")}
    assert bill.lines["b"] == {COMPUTE: Decimal(10), SYSTEM_LINE: Decimal("2.50"), IDLE: Decimal("12.50")}


def test_shared_cost_can_be_divided_per_tenant_instead() -> None:
    bill = _half_used(shared="uniform")
    assert bill.lines["a"] == {COMPUTE: Decimal(30), SYSTEM_LINE: Decimal("2.50"), IDLE: Decimal("12.50")}
    assert bill.lines["b"] == {COMPUTE: Decimal(10), SYSTEM_LINE: Decimal("7.50"), IDLE: Decimal("37.50")}


def test_a_workload_pays_the_greater_of_request_and_usage() -> None:
    pool = Pool("p", Decimal(100), {"cpu": Decimal(10)}, ONE)
    greedy = Use("a", "p", {"cpu": Decimal(2)}, {"cpu": Decimal(6)})
    modest = Use("b", "p", {"cpu": Decimal(2)}, {"cpu": Decimal("0.5")})
    bill = divide([pool], [greedy, modest], [], {"a": 1, "b": 1}, idle="apart")
    assert bill.lines["a"][COMPUTE] == 60
    assert bill.lines["b"][COMPUTE] == 20
    assert bill.apart == 20


def test_a_machines_price_is_split_into_resources_by_their_relative_prices() -> None:
    capacity = {"cpu": Decimal(96), "memory": Decimal(1152), "gpu": Decimal(8)}
    rates = Pool("p", Decimal("21.957642"), capacity, PRICES).rates()
    assert sum(rates[r] * capacity[r] for r in capacity) == pytest.approx(Decimal("21.957642"))
    assert rates["gpu"] / rates["cpu"] == pytest.approx(PRICES["gpu"] / PRICES["cpu"])


def test_whoever_uses_more_pays_no_less() -> None:
    bill = _half_used()
    assert bill.of_party("a") > bill.of_party("b")


def test_tenants_of_a_party_differ_by_at_most_a_cent_a_line() -> None:
    bill = divide([], [], [Item("network", Decimal("0.10"), ("a",))], {"a": 3})
    assert [bill.of_tenant("a", i)["network"] for i in range(3)] == [Decimal("0.04"), Decimal("0.03"), Decimal("0.03")]
    with pytest.raises(IndexError):
        bill.of_tenant("a", 3)


def test_cost_nobody_caused_is_shared_by_everybody() -> None:
    pool = Pool("empty", Decimal(10), {"cpu": Decimal(4)}, ONE)
    bill = divide([pool], [], [], {"a": 1, "b": 4})
    assert (bill.of_party("a"), bill.of_party("b")) == (Decimal(2), Decimal(8))


def test_a_pool_used_beyond_its_capacity_is_refused() -> None:
    pool = Pool("p", Decimal(1), {"cpu": Decimal(1)}, ONE)
    with pytest.raises(ValueError, match="more cpu is held than there is"):
        divide([pool], [Use("a", "p", {"cpu": Decimal(2)})], [], {"a": 1})


def test_unknown_parties_and_empty_ones_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown parties: x"):
        divide([], [], [Item("network", Decimal(1), ("x",))], {"a": 1})
    with pytest.raises(ValueError, match="at least one tenant"):
        divide([], [], [], {"a": 0})


def test_idle_cost_is_split_among_resources_by_their_prices() -> None:
    # 20 a month for 4 cores and 12 GiB, a core worth two GiB: 2 a core, 1 a GiB. Held: 1 core, 2 GiB.
    weights = {"cpu": Decimal(2), "memory": Decimal(1)}
    pool = Pool("p", Decimal(20), {"cpu": Decimal(4), "memory": Decimal(12)}, weights)
    use = Use("a", "p", {"cpu": Decimal(1)}, {"memory": Decimal(2)})
    assert pool.idle([use]) == {"cpu": Decimal(6), "memory": Decimal(10)}
    assert divide([pool], [use], [], {"a": 1}, idle="apart").apart == Decimal(16)
