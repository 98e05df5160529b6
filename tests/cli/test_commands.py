from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from tenancykit import schemas
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import main
from tenancykit.cli.arguments import LISTINGS
from tests.studies import EXAMPLES, candidates


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("example", EXAMPLES)
def test_compare_prints_json_of_the_promised_format_and_the_same_bytes_each_time(
    capsys: pytest.CaptureFixture[str], example: str
) -> None:
    code, out, err = run(capsys, "compare", example, "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    schema = json.loads((schemas.FOLDER / "comparison.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(data)
    assert sorted(design["id"] for design in data["designs"]) == sorted(candidates(example))
    if example == EXAMPLES[0]:  # the others are held to it by a test of two processes
        assert run(capsys, "compare", example, "--json")[1] == out


def test_another_process_with_another_hash_seed_prints_the_same_bytes() -> None:
    found = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "tenancykit", "compare", "regulated-hybrid", "--json"],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        found.append(done.stdout)
    assert found[0] == found[1]


def test_compare_prints_the_ranking_and_the_reason_for_first_place(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "compare", "ml-platform")
    assert code == 0
    assert "First place. It scores 0." in out
    assert all(f"RA{n:02d}" in out for n in range(1, len(load_catalogue().references) + 1))


def test_explain_opens_a_figure_down_to_its_sources(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "explain", "ml-platform", "RA01", "--criterion", "isolation")
    assert code == 0
    assert "https://" in out
    code, out, _ = run(capsys, "explain", "ml-platform", "RA01", "RA03")
    assert code == 0
    assert "RA01" in out
    assert "RA03" in out


@pytest.mark.parametrize("what", LISTINGS)
def test_catalogue_lists_what_it_holds(capsys: pytest.CaptureFixture[str], what: str) -> None:
    code, out, _ = run(capsys, "catalogue", what)
    assert code == 0
    assert len(out.splitlines()) > 10
    assert json.loads(run(capsys, "catalogue", what, "--json")[1])["entries"]


