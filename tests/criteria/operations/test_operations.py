from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from tenancykit.catalogue.work import ToilKind
from tenancykit.criteria.operations.assumptions import assumptions
from tenancykit.criteria.operations.limits import (
    HUB,
    NOTHING_PLACED,
    SHARED,
    Demand,
    Finding,
    Held,
    Placed,
    check_limits,
)
from tenancykit.criteria.operations.measure import Operations, measure
from tenancykit.criteria.operations.toil import ToilLine, Workload, workload
from tenancykit.criteria.score import Score
from tenancykit.design.components import closure
from tenancykit.design.growth import Curve, crossings
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario
from tests.criteria.effort.designs import (
    CLUSTERS,
    FLEET_OF_CLUSTERS,
    HOSTED,
    NAMESPACES,
    VIRTUAL,
    book,
    catalogue,
    designed,
    installed,
    platform,
    tenant_class,
)


def operations(scenario: Scenario, *options: str, **passed: Any) -> Score:
    return measure(designed(scenario, *options), scenario, catalogue(), **passed)


def toil(scenario: Scenario, *options: str) -> Workload:
    return workload(installed(scenario, *options), scenario, book())


def detail(score: Score) -> Operations:
    assert isinstance(score.detail, Operations)
    return score.detail


def line(found: Workload, activity: str, subject: str = "") -> ToilLine:
    return next(x for x in found.lines if x.activity.id == activity and subject in ("", x.subject))


@pytest.mark.parametrize("reference", sorted(catalogue().references))
def test_every_reference_architecture_has_operations_that_add_up(reference: str) -> None:
    scenario = platform(tenant_class(compliance=["hipaa"]))
    design = resolve(reference_design(catalogue().references[reference], scenario, catalogue()), scenario, catalogue())
    score = measure(design, scenario, catalogue())
    figures = score.figures
    assert 0 < score.low < score.value < score.high
    assert figures["toil_hours_month"] + figures["knowledge_hours_month"] == pytest.approx(score.value)
    assert sum(figures["toil_by_kind"].values()) == pytest.approx(figures["toil_hours_month"])
    assert sum(figures["toil_by_subject"].values()) == pytest.approx(figures["toil_hours_month"])
    assert set(figures["toil_by_kind"]) <= set(get_args(ToilKind))
    parts = {child.label: child.value for child in score.evidence.children}
    assert parts["toil"] == pytest.approx(figures["toil_hours_month"])
    for _, evidence in score.evidence.walk():
        assert evidence.children or evidence.source or evidence.assumption or evidence.note, evidence.label
    json.dumps(dict(figures), allow_nan=False)


def test_the_score_is_toil_and_knowledge_and_both_stay_visible() -> None:
    score = operations(platform(), *NAMESPACES)
    found = detail(score)
    assert score.value == pytest.approx(found.workload.total.mean + found.upkeep.mean)
    counts = {part.rate: part.count for part in found.knowledge}
    assert counts["knowledge.component_hours"] == len(found.closure.installations)
    assert counts["knowledge.dependency_hours"] == found.structure.pairs


def test_leaving_an_option_out_removes_exactly_its_toil() -> None:
    scenario = platform()
    with_drivers = {(x.activity.id, x.subject): x.hours.mean for x in toil(scenario, *NAMESPACES, "gpu_mig").lines}
    without = {(x.activity.id, x.subject): x.hours.mean for x in toil(scenario, *NAMESPACES).lines}
    assert set(with_drivers) - set(without) == {("gpu_mig.profiles", "gpu_mig")}
    changed = {key for key in without if with_drivers[key] != pytest.approx(without[key])}
    assert changed <= {("incidents.after_change", "incidents")}


def test_leaving_a_component_out_removes_its_upgrades_and_the_incidents_they_cause() -> None:
    scenario = platform()
    more = toil(scenario, *NAMESPACES)
    less = toil(scenario, *[o for o in NAMESPACES if o != "obs_opencost"])
    gone = {(x.activity.id, x.subject) for x in more.lines} - {(x.activity.id, x.subject) for x in less.lines}
    assert ("components.upgrade", "opencost") in gone
    assert {subject for _, subject in gone} == {"opencost", "obs_opencost"}
    incidents = [line(found, "incidents.after_change").hours.mean for found in (less, more)]
    assert incidents[0] < incidents[1]


