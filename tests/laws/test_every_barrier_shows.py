"""Law 3: what sandboxes, partitions, own nodes, own storage and admission policies do shows in the ranked figure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

import tenancykit as tk
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.isolation.exposure import plane_nines
from tenancykit.criteria.isolation.measure import assess
from tenancykit.design.model import Design, choose
from tenancykit.design.validity import resolve
from tenancykit.examples import EXAMPLES
from tenancykit.report.opening import opening
from tenancykit.scenario.model import Scenario
from tenancykit.study.scales import ScaleSet, scales_of
from tests.criteria.isolation.platforms import CATALOGUE, SHARED, with_options, without
from tests.studies import study

BASE = (*SHARED, "pol_vap")
OWN_CLUSTER = with_options("cp_managed_per_tenant", "node_dedicated_tenant", "st_dedicated", base=BASE)


@cache
def example(name: str) -> tuple[Scenario, ScaleSet]:
    scenario = tk.load_scenario(name)
    design = Design("x", "", {c.id: choose(CATALOGUE, BASE) for c in scenario.tenants.classes})
    planes = assess(resolve(design, scenario, CATALOGUE), load_isolation(CATALOGUE)).planes
    return scenario, scales_of(scenario, CATALOGUE, [(str(c), str(p)) for c, mine in planes.items() for p in mine])


def value(name: str, options: tuple[str, ...] | Mapping[str, tuple[str, ...]], *, admission: str = "enforce") -> float:
    """Return the value of isolation as it is ranked."""
    scenario, scales = example(name)
    asked = scenario.model_copy(update={"team": scenario.team.model_copy(update={"admission": admission})})
    by_class = options if isinstance(options, Mapping) else {c.id: options for c in asked.tenants.classes}
    design = Design("x", "", {c: choose(CATALOGUE, chosen) for c, chosen in by_class.items()})
    model = load_isolation(CATALOGUE)
    days = assess(resolve(design, asked, CATALOGUE), model, believed=Beliefs.of(asked)).days
    nines = [plane_nines(days.get(key, 0.0), key[1], model) for key in scales.keys]  # type: ignore[arg-type]
    figures = np.array([*([0.0] * (len(scales.tree.leaves) - len(nines))), *nines])
    return float(scales.tree.node_values(figures)[scales.tree.criteria.index("isolation")])


GAINS = {
    "rt_gvisor": 0.03,
    "rt_kata": 0.08,
    "rt_userns": 0.002,
    "node_dedicated_tenant": 0.25,
    "st_dedicated": 0.01,
    "net_cilium": 1e-4,
}
"""What an option adds at least to the value of isolation (0 to 1) on a hardened shared cluster, in every example."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_sandboxes_own_nodes_and_own_storage_raise_the_ranked_isolation(name: str) -> None:
    before = value(name, BASE)
    gained = {option: value(name, with_options(option, base=BASE)) - before for option in GAINS}
    assert all(gained[option] >= least for option, least in GAINS.items()), gained
    assert gained["rt_kata"] > gained["rt_gvisor"] > gained["rt_userns"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_partitions_beat_time_slices_and_policies_that_refuse_beat_those_that_report(name: str) -> None:
    before = value(name, BASE)
    sliced, partitioned = (value(name, with_options(o, base=BASE)) for o in ("gpu_timeslice", "gpu_mig"))
    assert partitioned - sliced >= 0.005
    assert before - value(name, without("pol_vap", base=BASE)) >= 0.003
    assert before - value(name, BASE, admission="audit") >= 0.02


@pytest.mark.parametrize("name", [name for name in EXAMPLES if len(tk.load_scenario(name).tenants.classes) > 1])
def test_a_pool_per_class_shows_although_tenants_of_one_class_stay_together(name: str) -> None:
    assert value(name, with_options("node_pool_class", base=BASE)) - value(name, BASE) >= 0.005


def test_the_few_who_are_separated_are_seen_and_so_is_what_the_others_lack() -> None:
    name = "saas-inference"
    classes = [c.id for c in example(name)[0].tenants.classes]
    shared, everybody = value(name, BASE), value(name, OWN_CLUSTER)
    few = value(name, {c: OWN_CLUSTER if c == "regulated" else BASE for c in classes})
    assert shared + 0.05 < few < everybody - 0.05


@pytest.mark.parametrize(
    ("example", "variation", "said"),
    [
        (
            "ml-platform",
            "RA06 +id_eso",
            "With External Secrets with a store per tenant, .* lies open longer: .*acts on",
        ),
        ("ml-platform", "RA01 +id_impersonation", "With Impersonating proxy.* in place of OIDC .* lies open longer: "),
        ("saas-inference", "RA01 +gpu_kai_fraction", "With KAI Scheduler fractions in place of MIG .* times as long"),
        ("saas-inference", "RA01 +rt_gvisor", ""),
    ],
)
def test_what_an_option_opens_is_said_where_it_is_added(example: str, variation: str, said: str) -> None:
    """Options that are no barrier lower the ranked figure: one more target, or more that is shared; nothing said so."""
    found = study(example, variation)
    identifier = variation.replace(" ", "")
    safer = found.value_of(identifier, "isolation") > found.value_of(identifier[:4], "isolation")
    (told,) = [text for text in opening(found).details if "lies open longer" in text] or [""]
    assert safer == (not said)
    assert re.fullmatch(f"({said}).*" if said else "", told)
