from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from kubeanswers import terminal
from kubeanswers.errors import InputError
from tenancykit.cli import _READ, _WRITTEN, BAD_INPUT, FINDINGS, OK, OWN_FAULT, command_line, main
from tenancykit.cli import checking as checking_commands
from tests.fuzz.doors import doors

STEERING = "\x1b]0;PWN\x07\x1b[2J\u202egnp\u2066\x9b31m\x7f\u200b"
POD = """apiVersion: v1
kind: {kind}
metadata: {{name: a, namespace: b}}
spec: {{containers: [{{name: c, image: i, args: [{argument}]}}]}}
"""


def test_the_table_of_exit_codes_is_the_one_the_help_states(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert (OK, FINDINGS, BAD_INPUT, OWN_FAULT) == (0, 1, 2, 3)
    assert "0 fine, 1 findings" in told
    assert "3 our own fault" in told


def test_a_fault_of_our_own_is_one_line_with_its_place_and_no_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> int:
        raise KeyError("hunter2")

    monkeypatch.setattr(checking_commands, "check", broken)
    assert main(["check", "ml-platform"]) == OWN_FAULT
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "KeyError at" in told
    assert "SECURITY.md" in told
    assert "hunter2" not in told
    assert "Traceback" not in told
    assert main(["check", "ml-platform", "--debug"]) == OWN_FAULT
    assert "Traceback" in capsys.readouterr().err


WORDS = """-e5, 1e3, 1_000, 012, 0o17, 1:30, +.5, -., 0b11, 1e999, .e5, =, 0x1F, 08, .5_0, 1.2.3, -0o7, y, No, ~"""


DIGITS = """apiVersion: batch/v1
kind: CronJob
metadata: {{name: a, namespace: b}}
spec:
  schedule: "{0} * */{0} * *"
  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: i}}]}}}}}}}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: j
  namespace: b
  labels: {{kueue.x-k8s.io/queue-name: q}}
  annotations: {{kueue.x-k8s.io/job-min-parallelism: "{0}"}}
spec:
  suspend: true
  completionMode: Indexed
  completions: 3
  successPolicy: {{rules: [{{succeededIndexes: "{0},1-{0}"}}]}}
  template:
    metadata: {{annotations: {{kueue.x-k8s.io/podset-slice-size: "{0}"}}}}
    spec: {{restartPolicy: Never, containers: [{{name: c, image: i}}]}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: b, labels: {{x.tree.hnc.x-k8s.io/depth: "{0}"}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: a, namespace: b}}
spec: {{podSelector: {{}}, ingress: [{{from: [{{ipBlock: {{cidr: "10.0.0.0/{0}"}}}}], ports: [{{port: "{0}"}}]}}]}}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: c, namespace: b}}
spec: {{endpointSelector: {{}}, ingress: [{{toPorts: [{{ports: [{{port: "{0}", protocol: TCP}}]}}]}}]}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: v}}
spec:
  matchConstraints: {{resourceRules: [{{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]}}
  validations:
  - {{expression: 'int("{0}") + {0} > 0 && uint("{0}") > 0u'}}
  - {{expression: 'semver("{0}.0.0-{0}").major() > 0 && double("{0}") > 0.0'}}
---
apiVersion: v1
kind: Pod
metadata: {{name: p, namespace: b}}
spec: {{containers: [{{name: c, image: i}}]}}
"""
"""Digits wherever a number may be written as text."""


@pytest.mark.parametrize("digits", ["²", "٣", "9" * 5000], ids=["superscript", "arabic", "thousands"])
@pytest.mark.parametrize("command", ["audit", "validate", "admit", "place", "reach"])
def test_digits_of_other_scripts_and_thousands_of_digits_are_text_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, digits: str
) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(DIGITS.format(digits), encoding="utf-8")
    more = {"admit": ["-f"], "place": ["-f"], "reach": ["--from", "b/p", "--to", "b/p", "--port", digits, "-f"]}
    assert main([command, *more.get(command, []), str(file)]) in (OK, FINDINGS, BAD_INPUT)
    if command == "validate":
        assert "is not a number, a range or a list of them" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["audit", "can-i", "place", "reach"])
