from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import pytest

from tenancykit.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "out"
    assert main(["export", "regulated-hybrid", "--design", "RA08", "--to", str(folder)]) == 0
    return folder


def test_export_writes_manifests_operator_notes_and_the_decision_record(tree: Path) -> None:
    for name in ("README.md", "index.yaml", "trace.yaml", "decision.md", "decision.html"):
        assert (tree / name).is_file()
    digest = json.loads((tree / ".tenancykit.json").read_text(encoding="utf-8"))
    assert digest
    decision = (tree / "decision.md").read_text(encoding="utf-8")
    found = decision.split("Decision `")[1].split("`")[0]
    namespaces = next((tree / "clusters").rglob("namespaces.yaml")).read_text(encoding="utf-8")
    decided = [line for line in namespaces.splitlines() if "tenancykit.dev/decision:" in line]
    assert decided
    assert all(found in line for line in decided)


def test_a_second_export_leaves_every_byte_as_it_was(capsys: pytest.CaptureFixture[str], tree: Path) -> None:
    before = hashes(tree)
    code, out, _ = run(capsys, "export", "regulated-hybrid", "--design", "RA08", "--to", str(tree), "--json")
    assert code == 0
    data = json.loads(out)
    assert {kind: data["files"][kind]["count"] for kind in ("added", "changed", "removed")} == {
        "added": 0,
        "changed": 0,
        "removed": 0,
    }
    assert hashes(tree) == before


def test_an_output_path_that_is_a_file_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("mine", encoding="utf-8")
    code, _, err = run(capsys, "export", "regulated-hybrid", "--to", str(target))
    assert code == 2
    assert err.startswith("error: ")
    assert target.read_text(encoding="utf-8") == "mine"


def test_audit_of_an_export_finds_nothing_and_writes_sarif_and_junit(
    capsys: pytest.CaptureFixture[str], tree: Path, tmp_path: Path
) -> None:
    sarif, junit = tmp_path / "a.sarif", tmp_path / "a.xml"
    code, out, _ = run(capsys, "audit", str(tree), "--json", "--sarif", str(sarif), "--junit", str(junit))
    assert code == 0, out
    assert json.loads(out)["schema"] == "tenancykit/audit/v1"
    assert json.loads(sarif.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert junit.read_text(encoding="utf-8").startswith("<?xml")


def test_can_i_answers_yes_and_no_with_the_binding(capsys: pytest.CaptureFixture[str], tree: Path) -> None:
    where = ("-f", str(tree / "clusters"), "-n", "t-research-1")
    code, out, _ = run(capsys, "can-i", "create", "pods", *where, "--as-group", "tenant:research-1")
    assert (code, out.split(":")[0]) == (0, "yes")
    assert "RoleBinding" in out
    code, out, _ = run(capsys, "can-i", "create", "pods", *where, "--as-group", "tenant:research-2")
    assert (code, out.split(":")[0]) == (1, "no")
    code, _, err = run(capsys, "can-i", "create", "pods", *where)
    assert code == 2
    assert "names nobody" in err


POLICIES = """\
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: v1
kind: Namespace
metadata: {name: b}
---
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: a, labels: {app: one}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 443}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: b, labels: {app: two}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 443}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: b}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def test_reach_answers_allowed_and_denied_with_the_policy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(POLICIES, encoding="utf-8")
    code, out, _ = run(capsys, "reach", "--from", "a/one", "--to", "b/two", "--port", "443/tcp", "-f", str(file))
    assert (code, out.split(":")[0]) == (1, "denied")
    assert "shut" in out
    code, out, _ = run(capsys, "reach", "--from", "b/two", "--to", "a/one", "--port", "443/tcp", "-f", str(file))
    assert (code, out.split(":")[0]) == (0, "allowed")
    code, _, err = run(capsys, "reach", "--from", "a/nobody", "--to", "b/two", "-f", str(file))
    assert code == 2
    assert "nobody" in err


DUMP = """\
apiVersion: v1
kind: List
items:
  - kind: Node
    apiVersion: v1
    metadata: {name: n1, labels: {kubernetes.io/hostname: n1}}
    status: {allocatable: {cpu: "4", memory: 8Gi, pods: "110"}}
  - kind: Pod
    apiVersion: v1
    metadata: {name: fits, namespace: default}
    spec: {containers: [{name: c, image: i, resources: {requests: {cpu: "2", memory: 1Gi}}}]}
  - kind: Pod
    apiVersion: v1
    metadata: {name: too-large, namespace: default}
    spec: {containers: [{name: c, image: i, resources: {requests: {cpu: "8"}}}]}
"""


def test_place_says_where_pending_pods_go_and_why_others_wait(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "dump.yaml"
    file.write_text(DUMP, encoding="utf-8")
    code, out, _ = run(capsys, "place", "-f", str(file), "--json")
    pods = {pod["pod"]: pod for pod in json.loads(out)["pods"]}
    assert code == 1
    assert pods["default/fits"]["node"] == "n1"
    assert pods["default/too-large"]["reason"].startswith("0/1 nodes are available: 1 Insufficient cpu.")


def test_place_tells_a_person_what_it_did_not_look_at(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "dump.yaml"
    file.write_text(DUMP.replace("spec: {containers:", "spec: {schedulerName: kueue, containers:"), encoding="utf-8")
    _, out, _ = run(capsys, "place", "-f", str(file))
    assert "default/fits  ->  n1\n  not looked at: schedulerName kueue\n" in out


@cache
def interesting() -> tuple[str, ...]:
    return ("../x", "<script>alert(1)</script>", "=1+1", "チーム", "O'Brien | `x`")


def test_tenants_with_hostile_names_are_harmless_in_paths_yaml_and_html(tmp_path: Path) -> None:
    import tenancykit as tk
    from kubeanswers.source import dump_yaml, read_yaml
    from tenancykit.examples import example

    data = read_yaml(example("regulated-hybrid")).data
    data["tenants"]["named"] = [{"name": name, "class": "research"} for name in interesting()]
    data["title"] = "<script>alert(2)</script>"
    file = tmp_path / "s.yaml"
    file.write_text(dump_yaml(data), encoding="utf-8")
    out = tmp_path / "here" / "out"
    assert main(["export", str(file), "--design", "RA08", "--to", str(out)]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here", "s.yaml"]
    for page in out.rglob("*.html"):
        scripts = page.read_text(encoding="utf-8").split("<script")[1:]
        assert [part.partition(">")[0].strip().partition('"')[2][:16] for part in scripts] == ["application/json"]
        assert "<script>" not in page.read_text(encoding="utf-8")
    markdown = (out / "decision.md").read_text(encoding="utf-8")
    assert "<script" not in markdown
    assert tk.audit(out).exit_code == 0
    names = "".join(p.read_text(encoding="utf-8") for p in out.rglob("namespaces.yaml"))
    assert "チーム" in names
