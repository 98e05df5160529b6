"""Machines bought as needed are paid for the hours they run; commitments, own hardware and static quotas strand."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import tenancykit as tk
from tenancykit.criteria.score import Score
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.devices import ClassDevices
from tenancykit.study.evaluation import evaluate

BASE = """
schema: tenancykit/scenario/v1
name: saas
title: Inference for customers
kubernetes: "1.36"
tenants:
  classes: [{id: cust, kind: customer, count: 60, workloads: [{template: model}]}]
workloads:
  - {id: model, kind: inference, replicas: 2, cpu: "2", memory: 10Gi, gpu: {count: 1, models: [L4-24GB]}}
infrastructure:
  mode: elastic
  sites: [{id: us, provider: aws, region: us-east-1, jurisdiction: us}]
  nodes: [{type: aws_g6_12xlarge}, {type: aws_m7i_4xlarge}]
  control_plane: managed
  virtualised: true
team: {engineers: 4, automation: gitops, labour_region: na}
weights: {isolation: 0.25, effort: 0.25, operations: 0.25, cost: 0.25}
"""


def cost(
    design: str = "RA01", demand: dict[str, Any] | None = None, kind: str = "customer", count: int = 60, **node: Any
) -> Score:
    data = yaml.safe_load(BASE)
    data["tenants"]["classes"][0] |= {"kind": kind, "count": count}
    if demand:
        data["workloads"][0]["demand"] = demand
    data["infrastructure"]["nodes"][0] |= node
    scenario = tk.parse_scenario(yaml.safe_dump(data))
    catalogue = tk.load_catalogue()
    if " " in design:
        found = tk.variant(design, scenario, catalogue)
    else:
        found = reference_design(catalogue.references[design], scenario, catalogue)
    return evaluate(found, scenario, catalogue).scores["cost"]


def figures(design: str = "RA01", demand: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    return dict(cost(design, demand, **given).figures)


DIURNAL = {"profile": "diurnal", "mean": 0.5, "seed": 1}


def test_a_day_and_night_curve_costs_about_its_average() -> None:
    constant, moving = figures()["per_month"]["GPU nodes"], figures(demand=DIURNAL)["per_month"]["GPU nodes"]
    assert 0.5 < moving / constant < 0.68


def test_a_commitment_is_paid_around_the_clock() -> None:
    def per_machine(**given: Any) -> float:
        found = figures(**given)
        return float(found["per_month"]["GPU nodes"]) / int(found["nodes"]["aws_g6_12xlarge"])

    assert per_machine(demand=DIURNAL, term="reserved") == pytest.approx(per_machine(term="reserved"), rel=1e-4)
    assert per_machine(demand=DIURNAL) < 0.7 * per_machine()


def test_a_cluster_of_their_own_strands_more_than_a_pool() -> None:
    assert figures("RA10", DIURNAL)["per_month"]["GPU nodes"] > figures("RA01", DIURNAL)["per_month"]["GPU nodes"]


def test_quotas_nobody_lends_need_room_for_every_tenants_peak_where_machines_are_committed() -> None:
    bursty = {"profile": "campaigns", "mean": 0.3, "seed": 3}
    apart, lent = (
        figures("RA01", bursty, kind="team", term="reserved"),
        figures("RA01 +sch_kueue", bursty, kind="team", term="reserved"),
    )
    assert (apart["quotas"]["lent"], lent["quotas"]["lent"]) == (False, True)
    assert apart["gpus"]["bought"] > lent["gpus"]["bought"]
    assert apart["quotas"]["gpus_if_apart"] == lent["quotas"]["gpus_if_apart"] == 120
    assert lent["quotas"]["gpus_if_lent"] < 120
    assert (
        figures("RA01", bursty, kind="team")["gpus"]["bought"]
        == figures("RA01 +sch_kueue", bursty, kind="team")["gpus"]["bought"]
    )


CAMPAIGNS = {"profile": "campaigns", "mean": 0.3, "seed": 3}


def test_machines_shared_by_all_cost_no_more_than_machines_of_each_class() -> None:
    """System pods keep no machine with GPUs running while campaigns pause: they stand on machines without."""
    shared, apart = (figures(design, CAMPAIGNS, count=3) for design in ("RA01", "RA01 -node_shared +node_pool_class"))
    machines = [found["per_month"]["GPU nodes"] + found["per_month"]["CPU nodes"] for found in (shared, apart)]
    assert machines[0] <= machines[1] * 1.001
    assert shared["nodes"]["aws_m7i_4xlarge"] > 0


def test_who_holds_no_api_rights_holds_no_quota() -> None:
    assert figures("RA01", {"profile": "campaigns", "mean": 0.3, "seed": 3})["quotas"]["lent"]


def test_the_summary_says_how_many_gpus_lending_saves_and_whether_that_is_in_the_bill() -> None:
    bursty = {"profile": "campaigns", "mean": 0.3, "seed": 3}
    lent = figures("RA01 +sch_kueue", bursty, kind="team")["quotas"]["gpus_if_lent"]
    more = f"{120 - lent:,.0f} more"
    assert f"unlent quotas take 120 ({more})" in cost("RA01 +sch_kueue", bursty, kind="team", term="reserved").summary
    assert (
        f"take 120 GPUs for everybody's peak, {more} than lent ones ({lent:,.0f})."
        in cost("RA01", bursty, kind="team", term="reserved").summary
    )
    assert f"{more}, not in the bill" in cost("RA01 +sch_kueue", bursty, kind="team").summary


@pytest.mark.parametrize(
    ("memory", "profile"), [("5Gi", "1g.10gb"), ("9Gi", "1g.10gb"), ("10Gi", "1g.20gb"), ("18Gi", "2g.20gb")]
)
def test_bill_and_export_cut_a_gpu_alike(memory: str, profile: str) -> None:
    data = yaml.safe_load(BASE)
    fraction = 0.25 if memory == "18Gi" else 0.125
    data["workloads"][0]["gpu"] = {"fraction": fraction, "memory": memory, "models": ["A100-80GB"]}
    data["infrastructure"]["nodes"] = [{"type": "aws_p4de_24xlarge"}, {"type": "aws_m7i_4xlarge"}]
    scenario = tk.parse_scenario(yaml.safe_dump(data))
    catalogue = tk.load_catalogue()
    (found,) = resolve(tk.variant("RA01 +gpu_mig", scenario, catalogue), scenario, catalogue).classes
    assert ClassDevices.of(found, scenario, catalogue).mig_profile(scenario.workloads[0]) == profile
