"""Designs are completed with what a scenario requires or must have, where their layers hold it."""

from __future__ import annotations

import pytest
import yaml

import tenancykit as tk
from tenancykit.report.opening import opening
from tenancykit.study.completion import completed
from tests.exam.marking import CASES, changed


def asked(name: str, **values: object) -> tk.Scenario:
    """Return a scenario of an exam, changed at dotted paths (``__`` for a dot)."""
    scenario = yaml.safe_load(CASES[name].read_text())["scenario"]
    return tk.parse_scenario(yaml.safe_dump(changed(scenario, {k.replace("__", "."): v for k, v in values.items()})))


def answer(name: str, **values: object) -> tk.Study:
    """Return the comparison of a scenario of an exam, changed at dotted paths (``__`` for a dot)."""
    return tk.compare(asked(name, **values))


def test_an_option_that_a_class_requires_completes_designs_that_have_room_for_it() -> None:
    study = answer("slurm-groups", tenants__classes__0__requirements={"require_options": ["sch_slinky"]})
    chosen = study.best.resolved.classes[0].choice
    assert "sch_slinky" in chosen.options
    assert "sch_slinky" in {one.option for one in chosen.supplements}


@pytest.mark.parametrize(("trust", "sealed"), [("distrusted", True), ("contractual", False), ("trusted", False)])
def test_who_distrusts_the_provider_is_recommended_memory_it_cannot_read(trust: str, *, sealed: bool) -> None:
    study = answer("sovereign", infrastructure__provider_trust=trust)
    facts = study.best.resolved.classes[0].facts
    assert {"confidential-guest", "tenant-keys"} <= facts or not sealed
    assert ("confidential-guest" in facts) == sealed


def test_isolation_that_no_published_design_reaches_is_reached_by_control_planes_of_another_make() -> None:
    study = answer("ai-factory")
    chosen = study.best.resolved.classes[0]
    assert int(study.best.scores["isolation"].figures["classes"]["nations"]["overall"][1]) >= 4
    assert "cluster-per-tenant" in chosen.facts
    swapped = {one.replaces for one in chosen.choice.supplements if one.option == "cp_vcluster_standalone"}
    assert swapped == {"cp_kamaji"}
    easier = answer("ai-factory", tenants__classes__0__requirements={"isolation": "L2"})
    options = {o for e in easier.evaluations for c in e.resolved.classes for o in c.choice.options}
    assert "cp_vcluster_standalone" not in options


def test_only_the_need_that_says_so_swaps_a_runtime() -> None:
    study = answer(
        "mig-inference",
        workloads__0__untrusted_code=True,
        tenants__classes__0__count=20,
    )
    published = next(e for e in study.evaluations if e.id == "RA08").resolved.classes[0].choice
    assert "rt_gvisor" in published.options
    assert "rt_kubevirt" not in published.options


GITOPS = {"id_flux_lockdown", "id_argocd_projects", "fl_gitops_fleet"}


def tools(study: tk.Study) -> set[str]:
    """Return the GitOps tools of all designs."""
    return GITOPS & {o for e in study.evaluations for c in e.resolved.classes for o in c.choice.options}


@pytest.mark.parametrize("name", ["bank", "startup-on-eks", "defence-programmes"])
def test_who_delivers_by_scripts_gets_no_gitops_tool_that_nobody_asked_for(name: str) -> None:
    """A hub that the scenario has no use for came with published designs and with completion."""
    assert tools(answer(name, team__automation="gitops"))
    study = answer(name, team__automation="scripts")
    assert not tools(study)
    assert "GitOps" not in opening(study).recommended
    required = answer(
        name,
        team__automation="scripts",
        tenants__classes__0__requirements={"require_options": ["id_flux_lockdown"]},
    )
    assert tools(required) == {"id_flux_lockdown"}


def test_what_is_left_out_of_a_published_design_is_said() -> None:
    told = opening(answer("defence-programmes", team__automation="scripts")).details
    assert any("leaves out" in text and "since changes do not reach clusters by GitOps" in text for text in told), told
    bare = tk.compare(asked("bank", team__automation="scripts"), as_published=True)
    assert tools(bare) == GITOPS


SUBMITTED = {"sch_slinky", "sch_kuberay", "sch_jobset", "sch_lws"}


def submitted(study: tk.Study) -> set[str]:
    """Return what tenants of admitted designs submit to beside Kubernetes' own jobs."""
    admitted = (e for e in study.evaluations if study.rank(e.id))
    return SUBMITTED & {o for e in admitted for c in e.resolved.classes for o in c.choice.options}


@pytest.mark.parametrize("name", ["amd-both", "slurm-groups", "tpu"])
def test_nobody_gets_a_slurm_or_ray_cluster_that_nobody_asked_for(name: str) -> None:
    """The one published design with nodes of a team's own brought a Slurm cluster along."""
    study = answer(name)
    assert not submitted(study) - ({"sch_jobset"} if name == "slurm-groups" else set())
    assert "Slurm" not in opening(study).recommended
    bare = {
        o for e in tk.compare(asked(name), as_published=True).evaluations for o in e.resolved.classes[0].choice.options
    }
    assert {"sch_slinky", "sch_kuberay", "sch_jobset"} <= bare


