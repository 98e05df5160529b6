"""Fences beside RBAC and network: sandboxes, storage classes, delivery projects, routes, devices in reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenancykit.auditing import AuditReport, Severity, audit, from_dicts
from tenancykit.auditing.crossings.hostile_pods import pod_makers
from tests.audit.tenancy import changed, cluster, named, vap, without

Object = dict[str, Any]


def audited(objects: list[Object]) -> AuditReport:
    return audit(from_dicts(objects))


def rules(report: AuditReport, least: Severity = Severity.MEDIUM) -> set[str]:
    return {finding.rule for finding in report.findings if finding.severity >= least}


def test_a_pod_outside_the_sandbox_its_tenant_runs_in_is_found() -> None:
    pod = named("v1", "Pod", "app", "t-blue", spec={"runtimeClassName": "gvisor", "containers": [{"name": "c"}]})
    objects = [*cluster("blue", "red"), named("node.k8s.io/v1", "RuntimeClass", "gvisor", handler="runsc"), pod]
    report = audited(objects)
    assert "runtime-open" in rules(report)
    assert "blue" in report.crossing("pod-through-kernel").victims
    locked = [*objects, *vap("runtime", "pods", "has(object.spec.runtimeClassName)")]
    report = audited(locked)
    assert "runtime-open" not in rules(report)
    assert report.crossing("pod-through-kernel").victims == {}
    weaker = [*locked, named("node.k8s.io/v1", "RuntimeClass", "nvidia", handler="nvidia")]
    assert "runtime-open" in rules(audited(weaker)), "another RuntimeClass without a kernel of its own is a way out"


def test_a_runtime_class_called_after_a_sandbox_with_another_handler_is_found() -> None:
    objects = [*cluster("blue", "red"), named("node.k8s.io/v1", "RuntimeClass", "kata", handler="runc")]
    assert "runtime-open" in rules(audited(objects))


def storage_class(owner: str) -> Object:
    labels = {"labels": {"tenancykit.dev/tenant": owner}}
    return named("storage.k8s.io/v1", "StorageClass", f"t-{owner}", provisioner="x", metadata=labels)


def claimers() -> list[Object]:
    def add(role: Object) -> None:
        role["rules"].append({"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["create"]})

    return changed(cluster("blue", "red"), "ClusterRole", "member", add)


def test_claims_of_another_tenants_storage_class_are_found_unless_refused() -> None:
    objects = [*claimers(), storage_class("blue"), storage_class("red")]
    report = audited(objects)
    assert "storage-class-open" in rules(report)
    assert set(report.crossing("claim-of-others").pairs()) == {("blue", "red"), ("red", "blue")}
    own = "object.spec.storageClassName == 't-' + namespaceObject.metadata.labels['tenancykit.dev/tenant']"
    assert "storage-class-open" not in rules(audited([*objects, *vap("own", "persistentvolumeclaims", own)]))


def test_a_quota_of_zero_on_a_class_keeps_its_tenant_out() -> None:
    def refuse(quota: Object) -> None:
        quota["spec"]["hard"]["t-red.storageclass.storage.k8s.io/requests.storage"] = "0"

    objects = [*changed(claimers(), "ResourceQuota", "all", refuse), storage_class("red")]
    report = audited(objects)
    assert "blue" not in report.crossing("claim-of-others").victims


def test_tenants_that_may_not_create_claims_reach_no_class() -> None:
    objects = [*cluster("blue", "red"), storage_class("blue"), storage_class("red")]
    assert audited(objects).crossing("claim-of-others").victims == {}


def project(**spec: Any) -> Object:
    notes = {"annotations": {"tenancykit.dev/serves": "blue"}}
    return named("argoproj.io/v1alpha1", "AppProject", "blue", "argocd", metadata=notes, spec=spec)


HERE = "https://kubernetes.default.svc"


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"destinations": [{"server": HERE, "namespace": "t-blue"}]}, False),
        ({"destinations": [{"server": HERE, "namespace": "t-*"}]}, True),
        ({"destinations": [{"server": HERE, "namespace": "t-b*"}]}, False),
        ({"destinations": [{"server": "*", "namespace": "t-blue"}]}, False),  # its own, in whichever cluster
        ({"destinations": [{"server": "*", "namespace": "t-*"}]}, True),
        ({"destinations": [{"name": "blue", "namespace": "*"}]}, False),
        ({"destinations": [{"name": "*", "namespace": "t-r?d"}]}, True),
        ({"destinations": [{"server": HERE, "namespace": "!t-red"}]}, False),
        ({"destinations": [{"server": HERE, "namespace": "t-*"}, {"server": HERE, "namespace": "!t-red"}]}, False),
        ({"destinations": [{"server": HERE, "namespace": "*"}, {"server": HERE, "namespace": "!t-red"}]}, True),
        (
            {
                "destinations": [{"server": HERE, "namespace": "t-blue"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
            True,
        ),
        ({"clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}, False),
    ],
)
def test_a_delivery_project_that_reaches_other_tenants_is_found(spec: Object, found: bool) -> None:
    report = audited([*cluster("blue", "red"), project(**spec)])
    assert ("delivery-cross-tenant" in rules(report)) is found
    assert (("blue", "red") in report.crossing("user-to-delivery-hub").pairs()) is found


def test_a_project_of_the_platform_may_reach_everything() -> None:
    item = project(destinations=[{"server": "*", "namespace": "*"}])
    item["metadata"].pop("annotations")
    assert "delivery-cross-tenant" not in rules(audited([*cluster("blue", "red"), item]))


def test_a_project_is_its_groups_tenants_too() -> None:
    item = project(
        destinations=[{"server": HERE, "namespace": "*"}], roles=[{"name": "members", "groups": ["team-blue"]}]
    )
    item["metadata"].pop("annotations")
    assert "delivery-cross-tenant" in rules(audited([*cluster("blue", "red"), item]))


@pytest.mark.parametrize(("spec", "found"), [({}, True), ({"serviceAccountName": "own"}, False)])
def test_a_flux_kustomization_without_an_account_acts_for_everybody(spec: Object, found: bool) -> None:
    item = named("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "app", "t-blue", spec=spec)
    assert ("delivery-cross-tenant" in rules(audited([*cluster("blue", "red"), item]))) is found


TENANT = "tenancykit.dev/tenant"


def gateway(namespaces: Object) -> Object:
    listener = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": namespaces}}
    return named("gateway.networking.k8s.io/v1", "Gateway", "shared", "edge", spec={"listeners": [listener]})


def routers() -> list[Object]:
    def add(role: Object) -> None:
        rule = {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": ["create"]}
        role["rules"].append(rule)

    return changed(cluster("blue", "red"), "ClusterRole", "member", add)


@pytest.mark.parametrize(
    ("namespaces", "found"),
    [
        ({"from": "All"}, True),
        ({"from": "Selector", "selector": {"matchExpressions": [{"key": TENANT, "operator": "Exists"}]}}, True),
        ({"from": "Selector", "selector": {"matchLabels": {TENANT: "blue"}}}, False),
        ({"from": "Same"}, False),
        ({}, False),
    ],
)
def test_host_names_at_a_gateway_that_tenants_share_are_checked(namespaces: Object, found: bool) -> None:
    objects = [*routers(), gateway(namespaces)]
    assert ("route-hostnames-open" in rules(audited(objects))) is found
    assert "route-hostnames-open" not in rules(audited([*cluster("blue", "red"), gateway(namespaces)]))


def test_a_route_policy_closes_a_shared_gateway() -> None:
    policy = vap("routes", "httproutes", "object.spec.hostnames.all(h, h.endsWith('.example.com'))")
    policy[0]["spec"]["matchConstraints"]["resourceRules"][0]["apiGroups"] = ["gateway.networking.k8s.io"]
    assert "route-hostnames-open" not in rules(audited([*routers(), gateway({"from": "All"}), *policy]))


def test_the_highest_priority_is_found_with_the_path_it_opens() -> None:
    report = audited(without(cluster("blue", "red"), "ValidatingAdmissionPolicyBinding", "priority"))
    found = [f for f in report.findings if f.rule == "priority-open"]
    assert {f.severity for f in found} == {Severity.MEDIUM}
    assert all("->" in f.path for f in found)


def webhook(resource: str) -> Object:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
    entry = {
        "name": "w.example.com",
        "failurePolicy": "Fail",
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://w.example.com"},
    }
    return named("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "w", webhooks=[entry])


@pytest.mark.parametrize(("resource", "severity"), [("pods", Severity.MEDIUM), ("services", Severity.LOW)])
def test_what_is_not_evaluated_leaves_only_the_requests_it_sees_undecided(resource: str, severity: Severity) -> None:
    objects = without(cluster("blue", "red"), "ValidatingAdmissionPolicyBinding", "services")
    report = audited([*objects, webhook(resource)])
    found = [f for f in report.findings if f.rule == "service-external-ips"]
    assert {f.severity for f in found} == {severity}
    undecided = report.crossing("service-to-traffic").undecided
    assert bool(undecided) is (severity == Severity.LOW)


def device_quota(amounts: dict[str, str]) -> Callable[[Object], None]:
    def change(quota: Object) -> None:
        quota["spec"] = {"hard": {**quota["spec"]["hard"], **amounts}}  # tenants share one mapping

    return change


def test_a_device_on_nodes_a_tenant_cannot_reach_needs_no_quota() -> None:
    objects = changed(cluster("blue", "red"), "ResourceQuota", "all", device_quota({"requests.nvidia.com/gpu": "8"}))
    assert audited(objects).crossing("gpu-queue").count == 0, "red cannot be on blue's nodes"
    shared = without(objects, "ValidatingAdmissionPolicyBinding", "placement")
    assert set(audited(shared).crossing("gpu-queue").pairs()) == {("red", "blue")}
    node = named("v1", "Node", "n1", status={"allocatable": {"nvidia.com/gpu": "8"}})
    assert audited([*objects, node]).crossing("gpu-queue").count == 1, "a Node says it is there for anybody"


def test_a_queue_bounds_every_device_of_the_namespaces_kueue_manages() -> None:
    objects = changed(cluster("blue", "red"), "ResourceQuota", "all", device_quota({"requests.nvidia.com/gpu": "8"}))
    objects = without(objects, "ValidatingAdmissionPolicyBinding", "placement")

    def manage(space: Object) -> None:
        space["metadata"]["labels"]["kueue.x-k8s.io/managed-namespace"] = "true"

    managed = changed(objects, "Namespace", "t-red", manage)
    flavor = {"name": "f", "resources": [{"name": "cpu", "nominalQuota": 4}]}
    queue = {"namespaceSelector": {}, "resourceGroups": [{"coveredResources": ["cpu"], "flavors": [flavor]}]}
    managed += [
        named("kueue.x-k8s.io/v1beta2", "ClusterQueue", "red", spec=queue),
        named("kueue.x-k8s.io/v1beta2", "LocalQueue", "tenant", "t-red", spec={"clusterQueue": "red"}),
    ]
    assert audited(managed).crossing("gpu-queue").count == 0
    assert audited(changed(objects, "Namespace", "t-red", manage)).crossing("gpu-queue").count == 1


def test_who_may_create_pods_is_told_by_tenant() -> None:
    assert set(pod_makers(from_dicts(cluster("blue", "red")))) == {"blue", "red"}
    nobody = [item for item in cluster("blue", "red") if item["kind"] != "RoleBinding"]
    assert pod_makers(from_dicts(nobody)) == {}
