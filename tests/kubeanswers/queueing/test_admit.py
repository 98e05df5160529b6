"""What can be relied on about ``tenancykit admit``: who starts, why others wait, what is wrong with files, hazards."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from kubeanswers.queueing.answer import admit
from tenancykit.cli import main
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.tree import export
from tenancykit.study.admitting import AdmitAnswer, read_queues

TWO_TEAMS = Path(__file__).parent / "clusters" / "two-teams.yaml"


def _written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TWO_TEAMS.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "cluster.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_job_that_needs_more_than_is_free_waits_with_kueues_reason_and_our_sentence() -> None:
    found = tk.admit(TWO_TEAMS).now
    assert [(one.workload, one.pod_sets[0].count) for one in found.admitted] == [("speech/jobset-sweep", 4)]
    (waiting,) = found.waiting
    assert (waiting.workload, waiting.reason) == ("vision/job-train", "Pending")
    assert "2 more nvidia.com/gpu of flavor h100" in waiting.causes[0].says


def test_quota_free_but_nodes_fragmented_shows(tmp_path: Path) -> None:
    path = _written(tmp_path, ("parallelism: 3", "parallelism: 2"), ("completions: 3", "completions: 2"))
    path.write_text(path.read_text(encoding="utf-8").replace('nvidia.com/gpu: "5"', 'nvidia.com/gpu: "1"'), "utf-8")
    found = tk.admit(path)
    assert len(found.now.admitted) == 2
    assert found.placement is not None
    assert found.placement.pending


def test_a_what_if_tells_who_fares_differently(tmp_path: Path) -> None:
    path = _written(tmp_path, ("parallelism: 3", "parallelism: 2"), ("completions: 3", "completions: 2"))
    changes = tk.admit(TWO_TEAMS, against=[path]).changes
    assert [one.workload for one in changes] == ["vision/job-train"]
    assert changes[0].before.startswith("waits")
    assert "is admitted to vision on h100" in changes[0].after


def test_the_command_prints_the_same_twice_and_exits_1_while_somebody_waits(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for _ in range(2):
        assert main(["admit", "-f", str(TWO_TEAMS), "--json"]) == 1
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    data = json.loads(printed[0])
    assert (data["schema"], data["kueue"]) == ("tenancykit/admit/v1", "0.13.10")
    assert main(["admit", "-f", str(TWO_TEAMS)]) == 1
    assert "speech/jobset-sweep is admitted to speech" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("cohort: ai", "cohort: ''", ""),
        ("nominalQuota: 4", "nominalQuota: -4", "nominalQuota"),
        ("nominalQuota: 4", "borrowingLimit: 4", "nominalQuota"),
        ("clusterQueue: vision", "clusterQueue: visoin", "spec.clusterQueue"),
        ("queue-name: main", "queue-name: other", "queue"),
        ("reclaimWithinCohort: Any", "reclaimWithinCohort: Anybody", "reclaimWithinCohort"),
        ("flavors:", "flavours:", "flavors"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(tmp_path: Path, old: str, new: str, field: str) -> None:
    path = _written(tmp_path, (old, new))
    if not field:
        assert tk.admit(path).now.queues[0].cohort == ""
        return
    with pytest.raises(InputError) as caught:
        tk.admit(path)
    assert any(str(path) in one.where and field in str(one) for one in caught.value.faults), caught.value


def test_cohorts_in_a_circle_and_limits_without_a_cohort_are_bad_input(tmp_path: Path) -> None:
    circle = """
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: Cohort
metadata: {name: a}
spec: {parentName: b}
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: Cohort
metadata: {name: b}
spec: {parentName: a}
"""
    path = _written(tmp_path, ("cohort: ai", "cohort: ''"), ("nominalQuota: 4", "nominalQuota: 4, borrowingLimit: 1"))
    path.write_text(path.read_text(encoding="utf-8") + circle, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        tk.admit(path)
    said = str(caught.value)
    assert "a -> b -> a" in said
    assert "borrowingLimit: has no meaning without a cohort" in said
    assert main(["admit", "-f", str(path)]) == 2


ALONE = """
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {name: f}
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: q}
spec:
  cohortName: all
  namespaceSelector: {}
  preemption: {withinClusterQueue: LowerPriority}
  resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, nominalQuota: 2}]}]}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {name: lq, namespace: default}
