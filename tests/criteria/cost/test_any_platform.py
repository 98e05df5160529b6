"""Laws that hold for the cost of any platform under any published architecture."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.criteria.cost.measure import measure
from tenancykit.criteria.cost.statement import Statement
from tenancykit.scenario.model import Scenario
from tests.criteria.cost.platforms import catalogue, reference

MACHINES = (
    "aws_p4d_24xlarge", "aws_g6_12xlarge", "aws_g6_xlarge", "aws_m7i_4xlarge", "aws_m7i_metal_24xl", "aws_p5_48xlarge",
    "own_hgx_h100", "nebius_h100", "gcp_a3_highgpu_1g",
)  # fmt: skip
SITES = (
    [{"id": "a", "provider": "aws", "jurisdiction": "us"}],
    [{"id": "z", "provider": "own"}],
    [{"id": "a", "provider": "aws", "jurisdiction": "us"}, {"id": "b", "provider": "nebius", "jurisdiction": "eu"}],
)
PROFILES = ("constant", "diurnal", "bursty", "campaigns")


@st.composite
def workloads(draw: st.DrawFn, identifier: str) -> dict[str, Any]:
    replicas = draw(st.integers(1, 12))
    gpu = draw(st.sampled_from([None, {"fraction": 0.1}, {"fraction": 0.5}, {"count": 1}, {"count": 2}, {"count": 8}]))
    return {
        "id": identifier,
        "kind": draw(st.sampled_from(["training", "inference", "service"])),
        "replicas": replicas,
        "cpu": f"{draw(st.sampled_from([100, 2000, 30_000]))}m",
        "memory": f"{draw(st.sampled_from([1, 16, 200]))}Gi",
        "gang": draw(st.integers(1, replicas)),
        "demand": {"profile": draw(st.sampled_from(PROFILES)), "mean": draw(st.sampled_from([0, 0.1, 0.5, 1]))},
        **({"gpu": gpu} if gpu else {}),
        **draw(st.sampled_from([{}, {"exposure": {}}, {"storage": {"size": "7Gi"}}])),
    }


@st.composite
def any_platform(draw: st.DrawFn) -> Scenario:
    templates = [draw(workloads(f"w{i}")) for i in range(draw(st.integers(1, 3)))]
    mode = draw(st.sampled_from(["elastic", "fixed"]))
    types = draw(st.lists(st.sampled_from(MACHINES), min_size=1, max_size=3, unique=True))
    count = {"count": draw(st.integers(0, 40))} if mode == "fixed" else {}
    classes = [
        {
            "id": f"c{i}",
            "kind": draw(st.sampled_from(["team", "customer"])),
            "count": draw(st.sampled_from([1, 2, 17])),
            "service_tier": draw(st.sampled_from(["basic", "premium"])),
            "egress_gib_month": draw(st.sampled_from([0, 33.3])),
            "workloads": [{"template": template["id"]} for template in templates],
        }
        for i in range(draw(st.integers(1, 2)))
    ]
    return Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "any",
            "tenants": {"classes": classes, "named": [{"name": "Né 1", "class": "c0", "workloads": []}]},
            "workloads": templates,
            "infrastructure": {
                "mode": mode,
                "sites": draw(st.sampled_from(SITES)),
                "nodes": [{"type": name, **count} for name in types],
                "currency": draw(st.sampled_from(["USD", "EUR"])),
                "control_plane": draw(st.sampled_from(["managed", "self-managed"])),
                "high_availability": draw(st.booleans()),
            },
        }
    )


@given(any_platform(), st.sampled_from(sorted(catalogue().references)))
@settings(max_examples=25, deadline=None)
def test_costs_add_up_bound_from_below_and_fleets_are_not_overdrawn(scenario: Scenario, identifier: str) -> None:
    score = measure(reference(scenario, identifier), scenario, catalogue())
    result = score.detail
    assert isinstance(result, Statement)
    assert float(result.total) == score.value
    assert score.low <= score.value <= score.high
    assert result.bill().total == result.bill(idle="apart", shared="uniform").total == result.total
    bills = result.tenant_bills(scenario)
    assert sum((sum(lines.values(), Decimal(0)) for lines in bills.values()), Decimal(0)) == result.total
    figures = score.figures
    assert figures["gap_to_lower_bound"] is None or figures["gap_to_lower_bound"] >= -1e-6
    single = len(scenario.infrastructure.sites) == 1  # tenants spread over sites are rounded up to whole pods at each
    # Slower sandboxes take more pods of a site, counted whole: each site's sum is rounded up, the tenants' own are not.
    assert figures["multiplexing"]["gain"] >= (0.99 if single else 0.9) or figures["pending"]
    for offer in scenario.infrastructure.nodes:
        if offer.count is not None:
            uses = ("nodes", "spare_nodes", "control_plane_nodes")
            assert sum(figures[use].get(offer.type, 0) for use in uses) == offer.count


def test_pods_no_machine_can_hold_use_nothing_at_whatever_hour_demand_peaks() -> None:
    demand = {"profile": "bursty", "mean": 0.1}
    scenario = Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "two-peaks",
            "tenants": {
                "classes": [
                    {"id": "c", "kind": "team", "count": 17, "workloads": [{"template": "wide"}, {"template": "slim"}]}
                ]
            },
            "workloads": [
                {"id": "wide", "kind": "training", "cpu": "100m", "memory": "200Gi", "demand": demand},
                {"id": "slim", "kind": "training", "cpu": "2", "memory": "1Gi", "demand": demand},
            ],
            "infrastructure": {
                "sites": [{"id": "a", "provider": "aws"}],
                "nodes": [{"type": "aws_g6_12xlarge"}],  # 192 GiB: holds no wide pod
            },
        }
    )
    result = measure(reference(scenario, "RA01"), scenario, catalogue()).detail
    assert isinstance(result, Statement)
    assert result.bill().total == result.total


def test_pods_no_machine_can_hold_neither_stop_machines_that_others_need_nor_choose_the_hour_they_are_bought_for() -> (
    None
):
    wide = {"kind": "training", "replicas": 5, "cpu": "30", "memory": "200Gi", "gpu": {"count": 2}}
    slim = {"kind": "inference", "replicas": 5, "cpu": "2", "memory": "1Gi", "gpu": {"fraction": 0.1}}
    scenario = Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "homeless",
            "tenants": {
                "classes": [
                    {"id": "c", "kind": "team", "count": 34, "workloads": [{"template": "wide"}, {"template": "slim"}]}
                ]
            },
            "workloads": [
                {"id": "wide", **wide, "demand": {"profile": "diurnal", "mean": 0.5}},
                {"id": "slim", **slim, "demand": {"profile": "campaigns", "mean": 0.5}},
            ],
            "infrastructure": {
                "sites": [{"id": "a", "provider": "aws"}],
                "nodes": [
                    {"type": "aws_g6_xlarge"},
                    {"type": "aws_m7i_4xlarge"},
                ],  # one card each: none holds a wide pod
                "control_plane": "self-managed",
            },
        }
    )
    result = measure(reference(scenario, "RA04"), scenario, catalogue()).detail
    assert isinstance(result, Statement)
    assert {one.pod_class for one in result.housing.housed[0].pending} == {"c/wide"}
    assert result.bill().total == result.total
