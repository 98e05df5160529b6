"""Law 5: a fleet is what it is; what it does not hold is said in machines, or bought and priced."""

from __future__ import annotations

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.cost.fleet import demand_beyond_fleet
from tenancykit.study.comparison import Study
from tests.laws.small import teams

POOL = ["RA01"]


def compared(**how: object) -> Study:
    return tk.compare(teams(**how), as_published=True)  # type: ignore[arg-type]


def test_two_gpu_nodes_instead_of_twelve_are_missed_by_ten() -> None:
    # 32 training GPUs and 16 notebooks, a whole card each in the bare design: 48 GPUs on nodes of four.
    enough, two = compared(fleet="mode: fixed", gpu_nodes=12), compared(fleet="mode: fixed", gpu_nodes=2)
    assert enough.rank("RA01") is not None
    assert two.rank("RA01") is None
    assert "misses the fleet by 10 GPU nodes" in two.exclusions("RA01")


def test_one_node_short_is_told_in_the_singular() -> None:
    assert "misses the fleet by 1 GPU node" in compared(fleet="mode: fixed", gpu_nodes=11).exclusions("RA01")


def test_what_may_be_bought_is_admitted_priced_and_told() -> None:
    refused = compared(fleet="mode: fixed", gpu_nodes=2)
    allowed = compared(fleet="{mode: fixed, buying: allowed}".strip("{}").replace(", ", "\n  "), gpu_nodes=2)
    fleet = allowed["RA01"].scores["cost"].figures["fleet"]
    assert refused.rank("RA01") is None
    assert allowed.rank("RA01") is not None
    assert fleet["missing"] == {"gpus": 10}
    assert fleet["purchase_per_month"] == pytest.approx(10 * 8.0 * 730, rel=1e-6)


def test_control_planes_and_hubs_are_held_against_the_fleet() -> None:
    study = compared(fleet="mode: fixed", gpu_nodes=40)
    housing = study["RA10"].scores["cost"].detail.housing
    assert (
        sum(housing.hosts.values()) + housing.missing_hosts == study["RA10"].scores["cost"].detail.layout.host_machines
    )
    assert sum(housing.hosts.values()) > 0


def test_a_machine_is_charged_once() -> None:
    study = compared(fleet="mode: fixed", gpu_nodes=12)
    statement = study["RA01"].scores["cost"].detail
    nodes = [c for c in statement.charges if c.label.startswith(("12 x gpus", "60 x plain"))]
    assert len(nodes) == 2
    assert not any("to buy" in c.label for c in statement.charges)
    assert statement.bill().total == statement.total


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"fleet": "mode: elastic\n  buying: allowed"}, "mode: fixed"),
        ({"bare": ", bare_metal: true", "hosting": "virtualised: true"}, "virtualised"),
        ({"bare": ", bare_metal: false", "hosting": "virtualised: false"}, "drop one of the two"),
    ],
)
def test_contradictions_are_faults(how: dict[str, str], told: str) -> None:
    with pytest.raises(InputError) as error:
        teams(**how)  # type: ignore[arg-type]
    assert any(told in str(fault) for fault in error.value.faults)


@pytest.mark.parametrize(
    ("bare", "virtual"), [(", bare_metal: true", False), (", bare_metal: false", True), ("", False)]
)
def test_whether_nodes_are_virtual_machines_follows_from_them(bare: str, virtual: bool) -> None:
    assert teams(bare=bare).infrastructure.virtualised is virtual


def test_rented_machines_are_virtual_unless_the_price_book_knows_better() -> None:
    assert tk.parse_scenario(tk.example("saas-inference").read_text("utf-8")).infrastructure.virtualised


def test_demand_beyond_the_fleet_is_said_before_anything_is_compared() -> None:
    catalogue = load_catalogue()
    assert demand_beyond_fleet(teams(fleet="mode: fixed", gpu_nodes=2), catalogue)
    assert not demand_beyond_fleet(teams(fleet="mode: fixed", gpu_nodes=12), catalogue)
    assert not demand_beyond_fleet(teams(gpu_nodes=2), catalogue)


def test_the_interval_of_a_cost_holds_what_is_still_to_be_bought() -> None:
    """Ninety machines were to be bought for 1,650,000 a month, and the bill was 1,770,000 to 1,770,000."""
    bought = compared(fleet="mode: fixed\n  buying: allowed", gpu_nodes=2)
    best = bought.best.scores["cost"]
    money = best.figures["fleet"]["purchase_per_month"]
    assert money > 0
    assert best.high - best.value >= 0.09 * money
    assert best.value - best.low >= 0.05 * money
    assert best.low >= best.value - 1.1 * money, "never fewer machines than none"
