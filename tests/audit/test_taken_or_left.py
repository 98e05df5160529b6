"""Cluster-wide network policies that an API server refuses isolate nobody; those it takes do."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubeanswers.errors import Fault
from kubeanswers.parsing import parse_documents
from kubeanswers.reading import read_objects
from tenancykit.auditing import AuditReport, Severity, audit

SPACES = "".join(
    f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: t-{name}, labels: {{tenancykit.dev/tenant: {name}}}}}\n---\n"
    for name in ("a", "b")
)
DENY = "subject: {namespaces: {}}, ingress: [{name: d, action: Deny, from: [{namespaces: {}}]}]"
POLICY = "apiVersion: policy.networking.k8s.io/%s\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n"


def audited(tmp_path: Path, kind: str, name: str, spec: str) -> AuditReport:
    version = "v1alpha2" if kind == "ClusterNetworkPolicy" else "v1alpha1"
    (tmp_path / "m.yaml").write_text(SPACES + POLICY % (version, kind, name, spec), encoding="utf-8")
    return audit(read_objects([tmp_path]))


@pytest.mark.parametrize(
    ("kind", "name", "spec"),
    [
        ("BaselineAdminNetworkPolicy", "mine", DENY),
        ("BaselineAdminNetworkPolicy", "default", DENY.replace("Deny", "Pass")),
        ("BaselineAdminNetworkPolicy", "default", DENY.replace("subject: {namespaces: {}}", "subject: {}")),
        ("AdminNetworkPolicy", "x", DENY),
        ("AdminNetworkPolicy", "x", "priority: 1001, " + DENY),
        ("AdminNetworkPolicy", "x", "priority: 5, " + DENY.replace(", from: [{namespaces: {}}]", "")),
        ("ClusterNetworkPolicy", "x", "priority: 5, " + DENY),
    ],
)
def test_a_cluster_policy_that_is_refused_isolates_nobody_and_is_told(
    tmp_path: Path, kind: str, name: str, spec: str
) -> None:
    report = audited(tmp_path, kind, name, spec)
    assert "policy-invalid" in {finding.rule for finding in report.findings}
    assert report.crossing("pod-network-to-victim").victims.keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("kind", "name", "spec"),
    [
        ("BaselineAdminNetworkPolicy", "default", DENY),
        ("AdminNetworkPolicy", "x", "priority: 5, " + DENY),
        ("ClusterNetworkPolicy", "x", "priority: 5, tier: Admin, " + DENY),
    ],
)
def test_a_cluster_policy_that_is_taken_isolates(tmp_path: Path, kind: str, name: str, spec: str) -> None:
    report = audited(tmp_path, kind, name, spec)
    assert "policy-invalid" not in {finding.rule for finding in report.findings}
    assert report.crossing("pod-network-to-victim").victims == {}


def test_a_lone_letter_is_itself_where_only_text_can_stand() -> None:
    text = "metadata: {name: n, labels: {app: y}}\nspec: {hostNetwork: y, args: [n, N], nodeSelector: {x: n}}\n"
    faults: list[Fault] = []
    ((read, _),) = parse_documents(text, "f", faults)
    assert read["metadata"] == {"name": "n", "labels": {"app": "y"}}
    assert read["spec"] == {"hostNetwork": True, "args": ["n", "N"], "nodeSelector": {"x": "n"}}
    assert faults == []


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}]\n", "kind"),
        ("kind: KwokConfiguration\napiVersion: config.kwok.x-k8s.io/v1alpha1\n", "kwok"),
        ("kind: Kptfile\napiVersion: kpt.dev/v1\nmetadata: {name: x}\n", "kpt"),
        ("kind: Config\napiVersion: v1\nclusters: []\nusers: []\n", "kubectl"),
        ("kind: Config\napiVersion: skaffold/v4beta6\n", "Skaffold"),
    ],
)
def test_files_of_tools_are_left_aside_with_a_word(tmp_path: Path, text: str, tool: str) -> None:
    (tmp_path / "m.yaml").write_text(SPACES + text, encoding="utf-8")
    read = read_objects([tmp_path])
    assert [item.kind for item in read.objects] == ["Namespace", "Namespace"]
    assert read.faults == ()
    assert read.skipped == (f"{tmp_path / 'm.yaml'}: is a file of {tool}, not an object of the API",)
    assert "object-invalid" not in {finding.rule for finding in audit(read).findings}


def test_a_kustomization_that_is_a_template_hides_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "kustomization.yaml").write_text(
        "resources:\n{{< if .Values.on >}}\n- x.yaml\n{{< end >}}\nname: {{< .Values.x >}}: y\n", encoding="utf-8"
    )
    (tmp_path / "made" / "x.yaml").write_text(SPACES, encoding="utf-8")
    read = read_objects([tmp_path])
    assert read.faults == ()
    assert len(read.objects) == 2
    assert any("templates of some tool" in text for text in read.unread)


def test_examples_beside_each_other_that_define_the_same_are_no_fault_of_medium_weight(tmp_path: Path) -> None:
    for folder, image in (("one", "a"), ("two", "b")):
        (tmp_path / folder).mkdir()
        text = (
            f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{containers: [{{name: c, image: {image}}}]}}\n"
        )
        (tmp_path / folder / "pod.yaml").write_text(text, encoding="utf-8")
    (found,) = (one for one in audit(read_objects([tmp_path])).findings if one.rule == "duplicate-object")
    assert found.severity == Severity.LOW
    (tmp_path / "one" / "more.yaml").write_text((tmp_path / "one" / "pod.yaml").read_text("utf-8"), encoding="utf-8")
    worst = max(one.severity for one in audit(read_objects([tmp_path])).findings if one.rule == "duplicate-object")
    assert worst == Severity.MEDIUM


def test_settings_of_a_kubelet_are_judged_and_open_nothing(tmp_path: Path) -> None:
    settings = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nmaxPod: 9\n"
    (tmp_path / "m.yaml").write_text(SPACES + settings, encoding="utf-8")
    report = audit(read_objects([tmp_path]))
    assert [f.what for f in report.findings if f.rule == "object-invalid"] == [
        "the component that reads it does not start with it: maxPod: unknown field; did you mean maxPods?"
    ]
    assert not report.not_evaluated
