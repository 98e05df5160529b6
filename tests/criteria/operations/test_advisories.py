"""Patching recurs at the rate at which flaws of what is installed were published: the evidence of the catalogue."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.errors import CatalogueError
from tenancykit.catalogue.barriers import OBSERVED_UNTIL, load_isolation
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.catalogue.workbook import load_work, with_share
from tenancykit.criteria.operations.assumptions import assumptions
from tenancykit.criteria.operations.measure import measure
from tenancykit.criteria.operations.toil import Workload, workload
from tests.criteria.effort.designs import CLUSTERS, HOSTED, NAMESPACES, VIRTUAL, book, catalogue, designed, installed
from tests.criteria.effort.designs import platform as platform_of

NOT_OURS = {
    "autoscaler",
    "aws-iam-authenticator",
    "buildkit",
    "cloud-control-plane",
    "cri-o",
    "docker",
    "gpu-hardware",
    "mlops-platform",
    "secret-store",
    "workflow-engine",
}
"""Components that nobody of the platform's team patches; catalogue/toil/activities/advisories.yaml says why."""


def patching(*options: str) -> dict[tuple[str, str], float]:
    found = workload(installed(platform_of(), *options), platform_of(), book())
    return {(x.activity.id, x.subject): x.per_year.mean for x in found.lines if x.activity.id.startswith("advisories")}


def test_every_component_of_the_evidence_is_reacted_to_or_left_to_others() -> None:
    named = {c for toil in book().toil.values() if toil.advisories for c in toil.advisories.components}
    known = {record.component for record in load_isolation(catalogue()).evidence.values()}
    assert named | NOT_OURS == known
    assert not named & NOT_OURS


def test_a_rate_is_the_records_of_the_component_over_the_years_they_were_counted_in() -> None:
    records = [r for r in load_isolation(catalogue()).evidence.values() if r.component == "vgpu" and r.year >= 2018]
    years = OBSERVED_UNTIL - 2018
    found = book().advisories["vgpu-manager"].rate
    assert found.mean == pytest.approx((len(records) + 0.5) / years)
    assert found.deviation == pytest.approx(math.sqrt(len(records) + 0.5) / years)


def test_what_a_design_does_not_install_is_not_patched() -> None:
    plain, hosted = patching(*NAMESPACES), patching(*HOSTED)
    assert ("advisories.roll", "kamaji-operator") in hosted
    assert ("advisories.roll", "kamaji-operator") not in plain
    assert ("advisories.roll", "kata-deploy") not in plain
    kata = ["rt_kata" if o == "rt_runc" else o for o in NAMESPACES]
    assert patching(*kata)["advisories.roll", "kata-deploy"] > 0


def test_a_component_the_evidence_has_no_record_of_falls_back_on_a_stated_assumption() -> None:
    fallback = book().rates["advisories.unrecorded_per_year"]
    assert fallback.assumption
    assert "kueue" not in book().advisories
    again = book().toil["advisories"].activities[1].per_year.mean
    assert patching(*NAMESPACES)["advisories.roll", "kueue"] == pytest.approx(fallback.value.mean * again)


def test_the_evidence_of_a_line_says_which_records_were_counted() -> None:
    scenario = platform_of()
    kata = ["rt_kata" if o == "rt_runc" else o for o in NAMESPACES]
    score = measure(designed(scenario, *kata), scenario, catalogue())
    notes = {evidence.label: evidence.note for _, evidence in score.evidence.walk()}
    records = sum(r.component == "kata" for r in load_isolation(catalogue()).evidence.values())
    assert f"{records} records of kata since 2019" in notes["Patch out of turn (kata-deploy)"]
    assert "advisories.unrecorded_per_year (assumption)" in notes["Patch out of turn (kueue)"]


def test_a_provider_patches_the_control_plane_it_manages() -> None:
    managed = platform_of(infrastructure={**_infrastructure(), "control_plane": "managed"})
    found = {x.subject for x in workload(installed(managed, *NAMESPACES), managed, book()).lines}
    assert "advisories-node" in found
    assert "advisories-control-plane" not in found
    assert ("advisories-control-plane.roll", "advisories-control-plane") in patching(*NAMESPACES)


def _infrastructure() -> dict[str, Any]:
    return platform_of().infrastructure.model_dump(mode="json", exclude_unset=True)


def test_tenants_control_planes_beside_the_clusters_are_patched_one_by_one() -> None:
    scenario = platform_of()
    lines = workload(installed(scenario, *VIRTUAL), scenario, book()).lines
    found = next(x for x in lines if x.activity.id == "advisories.roll" and x.subject == "vcluster-control-plane")
    assert found.instances == 10