def test_arguments_that_look_like_numbers_are_no_reason_to_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD.format(kind="Pod", argument=WORDS), encoding="utf-8")
    arguments = {
        "audit": ["audit", str(file)],
        "can-i": ["can-i", "get", "pods", "--as", "me", "-f", str(file)],
        "place": ["place", "-f", str(file)],
        "reach": ["reach", "--from", "b/a", "--to", "b/a", "-f", str(file)],
    }
    assert main(arguments[command]) in (OK, FINDINGS)
    assert capsys.readouterr().err == ""


def test_can_i_does_not_drop_a_question_for_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    assert main(["can-i", "--list", "get", "pods", "--as", "me", "-f", str(file)]) == 2
    assert "--list: and 'get' are both given" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["[x]", "{a: b}", "12", "1e3", "no", "true", "0x1"])
@pytest.mark.parametrize("command", [["audit"], ["place", "-f"], ["can-i", "get", "pods", "--as", "me", "-f"]])
def test_a_name_that_is_no_text_is_a_fault_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], name: str
) -> None:
    file = tmp_path / "thing.yaml"
    file.write_text(
        f"---\napiVersion: v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: a}}\n", encoding="utf-8"
    )
    assert main([*command, str(file)]) == BAD_INPUT
    told = "".join(capsys.readouterr())
    assert f"{file}:2" in told
    assert "metadata.name" in told
    assert "quotes" in told


