"""What the server says is held against the export: nothing is written, and every weakening is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenancykit.cli import main
from tenancykit.live.contexts import read_cluster
from tenancykit.live.questions import Reply
from tenancykit.live.verifying import Scope, Verification, verify
from tests.live.api_server import Cluster
from tests.live.conftest import EXAMPLE, PLATFORM, Serve, add
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
    applied: Cluster, serve: Serve, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(serve(prod=applied))
    assert main(["verify", EXAMPLE, str(export), "--sample", "1", "--kubeconfig", config, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["proof"]) == ("verified", "proven")
    assert {about for about, counts in told["counts"].items() if counts.get("as claimed", 0) > 5} == {
        "access",
        "pods",
        "services",
        "bounds",
        "objects",
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
    assert [reply.why for reply in changed] == ["somebody changed metadata.labels"]


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
        f"NetworkPolicy {namespace}/allow-dns as exported": "somebody changed spec",
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
    assert {reply.verdict for reply in found} == {"undecided"}
    assert "used up" in found[0].why


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
    applied: Cluster, serve: Serve, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace = tenant_of(applied)
    del applied.objects[("networking.k8s.io", "NetworkPolicy", namespace, "default-deny")]
    applied.changed()
    tenant = namespace.removeprefix("t-")
    arguments = ["verify", EXAMPLE, str(export), "--tenant", tenant, "--kubeconfig", str(serve(prod=applied))]
    assert main(arguments) == 1
    told = capsys.readouterr().out
    assert f"lacking: NetworkPolicy {namespace}/default-deny as exported: claimed allowed, observed denied" in told
    assert "not asked: network policies" in told


def test_an_unknown_tenant_is_bad_input(
    applied: Cluster, serve: Serve, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["verify", EXAMPLE, str(export), "--tenant", "nobody", "--kubeconfig", str(serve(prod=applied))]
    assert main(arguments) == 2
    assert "nobody" in capsys.readouterr().err
