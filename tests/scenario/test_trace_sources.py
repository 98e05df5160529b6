"""Job lists and samples are read as clusters and published traces give them, found by what they hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.scenario.trace_formats import form_of, read_trace
from tenancykit.scenario.trace_rows import TraceJob

GIB = 1024**3
SACCT = "JobID|User|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES|ReqTRES\n"
KALOS = (
    "job_id,user,node_num,gpu_num,cpu_num,mem_per_pod_GB,shared_mem_per_pod,type,state,submit_time,start_time,end_time,"
    "fail_time,stop_time,duration,queue,gpu_time\n"
)
DLRM = (
    "instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,rdma_request,rdma_limit,memory_request,"
    "memory_limit,disk_request,disk_limit,max_instance_per_node,creation_time,scheduled_time,deletion_time\n"
)


def rows(folder: Path, text: str, form: str, name: str = "trace.txt", **more: Any) -> list[TraceJob]:
    """The rows of a trace that is found to have a format by itself."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    assert form_of(path) == form
    found = read_trace(path, **more)[1].rows
    return [row for row in found if isinstance(row, TraceJob)]


def fault(folder: Path, text: str) -> str:
    path = folder / "trace.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_trace(path)
    return str(caught.value)


def test_slurm_jobs_hold_what_they_were_given_from_start_to_end(tmp_path: Path) -> None:
    text = SACCT + (
        "7|ann|physics|COMPLETED|2026-01-01T00:00:00|2026-01-01T01:00:00|2026-01-01T03:00:00|7200|"
        "billing=8,cpu=8,gres/gpu:a100=4,gres/gpu=4,mem=64G,node=1|\n"
        "7.batch||physics|COMPLETED|2026-01-01T01:00:00|2026-01-01T01:00:00|2026-01-01T03:00:00|7200|cpu=8|\n"
        "8|bob|art|RUNNING|2026-01-01T02:00:00|2026-01-01T02:00:00|Unknown|600|cpu=1,mem=512M,gres/gpu=1|\n"
        "9|bob|art|CANCELLED by 1|2026-01-01T02:00:00|None|2026-01-01T02:30:00|0||cpu=2,gres/gpu=2\n"
    )
    first, running, never = rows(tmp_path, text, "sacct")
    assert (first.tenant, first.duration, first.cpu_milli, first.memory_bytes) == ("physics", 7200, 8000, 64 * GIB)
    assert (first.gpu_count, first.gpu_models) == (4, frozenset({"a100"}))
    assert (running.duration, running.memory_bytes) == (600, GIB // 2)
    assert (never.duration, never.gpu_count) == (0, 2)


def test_acme_jobs_hold_their_gpus_from_start_to_end_not_for_the_wait(tmp_path: Path) -> None:
    text = KALOS + (
        "a,u1,8,64,960,1000,100.0,Other,FAILED,2023-05-17 11:00:58+00:00,2023-05-17 11:01:08+00:00,"
        "2023-05-17 11:01:16+00:00,2023-05-17 11:01:16+00:00,,18,10.0,1152.0\n"
        "b,u1,1,0,4,10,1.0,Other,CANCELLED,2023-05-17 19:00:58+08:00,,,,,0,0,0\n"
    )
    first, never = rows(tmp_path, text, "acme")
    assert (first.duration, first.gpu_count, first.memory_bytes) == (8, 64, 8000 * GIB)
    assert (never.duration, never.start) == (0, first.start)


def test_instances_that_were_there_before_or_stay_fill_the_trace(tmp_path: Path) -> None:
    text = DLRM + (
        "i1,HN,app_0,12,12,1,1,25,25,120.0,120.0,680.0,800.0,8,,,\n"
        "i2,CN,app_1,64,64,0,0,1,1,320.0,320.0,255.0,300.0,-1,100.0,100.0,500.0\n"
        "i3,HN,app_1,1,1,1,1,1,1,1,1,1,1,-1,400,400,NaN\n"
    )
    found = rows(tmp_path, text, "gpu-v2025")
    assert [(row.tenant, row.start, row.duration) for row in found] == [
        ("app_0", 0, 500),
        ("app_1", 100, 400),
        ("app_1", 400, 100),
    ]
    assert found[0].memory_bytes == 120 * GIB


def workload(name: str, created: str, conditions: dict[str, str], count: int = 2) -> dict[str, Any]:
    container = {"name": "c", "resources": {"requests": {"cpu": "500m", "nvidia.com/gpu": "4", "memory": "1Gi"}}}
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": "blue", "creationTimestamp": created},
        "spec": {"podSets": [{"name": "main", "count": count, "template": {"spec": {"containers": [container]}}}]},
        "status": {
            "conditions": [{"type": k, "status": "True", "lastTransitionTime": v} for k, v in conditions.items()]
        },
    }


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_kueue_workloads_hold_quota_from_admission_to_their_end(tmp_path: Path, form: str) -> None:
    done = {"Admitted": "2026-01-01T00:10:00Z", "Finished": "2026-01-01T01:10:00Z"}
    items = [
        workload("a", "2026-01-01T00:00:00Z", done),
        workload("b", "2026-01-01T00:00:00Z", {"Admitted": "2026-01-01T00:40:00Z"}),
        workload("c", "2026-01-01T00:00:00Z", {}),
    ]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    text = json.dumps(listed)
    if form == "yaml":
        text = "apiVersion: v1\nkind: List\nitems:\n" + "".join(f"- {json.dumps(item)}\n" for item in items)
    found = rows(tmp_path, text, "kueue", f"w.{form}")
    assert [(row.tenant, row.duration, row.gpu_count, row.cpu_milli) for row in found] == [
        ("blue", 3600, 8, 1000),
        ("blue", 3600, 8, 1000),
        ("blue", 0, 8, 1000),
    ]


