from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.criteria.isolation.reliability import (
    Link,
    cheapest_routes,
    expose,
    reachable,
    single_openers,
)

BARRIERS: tuple[Hashable, ...] = tuple("abcdefg")
NODES = tuple(range(6))
TARGET = 5

links = st.lists(
    st.builds(
        Link,
        st.sampled_from(NODES[:-1]),
        st.sampled_from(NODES[1:]),
        st.lists(st.sampled_from(BARRIERS), max_size=3, unique=True).map(tuple),
    ),
    max_size=14,
)
chances = st.fixed_dictionaries(
    {name: st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.001, 0.999)) for name in BARRIERS}
)
few = settings(max_examples=120, deadline=None)


def open_in(network: Sequence[Link], down: frozenset[Hashable]) -> bool:
    return TARGET in reachable(network, [0], lambda name: name in down)


def states() -> list[frozenset[Hashable]]:
    return [frozenset(itertools.compress(BARRIERS, bits)) for bits in itertools.product((0, 1), repeat=len(BARRIERS))]


def brute_force(network: Sequence[Link], chance: Mapping[Hashable, float]) -> float:
    """Sum over every state of every barrier."""
    return math.fsum(
        math.prod(chance[name] if name in down else 1 - chance[name] for name in BARRIERS)
        for down in states()
        if open_in(network, down)
    )


@few
@given(links, chances)
def test_exposure_equals_brute_force_over_all_barrier_states(
    network: list[Link], chance: dict[Hashable, float]
) -> None:
    diagram, (root,) = expose(network, {0: None}, [TARGET])
    assert diagram.probability([root], chance)[0] == pytest.approx(brute_force(network, chance), abs=1e-12)


@few
@given(links, chances)
def test_exposure_over_arrays_equals_exposure_of_each_column(
    network: list[Link], chance: dict[Hashable, float]
) -> None:
    diagram, (root,) = expose(network, {0: None}, [TARGET])
    other = {name: 1 - value for name, value in chance.items()}
    columns = {name: np.array([chance[name], other[name]]) for name in BARRIERS}
    expected = [diagram.probability([root], chance)[0], diagram.probability([root], other)[0]]
    assert diagram.probability_over(root, columns) == pytest.approx(expected, abs=1e-12)


@few
@given(links)
def test_depth_is_the_size_of_the_smallest_set_that_opens_a_way(network: list[Link]) -> None:
    smallest = min((len(down) for down in states() if open_in(network, down)), default=math.inf)
    diagram, (root,) = expose(network, {0: None}, [TARGET])
    assert diagram.cheapest([root], dict.fromkeys(BARRIERS, 1.0))[0] == smallest
    ones = {name: np.ones(1, np.int8) for name in BARRIERS}
    assert diagram.fewest_over(root, ones, 50)[0] == (50 if math.isinf(smallest) else smallest)
    route = cheapest_routes(network, [0], [TARGET], dict.fromkeys(BARRIERS, 1.0)).get(TARGET)
    assert (math.inf if route is None else route.cost) == smallest


@few
@given(links, st.fixed_dictionaries({name: st.floats(0.1, 5) for name in BARRIERS}))
def test_the_cheapest_route_pays_every_barrier_once_and_no_set_is_cheaper(
    network: list[Link], cost: dict[Hashable, float]
) -> None:
    price = min((sum(cost[n] for n in down) for down in states() if open_in(network, down)), default=None)
    route = cheapest_routes(network, [0], [TARGET], cost).get(TARGET)
    assert (route is None) == (price is None)
    if route is not None and price is not None:
        assert route.cost == pytest.approx(price)
        assert open_in([network[i] for i in route.links], route.variables)


@few
@given(links)
def test_single_openers_are_the_barriers_that_suffice_alone(network: list[Link]) -> None:
    found = single_openers(network, [0], [TARGET])
    if open_in(network, frozenset()):
        assert None in found
    else:
        assert found == {name for name in BARRIERS if open_in(network, frozenset({name}))}


