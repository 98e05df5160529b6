from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.design.components import closure
from tenancykit.design.growth import at_tenants, crossings, scaled_tenants
from tests.criteria.effort.designs import (
    CLUSTERS,
    HOSTED,
    NAMESPACES,
    VIRTUAL,
    catalogue,
    designed,
    installed,
    platform,
    tenant_class,
)


def test_everything_an_installed_component_requires_is_installed_before_it() -> None:
    for options in (NAMESPACES, VIRTUAL, CLUSTERS, HOSTED):
        found = installed(platform(), *options)
        order = list(found.installations)
        for component, needed in found.edges.items():
            assert all(order.index(n) < order.index(component) for n in needed)


def test_every_component_says_what_asks_for_it() -> None:
    found = installed(platform(), *HOSTED)
    known = {*catalogue().options, *found.installations}
    assert all(i.because and set(i.because) <= known for i in found.installations.values())


def test_tenants_of_a_shared_control_plane_share_one_cluster_per_site() -> None:
    scenario = platform(
        infrastructure={
            "sites": [{"id": "a", "provider": "own", "jurisdiction": "eu"}, {"id": "b", "provider": "own"}],
            "nodes": [{"type": "n", "spec": {"cpu": 8, "memory": "32Gi", "price_per_hour": 1}}],
        }
    )
    assert installed(scenario, *NAMESPACES).whole.shared_clusters == 2
    assert installed(scenario, *NAMESPACES).whole.tenant_clusters == 0
    assert designed(scenario, *NAMESPACES).name == "namespaces on one shared cluster per site"
    assert designed(scenario, *VIRTUAL).name == "virtual clusters (vCluster) on one shared cluster per site"


def test_a_class_that_must_stay_in_a_jurisdiction_uses_only_its_sites() -> None:
    scenario = platform(
        tenant_class(residency=["eu"]),
        infrastructure={
            "sites": [{"id": "a", "provider": "own", "jurisdiction": "eu"}, {"id": "b", "provider": "own"}],
            "nodes": [{"type": "n", "spec": {"cpu": 8, "memory": "32Gi", "price_per_hour": 1}}],
        },
    )
    assert installed(scenario, *NAMESPACES).whole.shared_clusters == 1
    assert designed(scenario, *NAMESPACES).name == "namespaces on one shared cluster"


def test_classes_of_two_jurisdictions_share_a_cluster_at_each_site_and_are_told_so() -> None:
    scenario = platform(
        tenant_class(id="there", residency=["eu"]),
        tenant_class(id="here", residency=["us"]),
        infrastructure={
            "sites": [{"id": place, "provider": "own", "jurisdiction": place} for place in ("eu", "us")],
            "nodes": [{"type": "n", "spec": {"cpu": 8, "memory": "32Gi", "price_per_hour": 1}}],
        },
    )
    found = designed(scenario, *NAMESPACES)
    assert closure(found, scenario, catalogue()).whole.shared_clusters == 2
    assert found.tight == "one shared cluster per site"
    apart = designed(scenario, there=NAMESPACES, here=CLUSTERS)
    assert "one shared cluster" in apart.short
    assert "per site" not in apart.short


def test_a_cluster_per_tenant_installs_cluster_components_once_per_tenant() -> None:
    found = installed(platform(tenant_class(count=7)), *CLUSTERS)
    assert found.whole.tenant_clusters == 7
    assert found.installations["kueue"].instances == 7
    assert found.installations["capi-core"].instances == 1
    assert found.whole.hubs == 1


def test_virtual_control_planes_are_counted_beside_the_shared_cluster() -> None:
    extent = installed(platform(tenant_class(count=7)), *VIRTUAL).whole
    assert (extent.shared_clusters, extent.virtual_control_planes, extent.api_servers) == (1, 7, 8)


def test_classes_with_different_designs_are_counted_apart() -> None:
    scenario = platform(tenant_class(id="a", count=5), tenant_class(id="b", kind="customer", count=3))
    found = closure(designed(scenario, a=NAMESPACES, b=CLUSTERS), scenario, catalogue())
    assert found.installations["kueue"].classes == ("a", "b")
    assert found.installations["kueue"].instances == 1 + 3
    assert found.installations["capi-core"].classes == ("b",)
    assert found.extent(["a"]).clusters == 1
    assert found.extent(["b"]).clusters == 3


def test_leaving_an_option_out_removes_exactly_its_components() -> None:
    scenario = platform()
    with_queue = installed(scenario, *NAMESPACES).installations
    without = installed(scenario, *[o for o in NAMESPACES if o != "sch_kueue"]).installations
    removed = set(with_queue) - set(without)
    assert removed == {"kueue"}
    assert {k: v.instances for k, v in without.items()} == {
        k: v.instances for k, v in with_queue.items() if k not in removed
    }


def test_a_scope_nobody_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="node"):
        installed(platform(), *NAMESPACES).whole.count("node")


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 500), min_size=1), st.integers(1, 20_000))
@settings(max_examples=60)
def test_scaled_tenants_keep_proportions_and_no_class_is_empty(today: dict[str, int], tenants: int) -> None:
    counts = scaled_tenants(today, tenants)
    assert all(count >= 1 for count in counts.values())
    assert sum(counts.values()) == max(tenants, len(today))
    total = sum(today.values())
    assert all(counts[c] <= tenants * today[c] / total + 1 for c in today)


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 500), min_size=1))
@settings(max_examples=30)
def test_scaling_to_todays_number_changes_nothing(today: dict[str, int]) -> None:
    assert scaled_tenants(today, sum(today.values())) == today


def test_installations_follow_the_number_of_tenants() -> None:
    found = at_tenants(installed(platform(), *CLUSTERS), 10_000)
    assert found.installations["kueue"].instances == 10_000
    assert found.installations["capi-core"].instances == 1


def test_a_crossing_is_the_first_number_at_which_the_other_takes_less() -> None:
    found = crossings(("flat", lambda _: 100.0), ("steep", lambda n: 3.0 * n), most=1_000)
    assert [(c.tenants, c.less, c.more) for c in found] == [(34, "flat", "steep")]
    assert found[0].amount == 100.0


def test_curves_that_never_meet_have_no_crossing() -> None:
    assert crossings(("low", float), ("high", lambda n: n + 1.0)) == ()


def test_two_crossings_are_both_found() -> None:
    found = crossings(("bowl", lambda n: (n - 100) ** 2 / 50), ("line", lambda _: 100.0), most=5_000)
    assert [(c.tenants, c.less) for c in found] == [(30, "bowl"), (171, "line")]
