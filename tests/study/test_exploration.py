"""Exploring gives the exact front of the space it measures, says what it did not measure, and can stop and go on."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from kubeanswers.errors import InputError, OutputError, UndecidedError
from tenancykit import example, load_catalogue, load_scenario
from tenancykit.criteria.cost.sweep import CostSweep
from tenancykit.criteria.isolation.relaxed import highest_isolation
from tenancykit.criteria.isolation.windows import sweep_windows
from tenancykit.criterion_names import CRITERIA
from tenancykit.decision.pareto import pareto_front
from tenancykit.design.batch import batch_of
from tenancykit.design.model import Design
from tenancykit.design.needs import without_needs
from tenancykit.design.space import common_space, space
from tenancykit.report.exploring import exploration_payload, exploration_text, told_apart
from tenancykit.scenario.model import Scenario
from tenancykit.study.comparison import study_of
from tenancykit.study.evaluation import Evaluation, evaluate
from tenancykit.study.exploration import Exploration, Found, explore
from tenancykit.study.sweeping import Question, sweeper_of
from tests.studies import sampled

SIGNS = np.array([1.0, -1.0, -1.0, -1.0])
NARROW: dict[str, list[str]] = {
    "control_plane": ["cp_capsule", "cp_vcluster_shared", "cp_kamaji", "cp_vcluster_standalone"],
    "node_isolation": ["node_shared", "node_dedicated_tenant"],
    "runtime": ["rt_runc", "rt_gvisor"],
    "network": ["net_np_default_deny", "net_cilium", "net_rdma_pkey"],
    "storage": ["st_sc_quota"],
    "gpu_sharing": ["gpu_exclusive", "gpu_mig"],
    "scheduling_quota": ["sch_kueue"],
    "policy_admission": ["pol_psa"],
    "identity_gitops": ["id_oidc_rbac"],
    "observability_chargeback": [],
}
TINY = {**NARROW, "gpu_sharing": ["gpu_exclusive"], "scheduling_quota": [], "observability_chargeback": []}
EXAMPLES = ("gpu-cloud", "ml-platform", "regulated-hybrid", "saas-inference")


def loaded(name: str) -> Scenario:
    """Return an example that asks for nothing but valid designs, so that spaces can be measured one by one."""
    return without_needs(load_scenario(example(name)), load_catalogue())


def by_options(found: tuple[Found, ...]) -> dict[tuple[tuple[str, ...], ...], tuple[float, ...]]:
    return {tuple(choice.options for choice in one.choices.values()): one.values for one in found}


def brute_force(
    scenario: Scenario, evaluations: list[Evaluation]
) -> tuple[dict[tuple[tuple[str, ...], ...], tuple[float, ...]], set[tuple[tuple[str, ...], ...]]]:
    """Return the front of evaluated designs with its values, and the front of those that meet every requirement."""
    values = np.array([[e.scores[name].value for name in CRITERIA] for e in evaluations])
    front = pareto_front(values * SIGNS).members
    keys = [tuple(c.options for c in e.resolved.design.choices.values()) for e in evaluations]
    study = study_of(scenario, load_catalogue(), evaluations)
    passed = [row for row, e in enumerate(evaluations) if study.rank(e.id) is not None]
    members = pareto_front(values[passed] * SIGNS).members if passed else ()
    return {keys[row]: tuple(values[row]) for row in front}, {keys[passed[row]] for row in members}


def agrees(found: Exploration, scenario: Scenario, designs: list[Design]) -> None:
    catalogue = load_catalogue()
    front, admitted = brute_force(scenario, [evaluate(design, scenario, catalogue) for design in designs])
    assert found.exact
    assert found.space == found.evaluated == len(designs)
    mine = by_options(found.front)
    assert mine.keys() == front.keys()
    for key, values in front.items():
        assert mine[key] == pytest.approx(values, rel=1e-8)
    assert by_options(found.admitted).keys() == admitted


@pytest.mark.parametrize("name", sampled(EXAMPLES, ("gpu-cloud", "ml-platform")))
def test_the_front_is_that_of_evaluating_every_design(name: str) -> None:
    scenario, catalogue = loaded(name), load_catalogue()
    found = explore(scenario, catalogue, allowed=NARROW)
    choices = list(common_space(scenario, catalogue, allowed=NARROW))  # type: ignore[arg-type]
    classes = [c.id for c in scenario.tenants.classes]
    agrees(found, scenario, [Design(f"d{i}", "", dict.fromkeys(classes, c)) for i, c in enumerate(choices)])
    assert found.billed < found.evaluated


def test_the_front_of_hybrids_is_that_of_evaluating_every_pair() -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    few = {**TINY, "runtime": ["rt_runc"], "network": ["net_np_default_deny", "net_cilium", "net_rdma_pkey"]}
    found = explore(scenario, catalogue, allowed=few, per_class=True)
    first, second = (list(space(c, scenario, catalogue, allowed=few)) for c in scenario.tenants.classes)  # type: ignore[arg-type]
    ids = [c.id for c in scenario.tenants.classes]
    pairs = [dict(zip(ids, (one, two), strict=True)) for one in first for two in second]
    assert len(pairs) > 50
    agrees(found, scenario, [Design(f"d{i}", "", choices) for i, choices in enumerate(pairs)])


def test_a_space_beyond_the_budget_is_searched_and_says_so() -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    wide = {**NARROW, "runtime": ["rt_runc", "rt_kata", "rt_userns"], "policy_admission": ["pol_psa", "pol_vap"]}
    whole = explore(scenario, catalogue, allowed=wide)
    found = explore(scenario, catalogue, allowed=wide, limit=whole.space * 2 // 3)
    assert whole.exact
    assert not found.exact
    assert found.evaluated <= whole.space * 2 // 3
    assert any("Better designs may exist" in caveat for caveat in found.caveats)
    assert len(by_options(found.front).keys() & by_options(whole.front).keys()) > len(whole.front) * 0.8


@pytest.mark.parametrize("name", ["gpu-cloud", "saas-inference"])
def test_branch_and_bound_proves_the_front_of_a_space_beyond_the_budget(name: str) -> None:
    scenario, catalogue = loaded(name), load_catalogue()
    wide = {
        **NARROW,
        "policy_admission": ["pol_psa", "pol_vap"],
        "identity_gitops": ["id_oidc_rbac", "id_flux_lockdown"],
    }
    whole = explore(scenario, catalogue, allowed=wide)
    found = explore(scenario, catalogue, allowed=wide, limit=whole.space // 8, prove=True)
    assert whole.exact
    assert whole.within == 0
    assert found.within is not None
    assert found.within < 1e-4
    assert found.evaluated < whole.space
    assert by_options(found.front) == by_options(whole.front)
    assert by_options(found.admitted) == by_options(whole.admitted)
    assert any("proven by branch and bound" in caveat for caveat in found.caveats)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_design_is_more_isolated_than_its_undecided_layers_allow(name: str) -> None:
    scenario, catalogue = loaded(name), load_catalogue()
    sweeper = sweeper_of(Question.of(scenario, catalogue))
    codes = sweeper.codes(np.linspace(0, sweeper.count - 1, 400).astype(np.int64))
    days = np.full(len(codes), 6.0)
    exact = sweep_windows(sweeper.batch(codes), days).figure
    columns = [column if None in column else (*column, None) for column in sweeper.columns]
    rng = np.random.default_rng(4)
    for _ in range(3):
        open_ = [place for place in range(len(columns)) if rng.random() < 0.4]
        partial = codes.copy()
        for place in open_:
            partial[:, place] = columns[place].index(None)
        names = frozenset(n for p in open_ for o in columns[p] if o is not None for n in (o.id, *o.provides))
        batch = batch_of(scenario, catalogue, [columns], [partial])
        assert (highest_isolation(batch, days, names) >= exact - 1e-9).all()


def test_no_member_of_the_front_dominates_another_and_every_reference_is_beaten_or_matched() -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    found = explore(scenario, catalogue, limit=1_000)
    values = np.array([one.values for one in found.front]) * SIGNS
    assert len(pareto_front(values)) == len(values)
    study = found.compared(2)
    for evaluation in study.evaluations:
        own = np.array([evaluation.scores[name].value for name in CRITERIA]) * SIGNS
        if evaluation.resolved.is_valid and not evaluation.resolved.design.is_hybrid:
            assert (values >= own - 1e-6 * np.abs(own)).all(axis=1).any()
    best = study.best
    assert found[best.id].values == pytest.approx([best.scores[name].value for name in CRITERIA], rel=1e-8)
    assert "not proven" in exploration_text(found)
    assert exploration_payload(found)["exact"] is False
    assert sum(count for _, count in told_apart(found.front)) == len(found.front)


def test_a_stopped_sweep_keeps_what_is_done_and_goes_on_from_the_file(tmp_path: Path) -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    whole = explore(scenario, catalogue, allowed=NARROW)
    stop, file = threading.Event(), tmp_path / "sweep.npz"
    question = Question.of(scenario, catalogue, NARROW)  # type: ignore[arg-type]
    half = sweeper_of(question).count // 2
    first = explore(scenario, catalogue, allowed=NARROW, limit=half, save=file)
    assert 0 < first.evaluated <= half
    seen: list[tuple[int, int, str]] = []
    again = explore(
        scenario, catalogue, allowed=NARROW, resume=file, save=file, progress=lambda *told: seen.append(told)
    )
    assert again.exact
    assert by_options(again.front) == by_options(whole.front)
    measured = [one for one in seen if "left" in one[2]]
    assert measured[-1][0] == measured[-1][1] == whole.space
    stop.set()
    stopped = explore(scenario, catalogue, allowed=NARROW, resume=file, stop=stop)
    assert stopped.stopped
    assert not stopped.exact
    assert stopped.evaluated == whole.space


def test_pricing_which_takes_longest_tells_how_far_it_is() -> None:
    seen: list[tuple[int, int, str]] = []
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    explore(scenario, catalogue, allowed=NARROW, progress=lambda *told: seen.append(told))
    priced = [one for one in seen if "priced" in one[2]]
    assert any(done < total for done, total, _ in priced)
    assert all(0 < done <= total for done, total, _ in priced)


def test_control_c_keeps_what_is_done() -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()

    def interrupt(done: int, total: int, _name: str) -> None:
        assert done <= total
        raise KeyboardInterrupt

    found = explore(scenario, catalogue, allowed=NARROW, progress=interrupt)
    assert found.stopped
    assert found.evaluated > 0
    assert any("stopped early" in caveat for caveat in found.caveats)


def test_a_sweep_of_another_version_scenario_or_narrowing_is_refused(tmp_path: Path) -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    file = tmp_path / "sweep.npz"
    explore(scenario, catalogue, allowed=TINY, save=file)
    with pytest.raises(InputError, match="another scenario, catalogue or narrowing"):
        explore(scenario, catalogue, allowed=NARROW, resume=file)
    arrays = dict(np.load(file))
    header = arrays["header"].tobytes().replace(b"sweep/v1", b"sweep/v0")
    np.savez(tmp_path / "old.npz", **{**arrays, "header": np.frombuffer(header, dtype=np.uint8)})
    with pytest.raises(InputError, match="another format"):
        explore(scenario, catalogue, allowed=TINY, resume=tmp_path / "old.npz")
    (tmp_path / "text.npz").write_text("no sweep")
    with pytest.raises(InputError, match="is not a sweep of this version"):
        explore(scenario, catalogue, allowed=TINY, resume=tmp_path / "text.npz")
    with pytest.raises(InputError, match="no such file"):
        explore(scenario, catalogue, allowed=TINY, resume=tmp_path / "none.npz")


def test_bad_narrowing_names_every_fault() -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    with pytest.raises(InputError) as error:
        explore(scenario, catalogue, allowed={"runtimes": ["rt_runc"], "runtime": ["rt_gvizor"]})
    assert "unknown dimension 'runtimes'" in str(error.value)
    assert "did you mean rt_gvisor?" in str(error.value)
    with pytest.raises(InputError, match="positive"):
        explore(scenario, catalogue, limit=0)
    with pytest.raises(UndecidedError, match="refused by"):
        explore(scenario, catalogue, allowed={"control_plane": ["cp_capsule"]})


def test_a_bound_that_a_bill_refutes_is_lowered_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    whole = explore(scenario, catalogue, allowed=NARROW)
    honest = CostSweep.bound
    monkeypatch.setattr(CostSweep, "bound", lambda self, design, *, bare=False: honest(self, design, bare=bare) * 1.02)
    found = explore(scenario, catalogue, allowed=NARROW)
    assert not found.exact
    assert any("cost less than the bound" in caveat for caveat in found.caveats)
    assert by_options(found.front) == by_options(whole.front)


def rewritten(file: Path, **arrays: object) -> Path:
    other = file.with_name("other.npz")
    np.savez(other, **{**dict(np.load(file)), **arrays})
    return other


def test_a_sweep_is_believed_in_nothing(tmp_path: Path) -> None:
    scenario, catalogue = loaded("gpu-cloud"), load_catalogue()
    file = tmp_path / "sweep.npz"
    explore(scenario, catalogue, allowed=TINY, save=file)
    read = dict(np.load(file))
    codes, bills = read["codes"], read["bills"]
    damaged = {
        "type": rewritten(file, codes=codes.astype(np.float64)).read_bytes(),
        "shape": rewritten(file, codes=codes[:1]).read_bytes(),
        "no shape": rewritten(file, effort=np.float64(1)).read_bytes(),
        "width": rewritten(file, codes=codes[:, :3]).read_bytes(),
        "no design": rewritten(file, codes=np.full_like(codes, 255)).read_bytes(),
        "not a number": rewritten(file, cost=np.nan, people=np.full(len(codes), np.nan)).read_bytes(),
        "figures": rewritten(file, effort=read["effort"] * 2).read_bytes(),
        "bills": rewritten(file, bills=bills * 0.5).read_bytes(),
        "billed": rewritten(file, billed=np.zeros(3)).read_bytes(),
        "objects": rewritten(file, header=np.array([{"a": 1}], dtype=object)).read_bytes(),
        "header": rewritten(file, header=np.frombuffer(b"[1, 2]", dtype=np.uint8)).read_bytes(),
        "cut": file.read_bytes()[:-200],
        "long": file.read_bytes().replace(b"'shape': (%d," % len(codes), b"'shape': (9,", 1),
    }
    np.savez_compressed(tmp_path / "packed.npz", **read)
    damaged["packed"] = (tmp_path / "packed.npz").read_bytes()
    for content in damaged.values():
        other = tmp_path / "other.npz"
        other.write_bytes(content)
        with pytest.raises(InputError, match="is not a sweep of this version"):
            explore(scenario, catalogue, allowed=TINY, resume=other)


def test_a_sweep_is_not_saved_over_somebody_elses_file(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(OutputError, match="was not written by this command"):
        explore(loaded("gpu-cloud"), load_catalogue(), allowed=TINY, save=file)
    assert file.read_text() == "mine"


def test_a_front_that_takes_more_bills_than_there_may_be_says_what_was_not_priced() -> None:
    scenario, catalogue = loaded("ml-platform"), load_catalogue()
    whole = explore(scenario, catalogue, allowed=NARROW)
    found = explore(scenario, catalogue, allowed=NARROW, bills=10)
    assert whole.exact
    assert not found.exact
    assert found.within is None
    assert found.billed < whole.billed
    assert any("may be on the front" in caveat and "(--bills)" in caveat for caveat in found.caveats)
    assert "not proven" in exploration_text(found)
    priced, exact = by_options(found.front), by_options(whole.front)
    assert priced
    for key in priced.keys() & exact.keys():
        assert priced[key] == pytest.approx(exact[key], rel=1e-9)
    assert found.merits_if({})[found.leading[0].id] == pytest.approx(whole.merits_if({})[whole.leading[0].id], abs=1e-9)
    with pytest.raises(InputError, match="bills is 0"):
        explore(scenario, catalogue, bills=0)
