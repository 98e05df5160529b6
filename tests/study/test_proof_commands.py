"""What prove and assess print, and with which exit code."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from kubeanswers.errors import InputError
from tenancykit import api
from tenancykit.cli import main, proving
from tests.study.platforms import catalogue


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "out"
    assert main(["export", "regulated-hybrid", "--design", "RA08", "--to", str(folder)]) == 0
    return folder


def options(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"catalogue": [], "json": False, **given})


def test_prove_reads_the_design_from_the_export_and_exits_0(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = options(scenario="regulated-hybrid", folder=str(tree), design=None)
    assert proving.prove(given) == 0
    out = capsys.readouterr().out
    assert out.startswith("RA08 ")
    assert "isolation as proven" in out
    assert proving.prove(argparse.Namespace(**{**vars(given), "json": True})) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema"], data["verdict"]) == ("tenancykit/proof/v1", "proven")
    evaluation = api.compare(api.load_scenario("regulated-hybrid"), catalogue())["RA08"]
    assert data["isolation"] > evaluation.scores["isolation"].value


def test_prove_against_a_stronger_design_exits_1_and_names_pairs_and_reasons(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = options(scenario="regulated-hybrid", folder=str(tree), design="RA14")
    assert proving.prove(given) == 1
    out = capsys.readouterr().out
    assert "not proven: " in out
    assert "claimed closed: " in out
    assert "pairs, such as " in out
    assert proving.prove(argparse.Namespace(**{**vars(given), "json": True})) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["isolation"] is None
    refuted = [claim for claim in data["claims"] if claim["verdict"] == "not proven"]
    assert refuted
    assert all(claim["examples"] and claim["reasons"] and claim["open_pairs"] for claim in refuted)


def test_prove_without_a_design_or_a_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--design"):
        proving.prove(options(scenario="regulated-hybrid", folder=str(tmp_path), design=None))
    with pytest.raises(InputError, match="no such folder"):
        proving.prove(options(scenario="regulated-hybrid", folder=str(tmp_path / "none"), design=None))


def test_assess_prints_options_gaps_and_writes_what_closes_them(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = options(paths=[str(tree)], scenario="regulated-hybrid", target="RA10", to=str(tmp_path / "gap"), tenant=[])
    assert proving.assess(given) == 1
    out = capsys.readouterr().out
    assert "runtime/runtime: rt_gvisor - " in out
    assert "to RA10: " in out
    assert "person-days" in out
    assert "objects to add" in out
    assert (tmp_path / "gap" / "gap.yaml").is_file()
    assert proving.assess(argparse.Namespace(**{**vars(given), "json": True, "to": None})) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["schema"] == "tenancykit/assessment/v1"
    assert data["written"] is None
    assert {gap["wanted"] for gap in data["gaps"]} >= {"fl_gitops_fleet"}
    assert {d["id"] for d in data["designs"]} >= {"FOUND", "RA10"}


def test_assess_of_what_is_the_target_already_exits_0(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        proving.assess(options(paths=[str(tree)], scenario="regulated-hybrid", target="RA08", to=None, tenant=[])) == 0
    )
    assert "to RA08: 0 gaps" in capsys.readouterr().out


def test_assess_with_a_broken_file_says_so_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: blue}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("a: [", encoding="utf-8")
    assert (
        proving.assess(options(paths=[str(tmp_path)], scenario="ml-platform", target="RA01", to=None, tenant=[])) == 2
    )
    assert "b.yaml" in capsys.readouterr().out
