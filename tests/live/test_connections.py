"""Kubeconfigs, contexts and servers that are slow, busy, silent or do not let one in."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

from kubeanswers.errors import InputError, MissingExtraError
from kubeanswers.validation.custom_kinds import known_kinds
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import main
from tenancykit.live.client import KubeServer, UnreachableError
from tenancykit.live.contexts import chosen_contexts, clusters_of
from tenancykit.live.installers import installer_of
from tests.live.api_server import Cluster, FakeServer, Trouble, kubeconfig
from tests.live.conftest import Serve


def test_busy_and_dropping_servers_are_asked_again(cluster: Cluster, serve: Serve) -> None:
    cluster.troubles += [Trouble("/api/v1", status=429), Trouble("/api/v1", status=503), Trouble("/api/v1", drop=True)]
    naps: list[float] = []
    with KubeServer(kubeconfig=serve(prod=cluster), sleep=naps.append) as server:
        assert server.request("GET", "/api/v1").status == 200
    assert naps == [0.5, 1.0, 2.0]


def test_a_server_that_stays_silent_is_given_up(cluster: Cluster, serve: Serve) -> None:
    cluster.troubles.append(Trouble("/api/v1", drop=True, times=99))
    with (
        KubeServer(kubeconfig=serve(prod=cluster), sleep=lambda _: None) as server,
        pytest.raises(UnreachableError, match=r"prod .*does not answer"),
    ):
        server.request("GET", "/api/v1")


def test_a_slow_server_runs_into_the_timeout(cluster: Cluster, serve: Serve) -> None:
    cluster.troubles.append(Trouble("/api/v1", wait=0.4, times=4))
    with (
        KubeServer(kubeconfig=serve(prod=cluster), timeout=0.05, sleep=lambda _: None) as server,
        pytest.raises(UnreachableError, match="took too long"),
    ):
        server.request("GET", "/api/v1")


def test_a_refused_sign_in_is_tried_once_more_and_then_said(cluster: Cluster, serve: Serve) -> None:
    config = serve(prod=cluster)
    stated = yaml.safe_load(config.read_text())
    stated["users"][0]["user"]["token"] = "stale"  # noqa: S105 - of the fake server alone
    config.write_text(yaml.safe_dump(stated))
    with (
        KubeServer(kubeconfig=config, sleep=lambda _: None) as server,
        pytest.raises(UnreachableError, match="does not let you in"),
    ):
        server.request("GET", "/api/v1")
    assert len(cluster.log) == 2


def test_a_server_that_is_not_there_is_exit_code_2(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenancykit.live.client.ATTEMPTS", 1)
    with FakeServer(Cluster()) as server:
        url = server.url
    config = tmp_path / "config"
    config.write_text(yaml.safe_dump(kubeconfig(gone=url)))
    assert main(["apply", str(export), "--kubeconfig", str(config)]) == 2
    error = capsys.readouterr().err
    assert "gone" in error
    assert "does not answer" in error


@pytest.mark.parametrize("text", ["", "[]", "clusters: {", "current-context: x\ncontexts: []\nclusters: []\nusers: []"])
def test_a_broken_kubeconfig_is_bad_input(text: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(text)
    with pytest.raises(InputError, match=r"kubeconfig|cannot be used"):
        KubeServer(kubeconfig=config)


def test_a_missing_kubeconfig_and_an_unknown_context_are_bad_input(
    cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no such file"):
        KubeServer(kubeconfig=tmp_path / "none")
    with pytest.raises(InputError, match="No such context"):
        KubeServer("staging", serve(prod=cluster))


def test_keys_of_a_kubeconfig_leave_no_copy_behind(
    cluster: Cluster, serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    config = serve(prod=cluster)
    stated = yaml.safe_load(config.read_text())
    stated["users"][0]["user"] |= {"client-key-data": "a2V5", "client-certificate-data": "Y2VydA=="}
    config.write_text(yaml.safe_dump(stated))
    with KubeServer(kubeconfig=config, sleep=lambda _: None) as server, pytest.raises(UnreachableError):
        server.request("GET", "/api/v1")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_the_extra_the_command_says_what_to_install(
    export: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kr8s.asyncio", None)
    monkeypatch.setitem(sys.modules, "kr8s", None)
    assert main(["apply", str(export)]) == 2
    assert "pip install 'tenancykit[live]'" in capsys.readouterr().err
    with pytest.raises(MissingExtraError):
        KubeServer()


def test_kr8s_is_imported_by_the_live_commands_only() -> None:
    import subprocess

    code = "import sys, tenancykit, tenancykit.cli.live; sys.exit('kr8s' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_clusters_are_mapped_to_contexts_by_name(fleet: Path) -> None:
    clusters = clusters_of(fleet)
    assert len(clusters) > 1
    name = min(clusters)
    assert chosen_contexts([f"{name}=arn:aws:eks:eu:1=a"], clusters) == {name: "arn:aws:eks:eu:1=a"}
    with pytest.raises(InputError, match=f"the export has {len(clusters)} clusters"):
        chosen_contexts([], clusters)
    with pytest.raises(InputError, match="is no cluster of the export"):
        chosen_contexts(["nowhere=prod"], clusters)
    with pytest.raises(InputError, match="does not say which cluster"):
        chosen_contexts(["prod"], clusters)
    with pytest.raises(InputError, match="twice"):
        chosen_contexts([f"{name}=a", f"{name}=b"], clusters)


def test_the_platforms_clusters_are_served_before_the_tenants() -> None:
    names = ["acme", "tenancykit-management", "tenancykit-platform"]
    stated = [f"{name}=x" for name in ("tenancykit-platform", "acme", "tenancykit-management")]
    assert list(chosen_contexts(stated, names)) == ["tenancykit-management", "tenancykit-platform", "acme"]


def test_one_cluster_needs_no_name() -> None:
    assert chosen_contexts([], ["only"]) == {"only": ""}
    assert chosen_contexts(["prod"], ["only"]) == {"only": "prod"}
    assert chosen_contexts(["a=b"], ["only"]) == {"only": "a=b"}
    assert chosen_contexts(["only=b"], ["only"]) == {"only": "b"}


def test_only_the_clusters_that_were_named_are_touched(
    fleet: Path, serve: Serve, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    name = min(clusters_of(fleet))
    other = Cluster()
    config = serve(mgmt=cluster, other=other)
    main(["apply", str(fleet), "--context", f"{name}=mgmt", "--kubeconfig", str(config)])
    assert cluster.log
    assert not other.log
    assert "clusters left alone: " in capsys.readouterr().out


def test_what_was_done_in_one_cluster_is_told_when_the_next_does_not_answer(
    fleet: Path, serve: Serve, cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenancykit.live.client.ATTEMPTS", 1)
    silent = Cluster(troubles=[Trouble("", drop=True, times=99)])
    config = str(serve(a=cluster, b=silent))
    first, second = "tenancykit-platform", min(clusters_of(fleet))
    stated = ["--context", f"{first}=a", "--context", f"{second}=b"]
    assert main(["apply", str(fleet), *stated, "--kubeconfig", config, "--json"]) == 2
    told = capsys.readouterr()
    assert [one["cluster"] for one in json.loads(told.out)["clusters"]] == [first]
    assert "does not answer" in told.err


@pytest.mark.parametrize("flags", [["--timeout", "0"], ["--sample", "-1"]])
def test_numbers_that_make_no_sense_are_bad_input(flags: list[str], export: Path) -> None:
    assert main(["verify", "regulated-hybrid", str(export), *flags]) == 2


@pytest.mark.parametrize("path", ["nowhere", "file"])
def test_a_folder_that_is_none_is_bad_input(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kind: x")
    assert main(["apply", str(tmp_path / path)]) == 2


def test_every_custom_kind_the_builders_emit_has_an_installer_of_the_catalogue(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    brought = {group for component in catalogue.components.values() for group in component.api_groups}
    assert {group for group, _ in known_kinds()} <= brought
    assert "older than the export" in installer_of("resource.k8s.io", tmp_path, "x", catalogue)
    assert "no component of the catalogue" in installer_of("example.com", tmp_path, "x", catalogue)


def test_an_exec_plugin_that_hangs_is_bounded_by_the_timeout(cluster: Cluster, serve: Serve) -> None:
    config = serve(prod=cluster)
    stated = yaml.safe_load(config.read_text())
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable}
    stated["users"][0]["user"] = {"exec": {**plugin, "args": ["-c", "import time; time.sleep(30)"]}}
    config.write_text(yaml.safe_dump(stated))
    with pytest.raises(UnreachableError, match=r"signing in took longer than 0\.3 seconds"):
        KubeServer(kubeconfig=config, timeout=0.3)


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [
        (200, "text/html", "no API server there: it answers with text/html"),
        (302, "text/html", "no API server there: it redirects to https://login.example.net/"),
    ],
)
def test_a_sign_in_page_of_a_network_is_no_api_server(
    cluster: Cluster, serve: Serve, status: int, content: str, told: str
) -> None:
    cluster.troubles.append(Trouble("/api/v1", status=status, content=content, times=9, body={"x": 1}))
    with (
        KubeServer(kubeconfig=serve(prod=cluster), sleep=lambda _: None) as server,
        pytest.raises(UnreachableError, match=told),
    ):
        server.request("GET", "/api/v1")
    assert len(cluster.log) == 1


def test_an_answer_without_end_is_cut_off(cluster: Cluster, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenancykit.live.client.MAX_ANSWER", 100)
    with (
        KubeServer(kubeconfig=serve(prod=cluster), sleep=lambda _: None) as server,
        pytest.raises(UnreachableError, match="answers with more than"),
    ):
        server.request("GET", "/api/v1")


def test_a_success_that_is_no_kubernetes_object_is_no_success(cluster: Cluster, serve: Serve) -> None:
    cluster.troubles.append(Trouble("/api/v1", status=200, times=9, body={"ok": True}))
    with (
        KubeServer(kubeconfig=serve(prod=cluster), sleep=lambda _: None) as server,
        pytest.raises(UnreachableError, match="which is no Kubernetes object"),
    ):
        server.request("GET", "/api/v1")


@pytest.mark.parametrize("hangs", ["at once", "when signing in again"])
def test_a_plugin_that_cannot_be_stopped_is_not_waited_for(
    cluster: Cluster, serve: Serve, tmp_path: Path, hangs: str
) -> None:
    file = serve(prod=cluster)
    called, plugin = tmp_path / "called", tmp_path / "plugin.sh"
    credential = (
        '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "old"}}'
    )
    hang = "trap '' TERM; sleep 40 & sleep 40"  # its children keep its output open after it is killed
    answer = f"[ -f {called} ] && {{ {hang}; }}; touch {called}; echo '{credential}'" if hangs != "at once" else hang
    plugin.write_text(f"#!/bin/sh\n{answer}\n")
    plugin.chmod(0o755)
    stated = yaml.safe_load(file.read_text())
    called_as = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    stated["users"][0]["user"] = {"exec": called_as}
    file.write_text(yaml.safe_dump(stated))
    began = time.monotonic()
    with pytest.raises(UnreachableError), KubeServer(kubeconfig=file, timeout=1, sleep=lambda _: None) as server:
        server.request("GET", "/api/v1")
    assert time.monotonic() - began < 25
