"""Options added after the first catalogue: their exports are valid and proven, and their typical misuse is noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenancykit.api import load_scenario, validate
from tenancykit.auditing import Severity, audit, audit_clusters, from_dicts, read_clusters
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.cost.measure import measure
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.validity import reference_design, resolve
from tenancykit.design.variants import variant
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tenancykit.study.completion import completed
from tests.audit.tenancy import cluster, named
from tests.manifests.conftest import read_objects

ADDED = (
    *("st_velero_tenant", "id_eso", "id_openbao", "id_spire", "pol_falco", "pol_tetragon"),
    *("sch_kueue_tas", "sch_jobset", "sch_lws", "sch_kuberay", "sch_slinky"),
)


@pytest.mark.parametrize("identifier", ADDED)
def test_an_export_with_the_option_is_strictly_valid_and_nothing_in_it_lets_tenants_meet(
    identifier: str, tmp_path: Path, catalogue: Catalogue, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    export(designed(identifier), small, catalogue, tmp_path / "with")
    verdict = validate(tmp_path / "with", kubernetes=small.kubernetes)
    assert verdict.exit_code == 0, verdict
    export(designed(), small, catalogue, tmp_path / "without")

    def told(folder: str) -> set[tuple[str, str]]:
        findings = audit_clusters(read_clusters([tmp_path / folder])).findings
        return {(f.rule, f.subject) for f in findings if f.severity >= Severity.MEDIUM}

    assert told("with") <= told("without")


def binding(namespace: str, rule: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a role in a namespace and its binding to the tenant blue."""
    rbac = "rbac.authorization.k8s.io"
    group = {"kind": "Group", "name": "team-blue", "apiGroup": rbac}
    reference = {"apiGroup": rbac, "kind": "Role", "name": "extra"}
    return [
        named(f"{rbac}/v1", "Role", "extra", namespace, rules=[rule]),
        named(f"{rbac}/v1", "RoleBinding", "extra", namespace, roleRef=reference, subjects=[group]),
    ]


def test_each_tenant_is_saved_to_its_own_bucket_and_nothing_but_its_namespace_is(
    tmp_path: Path, catalogue: Catalogue, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    export(designed("st_velero_tenant"), small, catalogue, tmp_path / "out")
    objects = [o for _, o in read_objects(tmp_path / "out") if o["apiVersion"] == "velero.io/v1"]
    places = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "BackupStorageLocation"}
    schedules = [o["spec"]["template"] for o in objects if o["kind"] == "Schedule"]
    assert len(places) == len(schedules) == 4
    assert len({p["objectStorage"]["bucket"] for p in places.values()}) == 4
    assert len({p["credential"]["name"] for p in places.values()}) == 4
    for template in schedules:
        assert template["includedNamespaces"] == [template["storageLocation"]]
        assert template["storageLocation"] in places
        assert template["includeClusterResources"] is False


@pytest.mark.parametrize("resource", ["restores", "backups", "schedules"])
def test_a_tenant_that_may_ask_the_backup_server_for_anything_is_found(resource: str) -> None:
    system = {"tenancykit.dev/system": "true"}
    velero = named("v1", "Namespace", "velero", metadata={"labels": system})
    asked = {"apiGroups": ["velero.io"], "resources": [resource], "verbs": ["create"]}
    base = [*cluster("blue", "red"), velero]

    def found(rule: dict[str, Any]) -> bool:
        report = audit(from_dicts([*base, *binding("velero", rule)]))
        return any("backup server" in f.what + f.path and f.severity >= Severity.HIGH for f in report.findings)

    assert found(asked)
    assert not found(asked | {"verbs": ["get"]})


MISUSES = (
    ("jobset.x-k8s.io", "jobsets", "runs code there through an operator"),
    ("leaderworkerset.x-k8s.io", "leaderworkersets", "runs code there through an operator"),
    ("slinky.slurm.net", "nodesets", "runs code there through an operator"),
    ("amd.com", "deviceconfigs", "run as root on nodes"),
    ("spire.spiffe.io", "clusterspiffeids", "identity of any workload"),
    ("kueue.x-k8s.io", "topologies", "moves quotas between tenants"),
    ("kueue.x-k8s.io", "multikueueclusters", "sends the jobs of others to clusters of its own choice"),
    ("cilium.io", "tracingpolicies", "stops what watches the processes of every tenant"),
    ("external-secrets.io", "clustersecretstores", "has an operator copy or overwrite credentials"),
    ("", "configmaps", "rewrites what platform components are configured by"),
)


@pytest.mark.parametrize(("group", "resource", "means"), MISUSES, ids=lambda value: value or "core")
def test_a_tenant_that_may_write_what_the_platform_keeps_for_itself_is_found(
    group: str, resource: str, means: str
) -> None:
    rbac = "rbac.authorization.k8s.io"
    system = named("v1", "Namespace", "platform", metadata={"labels": {"tenancykit.dev/system": "true"}})
    subject = {"kind": "Group", "name": "team-blue", "apiGroup": rbac}

    def found(verb: str) -> bool:
        rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        role = named(f"{rbac}/v1", "ClusterRole", "extra", rules=[rule])
        reference = {"apiGroup": rbac, "kind": "ClusterRole", "name": "extra"}
        bound = named(f"{rbac}/v1", "ClusterRoleBinding", "extra", roleRef=reference, subjects=[subject])
        report = audit(from_dicts([*cluster("blue", "red"), system, role, bound]))
        return any(means in f.what + f.path and f.severity >= Severity.HIGH for f in report.findings)

    assert found("update")
    assert not found("get")


