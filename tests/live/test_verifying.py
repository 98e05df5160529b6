"""What the server says is held against the export: nothing is written, and every weakening is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tenancykit.cli import main
from tenancykit.live.applying import Application, place_of
from tenancykit.live.client import Answer
from tenancykit.live.contexts import read_cluster
from tenancykit.live.discovery import Discovery
from tenancykit.live.questions import Reply
from tenancykit.live.verifying import Scope, Verification, verify
from tenancykit.report.live import verification_junit
from tests.live.api_server import Cluster
from tests.live.conftest import PLATFORM, Serve, add, empty_cluster
from tests.live.direct import Direct

RBAC = "rbac.authorization.k8s.io"


def asked(cluster: Cluster, export: Path, **scope: Any) -> Verification:
    objects = read_cluster(export / "clusters" / PLATFORM).objects
    return verify({PLATFORM: (Direct(cluster), objects)}, Scope(**{"sample": 1, **scope}))


def deviations(cluster: Cluster, export: Path, about: str, **scope: Any) -> list[Reply]:
    return [reply for reply in asked(cluster, export, **scope).deviations if reply.about == about]


def tenant_of(cluster: Cluster) -> str:
    """Return the namespace of the first tenant that is asked about."""
    return next(name for (_, kind, _, name) in sorted(cluster.objects) if kind == "Namespace" and name.startswith("t-"))


def test_a_cluster_that_is_as_exported_is_verified(
    applied: Cluster, serve: Serve, scenario: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(serve(prod=applied))
    assert main(["verify", str(scenario), str(export), "--sample", "1", "--kubeconfig", config, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["proof"]) == ("verified", "proven")
    assert {about for about, counts in told["counts"].items() if counts.get("as claimed", 0) > 5} == {
        "access",
        "pods",
        "services",
        "bounds",
        "objects",
        "additions",
    }
    claimed = {(one["about"], one["claimed"]) for one in told["answers"]}
    assert {("access", "allowed"), ("access", "denied"), ("pods", "allowed"), ("pods", "denied")} <= claimed


def test_verifying_writes_nothing(applied: Cluster, export: Path) -> None:
    before = json.dumps(list(applied.objects.values()), default=str)
    asked(applied, export)
    assert json.dumps(list(applied.objects.values()), default=str) == before
    for method, url, _ in applied.log:
        assert method == "GET" or "dryRun=All" in url or "/subjectaccessreviews" in url, (method, url)
        assert "/secrets" not in url


def test_a_binding_the_export_does_not_have_is_seen_as_open(applied: Cluster, export: Path) -> None:
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "oops"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "Group", "name": "system:authenticated", "apiGroup": RBAC}],
    }
    add(applied, binding)
    found = deviations(applied, export, "access")
    assert {reply.verdict for reply in found} == {"open"}
    assert any("list pods cluster-wide" in reply.question for reply in found)
    assert {reply.crossing for reply in found if "cluster-wide" in reply.question} == {"api-user-to-shared-api"}
    assert 'ClusterRoleBinding "oops"' in found[0].why


def test_a_missing_binding_is_lacking(applied: Cluster, export: Path) -> None:
    namespace = tenant_of(applied)
    del applied.objects[(RBAC, "RoleBinding", namespace, "reconciler")]
    applied.changed()
    found = asked(applied, export)
    lacking = [reply for reply in found.deviations if reply.about == "access"]
    assert {reply.verdict for reply in lacking} == {"lacking"}
    assert all(namespace in reply.question for reply in lacking)
    assert any(reply.question == f"RoleBinding {namespace}/reconciler as exported" for reply in found.deviations)


def test_a_relaxed_pod_security_label_opens_the_node(applied: Cluster, export: Path) -> None:
    namespace = tenant_of(applied)
    labels = applied.objects[("", "Namespace", "", namespace)]["metadata"]["labels"]
    labels["pod-security.kubernetes.io/enforce"] = "privileged"
    applied.changed()
    opened = {r.question.split()[0]: r for r in deviations(applied, export, "pods") if r.verdict == "open"}
    assert {"privileged", "host-path", "host-network", "host-pid"} <= opened.keys()
    assert opened["privileged"].crossing == "api-user-to-node"
    changed = deviations(applied, export, "objects")
    assert [reply.why for reply in changed] == ["somebody changed metadata.labels.pod-security.kubernetes.io/enforce"]


def test_a_raised_quota_is_open(applied: Cluster, export: Path) -> None:
    namespace = tenant_of(applied)
    applied.objects[("", "ResourceQuota", namespace, "compute")]["spec"]["hard"]["requests.memory"] = "900Ti"
    applied.objects[("", "ResourceQuota", namespace, "compute")]["spec"]["hard"]["limits.memory"] = "900Ti"
    applied.objects.pop(("", "LimitRange", namespace, "defaults"), None)
    applied.changed()
    found = deviations(applied, export, "bounds")
    assert "Pod beyond requests.memory of ResourceQuota compute" in {r.question.partition(" in ")[0] for r in found}
    assert {reply.verdict for reply in found} == {"open"}


def test_a_deleted_admission_policy_lets_services_out(applied: Cluster, export: Path) -> None:
    for key in [key for key in applied.objects if key[1] == "ValidatingAdmissionPolicyBinding"]:
        del applied.objects[key]
    applied.changed()
    found = {r.question.split()[0]: r for r in deviations(applied, export, "services")}
    assert found["external-address"].verdict == "open"
    assert found["external-address"].crossing == "service-to-traffic"


def test_a_deleted_or_edited_network_policy_is_named(applied: Cluster, export: Path) -> None:
    namespace = tenant_of(applied)
    del applied.objects[("networking.k8s.io", "NetworkPolicy", namespace, "default-deny")]
    applied.objects[("networking.k8s.io", "NetworkPolicy", namespace, "allow-dns")]["spec"]["egress"] = [{}]
    applied.changed()
    found = {reply.question: reply.why for reply in deviations(applied, export, "objects")}
    assert found == {
        f"NetworkPolicy {namespace}/default-deny as exported": "it is not there",
        f"NetworkPolicy {namespace}/allow-dns as exported": "somebody changed spec.egress[0].ports, spec.egress[0].to",
    }


def test_a_used_up_quota_leaves_no_false_alarm(applied: Cluster, export: Path) -> None:
    namespace = tenant_of(applied)
    applied.objects[("", "ResourceQuota", namespace, "full")] = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": namespace},
        "spec": {"hard": {"pods": "0"}},
    }
    applied.changed()
    found = deviations(applied, export, "pods")
    assert found == []
    replies = [r for r in asked(applied, export).replies if r.about == "pods" and "used up" in r.why]
    assert {reply.verdict for reply in replies} == {"as claimed"}


def test_people_who_may_create_pods_are_asked_in_their_name(applied: Cluster, export: Path) -> None:
    asked(applied, export)
    names = {user for method, url, user in applied.log if method == "POST" and "/pods" in url}
    assert any(name.startswith(("system:serviceaccount:t-", "member of ")) for name in names)


def test_without_the_right_to_impersonate_the_caller_asks_itself(applied: Cluster, export: Path) -> None:
    applied.may_impersonate = False
    assert asked(applied, export).verdict == "verified"
    assert asked(applied, export, as_self=True).verdict == "verified"


def test_a_caller_who_may_not_create_pods_gets_no_false_comfort(applied: Cluster, export: Path) -> None:
    applied.may_create = False
    found = asked(applied, export, as_self=True)
    assert found.verdict == "undecided"
    assert {r.observed for r in found.replies if r.about == "pods"} == {"undecided"}
    assert not any(reply.verdict == "open" for reply in found.replies)


def test_a_server_without_answers_to_reviews_is_undecided(applied: Cluster, export: Path) -> None:
    objects = read_cluster(export / "clusters" / PLATFORM).objects
    direct = Direct(applied)

    def closed(_: Any) -> Any:
        from tests.live.api_server import refusal

        return refusal(403, "subjectaccessreviews is forbidden")

    applied.review = closed  # type: ignore[method-assign, assignment]
    found = verify({PLATFORM: (direct, objects)}, Scope(sample=1))
    assert found.verdict == "undecided"
    assert {r.verdict for r in found.replies if r.about == "access"} == {"undecided"}


def test_deviations_are_findings_with_exit_code_1(
    applied: Cluster, serve: Serve, scenario: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace = tenant_of(applied)
    del applied.objects[("networking.k8s.io", "NetworkPolicy", namespace, "default-deny")]
    applied.changed()
    tenant = namespace.removeprefix("t-")
    arguments = ["verify", str(scenario), str(export), "--tenant", tenant, "--kubeconfig", str(serve(prod=applied))]
    assert main(arguments) == 1
    told = capsys.readouterr().out
    assert f"lacking: NetworkPolicy {namespace}/default-deny as exported: claimed allowed, observed denied" in told
    assert "not asked: the network itself" in told


def test_an_unknown_tenant_is_bad_input(
    applied: Cluster, serve: Serve, scenario: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["verify", str(scenario), str(export), "--tenant", "nobody", "--kubeconfig", str(serve(prod=applied))]
    assert main(arguments) == 2
    assert "nobody" in capsys.readouterr().err


def by_another(export: Path, manager: str, *, client_side: bool = False) -> Cluster:
    """Return a cluster to which another manager applied the export."""
    cluster = empty_cluster()
    server = Direct(cluster)
    discovery = Discovery(server)
    work = Application(server, read_cluster(export / "clusters" / PLATFORM).objects)
    for item in work.objects:
        served = discovery.of(item)
        assert served is not None
        place = place_of(item)
        if client_side:
            query = {"fieldManager": manager, "fieldValidation": "Strict"}
            answer = server.request("POST", served.path(place), item.data, query=query)
        else:
            query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "false"}
            headers = [("Content-Type", "application/apply-patch+yaml")]
            answer = server.request("PATCH", served.path(place, item.name), item.data, query=query, headers=headers)
        assert answer.status == 201, answer.message
    return cluster


@pytest.mark.parametrize(
    ("manager", "client_side"), [("argocd-controller", False), ("kubectl-client-side-apply", True)]
)
def test_a_cluster_that_others_applied_to_is_verified(export: Path, manager: str, client_side: bool) -> None:
    cluster = by_another(export, manager, client_side=client_side)
    found = asked(cluster, export)
    assert found.verdict == "verified", [f"{r.question}: {r.why}" for r in found.deviations][:5]


def patched(cluster: Cluster, path: str, body: dict[str, Any]) -> None:
    """Let somebody else patch a live object."""
    headers = [("Content-Type", "application/merge-patch+json")]
    answer = Direct(cluster).request("PATCH", path, body, query={"fieldManager": "kubectl-edit"}, headers=headers)
    assert answer.status == 200, answer.message


def test_a_default_deny_policy_patched_open_is_seen(applied: Cluster, export: Path) -> None:
    namespace = tenant_of(applied)
    policy = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/default-deny"
    patched(applied, policy, {"spec": {"ingress": [{}]}})
    found = deviations(applied, export, "additions")
    assert [(r.question, r.verdict) for r in found] == [
        (f"NetworkPolicy {namespace}/default-deny with fields that the export does not state", "open")
    ]
    assert "spec.ingress" in found[0].why
    assert "kubectl-edit" in found[0].why


def test_a_policy_switched_off_by_a_condition_is_seen(applied: Cluster, export: Path) -> None:
    name = next(
        key[3]
        for key, data in sorted(applied.objects.items())
        if key[1] == "ValidatingAdmissionPolicy" and "matchConditions" not in data["spec"]
    )
    path = f"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{name}"
    patched(applied, path, {"spec": {"matchConditions": [{"name": "off", "expression": "false"}]}})
    found = deviations(applied, export, "additions")
    assert ["spec.matchConditions" in r.why for r in found] == [True]


def test_objects_beside_the_export_are_told(applied: Cluster, export: Path) -> None:
    namespace = tenant_of(applied)
    add(applied, {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "allow-all", "namespace": namespace}, "spec": {"podSelector": {}, "ingress": [{}]},
    })  # fmt: skip
    add(applied, {
        "apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "help", "namespace": "kube-system"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "mallory", "apiGroup": RBAC}],
    })  # fmt: skip
    add(applied, {
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "old", "namespace": "default", "labels": {"app.kubernetes.io/managed-by": "tenancykit"}},
    })  # fmt: skip
    add(applied, {
        "apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "basic", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:basic-user"},
        "subjects": [{"kind": "Group", "name": "system:authenticated", "apiGroup": RBAC}],
    })  # fmt: skip
    told = {r.question: r.why for r in deviations(applied, export, "beside")}
    assert f"NetworkPolicy {namespace}/allow-all beside the export" in told
    assert "mallory" in told["RoleBinding kube-system/help beside the export"]
    assert "leftover" in told["ConfigMap default/old beside the export"]
    assert not any("basic" in question for question in told)


@pytest.mark.parametrize(
    ("data", "verdict", "told"),
    [
        (
            {"apiVersion": "crd.projectcalico.org/v1", "kind": "GlobalNetworkPolicy", "metadata": {"name": "x"},
             "spec": {"order": 1, "selector": "all()", "ingress": [{"action": "Allow"}]}},
            "undecided", "pods over the pod network",
        ),
        (
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "namespace": "TENANT"},
             "spec": {"externalIPs": ["203.0.113.9"], "ports": [{"port": 443}]}},
            "open", "Service TENANT/x beside the export",
        ),
        (
            {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "x"},
             "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/"},
                      "claimRef": {"namespace": "TENANT", "name": "c"}}},
            "open", "PersistentVolume x",
        ),
        (
            {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
             "metadata": {"name": "x", "namespace": "default"},
             "spec": {"config": '{"type": "macvlan", "master": "eth0"}'}},
            "undecided", "pods over the pod network",
        ),
        (
            {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
             "metadata": {"name": "x", "namespace": "TENANT"}, "spec": {"path": "./", "interval": "5m"}},
            "open", "Kustomization TENANT/x",
        ),
        (
            {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
             "metadata": {"name": "x"}, "webhooks": [{"clientConfig": {"url": "https://w.example.com"}}]},
            "undecided", "MutatingWebhookConfiguration x beside the export",
        ),
        (
            {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
             "metadata": {"name": "y"},
             "webhooks": [{"clientConfig": {"service": {"namespace": "acme", "name": "w"}},
                           "rules": [{"resources": ["pods"]}]}]},
            "undecided", "MutatingWebhookConfiguration y beside the export",
        ),
        (
            {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
             "metadata": {"name": "x"}, "spec": {}},
            "undecided", "MutatingAdmissionPolicy x beside the export",
        ),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "TENANT"},
             "spec": {"hostPID": True, "containers": [{"name": "c", "image": "i"}]}},
            "open", "Pod TENANT/x beside the export",
        ),
        (
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
             "metadata": {"name": "x", "namespace": "TENANT"}, "endpoints": [{"addresses": ["10.0.0.9"]}]},
            "undecided", "EndpointSlice TENANT/x beside the export",
        ),
        (
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
             "metadata": {"name": "xs.a.io"},
             "spec": {"group": "a.io", "names": {"kind": "X", "plural": "xs"}, "scope": "Cluster", "versions": [],
                      "conversion": {"webhook": {"clientConfig": {"service": {"namespace": "TENANT"}}}}}},
            "open", "CustomResourceDefinition xs.a.io beside the export",
        ),
        (
            {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": "x"},
             "spec": {"priorityLevelConfiguration": {"name": "exempt"}}},
            "open", "FlowSchema x beside the export",
        ),
        (
            {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent", "metadata": {"name": "x"},
             "spec": {"source": {"snapshotHandle": "s"}, "volumeSnapshotRef": {"name": "s", "namespace": "TENANT"}}},
            "undecided", "VolumeSnapshotContent x beside the export",
        ),
        (
            {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
             "metadata": {"name": "x", "namespace": "TENANT"},
             "spec": {"devices": {"requests": [{"name": "g", "exactly": {"adminAccess": True}}]}}},
            "open", "ResourceClaim TENANT/x",
        ),
    ],
    ids=lambda value: f"{value['kind']} {value['metadata']['name']}" if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_other_tools_open_beside_the_export_is_seen(
    applied: Cluster, export: Path, data: dict[str, Any], verdict: str, told: str
) -> None:
    namespace = tenant_of(applied)
    applied.groups.add(data["apiVersion"].rpartition("/")[0])
    add(applied, json.loads(json.dumps(data).replace("TENANT", namespace)))
    found = deviations(applied, export, "beside")
    assert any(r.verdict == verdict and told.replace("TENANT", namespace) in r.question for r in found), found


@pytest.mark.parametrize(
    "data",
    [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "TENANT"},
         "spec": {"containers": [{"name": "c", "image": "i"}]}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "kube-system"},
         "spec": {"hostNetwork": True, "containers": [{"name": "c", "image": "i"}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": "x", "namespace": "TENANT",
                      "labels": {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}}},
        {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema",
         "metadata": {"name": "exempt", "annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}},
         "spec": {"priorityLevelConfiguration": {"name": "exempt"}}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
         "metadata": {"name": "x"},
         "webhooks": [{"clientConfig": {"service": {"namespace": "kueue-system", "name": "w"}},
                       "rules": [{"resources": ["pods"]}]}]},
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "p",
         "metadata": {"name": "x", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}},
    ],
    ids=lambda value: value["kind"],
)  # fmt: skip
def test_what_every_cluster_holds_is_no_deviation(applied: Cluster, export: Path, data: dict[str, Any]) -> None:
    add(applied, json.loads(json.dumps(data).replace("TENANT", tenant_of(applied))))
    found = asked(applied, export)
    assert found.verdict == "verified", [f"{r.question}: {r.why}" for r in found.deviations][:5]


def test_a_neighbour_given_rights_is_named_as_a_crossing(applied: Cluster, export: Path) -> None:
    mine = tenant_of(applied)
    names = sorted(n for (_, kind, _, n) in applied.objects if kind == "Namespace" and n.startswith("t-") and n != mine)
    add(applied, {
        "apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "help", "namespace": mine},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": names[0]}],
    })  # fmt: skip
    found = deviations(applied, export, "beside")
    assert "api-user-to-shared-api" in {reply.crossing for reply in found}


def test_a_reader_gets_what_can_be_compared_here(applied: Cluster, export: Path) -> None:
    applied.read_only = True
    found = [r for r in asked(applied, export).replies if r.about == "objects"]
    assert not [f"{r.question}: {r.why}" for r in found if r.verdict in ("open", "lacking")]
    compared = [r for r in found if r.verdict == "as claimed"]
    assert len(compared) > len(found) / 2
    assert all("you may only read" in r.why for r in compared)
    namespace = tenant_of(applied)
    spec = applied.objects[("networking.k8s.io", "NetworkPolicy", namespace, "default-deny")]["spec"]
    spec["ingress"] = [{}]
    applied.changed()
    changed = [r for r in asked(applied, export).replies if r.about == "objects" and r.verdict == "lacking"]
    assert [r.question for r in changed] == [f"NetworkPolicy {namespace}/default-deny as exported"]


def test_a_list_that_runs_out_half_way_is_not_taken_for_the_whole(applied: Cluster, export: Path) -> None:
    from tests.live.api_server import refusal

    direct = Direct(applied)
    real = direct.request

    def request(method: str, path: str, *rest: Any, **more: Any) -> Any:
        if method == "GET" and path.endswith("/rolebindings"):
            gone = refusal(410, "the provided continue parameter is too old", "Expired")
            return Answer(gone.status, gone.body)
        return real(method, path, *rest, **more)

    direct.request = request  # type: ignore[method-assign]
    objects = read_cluster(export / "clusters" / PLATFORM).objects
    found = verify({PLATFORM: (direct, objects)}, Scope(sample=1))
    assert found.verdict == "undecided"
    assert any("changing while it was read" in r.why for r in found.deviations)


def test_a_message_of_a_server_cannot_break_the_junit_file() -> None:
    said = "\x1b]0;owned\x07</failure>\ufffe"
    reply = Reply("access", "prod", "red", "may red's admin do it?", "", "denied", "allowed", said)
    read = ET.fromstring(verification_junit(Verification({"prod": said}, (reply,), 1, 1)))  # noqa: S314 - our own output
    assert [found.text for found in read.iter("failure")] == ["\\x1b]0;owned\\x07</failure>\ufffd"]


def test_results_are_stored_with_their_date_and_as_junit(
    applied: Cluster, serve: Serve, scenario: Path, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["verify", str(scenario), str(export), "--sample", "1", "--kubeconfig", str(serve(prod=applied))]
    arguments += ["--store", str(tmp_path / "evidence"), "--junit", str(tmp_path / "j.xml")]
    assert main(arguments) == 0
    assert main(arguments) == 0
    stored = [json.loads(file.read_text()) for file in sorted((tmp_path / "evidence").iterdir())]
    assert len(stored) == 2
    assert all(one["verdict"] == "verified" and one["date"] and one["version"] for one in stored)
    suites = ET.parse(tmp_path / "j.xml").getroot()  # noqa: S314 - written a line above
    assert sum(int(suite.get("tests") or 0) for suite in suites) == len(stored[0]["answers"])
    assert {suite.get("failures") for suite in suites} == {"0"}
    capsys.readouterr()
