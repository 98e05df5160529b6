from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from tenancykit.studio import Studio
from tenancykit.studio import explore_panel as module
from tenancykit.studio.session import Session
from tenancykit.study.exploration import Exploration, explore
from tests.studio.conftest import set_field
from tests.studio.test_studio import find, ranks, words

pytest.importorskip("ipywidgets")

NARROW = {
    "control_plane": ["cp_namespace_rbac"],
    "node_isolation": ["node_shared", "node_dedicated_tenant"],
    "runtime": ["rt_runc", "rt_gvisor"],
    "network": ["net_np_default_deny"],
    "storage": ["st_sc_quota"],
    "gpu_sharing": ["gpu_exclusive"],
    "scheduling_quota": ["sch_quota"],
    "policy_admission": ["pol_psa"],
    "identity_gitops": ["id_oidc_rbac"],
    "observability_chargeback": ["obs_opencost"],
}


@pytest.fixture
def narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tab search a small part of the space."""

    def small(*arguments: Any, **options: Any) -> Exploration:
        return explore(*arguments, allowed=NARROW, **options)

    monkeypatch.setattr(module, "explore", small)


@pytest.mark.usefixtures("narrowed")
def test_the_best_of_the_space_join_the_comparison(measured: tk.Study) -> None:
    studio = Studio(measured)
    studio.go("Explore")
    assert find(studio, "Button", "Compare the best 5").disabled
    find(studio, "Button", "Explore").click()
    assert "designs of the space are beaten by none" in words(studio)
    find(studio, "Button", "Compare the best 5").click()
    found = [e.id for e in studio.study.evaluations if e.resolved.design.origin == "explored"]
    assert 1 <= len(found) <= 5
    assert studio.study.scales.ends == measured.scales.ends
    assert ranks(studio)
    studio.session.undo()
    assert len(studio.study.evaluations) == len(measured.evaluations)


@pytest.mark.usefixtures("narrowed")
def test_a_search_runs_beside_the_page_and_is_told_when_the_scenario_changes(measured: tk.Study) -> None:
    async def visit() -> Studio:
        studio = Studio(measured)
        studio.go("Explore")
        panel = studio.panel("Explore")
        assert isinstance(panel, module.ExplorePanel)
        find(studio, "Button", "Explore").click()
        assert find(studio, "Button", "Explore").disabled
        find(studio, "FloatSlider", "Cost").value = 0.9
        assert panel._task is not None
        await panel._task
        return studio

    studio = asyncio.run(visit())
    assert not find(studio, "Button", "Explore").disabled
    assert "designs of the space are beaten by none" in words(studio)
    studio.do(lambda: set_field(studio.session, ("tenants", "classes", 0, "count"), 9))
    assert "explore again" in words(studio)
    assert find(studio, "Button", "Compare the best 5").disabled


def test_a_search_that_is_stopped_says_so(measured: tk.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio(measured)
    panel = studio.panel("Explore")
    assert isinstance(panel, module.ExplorePanel)

    def stopped(*arguments: Any, **options: Any) -> Exploration:
        panel._stop.set()
        return explore(*arguments, **options)

    monkeypatch.setattr(module, "explore", stopped)
    studio.go("Explore")
    find(studio, "Button", "Explore").click()
    assert "stopped before any design was measured" in studio._sidebar.status.value
    assert not find(studio, "Button", "Explore").disabled


def test_explored_designs_are_saved_with_the_session(measured: tk.Study, tmp_path: Path) -> None:
    session = Session(measured.scenario, study=measured)
    design = measured["RA01"].resolved.design
    mine = tk.own_design(
        "MINE", "My own", {c: choice.options for c, choice in design.choices.items()}, measured.scenario
    )
    assert session.add_designs([mine, measured["RA01"].resolved.design]) == ("MINE",)
    file = session.save(tmp_path / "s.json")
    other = Session(measured.scenario, study=measured)
    other.load(file)
    for criterion, score in other.study["MINE"].scores.items():
        assert score.value == measured["RA01"].scores[criterion].value


def test_a_design_for_other_classes_is_refused(session: Session) -> None:
    other = tk.load_scenario("ml-platform")
    with pytest.raises(tk.InputError, match="chooses nothing for team, guest"):
        session.add_designs([tk.variant("RA01 +node_dedicated_tenant", other)])
