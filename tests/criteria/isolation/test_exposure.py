"""Open days a year per class and plane: what they add up, that they equal a count of states, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from kubeanswers.source import parse_yaml
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR
from tenancykit.criteria.isolation.exposure import IsolationResult, exposure_draws
from tenancykit.criteria.isolation.interval import chance_draws
from tenancykit.criteria.isolation.measure import assess, measure
from tenancykit.criteria.isolation.network import contracted
from tenancykit.criteria.isolation.reliability import reachable
from tenancykit.criteria.isolation.sweep import sweep
from tenancykit.design.model import Design, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.validation import validate
from tests.criteria.isolation.platforms import CATALOGUE, SHARED, resolved, result, scenario, with_options
from tests.criteria.isolation.test_network import SCENARIO, drawn_designs

MODEL = load_isolation(CATALOGUE)
OWN_CLUSTER = with_options("cp_managed_per_tenant", "node_dedicated_tenant")


def test_many_designs_at_once_get_the_same_open_days_as_one_by_one() -> None:
    asked = validate(Scenario, parse_yaml(SCENARIO, "two"))
    designs = drawn_designs(25)
    found = sweep(designs, asked, CATALOGUE)
    for i, design in enumerate(designs):
        alone = measure(resolve(design, asked, CATALOGUE), asked, CATALOGUE).detail.days
        assert set(alone) == set(found.days)
        for key, days in alone.items():
            assert found.days[key][i] == pytest.approx(days, abs=1e-9)


@pytest.mark.parametrize("options", [SHARED, OWN_CLUSTER])
def test_open_days_of_a_plane_are_those_of_its_assets_added_up(options: tuple[str, ...]) -> None:
    found = result(options)
    (pair,) = found.pairs
    for exposure in found.exposure:
        if exposure.plane == "performance":
            continue
        assets = [a for a in pair.finding.assets if a.guarded and a.plane == exposure.plane]
        assert exposure.days == pytest.approx(sum(a.exposure for a in assets) * DAYS_PER_YEAR)
        assert exposure.low <= exposure.days <= exposure.high
        assert 0 <= exposure.assumption_share <= 1
        assert exposure.asset in {a.asset for a in assets} or exposure.days == 0


def test_open_days_equal_a_count_over_drawn_states_of_every_barrier() -> None:
    """Barriers fall at random, 4,000 times over; the share of times a path stood open is the exposure."""
    (pair,) = result(SHARED).pairs
    graph, strengths = pair.finding.graph, pair.finding.strengths
    draw = np.random.default_rng(5)
    states = {name: draw.random(4000) < strength.chance for name, strength in strengths.items()}
    opened = dict.fromkeys((a.id for a in graph.assets), 0)
    for i in range(4000):
        down = {name for name, falls in states.items() if falls[i]}
        for node in reachable(graph.links, graph.starts, down.__contains__):
            if node in opened:
                opened[str(node)] += 1
    for asset in pair.finding.assets:
        assert opened[asset.asset] / 4000 == pytest.approx(asset.exposure, abs=0.03)


def test_a_second_class_of_the_same_kind_moves_no_exposure() -> None:
    row = "{id: NAME, kind: team, count: 10, workloads: [{template: w}]}"
    text = """
