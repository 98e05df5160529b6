"""Facts that were wrong or old in November 2026, each with the value its source states."""

from __future__ import annotations

import pytest

from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.validity import rule_limit

CATALOGUE = load_catalogue()

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