def test_results_and_messages_never_steer_a_terminal(tmp_path: Path) -> None:
    shown = json.dumps(STEERING)
    manifest = tmp_path / "esc.yaml"
    manifest.write_text(
        f"apiVersion: v1\nkind: {shown}\nmetadata: {{name: {shown}, namespace: {shown}}}\n", encoding="utf-8"
    )
    trace = tmp_path / "esc.csv"
    trace.write_text(f"tenant,start,duration,cpu,memory,gpus,gpu_model\na{STEERING},0,60,1,1Gi,1,\nb,0,60,1,1Gi,2,\n")
    for arguments in (
        ["audit", str(manifest)],
        ["audit", str(manifest), "--json"],
        ["demand", str(trace)],
        ["check", STEERING],
    ):
        done = subprocess.run([sys.executable, "-m", "tenancykit", *arguments], capture_output=True, check=False)
        printed = (done.stdout + done.stderr).decode()
        assert done.returncode in (OK, FINDINGS, BAD_INPUT)
        assert "PWN" in printed
        assert [c for c in printed if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf")] == []
        if "--json" in arguments:
            assert STEERING in json.dumps(json.loads(done.stdout), ensure_ascii=False).encode().decode(
                "unicode_escape"
            ) or any(STEERING in name for name in _texts(json.loads(done.stdout)))


def _texts(data: object) -> list[str]:
    if isinstance(data, str):
        return [data]
    inner = list(data.values()) + list(data) if isinstance(data, dict) else data if isinstance(data, list) else []
    return [text for part in inner for text in _texts(part)]


def test_the_escape_covers_every_character_that_is_not_for_showing() -> None:
    points = [chr(n) for n in range(sys.maxunicode + 1)]
    steering = {c for c in points if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n\t"}
    assert [hex(ord(c)) for c in steering if terminal.escaped(c) == c] == []
    assert all(terminal.escaped(c) == c for c in "\n\t ~é漢字😀|")


def test_what_is_escaped_of_json_is_the_same_json() -> None:
    data = {"name": STEERING + "\U000e0001 é 😀"}
    assert json.loads(terminal.escaped(json.dumps(data, ensure_ascii=False))) == data


def test_nothing_on_standard_input_is_said_to_be_nothing() -> None:
    for arguments in (["audit", "-"], ["place", "-f", "-"], ["can-i", "get", "pods", "--as", "x", "-f", "-"]):
        done = subprocess.run(
            [sys.executable, "-m", "tenancykit", *arguments], input=b" \n", capture_output=True, check=False
        )
        assert done.returncode == BAD_INPUT
        assert b"<stdin>: is empty" in done.stdout + done.stderr


def test_a_pipe_is_read_and_a_silent_one_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD.format(kind="Pod", argument="-e5"), encoding="utf-8")
    command = f"{sys.executable} -m tenancykit audit <(cat {file})"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (OK, b"")
    read, write = os.pipe()
    with os.fdopen(read), os.fdopen(write):
        arguments = [sys.executable, "-m", "tenancykit", "audit", "-", "--patience", "0.2"]
        done = subprocess.run(arguments, stdin=read, capture_output=True, check=False, timeout=60)
    assert done.returncode == BAD_INPUT
    assert b"said nothing for 0.2 seconds" in done.stdout + done.stderr


def test_devices_and_pipes_in_a_folder_are_left_out_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pod.yaml").write_text(POD.format(kind="Pod", argument="a"), encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert main(["audit", str(tmp_path)]) == OK
    assert "is a pipe, which is not read" in capsys.readouterr().out
    assert main(["audit", str(tmp_path / "pipe.yaml"), "--patience", "0.2"]) == BAD_INPUT


@pytest.mark.parametrize("words", [["init", "--title=--"], ["compare", "gpu-cloud", "--variant=--"], ["can-i", "-f--"]])
def test_two_hyphens_as_an_options_value_are_refused_as_none(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == BAD_INPUT
    assert "two hyphens are no value" in capsys.readouterr().err


def test_a_caller_of_the_command_line_has_its_collector_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    before = gc.isenabled(), gc.get_threshold()
    assert main(["explain", "gpu-cloud", "RA09"]) == 0
    assert (gc.isenabled(), gc.get_threshold()) == before
    assert capsys.readouterr().out


def test_every_option_that_names_a_file_is_known_as_what_is_read_or_written() -> None:
    commands = next(action.choices for action in command_line()._actions if isinstance(action.choices, dict))
    named = {
        action.dest
        for command in commands.values()
        for action in command._actions
        if any(word in str(action.metavar) for word in ("FILE", "PATH", "FOLDER", "LOG", "DIR"))
        and not action.dest.startswith("answer_")
    }
    assert named <= {*_READ, *_WRITTEN}


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_no_input_is_written_onto_whichever_option_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], force: list[str]
) -> None:
    trace, quotas = tmp_path / "jobs.csv", tmp_path / "quotas.csv"
    trace.write_text("tenant,start,duration,cpu,memory,gpus,gpu_model\na,0,3600,1,1Gi,1,\n", encoding="utf-8")
    quotas.write_text("tenant,gpus\na,4\n", encoding="utf-8")
    (tmp_path / "in").mkdir()
    manifest = tmp_path / "in" / "pod.yaml"
    manifest.write_text(POD.format(kind="Pod", argument="x"), encoding="utf-8")
    before = [file.read_bytes() for file in (trace, quotas, manifest)]
    for asked in (
        ["queue", str(trace), "--quotas", str(quotas), "--picture", str(quotas)],
        ["demand", str(trace), "--to", str(trace)],
        ["explore", str(manifest), "--front", str(manifest)],
        ["audit", str(tmp_path / "in"), "--junit", str(manifest)],
        ["audit", str(tmp_path / "in"), "--junit", str(tmp_path / "x"), "--sarif", str(tmp_path / "x")],
        ["demand", str(trace), "--to", ""],
    ):
        assert main([*asked, *force]) == BAD_INPUT, asked
    capsys.readouterr()
    assert [file.read_bytes() for file in (trace, quotas, manifest)] == before


@pytest.mark.parametrize("content", [b"", b" \n"], ids=["nothing", "blank"])
@pytest.mark.parametrize("door", ["evidence", "calibration", "session", "record", "sweep", "weights", "scenario"])
def test_an_empty_file_is_said_to_be_empty_by_every_reader(tmp_path: Path, door: str, content: bytes) -> None:
    with pytest.raises(InputError, match="empty"):
        doors()[door].open(content, tmp_path)


def test_empty_lists_beside_the_input_are_said_to_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, trace, pod = tmp_path / "empty", tmp_path / "jobs.csv", tmp_path / "pod.yaml"
    empty.write_text("\n", encoding="utf-8")
    trace.write_text("tenant,start,duration,cpu,memory,gpus,gpu_model\na,0,3600,1,1Gi,1,\n", encoding="utf-8")
    pod.write_text(POD.format(kind="Pod", argument="x"), encoding="utf-8")
    assert main(["queue", str(trace), "--quotas", str(empty)]) == BAD_INPUT
    assert "is empty; allowed: columns tenant" in capsys.readouterr().err
    assert main(["audit", str(pod), "--tenants", str(empty)]) == BAD_INPUT
    assert "names no tenant" in capsys.readouterr().err
