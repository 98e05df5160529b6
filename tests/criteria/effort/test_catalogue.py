from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.errors import CatalogueError
from tenancykit.catalogue.reading import OWN_ROOT, load_catalogue
from tenancykit.catalogue.work import KINDS
from tenancykit.catalogue.workbook import find_cycle, load_work, prerequisites
from tests.criteria.effort.designs import book, catalogue


def test_every_option_of_every_dimension_states_its_work() -> None:
    assert set(catalogue().options) - set(book().work_by_trigger) == set()


def test_every_option_of_every_dimension_states_its_toil() -> None:
    covered = {trigger for toil in book().toil.values() for trigger in toil.brought_by}
    assert set(catalogue().options) - covered == set()


def test_every_component_is_upgraded_by_something() -> None:
    for component in catalogue().components.values():
        own = book().toil.get(component.id)
        known = own is not None and (own.upgraded_with == "itself" or own.upgraded_with in catalogue().components)
        assert known or component.lifecycle.minor_releases_12m is not None, component.id


def test_what_is_upgraded_with_something_is_installed_only_with_it() -> None:
    components = catalogue().components

    def requires(component: str) -> set[str]:
        return {component}.union(*(requires(needed) for needed in components[component].requires))

    for option in catalogue().options.values():
        installed = set().union(*(requires(component) for component in option.components))
        for component in installed & set(book().toil):
            other = book().toil[component].upgraded_with
            if other not in ("", "itself", "kubernetes-cluster"):
                assert other in installed, f"{option.id}: {component} without {other}"


def test_tasks_split_from_a_prior_add_up_to_it() -> None:
    for work in book().work.values():
        if not work.prior:
            continue
        prior = book().priors[work.prior].days
        tasks = [task for task in work.tasks if task.scope != "tenant"]
        for point in ("low", "likely", "high"):
            total = sum(getattr(task.days, point) for task in tasks)
            assert total == pytest.approx(getattr(prior, point) * work.share, abs=1e-9), (work.id, point)


def test_every_number_names_a_source_or_calls_itself_an_assumption() -> None:
    for rate in book().rates.values():
        assert bool(rate.source) != rate.assumption or rate.source, rate.id
    for toil in book().toil.values():
        assert all(a.assumption or a.source.startswith("https://") for a in toil.activities), toil.id
    assert all(limit.source.startswith("https://") for limit in book().limits.values())


def test_the_priors_are_those_of_the_reference_data(shared: Path) -> None:
    facts = yaml.safe_load((shared / "facts" / "effort_ops.yaml").read_text())["calibration_priors"]
    for name, days in facts["one_off_design_build"].items():
        assert [getattr(book().priors[name].days, p) for p in ("low", "likely", "high")] == days, name
    onboarding = {
        "namespace": "onboard_namespace",
        "virtual_cluster": "onboard_virtual_cluster",
        "dedicated_cluster_templated": "onboard_dedicated_cluster",
        "bare_metal_tenant": "onboard_bare_metal",
    }
    for name, days in facts["tenant_onboarding_days"].items():
        found = book().priors[onboarding[name]].days
        assert [found.low, found.likely, found.high] == days


def test_keeping_a_self_managed_cluster_takes_the_days_of_the_prior() -> None:
    # calibration prior: 4/8/20 days per cluster and year, by hand; managed about half
    rates = {"kubernetes-minor": 3.0, "kubernetes-patch": 12.0}
    for ids, share in (
        (("minor", "patch", "certificates", "restore", "capacity"), 1.0),
        (("minor_managed", "patch_managed", "certificates", "restore_managed", "capacity"), 0.65),
    ):
        activities = {a.id: a for a in book().toil["clusters"].activities}
        for point, days in (("low", 4), ("likely", 8), ("high", 20)):
            hours = sum(
                getattr(activities[f"clusters.{i}"].hours, point)
                * rates.get(activities[f"clusters.{i}"].driver, activities[f"clusters.{i}"].per_year.likely)
                for i in ids
            )
            if share == 1.0:
                assert hours / 8 == pytest.approx(days)
            else:
                assert 0.4 * days <= hours / 8 <= share * days


def test_a_component_upgrade_takes_the_days_of_the_prior() -> None:
    (upgrade,) = book().toil["components"].activities
    assert (upgrade.hours.low / 8, upgrade.hours.likely / 8, upgrade.hours.high / 8) == (0.25, 1, 3)