def test_kubernetes_minors_follow_its_release_cadence() -> None:
    found = line(toil(platform(), *NAMESPACES), "clusters.minor")
    assert found.per_year.mean == 3
    assert found.activity.hours.likely * 3 * found.first.mean / 12 == pytest.approx(
        found.hours.mean * found.activity.hours.likely / found.activity.hours.mean
    )


def test_component_upgrades_follow_releases_and_what_their_support_demands() -> None:
    found = toil(platform(), *NAMESPACES, "net_mesh_linkerd")
    components = catalogue().components
    most = book().rate("upgrades.most_per_year")
    for x in found.lines:
        if x.activity.id == "components.upgrade":
            lifecycle = components[x.subject].lifecycle
            assert x.per_year.mean <= (lifecycle.minor_releases_12m or 0) + 1e-9
            if lifecycle.minor_releases_12m and lifecycle.minor_releases_12m <= most.low:
                assert x.per_year.mean == lifecycle.minor_releases_12m


def test_a_short_support_window_forces_more_upgrades_than_habit() -> None:
    scenario = platform()
    gvisor = ["rt_gvisor" if o == "rt_runc" else o for o in NAMESPACES]
    found = line(toil(scenario, *gvisor), "components.upgrade", "gvisor-installer")
    assert found.per_year.mean > book().rate("upgrades.most_per_year").high


def test_growth_brings_onboarding_and_churn_brings_both() -> None:
    still, growing, shrinking = (toil(platform(tenant_class(growth_per_year=g)), *NAMESPACES) for g in (0.0, 1.0, -0.5))
    on, off = "namespace_tenants.onboard", "namespace_tenants.offboard"
    assert line(still, on).per_year.mean == pytest.approx(line(still, off).per_year.mean)
    assert line(growing, on).per_year.mean == pytest.approx(line(still, on).per_year.mean + 1)
    assert line(growing, off).per_year.mean == pytest.approx(line(still, off).per_year.mean)
    assert line(shrinking, off).per_year.mean == pytest.approx(line(still, off).per_year.mean + 0.5)


def test_customers_churn_by_their_own_rate() -> None:
    team, customer = (toil(platform(tenant_class(kind=k)), *NAMESPACES) for k in ("team", "customer"))
    rate = line(customer, "namespace_tenants.offboard").per_year.mean
    assert rate == pytest.approx(book().rate("churn.customer").mean)
    assert rate > line(team, "namespace_tenants.offboard").per_year.mean


def test_automation_takes_hours_away() -> None:
    hours = [toil(platform(team={"automation": a}), *CLUSTERS).total.mean for a in ("manual", "scripts", "gitops")]
    assert hours[0] > hours[1] > hours[2]


def test_a_managed_control_plane_takes_fewer_hours_than_one_of_ones_own() -> None:
    own = platform()
    infrastructure = {**own.infrastructure.model_dump(), "control_plane": "managed"}
    managed = own.model_copy(update={"infrastructure": type(own.infrastructure).model_validate(infrastructure)})
    assert toil(managed, *NAMESPACES).total.mean < toil(own, *NAMESPACES).total.mean


def test_namespaces_take_less_toil_than_a_cluster_per_tenant_and_the_gap_widens_without_a_fleet_layer() -> None:
    gaps, fleet_gaps = [], []
    for count in (3, 30, 300, 3_000):
        scenario = platform(tenant_class(count=count))
        shared, own, fleet = (
            toil(scenario, *options).total.mean for options in (NAMESPACES, CLUSTERS, FLEET_OF_CLUSTERS)
        )
        assert shared < own
        gaps.append(own / shared)
        fleet_gaps.append(fleet / shared)
    assert gaps == sorted(gaps)
    assert fleet_gaps == sorted(fleet_gaps, reverse=True)


def test_the_number_of_tenants_from_which_a_fleet_layer_pays_is_reported() -> None:
    scenario = platform()
    curves = {
        name: Curve(installed(scenario, *options), toil(scenario, *options).total_for, name)
        for name, options in {"clusters": CLUSTERS, "fleet": FLEET_OF_CLUSTERS, "namespaces": NAMESPACES}.items()
    }
    read = {name: (name, lambda n, curve=curve: curve.at(n).mean) for name, curve in curves.items()}
    (found,) = crossings(read["clusters"], read["fleet"])
    assert found.less == "fleet"
    assert curves["fleet"].at(found.tenants).mean < curves["clusters"].at(found.tenants).mean
    assert curves["fleet"].at(found.tenants - 1).mean >= curves["clusters"].at(found.tenants - 1).mean
    assert crossings(read["namespaces"], read["clusters"]) == ()


