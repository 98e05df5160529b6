"""The command on traces prints the figures, says what it skipped, and names faults with exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenancykit.cli import main
from tenancykit.examples import example

ROWS = "tenant,hour,active\nblue,0,4\nblue,1,0\nred,0,0\nred,1,?\nred,2,4\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_demand_prints_apart_together_pools_and_what_was_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "demand.csv"
    path.write_text(ROWS, encoding="utf-8")
    code, out, err = run(capsys, "demand", str(path))
    assert (code, out) == (2, "")
    assert "demand.csv:5: active: '?' is not a number; allowed: a number, 0 or more; correct the row" in err
    asked = ("demand", str(path), "--skip-bad-rows", "--cap", "2", "--pool", "all=blue,red", "--percentile", "90")
    code, out, err = run(capsys, *asked, "--json")
    found = json.loads(out)
    assert (code, found["schema"], found["pools"], found["together"]) == (0, "tenancykit/demand/v1", {"all": 4}, 4)
    assert (found["apart"], found["gain"]) == ({"blue": 4, "red": 4}, 2)
    assert found["skipped"].startswith("skipped 1 of 5 rows: 1 with a bad active")
    code, out, _ = run(capsys, *asked, "--to", str(tmp_path / "hours.csv"))
    assert code == 0
    assert (tmp_path / "hours.csv").read_text(encoding="utf-8").startswith("tenant,hour,active\nblue,0,4\nblue,1,0\n")
    for part in ("multiplexing gain", "for 90 % of the time", "pool all", "with 2 replicas: ", "skipped 1 of 5 rows"):
        assert part in out


def test_a_pool_without_tenants_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "demand", str(tmp_path / "x.csv"), "--pool", "all")
    assert (code, "--pool: 'all' names no pool with tenants" in err) == (2, True)


def test_check_reads_the_traces_a_scenario_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = example("saas-inference").read_text(encoding="utf-8")
    assert "profile: diurnal, mean: 0.6, seed: 1" in text
    changed = text.replace("profile: diurnal, mean: 0.6, seed: 1", "profile: trace, file: demand.csv")
    (tmp_path / "scenario.yaml").write_text(changed, encoding="utf-8")
    (tmp_path / "demand.csv").write_text("tenant,hour,active\npremium-01,0,1\npremium-01,0,2\n", encoding="utf-8")
    code, _, err = run(capsys, "check", str(tmp_path))
    assert (code, "demand.csv:3: hour: 0 of premium-01 overlaps" in err) == (2, True)
    (tmp_path / "demand.csv").write_text("tenant,hour,active\nbasic-1,0,1\n", encoding="utf-8")
    code, _, err = run(capsys, "check", str(tmp_path))
    assert (code, "tenant 'basic-01' has no row" in err, "did you mean basic-1" in err) == (2, True, True)
