"""Published comparisons of tenancy models (facts/published_rankings.yaml): where they speak of isolation, we agree."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.criteria.isolation.platforms import CATALOGUE, scenario, score, with_options, without

DESIGNS = {
    "namespace-rbac": with_options("node_shared"),
    "virtual-control-plane": with_options("cp_vcluster_shared"),
    "virtual-control-plane+dedicated-node": with_options("cp_vcluster_shared", "node_dedicated_tenant"),
    "hosted-control-plane": with_options("cp_vcluster_private", "node_dedicated_tenant"),
    "dedicated-cluster": with_options("cp_managed_per_tenant", "node_dedicated_tenant"),
    "dedicated-node": with_options("node_dedicated_tenant"),
    "vm-sandbox": with_options("rt_kata"),
    "mig": with_options("gpu_mig", base=without("gpu_exclusive")),
    "mps": with_options("gpu_mps", base=without("gpu_exclusive")),
    "time-slicing": with_options("gpu_timeslice", base=without("gpu_exclusive")),
}
"""The rankings' vocabulary as designs that differ in what the ranking compares."""

SPECIAL = {
    ("loft-learnk8s-hnc-vcluster-karmada", "karmada"): with_options(
        "cp_managed_per_tenant", "node_dedicated_tenant", "fl_karmada"
    ),
    ("kamaji-vs-vcluster", "kamaji"): with_options("cp_kamaji", "node_dedicated_tenant"),
}

OUTSIDE = {"azure-openai-isolation-models"}
"""Ranks instances of a model-serving service; the catalogue has no option for tenancy inside an application."""


def speaks_of_isolation(criterion: str) -> bool:
    return "isolation" in criterion


def open_days(ranking: str, name: str, choice: str, criterion: str) -> float:
    """Return what the ranking of designs reads: open days of the planes the source speaks of."""
    days = score(SPECIAL.get((ranking, name), DESIGNS[choice]), scenario(gpu="0.25")).detail.days
    if criterion == "control-plane isolation":
        return float(days["all", "control"])
    if choice in ("mig", "mps", "time-slicing"):
        return float(days["all", "accelerator"])
    return float(sum(value for (_, plane), value in days.items() if plane != "performance"))


def value(ranking: str, name: str, choice: str, criterion: str) -> float:
    found = score(SPECIAL.get((ranking, name), DESIGNS[choice]), scenario(gpu="0.25"))
    if criterion == "control-plane isolation":
        return float(found.figures["plane_nines"]["control"])
    if choice in ("mig", "mps", "time-slicing"):
        return float(found.figures["plane_nines"]["accelerator"])
    return found.value


def test_rank_order_agrees_with_every_published_ranking_of_isolation(shared: Path) -> None:
    rankings = yaml.load((shared / "facts" / "published_rankings.yaml").read_text(), yaml.CSafeLoader)["rankings"]
    compared = 0
    for ranking in rankings:
        for order in ranking["orders"]:
            if not speaks_of_isolation(order["criterion"]) or ranking["id"] in OUTSIDE:
                continue
            groups = [[step] if isinstance(step, str) else step for step in order["order"]]
            for better, worse in combinations(groups, 2):
                for high in better:
                    for low in worse:
                        asked = [(ranking["id"], n, ranking["options"][n], order["criterion"]) for n in (high, low)]
                        values = [value(*each) for each in asked]
                        days = [open_days(*each) for each in asked]
                        assert values[0] > values[1], (ranking["id"], high, low, values)
                        assert days[0] < days[1], (ranking["id"], high, low, days)
                        compared += 1
    assert compared >= 18


def test_the_one_published_tie_is_ours_by_level_if_not_by_nines() -> None:
    # VirtualCluster (ICDCS 2021) holds that a virtual control plane reaches the control-plane isolation of a cluster
    # per tenant. We see the same step up from a shared API server, and the syncer and the host cluster as what remains.
    shared, virtual, own = (
        score(DESIGNS[name]).figures["plane_nines"]["control"]
        for name in ("namespace-rbac", "virtual-control-plane", "dedicated-cluster")
    )
    assert shared < virtual < own


def test_a_virtual_control_plane_does_not_fix_the_data_plane() -> None:
    # Kubernetes documentation, Multi-tenancy: virtual control planes leave noisy neighbours and data-plane threats.
    before, after = (score(DESIGNS[name]).figures["planes"] for name in ("namespace-rbac", "virtual-control-plane"))
    assert before["compute"] == after["compute"]
    assert score(DESIGNS["virtual-control-plane"]).figures["depth"] == 1


@pytest.mark.parametrize("reference", sorted(CATALOGUE.references))
def test_every_reference_architecture_has_a_level_and_a_weakest_path(reference: str) -> None:
    from tenancykit.criteria.isolation.measure import measure
    from tenancykit.design.validity import reference_design, resolve

    asked = scenario()
    design = resolve(reference_design(CATALOGUE.references[reference], asked, CATALOGUE), asked, CATALOGUE)
    found = measure(design, asked, CATALOGUE)
    assert found.figures["level"] in ("L1", "L2", "L3", "L4", "L5")
    assert " -> " in found.figures["weakest_path"]
    assert 0 < found.value < 12
