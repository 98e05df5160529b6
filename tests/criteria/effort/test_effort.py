from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kubeanswers.errors import InputError
from tenancykit.criteria.effort.assumptions import assumptions
from tenancykit.criteria.effort.calibration import Calibration, calibrate, read_calibration
from tenancykit.criteria.effort.measure import (
    Effort,
    effort_curve,
    jobs_of,
    measure,
    simulate,
    task_table,
)
from tenancykit.criteria.effort.tasks import Plan, plan
from tenancykit.criteria.score import Score
from tenancykit.design.components import closure
from tenancykit.design.growth import crossings
from tenancykit.design.validity import reference_design, resolve
from tenancykit.distributions import ThreePoint
from tenancykit.scenario.model import Scenario
from tests.criteria.effort.designs import (
    CLUSTERS,
    COMMON,
    FLEET_OF_CLUSTERS,
    HOSTED,
    NAMESPACES,
    VIRTUAL,
    book,
    catalogue,
    designed,
    installed,
    most_held,
    platform,
    tenant_class,
)


def effort(scenario: Scenario, *options: str) -> Score:
    return measure(designed(scenario, *options), scenario, catalogue())


def planned(scenario: Scenario, *options: str) -> Plan:
    return plan(installed(scenario, *options), scenario, book())


def detail(score: Score) -> Effort:
    assert isinstance(score.detail, Effort)
    return score.detail


@pytest.mark.parametrize("reference", sorted(catalogue().references))
def test_every_reference_architecture_has_an_effort_that_adds_up(reference: str) -> None:
    scenario = platform()
    design = resolve(reference_design(catalogue().references[reference], scenario, catalogue()), scenario, catalogue())
    score = measure(design, scenario, catalogue())
    assert 0 < score.low < score.value < score.high
    for split in ("days_by_kind", "days_by_skill", "days_by_option"):
        assert sum(score.figures[split].values()) == pytest.approx(score.value)
    lines = task_table(detail(score))
    assert sum(line["days_mean"] for line in lines) == pytest.approx(score.value)
    evidence = [child for child in score.evidence.children if child.unit == "person-days"]
    assert sum(child.value or 0 for child in evidence) == pytest.approx(score.value)
    assert all(child.assumption or child.source for child in evidence)


def test_a_task_that_several_options_bring_is_counted_once() -> None:
    scenario = platform()
    one = planned(scenario, *NAMESPACES)
    several = planned(scenario, *NAMESPACES, "gpu_timeslice")
    assert one.tasks["gpu_exclusive.install"].days == several.tasks["gpu_exclusive.install"].days
    assert several.tasks["gpu_exclusive.install"].because == ("gpu_exclusive", "gpu_timeslice")


def test_leaving_an_option_out_removes_exactly_its_tasks() -> None:
    scenario = platform()
    with_queue = planned(scenario, *NAMESPACES)
    without = planned(scenario, *[o for o in NAMESPACES if o != "sch_kueue"])
    removed = set(with_queue.tasks) - set(without.tasks)
    assert removed == {task.id for task in book().work["sch_kueue"].tasks}
    assert set(without.tasks) <= set(with_queue.tasks)
    assert all(without.tasks[task].days == with_queue.tasks[task].days for task in without.tasks)
    gone = sum(with_queue.tasks[task].days.mean for task in removed)
    assert with_queue.total.mean - without.total.mean == pytest.approx(gone)


def test_what_already_runs_takes_no_task_but_still_serves_tenants() -> None:
    fresh = planned(platform(), *NAMESPACES)
    settled = planned(platform(team={"running": ["cp_namespace_rbac", "sch_kueue"]}), *NAMESPACES)
    gone = set(fresh.tasks) - set(settled.tasks)
    assert {task.split(".")[0] for task in gone} == {"cp_namespace_rbac", "sch_kueue", "shared_cluster"}
    assert "cp_namespace_rbac.onboard" in settled.tasks
    assert settled.total.mean < fresh.total.mean


