"""The performance plane: what neighbours take, what wraps a workload, and the requirement on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kubeanswers.errors import CatalogueError, InputError
from kubeanswers.source import parse_yaml
from tenancykit.api import parse_scenario
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.isolation.exposure import exposure_draws
from tenancykit.criteria.isolation.sweep import sweep
from tenancykit.design.model import Design, choose
from tenancykit.scenario.model import Scenario
from tenancykit.study.requirements import hard_requirements
from tenancykit.validation import validate
from tests.criteria.isolation.platforms import CATALOGUE, SHARED, result, scenario, with_options, without
from tests.criteria.isolation.test_network import SCENARIO, drawn_designs

MACHINE = "{type: own, spec: {cpu: 64, memory: 512Gi, gpus: 8, gpu_model: H100-80GB, price_per_hour: 9}}"
TEXT = SCENARIO.replace("{type: any}", MACHINE)
"""The scenario of two classes with machines that are described."""

SLICED = with_options("gpu_timeslice")
PARTITIONED = with_options("gpu_mig")


def test_gpu_partitions_lose_less_to_neighbours_than_servers_and_slices() -> None:
    lost = [result(with_options(how)).days["all", "performance"] for how in ("gpu_mig", "gpu_mps", "gpu_timeslice")]
    assert lost[0] + 5 < lost[1] < lost[2]
    assert result(SLICED).slowdowns[0].resource == "gpu"


def test_own_nodes_and_own_storage_have_fewer_neighbours() -> None:
    shared, nodes, both = (
        result(o).days["all", "performance"]
        for o in (SHARED, with_options("node_dedicated_tenant"), with_options("node_dedicated_tenant", "st_dedicated"))
    )
    assert both < nodes < shared


def test_what_wraps_a_workload_slows_it_and_is_no_neighbour() -> None:
    plain, wrapped = result(SHARED), result(with_options("rt_gvisor"))
    assert wrapped.slowdowns[0].mean.likely > plain.slowdowns[0].mean.likely
    assert wrapped.days["all", "performance"] == pytest.approx(plain.days["all", "performance"])
    alone = result(with_options("rt_gvisor"), scenario(count=1))
    assert alone.slowdowns[0].mean.likely > 1
    assert alone.days["all", "performance"] == 0


def test_quotas_spare_neighbours() -> None:
    assert result(without("sch_quota")).days["all", "performance"] > result(SHARED).days["all", "performance"]


def test_days_lost_have_an_interval_that_their_draws_fill() -> None:
    found = result(SLICED)
    (performance,) = [e for e in found.exposure if e.plane == "performance"]
    drawn = exposure_draws(found, load_isolation(CATALOGUE))["all", "performance"]
    assert performance.low < performance.days < performance.high
    assert np.mean((drawn >= performance.low) & (drawn <= performance.high)) == pytest.approx(0.8, abs=0.03)
    assert 0 < performance.assumption_share < 1


def test_many_designs_at_once_lose_the_same_days() -> None:
    asked = validate(Scenario, parse_yaml(SCENARIO, "two"))
    designs = [*drawn_designs(6), Design("s", "", {n: choose(CATALOGUE, SLICED) for n in ("dev", "prod")})]
    swept = sweep(designs, asked, CATALOGUE)
    assert ("dev", "performance") in swept.days
    assert swept.days["dev", "performance"][-1] > 0


def test_the_most_a_tenant_may_be_slowed_down_is_a_requirement() -> None:
    text = TEXT.replace("{id: dev,", "{id: dev, requirements: {max_slowdown: 1.1},")
    found = {each.measure: each.limit for each in hard_requirements(parse_scenario(text))}
    assert found["slowdown:dev"] == 1.1


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("patch_days: {kernel: -1}", "patch_days"),
        ("patch_days: {kernel: .nan}", "patch_days"),
        ("patch_days: {kernels: 3}", "patch_days"),
    ],
)
def test_windows_that_cannot_be_are_refused_with_their_line(field: str, place: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_scenario(TEXT + field + "\n")
    assert "scenario:15: " in str(refused.value)
    assert place in str(refused.value)


def test_distrust_of_a_provider_who_is_oneself_is_refused() -> None:
    text = TEXT.replace("provider: aws", "provider: own").replace("  nodes:", "  provider_trust: distrusted\n  nodes:")
    with pytest.raises(InputError, match="provider_trust"):
        parse_scenario(text)


@pytest.mark.parametrize(
    ("folder", "text", "told"),
    [
        ("lapses", "id: x\nwhat: words\nchance: {low: 0.2, likely: 0.1, high: 0.3}\nwhy: words\n", "out of order"),
        ("lapses", "id: x\nwhat: words\nchance: {low: 0.2, likely: 0.3, high: 1.3}\nwhy: words\n", "between 0 and 1"),
        ("priors", "id: x\nflaws: 0\nyears: 1\nwindow: kernel\nwhy: words\n", "flaws"),
        ("windows", "id: x\nwhat: words\ndays: {low: -3, likely: 0.3, high: 1.3}\nwhy: words\n", "low"),
        ("upkeep", "id: x\nwhat: words\nwhen: always\nfactor: {low: 0, likely: 1, high: 2}\nwhy: words\n", "frequent"),
        (
            "interference",
            (
                "id: x\nresource: gpu\nwhen: always\nmean: {low: 0.5, likely: 1, high: 2}\n"
                "tail: {low: 1, likely: 1, high: 2}\nwhy: words\n"
            ),
            "faster than alone",
        ),
        ("barriers", "id: x\ntitle: words\nwhat: words\nkind: kernel\nwindow: kernels\n", "unknown window"),
        (
            "barriers",
            "id: x\ntitle: words\nwhat: words\nkind: kernel\nmisconfiguration: [{lapse: none-such}]\n",
            "unknown lapse",
        ),
    ],
)
def test_what_cannot_be_believed_is_refused_with_file_and_line(
    tmp_path: Path, folder: str, text: str, told: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "own.yaml").write_text(text)
    with pytest.raises(CatalogueError) as refused:
        load_isolation(load_catalogue(tmp_path))
    assert told in str(refused.value)
    assert f"{folder}/own.yaml:" in str(refused.value)
