"""The probe pack: ordinary pods, bounded and self-deleting, and claimed against observed when its logs are read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from kubeanswers.pod_security import violations
from kubeanswers.validation.schema import validate_object
from tenancykit.cli import main
from tenancykit.live.probing import MARK, Trial, read_results, script

IMAGE = "registry.example.net/busybox@sha256:" + "0" * 64


@pytest.fixture(scope="module")
def probes(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probes") / "pack"
    assert main(["probe", str(export), "--to", str(folder), "--image", IMAGE]) == 0
    return folder


def test_every_job_is_an_ordinary_bounded_pod(probes: Path) -> None:
    files = sorted(probes.rglob("*.yaml"))
    assert len(files) >= 2
    for file in files:
        job = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert validate_object(job) == []
        spec = job["spec"]
        assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (0, 300, 3600)
        pod = spec["template"]["spec"]
        assert violations(pod, "baseline", {}, 36) == []
        assert [one["image"] for one in pod["containers"]] == [IMAGE]
        assert pod["containers"][0]["readinessProbe"]  # never ready: no Service sends it requests
        assert "volumes" not in pod


def test_claims_name_what_must_be_closed_and_what_must_be_open(probes: Path) -> None:
    data = json.loads(next(probes.rglob("claims.json")).read_text(encoding="utf-8"))
    claimed = {one["id"].partition("/")[2].partition("-of-")[0]: one["claimed"] for one in data["trials"]}
    assert claimed["dns"] == "open"
    assert claimed["metadata-service"] == "closed"
    assert claimed["secrets"] == "closed"
    assert claimed["service"] == "closed"


def test_the_script_tells_open_from_closed_whatever_stands_in_a_command() -> None:
    trials = [
        Trial("a/yes", "", "open", "true", ""),
        Trial("a/no", "", "closed", "false", ""),
        Trial("a/quoted", "", "open", """test "it's" = 'it'"'"'s'""", ""),
    ]
    done = subprocess.run(["sh", "-c", script(trials)], capture_output=True, text=True, check=True)
    found = {one.id: one.observed for one in read_results(claims(trials), done.stdout)}
    assert found == {"a/yes": "open", "a/no": "closed", "a/quoted": "open"}


def test_what_the_image_lacks_or_cannot_find_is_not_taken_for_closed() -> None:
    trials = [
        Trial("a/tool", "x", "closed", "no-such-program 10.0.0.1 80", ""),
        Trial("a/piped", "x", "closed", "true | no-such-program", ""),
        Trial("a/name", "x", "closed", "echo \"nc: bad address 'web.b.svc'\" >&2; exit 1", ""),
        Trial("a/refused", "x", "closed", "echo 'nc: connection refused' >&2; exit 1", ""),
        Trial("a/token", "x", "closed", "exit 125", ""),
        Trial("a/server", "x", "closed", "exit 124", ""),
        Trial("a/lost", "x", "closed", "echo \"nc: bad address 'kubernetes.default.svc'\" >&2; exit 124", ""),
        Trial("a/loud", "x", "open", "echo 'bad address' >&2", ""),
    ]
    done = subprocess.run(["sh", "-c", script(trials)], capture_output=True, text=True, check=True)
    found = {one.id: one for one in read_results(claims(trials), done.stdout)}
    assert {name: one.observed for name, one in found.items()} == {
        "a/tool": "unknown", "a/piped": "unknown", "a/name": "unknown", "a/refused": "closed", "a/token": "unknown",
        "a/server": "closed", "a/lost": "unknown", "a/loud": "open",
    }  # fmt: skip
    assert found["a/tool"].verdict == "undecided"
    assert {name for name, one in found.items() if one.note} == {"a/server"}


def test_rights_are_tried_with_the_token_of_the_account_they_are_claimed_of(probes: Path) -> None:
    for file in probes.rglob("*.yaml"):
        spec = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is True
        assert "serviceaccount/token" in spec["containers"][0]["command"][2]


def claims(trials: list[Trial]) -> dict[str, object]:
    from tenancykit.live.probing import expected

    return expected(trials)


def test_logs_are_read_as_claimed_against_observed(
    probes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trials = [one for f in sorted(probes.rglob("claims.json")) for one in json.loads(f.read_text())["trials"]]
    lines = [f"pod/x {MARK}" + json.dumps({"id": t["id"], "observed": t["claimed"].replace("unknown", "closed")})
             for t in trials]  # fmt: skip
    log, junit = tmp_path / "log", tmp_path / "j.xml"
    arguments = ["probe", "--to", str(probes), "--read", str(log), "--junit", str(junit)]
    log.write_text("\n".join(lines))
    assert main(arguments) == 0
    bad = next(t for t in trials if t["id"].endswith("metadata-service"))
    text = "\n".join(line for line in lines if bad["id"] not in line)
    log.write_text(text)
    assert main(arguments) == 1  # no answer is not taken for a good one
    log.write_text(text + "\n" + MARK + json.dumps({"id": bad["id"], "observed": "open"}))
    capsys.readouterr()
    assert main(arguments) == 1
    assert f"open: {bad['id']} (pod-to-metadata): claimed closed, observed open" in capsys.readouterr().out
    assert len(ET.parse(junit).getroot().findall("testcase/failure")) == 1  # noqa: S314 - written a line above


@pytest.mark.parametrize("image", ["busybox", "busybox:1.36", "busybox@sha256:12"])
def test_an_image_that_is_not_pinned_by_digest_is_refused(
    export: Path, tmp_path: Path, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", str(export), "--to", str(tmp_path / "p"), "--image", image]) == 2
    assert "not pinned by digest" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()