def test_a_component_that_already_runs_costs_only_its_repetitions() -> None:
    fresh = planned(platform(), *CLUSTERS)
    settled = planned(platform(team={"running": ["gpu_exclusive"]}), *CLUSTERS)
    install = settled.tasks["gpu_exclusive.install"]
    assert install.instances == fresh.tasks["gpu_exclusive.install"].instances - 1
    assert install.days.mean < fresh.tasks["gpu_exclusive.install"].days.mean


def test_components_that_run_spare_the_installation_and_nothing_else() -> None:
    fresh = planned(platform(), *NAMESPACES)
    settled = planned(platform(team={"running": ["kueue"]}), *NAMESPACES)
    assert set(fresh.tasks) - set(settled.tasks) == {"sch_kueue.install"}
    partly = planned(platform(team={"running": ["prometheus-stack"]}), *NAMESPACES)
    assert "obs_prom_shared.install" in partly.tasks


def test_a_fleet_layer_of_one_class_does_not_help_another() -> None:
    scenario = platform(tenant_class(id="a"), tenant_class(id="b", kind="customer", count=50))

    def days(first: tuple[str, ...], second: tuple[str, ...]) -> float:
        design = designed(scenario, a=first, b=second)
        return plan(closure(design, scenario, catalogue()), scenario, book()).tasks["sch_kueue.install"].days.mean

    assert days(NAMESPACES, FLEET_OF_CLUSTERS) < days(NAMESPACES, CLUSTERS)
    assert days(FLEET_OF_CLUSTERS, FLEET_OF_CLUSTERS) < days(CLUSTERS, FLEET_OF_CLUSTERS) < days(CLUSTERS, CLUSTERS)


def test_the_first_instance_is_one_whose_repetition_would_cost_most() -> None:
    scenario = platform(tenant_class(id="a"), tenant_class(id="b", kind="customer", count=50))
    mixed = plan(
        closure(designed(scenario, a=NAMESPACES, b=FLEET_OF_CLUSTERS), scenario, catalogue()), scenario, book()
    ).tasks["sch_kueue.install"]
    assert mixed.instances == 51
    assert mixed.again == book().rate("again.cluster.fleet")
    days = mixed.task.days.likely * (1 + 50 * book().rate("again.cluster.fleet").likely)
    assert mixed.days.likely == pytest.approx(days)


def test_missing_skills_stretch_and_expertise_shortens() -> None:
    days = {
        level: effort(platform(team={"skills": {"networking": level, "gpu": level}}), *NAMESPACES).value
        for level in ("none", "basic", "good", "expert")
    }
    assert days["none"] > days["basic"] > days["good"] > days["expert"]
    assert days["good"] == pytest.approx(effort(platform(), *NAMESPACES).value)


def test_automation_makes_repetition_cheaper() -> None:
    days = {a: effort(platform(team={"automation": a}), *CLUSTERS).value for a in ("manual", "scripts", "gitops")}
    assert days["manual"] > days["scripts"] > days["gitops"]


def test_namespaces_cost_less_than_a_cluster_per_tenant_and_the_gap_widens() -> None:
    gaps, fleet_gaps = [], []
    for count in (3, 30, 300):
        scenario = platform(tenant_class(count=count))
        shared = effort(scenario, *NAMESPACES).value
        assert shared < effort(scenario, *CLUSTERS).value
        gaps.append(effort(scenario, *CLUSTERS).value / shared)
        fleet_gaps.append(effort(scenario, *FLEET_OF_CLUSTERS).value / shared)
    assert gaps[0] < gaps[1] < gaps[2]
    assert fleet_gaps[2] < gaps[2] / 2


def test_the_number_of_tenants_from_which_a_fleet_layer_pays_is_reported() -> None:
    scenario = platform()
    by_hand, fleet = (effort_curve(installed(scenario, *o), scenario, book()) for o in (CLUSTERS, FLEET_OF_CLUSTERS))
    read = [("clusters", lambda n: by_hand.at(n).mean), ("fleet", lambda n: fleet.at(n).mean)]
    (crossing,) = crossings(read[0], read[1], most=1_000)
    assert crossing.less == "fleet"
    assert fleet.at(crossing.tenants).mean < by_hand.at(crossing.tenants).mean
    assert fleet.at(crossing.tenants - 1).mean >= by_hand.at(crossing.tenants - 1).mean


