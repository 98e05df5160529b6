"""The front over a product of classes is exact in its model, and starts the search for hybrids."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from kubeanswers.errors import UndecidedError
from tenancykit import example, load_catalogue, load_scenario
from tenancykit.decision.pareto import pareto_front
from tenancykit.study.exploration import explore
from tenancykit.study.hybrids import Savings, combined_front, groups_of, most_groups, only_class
from tenancykit.study.refining import Refiner
from tenancykit.study.searching import Search
from tenancykit.study.sweeping import Question, sweep_codes, sweeper_of

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
FEW = {
    "control_plane": ["cp_kamaji", "cp_vcluster_standalone", "fl_ocm"],
    "node_isolation": ["node_dedicated_tenant", "node_baremetal_tenant"],
    "runtime": ["rt_runc"],
    "network": ["net_np_default_deny", "net_cilium", "net_rdma_pkey"],
    "storage": ["st_sc_quota"],
    "gpu_sharing": ["gpu_exclusive"],
    "scheduling_quota": ["sch_kueue"],
    "policy_admission": ["pol_psa"],
    "identity_gitops": ["id_oidc_rbac"],
    "observability_chargeback": ["obs_opencost", "obs_prom_shared"],
}


def question(allowed: dict[str, list[str]] | None = None) -> Question:
    catalogue = load_catalogue()
    return Question.of(load_scenario(example("gpu-cloud"), catalogue), catalogue, allowed, per_class=True)  # type: ignore[arg-type]


def test_combining_classes_gives_the_front_of_every_pair() -> None:
    asked = question(FEW)
    found = combined_front(asked, 1000)
    whole = sweeper_of(asked)
    sides, members, keys = [], [], []
    for place, part in enumerate(whole.parts):
        alone = replace(asked, scenario=only_class(asked.scenario, place))
        columns = sweep_codes(alone, part.codes(np.arange(len(part))))
        least = Refiner(alone).bounded(columns).least
        sides.append(np.stack([columns.isolation, -columns.effort, -columns.operations, -least], axis=1))
        member, key = groups_of(part, columns.codes, most_groups(len(whole.parts)))
        members.append(member)
        keys.append(key)
    saved = Savings(whole, keys, asked)
    pairs = list(itertools.product(*(range(len(side)) for side in sides)))
    assert found.considered == len(pairs) > 100
    values = np.array([_joined(sides, members, saved, pair) for pair in pairs])
    front = values[pareto_front(values).members]
    assert _covers(found.values, front)
    assert _covers(front, found.values)


def _joined(sides: list[Floats], members: list[Ints], saved: Savings, pair: tuple[int, ...]) -> Floats:
    rows = [side[row] for side, row in zip(sides, pair, strict=True)]
    total = np.array([min(row[0] for row in rows), *(sum(row[i] for row in rows) for i in (1, 2, 3))])
    return total + saved(tuple(int(member[row]) for member, row in zip(members, pair, strict=True)))


def _covers(mine: Floats, theirs: Floats) -> bool:
    """Return whether each of theirs is matched or beaten by one of mine, rounding of sums apart."""
    return all((mine >= row - 1e-6).all(axis=1).any() for row in theirs)


def test_what_groups_have_in_common_is_what_building_both_saves() -> None:
    asked = question(FEW)
    whole = sweeper_of(asked)
    one, two = (part.codes(np.arange(1)) for part in whole.parts)
    together = sweep_codes(asked, np.concatenate([one, two], axis=1))
    alone = [
        sweep_codes(replace(asked, scenario=only_class(asked.scenario, place)), codes)
        for place, codes in enumerate((one, two))
    ]
    saved = Savings(whole, [one, two], asked)((0, 0))
    assert saved[1] == pytest.approx(float(sum(c.effort[0] for c in alone) - together.effort[0]))
    assert saved[2] == pytest.approx(float(sum(c.operations[0] for c in alone) - together.operations[0]))
    assert saved[1] > 0


def test_a_space_without_a_valid_design_says_for_whom_and_what_refuses() -> None:
    bare = question({**FEW, "observability_chargeback": []})
    with pytest.raises(UndecidedError, match=r"valid for class 'startups'; most are refused by: need chargeback"):
        combined_front(bare, 10)
    with pytest.raises(UndecidedError, match="no combination of options is valid; most"):
        _ = sweeper_of(replace(bare, per_class=False)).count


def test_a_search_over_hybrids_contains_the_front_of_uniform_designs_or_better() -> None:
    scenario, catalogue = load_scenario(example("gpu-cloud")), load_catalogue()
    uniform = explore(scenario, catalogue, allowed=FEW)
    hybrid = explore(scenario, catalogue, allowed=FEW, per_class=True, limit=uniform.space**2 // 2)
    assert not hybrid.exact
    assert any("combinations of designs of the classes" in caveat for caveat in hybrid.caveats)
    signs = np.array([1.0, -1.0, -1.0, -1.0])
    values = np.array([found.values for found in hybrid.front]) * signs
    covered = [
        (values >= np.array(u.values) * signs - 1e-6 * np.abs(u.values)).all(axis=1).any() for u in uniform.front
    ]
    assert sum(covered) >= 0.9 * len(covered)
    assert any(found.design.is_hybrid for found in hybrid.front)


def test_classes_measured_by_themselves_choose_from_the_lean_space() -> None:
    asked = question(
        {**FEW, "policy_admission": ["pol_psa", "pol_falco"], "identity_gitops": ["id_oidc_rbac", "id_eso"]}
    )
    search = Search(asked, load_catalogue(), 1_000, None, None, None, None, None)
    lean = search._lean()
    gone = {item.option for item in search.left_out}
    assert gone
    codes = combined_front(asked, 200, lean=lean).codes
    chosen = {name for code in codes for choice in search.sweeper.choices(code).values() for name in choice.options}
    assert chosen
    assert not chosen & gone