def test_opencost_allocations_are_averages_over_the_time_a_tenant_ran(tmp_path: Path) -> None:
    hour = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z", "cpuCores": 0.25, "ramBytes": GIB}
    windows = [{"blue": {**hour, "gpuHours": 2.5}, "__idle__": hour}, {"blue": {**hour, "gpuHours": 0}}]
    answer = {"code": 200, "data": windows}
    first, second = rows(tmp_path, json.dumps(answer), "opencost")
    assert (first.tenant, first.duration, first.cpu_milli) == ("blue", 3600, 250)
    assert first.gpu_count * first.gpu_milli == pytest.approx(2500, abs=1)
    assert second.gpu_count == 0


def test_prometheus_samples_count_gpus_and_devices(tmp_path: Path) -> None:
    plain = "timestamp,namespace,value\n0,blue,3\n60,blue,1.5\n60,red,0\n"
    found = rows(tmp_path, plain, "prometheus")
    assert [(row.tenant, row.gpu_count * row.gpu_milli, row.duration) for row in found] == [
        ("blue", 3000, 60), ("blue", 1500, 60), ("red", 0, 60)]  # fmt: skip
    devices = "timestamp,UUID,namespace,value\n2026-01-01T00:00:00Z,g1,blue,0\n2026-01-01T00:00:30Z,g1,blue,97\n"
    assert [row.gpu_count for row in rows(tmp_path, devices, "prometheus")] == [1, 1]
    series = [{"metric": {"namespace": "blue"}, "values": [[0, "2"], [30, "4"]]}]
    matrix = {"status": "success", "data": {"resultType": "matrix", "result": series}}
    assert [row.gpu_count for row in rows(tmp_path, json.dumps(matrix), "prometheus")] == [2, 4]
    wide = "Time,blue,red\n2026-01-01 00:00:00,3,\n2026-01-01 00:01:00,2,1\n"
    assert [(row.tenant, row.gpu_count) for row in rows(tmp_path, wide, "prometheus-wide")] == [
        ("blue", 3), ("blue", 2), ("red", 1)]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SACCT + "7|a|p|X|2026-01-01T00:00:00|2026-01-01T02:00:00|2026-01-01T01:00:00||cpu=1|\n",
            "End: 2026-01-01T01:00:00 is before Start",
        ),
        (SACCT + "7|a|p|X|2026-01-01T00:00:00|2026-01-01T02:00:00|Unknown||cpu=1|\n", "add ElapsedRaw"),
        (SACCT + "7|a|p|X|2026-01-01T00:00:00|None|None||cpu|\n", "names no resource with an amount"),
        (SACCT + "7|||X|2026-01-01T00:00:00|None|None||cpu=1|\n", "Account: is empty"),
        (SACCT + "7|a|p|X|yesterday|None|None||cpu=1|\n", "'yesterday' is not a time"),
        (
            SACCT + "7|a|p|X|2026-01-01T00:00:00|None|None||cpu=1|\n8|a|p|X|2026-01-01T00:00:00Z|None|None||cpu=1|\n",
            "is a time with a zone, the times before it are times without a zone",
        ),
        ("timestamp,namespace,value\n0,blue,-1\n1,blue,1\n", "value: is -1"),
        ("timestamp,namespace,value\n0,blue,1\n", "are all of one moment"),
        ('{"code": 200, "data": {}}', "no answer of OpenCost's allocation API"),
        ('{"code": 200, "data": [{"blue": {"start": "x", "end": "y"}}]}', "data[0].blue: start: 'x' is not a time"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in fault(tmp_path, text)


def test_starts_may_be_times_with_zones(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    header = "tenant,start,duration,cpu,memory,gpus,gpu_model\n"
    path.write_text(header + "a,2026-01-01T00:00:00Z,3600,1,1Gi,1,\nb,2026-01-01T02:00:00+01:00,3600,1,1Gi,1,\n")
    assert tk.demand(path).together == 1
    path.write_text(header + "a,0,3600,1,1Gi,1,\nb,2026-01-01T02:00:00+01:00,3600,1,1Gi,1,\n")
    with pytest.raises(InputError, match="the times before it are seconds"):
        tk.demand(path)


@pytest.mark.parametrize(("percentile", "alone", "together"), [(99.9, 0, 1), (99.96, 8, 9), (100, 8, 9), (50, 0, 1)])
def test_a_percentile_is_of_the_time_not_of_hourly_peaks(
    tmp_path: Path, percentile: float, alone: float, together: float
) -> None:
    path = tmp_path / "jobs.csv"
    busy = "".join(f"b,{hour * 3600},60,1,1Gi,8,\n" for hour in range(3))
    path.write_text("tenant,start,duration,cpu,memory,gpus,gpu_model\na,0,360000,1,1Gi,1,\n" + busy)
    found = tk.demand(path, percentile=percentile)
    assert (found.apart["b"], found.together) == (alone, together)
