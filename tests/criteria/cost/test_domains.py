"""From a design to placement domains: who shares machines, what stands on them, how GPUs are cut."""

from __future__ import annotations

import pytest

from kubeanswers.quantities import GIB, MIB
from tenancykit import example, load_scenario
from tenancykit.criteria.cost.activity import activity_of
from tenancykit.criteria.cost.domains import Domain, Layout, Met, layout
from tenancykit.criteria.cost.housing import house
from tenancykit.criteria.cost.machines import Machine, machines_of
from tenancykit.criteria.cost.placement.devices import FRACTION, WHOLE, GpuSharing
from tenancykit.criteria.cost.pricing import PriceList
from tenancykit.criteria.cost.shapes import machine_name
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.offers import price_book
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.devices import ClassDevices
from tenancykit.partitions import slice_geometry
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.reading import parse_scenario
from tests.criteria.cost.platforms import TEXT, TWO_SITES, catalogue, design, platform, reference

DEDICATED = {"node_shared": "node_dedicated_tenant"}
BY_CLASS = {"node_shared": "node_pool_class"}


def machines_of_platform(scenario: Scenario) -> tuple[Machine, ...]:
    return machines_of(scenario, PriceList(price_book(scenario, catalogue()), scenario.infrastructure.currency))


def plan(resolved: ResolvedDesign, scenario: Scenario) -> Layout:
    machines = machines_of_platform(scenario)
    return layout(resolved, scenario, catalogue(), machines, activity_of(scenario))


def test_whoever_lays_out_many_designs_gets_what_each_alone_would_give() -> None:
    scenario = load_scenario(example("saas-inference"))
    machines = machines_of_platform(scenario)
    activity, met, own = activity_of(scenario), Met(), 0
    references = catalogue().references.values()
    for one in [*references, *references]:
        resolved = resolve(reference_design(one, scenario, catalogue()), scenario, catalogue())
        alone = layout(resolved, scenario, catalogue(), machines, activity_of(scenario))
        among = layout(resolved, scenario, catalogue(), machines, activity, met)
        assert (alone.clusters, alone.domains, alone.hosts, alone.notes) == (
            among.clusters,
            among.domains,
            among.hosts,
            among.notes,
        )
        assert [series(domain) for domain in alone.domains] == [series(domain) for domain in among.domains]
        own += sum(domain.kind == "tenant" for domain in among.domains)
    kept = {id(domain) for domains in met.values() for domain in domains}
    assert 0 < len(kept) <= own // 2


def series(domain: Domain) -> list[bytes]:
    return [b"" if stream.series is None else stream.series.tobytes() for stream in domain.streams]


def kinds(found: Layout) -> dict[str, int]:
    counts: dict[str, int] = {}
    for domain in found.domains:
        counts[domain.kind] = counts.get(domain.kind, 0) + domain.copies
    return counts


def test_everybody_on_shared_nodes_is_one_domain_with_the_system_pods() -> None:
    scenario = platform(20)
    found = plan(design(scenario), scenario)
    assert kinds(found) == {"shared": 1}
    domain = found.domains[0]
    assert {s.pod.name: s.steady for s in domain.streams} == {"team/train": 80, "team/notebook": 40, "team/web": 40}
    assert any(pod.name.startswith("system/") for pod in domain.fixed)


def test_class_pools_and_tenants_own_nodes_leave_system_pods_on_nodes_of_their_own() -> None:
    scenario = platform(20)
    assert kinds(plan(design(scenario, **BY_CLASS), scenario)) == {"system": 1, "class": 1}
    assert kinds(plan(design(scenario, **DEDICATED), scenario)) == {"system": 1, "tenant": 20}


def test_a_cluster_per_tenant_carries_its_own_system_pods_and_a_minimum_of_nodes() -> None:
    scenario = platform(20)
    found = plan(reference(scenario, "RA10"), scenario)
    own = [domain for domain in found.domains if domain.kind == "tenant"]
    assert sum(domain.copies for domain in own) == 20
    assert all(domain.fixed and domain.minimum == 2 for domain in own)
    assert {c.control_plane for c in found.clusters if c.kind == "tenant"} == {"fee"}


def test_a_managed_cluster_keeps_system_pods_on_two_machines_without_gpus_beside_its_cards() -> None:
    """Twelve clusters of a card each cost hardly more than one: their system pods stood on the tenants' GPU nodes."""
    scenario = platform(3)
    found = house(plan(reference(scenario, "RA10"), scenario).domains, None)
    cpu = {m.name for m in machines_of_platform(scenario) if not m.is_gpu}
    for one in found.housed:
        if one.domain.kind == "tenant":
            assert sum(number for name, number in one.nodes.items() if name in cpu) >= 2
            groups = [
                group for group in one.purchase.placement.groups if any("system/" in pod for pod, _ in group.pods)
            ]
            assert groups
            assert {machine_name(group.node_class) for group in groups} <= cpu


