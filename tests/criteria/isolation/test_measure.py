from __future__ import annotations

import json

import pytest

from kubeanswers.errors import InputError
from kubeanswers.source import parse_yaml
from tenancykit.catalogue.attack import PLANES
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.graph import pair_facts
from tenancykit.criteria.isolation.measure import assess_facts, measure
from tenancykit.design.model import Design, choose
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario
from tenancykit.validation import validate
from tests.criteria.isolation.platforms import (
    CATALOGUE,
    SHARED,
    resolved,
    result,
    scenario,
    score,
    with_options,
    without,
)

FLAT = without("pol_psa", "sch_quota", base=with_options("net_flat", "st_shared_sc"))
OWN_NODES = with_options("cp_vcluster_private", "node_dedicated_tenant")
OWN_CLUSTER = with_options("cp_managed_per_tenant", "node_dedicated_tenant")
OWN_HOSTS = with_options("cp_managed_per_tenant", "node_baremetal_tenant", "st_dedicated", "net_dpu")


@pytest.mark.parametrize("kind", ["team", "customer"])
@pytest.mark.parametrize("provider", ["own", "aws"])
def test_mutually_distrusting_tenants_are_kept_apart_in_the_order_the_field_knows(kind: str, provider: str) -> None:
    asked = scenario(kind, provider=provider)
    steps = [FLAT, SHARED, with_options("rt_gvisor"), OWN_NODES, OWN_CLUSTER, OWN_HOSTS]
    values = [score(step, asked).value for step in steps]
    assert values[0] < values[1] < values[2] <= values[3] <= values[4] <= values[5]


def test_a_fleet_hub_or_shared_storage_undoes_a_step_and_the_path_says_so() -> None:
    hub = score(with_options("fl_karmada", base=OWN_HOSTS))
    assert hub.value < score(OWN_HOSTS).value
    assert "management hub" in hub.figures["weakest_path"]
    storage = score(with_options("st_shared_sc", base=OWN_HOSTS))
    assert storage.value < score(OWN_HOSTS).value
    assert storage.figures["planes"]["storage"] < score(OWN_HOSTS).figures["planes"]["storage"]


def test_a_vm_node_on_a_shared_host_is_not_a_dedicated_host() -> None:
    on_shared_hosts = score(OWN_CLUSTER, scenario(virtualised=True))
    on_own_machines = score(with_options("node_baremetal_tenant", base=OWN_CLUSTER), scenario(virtualised=False))
    assert on_shared_hosts.figures["planes"]["compute"] < "L5"
    assert on_own_machines.figures["planes"]["compute"] == "L5"
    assert on_shared_hosts.value < on_own_machines.value


def test_a_sandbox_leaves_what_the_host_does_for_the_pod() -> None:
    for runtime in ("rt_gvisor", "rt_kata"):
        pair = result(with_options(runtime)).pairs[0]
        guards = {name for link in pair.finding.graph.links for name in link.variables if link.target == "node-root"}
        assert {"kubelet-volume", "runtime-daemon"} <= guards
        assert "container-runtime" not in guards


def test_root_of_a_node_meets_the_api_server_and_the_metadata_service_next() -> None:
    pair = result(with_options("node_dedicated_tenant"), scenario(provider="aws")).pairs[0]
    onwards = {str(link.target) for link in pair.finding.graph.links if link.source == "node-root"}
    assert {"host-control-plane", "cloud-identity"} <= onwards


def test_teams_differ_from_customers_exactly_by_crossings_that_start_at_api_access() -> None:
    for options in (FLAT, SHARED, with_options("cp_vcluster_shared", "id_argocd_projects"), OWN_NODES, OWN_CLUSTER):
        team, customer = result(options, scenario("team")), result(options, scenario("customer"))
        of_team, of_customer = team.pairs[0].finding.graph, customer.pairs[0].finding.graph
        assert set(of_customer.links) < set(of_team.links)
        cut = [link for link in of_team.links if link.source != "api-user"]
        assert {link for link in cut if _from_pod(link, cut)} == set(of_customer.links)
        strengths = team.pairs[0].finding.strengths
        for name, strength in customer.pairs[0].finding.strengths.items():
            assert strength == strengths[name]


def _from_pod(wanted: object, links: object) -> bool:
    from tenancykit.criteria.isolation.reliability import reachable

    return wanted.source in reachable(links, ["pod"], lambda _: True)  # type: ignore[attr-defined,arg-type]


