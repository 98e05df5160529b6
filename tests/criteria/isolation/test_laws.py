"""Laws of the exposure: barriers never hurt, names do not matter, and intervals hold what an own simulation draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import beta

from kubeanswers.source import parse_yaml
from tenancykit.catalogue.attack import Range
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.beliefs import Beliefs, beliefs
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, Strength
from tenancykit.criteria.isolation.measure import assess
from tenancykit.criteria.isolation.network import contracted
from tenancykit.criteria.isolation.reliability import Link, expose
from tenancykit.design.model import Design, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.validation import validate
from tests.criteria.isolation.platforms import CATALOGUE, SHARED, resolved, result, scenario, with_options
from tests.criteria.isolation.test_network import SCENARIO

MODEL = load_isolation(CATALOGUE)
OWN_NODES = with_options("cp_vcluster_private", "node_dedicated_tenant")
Draws = NDArray[np.float64]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_barrier_more_on_any_crossing_opens_nothing_of_any_asset(data: st.DataObject) -> None:
    (pair,) = result(data.draw(st.sampled_from([SHARED, OWN_NODES]))).pairs
    graph = pair.finding.graph
    chance = {name: strength.chance for name, strength in pair.finding.strengths.items()}
    place = data.draw(st.integers(0, len(graph.links) - 1))
    extra = data.draw(st.sampled_from(graph.barriers))
    link = graph.links[place]
    links = list(graph.links)
    links[place] = Link(link.source, link.target, tuple(dict.fromkeys((*link.variables, extra))))
    targets = [asset.asset for asset in pair.finding.assets]
    diagram, roots = expose(links, dict.fromkeys(graph.starts), targets)
    for asset, exposure in zip(pair.finding.assets, diagram.probability(roots, chance), strict=True):
        assert exposure <= asset.exposure + 1e-12


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_what_is_believed_worse_opens_more_of_every_plane(data: st.DataObject) -> None:
    asked = scenario()
    design = resolved(SHARED, asked)
    belief = data.draw(st.sampled_from(beliefs(MODEL)))
    low, high = (
        assess(design, MODEL, believed=Beliefs().moved(belief.id, end)).days for end in (belief.low, belief.high)
    )
    for key, days in low.items():
        assert days <= high[key] + 1e-9


def test_names_of_classes_and_their_order_move_no_exposure() -> None:
    asked = validate(Scenario, parse_yaml(SCENARIO, "two"))
    first, second = asked.tenants.classes
    turned = asked.tenants.model_copy(
        update={
            "classes": (
                second.model_copy(update={"id": "a-name"}),
                first.model_copy(update={"id": "another"}),
            )
        }
    )
    plain = assess(resolved(SHARED, asked), MODEL).days
    renamed = assess(resolved(SHARED, asked.model_copy(update={"tenants": turned})), MODEL).days
    for (class_id, plane), days in plain.items():
        assert renamed["another" if class_id == "dev" else "a-name", plane] == pytest.approx(days)


DRAWN = 4000


def drawn_chance(strength: Strength, doubts: dict[str, Draws], draw: np.random.Generator) -> Draws:
    """Return draws of a barrier's chance of being down, worked out apart from the code under test."""

    def normal(sort: str, name: str) -> Draws:
        for key in (sort, name):
            if key not in doubts:
                doubts[key] = draw.standard_normal(DRAWN)
        return math.sqrt(0.5) * (doubts[sort] + doubts[name])

    def share(values: Range, sort: str, name: str) -> Draws:
        deviation = (values.high - values.low) / 2.5631
        total = max(values.likely * (1 - values.likely) / deviation**2 - 1, 2.0)
        drawn: Draws = beta(values.likely * total, (1 - values.likely) * total).ppf(ndtr(normal(sort, name)))
        return drawn

    wrong = np.zeros(DRAWN)
    if strength.lapse:
        wrong = share(strength.lapse.chance, "lapse", strength.lapse.id)
        for each in strength.upkeep:
            wrong = wrong * share(each.factor, "upkeep", each.id)
    window = strength.window
    assert window is not None
    spread = math.log(window.high / window.low) / 2.5631
    name = f"window {window.low}-{window.likely}-{window.high}"
    days = window.likely * np.exp(spread * normal("window", name) - spread**2 / 2)
    rate = draw.gamma(strength.rate.shape, size=DRAWN) / strength.rate.years
    chance: Draws = 1 - (1 - wrong) * np.exp(-rate * days / DAYS_PER_YEAR)
    return chance


@pytest.mark.parametrize("options", [SHARED, OWN_NODES])
def test_four_of_five_draws_of_the_whole_model_lie_in_the_printed_interval(options: tuple[str, ...]) -> None:
    found = result(options)
    (pair,) = found.pairs
    draw = np.random.default_rng(17)
    doubts: dict[str, Draws] = {}
    chances = {name: drawn_chance(s, doubts, draw) for name, s in pair.finding.strengths.items()}
    days = {exposure.plane: np.zeros(DRAWN) for exposure in found.exposure}
    for asset in pair.finding.assets:
        if asset.guarded:
            network = contracted(asset.asset, frozenset(pair.finding.graph.starts), MODEL)
            days[asset.plane] += network.exposure_over(pair.finding.graph, chances, DRAWN) * DAYS_PER_YEAR
    inside = {e.plane: float(np.mean((e.low <= days[e.plane]) & (days[e.plane] <= e.high))) for e in found.exposure}
    for plane in ("control", "compute", "network", "storage", "accelerator"):
        assert 0.77 <= inside[plane] <= 0.83, plane


def days_of_two(options: dict[str, tuple[str, ...]]) -> dict[tuple[str, str], float]:
    """Return the open days of two classes that choose apart."""
    asked = validate(Scenario, parse_yaml(SCENARIO, "two"))
    design = Design("t", "", {name: choose(CATALOGUE, chosen) for name, chosen in options.items()})
    return {(str(c), str(p)): days for (c, p), days in assess(resolve(design, asked, CATALOGUE), MODEL).days.items()}


def test_a_barrier_that_keeps_out_only_some_attackers_shows() -> None:
    """A pool per class, or a sandbox around the pods of one, leaves who reaches most where it was."""
    shared = days_of_two({"dev": SHARED, "prod": SHARED})
    pool = with_options("node_pool_class")
    pools = days_of_two({"dev": pool, "prod": pool})
    sandboxed = days_of_two({"dev": with_options("rt_gvisor"), "prod": SHARED})
    for found in (pools, sandboxed):
        assert all(found[key] <= days + 1e-9 for key, days in shared.items() if key[1] != "performance")
        assert found["prod", "compute"] < shared["prod", "compute"] - 0.1


def test_an_operator_that_one_class_uses_reaches_tenants_who_do_not() -> None:
    queue = with_options("sch_kueue")
    neither = days_of_two({"dev": SHARED, "prod": SHARED})
    dev = days_of_two({"dev": queue, "prod": SHARED})
    both = days_of_two({"dev": queue, "prod": queue})
    assert neither["prod", "control"] < dev["prod", "control"] <= both["prod", "control"]


def test_fabrics_enforced_outside_the_host_are_never_better_left_out() -> None:
    own = with_options("cp_managed_per_tenant", "node_baremetal_tenant", "st_dedicated")
    fenced = days_of_two({"dev": (*own, "net_dpu"), "prod": (*own, "net_dpu")})
    bare = days_of_two({"dev": own, "prod": own})
    for class_id in ("dev", "prod"):
        assert sum(d for k, d in fenced.items() if k[0] == class_id) < sum(
            d for k, d in bare.items() if k[0] == class_id
        )