@few
@given(links, chances, st.integers(0, 13), st.sampled_from(BARRIERS))
def test_adding_a_barrier_never_lowers_depth_nor_raises_exposure(
    network: list[Link], chance: dict[Hashable, float], which: int, barrier: str
) -> None:
    if not network:
        return
    which %= len(network)
    guarded = Link(network[which].source, network[which].target, (*network[which].variables, barrier))
    stronger = [*network[:which], guarded, *network[which + 1 :]]
    assert figures(stronger, chance)[0] <= figures(network, chance)[0] + 1e-12
    assert figures(stronger, chance)[1] >= figures(network, chance)[1]


@few
@given(links, chances, links)
def test_adding_crossings_never_raises_depth_nor_lowers_exposure(
    network: list[Link], chance: dict[Hashable, float], more: list[Link]
) -> None:
    assert figures([*network, *more], chance)[0] >= figures(network, chance)[0] - 1e-12
    assert figures([*network, *more], chance)[1] <= figures(network, chance)[1]


@few
@given(links, chances, st.permutations(range(6)))
def test_names_and_order_of_positions_change_nothing(
    network: list[Link], chance: dict[Hashable, float], names: list[int]
) -> None:
    renamed = [Link(f"p{names[int(str(x.source))]}", f"p{names[int(str(x.target))]}", x.variables) for x in network]
    diagram, (root,) = expose(renamed[::-1], {f"p{names[0]}": None}, [f"p{names[TARGET]}"])
    assert diagram.probability([root], chance)[0] == pytest.approx(figures(network, chance)[0], abs=1e-12)


def figures(network: Sequence[Link], chance: Mapping[Hashable, float]) -> tuple[float, float]:
    diagram, (root,) = expose(network, {0: None}, [TARGET])
    return diagram.probability([root], chance)[0], diagram.cheapest([root], dict.fromkeys(BARRIERS, 1.0))[0]


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_bridge_network_has_the_reliability_of_the_textbook(p: float) -> None:
    # Barlow and Proschan, Statistical Theory of Reliability (1975), chapter 1: h(p) = 2p^2 + 2p^3 - 5p^4 + 2p^5.
    network = [
        Link("s", "x", ("1",)),
        Link("s", "y", ("2",)),
        Link("x", "y", ("3",)),
        Link("y", "x", ("3",)),
        Link("x", "t", ("4",)),
        Link("y", "t", ("5",)),
    ]
    diagram, (root,) = expose(network, {"s": None}, ["t"])
    assert diagram.probability([root], dict.fromkeys(tuple[Hashable, ...]("12345"), p))[0] == pytest.approx(
        2 * p**2 + 2 * p**3 - 5 * p**4 + 2 * p**5
    )


def test_two_crossings_behind_one_barrier_fall_together() -> None:
    network = [Link("s", "x", ("kernel",)), Link("s", "t", ("kernel", "other")), Link("x", "t", ("other",))]
    diagram, (root,) = expose(network, {"s": None}, ["t"])
    assert diagram.probability([root], dict[Hashable, float](kernel=0.5, other=0.5))[0] == 0.25


def test_large_networks_agree_with_monte_carlo() -> None:
    draw = np.random.default_rng(7)
    network = [
        Link(int(a), int(b), tuple(f"v{i}" for i in draw.integers(0, 40, 2)))
        for a, b in draw.integers(0, 15, (60, 2))
        if a != b
    ]
    network += [Link(0, 1, ("v1",)), Link(1, 14, ("v2",)), Link(3, 14)]
    chance: dict[Hashable, float] = {f"v{i}": float(p) for i, p in enumerate(draw.uniform(0.05, 0.5, 40))}
    diagram, (root,) = expose(network, {0: None}, [14])
    trials = 4000
    hits = 0
    for row in draw.random((trials, 40)):
        down = {f"v{i}" for i in range(40) if row[i] < chance[f"v{i}"]}
        hits += 14 in reachable(network, [0], lambda name, down=down: name in down)  # type: ignore[misc]
    exact = diagram.probability([root], chance)[0]
    assert abs(hits / trials - exact) < 4 * math.sqrt(exact * (1 - exact) / trials)