spec: {clusterQueue: q}
"""


def _workload(name: str, *, more: str = "", status: str = "{}", pods: str = "name: main, count: 1") -> str:
    return f"""
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: Workload
metadata: {{name: {name}, namespace: default, uid: {name}}}
spec:
  queueName: lq
  {more}
  podSets: [{{{pods}, template: {{spec: {{containers: [{{name: c, resources: {{requests: {{cpu: 2}}}}}}]}}}}}}]
status: {status}
"""


def _holding(*conditions: str, at: str = "2026-01-01T00:00:00Z") -> str:
    told = ", ".join((_condition("QuotaReserved", at=at), *conditions))
    return (
        "{admission: {clusterQueue: q, podSetAssignments: [{name: main, flavors: {cpu: f}, "
        f"resourceUsage: {{cpu: 2}}, count: 1}}]}}, conditions: [{told}]}}"
    )


def _condition(kind: str, *, status: str = "True", reason: str = "R", at: str = "2026-01-01T00:00:00Z") -> str:
    return f"{{type: {kind}, status: '{status}', reason: {reason}, lastTransitionTime: '{at}'}}"


def _admitted(tmp_path: Path, text: str) -> AdmitAnswer:
    path = tmp_path / "alone.yaml"
    path.write_text(ALONE + text, encoding="utf-8")
    return tk.admit(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[cpu]", "[cpu, cpu]", "coveredResources[1]: resource cpu is in spec.resourceGroups[0].coveredResources[0]"),
        ("quota: 2}]}", "quota: 2}]}, {name: f, resources: [{name: cpu, nominalQuota: 1}]}", "flavors[1]: flavor f is"),
        ("quota: 2}", "quota: 2}, {name: cpu, nominalQuota: 1}", "resources[1].name: cpu has a quota already"),
        ("quota: 2}", "quota: 2, lendingLimit: 3}", "lendingLimit: 3 is more than nominalQuota 2"),
        (
            "preemption:",
            "flavorFungibility: {preference: BorrowingOverPreemption}\n  preemption:",
            "preference: without",
        ),
        ("podSets: [", "podSets: []\n  left: [", "spec.podSets: is empty"),
        ("uid: w", "creationTimestamp: yesterday", "metadata.creationTimestamp: 'yesterday' is not a time"),
    ],
)
def test_what_kueue_refuses_is_refused_with_its_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (ALONE + _workload("w")).replace("nominalQuota: 2", "nominalquota: 2")
    path = tmp_path / "alone.yaml"
    changed = text.replace(old, new).replace("nominalquota: 2", "nominalQuota: 2")
    assert changed != text.replace("nominalquota: 2", "nominalQuota: 2")
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        tk.admit(path)
    assert any(str(path) in one.where and said in str(one) for one in caught.value.faults), caught.value


def test_whoever_is_on_the_way_out_leaves_before_anybody_else_has_to(tmp_path: Path) -> None:
    text = ALONE.replace("nominalQuota: 2", "nominalQuota: 4")
    path = tmp_path / "alone.yaml"
    parts = [
        _workload("gone", more="priority: 0", status=_holding(_condition("Evicted"))),
        _workload("stays", more="priority: 0", status=_holding(at="2026-01-01T05:00:00Z")),
        _workload("asks", more="priority: 9"),
    ]
    path.write_text(text + "".join(parts), encoding="utf-8")
    found = tk.admit(path).now
    assert not found.preempted
    assert [one.workload for one in found.admitted] == ["default/asks"]


def test_a_workload_that_waits_for_its_next_try_is_left_out_and_said_so(tmp_path: Path) -> None:
    status = f"{{conditions: [{_condition('Evicted')}, {_condition('Requeued', status='False')}]}}"
    found = _admitted(tmp_path, _workload("w", status=status))
    assert not found.now.admitted
    assert any("waits for its next try" in note for note in found.now.notes)


def test_who_was_evicted_for_late_pods_stands_behind_those_who_came_meanwhile(tmp_path: Path) -> None:
    late = _condition("Evicted", reason="PodsReadyTimeout", at="2026-01-01T02:00:00Z")
    first = _workload("first", status=f"{{conditions: [{late}]}}").replace(
        "uid:", "creationTimestamp: 2026-01-01T00:00:00Z, uid:"
    )
    second = _workload("second").replace("uid:", "creationTimestamp: 2026-01-01T01:00:00Z, uid:")
    assert [one.workload for one in _admitted(tmp_path, first + second).now.admitted] == ["default/second"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ((("name: h100\n      resources", "name: b200\n      resources"),), "queue-flavor-missing"),
        ((("  cohort: ai", "  cohort: ai\n  stopPolicy: Hold"),), "queue-held-lends"),
        (
            (
                ("  cohort: ai", "  cohort: ai\n  queueingStrategy: StrictFIFO"),
                ("reclaimWithinCohort: Any", "reclaimWithinCohort: Never"),
            ),
            "queue-owner-blocks",
        ),
        ((("withinClusterQueue: LowerPriority", "withinClusterQueue: Never"),), "queue-reclaim-hits-own"),
    ],
)
def test_a_hazard_is_told_with_an_example_and_a_mend(
    tmp_path: Path, changes: tuple[tuple[str, str], ...], rule: str
) -> None:
    found = [one for one in tk.admit(_written(tmp_path, *changes)).hazards if one.rule == rule]
    assert found
    assert all(one.example and one.mend for one in found)


def test_a_queue_in_no_cohort_crashes_a_scheduler_with_fair_sharing_until_it_was_mended(tmp_path: Path) -> None:
    path = _written(tmp_path, ("  cohort: ai\n", ""), ("reclaimWithinCohort: Any", "reclaimWithinCohort: Never"))
    assert "queue-crash" in {one.rule for one in tk.admit(path, fair_sharing=True).hazards}
    for found in (tk.admit(path, fair_sharing=True, kueue=(0, 18)), tk.admit(path)):
        assert "queue-crash" not in {one.rule for one in found.hazards}


def test_a_sound_design_has_no_hazards_but_loops_that_were_played_out() -> None:
    found = tk.admit(TWO_TEAMS).hazards
    assert {one.rule for one in found} <= {"queue-eviction-loop"}
    assert all("has to leave" in " ".join(one.example) for one in found)


def test_hazards_of_queues_are_findings_of_the_audit(tmp_path: Path) -> None:
    path = _written(tmp_path, ("name: h100\n      resources", "name: b200\n      resources"))
    assert "queue-flavor-missing" in {one.rule for one in tk.audit(path).findings}
    assert not any(one.rule.startswith("queue-") for one in tk.audit(TWO_TEAMS).findings)


def test_a_loop_alone_leaves_nothing_open_and_says_how_many_jobs_and_what_was_searched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["admit", "-f", str(TWO_TEAMS)])
    said = capsys.readouterr().out
    loops = [one for one in tk.admit(TWO_TEAMS).hazards if one.rule == "queue-eviction-loop"]
    assert all(one.what.startswith("can loop: an example of ") for one in loops)
    assert "random sets of jobs" in said
    assert not re.search("^hazard queue-eviction-loop", said, re.MULTILINE)


def test_resources_kueue_is_told_not_to_count_do_not_keep_a_job_waiting(tmp_path: Path) -> None:
    path = _written(
        tmp_path,
        ("parallelism: 3", "parallelism: 2"),
        ("completions: 3", "completions: 2"),
        ("{limits: {nvidia.com/gpu: 2}}", "{limits: {nvidia.com/gpu: 2, ephemeral-storage: 1Gi}}"),
    )
    assert {one.causes[0].code for one in tk.admit(path).now.waiting} == {"ResourceUnavailable"}
    assert not tk.admit(path, exclude=["ephemeral-"]).now.waiting
    values = tmp_path / "helm" / "values.yaml"
    values.parent.mkdir()
    values.write_text(
        "managerConfig:\n  controllerManagerConfigYaml: |\n    apiVersion: config.kueue.x-k8s.io/v1beta2\n"
        "    kind: Configuration\n    resources: {excludeResourcePrefixes: [ephemeral-storage]}\n",
        encoding="utf-8",
    )
    assert not tk.admit(tmp_path).now.waiting
    assert not tk.admit(path, values).now.waiting
    with pytest.raises(InputError, match="Helm values alone"):
        tk.admit(values)


def test_what_the_engine_does_not_look_at_is_said_to_be_undecided(tmp_path: Path) -> None:
    path = _written(tmp_path, ("  cohort: ai", "  cohort: ai\n  admissionChecks: [budget]"))
    assert any("admission checks" in line for line in tk.admit(path).now.undecided)


def test_jobs_of_our_own_exports_are_admitted_by_the_queues_exported_with_them(tmp_path: Path) -> None:
    catalogue, scenario = tk.load_catalogue(), tk.load_scenario("ml-platform")
    design = resolve(reference_design(catalogue.references["RA03"], scenario, catalogue), scenario, catalogue)
    export(design, scenario, catalogue, tmp_path / "export")
    found = admit(read_queues([tmp_path / "export"], sys.stdin))
    assert len(found.admitted) >= 16
    assert not found.waiting


def _more(folder: Path, text: str, *changes: tuple[str, str]) -> Path:
    path = _written(folder, *changes)
    path.write_text(f"{path.read_text(encoding='utf-8')}---\n{text}", "utf-8")
    return path


LIMIT_RANGE = """
apiVersion: v1
kind: LimitRange
metadata: {name: l, namespace: vision}
spec: {limits: [{type: Container, LIMIT}]}
"""


def test_what_a_limit_range_fills_in_is_counted(tmp_path: Path) -> None:
    bare = ("resources: {limits: {nvidia.com/gpu: 2}}", "resources: {}")
    filled = LIMIT_RANGE.replace("LIMIT", "default: {nvidia.com/gpu: 2}, defaultRequest: {nvidia.com/gpu: 2}")
    assert [one.workload for one in tk.admit(_written(tmp_path, bare)).now.waiting] == []
    (waiting,) = tk.admit(_more(tmp_path, filled, bare)).now.waiting
    assert "2 more nvidia.com/gpu" in waiting.causes[0].says


def test_what_a_limit_range_refuses_never_starts_and_that_is_said(tmp_path: Path) -> None:
    found = tk.admit(_more(tmp_path, LIMIT_RANGE.replace("LIMIT", 'max: {nvidia.com/gpu: "1"}'))).now
    gone = {one.workload for one in found.admitted} | {one.workload for one in found.waiting}
    assert "vision/job-train" not in gone
    assert any("maximum nvidia.com/gpu usage per Container is 1" in note for note in found.notes)


def test_pods_that_have_ended_give_their_quota_back_before_the_workload_ends(tmp_path: Path) -> None:
    running = """