def test_customers_are_never_less_isolated_than_teams_on_the_same_design() -> None:
    for reference in CATALOGUE.references.values():
        values = [score_reference(reference.id, scenario(kind)).value for kind in ("team", "customer")]
        assert values[0] <= values[1]


def score_reference(identifier: str, asked: Scenario):  # type: ignore[no-untyped-def]  # noqa: ANN201
    from tenancykit.criteria.isolation.measure import measure

    design = reference_design(CATALOGUE.references[identifier], asked, CATALOGUE)
    return measure(resolve(design, asked, CATALOGUE), asked, CATALOGUE)


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        (without("pol_psa"), SHARED),
        (with_options("net_flat"), SHARED),
        (SHARED, with_options("rt_gvisor")),
        (SHARED, with_options("rt_kata")),
        (SHARED, with_options("rt_userns")),
        (SHARED, with_options("node_dedicated_tenant")),
        (with_options("node_dedicated_tenant"), with_options("node_baremetal_tenant")),
        (SHARED, with_options("cp_vcluster_shared")),
        (with_options("id_argocd_projects"), SHARED),
        (with_options("gpu_timeslice", base=without("gpu_exclusive")), SHARED),
        (OWN_CLUSTER, with_options("net_vpc_per_tenant", base=OWN_CLUSTER)),
        (OWN_CLUSTER, with_options("st_tenant_keys", base=OWN_CLUSTER)),
    ],
)
def test_each_step_moves_isolation_in_the_direction_the_field_knows(
    weaker: tuple[str, ...], stronger: tuple[str, ...]
) -> None:
    assert score(weaker).value <= score(stronger).value
    assert total_exposure(weaker) > total_exposure(stronger)


def total_exposure(options: tuple[str, ...]) -> float:
    return sum(a.exposure for p in result(options).pairs for a in p.finding.assets if a.guarded)


def test_dropping_pod_security_opens_the_node_to_api_users() -> None:
    dropped = score(without("pol_psa"))
    assert dropped.figures["depth"] == 0
    assert dropped.figures["level"] == "L1"
    assert dropped.figures["weakest_path"].startswith("API user -> node root")


def test_published_gpu_rankings_hold_among_tenants_of_one_node() -> None:
    values = {
        option: score(with_options(option, base=without("gpu_exclusive")), scenario(gpu="0.25")).figures["plane_nines"][
            "accelerator"
        ]
        for option in ("gpu_mig", "gpu_mps", "gpu_timeslice")
    }
    assert values["gpu_mig"] > values["gpu_mps"] > values["gpu_timeslice"]


def test_saturated_designs_still_rank_by_depth() -> None:
    forever = 1e90
    one, two = score(SHARED, every=forever), score(OWN_HOSTS, every=forever)
    assert one.figures["exposure"] == pytest.approx(1, abs=1e-3)
    assert two.figures["exposure"] == pytest.approx(1, abs=1e-3)
    assert one.value < two.value


def test_faster_patching_and_proven_manifests_raise_the_figure() -> None:
    assert score(SHARED, every=7).value > score(SHARED, every=30).value > score(SHARED, every=90).value
    assert score(OWN_CLUSTER, proven=True).value > score(OWN_CLUSTER).value


def test_windows_may_differ_by_kind_of_component() -> None:
    mixed = score(SHARED, every=7, kernel=90)
    assert score(SHARED, every=90).value < mixed.value < score(SHARED, every=7).value


def test_no_window_is_shorter_than_what_operations_take() -> None:
    asked = scenario()
    design = resolved(SHARED, asked)
    slow = measure(design, asked, CATALOGUE, latency_days=400)
    assert slow.value == pytest.approx(score(SHARED, every=400).value)
    assert measure(design, asked, CATALOGUE, latency_days=1).value == score(SHARED).value


@pytest.mark.parametrize("days", [-1.0, float("nan"), float("inf")])
def test_a_time_to_patch_that_is_no_number_of_days_is_refused(days: float) -> None:
    asked = scenario()
    with pytest.raises(InputError, match="latency_days"):
        measure(resolved(SHARED, asked), asked, CATALOGUE, latency_days=days)


def test_with_no_window_only_misconfiguration_remains() -> None:
    pair = result(SHARED).pairs[0]
    assert score(SHARED, every=0).value > score(SHARED).value
    assert pair.finding.strengths["api-authorization"].misconfiguration > 0


def test_control_planes_in_one_datastore_are_not_separated() -> None:
    kamaji = score(with_options("cp_kamaji", base=OWN_NODES), scenario("customer"))
    assert kamaji.figures["planes"]["control"] == "L3"
    assert score(OWN_NODES, scenario("customer")).figures["planes"]["control"] == "L4"


