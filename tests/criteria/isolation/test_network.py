from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from kubeanswers.source import parse_yaml
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.isolation.measure import measure
from tenancykit.criteria.isolation.network import contracted
from tenancykit.criteria.isolation.reliability import cheapest_routes, expose
from tenancykit.criteria.isolation.sweep import sweep
from tenancykit.design.model import Design, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.validation import validate
from tests.criteria.isolation.platforms import CATALOGUE, SHARED, result, scenario, with_options

SCENARIO = """
schema: tenancykit/scenario/v1
name: two
tenants:
  classes:
    - {id: dev, kind: team, count: 5, workloads: [{template: w}]}
    - {id: prod, kind: customer, count: 2, workloads: [{template: v}]}
workloads:
  - {id: w, kind: training, gpu: {fraction: 0.5}, storage: {size: 1Gi}, exposure: {}}
  - {id: v, kind: inference, gpu: {count: 1}, exposure: {scope: public}}
infrastructure:
  sites: [{id: one, provider: aws}]
  nodes: [{type: any}]
  fabric: infiniband
"""


def drawn_designs(count: int) -> list[Design]:
    offers: dict[tuple[str, str], list[str]] = {}
    for option in CATALOGUE.options.values():
        offers.setdefault((option.dimension, option.layer), []).append(option.id)
    draw = random.Random(11)  # noqa: S311 - a reproducible sample, no secret

    def options() -> list[str]:
        found = [draw.choice(o) for (d, layer), o in offers.items() if LAYERS[d][layer] or draw.random() < 0.5]  # type: ignore[index]
        return found if any(o.startswith("gpu_") for o in found) else [*found, "gpu_exclusive"]

    return [Design(str(i), "", {name: choose(CATALOGUE, options()) for name in ("dev", "prod")}) for i in range(count)]


def test_many_designs_at_once_get_the_same_figures_as_one_by_one() -> None:
    asked = validate(Scenario, parse_yaml(SCENARIO, "two"))
    designs = drawn_designs(60)
    found = sweep(designs, asked, CATALOGUE, latency_days=80, proven=True)
    for i, design in enumerate(designs):
        alone = measure(resolve(design, asked, CATALOGUE), asked, CATALOGUE, latency_days=80, proven=True)
        assert found.figure[i] == pytest.approx(alone.value, abs=1e-9)
        assert found.exposure[i] == pytest.approx(alone.figures["exposure"], abs=1e-12)
        assert found.depth[i] == alone.figures["depth"]
    assert len(np.unique(found.figure)) > 40


@pytest.mark.parametrize(
    "options", [SHARED, with_options("cp_vcluster_shared", "id_argocd_projects", "net_mesh_linkerd")]
)
def test_the_compiled_network_gives_the_exposure_and_depth_of_the_graph_itself(options: tuple[str, ...]) -> None:
    finding = result(options, scenario()).pairs[0].finding
    model, starts = load_isolation(CATALOGUE), frozenset(finding.graph.starts)
    chance = {name: strength.chance for name, strength in finding.strengths.items()}
    for asset in finding.graph.assets:
        diagram, (root,) = expose(finding.graph.links, dict.fromkeys(finding.graph.starts), [asset.id])
        exposure, depth = contracted(asset.id, starts, model).solve(finding.graph, chance)
        assert contracted(asset.id, frozenset(), model).solve(finding.graph, chance)[1] == depth
        assert exposure == pytest.approx(diagram.probability([root], chance)[0], abs=1e-12)
        routes = cheapest_routes(finding.graph.links, finding.graph.starts, [asset.id], dict.fromkeys(chance, 1.0))
        assert depth == (routes[asset.id].cost if asset.id in routes else 9)


def test_an_asset_that_lies_open_to_everybody_is_open_all_year(tmp_path: Path) -> None:
    (tmp_path / "crossings").mkdir()
    text = "id: open-door\nfrom: network-adjacent\nto: [secrets]\nwhy: a test\n"
    (tmp_path / "crossings" / "extra.yaml").write_text(text)
    catalogue = load_catalogue(tmp_path)
    asked = validate(Scenario, parse_yaml(SCENARIO, "two"))
    designs = drawn_designs(3)
    found = sweep(designs, asked, catalogue)
    for i, design in enumerate(designs):
        alone = measure(resolve(design, asked, catalogue), asked, catalogue)
        assert (alone.figures["exposure"], alone.figures["depth"]) == (1.0, 0)
        assert (found.exposure[i], found.depth[i], found.asset[i]) == (1.0, 0, alone.figures["worst_asset"])


def test_the_graph_can_be_handed_to_networkx() -> None:
    finding = result(SHARED).pairs[0].finding
    drawn = finding.graph.to_networkx()
    assert drawn.number_of_edges() == len(finding.graph.links)
    assert drawn.nodes["pod"]["start"]
    assert all(data["crossing"] and data["why"] for _, _, data in drawn.edges(data=True))