apiVersion: kueue.x-k8s.io/v1beta1
kind: Workload
metadata: {name: old, namespace: speech}
spec:
  queueName: main
  podSets:
  - name: main
    count: 4
    template: {spec: {containers: [{name: c, image: i, resources: {limits: {nvidia.com/gpu: 1}}}]}}
status:
  admission: {clusterQueue: speech, podSetAssignments: [{name: main, count: 4, flavors: {nvidia.com/gpu: h100}}]}
  conditions: [{type: QuotaReserved, status: "True", lastTransitionTime: "2026-01-01T00:00:00Z"}]
"""
    (full,) = tk.admit(_more(tmp_path, running)).now.waiting
    (ended,) = tk.admit(_more(tmp_path, running + "  reclaimablePods: [{name: main, count: 4}]\n")).now.waiting
    assert "6 more nvidia.com/gpu" in full.causes[0].says
    assert "2 more nvidia.com/gpu" in ended.causes[0].says


def test_zero_of_a_resource_without_quota_is_no_obstacle_since_0_16(tmp_path: Path) -> None:
    zero = ("resources: {limits: {nvidia.com/gpu: 2}}", "resources: {limits: {nvidia.com/gpu: 1, example.com/x: 0}}")
    path = _written(tmp_path, zero)
    (waiting,) = tk.admit(path, kueue=(0, 15)).now.waiting
    assert "example.com/x" in waiting.causes[0].says
    assert [one.workload for one in tk.admit(path, kueue=(0, 16)).now.waiting] == []


def test_since_0_17_a_flavor_without_labels_takes_pods_that_select_anothers(tmp_path: Path) -> None:
    flavors = (
        "[{name: f, resources: [{name: cpu, nominalQuota: 2}]}, {name: g, resources: [{name: cpu, nominalQuota: 2}]}]"
    )
    labelled = """---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {name: g}