def test_tasks_of_the_catalogue_wait_for_each_other_without_a_cycle() -> None:
    edges = {task.id: prerequisites(task, book()) for task in book().tasks.values()}
    assert find_cycle(edges) == []
    assert {task.kind for task in book().tasks.values()} == set(KINDS)


def overlay(tmp_path: Path, folder: str, *entries: dict[str, Any]) -> Path:
    place = tmp_path / folder
    place.mkdir(parents=True)
    (place / "own.yaml").write_text(yaml.safe_dump({"entries": list(entries)}))
    return tmp_path


def work_of(*tasks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base = {"kind": "install", "title": "t", "days": [1, 2, 3], "skill": "kubernetes"}
    return {
        "id": "sch_quota",
        "title": "Own",
        "basis": "measured",
        "assumption": True,
        "tasks": [{**base, **task} for task in tasks],
        **changes,
    }


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (work_of({"id": "a", "days": [3, 2, 4]}), ["own.yaml:", "out of order"]),
        (work_of({"id": "a", "days": [-1, 2, 4]}), ["own.yaml:", "negative"]),
        (work_of({"id": "a", "days": [1, 2]}), ["own.yaml:", "[low, likely, high]"]),
        (work_of({"id": "a", "skill": "networkin"}), ["own.yaml:", "networkin", "did you mean networking?"]),
        (work_of({"id": "a", "after": ["cluster-redy"]}), ["own.yaml:", "did you mean cluster-ready?"]),
        (work_of({"id": "a"}, id="sch_quotas"), ["own.yaml:", "no option or component", "did you mean sch_quota?"]),
        (work_of({"id": "a"}, prior="mgi"), ["own.yaml:", "unknown prior", "did you mean mig?"]),
        (work_of({"id": "a"}, assumption=False), ["own.yaml:", "neither a source nor"]),
        (work_of({"id": "sch_kueue.install"}), ["sch_kueue.install", "already at"]),
        (
            work_of({"id": "a", "after": ["b"]}, {"id": "b", "after": ["c"]}, {"id": "c", "after": ["a"]}),
            ["own.yaml:", "wait for each other", "->"],
        ),
    ],
)
def test_wrong_work_is_refused_with_place_and_cure(tmp_path: Path, entry: dict[str, Any], told: list[str]) -> None:
    folder = overlay(tmp_path, "tasks/work", entry)
    with pytest.raises(CatalogueError) as caught:
        load_work(load_catalogue(folder))
    for text in told:
        assert text in str(caught.value)


def test_a_cycle_is_printed_from_its_first_task_back_to_it(tmp_path: Path) -> None:
    tasks = [{"id": "a", "after": ["b"]}, {"id": "b", "after": ["c"]}, {"id": "c", "after": ["a"]}]
    with pytest.raises(CatalogueError, match="a -> b -> c -> a"):
        load_work(load_catalogue(overlay(tmp_path, "tasks/work", work_of(*tasks))))


def test_toil_without_activity_needs_a_reason(tmp_path: Path) -> None:
    folder = overlay(tmp_path, "toil/activities", {"id": "sch_quota", "title": "Own"})
    with pytest.raises(CatalogueError, match="none_because"):
        load_work(load_catalogue(folder))


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    wrong = work_of({"id": "a", "after": ["ghost"]}, {"id": "b", "after": ["phantom"]}, prior="nothing")
    with pytest.raises(CatalogueError) as caught:
        load_work(load_catalogue(overlay(tmp_path, "tasks/work", wrong)))
    assert len(caught.value.faults) == 3


def test_a_users_own_work_replaces_the_packages(tmp_path: Path) -> None:
    folder = overlay(tmp_path, "tasks/work", work_of({"id": "own.task", "days": [5, 6, 7]}))
    found = load_work(load_catalogue(folder))
    assert [task.id for task in found.work["sch_quota"].tasks] == ["own.task"]
    assert found.work.replaced["sch_quota"].startswith("catalogue/tasks/work/")


def test_a_missing_rate_is_named() -> None:
    with pytest.raises(CatalogueError, match=r"skill\.wizard"):
        book().rate("skill.wizard")


def test_the_catalogue_of_work_reads_from_any_place(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(OWN_ROOT / "tasks", copy / "tasks")
    assert set(load_work(load_catalogue(copy)).work) == set(book().work)