def test_a_curve_agrees_with_the_measure_at_todays_tenants() -> None:
    scenario = platform()
    curve = effort_curve(installed(scenario, *HOSTED), scenario, book())
    assert curve.at(10).mean == pytest.approx(effort(scenario, *HOSTED).value)


@pytest.mark.parametrize("options", [NAMESPACES, VIRTUAL, HOSTED, CLUSTERS])
def test_simulation_confirms_the_moments(options: tuple[str, ...]) -> None:
    found = planned(platform(), *options)
    sample = simulate(found, samples=6_000, seed=3)
    assert float(sample.mean()) == pytest.approx(found.total.mean, rel=0.02)
    p10, p90 = np.quantile(sample, [0.1, 0.9])
    assert found.total.p10 == pytest.approx(float(p10), rel=0.07)
    assert found.total.p90 == pytest.approx(float(p90), rel=0.07)


def test_simulation_repeats_itself() -> None:
    found = planned(platform(), *NAMESPACES)
    assert np.array_equal(simulate(found, samples=50, seed=7), simulate(found, samples=50, seed=7))


@pytest.mark.parametrize("engineers", [0.5, 1, 1.5, 3, 12])
def test_the_schedule_never_uses_more_people_than_there_are(engineers: float) -> None:
    scenario = platform(team={"engineers": engineers})
    found = detail(effort(scenario, *HOSTED))
    jobs = jobs_of(found.plan, engineers)
    assert most_held(jobs, found.schedule.start) <= engineers + 1e-9
    days = found.weeks * 5 * found.project_share
    assert days >= found.plan.total.mean / engineers - 1e-6


def test_more_people_finish_no_later() -> None:
    weeks = [effort(platform(team={"engineers": n}), *CLUSTERS).figures["weeks_p50"] for n in (1, 2, 4, 8)]
    assert weeks[0] > weeks[1] > weeks[2]
    assert weeks[3] <= weeks[2] * 1.001


def test_prerequisites_hold_in_the_calendar() -> None:
    found = detail(effort(platform(), *HOSTED))
    for task in found.plan.tasks.values():
        for before in task.after:
            assert found.schedule.start[task.task.id] >= found.schedule.finish[before] - 1e-9
    assert found.schedule.start["cp_kamaji.onboard"] >= found.schedule.finish["platform.acceptance"] - 1e-9


def test_regulated_classes_need_evidence_for_the_auditor() -> None:
    plain, regulated = platform(), platform(tenant_class(compliance=["hipaa"]))
    extra = set(planned(regulated, *NAMESPACES).tasks) - set(planned(plain, *NAMESPACES).tasks)
    assert extra == {task.id for task in book().work["compliance"].tasks}


def test_unknown_running_things_are_named_with_a_cure() -> None:
    scenario = platform(team={"running": ["cp_capsle"]})
    with pytest.raises(InputError) as caught:
        effort(scenario, *NAMESPACES)
    assert len(caught.value.faults) == 1
    assert "did you mean cp_capsule?" in str(caught.value)


def test_a_team_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="engineers"):
        platform(team={"engineers": 0})


def test_days_are_counted_only_by_what_tasks_have() -> None:
    with pytest.raises(ValueError, match="colour"):
        planned(platform(), *NAMESPACES).days_by("colour")


def test_every_assumption_that_matters_is_listed_with_its_swing() -> None:
    scenario = platform(team={"skills": {"networking": "basic"}})
    design = designed(scenario, *NAMESPACES)
    found = assumptions(design, scenario, catalogue())
    score = measure(design, scenario, catalogue())
    assert [i.swing for i in found] == sorted((i.swing for i in found), reverse=True)
    assert all(i.base == pytest.approx(score.value) and i.place.startswith("catalogue/tasks/") for i in found)
    works = {i.id for i in found if i.kind == "work"}
    assert works == set(score.figures["days_by_option"])
    assert {i.id for i in found if i.kind == "rate"} == {"skill.basic", "again.tenant.gitops"}
    queue = next(i for i in found if i.id == "sch_kueue")
    assert queue.high - queue.low == pytest.approx(queue.assumed.high - queue.assumed.low)


