"""An exploration shows its size, its front and what the front rests on; the command line offers the same."""

from __future__ import annotations

import argparse
import json
from functools import cache
from pathlib import Path

import pytest

from kubeanswers.errors import InputError
from tenancykit import example, load_catalogue, load_scenario
from tenancykit.cli import exploring
from tenancykit.design.families import families
from tenancykit.design.validity import resolve
from tenancykit.drawing import html_of, text_of
from tenancykit.report.exploring import exploration_payload, front_csv, told_apart
from tenancykit.study.exploration import Exploration, Found, explore
from tenancykit.study.handful import handful

FEW = {
    "control_plane": ["cp_kamaji", "cp_vcluster_standalone"],
    "node_isolation": ["node_dedicated_tenant"],
    "runtime": ["rt_runc"],
    "network": ["net_np_default_deny", "net_rdma_pkey"],
    "storage": ["st_sc_quota"],
    "gpu_sharing": ["gpu_exclusive", "gpu_mig"],
    "scheduling_quota": ["sch_kueue"],
    "policy_admission": ["pol_psa"],
    "identity_gitops": ["id_oidc_rbac"],
    "observability_chargeback": ["obs_opencost"],
}


@cache
def found() -> Exploration:
    return explore(load_scenario(example("gpu-cloud")), load_catalogue(), allowed=FEW)


def options(**given: object) -> argparse.Namespace:
    allowed = [f"{dimension}={','.join(names)}" for dimension, names in FEW.items()]
    settings: dict[str, object] = {
        "catalogue": [],
        "scenario": str(example("gpu-cloud")),
        "allow": allowed,
        "limit": 10_000,
        "bills": 5_000,
        "per_class": False,
        "workers": 1,
        "save": None,
        "resume": None,
        "prove": False,
        "front": None,
        "force": False,
        "json": True,
        "variant": [],
        "as_published": False,
        "calibration": None,
    }
    return argparse.Namespace(**{**settings, **given})


def test_text_and_page_name_the_size_the_front_and_the_proof() -> None:
    text, page = text_of(found()), html_of(found())
    for shown in (text, page):
        assert f"{found().space:,}" in shown
        assert "The front is exact." in shown
        assert all(one.id in shown for one, _ in told_apart(found().admitted or found().front))
    assert text.count("days a year open to another tenant: ") == len(handful(found()))
    assert "nines" not in text.split("Worth a look")[1].split("beaten by none")[0]
    assert "days a year open to another tenant: " in page
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_designs_that_hardly_differ_are_shown_as_one() -> None:
    one = found().front[0]
    near = Found("X2", one.choices, tuple(value * (1 + 1e-9) for value in one.values), admitted=True)
    far = Found("X3", one.choices, tuple(value * 2 for value in one.values), admitted=True)
    assert [(kept.id, count) for kept, count in told_apart([one, near, far])] == [(one.id, 2), ("X3", 1)]


def test_the_command_prints_what_the_library_finds(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert exploring.explore(options(save=str(tmp_path / "sweep.npz"))) == 0
    printed = json.loads(capsys.readouterr().out)
    expected = exploration_payload(found())
    assert printed["valid"] == expected["valid"]
    assert [one["id"] for one in printed["front"]] == [one["id"] for one in expected["front"]]
    assert (tmp_path / "sweep.npz").exists()
    assert exploring.explore(options(json=False, resume=str(tmp_path / "sweep.npz"))) == 0
    assert "beaten by none" in capsys.readouterr().out
    with pytest.raises(InputError, match="dimension=option"):
        exploring.explore(options(allow=["runtime"]))
    with pytest.raises(InputError, match="1 or more"):
        exploring.explore(options(workers=0))


def test_the_command_says_what_would_change_the_first_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert exploring.robust(options(json=False)) == 0
    assert "What would change the first place" in capsys.readouterr().out


def test_the_handful_has_a_role_each_and_no_two_of_one_family() -> None:
    chosen = handful(found())
    assert [role for one in chosen for role in one.roles if role == "first"] == ["first"]
    assert sorted(role for one in chosen for role in one.roles) == [
        "cheapest", "first", "most robust", "safest within budget", "simplest"]  # fmt: skip
    resolved = [resolve(one.found.design, found().scenario, found().catalogue) for one in chosen]
    assert len(families(resolved)) == len(chosen)
    assert all(one.found.admitted and one.name for one in chosen)
    cheapest = next(one for one in chosen if "cheapest" in one.roles)
    families_cheapest = min(each["cost"] for each in found().admitted)
    assert cheapest.found["cost"] <= families_cheapest * 1.05


def test_the_whole_front_is_a_file_with_a_row_a_design() -> None:
    rows = front_csv(found()).splitlines()
    ids = {one.id for one in (*found().admitted, *found().front)}
    assert rows[0].startswith("id,admitted,isolation,effort,operations,cost,")
    assert {row.split(",")[0] for row in rows[1:]} == ids
