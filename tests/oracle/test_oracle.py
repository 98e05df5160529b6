"""The library answers as a real API server and scheduler answered (recorded, see recorded/README.md)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oracle.__main__ import compare_file, main
from tests.oracle.comparison import RECORDED

LEAST = {
    "rbac": 1.0,
    "rbac-builtin": 1.0,
    "rbac-escalation": 1.0,
    "pod-security": 1.0,
    "vap": 0.98,
    "quota-limitrange": 0.98,
    "strict-validation": 0.98,
}
"""Smallest share of answers that must agree, by recorded set."""


@pytest.mark.parametrize("name", LEAST)
def test_answers_agree_with_the_recording(name: str) -> None:
    result = compare_file(RECORDED / f"{name}.json.xz")
    assert result.total > 0
    assert result.agree >= LEAST[name] * result.total, json.dumps(result.differences[:5], indent=1, default=str)


def test_the_default_roles_stand_in_where_no_recording_of_them_is_at_hand(tmp_path: Path) -> None:
    (tmp_path / "rbac.json.xz").write_bytes((RECORDED / "rbac.json.xz").read_bytes())
    result = compare_file(tmp_path / "rbac.json.xz")
    assert result.agree == result.total


def test_a_difference_is_reported_and_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = {"user": "u", "groups": [], "verb": "get", "group": "", "resource": "pods", "allowed": True}
    data = {"set": "rbac", "cases": [{"id": "wrong", "objects": [], "queries": [query]}]}
    (tmp_path / "x.json").write_text(json.dumps(data), encoding="utf-8")
    assert main([str(tmp_path / "x.json"), "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["set"], printed["agree"], printed["total"]) == ("rbac", 0, 1)
    assert printed["differences"][0]["case"] == "wrong"


def test_what_cannot_be_read_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text('{"set": "weather"}', encoding="utf-8")
    assert main([str(tmp_path / "x.json"), str(tmp_path / "nosuch.json")]) == 2
    assert "weather" in capsys.readouterr().err


def test_it_runs_as_a_module(repository: Path) -> None:
    command = [sys.executable, "-m", "tests.oracle", str(RECORDED / "pod-security.json.xz"), "--json"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["set"] == "pod-security"