def test_hardening_takes_flaws_out_of_a_barriers_rate() -> None:
    weak = result(without("pol_psa")).pairs[0].finding.strengths["linux-kernel"]
    strong = result(SHARED).pairs[0].finding.strengths["linux-kernel"]
    assert set(strong.flaws) < set(weak.flaws)
    assert strong.chance < weak.chance


def test_silence_earns_no_credit() -> None:
    pair = result(with_options("gpu_mps", base=without("gpu_exclusive"))).pairs[0]
    mps = pair.finding.strengths["mps-server"]
    prior = load_isolation(CATALOGUE).priors["mediator"]
    assert mps.rate.mean >= prior.flaws / prior.years


def test_the_interval_holds_the_figure_and_narrows_on_no_repetition() -> None:
    for options in (SHARED, OWN_CLUSTER, OWN_HOSTS):
        first, second = score(options), score(options)
        assert first.low <= first.value <= first.high
        assert first.low < first.high
        assert (first.low, first.high) == (second.low, second.high)


def test_figures_are_plain_data_and_the_same_each_time() -> None:
    first, second = score(SHARED), score(SHARED)
    assert json.dumps(first.figures, allow_nan=False) == json.dumps(second.figures, allow_nan=False)
    assert set(first.figures["planes"]) == set(PLANES)
    assert first.figures["classes"]["all"]["data"] == first.figures["data_level"]


def test_every_number_of_the_explanation_has_a_source_or_says_assumption() -> None:
    flaws = 0
    for _, line in score(SHARED).evidence.walk():
        if line.label.startswith(("CVE-", "GKE", "AKS")):
            flaws += 1
            assert line.source.startswith("https://")
        if line.unit == "chance" and line.label.startswith("misconfigured"):
            assert line.assumption or line.source
        if line.label.startswith("published flaws"):
            assert "assumption" in line.note
    assert flaws >= 10


def test_an_explanation_fits_on_a_page_and_tells_no_flaw_twice() -> None:
    for options in (FLAT, SHARED, OWN_NODES, OWN_CLUSTER):
        lines = [line.label for _, line in score(options).evidence.walk()]
        assert len(lines) <= 60
        told = [label for label in lines if label.startswith("CVE-")]
        assert len(told) == len(set(told))


def test_an_explanation_says_what_would_close_most_and_for_how_long_flaws_stay_open() -> None:
    found = {line.label: line for _, line in score(SHARED).evidence.walk()}
    closing = found["what would close most of it"].children
    assert [line.value for line in closing] == sorted(line.value or 0.0 for line in closing)
    assert all((line.value or 0.0) < 0 and line.note for line in closing)
    assert "kernel 55 days" in found["exposure windows used"].note


def test_availability_stands_beside_and_is_not_ranked() -> None:
    found = score(SHARED).figures["availability"]
    assert {"control-plane-capacity", "node-capacity", "network-capacity", "storage-capacity", "queue-capacity"} <= set(
        found
    )
    noisy = score(without("sch_quota"))
    assert noisy.figures["availability"]["node-capacity"]["depth"] == 0
    assert noisy.figures["availability"]["queue-capacity"]["depth"] == 0
    fair = score(with_options("sch_kueue", base=without("sch_quota")))
    assert fair.figures["availability"]["queue-capacity"]["exposure"] < 0.5
    assert score(with_options("st_dedicated")).figures["availability"]["storage-capacity"]["depth"] > 0


def test_a_lone_tenant_has_nobody_to_reach() -> None:
    alone = score(FLAT, scenario(count=1))
    assert alone.figures["level"] == "L5"
    assert alone.value > score(OWN_HOSTS).value
    assert alone.figures["classes"]["all"]["overall"] == "L5"


HYBRID = """
schema: tenancykit/scenario/v1
name: hybrid
tenants:
  classes:
    - {id: dev, kind: team, count: 5, workloads: [{template: w}]}
    - {id: prod, kind: customer, count: 1, workloads: [{template: w}]}
workloads: [{id: w, kind: training, gpu: {count: 1}, storage: {size: 1Gi}}]
infrastructure: {sites: [{id: one, provider: own}], nodes: [{type: any}]}
"""


def hybrid(dev: tuple[str, ...], prod: tuple[str, ...]):  # type: ignore[no-untyped-def]  # noqa: ANN201
    from tenancykit.criteria.isolation.measure import measure

    asked = validate(Scenario, parse_yaml(HYBRID, "hybrid"))
    design = Design("h", "h", {"dev": choose(CATALOGUE, dev), "prod": choose(CATALOGUE, prod)})
    return measure(resolve(design, asked, CATALOGUE), asked, CATALOGUE)