# ---------------------------------------------------------------- calibration


def measured(tmp_path: Path, text: str) -> Calibration:
    file = tmp_path / "measured.csv"
    file.write_text(text)
    return read_calibration(file, book())


def test_tasks_that_took_as_long_as_estimated_only_narrow_the_interval(tmp_path: Path) -> None:
    means = {task: book().tasks[task].days.mean for task in ("sch_kueue.install", "pol_vap.install", "pol_psa.install")}
    lines = "\n".join(f"{task},{days!r}" for task, days in means.items())
    calibration = measured(tmp_path, f"task,days\n{lines}\n")
    scenario = platform()
    design = designed(scenario, *NAMESPACES)
    before = measure(design, scenario, catalogue())
    after = measure(design, scenario, catalogue(), calibration=calibration)
    assert after.value == pytest.approx(before.value, rel=1e-3)
    assert after.high - after.low < 0.8 * (before.high - before.low)


def test_a_slow_organisation_gets_longer_estimates_also_for_tasks_it_did_not_measure() -> None:
    calibration = calibrate({"sch_kueue.install": [2.0, 2.0, 2.0]})
    assert 1 < calibration.factor("pol_psa.install") < calibration.factor("sch_kueue.install") < 2
    assert calibration.pace == pytest.approx(2 ** (3 / 4))


def test_nothing_measured_changes_nothing() -> None:
    days = ThreePoint(1, 2, 6)
    assert calibrate({}).adjust("sch_kueue.install", days) == days
    assert calibrate({}).correlation == pytest.approx(0.5)


def test_measurements_leave_less_in_common() -> None:
    left = [calibrate({"a": [1.0] * n}).correlation for n in (1, 3, 10)]
    assert left[0] > left[1] > left[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("task,days\nsch_kueue.instal,3\n", ["measured.csv:2", "did you mean sch_kueue.install?"]),
        ("task,days\nsch_kueue.install,soon\n", ["measured.csv:2", "0.001 to 10,000 person-days"]),
        ("task,days\nsch_kueue.install,0\n", ["measured.csv:2", "0.001 to 10,000 person-days"]),
        ("task,days\nsch_kueue.install,nan\n", ["measured.csv:2", "0.001 to 10,000 person-days"]),
        ("task,days\nsch_kueue.install\n", ["measured.csv:2", "1 cells stand under 2 columns"]),
        ("task,days\nsch_kueue.install,3,4\n", ["measured.csv:2", "3 cells stand under 2 columns"]),
        ("work,days\n", ["measured.csv:1", "work, days"]),
        ("", ["measured.csv: is empty", "write one measured task a line"]),
        ("task,days\nghost,1\nphantom,2\n", ["measured.csv:2", "measured.csv:3"]),
    ],
)
def test_a_wrong_calibration_file_is_refused_with_place_and_cure(tmp_path: Path, text: str, told: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        measured(tmp_path, text)
    for part in told:
        assert part in str(caught.value)


def test_empty_lines_and_several_measurements_of_a_task_are_welcome(tmp_path: Path) -> None:
    calibration = measured(tmp_path, "days,task\n3,sch_kueue.install\n\n4,sch_kueue.install,,\n")
    assert len(calibration.ratios["sch_kueue.install"]) == 2


def test_options_of_two_classes_are_planned_together() -> None:
    scenario = platform(tenant_class(id="a"), tenant_class(id="b", kind="customer"))
    both = plan(closure(designed(scenario, a=NAMESPACES, b=CLUSTERS), scenario, catalogue()), scenario, book())
    assert both.tasks["sch_kueue.design"].classes == ("a", "b")
    assert both.tasks["cp_capi_dedicated.onboard"].instances == 10
    assert both.tasks["cp_namespace_rbac.onboard"].instances == 10
    assert set(COMMON) <= set(both.work) | {"rt_runc"}