@pytest.mark.parametrize("options", [NAMESPACES, VIRTUAL, HOSTED, FLEET_OF_CLUSTERS])
@pytest.mark.parametrize("count", [1, 37, 10_000])
def test_a_curve_read_at_a_number_of_tenants_equals_a_platform_of_that_size(
    options: tuple[str, ...], count: int
) -> None:
    small, large = platform(), platform(tenant_class(count=count))
    read = Curve(installed(small, *options), toil(small, *options).total_for).at(count)
    whole = toil(large, *options).total
    assert read.mean == pytest.approx(whole.mean)
    assert read.deviation == pytest.approx(whole.deviation)


def test_a_fleet_layer_serves_the_clusters_of_its_own_classes_only() -> None:
    scenario = platform(tenant_class(id="a"), tenant_class(id="b", kind="customer", count=50))

    def hours(first: tuple[str, ...], second: tuple[str, ...]) -> float:
        design = designed(scenario, a=first, b=second)
        return workload(closure(design, scenario, catalogue()), scenario, book()).total.mean

    mixed = hours(NAMESPACES, FLEET_OF_CLUSTERS)
    assert mixed < hours(NAMESPACES, CLUSTERS)
    assert hours(CLUSTERS, FLEET_OF_CLUSTERS) < hours(CLUSTERS, CLUSTERS)
    found = workload(
        closure(designed(scenario, a=NAMESPACES, b=FLEET_OF_CLUSTERS), scenario, catalogue()), scenario, book()
    )
    parts = [x for x in found.lines if x.activity.id == "clusters.minor"]
    assert sorted((x.classes, x.instances) for x in parts) == [(("a",), 1), (("b",), 50)]


def test_incidents_of_a_team_with_twenty_clusters_are_near_the_survey() -> None:
    # survey of 2025: 34 workdays per team and year; the average adopter has some 20 clusters
    scenario = platform(tenant_class(count=20))
    found = toil(scenario, *CLUSTERS)
    ids = ("incidents.after_change", "incidents.other")
    days = sum(line(found, i).hours.mean for i in ids) * 12 / 8
    assert 34 / 2 < days < 34 * 2


def test_the_team_of_a_busy_platform_is_overloaded_and_patches_late() -> None:
    calm, busy = (operations(platform(tenant_class(count=n)), *CLUSTERS) for n in (3, 100))
    assert calm.figures["team_load"] < 1 < busy.figures["team_load"]
    assert calm.figures["patch_latency_days"] < busy.figures["patch_latency_days"]


def test_more_engineers_patch_no_later() -> None:
    days = [
        operations(platform(team={"engineers": n}), *HOSTED).figures["patch_latency_days"] for n in (0.5, 1, 2, 4, 16)
    ]
    assert days == sorted(days, reverse=True)


def test_growth_shows_what_the_classes_allow() -> None:
    scenario = platform(*(tenant_class(id=f"c{n}") for n in range(4)))
    shown = [point["tenants"] for point in operations(scenario, *NAMESPACES).figures["growth"]]
    assert shown == [10, 30, 100, 300, 1_000, 3_000, 10_000]


# ---------------------------------------------------------------- limits


def limits(scenario: Scenario, *options: str, placed: Placed = NOTHING_PLACED) -> dict[str, Finding]:
    found = check_limits(installed(scenario, *options), scenario, book(), placed)
    return {finding.limit: finding for finding in found if "namespace of" not in finding.place}


def test_a_small_platform_passes_no_limit() -> None:
    assert not detail(operations(platform(), *NAMESPACES)).exceeded


def test_ten_thousand_namespaces_in_one_cluster_pass_its_limit_and_say_where() -> None:
    score = operations(platform(tenant_class(count=10_000)), *NAMESPACES)
    passed = {item["limit"]: item for item in score.figures["limits_exceeded"]}
    assert passed["kubernetes.namespaces"]["place"] == "the shared cluster"
    assert passed["kubernetes.namespaces"]["most"] == 10_000
    assert "passes" in score.summary


