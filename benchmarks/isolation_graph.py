"""Isolation of 10,000 distinct designs: our sweep against one networkx graph per design and shortest paths on it.

The baseline does per design what the words say: it evaluates the catalogue's conditions, builds a networkx
``MultiDiGraph`` of the crossings and asks for the shortest path (weight: barriers) to every confidentiality or
integrity asset. It gives depths only; the sweep gives depths and exact exposures. The baseline runs over a sample of the designs
and is scaled to all of them.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import time
from collections.abc import Sequence

import networkx as nx
from harness import line, measure, report
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.model import LAYERS
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.criteria.isolation import graph as graphs
from tenancykit.criteria.isolation import measure as measuring
from tenancykit.criteria.isolation.levels import guarded
from tenancykit.criteria.isolation.sweep import sweep
from tenancykit.design.model import Choice, Design, ResolvedDesign, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.source import parse_yaml
from tenancykit.validation import validate

DESIGNS = 10_000
SAMPLE = 300
SCENARIO = """
schema: tenancykit/scenario/v1
name: bench
tenants:
  classes: [{id: teams, kind: team, count: 20, workloads: [{template: train}]}]
workloads:
  - {id: train, kind: training, replicas: 4, gpu: {fraction: 0.5}, storage: {size: 100Gi}, exposure: {}, rdma: true}
infrastructure:
  sites: [{id: one, provider: own}]
  nodes: [{type: any}]
  fabric: infiniband
"""


def distinct_designs(catalogue: Catalogue, scenario: Scenario, size: int) -> list[Design]:
    """Return designs with different choices, drawn at random with a fixed seed; rules are not asked."""
    offers: dict[tuple[str, str], list[str]] = {}
    for option in catalogue.options.values():
        if option.selectable:
            offers.setdefault((option.dimension, option.layer), []).append(option.id)
    draw = random.Random(1)  # noqa: S311 - a reproducible sample, no secret
    chosen: dict[tuple[str, ...], Choice] = {}
    while len(chosen) < size:
        options = [draw.choice(o) for (d, layer), o in offers.items() if LAYERS[d][layer] or draw.random() < 0.5]  # type: ignore[index]
        if not any(option.startswith("gpu_") for option in options):
            options.append("gpu_exclusive")
        choice = choose(catalogue, options)
        chosen.setdefault(choice.options, choice)
    (only,) = scenario.tenants.classes
    return [Design(f"D{i}", "", {only.id: choice}) for i, choice in enumerate(chosen.values())]


def naive_depths(resolved: ResolvedDesign, model: IsolationCatalogue) -> dict[str, int]:
    """Return the depth of every asset by shortest path on a networkx graph built for this design alone."""
    (only,) = resolved.classes
    facts = {f"{side}:{name}" for name in only.facts for side in graphs.SIDES} | {"same-class"}
    for fact in model.derived.values():
        if fact.when.holds(facts):
            facts.add(fact.id)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for crossing in model.crossings.values():
        if crossing.when.holds(facts):
            barriers = [guard.barrier for guard in crossing.guards if guard.when.holds(facts)]
            for target in crossing.to:
                graph.add_edge(crossing.from_, target, weight=len(barriers))
    for position in model.positions.values():
        if position.start.holds(facts):
            graph.add_edge("attacker", position.id, weight=0)
    depths = {}
    for asset in model.assets.values():
        if guarded(asset) and asset.when.holds(facts) and asset.id in graph:
            with contextlib.suppress(nx.NetworkXNoPath):
                path = nx.shortest_path(graph, "attacker", asset.id, weight="weight")
                depths[asset.id] = int(nx.path_weight(graph, path, "weight"))
    return depths


def many() -> Sequence[dict[str, object]]:
    """Return the time of a sweep over distinct designs, and its ratio to the baseline."""
    catalogue = load_catalogue()
    model = load_isolation(catalogue)
    scenario = validate(Scenario, parse_yaml(SCENARIO, "scenario"))
    designs = distinct_designs(catalogue, scenario, DESIGNS)
    resolved = [resolve(design, scenario, catalogue) for design in designs[:SAMPLE]]
    naive_depths(resolved[0], model)
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        for design in resolved:
            naive_depths(design, model)
        runs.append((time.perf_counter() - start) / SAMPLE * DESIGNS)
    naive = statistics.median(runs)
    ours = measure(lambda: sweep(designs, scenario, catalogue), runs=5)
    return [
        line(
            f"isolation of {DESIGNS} distinct designs",
            ours.seconds,
            "s",
            n=DESIGNS,
            ratio_to={"one networkx graph per design": round(naive / ours.seconds, 1)},
            peak_memory_mib=round(ours.peak_memory_mib, 1),
            baseline_seconds=round(naive, 2),
        )
    ]


def one() -> Sequence[dict[str, object]]:
    """Return the time of one design's full score, with nothing remembered of it."""
    catalogue = load_catalogue()
    scenario = validate(Scenario, parse_yaml(SCENARIO, "scenario"))
    resolved = [resolve(d, scenario, catalogue) for d in distinct_designs(catalogue, scenario, 200)]
    measuring.measure(resolved[0], scenario, catalogue)
    times = []
    for design in resolved[1:]:
        start = time.perf_counter()
        measuring.measure(design, scenario, catalogue)
        times.append(time.perf_counter() - start)
    return [line("isolation of one design, interval and evidence included", statistics.median(times) * 1e3, "ms", n=len(times))]


if __name__ == "__main__":
    report(__doc__ or "", [many, one])