def busier(tmp_path: Path, component: str, records: int) -> Workload:
    """The work of a design with a cluster per tenant after more records of a component were added to the evidence."""
    entry = next(r for r in load_isolation(catalogue()).evidence.values() if r.component == component)
    one = entry.model_dump(mode="json", exclude_unset=True)
    more = [{**one, "id": f"OWN-{number}", "year": 2026} for number in range(records)]
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "own.yaml").write_text(yaml.safe_dump({"entries": more}))
    scenario = platform_of()
    return workload(installed(scenario, *CLUSTERS), scenario, load_work(load_catalogue(tmp_path)))


def test_flaws_added_to_the_evidence_mean_more_patching_and_nothing_else(tmp_path: Path) -> None:
    scenario = platform_of()
    calm = workload(installed(scenario, *CLUSTERS), scenario, book())
    busy = busier(tmp_path, "kubelet", 40)
    hours = [found.hours_by("kind") for found in (calm, busy)]
    assert hours[1]["patch"] > hours[0]["patch"]
    rest = [{k: v for k, v in found.items() if k not in ("patch", "incident")} for found in hours]
    assert rest[0] == pytest.approx(rest[1])


def test_flaws_of_what_is_not_installed_change_nothing(tmp_path: Path) -> None:
    scenario = platform_of()
    calm = workload(installed(scenario, *CLUSTERS), scenario, book())
    assert busier(tmp_path, "vgpu", 40).total == calm.total


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"components": ["kubelett"]}, r"own\.yaml:2.*kubelett.*did you mean kubelet"),
        ({"components": ["kubelet"], "since": 2050}, r"own\.yaml:2.*2050.*not observed yet"),
        ({"components": ["kubelet"], "share": [0, 0.5, 1]}, r"own\.yaml:2.*without a reason"),
        ({"components": []}, r"own\.yaml:"),
        ({"components": ["kubelet"], "share": [1, 0.5, 0]}, r"own\.yaml:.*out of order"),
    ],
)
def test_wrong_advisories_are_refused_with_place_and_cure(tmp_path: Path, stated: dict[str, Any], told: str) -> None:
    folder = tmp_path / "toil" / "activities"
    folder.mkdir(parents=True)
    entry = {"id": "sch_quota", "title": "Own", "advisories": stated}
    (folder / "own.yaml").write_text(yaml.safe_dump({"entries": [entry]}))
    with pytest.raises(CatalogueError, match=told):
        load_work(load_catalogue(tmp_path))


def test_activities_that_follow_advisories_need_some(tmp_path: Path) -> None:
    folder = tmp_path / "toil" / "activities"
    folder.mkdir(parents=True)
    activity: dict[str, Any] = {
        "id": "sch_quota.patch", "kind": "patch", "title": "t", "per": "cluster", "driver": "advisory",
        "hours": [1, 2, 3], "skill": "kubernetes", "assumption": True,
    }  # fmt: skip
    entry: dict[str, Any] = {"id": "sch_quota", "title": "Own", "activities": [activity]}
    (folder / "own.yaml").write_text(yaml.safe_dump({"entries": [entry]}))
    with pytest.raises(CatalogueError, match=r"own\.yaml:2.*sch_quota\.patch.*does not state"):
        load_work(load_catalogue(tmp_path))
    entry["advisories"] = {"components": ["kubelet"]}
    (folder / "own.yaml").write_text(yaml.safe_dump({"entries": [entry]}))
    scenario, own = platform_of(), load_catalogue(tmp_path)
    lines = workload(installed(scenario, *NAMESPACES), scenario, load_work(own)).lines
    found = next(x for x in lines if x.activity.id == "sch_quota.patch")
    assert found.per_year.mean == pytest.approx(load_work(own).advisories["sch_quota"].rate.mean)


def test_the_assumed_share_of_a_kind_of_product_is_listed_with_what_it_moves() -> None:
    scenario = platform_of()
    design = designed(scenario, *NAMESPACES)
    found = {i.id: i for i in assumptions(design, scenario, catalogue()) if i.kind == "share"}
    assert "advisories-cni" in found
    assert "advisories-vgpu" not in found
    evidence = load_isolation(catalogue()).evidence.values()
    moved = with_share(book(), "advisories-cni", found["advisories-cni"].assumed.high, evidence)
    more = workload(installed(scenario, *NAMESPACES), scenario, moved).total.mean
    less = workload(installed(scenario, *NAMESPACES), scenario, book()).total.mean
    assert more - less == pytest.approx(found["advisories-cni"].high - found["advisories-cni"].base)


def test_advisories_read_per_flaw_are_those_of_the_feed_over_those_of_the_evidence() -> None:
    core = {"kube-apiserver", "kubelet", "kube-controller-manager", "kube-proxy", "etcd"}
    records = load_isolation(catalogue()).evidence.values()
    crossing = sum(r.component in core and 2019 <= r.year <= 2023 for r in records)
    feed = 11 + 10 + 4 + 3 + 8  # advisories of Kubernetes core by year, https://github.com/aquasecurity/vuln-list-k8s
    assert book().toil["advisories"].activities[0].per_year.likely == pytest.approx(feed / crossing, rel=0.1)
