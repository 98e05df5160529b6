"""Traces are read exactly; every bad row is named with file, row and field, or counted when skipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenancykit.errors import InputError
from tenancykit.scenario import traces
from tenancykit.scenario.trace_rows import Trace

GIB = 1024**3
NODES = "sn,cpu_milli,memory_mib,gpu,model\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
JOBS = "tenant,start,duration,cpu,memory,gpus,gpu_model\n"
Reader = Callable[..., Trace[Any]]


def written(folder: Path, text: str) -> Path:
    path = folder / "trace.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_openb_is_read_with_the_totals_its_source_states(shared: Path) -> None:
    folder = shared / "data" / "openb"
    nodes = traces.read_openb_nodes(folder / "openb_node_list_all_node.csv").rows
    pods = traces.read_openb_pods(folder / "openb_pod_list_default.csv").rows
    assert (len(nodes), sum(n.gpu_count for n in nodes), sum(n.cpu_milli for n in nodes)) == (1523, 6212, 125_514_000)
    assert len(pods) == 8152
    assert sum(p.gpu_count * p.gpu_milli for p in pods) == pytest.approx(6_086_800, abs=100)
    assert sum(p.cpu_milli for p in pods) == pytest.approx(85_436_000, abs=500)


def test_helios_hours_and_changes_are_read_for_all_16_tenants(shared: Path) -> None:
    folder = shared / "data" / "helios_earth_vc"
    assert len({row.tenant for row in traces.read_helios_changes(folder / "running_gpus_changes.csv").rows}) == 16
    hours = traces.read_helios_hourly(folder / "hourly.csv", value="max_demand").rows
    assert len(hours) == 11_904
    assert max(row.step for row in hours) == 743


def test_a_plain_csv_reads_quantities_fractions_and_models(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "blue,0,60,500m,16Gi,0.25,A100|H100\nred,5,1,2,1Gi,8,\n")
    first, second = traces.read_jobs_csv(path).rows
    assert (first.cpu_milli, first.memory_bytes, first.gpu_count, first.gpu_milli) == (500, 16 * GIB, 1, 250)
    assert first.gpu_models == {"A100", "H100"}
    assert (second.gpu_count, second.gpu_milli, second.gpu_models) == (8, 1000, frozenset())


def test_philly_jobs_add_up_their_attempts(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    attempts = [
        {
            "start_time": "2017-10-03 01:00:00",
            "end_time": "2017-10-03 01:10:00",
            "detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}],
        },
        {
            "start_time": "2017-10-03 02:00:00",
            "end_time": "2017-10-03 02:00:30",
            "detail": [{"ip": "m2", "gpus": ["gpu0"]}],
        },
        {"start_time": None, "end_time": None, "detail": []},
    ]
    job = {"jobid": "j1", "vc": "v", "submitted_time": "2017-10-03 00:59:00", "status": "Pass", "attempts": attempts}
    path.write_text(json.dumps([job]), encoding="utf-8")
    (row,) = traces.read_philly(path).rows
    assert (row.tenant, row.duration, row.gpu_count, row.state) == ("v", 630, 2, "Pass")


BAD: list[tuple[Reader, str, str]] = [
    (traces.read_openb_nodes, NODES + "n1,0,1024,0,\n", ":2: cpu_milli: is 0"),
    (traces.read_openb_nodes, NODES + "n1,8,1024,2,\n", ":2: model: is empty on a node with GPUs"),
    (traces.read_openb_nodes, NODES + "n1,8,1024,0,\nn1,8,1024,0,\n", ":3: sn: 'n1' is given twice"),
    (traces.read_openb_nodes, "sn,cpu_mili,memory_mib,gpu,model\n", "rename column 'cpu_mili' to 'cpu_milli'"),
    (traces.read_openb_pods, PODS + "p,1,1,1,1500,,LS,Running,0,5,\n", ":2: gpu_milli: is 1500 with 1 GPUs"),
    (traces.read_openb_pods, PODS + "p,1,1,2,500,,LS,Running,0,5,\n", "only one GPU can be shared"),
    (traces.read_openb_pods, PODS + "p,1,1,0,0,,LS,Running,9,5,\n", ":2: deletion_time: 5 is before creation_time 9"),
    (traces.read_openb_pods, PODS + "p,x,1,0,0,,LS,Running,0,5,\n", ":2: cpu_milli: 'x' is not a number"),
    (traces.read_helios_changes, "vc,minute,running_gpus\na,0,1\na,5,2\na,5,3\n", ":4: minute: 5 overlaps"),
    (traces.read_helios_changes, "vc,minute,running_gpus\na,0,1\na,5,2\na,3,3\n", ":4: minute: 3 is before 5 of a"),
    (traces.read_helios_changes, "vc,minute,running_gpus\na,7,1\n", "a starts at 7: a gap"),
    (traces.read_helios_changes, "vc,minute,cores\na,0,1\n", "no column of GPUs"),
    (
        traces.read_helios_hourly,
        "hour,vc,max_demand\n2020-05-01 00:00:00,a,1\n2020-05-01 02:00:00,a,1\n",
        ":3: hour: 2020-05-01 02:00:00 of a: a gap of 1 hours",
    ),
    (traces.read_helios_hourly, "hour,vc,max_demand\nyesterday,a,1\n", "'yesterday' is not a time"),
    (traces.read_jobs_csv, JOBS + "a,5,1,1,1Gi,0,\na,4,1,1,1Gi,0,\n", ":3: start: 4 is before 5"),
    (traces.read_jobs_csv, JOBS + "a,5,-1,1,1Gi,0,\n", ":2: duration: is -1"),
    (traces.read_jobs_csv, JOBS + "a,5,1,lots,1Gi,0,\n", ":2: cpu: 'lots' is not a quantity"),
    (traces.read_jobs_csv, JOBS + "a,5,1,1,1Gi,1.5,\n", ":2: gpus: is 1.5"),
    (traces.read_jobs_csv, JOBS + ",5,1,1,1Gi,1,\n", ":2: tenant: is empty"),
    (traces.read_jobs_csv, JOBS + "a,nan,1,1,1Gi,1,\n", ":2: start: is nan"),
    (traces.read_jobs_csv, JOBS, "has no usable rows"),
    (traces.read_activity_csv, "tenant,hour,active\na,0,1\na,2,1\n", ":3: hour: 2 of a: a gap of 1 hours"),
    (traces.read_activity_csv, "tenant,hour,active\na,0,1\na,0,1\n", ":3: hour: 0 of a overlaps"),
]


@pytest.mark.parametrize(("read", "text", "message"), BAD)
def test_a_bad_row_is_named_with_file_row_and_field(tmp_path: Path, read: Reader, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_unknown_gpu_models_are_named_with_the_nearest_known(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "a,5,1,1,1Gi,1,A10O\n")
    with pytest.raises(InputError, match="did you mean A100"):
        traces.read_jobs_csv(path, gpu_models=["A100", "H100"])


def test_bad_rows_can_be_skipped_and_are_reported_by_reason(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "a,1,1,1,1Gi,0,\na,2,x,1,1Gi,0,\na,3,-4,1,1Gi,0,\n,4,1,1,1Gi,0,\nb,5,1,1,1Gi,0,\n")
    trace = traces.read_jobs_csv(path, skip_bad_rows=True)
    assert [row.tenant for row in trace.rows] == ["a", "b"]
    assert trace.skipped == {"with a bad duration": 2, "with a bad tenant": 1}
    assert trace.report() == "skipped 3 of 5 rows: 2 with a bad duration; 1 with a bad tenant"
    assert [fault.where.rsplit(":", 2)[1] for fault in trace.faults] == ["3", "4", "5"]


def test_philly_faults_name_the_job_and_the_attempt(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    good = {"jobid": "1", "vc": "v", "submitted_time": "2017-10-03 00:00:00", "attempts": []}
    attempt = {"start_time": "2017-10-03 02:00:00", "end_time": "2017-10-03 01:00:00", "detail": []}
    jobs: list[Any] = [good, {**good, "attempts": [attempt]}, {"jobid": "3"}, 7]
    path.write_text(json.dumps(jobs), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        traces.read_philly(path)
    for part in ("job 1: attempts[0].end_time", "job 2: vc: is missing", "job 3: job: is a int"):
        assert part in str(caught.value)
    assert len(traces.read_philly(path, skip_bad_rows=True).rows) == 1
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        traces.read_philly(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        traces.read_jobs_csv(tmp_path / "none.csv")
