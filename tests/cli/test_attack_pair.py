"""``explain --attacker --victim`` shows one pair of classes, path by path, and draws its attack graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenancykit.cli import main

ASKED = ["explain", "saas-inference", "RA08", "--attacker", "basic", "--victim", "premium"]


def test_one_pair_is_told_asset_by_asset_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "pair.svg"
    assert main([*ASKED, "--picture", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "what basic can do to premium" in " ".join(said.split())
    assert "days a year" in said
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert main([*ASKED, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["attacker"], data["victim"]) == ("basic", "premium")
    assert {asset["plane"] for asset in data["assets"]} >= {"control", "compute", "network", "storage"}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--attacker", "nobody"], "no pair nobody on any"),
        (["--victim", "basic", "--criterion", "cost"], "--criterion"),
    ],
)
def test_a_class_there_is_not_and_another_criterion_are_bad_input(
    more: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "saas-inference", "RA08", *more]) == 2
    assert told in capsys.readouterr().err