def test_the_tenants_at_which_a_limit_is_passed_are_exact() -> None:
    at = limits(platform(), *NAMESPACES)["kubernetes.namespaces"].tenants
    assert at is not None
    assert not limits(platform(tenant_class(count=at - 1)), *NAMESPACES)["kubernetes.namespaces"].is_exceeded
    assert limits(platform(tenant_class(count=at)), *NAMESPACES)["kubernetes.namespaces"].is_exceeded


def test_clusters_of_ones_own_spread_the_load() -> None:
    many = platform(tenant_class(count=10_000))
    assert "kubernetes.namespaces" not in {f.limit for f in detail(operations(many, *CLUSTERS)).exceeded}


def test_a_namespace_with_too_many_pods_is_named() -> None:
    scenario = platform(tenant_class(workloads=[{"template": "training", "replicas": 4_000}]))
    passed = [
        f for f in detail(operations(scenario, *NAMESPACES)).exceeded if f.limit == "kubernetes.pods_per_namespace"
    ]
    assert [f.place for f in passed] == ["a namespace of a tenant of teams"]


def test_nodes_from_the_placement_are_checked() -> None:
    found = limits(platform(), *NAMESPACES, placed={SHARED: Held(growing=Demand(nodes=6_000))})["kubernetes.nodes"]
    assert found.is_exceeded
    assert found.needed == 6_000
    assert found.tenants == 9  # ten tenants take 600 each


def test_nodes_that_are_there_whatever_the_tenants_do_not_grow_with_them() -> None:
    found = limits(platform(), *NAMESPACES, placed={SHARED: Held(Demand(nodes=1_000), Demand(nodes=1_000))})
    assert found["kubernetes.nodes"].needed == 2_000
    assert found["kubernetes.nodes"].tenants == 41  # 1,000 and 100 for each


def test_control_planes_a_hub_carries_grow_with_tenants() -> None:
    placed = {HUB: Held(Demand(nodes=10, pods=100)), "teams": Held(growing=Demand(nodes=3, pods=9))}
    found = [
        f for f in check_limits(installed(platform(), *HOSTED), platform(), book(), placed) if f.place == "the hub"
    ]
    nodes = next(f for f in found if f.limit == "kubernetes.nodes")
    assert nodes.needed == 10
    assert nodes.tenants is not None
    again = check_limits(installed(platform(), *CLUSTERS), platform(), book(), placed)
    assert next(f for f in again if f.place == "the hub" and f.limit == "kubernetes.nodes").tenants is None


def test_an_options_own_limit_is_checked_beside_kubernetes() -> None:
    scenario = platform(tenant_class(count=10_000))
    stated = {o.id: o.limits for o in catalogue().options.values() if o.limits and o.cluster}
    own = {o: [x for x in found if x.metric == "control_planes"] for o, found in stated.items()}
    option = next(o for o, found in own.items() if found)
    options = [option, *HOSTED[1:]]
    found = check_limits(closure(designed(scenario, *options), scenario, catalogue()), scenario, book())
    assert [f for f in found if f.limit == option and f.is_exceeded]


# ---------------------------------------------------------------- assumptions


def test_every_assumption_that_moves_the_hours_is_listed_with_its_swing() -> None:
    scenario = platform()
    design = designed(scenario, *HOSTED)
    found = assumptions(design, scenario, catalogue())
    score = measure(design, scenario, catalogue())
    assert [i.swing for i in found] == sorted((i.swing for i in found), reverse=True)
    assert all(i.base == pytest.approx(score.value) for i in found)
    assert all(i.low != i.high and i.place.startswith("catalogue/toil/") for i in found)
    lines = {x.activity.id for x in detail(score).workload.lines if x.activity.assumption}
    assert {i.id for i in found if i.kind == "activity"} == lines
    assert {"toil.gitops", "knowledge.component_hours", "upgrades.most_per_year"} <= {i.id for i in found}


def test_moving_an_assumption_in_the_catalogue_moves_the_figure_as_announced() -> None:
    scenario = platform()
    announced = next(
        i for i in assumptions(designed(scenario, *NAMESPACES), scenario, catalogue()) if i.id == "toil.gitops"
    )
    from tenancykit.catalogue.workbook import with_rate
    from tenancykit.criteria.operations.measure import knowledge_of
    from tenancykit.criteria.operations.structure import measure_structure

    moved = with_rate(book(), "toil.gitops", announced.assumed.high)
    found = installed(scenario, *NAMESPACES)
    upkeep = sum(part.hours.mean for part in knowledge_of(measure_structure(found, moved), moved))
    assert workload(found, scenario, moved).total.mean + upkeep == pytest.approx(announced.high)


