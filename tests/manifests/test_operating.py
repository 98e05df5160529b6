"""What a platform engineer meets when applying an export: nothing that only works on the second reading."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tenancykit.auditing import Severity, audit_clusters, read_clusters
from tenancykit.catalogue.reading import load_catalogue
from tests.manifests.conftest import read_objects
from tests.study.platforms import exported, small

OPERATORS = ("argocd", "flux-system", "gatekeeper-system", "kcm-system", "kubevirt", "rook-ceph")
"""Namespaces that the charts and operators an export asks for bring along."""


@pytest.mark.parametrize("identifier", ["RA06", "RA07"])
def test_classes_beside_tenants_own_storage_classes_must_keep_to_the_shared_ones(
    identifier: str, tmp_path: Path
) -> None:
    exported(identifier, small("gpu-cloud"), tmp_path / "out")
    report = audit_clusters(read_clusters([tmp_path / "out"]))
    assert not [finding for finding in report.findings if finding.severity >= Severity.MEDIUM]
    text = "".join(file.read_text() for file in (tmp_path / "out").rglob("admission.yaml"))
    assert "'tenancykit-standard', 'tenancykit-standard-shared'" in text


def test_no_storage_rule_is_written_where_nobody_has_a_class_of_its_own(tmp_path: Path) -> None:
    exported("RA01", small("ml-platform"), tmp_path / "out")
    assert not [o for _, o in read_objects(tmp_path / "out") if o["metadata"]["name"].endswith("-storage")]


@pytest.mark.parametrize("identifier", sorted(load_catalogue().references))
def test_every_namespace_an_object_lives_in_is_exported_or_an_operators(identifier: str, tmp_path: Path) -> None:
    exported(identifier, small("regulated-hybrid", 1), tmp_path / "out")
    for reading in read_clusters([tmp_path / "out"]).values():
        made = {item.name for item in reading.objects.of("", "Namespace")}
        used = {item.namespace for item in reading.objects if item.namespaced}
        assert used - made <= set(OPERATORS)


@pytest.mark.parametrize(
    ("identifier", "kind", "field", "reporting", "refusing"),
    [
        ("RA01", "ValidatingAdmissionPolicyBinding", "validationActions", ["Warn", "Audit"], ["Deny", "Audit"]),
        ("RA02", "ValidatingPolicy", "validationActions", ["Audit"], ["Deny"]),
        ("RA07", "Tenancykit", "enforcementAction", "dryrun", "deny"),
    ],
)
def test_policies_only_report_where_the_scenario_says_so_and_the_audit_finds_what_that_leaves_open(
    identifier: str, kind: str, field: str, reporting: object, refusing: object, tmp_path: Path
) -> None:
    scenario = small("ml-platform")
    for admission, action in (("enforce", refusing), ("audit", reporting)):
        team = scenario.team.model_copy(update={"admission": admission})
        exported(identifier, scenario.model_copy(update={"team": team}), tmp_path / admission)
        objects = [o for _, o in read_objects(tmp_path / admission)]
        found = [o["spec"][field] for o in objects if o["kind"].startswith(kind)]
        assert found
        assert all(each == action for each in found)
        tenants = [
            o["metadata"]["labels"] for o in objects if "tenancykit.dev/tenant" in o["metadata"].get("labels", {})
        ]
        restricted = any("pod-security.kubernetes.io/enforce" in labels for labels in tenants)
        assert restricted == (admission == "enforce")
        assert ("Nothing is refused" in (tmp_path / admission / "README.md").read_text()) == (admission == "audit")
        report = audit_clusters(read_clusters([tmp_path / admission]))
        worst = [finding for finding in report.findings if finding.severity >= Severity.MEDIUM]
        assert bool(worst) == (admission == "audit")


def test_exposed_workloads_are_probed_and_may_take_their_time_to_start(tmp_path: Path) -> None:
    scenario = small("saas-inference")
    workloads = tuple(w.model_copy(update={"image": "registry.example.com/model@sha256:0"}) for w in scenario.workloads)
    exported("RA01", scenario.model_copy(update={"workloads": workloads}), tmp_path / "out")
    containers = [
        o["spec"]["template"]["spec"]["containers"][0]
        for _, o in read_objects(tmp_path / "out")
        if o["kind"] == "Deployment"
    ]
    probed = [c for c in containers if "ports" in c]
    assert probed
    for container in probed:
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
        start = container["startupProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] == 30 * 60
        assert start["tcpSocket"] == {"port": container["ports"][0]["name"]}


def test_the_placeholder_image_is_not_probed_since_it_never_listens(tmp_path: Path) -> None:
    exported("RA01", small("saas-inference"), tmp_path / "out")
    text = "".join(file.read_text() for file in (tmp_path / "out").rglob("workloads.yaml"))
    assert "registry.k8s.io/pause" in text
    assert "Probe" not in text


def test_the_gpu_operator_asks_for_service_monitors_only_where_prometheus_runs(tmp_path: Path) -> None:
    for identifier in ("RA08", "RA09"):
        exported(identifier, small("ml-platform", 1), tmp_path / identifier)
        for file in (tmp_path / identifier).rglob("helm/gpu-operator/values.yaml"):
            place = file.relative_to(tmp_path / identifier).parts[1]
            index = yaml.safe_load((tmp_path / identifier / "index.yaml").read_text())
            ready = next(s for s in index["apply"] if place in s["cluster"])["byHand"]
            monitored = yaml.safe_load(file.read_text())["dcgmExporter"]["serviceMonitor"]["enabled"]
            assert monitored == ("Prometheus stack" in ready)


def test_a_project_names_who_syncs_it_since_argo_cd_impersonates(tmp_path: Path) -> None:
    exported("RA04", small("regulated-hybrid"), tmp_path / "out")
    projects = {
        o["metadata"]["name"]: o["spec"] for _, o in read_objects(tmp_path / "out") if o["kind"] == "AppProject"
    }
    assert len(projects) > 2
    for name, spec in projects.items():
        (account,) = spec["destinationServiceAccounts"]
        if name == "tenancykit-platform":
            assert account["defaultServiceAccount"] == "argocd:argocd-application-controller"
        else:
            assert (account["namespace"], account["defaultServiceAccount"]) == (name, "workload-delivery")


def test_people_sign_in_to_argo_cd_by_the_identity_provider_and_no_secret_is_written(tmp_path: Path) -> None:
    exported("RA04", small("regulated-hybrid"), tmp_path / "out")
    values = yaml.safe_load(next((tmp_path / "out").rglob("helm/argo-cd/values.yaml")).read_text())
    settings = values["configs"]["cm"]
    provider = yaml.safe_load(settings["oidc.config"])
    assert provider["clientSecret"] == "$oidc.clientSecret"
    assert "groups" in provider["requestedScopes"]
    assert settings["admin.enabled"] == "false"


def test_the_readme_says_what_to_do_with_files_no_api_server_takes(tmp_path: Path) -> None:
    exported("RA07", small("regulated-hybrid"), tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    for file in [*(tmp_path / "out").rglob("api-server/*.yaml"), *(tmp_path / "out").rglob("flux/*.yaml")]:
        assert f"`{file.relative_to(tmp_path / 'out')}`: " in text
    assert "again once Gatekeeper serves the constraints' kinds" in text
    assert "tenancykit apply . --context CLUSTER=CONTEXT" in text
    assert (
        "have ready: CNI with NetworkPolicy, CSI driver, Gateway API controller, Identity provider integration, "
        in text
    )
