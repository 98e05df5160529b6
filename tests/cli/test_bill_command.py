"""``tenancykit bill``: one total however it is divided, idle cost by resource, faults to expect."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tenancykit.cli import main
from tenancykit.criteria.cost.billing import IdlePolicy, SharePolicy
from tenancykit.report.bills import bill_data
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