def test_check_shows_the_kubernetes_name_beside_the_tenants(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", "ml-platform")
    assert code == 0
    assert "vc6YE  ->  vc6ye" in out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file"),
        ("a: [1\nb: 2", "YAML syntax"),
        ("a: 1\na: 2", "appears twice"),
        ("- 1", "is a list; allowed: a mapping"),
        ("schema: tenancykit/scenario/v1", "key 'name' is missing"),
        ("\x1b[31mred: 1", "scenario.yaml:1: holds the control character U+001B"),
    ],
)
def test_a_bad_scenario_ends_with_code_2_one_line_per_fault_and_no_traceback(
    tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "scenario.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-m", "tenancykit", "export", str(file), "--to", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    assert sorted(tmp_path.iterdir()) == before


def test_nobody_admitted_ends_with_code_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from tenancykit.examples import example

    folder = example("saas-inference").parent
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    file = tmp_path / "scenario.yaml"
    file.write_text(
        text.replace("requirements:\n  go_live", "requirements:\n  budget_per_month: 1\n  go_live"), encoding="utf-8"
    )
    code, out, _ = run(capsys, "compare", str(file))
    assert code == 1
    assert "No design is recommended: none meets every requirement." in out.replace("\n  ", " ")


def test_own_catalogue_entries_replace_ours_by_id(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from tenancykit.catalogue.reading import OWN_ROOT

    ours = (OWN_ROOT / "references" / "RA01.yaml").read_text(encoding="utf-8")
    (tmp_path / "references").mkdir()
    (tmp_path / "references" / "own.yaml").write_text(
        ours.replace("id: RA01", "id: OWN1").replace("node_shared", "node_pool_class"), encoding="utf-8"
    )
    code, out, _ = run(capsys, "compare", "ml-platform", "--catalogue", str(tmp_path), "--json")
    assert code == 0
    own = next(d for d in json.loads(out)["designs"] if d["id"] == "OWN1")
    assert "node_pool_class" in own["classes"]["research"]["options"]


def test_a_fault_in_an_own_catalogue_names_its_file_and_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "options").mkdir()
    (tmp_path / "options" / "mine.yaml").write_text("id: mine\ndimension: runtim\nlayer: runtime\n", encoding="utf-8")
    code, _, err = run(capsys, "compare", "ml-platform", "--catalogue", str(tmp_path))
    assert code == 2
    assert f"{tmp_path}/options/mine.yaml:2: dimension: 'runtim' is unknown" in err
    assert "did you mean runtime?" in err


def test_check_reads_every_file_of_an_own_catalogue(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, text in {
        "tasks/work/mine.yaml": "id: mine\napplies_to: [nowhere]\n",
        "toil/activities/mine.yaml": "id: mine\nof: kubernetes\n",
        "prices/mine.yml": "id: mine\n",
        "evidence/mine.yaml": "entry: 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    code, _, err = run(capsys, "check", "saas-inference", "--catalogue", str(tmp_path))
    assert code == 2
    for name in ("tasks/work/mine.yaml", "toil/activities/mine.yaml", "prices/mine.yml", "evidence/mine.yaml"):
        assert f"error: {tmp_path / name}:1" in err


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ((), "{0}: holds nothing of a catalogue; allowed: accelerators, assets, barriers"),
        (("catalogue/options/mine.yaml",), "name {0}/catalogue"),
        (("option/mine.yaml",), "{0}: holds nothing of a catalogue"),
        (("rules/a.yaml", "option/mine.yaml"), "{0}/option: is no folder of a catalogue; did you mean options?"),
        (("toil/mine.yaml",), "{0}/toil/mine.yaml: stands where nothing reads it; allowed: toil/activities"),
    ],
)
def test_an_own_catalogue_that_nothing_would_read_is_refused_with_a_cure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, files: tuple[str, ...], told: str
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("entries: []\n", encoding="utf-8")
    code, _, err = run(capsys, "compare", "saas-inference", "--catalogue", str(tmp_path))
    assert code == 2
    assert told.format(tmp_path) in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check", "a" * 5000], "File name too long"),
        (["check", "folder"], "folder/scenario.yaml: no such file"),
        (["explain", "saas-inference", "--depth", "-1"], "--depth: is -1; allowed: 0 or more"),
        (["explore", "saas-inference", "--allow", "runtime="], "'runtime=' keeps no option"),
        (["lab", "--port", "99999"], "--port: is 99999; allowed: 1 to 65535"),
        (["lab", "--app", "--scenario", "nowhere"], "nowhere: no such file or example"),
    ],
)
def test_a_bad_argument_ends_with_code_2_and_its_place(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_a_variant_is_named_like_any_design(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "explain", "saas-inference", "ra01 +node_dedicated_tenant", "RA01")
    assert code == 0
    assert out.startswith("RA01+node_dedicated_tenant ")
    assert max(map(len, out.splitlines())) <= 100


def test_asking_for_the_best_design_where_none_is_admitted_ends_with_code_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from tenancykit.examples import example

    text = example("saas-inference").read_text(encoding="utf-8")
    file = tmp_path / "scenario.yaml"
    file.write_text(text.replace("requirements:\n  go_live", "requirements:\n  budget_per_month: 1\n  go_live"))
    code, _, err = run(capsys, "export", str(file), "--to", str(tmp_path / "out"))
    assert code == 1
    assert err.startswith("undecided: no design meets every requirement; nearest: ")
    assert not (tmp_path / "out").exists()


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_the_printed_result_is_one_line_and_code_2() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tenancykit", "catalogue", "prices"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "error: output: No space left on device\n")


def test_names_the_terminal_cannot_show_are_escaped_and_json_stays_json(tmp_path: Path) -> None:
    from tenancykit.examples import example

    text = example("saas-inference").read_text(encoding="utf-8")
    file = tmp_path / "scenario.yaml"
    file.write_text(
        text.replace("  classes:", "  named: [{name: 日本 🚀, class: basic}]\n  classes:"), encoding="utf-8"
    )
    command = [sys.executable, "-m", "tenancykit", "check", str(file)]
    shown = subprocess.run(command, capture_output=True, check=True, env=environment(PYTHONIOENCODING="ascii"))
    assert b"\\u65e5\\u672c \\U0001f680  ->  tenant-" in shown.stdout
    plain = subprocess.run(
        [*command, "--json"], capture_output=True, check=True, env=environment(PYTHONIOENCODING="ascii")
    )
    assert list(json.loads(plain.stdout)["kubernetes_names"]) == ["日本 🚀"]


def test_an_export_that_is_told_to_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    export = subprocess.Popen(
        [sys.executable, "-m", "tenancykit", "export", "saas-inference", "--to", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while export.poll() is None and not list(tmp_path.glob(".out.new-*/*")):
        time.sleep(0.002)
    export.terminate()
    _, err = export.communicate(timeout=60)
    if export.returncode != 0:  # it may have been done already
        assert (export.returncode, err) == (143, b"")
        assert [path.name for path in tmp_path.iterdir() if path.name != ".out.lock"] == []


def test_explaining_two_designs_says_from_how_many_tenants_on_their_order_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(capsys, "explain", "ml-platform", "RA06", "RA04")
    assert code == 0
    assert "The order changes with the number of tenants: from " in out
    assert "tenants on RA04 takes fewer hours of toil" in " ".join(out.split())