def test_tenants_without_api_access_ask_for_no_quotas_and_no_flows() -> None:
    asked = {"namespace_tenants.quota", "net_np_default_deny.flows", "st_sc_quota.quota"}
    options = [option for option in NAMESPACES if option not in ("sch_kueue", "st_shared_sc")]
    for access, expected in (("none", set()), ("namespace", asked)):
        found = toil(platform(tenant_class(kind="customer", api_access=access)), *options, "st_sc_quota")
        assert {x.activity.id for x in found.lines} & asked == expected


def test_a_tenant_that_is_one_person_asks_for_less_than_a_team() -> None:
    def people(replicas: int) -> Scenario:
        notebook = {"id": "training", "kind": "notebook", "replicas": replicas, "gpu": {"count": 1}}
        return platform(tenant_class(count=300), workloads=[notebook])

    alone, teams = toil(people(1), *NAMESPACES), toil(people(4), *NAMESPACES)
    assert alone.total.mean < 0.6 * teams.total.mean
    assert line(alone, "namespace_tenants.cluster_scoped_class").instances == 1
    assert line(teams, "namespace_tenants.cluster_scoped").instances == 300
    asked = line(alone, "tenants.support_people"), line(teams, "tenants.support")
    assert asked[0].hours.mean == pytest.approx(asked[1].hours.mean / 4)
    brought = {one.activity.id for one in alone.lines}
    assert not brought & {"tenants.support", "tenants.access", "namespace_tenants.window", "net_np_default_deny.flows"}


def test_the_pool_of_the_only_class_has_the_neighbours_of_shared_nodes() -> None:
    pooled = [("node_pool_class" if o == "node_shared" else o) for o in NAMESPACES]
    shared = line(toil(platform(), *NAMESPACES), "node_shared.neighbour")
    assert line(toil(platform(), *pooled), "node_pool_class.neighbours").hours == shared.hours
    two = platform(tenant_class(id="a"), tenant_class(id="b"))
    assert line(toil(two, *pooled), "node_pool_class.neighbour").per_year.mean < shared.per_year.mean


def test_a_thousand_clusters_take_about_the_people_their_operator_published() -> None:
    """Thirty developers and platform engineers, nearly a thousand clusters by Cluster API (CNCF case study, 2023)."""
    app = {"id": "training", "kind": "service", "replicas": 12}
    teams = tenant_class(count=1000, api_access="cluster")
    fleet = platform(teams, workloads=[app], team={"engineers": 30})
    options = [o for o in ("fl_gitops_fleet", "id_flux_lockdown", *CLUSTERS) if o != "sch_kueue"]
    found = operations(fleet, *options)
    assert 20 <= found.figures["people_needed"] <= 45


def test_faults_follow_cards_and_not_tenants() -> None:
    """2,000 students on a quarter of a card each were billed the faults of as many teams' machines."""

    def faults(count: int, gpu: dict[str, object], **more: object) -> ToilLine:
        train = {"id": "training", "kind": "training", "replicas": 2, "gpu": gpu, **more}
        return line(toil(platform(tenant_class(count=count), workloads=[train]), *NAMESPACES), "gpu_exclusive.faults")

    assert faults(10, {"count": 8}).instances == 160
    assert faults(160, {"fraction": 0.5}).instances == 160
    assert faults(10, {"count": 8}, demand={"profile": "diurnal", "mean": 0.25}).instances == 40
    # 419 interruptions of 16,384 cards in 54 days, 47.3 % by cards and their memory.
    assert faults(10, {"count": 8}).activity.per_year.likely == pytest.approx(419 * 0.473 / 16_384 / 54 * 365, rel=0.1)


@pytest.mark.parametrize("nodes", ["node_shared", "node_pool_class"])
def test_what_slows_tenants_without_api_access_is_looked_into_once_a_class(nodes: str) -> None:
    options = [nodes if option == "node_shared" else option for option in NAMESPACES]
    hours = []
    for count in (10, 1_000):
        found = toil(platform(tenant_class(kind="customer", api_access="none", count=count)), *options)
        assert not {one.activity.id for one in found.lines} & {f"{nodes}.neighbour", f"{nodes}.neighbours"}
        hours.append(line(found, f"{nodes}.application").hours.mean)
    assert hours[0] == hours[1] > 0