@pytest.mark.parametrize(
    ("namespace", "rule", "means"),
    [
        ("openbao", ("pods/exec", "create"), "steps into running containers"),
        ("openbao", ("secrets", "get"), "reads credentials"),
        ("falco", ("configmaps", "update"), "rewrites what platform components are configured by"),
        ("falco", ("pods", "update"), "swaps the images of running pods"),
        ("tetragon", ("configmaps", "update"), "rewrites what platform components are configured by"),
    ],
)
def test_a_tenant_that_may_touch_the_store_of_secrets_or_what_watches_it_is_found(
    namespace: str, rule: tuple[str, str], means: str
) -> None:
    resource, verb = rule
    home = named("v1", "Namespace", namespace, metadata={"labels": {"tenancykit.dev/system": "true"}})
    held = {"apiGroups": [""], "resources": [resource], "verbs": [verb]}
    report = audit(from_dicts([*cluster("blue", "red"), home, *binding(namespace, held)]))
    assert any(means in f.what + f.path and f.severity >= Severity.HIGH for f in report.findings)
    harmless = {"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}
    apart = audit(from_dicts([*cluster("blue", "red"), home, *binding(namespace, harmless)]))
    assert not any(means in f.what + f.path for f in apart.findings)


def test_queues_place_by_rack_and_follow_groups_only_where_these_were_chosen(
    tmp_path: Path, catalogue: Catalogue, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    chosen = {"plain": (), "all": ("sch_kueue_tas", "sch_jobset", "sch_lws")}
    for folder, options in chosen.items():
        export(designed("sch_kueue", *options), small, catalogue, tmp_path / folder)
    for folder, wanted in (("plain", False), ("all", True)):
        objects = [o for _, o in read_objects(tmp_path / folder)]
        flavors = [o["spec"] for o in objects if o["kind"] == "ResourceFlavor"]
        topologies = [o["metadata"]["name"] for o in objects if o["kind"] == "Topology"]
        assert flavors
        assert all((spec.get("topologyName") in topologies) is wanted for spec in flavors)
        values = "".join(p.read_text() for p in (tmp_path / folder).rglob("*.yaml"))
        for kind in ("jobset.x-k8s.io/jobset", "leaderworkerset.x-k8s.io/leaderworkerset"):
            assert (kind in values) is wanted


def test_jobs_are_dispatched_to_the_tenants_own_cluster_and_to_no_other(
    tmp_path: Path, catalogue: Catalogue, small: Scenario
) -> None:
    design = resolve(variant("RA10 +fl_multikueue +sch_kueue", small, catalogue), small, catalogue)
    export(design, small, catalogue, tmp_path / "out")
    assert validate(tmp_path / "out", kubernetes=small.kubernetes).exit_code == 0
    objects = {(o["kind"], o["metadata"]["name"]): o["spec"] for _, o in read_objects(tmp_path / "out") if "spec" in o}
    checks = {name: spec for (kind, name), spec in objects.items() if kind == "AdmissionCheck"}
    assert len(checks) == 4
    for name, spec in checks.items():
        assert objects["MultiKueueConfig", spec["parameters"]["name"]]["clusters"] == [name]
    sources = [spec["clusterSource"] for (kind, _), spec in objects.items() if kind == "MultiKueueCluster"]
    assert len({source["kubeConfig"]["location"] for source in sources}) == len(sources) == 4


def test_a_provisioned_control_plane_is_paid_by_the_hour_for_each_cluster(catalogue: Catalogue) -> None:
    scenario = load_scenario("saas-inference")
    plain, tiered = (
        resolve(variant(text, scenario, catalogue), scenario, catalogue)
        for text in ("RA10", "RA10 +cp_eks_provisioned")
    )
    clusters = sum(cls.count for cls in scenario.tenants.classes)
    more = measure(tiered, scenario, catalogue).value - measure(plain, scenario, catalogue).value
    assert more == pytest.approx(1.65 * 730 * clusters, rel=0.02)


def test_identities_of_a_tenant_lie_below_its_own_prefix(
    tmp_path: Path, catalogue: Catalogue, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    export(designed("id_spire"), small, catalogue, tmp_path / "out")
    given = [o["spec"] for _, o in read_objects(tmp_path / "out") if o["kind"] == "ClusterSPIFFEID"]
    prefixes = {spec["spiffeIDTemplate"].partition("/ns/")[0] for spec in given}
    assert len(given) == len(prefixes) == 4
    for spec in given:
        (tenant,) = spec["namespaceSelector"]["matchLabels"].values()
        assert f"/tenant/{tenant}/ns/" in spec["spiffeIDTemplate"]


def test_whoever_asks_for_backups_on_a_shared_cluster_gets_them_by_completion(catalogue: Catalogue) -> None:
    scenario = load_scenario("ml-platform")
    asking = scenario.model_copy(update={"needs": {"backup": True}})
    design = reference_design(catalogue.references["RA03"], scenario, catalogue)
    for each, wanted in ((scenario, False), (asking, True)):
        (done,) = completed([design], each, catalogue)
        assert ("st_velero_tenant" in done.choices["research"].options) is wanted
    assert not resolve(completed([design], asking, catalogue)[0], asking, catalogue).violations
