"""``tenancykit bill``: one total however it is divided, idle cost by resource, faults to expect."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kubeanswers.errors import InputError
from tenancykit import api
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import main
from tenancykit.criteria.cost.billing import IdlePolicy, SharePolicy
from tenancykit.design.validity import reference_design
from tenancykit.report.bills import bill_data, bill_lines
from tenancykit.study.evaluation import evaluate
from tests import studies


@pytest.mark.parametrize(
    ("idle", "shared"), [(i, s) for i in ("distributed", "apart") for s in ("proportional", "uniform")]
)
def test_the_bills_add_up_to_the_same_total_however_they_are_divided(idle: IdlePolicy, shared: SharePolicy) -> None:
    evaluation = studies.study("ml-platform")["RA02"]
    data = bill_data(evaluation, idle=idle, shared=shared)
    paid = sum(Decimal(amount) for lines in data["tenants"].values() for amount in lines.values())
    apart = Decimal(data["idle_apart"])
    assert paid + apart == Decimal(data["total"]) == evaluation.scores["cost"].detail.total
    assert (apart > 0) == (idle == "apart")


def test_idle_cost_by_resource_adds_up_to_idle_cost() -> None:
    data = bill_data(studies.study("ml-platform")["RA02"], idle="apart", shared="proportional")
    by_resource = sum(map(Decimal, data["idle_by_resource"].values()))
    assert abs(by_resource - Decimal(data["idle_apart"])) <= Decimal("0.05")


def test_faults_follow_the_size_of_the_fleet_by_published_rates() -> None:
    found = bill_data(studies.study("ml-platform")["RA02"], idle="apart", shared="uniform")["faults"]
    machines, gpus = found["gpu_machines"], found["gpus"]
    days = 730 / 24
    assert found["machine_failures_per_month"] == pytest.approx(
        [machines * rate * days / 1000 for rate in (2.34, 6.5, 6.5)], abs=0.01
    )
    assert found["interruptions_per_month_of_a_job_on_all"][1] == pytest.approx(gpus * 0.474 * days / 1000, abs=0.01)
    assert all(source.startswith("https://arxiv.org/") for source in found["sources"])


def test_the_command_shows_every_tenant_and_what_stands_idle(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bill", "saas-inference", "RA02", "--idle", "apart"]) == 0
    told = capsys.readouterr().out
    assert "idle and charged to nobody" in told
    assert "Faults to expect in a month on" in told
    assert main(["bill", "saas-inference", "RA02", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["idle_apart"] == "0.00"


def changed(**of_basic: float) -> str:
    """Return saas-inference with further fields of its first class, and with GPU machines bought as spot."""
    text = (Path(__file__).parents[2] / "examples" / "saas-inference" / "scenario.yaml").read_text(encoding="utf-8")
    text = text.replace("count: 60", "\n      ".join(["count: 60", *(f"{k}: {v}" for k, v in of_basic.items())]))
    return text.replace("aws_p4de_24xlarge}", "aws_p4de_24xlarge, term: spot}")


def bill_of(text: str) -> dict[str, Any]:
    scenario, catalogue = api.parse_scenario(text), load_catalogue()
    design = reference_design(catalogue.references["RA01"], scenario, catalogue)
    return bill_data(evaluate(design, scenario, catalogue), idle="distributed", shared="proportional")


def test_who_commits_pays_for_more_of_what_is_idle_and_the_total_stays() -> None:
    plain, committed = bill_of(changed()), bill_of(changed(committed_gpus=0.8))
    assert committed["total"] == plain["total"]
    pays = {name: sum(map(Decimal, lines.values())) for name, lines in committed["tenants"].items()}
    paid = {name: sum(map(Decimal, lines.values())) for name, lines in plain["tenants"].items()}
    assert pays["basic-01"] > paid["basic-01"]
    assert pays["premium-01"] < paid["premium-01"]
    assert committed["committed_beyond_what_is_idle"] == {}
    assert float(bill_of(changed(committed_gpus=50))["committed_beyond_what_is_idle"]["basic"]) > 2000


def test_spot_machines_are_told_with_their_interruptions() -> None:
    found = bill_of(changed())["spot"]
    machines = found["machines_on_average"]
    assert machines > 0
    assert found["interruptions_per_month"] == pytest.approx([0.05 * machines, 0.2 * machines, 2 * machines], abs=0.01)
    assert any(line.startswith("Spot: ") for line in bill_lines(bill_of(changed())))


def test_replicas_that_are_kept_are_paid_and_no_cold_start_is_told_of_them() -> None:
    text = changed()
    kept = text.replace("profile: diurnal", "profile: diurnal, least: 1")
    assert kept != text
    gone, stays = bill_of(text), bill_of(kept)
    assert gone["scaled_to_zero"]
    assert stays["scaled_to_zero"] == {}
    assert Decimal(stays["total"]) >= Decimal(gone["total"])


def test_more_kept_replicas_than_there_are_is_bad_input() -> None:
    text = changed().replace("profile: diurnal", "profile: diurnal, least: 99")
    with pytest.raises(InputError, match=r"demand\.least: keeps 99 replicas"):
        api.parse_scenario(text)
