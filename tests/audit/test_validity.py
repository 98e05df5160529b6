"""``validate``: what an API server would refuse, by file, line, field and cure; versions, definitions, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.objects import from_dicts
from kubeanswers.reading import read_objects
from kubeanswers.validation.answers import Validator, shape_of
from kubeanswers.validation.references import dangling
from tenancykit.cli import main
from tests.kubeanswers.test_validation_definitions import CRD, door

BROKEN = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: t-a
spec:
  replicaz: 2
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      runtimeClassName: gone
      containers:
      - name: c
        image: x
        resources:
          requests:
            cpu: banana
---
apiVersion: v1
kind: List
items:
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: other, namespace: t-a}
  spec: {podSelector: {}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: only, namespace: t-a}
  spec:
    podSelector: {}
    ingress:
    - from:
      - ipBlock:
          cidr: 203.0.113.0/240
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "m.yaml"
    file.write_text(BROKEN, encoding="utf-8")
    return file


def test_every_fault_has_its_line_and_field(broken: Path) -> None:
    found = tk.validate(broken)
    told = [(one.where.line, one.field) for one in found.invalid]
    assert told == [
        (7, "spec.replicaz"),
        (18, "spec.template.spec.containers[0].resources.requests[cpu]"),
        (35, "spec.ingress[0].from[0].ipBlock.cidr"),
    ]
    assert [(one.where.line, one.missing) for one in found.dangling] == [(12, "RuntimeClass gone")]
    assert found.exit_code == 1


def test_the_command_tells_the_same_and_exits_with_1(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(broken)]) == 1
    told = capsys.readouterr().out
    assert f"{broken}:7: Deployment t-a/web: spec.replicaz: unknown field; did you mean replicas?" in told
    assert main(["validate", str(broken), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [one["line"] for one in data["invalid"]] == [7, 18, 35]
    assert all(one["cure"] for one in data["invalid"])


def test_the_version_decides_what_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.yaml").write_text(
        "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: gpu}\nspec: {}\n", encoding="utf-8"
    )
    assert main(["validate", str(tmp_path), "--kubernetes", "1.36"]) == 0
    assert main(["validate", str(tmp_path), "--kubernetes", "1.33"]) == 1
    assert main(["validate", str(tmp_path), "--kubernetes", "2.0"]) == 2
    assert "1.36" in capsys.readouterr().err


def test_an_export_is_held_against_the_version_it_was_written_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in ("1.30", "1.35"):
        folder = tmp_path / version
        folder.mkdir()
        (folder / "index.yaml").write_text(
            f'schema: tenancykit/export-index/v1\nkubernetes: "{version}"\n', encoding="utf-8"
        )
        (folder / "m.yaml").write_text(
            "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: gpu}\nspec: {}\n", encoding="utf-8"
        )
    assert main(["validate", str(tmp_path / "1.35")]) == 0
    assert "none of these would be refused by Kubernetes 1.35" in capsys.readouterr().out
    assert main(["validate", str(tmp_path / "1.30")]) == 1
    assert main(["validate", str(tmp_path / "1.30"), "--kubernetes", "1.36"]) == 0
    assert main(["validate", str(tmp_path / "1.30" / "m.yaml")]) == 0  # nothing said: the newest known
    assert "Kubernetes 1.37" in capsys.readouterr().out
    assert main(["validate", str(tmp_path / "1.30"), str(tmp_path / "1.35")]) == 2
    assert "exports for Kubernetes 1.30 and 1.35 are given together; name one version" in capsys.readouterr().err


def test_custom_objects_are_held_against_definitions_given_or_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "m.json").write_text(json.dumps(door(mode="Open")), encoding="utf-8")
    (tmp_path / "crd.json").write_text(json.dumps(CRD), encoding="utf-8")
    alone = tk.validate(tmp_path / "objects")
    assert (alone.exit_code, dict(alone.unjudged)) == (0, {"Door.example.dev": 1})
    assert "not judged: 1 Door.example.dev" in str(alone)
    given = tk.validate(tmp_path / "objects", crds=[tmp_path / "crd.json"])
    assert [one.field for one in given.invalid] == ["spec.mode"]
    assert not given.unjudged
    assert [one.field for one in tk.validate(tmp_path).invalid] == ["spec.mode"]
    (tmp_path / "broken.json").write_text(
        json.dumps({**CRD, "spec": {**CRD["spec"], "versions": []}}), encoding="utf-8"
    )
    for crds in ("broken.json", "objects", "nothere"):
        assert main(["validate", str(tmp_path / "objects"), "--crds", str(tmp_path / crds)]) == 2
    assert "defines nothing usable" in capsys.readouterr().err


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: t}\n"


def last_line(*paths: Path) -> str:
    return str(tk.validate(*paths)).splitlines()[-1]


def test_nothing_is_said_of_what_was_not_read_or_not_judged(tmp_path: Path) -> None:
    broken, half, good, custom = (tmp_path / f"{name}.yaml" for name in ("broken", "half", "good", "custom"))
    broken.write_text("metadata: {name: a\n", encoding="utf-8")
    half.write_text(f"{CONFIG_MAP}---\nkind: [x\n", encoding="utf-8")
    good.write_text(CONFIG_MAP, encoding="utf-8")
    custom.write_text(json.dumps(door(mode="Open")), encoding="utf-8")
    nothing = "0 objects read, none judged; what was not read (1 fault above) is not judged"
    assert last_line(broken) == last_line(tmp_path / "nothere.yaml") == nothing
    assert last_line(half) == (
        "1 object, 1 judged: none of these would be refused by Kubernetes 1.37; "
        "what was not read (1 fault above) is not judged"
    )
    assert "what was not read" not in last_line(good)
    assert last_line(custom) == "1 object read, none judged"
    assert "what was not read (2 faults above)" in last_line(broken, half, good)


def test_a_definition_the_server_would_refuse_defines_nothing(tmp_path: Path) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "banana"}}}}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    refused = {**CRD, "spec": {**CRD["spec"], "versions": versions}}
    (tmp_path / "crd.json").write_text(json.dumps(refused), encoding="utf-8")
    (tmp_path / "m.json").write_text(json.dumps(door(mode="Open")), encoding="utf-8")
    assert main(["validate", str(tmp_path / "m.json"), "--crds", str(tmp_path / "crd.json")]) == 2
    beside = tk.validate(tmp_path)
    assert beside.invalid
    assert dict(beside.unjudged) == {"Door.example.dev": 1}


def test_values_of_secrets_are_not_judged_and_their_keys_are(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: t}\ntype: kubernetes.io/dockerconfigjson\n"
    (tmp_path / "m.yaml").write_text(text + "data: {.dockerconfigjson: e30=}\n", encoding="utf-8")
    assert tk.validate(tmp_path).exit_code == 0
    (tmp_path / "m.yaml").write_text(text + "data: {other: e30=}\n", encoding="utf-8")
    assert tk.validate(tmp_path).exit_code == 1


def test_objects_that_differ_in_names_alone_are_judged_once_and_others_apart() -> None:
    def quota(name: str, cpu: str = "10") -> dict[str, object]:
        metadata = {"name": "all", "namespace": name}
        return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"cpu": cpu}}}

    assert shape_of(quota("t-team-0001")) == shape_of(quota("t-team-0002"))
    assert shape_of(quota("t-team-0001")) != shape_of(quota("t-team-00001"))
    assert shape_of(quota("t-team-0001")) != shape_of(quota("t-team-0001", "20"))
    one, other = {**quota("t-team-0001"), "apiVersion": "v1"}, {**quota("t-team-0001"), "apiVersion": "v2"}
    assert shape_of(one) != shape_of(other)
    validator = Validator()
    assert validator.texts(quota("t-team-0001")) == ()
    assert validator.texts(quota("t-team-0002")) == ()
    assert validator.texts(quota("t-team-0003", "banana"))


@pytest.mark.parametrize(
    ("obj", "missing"),
    [
        ({"apiVersion": "v1", "kind": "Pod", "spec": {"priorityClassName": "gone"}}, "PriorityClass gone"),
        ({"apiVersion": "v1", "kind": "Pod", "spec": {"priorityClassName": "system-node-critical"}}, ""),
        ({"apiVersion": "v1", "kind": "Pod", "spec": {"serviceAccountName": "gone"}}, "ServiceAccount t/gone"),
        ({"apiVersion": "v1", "kind": "Pod", "spec": {"serviceAccountName": "default"}}, ""),
        (
            {"apiVersion": "v1", "kind": "Pod", "spec": {"volumes": [{"name": "v", "configMap": {"name": "gone"}}]}},
            "ConfigMap t/gone",
        ),
        (
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "spec": {"containers": [{"envFrom": [{"secretRef": {"name": "gone", "optional": True}}]}]},
            },
            "",
        ),
        (
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "spec": {"containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "gone"}}}]}]},
            },
            "Secret t/gone",
        ),
        (
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "roleRef": {"kind": "ClusterRole", "name": "gone"},
            },
            "ClusterRole gone",
        ),
        (
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "roleRef": {"kind": "ClusterRole", "name": "edit"},
            },
            "",
        ),
        (
            {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue", "spec": {"clusterQueue": "gone"}},
            "ClusterQueue gone",
        ),
        (
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingAdmissionPolicyBinding",
                "spec": {"policyName": "gone"},
            },
            "ValidatingAdmissionPolicy gone",
        ),
        (
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"storageClassName": "gone"}},
            "StorageClass gone",
        ),
    ],
)
def test_a_reference_to_what_is_not_there_is_found(obj: dict[str, object], missing: str) -> None:
    objects = from_dicts([{**obj, "metadata": {"name": "x", "namespace": "t"}}])
    assert [one.missing for one in dangling(objects)] == ([missing] if missing else [])


def test_the_shipped_export_is_valid_and_refers_to_nothing_that_is_missing(tmp_path: Path) -> None:
    study = tk.compare(tk.load_scenario("ml-platform"))
    tk.export(study, tmp_path / "out")
    found = tk.validate(tmp_path / "out" / "clusters")
    assert not found.invalid
    assert len(read_objects([tmp_path / "out" / "clusters"]).objects) == found.objects > 0


NAMESPACES = """\
apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {tenancykit.dev/tenant: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-b, labels: {tenancykit.dev/tenant: b}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only, namespace: team-b%s}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [%s]}
"""


@pytest.mark.parametrize(
    ("rule", "is_valid"),
    [
        ("{from: [{podSelector: {}}]}", True),
        ("{from: [{ipBlock: {cidr: 203.0.113.0/240}}]}", False),
        ("{from: [{podSelector: {}}], ports: [{protocol: ICMP, port: 99999}]}", False),
        ("{from: [{podSelector: {}, ipBlock: {cidr: 203.0.113.0/24}}]}", False),
        ("{from: [{podSelector: {matchLabels: {a: 'x y'}}}]}", False),
        ("{form: [{podSelector: {}}]}", False),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}}]}", False),
        ("{from: [{podSelector: {}}], ports: [{port: 80, endPort: 79}]}", False),
    ],
)
def test_a_policy_the_api_server_refuses_isolates_nobody(tmp_path: Path, rule: str, is_valid: bool) -> None:
    (tmp_path / "m.yaml").write_text(NAMESPACES % ("", rule), encoding="utf-8")
    report = tk.audit(tmp_path)
    reached = report.crossing("pod-network-to-victim").is_open("a", "b")
    told = [finding.where.line for finding in report.findings if finding.rule == "policy-invalid"]
    assert (reached, told) == ((False, []) if is_valid else (True, [12]))


def test_what_a_server_took_still_guards(tmp_path: Path) -> None:
    text = NAMESPACES % (", uid: u, resourceVersion: '7'", "{from: [{ipBlock: {cidr: 203.0.113.0/240}}]}")
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    report = tk.audit(tmp_path)
    assert not report.crossing("pod-network-to-victim").is_open("a", "b")
    assert any("a server took it" in finding.what for finding in report.findings)


def test_an_audit_names_what_would_be_refused_and_what_is_missing_with_the_line(broken: Path) -> None:
    report = tk.audit(broken)
    told = {(finding.rule, finding.where.line) for finding in report.findings}
    assert {("object-invalid", 7), ("policy-invalid", 35), ("reference-dangling", 12)} <= told
    assert report.exit_code == 1
