"""An export is tried on the server before anything is written, and what was written is always known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenancykit.cli import main
from tenancykit.live.applying import Application
from tenancykit.live.contexts import read_cluster
from tests.live.api_server import Cluster, Trouble, refusal
from tests.live.conftest import NAMESPACES, PLATFORM, Serve, add
from tests.live.direct import Direct
from tests.live.ownership import Entry


def manifests(folder: Path, *documents: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "all.yaml").write_text("\n---\n".join(documents))
    return folder


NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: blue}"
QUOTA = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: blue}\nspec: {hard: {pods: '%s'}}"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: blue}\nstringData: {password: hunter2}"  # noqa: S105 - to be found nowhere


def stored(cluster: Cluster) -> set[tuple[str, str]]:
    return {(kind, name) for _, kind, _, name in cluster.objects}


def writes(cluster: Cluster) -> list[str]:
    return [url for method, url, _ in cluster.log if method == "PATCH" and "dryRun" not in url]


def test_without_yes_nothing_is_written_and_everything_is_tried(
    cluster: Cluster, serve: Serve, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(cluster.objects)
    assert main(["apply", str(export), "--kubeconfig", str(serve(prod=cluster))]) == 0
    assert cluster.objects == before
    assert not writes(cluster)
    told = capsys.readouterr().out
    assert "would be created" in told
    assert "nothing was written" in told


def test_yes_applies_every_object_and_lists_it(
    cluster: Cluster, serve: Serve, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "applied.jsonl"
    arguments = ["apply", str(export), "--yes", "--json", "--applied", str(log), "--context", "prod"]
    assert main([*arguments, "--kubeconfig", str(serve(other=Cluster(), prod=cluster))]) == 0
    items = list(read_cluster(export / "clusters" / PLATFORM).objects)
    assert {(i.group, i.kind, i.namespace, i.name) for i in items} <= cluster.objects.keys()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["result"] for line in lines] == ["sent", "applied"] * len(items)
    assert lines[0]["kind"] == "Namespace"
    told = json.loads(capsys.readouterr().out)["clusters"][0]
    assert told["counts"] == {"applied": len(items)}
    assert told["written"] is True


def test_namespaces_come_before_what_lives_in_them_and_policies_before_workloads(
    cluster: Cluster, export: Path
) -> None:
    Application(Direct(cluster), read_cluster(export / "clusters" / PLATFORM).objects).apply()
    order = [url.partition("?")[0].split("/")[-2] for url in writes(cluster)]
    assert order.index("validatingadmissionpolicybindings") < order.index("deployments")
    assert order.index("networkpolicies") < order.index("deployments")
    assert max(i for i, kind in enumerate(order) if kind == "namespaces") < order.index("networkpolicies")


def test_a_refusal_of_the_dry_run_keeps_everything_from_being_written(cluster: Cluster, tmp_path: Path) -> None:
    folder = manifests(tmp_path / "m", NAMESPACE, QUOTA % 5, "apiVersion: v1\nkind: Namespace\nmetadata: {name: B_d}")
    done = Application(Direct(cluster), read_cluster(folder).objects).apply()
    assert done.stopped
    assert not done.written
    assert [(o.item.name, o.result) for o in done.failures] == [("B_d", "refused")]
    assert ("Namespace", "blue") not in stored(cluster)


def test_what_waited_for_its_namespace_is_tried_before_it_is_written(cluster: Cluster, tmp_path: Path) -> None:
    folder = manifests(tmp_path / "m", QUOTA % "many", NAMESPACE, QUOTA.replace("name: q", "name: r") % 5)
    done = Application(Direct(cluster), read_cluster(folder).objects).apply()
    assert {o.item.name: o.result for o in done.outcomes} == {"blue": "applied", "q": "refused", "r": "left"}
    assert done.written
    assert "ResourceQuota blue/q" in done.stopped
    assert ("Namespace", "blue") in stored(cluster)


def test_a_connection_lost_in_the_middle_leaves_the_list_of_what_was_applied(
    cluster: Cluster,
    serve: Serve,
    export: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tenancykit.live.client.ATTEMPTS", 2)
    log = tmp_path / "applied.jsonl"
    cluster.troubles.append(Trouble("PATCH /api/v1/namespaces/t-", unless="dryRun", drop=True, times=99))
    code = main(["apply", str(export), "--yes", "--kubeconfig", str(serve(prod=cluster)), "--applied", str(log)])
    assert code == 2
    told = capsys.readouterr().out
    assert "1 perhaps applied" in told
    assert "not reached" in told
    listed = [json.loads(line) for line in log.read_text().splitlines()]
    assert "tenancykit-system" in [one["name"] for one in listed]
    last = {(one["kind"], one["name"]): one["result"] for one in listed}
    there = stored(cluster) - {("Namespace", n) for n in NAMESPACES}
    assert {key for key, result in last.items() if result == "applied"} == there
    assert [result for result in last.values() if result != "applied"] == ["unknown"]


def test_absent_definitions_name_the_chart_that_brings_them(
    cluster: Cluster, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tenancykit import api
    from tests.study.platforms import exported

    exported("RA02", api.load_scenario("regulated-hybrid"), tmp_path / "out")
    cluster.groups -= {"capsule.clastix.io", "monitoring.coreos.com"}
    assert main(["apply", str(tmp_path / "out"), "--yes", "--kubeconfig", str(serve(prod=cluster))]) == 1
    told = capsys.readouterr().out
    assert re.search(r"capsule.clastix.io: chart capsule [0-9.]+ installs it: helm upgrade --install capsule ", told)
    assert "--values clusters/tenancykit-platform/helm/capsule/values.yaml" in told
    assert "monitoring.coreos.com: Prometheus stack brings it, which the export asks to have ready" in told
    assert not writes(cluster)


def test_kinds_an_export_defines_itself_are_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    definition = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n"
        "spec: {group: example.com, scope: Cluster, names: {kind: Thing, plural: things, singular: thing, "
        "listKind: ThingList}, versions: [{name: v1, served: true, storage: true, "
        "schema: {openAPIV3Schema: {type: object}}}]}"
    )
    folder = manifests(tmp_path / "m", "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: one}", definition)
    naps: list[float] = []
    real = cluster.kinds

    def later():  # type: ignore[no-untyped-def] # noqa: ANN202
        return (pair for pair in real() if len(naps) > 1 or pair[1].group != "example.com")

    cluster.kinds = later  # type: ignore[method-assign]

    def nap(seconds: float) -> None:
        naps.append(seconds)
        cluster.changed()

    done = Application(Direct(cluster), read_cluster(folder).objects, sleep=nap).apply()
    assert [(o.item.name, o.result) for o in done.outcomes] == [("things.example.com", "applied"), ("one", "applied")]
    assert naps == [1.0, 1.0]


def test_fields_of_another_manager_are_a_conflict_until_told_otherwise(cluster: Cluster, tmp_path: Path) -> None:
    folder = manifests(tmp_path / "m", NAMESPACE, QUOTA % 5)
    other = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "blue"}}
    other |= {"spec": {"hard": {"pods": "50"}}}
    add(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blue"}})
    add(cluster, other)
    pods = frozenset({("f:spec", "f:hard", "f:pods")})
    cluster.managers[("", "ResourceQuota", "blue", "q")] = [Entry("kubectl-edit", "Update", pods)]
    objects = read_cluster(folder).objects
    refused = Application(Direct(cluster), objects).apply()
    assert refused.failures[0].result == "conflict"
    assert 'conflict with "kubectl-edit" using v1: .spec.hard.pods' in refused.failures[0].why
    assert not Application(Direct(cluster), objects, force=True).apply().stopped
    assert cluster.objects[("", "ResourceQuota", "blue", "q")]["spec"]["hard"]["pods"] == "5"


def test_secrets_are_never_sent(cluster: Cluster, tmp_path: Path) -> None:
    folder = manifests(tmp_path / "m", NAMESPACE, SECRET)
    done = Application(Direct(cluster), read_cluster(folder).objects).apply()
    assert {o.item.kind: o.result for o in done.outcomes} == {"Namespace": "applied", "Secret": "skipped"}
    assert "hunter2" not in repr(done)
    assert not any("secrets" in url for _, url, _ in cluster.log)


def test_a_second_apply_changes_nothing(applied: Cluster, export: Path) -> None:
    before = {key: dict(value) for key, value in applied.objects.items()}
    done = Application(Direct(applied), read_cluster(export / "clusters" / PLATFORM).objects).apply()
    assert {o.result for o in done.outcomes} == {"unchanged"}
    assert applied.objects == before
    assert not writes(applied)


def test_a_webhook_that_breaks_stops_the_apply_with_its_words(
    cluster: Cluster, serve: Serve, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = refusal(500, "failed calling webhook mjob.kb.io: connection refused", "InternalError").body
    cluster.troubles.append(Trouble("/priorityclasses/", status=500, times=99, body=broken))
    assert main(["apply", str(export), "--kubeconfig", str(serve(prod=cluster))]) == 1
    assert "failed calling webhook mjob.kb.io" in capsys.readouterr().out


def test_yes_and_dry_run_exclude_each_other(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", str(export), "--yes", "--dry-run"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_what_others_manage_is_named_before_it_is_adopted_and_taken_without_a_change(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], serve: Serve
) -> None:
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: fence, namespace: blue}\n"
        "spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 53}]}]}"
    )
    folder = manifests(tmp_path / "m", NAMESPACE, policy)
    body = yaml.safe_load(policy)
    add(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blue"}})
    place = "/apis/networking.k8s.io/v1/namespaces/blue/networkpolicies/fence"
    server = Direct(cluster)
    headers = [("Content-Type", "application/apply-patch+yaml")]
    query = {"fieldManager": "argocd-controller", "fieldValidation": "Strict", "force": "false"}
    assert server.request("PATCH", place, body, query=query, headers=headers).status == 201
    ours = {**query, "fieldManager": "tenancykit", "dryRun": "All"}
    assert server.request("PATCH", place, body, query=ours, headers=headers).status == 409  # on the defaulted protocol
    config = str(serve(prod=cluster))
    assert main(["apply", str(folder), "--kubeconfig", config]) == 0
    told = capsys.readouterr().out
    assert "NetworkPolicy blue/fence" in told
    assert "managed by argocd-controller" in told
    generation = cluster.objects[("networking.k8s.io", "NetworkPolicy", "blue", "fence")]["metadata"]["generation"]
    assert (
        main(["apply", str(folder), "--kubeconfig", config, "--yes", "--json", "--applied", str(tmp_path / "l")]) == 0
    )
    outcome = json.loads(capsys.readouterr().out)["clusters"][0]["objects"][-1]
    assert (outcome["result"], outcome["adopts"]) == ("applied", ["argocd-controller"])
    stored = cluster.objects[("networking.k8s.io", "NetworkPolicy", "blue", "fence")]["metadata"]
    assert stored["generation"] == generation


def test_a_refused_run_leaves_the_list_of_what_an_earlier_one_applied(
    cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    log, config = tmp_path / "applied.jsonl", str(serve(prod=cluster))
    arguments = ["apply", str(tmp_path / "m"), "--yes", "--kubeconfig", config, "--applied", str(log)]
    manifests(tmp_path / "m", NAMESPACE, QUOTA % 5)
    assert main(arguments) == 0
    before = log.read_text()
    assert len(before.splitlines()) == 4
    (tmp_path / "m" / "more.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: B_d}\n")
    assert main(arguments) == 1
    assert log.read_text() == before


LOST = {"kind": "Status", "apiVersion": "v1", "message": "etcd: leader lost"}
ANOTHER = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "another", "uid": "u"}}


@pytest.mark.parametrize(
    ("status", "body", "content", "exits", "told"),
    [
        (200, ANOTHER, "application/json", 2, "perhaps applied"),
        (200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}, "application/json", 2, "perhaps applied"),
        (
            500,
            {"kind": "Status", "apiVersion": "v1", "message": "etcd: leader lost"},
            "application/json",
            2,
            "leader lost",
        ),
        (200, {}, "text/html", 2, "no API server there"),
        (302, {}, "text/html", 2, "redirects"),
        (403, {"kind": "Status", "apiVersion": "v1", "message": "no"}, "application/json", 1, "1 refused"),
    ],
)
def test_a_write_succeeds_only_if_the_answer_is_the_object(
    cluster: Cluster,
    serve: Serve,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: dict[str, Any],
    content: str,
    exits: int,
    told: str,
) -> None:
    monkeypatch.setattr("tenancykit.live.client.ATTEMPTS", 1)
    folder = manifests(tmp_path / "m", NAMESPACE, QUOTA % 5)
    trouble = Trouble("PATCH /api/v1/namespaces/blue?", status=status, unless="dryRun", times=9, body=body)
    trouble.content = content
    cluster.troubles.append(trouble)
    log = tmp_path / "l"
    arguments = ["apply", str(folder), "--yes", "--kubeconfig", str(serve(prod=cluster)), "--applied", str(log)]
    assert main(arguments) == exits
    printed = capsys.readouterr()
    assert told in printed.out + printed.err
    assert "not reached" in printed.out
    listed = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["name"], one["result"]) for one in listed] == [
        ("blue", "sent"),
        ("blue", "refused" if exits == 1 else "unknown"),
    ]


def test_the_list_of_what_was_applied_is_never_somebody_elses_file_or_a_link(
    cluster: Cluster, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifests(tmp_path / "m", NAMESPACE)
    (tmp_path / "notes").write_text("mine\n")
    (tmp_path / "link").symlink_to(tmp_path / "notes")
    for name in ("notes", "link"):
        arguments = ["apply", str(tmp_path / "m"), "--yes", "--kubeconfig", str(serve(prod=cluster))]
        assert main([*arguments, "--applied", str(tmp_path / name)]) == 2
    assert (tmp_path / "notes").read_text() == "mine\n"
    assert not writes(cluster)
    told = capsys.readouterr().err
    assert "not written by this command; name another\n" in told
    assert "is a symbolic link" in told


def test_a_list_whose_last_line_was_cut_goes_on_with_a_line_of_its_own(
    cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    log = tmp_path / "applied.jsonl"
    log.write_text('{"run": "2026-01-01", "kind": "Names')
    manifests(tmp_path / "m", NAMESPACE)
    config = str(serve(prod=cluster))
    assert main(["apply", str(tmp_path / "m"), "--yes", "--kubeconfig", config, "--applied", str(log)]) == 0
    assert [json.loads(line)["result"] for line in log.read_text().splitlines()[1:]] == ["sent", "applied"]
