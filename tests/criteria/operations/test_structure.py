from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.criteria.operations.structure import (
    Exported,
    dependency_measures,
    design_structure_matrix,
    measure_structure,
    visibility,
)
from tests.criteria.effort.designs import CLUSTERS, HOSTED, NAMESPACES, VIRTUAL, book, installed, platform, tenant_class

# MacCormack, Rusnak, Baldwin 2006 (doi:10.1287/mnsc.1060.0552), the example of six elements: 15 of 36, 42 %
SIX = {"A": ("B", "C"), "B": ("D",), "C": ("E",), "D": (), "E": ("F",), "F": ()}


def test_propagation_cost_of_the_published_example_is_42_percent() -> None:
    depth, pairs, cost = dependency_measures(SIX)
    assert cost == pytest.approx(15 / 36)
    assert round(cost, 2) == 0.42
    assert pairs == 9
    assert depth == 4


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    size = draw(st.integers(0, 12))
    return {
        f"c{i}": tuple(f"c{j}" for j in sorted(draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set()))
        for i in range(size)
    }


@given(graphs())
@settings(max_examples=60)
def test_reach_and_depth_agree_with_an_independent_library(edges: dict[str, tuple[str, ...]]) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(edges)
    graph.add_edges_from((a, b) for a, needed in edges.items() for b in needed)
    depth, pairs, cost = dependency_measures(edges)
    assert pairs == nx.transitive_closure_dag(graph).number_of_edges()
    assert depth == (nx.dag_longest_path_length(graph) + 1 if edges else 0)
    assert cost == (pytest.approx((pairs + len(edges)) / len(edges) ** 2) if edges else 0)


@given(graphs(), st.data())
@settings(max_examples=40)
def test_a_requirement_added_never_shrinks_what_a_change_can_reach(
    edges: dict[str, tuple[str, ...]], data: st.DataObject
) -> None:
    if len(edges) < 2:
        return
    names = list(edges)
    later = data.draw(st.integers(1, len(names) - 1))
    earlier = data.draw(st.integers(0, later - 1))
    more = {**edges, names[later]: tuple(sorted({*edges[names[later]], names[earlier]}))}
    before, after = visibility(edges), visibility(more)
    assert all(before[name] & ~after[name] == 0 for name in names)


def test_the_matrix_tells_direct_from_indirect_dependence() -> None:
    names, rows = design_structure_matrix(SIX)
    entry = {(a, b): rows[i][j] for i, a in enumerate(names) for j, b in enumerate(names)}
    assert entry["A", "B"] == 2
    assert entry["A", "F"] == 1
    assert entry["F", "A"] == 0
    assert all(entry[name, name] == 0 for name in names)


def test_objects_are_those_counted_in_the_manifests() -> None:
    exported = Exported({"Namespace": 7, "Service": 2}, fields=5, values=30)
    found = measure_structure(installed(platform(), *NAMESPACES), book(), exported)
    assert (found.objects, found.exported) == (9, exported)
    assert measure_structure(installed(platform(), *NAMESPACES), book()).objects == 0


def test_more_tenants_add_instances_but_nothing_to_understand() -> None:
    few, many = (measure_structure(installed(platform(tenant_class(count=n)), *HOSTED), book()) for n in (3, 300))
    assert many.installations > few.installations
    assert many.pods > few.pods
    assert many.actions > few.actions
    for kept in ("components", "crds", "parameters", "agreements", "depth", "pairs", "propagation_cost"):
        assert getattr(few, kept) == getattr(many, kept)


def test_a_cluster_per_tenant_means_more_places_than_a_shared_one() -> None:
    shared, virtual, own = (
        measure_structure(installed(platform(), *options), book()) for options in (NAMESPACES, VIRTUAL, CLUSTERS)
    )
    assert shared.context_switches == 0
    assert virtual.context_switches == own.context_switches - 1 + 1 == 10
    assert shared.installations < virtual.installations < own.installations
