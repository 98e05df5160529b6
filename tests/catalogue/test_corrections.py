"""Facts that were wrong or old in November 2026, each with the value its source states."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tenancykit.api import load_scenario
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import OWN_ROOT, load_catalogue, yaml_files
from tenancykit.design.validity import rule_limit

CATALOGUE = load_catalogue()
BOOK = load_prices(CATALOGUE)

CHARTS = {
    "istiod": "1.31.1",
    "istio-base": "1.31.1",
    "istio-cni": "1.31.1",
    "ztunnel": "1.31.1",
    "kueue": "0.20.1",
    "vcluster-control-plane": "0.37.1",
    "vcluster-private-control-plane": "0.37.1",
    "dra-driver-gpu": "0.5.0",
    "gpu-operator": "v26.7.1",
    "karmada": "v1.19.0",
    "cni-cilium": "1.20.2",
    "cni-ovn-kubernetes": "1.4.0",
    "volcano": "1.15.2",
    "kata-deploy": "4.2.0",
    "kai-scheduler": "v0.17.0",
}
RELEASES = {
    "argo-cd": "v3.5.3",
    "kyverno": "v1.19.1",
    "cert-manager": "1.21.2",
    "flux": "v2.9.6",
    "sriov-operator": "v1.6.0",
    "network-operator": "v26.4.1",
    "prometheus-stack": "91.8.2",
}


@pytest.mark.parametrize(("component", "version"), CHARTS.items())
def test_charts_are_pinned_to_the_newest_release_read(component: str, version: str) -> None:
    found = CATALOGUE.components[component]
    assert found.helm is not None
    assert found.helm.version == version
    assert found.lifecycle.latest.removeprefix("v") == version.removeprefix("v")


@pytest.mark.parametrize(("component", "release"), RELEASES.items())
def test_releases_whose_chart_was_not_read_are_named(component: str, release: str) -> None:
    assert CATALOGUE.components[component].lifecycle.latest == release


def test_mig_exists_on_blackwell_ultra() -> None:
    profiles = CATALOGUE.options["gpu_mig"].gpu.profiles  # type: ignore[union-attr]
    assert profiles["B300-288GB"] == {
        "1g.34gb": 7,
        "1g.67gb": 4,
        "2g.67gb": 3,
        "3g.135gb": 2,
        "4g.135gb": 1,
        "7g.269gb": 1,
    }
    assert profiles["GB300-288GB"]["7g.278gb"] == 1
    assert {"B300", "GB300"} <= set(CATALOGUE.rules["mig-needs-mig-hardware"].gpu_models)


def test_native_gangs_are_served_from_1_37_and_off_by_default() -> None:
    assert CATALOGUE.rules["native-gang-kubernetes"].kubernetes_min == "1.37"
    assert not CATALOGUE.features["gang_scheduling"].enabled("1.37")
    assert "still alpha in 1.37" in CATALOGUE.options["sch_native_gang"].status


def test_user_namespaces_are_on_since_1_33_by_their_gate() -> None:
    assert CATALOGUE.rules["userns-kubernetes"].kubernetes_min == "1.33"
    assert not CATALOGUE.rules["userns-kubernetes"].assumption


def test_options_state_what_their_sources_say_now() -> None:
    options = CATALOGUE.options
    assert "device taints, device status in claims" in options["gpu_dra"].status
    assert "on by default since 1.36" in options["id_impersonation"].status
    assert any("uses the verbs of constrained impersonation" in gap for gap in options["id_impersonation"].gaps)
    assert "graduated" in options["fl_karmada"].maturity
    assert "release candidate" in options["net_spectrum_x"].maturity
    assert any("one GPU per confidential pod" in gap for gap in options["rt_coco"].gaps)
    assert "archived on 2026-03-24" in CATALOGUE.components["gateway-controller"].lifecycle.note


def test_kata_is_offered_with_one_pod_per_node_and_with_gpus_per_pod() -> None:
    operator, upstream = (CATALOGUE.options[name].sandbox for name in ("rt_kata", "rt_kata_single_gpu"))
    assert operator is not None
    assert upstream is not None
    assert (operator.gpu_pods_per_node, upstream.gpu_pods_per_node) == (1, None)
    rules = tuple(CATALOGUE.rules.values())
    assert rule_limit(rules, frozenset({"rt_kata"})) == 1
    assert rule_limit(rules, frozenset({"rt_kata_single_gpu"})) is None
    for refused in ("gpu_mig", "gpu_mps", "gpu_timeslice", "gpu_dra"):
        facts = {"rt_kata_single_gpu", refused}
        assert any(rule.then and rule.when.holds(facts) and not rule.then.holds(facts) for rule in rules), refused


def test_projects_of_rancher_and_of_openshift_are_two_options() -> None:
    rancher, openshift = (CATALOGUE.options[name] for name in ("cp_rancher_projects", "cp_projects"))
    groups = [{o.api_version.split("/")[0] for o in option.objects} for option in (rancher, openshift)]
    assert groups == [{"management.cattle.io"}, {"project.openshift.io"}]
    assert "impersonating-proxy" in rancher.provides
    assert "impersonating-proxy" not in openshift.provides
    assert "project-controller" in rancher.components
    assert "project-controller" not in openshift.components


def test_gke_asks_no_fee_by_the_core_and_one_for_releases_past_their_support() -> None:
    assert "gke_enterprise_core" not in BOOK
    assert BOOK["gke_extended"].amount == Decimal("0.6")


@pytest.mark.parametrize(
    ("term", "low", "amount", "high"),
    [
        ("term_reserved", "0.55", "0.65", "0.85"),
        ("term_reserved-3y", "0.43", "0.44", "0.5"),
        ("term_spot", "0.19", "0.4", "0.6"),
    ],
)
def test_what_stands_in_for_a_commitment_spans_what_was_seen(term: str, low: str, amount: str, high: str) -> None:
    price = BOOK[term]
    assert (price.low, price.amount, price.high) == (Decimal(low), Decimal(amount), Decimal(high))


@pytest.mark.parametrize(
    ("machine", "capex", "power"),
    [
        ("own_hgx_h100", 285_000, "10.2"),
        ("own_hgx_h200", 370_000, "10.2"),
        ("own_hgx_b200", 515_000, "14.3"),
        ("own_gb200_nvl72_tray", 3_000_000 / 18, "6.67"),
        ("own_gb300_nvl72_tray", 3_500_000 / 18, "8.61"),
    ],
)
def test_machines_of_ones_own_cost_what_the_trade_press_saw(machine: str, capex: float, power: str) -> None:
    own = BOOK[machine].own
    assert own is not None
    assert float(own.capex) == pytest.approx(capex, abs=1)
    assert own.power_kw == Decimal(power)


def test_gvisor_knows_what_it_knew_in_august() -> None:
    official = "officially T4, A100, A10G, L4 and H100"
    assert official in CATALOGUE.options["rt_gvisor"].status.replace("officially, ", "officially ")
    assert official.replace("officially", "officially supports") in CATALOGUE.rules["gvisor-knows-these-gpus"].why
    assert CATALOGUE.rules["mig-not-in-gvisor"].when.holds({"gpu_mig"})


def test_the_newest_kubernetes_is_the_one_released_in_august() -> None:
    scenario = load_scenario("ml-platform")
    assert scenario.model_copy(update={"kubernetes": "1.37"}).kubernetes == "1.37"
    assert type(scenario).model_fields["kubernetes"].default == "1.37"


def test_no_text_names_the_old_home_of_the_endpoint_picker() -> None:
    texts = [file.read_text("utf-8") for file in yaml_files(OWN_ROOT)]
    assert not [text for text in texts if "InferenceObjective" in text or "gateway-api-inference-extension" in text]


def test_what_is_published_of_shared_inference_is_said_where_it_is_not_measured(shared: Path) -> None:
    facts = yaml.load((shared / "facts" / "refresh-2026-11.yaml").read_text(), yaml.CSafeLoader)["flaws"]["entries"]
    known = Counter(fact["boundary"] for fact in facts)
    text = " ".join((Path(__file__).parents[2] / "docs" / "isolation.md").read_text("utf-8").split())
    assert f"{known.total()} of 2025 and 2026 were found" in text
    inside = known["request/request"] + known["adapter/adapter"]
    assert (
        f"{inside} between two requests or adapters of one engine and {known['gateway/tenant']} at the gateway" in text
    )
    held = [e.id for e in load_isolation(CATALOGUE).evidence.values() if e.boundary == "inference-server/model"]
    assert held == ["CVE-2025-23319"]
    assert "holds one flaw of a shared inference server (CVE-2025-23319)" in text


COVERED = {
    **dict.fromkeys(("c01", "c02"), "test_native_gangs_are_served_from_1_37_and_off_by_default"),
    **dict.fromkeys(("c03", "c05", "c19", "c21", "c25"), "test_options_state_what_their_sources_say_now"),
    "c04": "test_user_namespaces_are_on_since_1_33_by_their_gate",
    **dict.fromkeys(("c06", "c07"), "test_gke_asks_no_fee_by_the_core_and_one_for_releases_past_their_support"),
    **dict.fromkeys(("c08", "c09", "c17"), "test_prices_of_autumn_2026_are_those_of_their_source"),
    **dict.fromkeys(("c10", "c11", "c12"), "test_every_price_published_this_autumn_agrees_with_its_source"),
    **dict.fromkeys(("c13", "c14"), "test_commitments_spot_and_capacity_blocks_are_terms"),
    **dict.fromkeys(("c15", "c16"), "test_what_stands_in_for_a_commitment_spans_what_was_seen"),
    "c18": "test_machines_of_ones_own_cost_what_the_trade_press_saw",
    "c20": "test_kata_is_offered_with_one_pod_per_node_and_with_gpus_per_pod",
    "c22": "test_gvisor_knows_what_it_knew_in_august",
    "c23": "test_projects_of_rancher_and_of_openshift_are_two_options",
    "c24": "test_models_state_memory_resource_and_fabric_domain",
    "c26": "test_mig_exists_on_blackwell_ultra",
    "c27": "test_no_text_names_the_old_home_of_the_endpoint_picker",
    "c28": "test_the_newest_kubernetes_is_the_one_released_in_august",
    "c29": "test_what_is_published_of_shared_inference_is_said_where_it_is_not_measured",
    **dict.fromkeys((f"v{n:02d}" for n in range(1, 15)), "test_charts_are_pinned_to_the_newest_release_read"),
    **dict.fromkeys(("v06", "v10", "v13"), "test_releases_whose_chart_was_not_read_are_named"),
}
"""The test of each correction."""


def test_every_correction_has_a_test_of_the_right_value(shared: Path) -> None:
    facts = yaml.load((shared / "facts" / "refresh-2026-11.yaml").read_text(), yaml.CSafeLoader)["corrections"]
    assert {fact["id"] for fact in facts} == set(COVERED)
    files = [*Path(__file__).parent.glob("test_*.py"), Path(__file__).parents[1] / "manifests" / "test_accelerators.py"]
    texts = "\n".join(file.read_text("utf-8") for file in files)
    assert all(f"def {name}(" in texts for name in COVERED.values())


def test_confidential_guests_are_offered_with_one_pod_per_host_and_with_a_gpu_per_pod() -> None:
    """NVIDIA supports the first, upstream lists the second; who distrusts a provider need not pay eight cards a pod."""
    supported, upstream = (CATALOGUE.options[name] for name in ("rt_coco", "rt_coco_single_gpu"))
    assert supported.sandbox is not None
    assert upstream.sandbox is not None
    assert (supported.sandbox.gpu_pods_per_node, upstream.sandbox.gpu_pods_per_node) == (1, None)
    assert set(supported.provides) == set(upstream.provides)
    assert any("support comes from upstream alone" in gap for gap in upstream.gaps)
    facts = {"rt_coco_single_gpu", "gpu"}
    assert rule_limit(tuple(CATALOGUE.rules.values()), frozenset(facts)) is None
    for refused in ("gpu_mig", "gpu_mps", "gpu_timeslice", "gpu_vgpu"):
        wishes = CATALOGUE.options[refused].needs
        assert any(not wish.when.holds(frozenset({*facts, refused})) for wish in wishes), refused
