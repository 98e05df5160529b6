"""The limits of scale are checked against the machines and pods that the cost criterion places."""

from __future__ import annotations

import pytest

from tenancykit.api import load_scenario
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.operations.limits import BYTES_PER_OBJECT, HUB, SHARED, SYSTEM_NAMESPACES
from tenancykit.criteria.operations.measure import Operations
from tenancykit.design.validity import reference_design
from tenancykit.examples import EXAMPLES
from tenancykit.manifests.counting import count_objects
from tenancykit.study.evaluation import Evaluation, evaluate, evaluate_resolved
from tenancykit.study.holding import held_by
from tests.criteria.effort.designs import CLUSTERS, HOSTED, NAMESPACES, catalogue, designed, platform, tenant_class


def evaluated(example: str, reference: str) -> Evaluation:
    scenario = load_scenario(example)
    return evaluate(
        reference_design(load_catalogue().references[reference], scenario, load_catalogue()), scenario, load_catalogue()
    )


@pytest.mark.parametrize("example", sorted(EXAMPLES))
@pytest.mark.parametrize("reference", ["RA01", "RA09"])
def test_machines_held_against_the_limits_are_those_that_are_paid_for(example: str, reference: str) -> None:
    found = evaluated(example, reference)
    statement, figures = found.scores["cost"].detail, found.scores["cost"].figures
    paid = sum(sum(figures[part].values()) for part in ("nodes", "spare_nodes", "nodes_to_buy_for_pending"))
    each = {clusters.id: 0.0 for clusters in statement.layout.clusters}
    for one in statement.housing.housed:
        each[one.domain.cluster] += (sum(one.nodes.values()) + sum(one.extra.values())) * one.copies
    assert sum(each.values()) + sum(statement.housing.spare.values()) == paid
    held = held_by(statement, count_objects(found.resolved, found.scenario, found.catalogue))
    shared = [clusters for clusters in statement.layout.clusters if clusters.kind == "shared"]
    if len(shared) == 1:
        assert held[SHARED].all.nodes == each[shared[0].id] + sum(statement.housing.spare.values())
    for clusters in statement.layout.clusters:
        if clusters.kind == "tenant":
            for name in clusters.classes & held.keys():
                assert held[name].all.nodes >= each[clusters.id] / clusters.copies * (1 - 1e-12)


def test_a_platform_of_bought_machines_is_held_against_the_limit_of_nodes() -> None:
    scenario = platform(tenant_class(count=25_000))  # two GPUs each, eight to a node
    operations = evaluate_resolved(designed(scenario, *NAMESPACES), scenario, catalogue()).scores["operations"]
    passed = {item["limit"]: item for item in operations.figures["limits_exceeded"]}
    assert passed["kubernetes.nodes"]["needed"] >= 25_000 * 2 / 8
    assert passed["kubernetes.nodes"]["place"] == "the shared cluster"
    assert 5_000 < passed["kubernetes.nodes"]["from_tenants"] < 25_000
    assert any("nodes in the shared cluster" in evidence.label for _, evidence in operations.evidence.walk())


def test_clusters_of_their_own_hold_only_their_tenants_machines() -> None:
    scenario = platform(tenant_class(count=2_500))
    for options in (CLUSTERS, HOSTED):
        found = evaluate_resolved(designed(scenario, *options), scenario, catalogue())
        operations = found.scores["operations"].detail
        assert isinstance(operations, Operations)
        nodes = {f.place: f.needed for f in operations.limits if f.limit == "kubernetes.nodes"}
        assert nodes["a tenant's cluster of teams"] < 10
        assert "the shared cluster" not in nodes
    assert HUB in held_by(found.scores["cost"].detail, count_objects(found.resolved, scenario, catalogue()))


def test_namespaces_services_and_objects_are_those_of_the_exported_manifests() -> None:
    scenario = platform(tenant_class(count=300))
    found = evaluate_resolved(designed(scenario, *NAMESPACES), scenario, catalogue())
    counted = count_objects(found.resolved, scenario, catalogue())
    held = held_by(found.scores["cost"].detail, counted)[SHARED]
    assert held.all.objects == counted.objects
    assert held.all.namespaces == counted.kinds["Namespace"]
    limits = {f.limit: f for f in found.scores["operations"].detail.limits if f.place == "the shared cluster"}
    tenants = held.growing.namespaces
    assert tenants >= 300
    assert limits["kubernetes.namespaces"].needed == tenants + SYSTEM_NAMESPACES
    assert limits["etcd.bytes"].needed > counted.objects * BYTES_PER_OBJECT


def test_services_behind_a_virtual_control_plane_count_in_the_shared_cluster() -> None:
    services = {
        reference: {
            f.limit: f.needed
            for f in evaluated("saas-inference", reference).scores["operations"].detail.limits
            if f.place == "the shared cluster"
        }["kubernetes.services"]
        for reference in ("RA01", "RA04")
    }
    assert services["RA04"] == services["RA01"] > 0


def test_a_tenants_cluster_holds_the_objects_of_one_tenant() -> None:
    few, many = (platform(tenant_class(count=count)) for count in (5, 500))
    each = [count_objects(designed(s, *CLUSTERS), s, catalogue()).clusters["teams"] for s in (few, many)]
    assert each[0] == each[1]
    assert each[0].own["Namespace"] >= 1
