"""The cost of a design: it adds up, opens to its sources, and moves in the direction the field knows."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from kubeanswers.errors import InputError
from tenancykit.criteria.cost.fleet import demand_beyond_fleet
from tenancykit.criteria.cost.measure import measure
from tenancykit.criteria.cost.statement import Statement
from tenancykit.criteria.score import Evidence, Score
from tenancykit.design.model import ResolvedDesign
from tenancykit.scenario.model import Scenario
from tests.criteria.cost.platforms import catalogue, design, platform, reference

REFERENCES = tuple(sorted(catalogue().references))
FLEET = "[{type: aws_p4d_24xlarge, count: GPUS}, {type: aws_m7i_4xlarge, count: CPUS}]"


def cost(resolved: ResolvedDesign, scenario: Scenario) -> Score:
    return measure(resolved, scenario, catalogue())


def statement(score: Score) -> Statement:
    assert isinstance(score.detail, Statement)
    return score.detail


def fleet(gpus: int, cpus: int) -> str:
    return FLEET.replace("GPUS", str(gpus)).replace("CPUS", str(cpus))


@pytest.mark.parametrize("identifier", REFERENCES)
@pytest.mark.parametrize("tenants", [1, 37])
def test_lines_and_tenants_bills_add_up_to_the_cost_of_every_architecture(identifier: str, tenants: int) -> None:
    scenario = platform(tenants, demand="demand: {profile: diurnal, mean: 0.6}", egress=25)
    score = cost(reference(scenario, identifier), scenario)
    result = statement(score)
    assert float(result.total) == score.value
    assert 0 < score.low < score.value < score.high
    for idle in ("distributed", "apart"):
        bill = result.bill(idle=idle)
        assert bill.total == result.total
    bills = result.tenant_bills(scenario)
    assert len(bills) == tenants
    assert sum((sum(lines.values(), Decimal(0)) for lines in bills.values()), Decimal(0)) == result.total


@pytest.mark.parametrize("identifier", REFERENCES)
def test_every_amount_opens_to_a_price_with_source_or_assumption(identifier: str) -> None:
    scenario = platform(5, egress=25)
    tree = cost(reference(scenario, identifier), scenario).evidence
    categories = [line for line in tree.children if line.label != "placement"]
    assert sum(line.value or 0 for line in categories) == pytest.approx(tree.value)
    for category in categories:
        assert sum(line.value or 0 for line in category.children) == pytest.approx(category.value)
        for line in category.children:
            prices = list(_leaves(line))
            assert prices
            assert all(price.source or price.assumption for price in prices)
            assert all("catalogue/prices/" in price.note for price in line.children)


def _leaves(line: Evidence) -> list[Evidence]:
    return [leaf for child in line.children for leaf in _leaves(child)] if line.children else [line]


def test_people_are_one_more_line_exact_to_the_cent() -> None:
    scenario = platform(3)
    without = statement(cost(design(scenario), scenario)).total
    score = measure(design(scenario), scenario, catalogue(), people_per_month=Decimal("1234.56"))
    assert statement(score).total == without + Decimal("1234.56")
    assert score.figures["per_month"]["people"] == 1234.56


def test_machines_for_each_tenant_cost_more_than_a_pool_and_clusters_more_than_machines() -> None:
    scenario = platform(30)
    shared = cost(design(scenario), scenario).value
    pool = cost(design(scenario, node_shared="node_pool_class"), scenario).value
    own_nodes = cost(design(scenario, node_shared="node_dedicated_tenant"), scenario).value
    clusters = cost(
        design(scenario, node_shared="node_dedicated_tenant", cp_namespace_rbac="cp_managed_per_tenant"), scenario
    ).value
    assert shared <= pool < own_nodes < clusters


def test_cutting_gpus_takes_fewer_of_them_where_pods_ask_for_shares() -> None:
    scenario = platform(30)
    whole, cut = (
        cost(design(scenario, gpu_exclusive=option), scenario).figures["gpus"]
        for option in ("gpu_exclusive", "gpu_timeslice")
    )
    assert whole["taken_at_peak"] == 30 * (4 + 2)
    assert cut["taken_at_peak"] == 30 * 4.5
    assert cut["bought"] < whole["bought"]


def test_a_partitioned_gpu_gives_a_whole_slice_to_a_smaller_share() -> None:
    """A quarter of an A100 takes two of seven compute slices: three fit beside each other, not four."""
    scenario = platform(12)
    figures = cost(design(scenario, gpu_exclusive="gpu_mig"), scenario).figures
    assert figures["gpus"]["bought"] >= 12 * 4 + 24 / 3


def test_sandboxes_never_make_it_cheaper() -> None:
    scenario = platform(40)
    assert cost(design(scenario, rt_runc="rt_kata"), scenario).value >= cost(design(scenario), scenario).value


def test_capacity_of_a_domain_is_bought_for_its_peak_so_sharing_gains() -> None:
    scenario = platform(60, demand="demand: {profile: campaigns, mean: 0.4}")
    shared = cost(design(scenario), scenario).figures["multiplexing"]
    alone = cost(design(scenario, node_shared="node_dedicated_tenant"), scenario).figures["multiplexing"]
    assert shared["gain"] > 1.3
    assert alone["gain"] == pytest.approx(1.0)
    assert shared["sum_of_tenant_peaks"] == alone["sum_of_tenant_peaks"]


def test_figures_per_tenant_and_per_used_gpu_hour_follow_from_the_total() -> None:
    scenario = platform(8)
    score = cost(design(scenario), scenario)
    hours = 8 * (4 + 2 * 0.25) * 730
    assert score.figures["used_gpu_hours"] == hours
    assert score.figures["per_used_gpu_hour"] == pytest.approx(score.value / hours, abs=0.006)
    assert score.figures["per_tenant"] == pytest.approx(score.value / 8, abs=0.006)


def test_the_price_is_never_below_the_lower_bound() -> None:
    scenario = platform(25)
    for identifier in REFERENCES:
        gap = cost(reference(scenario, identifier), scenario).figures["gap_to_lower_bound"]
        assert gap >= -1e-9


def test_load_balancers_storage_and_traffic_are_counted_by_tenant() -> None:
    scenario = platform(10, egress=100)
    charges = {c.label: c.cost.amount for c in statement(cost(design(scenario), scenario)).charges}
    assert charges["10 x load balancer of 10 tenants of team"] == Decimal("0.0225") * 730 * 10
    assert charges["traffic of 10 tenants of team"] == Decimal("0.09") * 1000
    assert charges["volumes of 10 tenants of team"] == Decimal("0.08") * 10 * 2 * 50


def test_traffic_of_a_class_without_a_load_balancer_is_translated_and_paid_for() -> None:
    scenario = platform(10, egress=100, exposed=False)
    charges = {c.label: c.cost.amount for c in statement(cost(design(scenario), scenario)).charges}
    assert charges["traffic of 10 tenants of team"] == Decimal("0.09") * 1000
    assert charges["translated traffic of 10 tenants of team"] == Decimal("0.045") * 1000
    exposed = platform(10, egress=100)
    labels = [c.label for c in statement(cost(design(exposed), exposed)).charges]
    assert not any(label.startswith("translated") for label in labels)


@pytest.mark.parametrize(("provider", "each"), [("aws", "0.02"), ("coreweave", "0.02"), ("own", "0")])
def test_traffic_between_zones_is_counted_where_the_scenario_states_it(provider: str, each: str) -> None:
    scenario = platform(10, sites=f"[{{id: us, provider: {provider}}}]")
    label = "traffic between zones of 10 tenants of team"
    silent = statement(cost(design(scenario), scenario))
    assert label not in {c.label for c in silent.charges}
    (stated,) = (c.model_copy(update={"cross_zone_gib_month": 12.5}) for c in scenario.tenants.classes)
    scenario = scenario.model_copy(update={"tenants": scenario.tenants.model_copy(update={"classes": (stated,)})})
    found = statement(cost(design(scenario), scenario))
    charged = sum((c.cost.amount for c in found.charges if c.label == label), Decimal(0))
    assert charged == Decimal(each) * 125
    assert found.total - silent.total == charged


def test_each_own_cluster_pays_a_control_plane_fee_and_a_gateway() -> None:
    scenario = platform(10)
    charges = {c.label: c.cost.amount for c in statement(cost(reference(scenario, "RA10"), scenario)).charges}
    assert charges["10 x control plane of tenant@us/team"] == 730
    assert charges["10 x NAT gateway of tenant@us/team"] == Decimal("0.045") * 7300


def test_self_managed_control_planes_are_machines() -> None:
    scenario = platform(4, control_plane="self-managed")
    figures = statement(cost(design(scenario), scenario))
    hosts = [c.label for c in figures.charges if c.category == "control planes"]
    assert hosts == ["3 x aws_m7i_4xlarge for kubernetes-cluster"]


def test_vgpu_owes_a_licence_per_gpu() -> None:
    scenario = platform(10)
    score = cost(reference(scenario, "RA15"), scenario)
    gpus = score.figures["gpus"]["bought"]
    assert score.figures["per_month"]["licences"] == pytest.approx(gpus * 730 * 1.0)
    assert cost(design(scenario), scenario).figures["per_month"]["licences"] == 0


def test_software_that_may_have_to_be_paid_for_without_a_known_price_is_named() -> None:
    scenario = platform(3)
    notes = cost(reference(scenario, "RA12"), scenario).figures["notes"]
    assert any("vCluster" in note and "none is counted" in note for note in notes)
    assert not any("vGPU" in note for note in cost(reference(scenario, "RA15"), scenario).figures["notes"])
    assert not cost(design(scenario), scenario).figures["notes"]


# --- fixed fleets -----------------------------------------------------------------------------------------------------


def test_a_fixed_fleet_costs_what_it_costs_however_empty() -> None:
    small, large = (platform(n, mode="fixed", nodes=fleet(20, 10)) for n in (2, 10))
    nodes = [cost(design(s), s).figures["per_month"]["GPU nodes"] for s in (small, large)]
    assert nodes == [pytest.approx(20 * 21.957642 * 730, abs=0.01)] * 2
    spare = cost(design(small), small).figures["spare_nodes"]
    assert spare["aws_p4d_24xlarge"] > 15


def test_pods_a_fixed_fleet_cannot_hold_are_pending_with_a_reason_and_priced_on_top() -> None:
    scenario = platform(30, mode="fixed", nodes=fleet(10, 10))
    score = cost(design(scenario), scenario)
    pending = score.figures["pending"]
    assert sum(p["pods"] for p in pending) > 0
    assert all("nodes are available" in p["reason"] for p in pending)
    extra = score.figures["nodes_to_buy_for_pending"]["aws_p4d_24xlarge"]
    assert score.figures["per_month"]["GPU nodes"] == pytest.approx((10 + extra) * 21.957642 * 730, abs=0.02)
    assert 10 + extra >= score.figures["gpus"]["used_on_average"] / 8
    assert statement(score).bill().total == statement(score).total


def test_dedicated_tenants_take_whole_machines_of_a_fixed_fleet_until_it_is_empty() -> None:
    scenario = platform(12, mode="fixed", nodes=fleet(10, 40))
    figures = cost(design(scenario, node_shared="node_dedicated_tenant"), scenario).figures
    assert figures["nodes"]["aws_p4d_24xlarge"] == 10
    assert figures["nodes_to_buy_for_pending"]["aws_p4d_24xlarge"] == 2
    assert figures["gap_to_lower_bound"] is None


def test_what_a_fleet_lacks_for_its_tenants_is_told_in_numbers_people_read() -> None:
    """Thousands were told as powers of ten: 4.8e+03 GPUs."""
    (told,) = demand_beyond_fleet(platform(1200, mode="fixed", nodes=fleet(500, 400)), catalogue())
    assert told == "tenants ask for 5,400 GPUs at their peak, and the fleet holds 4,000"


@pytest.mark.parametrize("plain", [0, 3, 6, 12])
def test_control_planes_and_spares_take_no_machine_with_gpus_that_work_needs(plain: int) -> None:
    """Six clusters have 18 machines of their own for control planes: what is lacking has no GPUs, and costs as such."""
    scenario = platform(6, mode="fixed", nodes=fleet(6, plain), control_plane="self-managed")
    resolved = design(scenario, cp_namespace_rbac="cp_capi_dedicated", node_shared="node_dedicated_tenant")
    figures = cost(resolved, scenario).figures
    assert figures["nodes"]["aws_p4d_24xlarge"] == 6
    assert figures["fleet"]["missing_gpu_nodes"] == 0
    assert figures["control_plane_nodes"].get("aws_p4d_24xlarge", 0) == 0
    assert figures["fleet"]["missing_cpu_nodes"] >= 18 - plain
    assert figures["fleet"]["purchase_per_month"] < figures["fleet"]["missing_cpu_nodes"] * 1000


def test_control_planes_stand_on_machines_with_gpus_that_nobody_needs() -> None:
    scenario = platform(2, mode="fixed", nodes=fleet(40, 4), control_plane="self-managed")
    resolved = design(scenario, cp_namespace_rbac="cp_capi_dedicated", node_shared="node_dedicated_tenant")
    figures = cost(resolved, scenario).figures
    assert figures["control_plane_nodes"]["aws_p4d_24xlarge"] > 0
    assert figures["fleet"]["missing_control_plane_machines"] == 0


def test_cut_and_whole_gpus_of_a_fixed_fleet_do_not_count_a_machine_twice() -> None:
    scenario = platform(40, mode="fixed", nodes=fleet(15, 10))
    figures = cost(design(scenario, gpu_exclusive="gpu_mig"), scenario).figures
    used, spare = figures["nodes"].get("aws_p4d_24xlarge", 0), figures["spare_nodes"].get("aws_p4d_24xlarge", 0)
    assert used + spare == 15


# --- inputs -----------------------------------------------------------------------------------------------------------


def test_a_design_without_an_allowed_gpu_on_offer_is_priced_as_if_any_would_do_and_says_so() -> None:
    scenario = platform(3, nodes="[{type: aws_g6_12xlarge}, {type: aws_m7i_4xlarge}]")
    resolved = design(scenario, gpu_exclusive="gpu_mig")
    assert resolved.of_class("team").gpu_models
    score = cost(resolved, scenario)
    assert score.value > 0
    assert "allow no GPU model on offer; priced as if L4-24GB would do" in score.figures["notes"][0]
    assert score.figures["notes"][0] in score.evidence.note


def test_costs_are_in_the_scenarios_currency() -> None:
    dollars, euros = (platform(3, currency=c) for c in ("USD", "EUR"))
    rate = 0.9
    assert cost(design(euros), euros).value == pytest.approx(cost(design(dollars), dollars).value * rate, rel=1e-4)
    assert cost(design(euros), euros).unit == "EUR per month"


def test_an_unknown_currency_or_node_type_is_named_with_a_cure() -> None:
    scenario = platform(3, currency="XYZ")
    with pytest.raises(InputError, match="add an entry of kind exchange-rate with currency XYZ"):
        cost(design(scenario), scenario)
    scenario = platform(3, nodes="[{type: aws_p4d_24xlarg}]")
    with pytest.raises(InputError, match="did you mean aws_p4d_24xlarge"):
        cost(design(scenario), scenario)


def test_the_scenarios_own_price_book_is_used(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(
        "entries:\n  - {id: aws_p4d_24xlarge, kind: node, amount: 10, per: hour, currency: USD, provider: aws,\n"
        "     node: {cpu: 96, memory: 1152Gi, gpus: 8, gpu_model: A100-40GB}, source: contract, as_of: 2026-11,"
        " confidence: A}\n"
    )
    scenario = platform(30)
    book = scenario.infrastructure.model_copy(update={"price_book": "prices.yaml"})
    own = scenario.model_copy(update={"infrastructure": book}).in_folder(tmp_path)
    ours, theirs = (cost(design(s), s).figures["per_month"]["GPU nodes"] for s in (own, scenario))
    assert ours == pytest.approx(theirs * 10 / 21.957642, rel=1e-4)


def _traced(tmp_path: Path, rows: str) -> Scenario:
    (tmp_path / "demand.csv").write_text("tenant,hour,active\n" + rows)
    return platform(2, demand="demand: {profile: trace, file: demand.csv}").in_folder(tmp_path)


def test_a_trace_beside_the_scenario_decides_the_peak(tmp_path: Path) -> None:
    scenario = _traced(tmp_path, "team-1,0,4\nteam-1,1,0\nteam-2,0,0\nteam-2,1,4\n")
    shared = cost(design(scenario), scenario).figures
    alone = cost(design(scenario, node_shared="node_dedicated_tenant"), scenario).figures
    assert shared["multiplexing"]["sum_of_domain_peaks"] == 4 + 4 * 0.25
    assert alone["multiplexing"]["sum_of_domain_peaks"] == 2 * (4 + 4 * 0.25)
    assert shared["multiplexing"]["gain"] == 2.0


def test_a_trace_that_lacks_a_tenant_is_refused_by_name(tmp_path: Path) -> None:
    scenario = _traced(tmp_path, "team-1,0,4\n")
    with pytest.raises(InputError, match="tenant 'team-2' has no row"):
        cost(design(scenario), scenario)


def test_the_same_scenario_gives_the_same_figures_in_another_process(repository: Path) -> None:
    program = (
        "import json\n"
        "from tests.criteria.cost.platforms import *\n"
        "from tenancykit.criteria.cost.measure import measure\n"
        "s = platform(17, demand='demand: {profile: bursty, mean: 0.5}')\n"
        "scores = [measure(reference(s, i), s, catalogue()) for i in ('RA02', 'RA06', 'RA15')]\n"
        "print(json.dumps([[x.value, x.figures, str(x.evidence)] for x in scores]))\n"
    )
    outputs = set()
    for seed in ("1", "2"):
        path = f"{repository / 'toolkit'}{os.pathsep}{repository}"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_helios_tenants_gain_from_sharing_and_dedicated_clusters_cost_more(repository: Path, shared: Path) -> None:
    """The 16 virtual clusters of Helios Earth; the peak of the raw files is the yardstick."""
    from tenancykit.scenario.reading import read_scenario

    folder = repository / "examples" / "ml-platform"
    if not (folder / "scenario.yaml").exists():
        pytest.skip("the example is not in this checkout")
    scenario = read_scenario(folder)
    pool = cost(reference(scenario, "RA01"), scenario)
    apart = cost(reference(scenario, "RA10"), scenario)
    assert pool.figures["multiplexing"]["gain"] > 1.02
    assert apart.value > pool.value
    running: dict[str, int] = {}
    with (shared / "data" / "helios_earth_vc" / "hourly.csv").open() as file:
        for row in csv.DictReader(file):
            running[row["hour"]] = running.get(row["hour"], 0) + int(row["max_running"])
    together = max(running.values())
    assert pool.figures["gpus"]["bought"] >= 0.8 * together
