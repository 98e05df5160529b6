"""Files of earlier releases: what they left unsaid is written down, and every line and comment of theirs stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit import example, load_catalogue
from tenancykit.cli import main
from tenancykit.design.needs import asked_needs
from tests.studies import EXAMPLES


def old_form(name: str, folder: Path) -> Path:
    """Return an example as an earlier release would have it: nothing said of versions, hosts and needs."""
    root = example(name)
    text = (root if root.is_file() else root / "scenario.yaml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(("kubernetes:", "  virtualised:"))]
    file = folder / "scenario.yaml"
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    for data in (root.parent if root.is_file() else root).glob("*.csv"):
        (folder / data.name).write_bytes(data.read_bytes())
    return file


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_line_and_comment_stays_and_it_asks_what_it_asked(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = old_form(name, tmp_path)
    before, catalogue = file.read_text(encoding="utf-8"), load_catalogue()
    meant = tk.load_scenario(file)
    assert main(["migrate-scenario", str(file)]) == 0
    said = capsys.readouterr().out
    after = file.read_text(encoding="utf-8")
    assert "#" in before
    left = iter(after.splitlines())
    assert all(line in left for line in before.splitlines()), "the old lines, in their order"
    found = tk.load_scenario(file)
    assert found.kubernetes == "1.36"
    assert found.infrastructure.virtualised == meant.infrastructure.virtualised
    for one, other in zip(meant.tenants.classes, found.tenants.classes, strict=True):
        asked = [{a.need.id for a in asked_needs(c, s, catalogue)} for c, s in ((one, meant), (other, found))]
        assert asked[0] == asked[1]
    added = [line.split(":")[0].strip() for line in after.splitlines() if "added by migrate-scenario" in line]
    assert added == ["kubernetes", "virtualised", "needs"]
    assert all(f"assumed {word}" in said or f"infrastructure.{word}" in said for word in added)


def test_a_second_time_adds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = old_form("saas-inference", tmp_path)
    main(["migrate-scenario", str(file)])
    once = file.read_bytes()
    capsys.readouterr()
    assert main(["migrate-scenario", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["assumed"] == []
    assert file.read_bytes() == once


def test_line_ends_of_windows_stay_and_a_copy_leaves_the_file_alone(tmp_path: Path) -> None:
    file = old_form("saas-inference", tmp_path)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before, copy = file.read_bytes(), tmp_path / "copy.yaml"
    assert main(["migrate-scenario", str(file), "--to", str(copy)]) == 0
    assert file.read_bytes() == before
    assert copy.read_bytes().count(b"\n") == copy.read_bytes().count(b"\r\n") > before.count(b"\n")


def test_an_example_of_the_package_and_a_file_in_one_line_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["migrate-scenario", "saas-inference"]) == 2
    assert "--to FILE" in capsys.readouterr().err
    file = old_form("saas-inference", tmp_path)
    data = tk.load_scenario(file).model_dump(mode="json", by_alias=True, exclude_unset=True)
    data["infrastructure"].pop("virtualised", None)
    file.write_text(json.dumps(data), encoding="utf-8")
    assert main(["migrate-scenario", str(file)]) == 2
    assert "one key a line" in capsys.readouterr().err


def test_infrastructure_in_one_line_stays_and_what_to_write_into_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        """schema: tenancykit/scenario/v1
name: one-line
tenants:
  classes: [{id: teams, kind: team, count: 5, workloads: [{template: web}]}]
workloads: [{id: web, kind: service, cpu: "1", memory: 2Gi}]
infrastructure: {sites: [{id: us, provider: aws}], nodes: [{type: aws_m7i_4xlarge}]}
""",
        encoding="utf-8",
    )
    assert main(["migrate-scenario", str(file)]) == 0
    assert "write into it: infrastructure.virtualised: true" in capsys.readouterr().out
    assert "needs:  # added by migrate-scenario" in file.read_text(encoding="utf-8")


def test_a_copy_elsewhere_says_which_files_it_misses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, elsewhere = old_form("ml-platform", tmp_path), tmp_path / "elsewhere" / "scenario.yaml"
    elsewhere.parent.mkdir()
    assert main(["migrate-scenario", str(file), "--to", str(elsewhere)]) == 0
    said = capsys.readouterr().out
    assert said.count("demand.csv, which lies beside") == 1
    (elsewhere.parent / "demand.csv").write_bytes((tmp_path / "demand.csv").read_bytes())
    assert main(["migrate-scenario", str(file), "--to", str(elsewhere)]) == 0
    assert "lies beside" not in capsys.readouterr().out
