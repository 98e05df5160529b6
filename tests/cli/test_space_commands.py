from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenancykit.cli import main
from tests.evidence import FLAW

NARROW = (
    "--allow", "control_plane=cp_namespace_rbac,cp_capsule,cp_managed_per_tenant",
    "--allow", "node_isolation=node_shared,node_pool_class,node_dedicated_tenant",
    "--allow", "runtime=rt_runc,rt_gvisor",
    "--allow", "network=net_np_default_deny",
    "--allow", "storage=st_shared_sc,st_sc_quota",
    "--allow", "gpu_sharing=gpu_exclusive,gpu_mig",
    "--allow", "scheduling_quota=sch_quota,sch_kueue",
    "--allow", "policy_admission=pol_psa,pol_vap",
    "--allow", "identity_gitops=id_oidc_rbac,id_argocd_projects",
    "--allow", "observability_chargeback=obs_opencost,obs_prom_shared",
)  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_explore_finds_designs_that_none_beats(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "explore", "ml-platform", *NARROW, "--json")
    data = json.loads(out)
    assert code == 0
    assert data["schema"] == "tenancykit/exploration/v1"
    assert (
        run(capsys, "explore", "ml-platform", *NARROW, "--json")[1].split('"seconds"')[0] == out.split('"seconds"')[0]
    )


@pytest.mark.parametrize(
    ("allow", "told"),
    [
        ("runtim=rt_runc", "did you mean runtime?"),
        ("runtime=rt_runk", "did you mean rt_runc?"),
        ("runtime", "runtime"),
    ],
)
def test_a_narrowing_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], allow: str, told: str) -> None:
    code, _, err = run(capsys, "explore", "ml-platform", "--allow", allow)
    assert code == 2
    assert told in err
    assert err.startswith("error: ")


def test_robust_says_what_would_overturn_the_first_place(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "robust", "regulated-hybrid", "--json")
    assert code == 0
    assert json.loads(out)["schema"] == "tenancykit/robustness/v1"


def test_a_decision_record_replays_to_the_same_figures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert main(["export", "regulated-hybrid", "--to", str(folder)]) == 0
    code, out, _ = run(capsys, "replay", str(folder))
    assert (code, "the same figures" in out) == (0, True)
    page = folder / "decision.html"
    page.write_text(page.read_text(encoding="utf-8").replace('"count": 8', '"count": 9'), encoding="utf-8")
    assert run(capsys, "replay", str(page))[0] == 1


def test_replay_needs_exactly_one_thing(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "replay")
    assert code == 2
    assert "needs one thing to replay" in err


def test_published_flaws_are_replayed_choice_by_choice(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "evidence.yaml"
    file.write_text(FLAW, encoding="utf-8")
    code, out, _ = run(capsys, "replay", "--evidence", str(file), "--json")
    rows = {row["choice"]: row for row in json.loads(out)["rows"]}
    assert code == 0
    assert rows["namespace-rbac"]["outcome"] == "crossed"
    assert "node root" in rows["namespace-rbac"]["path"]
    assert rows["dedicated-cluster"]["outcome"] == "contained"
    file.write_text(FLAW.replace("container-runtime/host", "no-such/boundary"), encoding="utf-8")
    code, _, err = run(capsys, "replay", "--evidence", str(file))
    assert code == 2
    assert "evidence.yaml:8" in err


def test_assumptions_are_listed_by_how_much_they_move_the_ranking(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "catalogue", "assumptions", "regulated-hybrid", "--json")
    entries = json.loads(out)["entries"]
    assert code == 0
    assert len(entries) > 50
    swings = [entry["swing"] for entry in entries]
    assert swings == sorted(swings, reverse=True)
    assert any(entry["assumption"].startswith("the work for ") and entry["id"] for entry in entries)
    assert any(entry["assumption"].startswith("the time it takes to ") for entry in entries)
    _, text, _ = run(capsys, "catalogue", "assumptions", "regulated-hybrid")
    table, _, rest = text.partition("\n\n")
    assert len(table.splitlines()) - 1 + int(rest.split(maxsplit=1)[0]) == len(entries)
    assert len(text.splitlines()) < len(entries)


def test_a_design_that_was_explored_is_exported_by_its_id_and_its_record_works_out_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    front, folder = tmp_path / "front.csv", tmp_path / "out"
    code, out, _ = run(capsys, "explore", "ml-platform", *NARROW, "--front", str(front))
    command = out.splitlines()[-1].split()
    assert (code, command[:3]) == (0, ["tenancykit", "export", "ml-platform"])
    code, out, _ = run(capsys, *command[1:-1], str(folder))
    assert (code, out.split(" ", 1)[0]) == (0, command[6])
    assert "X" not in out.split(":")[0].split(" ", 1)[1]
    assert run(capsys, "replay", str(folder))[0] == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "of an exploration, and its front is not named"),
        ("", "front.csv:1: has no column id, research"),
        ("id,research\nX00000000,rt_runc\n", "did you mean X00000000?"),
        ("id,research\nX00000001,rt_runk\n", "front.csv:2: design: unknown option 'rt_runk'"),
        ("id,research\nX00000001\n", "front.csv:2: 1 cells stand under 2 columns"),
        ('id,research\n"X00000001\n', "front.csv: is not CSV"),
    ],
)
def test_a_front_that_does_not_hold_the_design_is_told_by_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None, told: str
) -> None:
    front = tmp_path / "front.csv"
    if text is not None:
        front.write_text(text, encoding="utf-8")
    named = [] if text is None else ["--front", str(front)]
    code, _, err = run(capsys, "compare", "ml-platform", "--variant", "X00000001", *named)
    assert (code, told in err) == (2, True), err