def test_who_names_slurm_gets_it_with_the_design_it_was_published_in() -> None:
    study = tk.compare(asked("slurm-lab"), designs=["RA17 +sch_slinky"])
    without, named = (study[one].resolved for one in ("RA17", "RA17+sch_slinky"))
    assert "sch_slinky" in named.of_class("groups").choice.options
    assert "a Slurm cluster per" in named.short
    assert "sch_slinky" not in without.of_class("groups").choice.options
    assert "Slurm" not in without.long
    assert "without Slinky" in without.published
    assert "without" not in named.published


def test_a_design_of_several_says_what_is_left_out_of_each() -> None:
    study = answer("amd-both")
    assert study.best.resolved.design.origin == "composed"
    assert any("leaves out Slinky" in text and "since nobody asks for Slurm" in text for text in opening(study).details)


def test_a_job_that_starts_as_a_whole_asks_for_groups_of_jobs() -> None:
    kept = answer("tpu", workloads__0__gang=2)["RA20"].resolved.classes[0].choice
    assert "sch_jobset" in kept.options
    assert not kept.omissions
    assert [one.option for one in answer("tpu")["RA20"].resolved.classes[0].choice.omissions] == ["sch_jobset"]


def test_a_need_that_is_stated_keeps_what_meets_it() -> None:
    """A fleet that has to be automated keeps its tool, and what the tool rests on, beside scripts."""
    stated = answer("bank", team__automation="scripts", needs={"fleet-automation": True})
    fleets = [
        c.choice.options
        for e in stated.evaluations
        for c in e.resolved.classes
        if e.id == "RA10" and "fl_gitops_fleet" in c.choice.options
    ]
    assert fleets
    assert all("id_flux_lockdown" in options for options in fleets)


def test_an_architecture_for_others_is_not_made_to_fit_by_leaving_out_what_it_is_for() -> None:
    """Customers whose models run without jobs have no use for Slurm, nor for the design around it."""
    study = tk.compare(tk.load_scenario("saas-inference"))
    assert not study.rank("RA17")
    assert any("Slurm" in text for text in study.exclusions("RA17"))


def test_a_variant_alone_reaches_the_isolation_that_no_published_design_reaches() -> None:
    """In the studio a variant is completed by itself, and was left a level short of what compare made of it."""
    scenario, catalogue = asked("ai-factory"), tk.load_catalogue()
    alone = completed([tk.variant("RA11 -obs_opencost", scenario)], scenario, catalogue)[0]
    beside = tk.compare(scenario, designs=["RA11 -obs_opencost"])[alone.id].resolved.design
    assert alone.choices["nations"].options == beside.choices["nations"].options
    assert "cp_vcluster_standalone" in alone.choices["nations"].options


def test_a_search_begins_with_references_completed_and_lifted() -> None:
    """It began with bare references, so that a short one found nobody where compare had somebody."""
    scenario = asked("ai-factory")
    first = tk.compare(scenario).best
    found = tk.explore(scenario, limit=100)
    options = set(first.resolved.classes[0].choice.options)
    assert any(set(one.choices["nations"].options) == options for one in found.members)
    assert found.admitted


def test_what_a_rule_demands_of_the_tenants_completes_designs_that_have_room_for_it() -> None:
    """Customers on one InfiniBand fabric need partitions on it, whoever published what; a sandbox is no add-on."""
    study = answer("incubator-rivals", tenants__classes__0__trust="trusted", tenants__classes__0__requirements={})
    chosen = {e.id: e.resolved.classes[0].choice for e in study.evaluations}
    assert "net_rdma_pkey" in {one.option for one in chosen["RA17"].supplements}
    assert study.ranking is not None
    assert "RA17" in study.ranking.labels
    assert "rt_runc" in chosen["RA01"].options
    apart = answer("incubator-rivals", infrastructure__fabric="none")
    assert "net_rdma_pkey" not in {o for e in apart.evaluations for c in e.resolved.classes for o in c.choice.options}


@pytest.mark.parametrize("name", ["course-admins", "ci-runners", "cpu-only"])
def test_where_no_machine_has_a_card_no_design_has_a_way_to_cut_one(name: str) -> None:
    study = answer(name)
    options = {o for e in study.evaluations for c in e.resolved.classes for o in c.choice.options}
    assert not options & {"gpu_mig", "gpu_mps", "gpu_timeslice", "gpu_vgpu", "gpu_dra"}
    assert not any("MIG" in e.resolved.long for e in study.evaluations)


def test_a_composition_is_not_made_of_a_lean_part_where_a_near_twin_leaves_its_class_open_for_less() -> None:
    """Two ways to host control planes are near-twins; the lean one leaves the labs open twice as long."""
    study = tk.compare(tk.load_scenario("gpu-cloud"))
    composed = next(e for e in study.evaluations if e.id == "HY1")
    assert "cp_kamaji" in composed.resolved.of_class("labs").choice.options
    assert study.best.id == "HY1"


def test_where_nothing_fits_a_fixed_fleet_the_composition_told_is_the_one_it_lacks_least_for() -> None:
    study = answer("consortium-ib", tenants__classes__1__requirements={"isolation": "L4"})
    assert study.ranking is None
    fleets = {e.id: e.scores["cost"].figures["fleet"] for e in study.evaluations}
    assert fleets["HY1"]["missing_gpu_nodes"] == 0
    assert fleets["HY1"]["purchase_per_month"] < fleets["RA13"]["purchase_per_month"]
    assert "misses the fleet by 1 CPU node" in study.nobody()