def test_a_fixed_fleet_short_of_machines_without_gpus_carries_system_pods_on_the_others() -> None:
    scenario = platform(3)
    domains = plan(reference(scenario, "RA10"), scenario).domains
    machines = machines_of_platform(scenario)
    enough = {m.name: 50 for m in machines}
    only_gpus = {m.name: 50 if m.is_gpu else 0 for m in machines}
    assert not house(domains, enough).totals(extra=True)
    tight = house(domains, only_gpus)
    assert not any(one.extra for one in tight.housed if one.domain.kind == "tenant")


def test_hosted_control_planes_are_pods_of_the_hub() -> None:
    scenario = platform(20)
    found = plan(reference(scenario, "RA09"), scenario)
    assert {c.control_plane for c in found.clusters if c.kind == "tenant"} == {"pods"}
    hub = next(domain for domain in found.domains if domain.cluster == "hub")
    assert sum(pod.count for pod in hub.fixed) >= 3 * 20


def test_virtual_machines_of_tenants_share_the_hosts_of_their_pool() -> None:
    scenario = platform(20)
    found = plan(reference(scenario, "RA15"), scenario)
    assert "tenant" not in kinds(found)
    assert next(c for c in found.clusters if c.kind == "tenant").copies == 20


def test_ten_thousand_alike_tenants_are_one_domain_many_times() -> None:
    scenario = platform(10_000)
    found = plan(reference(scenario, "RA10"), scenario)
    own = [domain for domain in found.domains if domain.kind == "tenant"]
    assert len(own) == 1
    assert own[0].copies == 10_000


def test_tenants_with_changing_demand_come_in_a_bounded_number_of_patterns() -> None:
    scenario = platform(1000, demand="demand: {profile: campaigns, mean: 0.5, seed: 3}")
    found = plan(design(scenario, **DEDICATED), scenario)
    own = [domain for domain in found.domains if domain.kind == "tenant"]
    assert len(own) <= 16
    assert sum(domain.copies for domain in own) == 1000


def test_tenants_are_spread_over_the_sites_they_may_use() -> None:
    scenario = platform(21, sites=TWO_SITES)
    found = plan(design(scenario), scenario)
    assert [d.streams[0].tenants for d in found.domains] == [11, 10]
    dedicated = plan(design(scenario, **DEDICATED), scenario)
    assert [d.copies for d in dedicated.domains if d.kind == "tenant"] == [11, 10]


def test_residency_keeps_a_class_at_the_sites_of_its_jurisdiction() -> None:
    text = TEXT.replace("kind: team,", "kind: team, residency: [eu],")
    for word, value in {
        "CONTROL_PLANE": "managed", "TENANTS": "4", "EGRESS": "0", "DEMAND": "demand: {}", "MODE": "elastic",
        "CURRENCY": "USD", "SITES": TWO_SITES, "NODES": "[{type: aws_p4d_24xlarge}]",
    }.items():  # fmt: skip
        text = text.replace(word, value)
    scenario = parse_scenario(text)
    found = plan(design(scenario), scenario)
    assert [clusters.site.id for clusters in found.clusters] == ["eu"]


def test_a_sandbox_adds_its_overhead_to_every_pod() -> None:
    scenario = platform(2)
    plain, boxed = (plan(design(scenario, **swap), scenario) for swap in ({}, {"rt_runc": "rt_kata"}))
    added = {s.pod.name: (s.pod.overhead_cpu_milli, s.pod.overhead_memory_bytes) for s in boxed.domains[0].streams}
    sandbox = catalogue().options["rt_kata"].sandbox
    assert sandbox is not None
    web = next(s for s in boxed.domains[0].streams if s.pod.name == "team/web")
    longer = round(web.pod.cpu_milli * (web.wrapped.times(gpu=False) - 1))
    assert added["team/web"] == (sandbox.cpu_milli + longer, sandbox.memory_mib * MIB)
    assert all(s.pod.overhead_cpu_milli == 0 for s in plain.domains[0].streams)


def sharing(found: Layout) -> dict[str, GpuSharing]:
    return {node.name: node.gpu_sharing for d in found.domains for node in d.types if node.gpu_count}


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("gpu_timeslice", GpuSharing("replicas", 4)),
        ("gpu_mps", GpuSharing("replicas", 4)),
        ("gpu_hami", FRACTION),
        ("gpu_kai_fraction", FRACTION),
    ],
)
def test_the_gpu_option_decides_how_nodes_hand_out_gpus(option: str, expected: GpuSharing) -> None:
    scenario = platform(2)
    found = sharing(plan(design(scenario, gpu_exclusive=option), scenario))
    assert set(found.values()) == {WHOLE, expected}


WITHOUT_PARTITIONS = "aws_g6_12xlarge"
"""Four cards of 24 GB."""