schema: tenancykit/scenario/v1
name: kinds
tenants: {classes: [ROWS]}
workloads: [{id: w, kind: training, gpu: {count: 1}, storage: {size: 1Gi}}]
infrastructure: {sites: [{id: one, provider: own}], nodes: [{type: any}]}
"""
    found: list[IsolationResult] = []
    for names in (["first"], ["first", "second"]):
        rows = ", ".join(row.replace("NAME", name) for name in names)
        asked = validate(Scenario, parse_yaml(text.replace("ROWS", rows), "kinds"))
        found.append(assess(resolved(SHARED, asked), MODEL))
    one, two = found
    for plane in one.planes["first"]:
        assert one.days["first", plane] == pytest.approx(two.days["first", plane])
        assert two.days["second", plane] == pytest.approx(two.days["first", plane])


def test_a_tenant_that_is_alone_is_exposed_to_nobody_on_any_plane() -> None:
    found = result(SHARED, scenario(count=1))
    assert {e.plane for e in found.exposure} == set(found.planes["all"])
    assert all(e.days == e.high == e.assumption_share == 0 and e.nines == 12 for e in found.exposure)


def test_what_a_class_cannot_lose_is_no_plane_of_it() -> None:
    text = SCENARIO.replace("gpu: {count: 1}, ", "")
    asked = validate(Scenario, parse_yaml(text, "two"))
    design = Design("t", "", {c.id: choose(CATALOGUE, SHARED) for c in asked.tenants.classes})
    found = assess(resolve(design, asked, CATALOGUE), MODEL)
    assert "accelerator" in found.planes["dev"]
    assert "accelerator" not in found.planes["prod"]


@pytest.mark.parametrize("options", [SHARED, OWN_CLUSTER])
def test_how_much_an_exposure_grows_with_a_barriers_chance_is_its_derivative(options: tuple[str, ...]) -> None:
    (pair,) = result(options).pairs
    graph = pair.finding.graph
    chance = {name: strength.chance for name, strength in pair.finding.strengths.items()}
    for asset in pair.finding.assets:
        network = contracted(asset.asset, frozenset(graph.starts), MODEL)
        for name, slope in network.slopes(graph, chance).items():
            up, down = ({**chance, name: chance[name] + step} for step in (1e-6, -1e-6))
            numeric = (network.solve(graph, up)[0] - network.solve(graph, down)[0]) / 2e-6
            assert slope == pytest.approx(numeric, abs=1e-6)


def test_every_draw_is_the_exposure_under_the_chances_drawn() -> None:
    found = result(SHARED)
    (pair,) = found.pairs
    chances = chance_draws(pair.finding.strengths, 8)
    days = exposure_draws(found, MODEL, draws=8)
    for i in range(8):
        chance = {name: float(values[i]) for name, values in chances.items()}
        total = dict.fromkeys(found.planes["all"], 0.0)
        for asset in pair.finding.assets:
            if asset.guarded:
                network = contracted(asset.asset, frozenset(pair.finding.graph.starts), MODEL)
                total[asset.plane] += network.solve(pair.finding.graph, chance)[0] * DAYS_PER_YEAR
        for plane, value in total.items():
            if plane == "performance":
                continue
            assert days["all", plane][i] == pytest.approx(value)


def asked_of_provider(trust: str, kind: str = "team", *, virtualised: bool = True) -> Scenario:
    """Return the usual scenario on a cloud whose provider is trusted so far."""
    plain = scenario(kind, provider="aws", virtualised=virtualised)
    infrastructure = plain.infrastructure.model_copy(update={"provider_trust": trust})
    return plain.model_copy(update={"infrastructure": infrastructure})


def test_confidential_computing_is_worth_something_only_where_the_provider_is_not_trusted() -> None:
    own = with_options("cp_managed_per_tenant", "node_dedicated_tenant")
    kata, confidential = (with_options(runtime, base=own) for runtime in ("rt_kata", "rt_coco"))
    gained = {}
    for trust in ("trusted", "contractual", "distrusted"):
        asked = asked_of_provider(trust, "customer", virtualised=False)
        gained[trust] = result(kata, asked).days["all", "compute"] - result(confidential, asked).days["all", "compute"]
    assert 0 <= gained["trusted"] < 3
    assert gained["contractual"] > gained["trusted"]
    assert gained["distrusted"] > 100


def test_own_hosts_keys_and_control_planes_earn_what_they_are_for_where_the_provider_is_not_trusted() -> None:
    asked = asked_of_provider("distrusted")
    shared_hosts = result(OWN_CLUSTER, asked).days
    hosts = with_options("node_baremetal_tenant", base=OWN_CLUSTER)
    assert result(hosts, asked).days["all", "compute"] < shared_hosts["all", "compute"] / 2
    keys = with_options("st_tenant_keys", base=OWN_CLUSTER)
    assert result(keys, asked).days["all", "storage"] < shared_hosts["all", "storage"] / 2


def test_many_designs_at_once_know_the_provider_too() -> None:
    plain = validate(Scenario, parse_yaml(SCENARIO, "two"))
    infrastructure = plain.infrastructure.model_copy(update={"provider_trust": "contractual"})
    asked = plain.model_copy(update={"infrastructure": infrastructure, "patch_days": {"kernel": 10.0}})
    designs = drawn_designs(8)
    found = sweep(designs, asked, CATALOGUE)
    for i, design in enumerate(designs):
        alone = measure(resolve(design, asked, CATALOGUE), asked, CATALOGUE).detail.days
        for key, days in alone.items():
            assert found.days[key][i] == pytest.approx(days, abs=1e-9)


@pytest.mark.parametrize("fabric", ["infiniband", "roce"])
def test_fabrics_enforced_outside_the_host_are_no_weaker_than_partition_keys_on_shared_hosts(fabric: str) -> None:
    text = SCENARIO.replace("{id: w, kind: training,", "{id: w, kind: training, rdma: true,").replace(
        "infiniband", fabric
    )
    asked = validate(Scenario, parse_yaml(text, "two"))
    keys = "net_rdma_pkey" if fabric == "infiniband" else "net_spectrum_x"
    shared_hosts = with_options("net_vpc_per_tenant", base=(*OWN_CLUSTER, keys))
    own_hosts = with_options("node_baremetal_tenant", "net_dpu", base=OWN_CLUSTER)
    three = (*own_hosts, keys)
    partitioned, enforced, all_three = (result(o, asked).days for o in (shared_hosts, own_hosts, three))
    for plane in ("compute", "network", "accelerator"):
        assert all_three["dev", plane] <= enforced["dev", plane] * 1.001
        assert enforced["dev", plane] <= partitioned["dev", plane]