spec: {nodeLabels: {type: g}}
"""
    text = ALONE.replace("[{name: f, resources: [{name: cpu, nominalQuota: 2}]}]", flavors)
    path = tmp_path / "alone.yaml"
    pod = _workload("w").replace("{containers:", "{nodeSelector: {type: g}, containers:")
    path.write_text(text + pod + labelled, encoding="utf-8")

    def chosen(version: tuple[int, int]) -> list[str]:
        return [
            flavor for one in tk.admit(path, kueue=version).now.admitted for flavor in one.pod_sets[0].flavors.values()
        ]

    assert chosen((0, 16)) == ["g"]
    assert chosen((0, 17)) == ["f"]
    assert chosen((0, 19)) == ["f"]


RAY = """
---
apiVersion: ray.io/v1
kind: RayJob
metadata: {name: r, namespace: default, labels: {kueue.x-k8s.io/queue-name: lq}}
spec:
  MODE
  suspend: true
  rayClusterSpec:
    SCALES
    headGroupSpec: {template: {spec: {containers: [{name: ray, resources: {requests: {cpu: 1}}}]}}}
"""


@pytest.mark.parametrize(
    ("mode", "scales", "used"),
    [
        ("", "", {"head": "1", "submitter": "500m"}),
        ("submissionMode: HTTPMode", "", {"head": "1"}),
        ("submissionMode: SidecarMode", "", {"head": "1500m"}),
        ("submissionMode: HTTPMode", "enableInTreeAutoscaling: true", {"head": "1500m"}),
    ],
)
def test_a_ray_job_holds_quota_for_what_its_operator_starts_beside_it(
    tmp_path: Path, mode: str, scales: str, used: dict[str, str]
) -> None:
    path = tmp_path / "alone.yaml"
    text = ALONE.replace("coveredResources: [cpu]", "coveredResources: [cpu, memory]").replace(
        "{name: cpu, nominalQuota: 2}", "{name: cpu, nominalQuota: 2}, {name: memory, nominalQuota: 10Gi}"
    )
    path.write_text(text + RAY.replace("MODE", mode).replace("SCALES", scales), encoding="utf-8")
    found = tk.admit(path).now
    (one,) = found.admitted
    assert {part.name for part in one.pod_sets} == set(used)
    (queue,) = found.queues
    asked = sum(1000 * int(text) if text.isdigit() else int(text.removesuffix("m")) for text in used.values())
    assert queue.usage["f|cpu"] == asked


def test_a_job_whose_admission_is_gated_is_left_out_and_said_so(tmp_path: Path) -> None:
    gated = RAY.replace("labels:", "annotations: {kueue.x-k8s.io/admission-gated-by: acme.com/budget}, labels:")
    found = _admitted(tmp_path, gated.replace("MODE", "").replace("SCALES", ""))
    assert not found.now.admitted
    assert any("waits for acme.com/budget" in note for note in found.now.notes)