@pytest.mark.parametrize("option", ["gpu_mps", "gpu_timeslice"])
@pytest.mark.parametrize(
    ("machine", "asked", "often"),
    [
        (WITHOUT_PARTITIONS, "fraction: 0.1", 10),
        (WITHOUT_PARTITIONS, "fraction: 0.15", 6),
        (WITHOUT_PARTITIONS, "fraction: 0.3", 4),
        (WITHOUT_PARTITIONS, "fraction: 0.1, memory: 3Gi", 8),
        (WITHOUT_PARTITIONS, "fraction: 0.001", 48),
        ("aws_p4d_24xlarge", "fraction: 0.1", 4),
    ],
)
def test_cards_without_partitions_are_advertised_as_often_as_each_share_still_fits_one_piece(
    option: str, machine: str, asked: str, often: int
) -> None:
    scenario = platform(2, share=asked, nodes=f"[{{type: {machine}}}, {{type: aws_m7i_4xlarge}}]")
    found = design(scenario, gpu_exclusive=option)
    assert set(sharing(plan(found, scenario)).values()) == {WHOLE, GpuSharing("replicas", often)}
    assert ClassDevices.of(found.classes[0], scenario, catalogue()).replicas == often


def test_shares_of_gpus_go_to_cut_nodes_and_whole_gpus_to_either_where_mig_cuts_cards() -> None:
    scenario = platform(2)
    found = plan(design(scenario, gpu_exclusive="gpu_mig"), scenario)
    needs = {s.pod.name: s.pod.needs for s in found.domains[0].streams}
    labels = {node.name: node.labels for node in found.domains[0].types}
    assert needs["team/train"] == labels["aws_p4d_24xlarge"] == {"gpu/whole"}
    assert needs["team/train"] | needs["team/notebook"] == labels["aws_p4d_24xlarge, GPUs cut by mig"]
    assert needs["team/web"] == set()


@pytest.mark.parametrize(
    ("option", "whole_too"), [("gpu_hami", True), ("gpu_kai_fraction", True), ("gpu_mps", False), ("gpu_mig", True)]
)
def test_cards_cut_one_by_one_are_handed_out_whole_too_and_nodes_cut_alike_are_not(
    option: str, *, whole_too: bool
) -> None:
    scenario = platform(2)
    (found,) = plan(design(scenario, gpu_exclusive=option), scenario).domains
    (cut,) = (node for node in found.types if node.gpu_count and node.gpu_sharing != WHOLE)
    fits = {s.pod.name for s in found.streams if s.pod.needs <= cut.labels}
    assert fits == {"team/notebook", "team/web", *(["team/train"] if whole_too else [])}


MIG_GUIDE = {
    "A100-40GB": {
        "1g.5gb": (1, (0, 1, 2, 3, 4, 5, 6)),
        "1g.10gb": (2, (0, 2, 4, 6)),
        "2g.10gb": (2, (0, 2, 4)),
        "3g.20gb": (4, (0, 4)),
        "4g.20gb": (4, (0,)),
        "7g.40gb": (8, (0,)),
    },
    "A30-24GB": {"1g.6gb": (1, (0, 1, 2, 3)), "2g.12gb": (2, (0, 2)), "4g.24gb": (4, (0,))},
}
"""Sizes and placements as `nvidia-smi mig -lgipp` prints them in NVIDIA's MIG user guide."""


@pytest.mark.parametrize("model", MIG_GUIDE)
def test_partition_geometry_reproduces_the_placements_of_the_mig_guide(model: str) -> None:
    mig = catalogue().options["gpu_mig"].gpu
    assert mig is not None
    geometry = slice_geometry(model, tuple(mig.profiles[model].items()))
    assert geometry is not None
    assert {p.name: (p.size, p.starts) for p in geometry.profiles} == MIG_GUIDE[model]


@pytest.mark.parametrize("model", ["A100-80GB", "H100-80GB", "H200-141GB", "B200-180GB", "RTX-PRO-6000-BSE-96GB"])
def test_every_profile_fits_as_often_as_the_catalogue_says(model: str) -> None:
    mig = catalogue().options["gpu_mig"].gpu
    assert mig is not None
    geometry = slice_geometry(model, tuple(mig.profiles[model].items()))
    assert geometry is not None
    assert {p.name: len(p.starts) for p in geometry.profiles} == mig.profiles[model]


def test_daemons_are_taken_off_every_node_and_more_off_gpu_nodes() -> None:
    scenario = platform(2)
    types = {node.name: node for node in plan(design(scenario), scenario).domains[0].types}
    gpu, plain = types["aws_p4d_24xlarge"], types["aws_m7i_4xlarge"]
    assert 0 < 16_000 - plain.cpu_milli < 96_000 - gpu.cpu_milli
    assert 0 < 64 * GIB - plain.memory_bytes < 1152 * GIB - gpu.memory_bytes
    assert gpu.max_pods < plain.max_pods < 110


def test_whole_hosts_take_bare_metal_where_it_is_on_offer_and_say_so_where_not() -> None:
    nodes = "[{type: aws_p4d_24xlarge}, {type: aws_m7i_4xlarge}, {type: aws_m7i_metal_24xl}]"
    scenario = platform(2, nodes=nodes)
    found = plan(design(scenario, node_shared="node_baremetal_tenant"), scenario)
    tenant = next(domain for domain in found.domains if domain.kind == "tenant")
    assert {node.name for node in tenant.types} == {"aws_p4d_24xlarge", "aws_m7i_metal_24xl"}
    assert any("whole host" in note for note in found.notes)
