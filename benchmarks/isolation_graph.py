"""Isolation of 10,000 distinct designs: our sweep against one networkx graph per design and shortest paths on it.

Both baselines do per design what the words say: they gather the facts its options bring, evaluate the catalogue's
conditions, build a networkx ``MultiDiGraph`` of the crossings and ask for the shortest path to every confidentiality or
integrity asset, of the one pair of classes there is. The first weighs a crossing by its barriers and gives depths only.
The second weighs it by the chance that its barriers are down, which it works out per design from the published flaws
that count there, and gives depths and likeliest paths. The sweep starts from the same designs and gives depths and
exact exposures over all paths. Baselines run over a sample and are scaled to all designs; they and the sweep take
turns, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import contextlib
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import cache

import networkx as nx

from harness import line, measure, report
from kubeanswers.source import parse_yaml
from tenancykit.catalogue.attack import Barrier, Breach, Evidence
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.conditions import Condition
from tenancykit.criteria.isolation import measure as measuring
from tenancykit.criteria.isolation.chances import (
    counts_when,
    strength_of,
)
from tenancykit.criteria.isolation.components import breach_of
from tenancykit.criteria.isolation.levels import guarded
from tenancykit.criteria.isolation.sweep import sweep
from tenancykit.design.facts import class_facts
from tenancykit.design.model import Choice, Design, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.validation import validate

DESIGNS = 10_000
SAMPLE = 300
SLOW = 100
ROUNDS = 7
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
CLASSES = SCENARIO.replace(
    "classes: [{",
    """classes: [{id: regulated, kind: customer, count: 4, workloads: [{template: train}]},
    {id: guests, kind: customer, count: 72, workloads: [{template: train}]}, {""",
)
"""The same with three classes, nine ordered pairs of them."""


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
    ids = [c.id for c in scenario.tenants.classes]
    return [Design(f"D{i}", "", dict.fromkeys(ids, choice)) for i, choice in enumerate(chosen.values())]


def naive_chance(barrier: Barrier, facts: set[str], model: IsolationCatalogue) -> float:
    """Return the chance that a barrier is down, counting the published flaws that apply one by one."""
    flaws = []
    for entry, breach, when in counted(model):
        if barrier.id in breach.barriers and entry.year >= int(barrier.since) and when.holds(facts):
            flaws.append(entry.id)
    return strength_of(barrier.id, flaws, frozenset(facts), model).chance


@cache
def counted(model: IsolationCatalogue) -> list[tuple[Evidence, Breach, Condition]]:
    """Return every published flaw with the barriers it brings down and the facts under which it counts."""
    found = []
    for entry in model.evidence.values():
        boundary = model.boundaries[entry.boundary]
        breach = breach_of(entry, boundary)
        if breach is not None:
            found.append((entry, breach, counts_when(entry, boundary, model)))
    return found


def naive_graph(facts: set[str], model: IsolationCatalogue, *, weighed: bool) -> nx.MultiDiGraph[str]:
    """Return the networkx graph of one design's crossings, weighed by barriers or by the chance that they are down."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for crossing in model.crossings.values():
        if crossing.when.holds(facts):
            barriers = [guard.barrier for guard in crossing.guards if guard.when.holds(facts)]
            weight = float(len(barriers))
            if weighed:
                weight = sum(-math.log(naive_chance(model.barriers[name], facts, model)) for name in barriers)
            for target in crossing.to:
                graph.add_edge(crossing.from_, target, weight=weight)
    for position in model.positions.values():
        if position.start.holds(facts):
            graph.add_edge("attacker", position.id, weight=0)
    return graph


def naive(design: Design, base: frozenset[str], model: IsolationCatalogue, *, weighed: bool) -> dict[str, float]:
    """Return the length of the shortest path to every asset on a networkx graph built for this design alone."""
    (choice,) = design.choices.values()
    chosen = set(base).union(*({name, *model.catalogue.options[name].provides} for name in choice.options))
    facts = {f"{side}:{name}" for name in chosen for side in ("attacker", "victim", "both", "either")} | {"same-class"}
    for fact in model.derived.values():
        if fact.when.holds(facts):
            facts.add(fact.id)
    graph = naive_graph(facts, model, weighed=weighed)
    lengths = {}
    for asset in model.assets.values():
        if guarded(asset) and asset.when.holds(facts) and asset.id in graph:
            with contextlib.suppress(nx.NetworkXNoPath):
                path = nx.shortest_path(graph, "attacker", asset.id, weight="weight")
                lengths[asset.id] = float(nx.path_weight(graph, path, "weight"))
    return lengths


def seconds(work: Callable[[], object], times: int) -> float:
    """Return the processor time of one of several runs in a row, which other work on the machine moves less."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def many() -> Sequence[dict[str, object]]:
    """Return the time of a sweep over distinct designs, and its ratio to the baseline."""
    catalogue = load_catalogue()
    model = load_isolation(catalogue)
    scenario = validate(Scenario, parse_yaml(SCENARIO, "scenario"))
    designs = distinct_designs(catalogue, scenario, DESIGNS)
    (only,) = scenario.tenants.classes
    base = class_facts(scenario, only)
    memory = measure(lambda: sweep(designs, scenario, catalogue), runs=1).peak_memory_mib
    rounds = [
        {
            "depth only": seconds(lambda: [naive(d, base, model, weighed=False) for d in designs[:SAMPLE]], 1)
            / SAMPLE
            * DESIGNS,
            "weighed by chance": seconds(lambda: [naive(d, base, model, weighed=True) for d in designs[:SLOW]], 1)
            / SLOW
            * DESIGNS,
            "sweep": seconds(lambda: sweep(designs, scenario, catalogue), 5),
        }
        for _ in range(ROUNDS)
    ]
    plain, full, ours = (statistics.median(times[name] for times in rounds) for name in rounds[0])
    return [
        line(
            f"isolation of {DESIGNS} distinct designs",
            ours,
            "s",
            n=DESIGNS,
            ratio_to={
                "one networkx graph per design, weighed by chance": round(full / ours, 1),
                "one networkx graph per design, depth only": round(plain / ours, 1),
            },
            peak_memory_mib=round(memory, 1),
            baseline_seconds={"weighed by chance": round(full, 2), "depth only": round(plain, 2)},
        )
    ]


def many_of_three_classes() -> Sequence[dict[str, object]]:
    """Return the time of a sweep, open days per class and plane included, over designs of three classes."""
    catalogue = load_catalogue()
    alone, three = (validate(Scenario, parse_yaml(text, "scenario")) for text in (SCENARIO, CLASSES))
    mixed = distinct_designs(catalogue, alone, DESIGNS)
    ids = [c.id for c in three.tenants.classes]
    choices = [next(iter(design.choices.values())) for design in mixed]
    designs = [
        Design(f"D{i}", "", {name: choices[(i + place * 37) % DESIGNS] for place, name in enumerate(ids)})
        for i in range(DESIGNS)
    ]
    sweep(mixed, alone, catalogue)
    rounds = [
        (
            seconds(lambda: sweep(designs, three, catalogue).days, 1),
            seconds(lambda: sweep(mixed, alone, catalogue).days, 1),
        )
        for _ in range(3)
    ]
    ours, single = (statistics.median(times) for times in zip(*rounds, strict=True))
    return [
        line(
            f"open days per class and plane of {DESIGNS} designs, a choice per class of three",
            ours,
            "s",
            n=DESIGNS,
            ratio_to={"the same of one class": round(ours / single, 2)},
        )
    ]


def one() -> Sequence[dict[str, object]]:
    """Return the processor time of one design's full score with nothing remembered of it, and its ratio to a graph."""
    catalogue = load_catalogue()
    model = load_isolation(catalogue)
    scenario = validate(Scenario, parse_yaml(SCENARIO, "scenario"))
    (only,) = scenario.tenants.classes
    base = class_facts(scenario, only)
    designs = distinct_designs(catalogue, scenario, 200)
    times: list[float] = []
    plain: list[float] = []
    for design in designs:
        resolved = resolve(design, scenario, catalogue)
        start = time.process_time()
        measuring.measure(resolved, scenario, catalogue)
        between = time.process_time()
        naive(design, base, model, weighed=True)
        times.append(between - start)
        plain.append(time.process_time() - between)
    ours, theirs = statistics.median(times), statistics.median(plain)
    return [
        line(
            "isolation of one design, interval and evidence included",
            ours * 1e3,
            "ms",
            n=len(times),
            ratio_to={"one networkx graph, weighed by chance": round(theirs / ours, 2)},
        )
    ]


if __name__ == "__main__":
    report(__doc__ or "", [many, many_of_three_classes, one])