def test_two_classes_share_only_what_both_use() -> None:
    apart = hybrid(SHARED, OWN_CLUSTER)
    together = hybrid(SHARED, SHARED)
    assert apart.figures["classes"]["prod"]["nines"] > together.figures["classes"]["prod"]["nines"]
    assert apart.figures["classes"]["dev"]["nines"] == pytest.approx(
        together.figures["classes"]["dev"]["nines"], abs=0.2
    )
    pairs = {(p.attacker, p.victim) for p in apart.detail.pairs}
    assert pairs == {("dev", "dev"), ("dev", "prod"), ("prod", "dev")}
    crossing = next(p for p in apart.detail.pairs if (p.attacker, p.victim) == ("dev", "prod"))
    assert "shares:node" not in crossing.finding.graph.facts
    assert "shares:kube-apiserver" not in crossing.finding.graph.facts


def test_classes_on_pools_of_their_own_share_the_api_server_but_no_node() -> None:
    pools = hybrid(with_options("node_pool_class"), with_options("node_pool_class"))
    crossing = next(p for p in pools.detail.pairs if (p.attacker, p.victim) == ("dev", "prod"))
    within = next(p for p in pools.detail.pairs if (p.attacker, p.victim) == ("dev", "dev"))
    assert "shares:node" not in crossing.finding.graph.facts
    assert "shares:kube-apiserver" in crossing.finding.graph.facts
    assert "shares:node" in within.finding.graph.facts


def test_blast_radius_counts_the_tenants_behind_one_barrier() -> None:
    assert score(SHARED, scenario(count=10)).figures["blast_radius_tenants"] == 9
    assert score(OWN_HOSTS, scenario(count=10)).figures["blast_radius_tenants"] == 0


def test_levels_follow_the_rules_of_the_catalogue() -> None:
    assert score(FLAT).figures["level"] in ("L0", "L1")
    assert score(SHARED).figures["level"] == "L2"
    customers = scenario("customer", provider="aws")
    assert score(with_options("net_vpc_per_tenant", base=OWN_CLUSTER), customers).figures["level"] == "L4"
    assert score(OWN_HOSTS, scenario("customer", virtualised=False)).figures["level"] == "L5"


def test_facts_of_a_pair_say_whose_they_are() -> None:
    model = load_isolation(CATALOGUE)
    facts = pair_facts(frozenset({"gpu", "shared-kernel"}), frozenset({"gpu"}), same_class=False, model=model)
    assert {"attacker:shared-kernel", "both:gpu", "either:shared-kernel", "victim:gpu"} <= facts
    assert not {"both:shared-kernel", "victim:shared-kernel", "same-class"} & facts
    assert assess_facts(facts, model).levels["overall"] >= "L0"


@pytest.mark.parametrize(
    "option", ["rt_gvisor", "rt_kata", "rt_userns", "net_cilium", "st_tenant_keys", "node_dedicated_tenant"]
)
def test_a_stronger_option_makes_no_asset_worse(option: str) -> None:
    before = {a.asset: a for a in result(SHARED).pairs[0].finding.assets}
    for found in result(with_options(option)).pairs[0].finding.assets:
        assert found.exposure <= before[found.asset].exposure + 1e-12
        assert found.depth >= before[found.asset].depth


def test_on_the_real_catalogue_a_barrier_more_never_hurts_and_a_crossing_less_never_hurts() -> None:
    from tenancykit.criteria.isolation.reliability import Link, expose

    finding = result(with_options("cp_vcluster_shared", "id_argocd_projects")).pairs[0].finding
    graph, chance = finding.graph, {name: s.chance for name, s in finding.strengths.items()}

    def exposure(links: list[Link]) -> float:
        diagram, (root,) = expose(links, dict.fromkeys(graph.starts), ["process-memory"])
        return diagram.probability([root], dict(chance) | {"one more": 0.5})[0]

    links = list(graph.links)
    whole = exposure(links)
    lowered = 0
    for i, link in enumerate(links):
        guarded = exposure([*links[:i], Link(link.source, link.target, (*link.variables, "one more")), *links[i + 1 :]])
        removed = exposure([*links[:i], *links[i + 1 :]])
        assert removed <= guarded + 1e-12
        assert guarded <= whole + 1e-12
        lowered += removed < whole
    assert lowered > 10
