"""Traces are read exactly; every bad row is named with file, row and field, or counted when skipped."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubeanswers.errors import Fault, InputError
from tenancykit.scenario import trace_rows, traces
from tenancykit.scenario.trace_rows import Trace

GIB = 1024**3
NODES = "sn,cpu_milli,memory_mib,gpu,model\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
JOBS = "tenant,start,duration,cpu,memory,gpus,gpu_model\n"
HELIOS = "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
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
    (traces.read_helios_changes, "vc,minute,running_gpus\na,0,1\na,5,2\na,5,3\n", ":4: minute: 5 of a overlaps"),
    (
        traces.read_helios_changes,
        "vc,minute,running_gpus\na,0,1\na,5,2\na,3,3\n",
        ":4: minute: 3 of a goes back behind minute 5",
    ),
    (traces.read_helios_changes, "vc,minute,running_gpus\na,7,1\n", ":2: minute: 7 of a: a gap of 7 minutes"),
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
    (traces.read_jobs_csv, JOBS + "a,nan,1,1,1Gi,1,\n", ":2: start: 'nan' is not a time"),
    (traces.read_jobs_csv, JOBS, "has no usable rows"),
    (traces.read_jobs_csv, "", "is empty; allowed: columns tenant, start"),
    (traces.read_jobs_csv, "\n\n", "is empty"),
    (traces.read_jobs_csv, JOBS + "a,5,1,1,1Gi\n", ":2: row: ends before 'gpus'"),
    (traces.read_jobs_csv, JOBS + "a,5,1,1,1Gi,1,,b\n", ":2: row: has 8 fields; allowed: 7, as the header"),
    (traces.read_jobs_csv, JOBS + "a,1e300,1,1,1Gi,1,\n", ":2: start: is 1e300; allowed: at most"),
    (traces.read_jobs_csv, JOBS + "a,0,1,1,1e300,1,\n", ":2: memory: is 1e300; allowed: at most"),
    (traces.read_jobs_csv, JOBS + "a,0,1_000,1,1Gi,1,\n", ":2: duration: '1_000' is not a number"),
    (traces.read_jobs_csv, JOBS + "a,\u0663,1,1,1Gi,1,\n", ":2: start: '\u0663' is not a time"),
    (traces.read_jobs_csv, JOBS + "a,0,inf,1,1Gi,1,\n", ":2: duration: 'inf' is not a number"),
    (traces.read_jobs_csv, JOBS + "a,,1,1,1Gi,1,\n", ":2: start: '' is not a time; allowed: seconds, or YYYY-MM-DD"),
    (traces.read_jobs_csv, JOBS.replace(",", ";") + "a;0;1,5;1;1Gi;1;\n", "'1,5' is not a number"),
    (traces.read_jobs_csv, JOBS.replace(",", ";") + "a;0;1,5;1;1Gi;1;\n", "write a decimal point"),
    (traces.read_jobs_csv, JOBS + 'a,0,1,1,1Gi,1,"\n', "close the quotation mark"),
    (traces.read_jobs_csv, JOBS.replace("cpu", "start") + "a,0,1,1,1Gi,1,\n", "column 'start': is given twice"),
    (traces.read_helios_jobs, HELIOS + "1,u,v,1,1,1,X,2020-06-09 18:41:01,2020-06-09 18:41:00,,0,0\n", "end_time: ''"),
    (
        traces.read_helios_jobs,
        HELIOS + "1,u,v,1,1,1,X,2020-06-09 18:41:01,2020-06-09 18:41:00,2020-06-09 18:41:01,0,0\n",
        ":2: start_time: 2020-06-09 18:41:00 is before submit_time",
    ),
    (
        traces.read_helios_jobs,
        HELIOS + "1,u,v,1,1,1,X,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-08 18:41:01,0,0\n",
        ":2: end_time: 2020-06-08 18:41:01 is before start_time",
    ),
    (traces.read_helios_changes, "vc,minute,running_gpus\na,0,1\na,99999999999,2\n", ":3: minute: is 99999999999"),
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


@pytest.mark.parametrize(("read", "text", "message"), BAD)
def test_every_fault_says_what_to_do(tmp_path: Path, read: Reader, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(written(tmp_path, text))
    assert all(fault.cure for fault in caught.value.faults), message


ROWS = 'tenant,hour,active\nblue,0,2\n"red, inc",0,3\nblue,1,4.5\n'


@pytest.mark.parametrize(
    "content",
    [
        ROWS.encode(),
        ROWS.encode("utf-8-sig"),
        ROWS.replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode(),
        ROWS.replace("red, inc", "red; inc")
        .replace(",", ";")
        .replace("red; inc", "red, inc")
        .replace("red;", "red,")
        .encode(),
        ROWS.replace("red, inc", "red# inc").replace(",", "\t").replace("red# inc", "red, inc").encode(),
        ROWS.replace("\n", ",\n").encode(),
        ROWS.replace("\nblue", "\n\nblue").encode(),
        gzip.compress(ROWS.encode("utf-8-sig")),
        b'active , hour,note,tenant\n2,0,,blue\n3,0,x,"red, inc"\n4.5,1,,blue\n',
    ],
    ids=["plain", "bom", "crlf", "cr", "semicolon", "tab", "trailing-comma", "blank-lines", "gzip", "other-order"],
)
def test_a_table_reads_the_same_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trace"
    path.write_bytes(content)
    rows = [(row.tenant, row.step, row.value) for row in traces.read_activity_csv(path).rows]
    assert rows == [("blue", 0, 2), ("red, inc", 0, 3), ("blue", 1, 4.5)]


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv.gz"
    for content, message in (
        (gzip.compress(ROWS.encode())[:-9], "is a damaged gzip file"),
        (gzip.compress(ROWS.encode("utf-16")), "is not UTF-8 text; save it as UTF-8"),
        (ROWS.encode("utf-16"), "is not UTF-8 text; save it as UTF-8"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            traces.read_activity_csv(path)


def test_one_bad_row_does_not_make_those_behind_it_bad(tmp_path: Path) -> None:
    rows = "".join(f"a,{hour},1\n" for hour in range(2, 9))
    value = traces.read_activity_csv(written(tmp_path, f"tenant,hour,active\na,0,1\na,1,?\n{rows}"), skip_bad_rows=True)
    assert ([row.step for row in value.rows], value.skipped) == ([0, *range(2, 9)], {"with a bad active": 1})
    leap = traces.read_activity_csv(
        written(tmp_path, f"tenant,hour,active\na,0,1\na,900,1\n{rows}"), skip_bad_rows=True
    )
    assert ([row.step for row in leap.rows], leap.skipped) == ([0, *range(3, 9)], {"after a gap": 2})
    text = "vc,minute,running_gpus\na,0,x\na,2,5\na,4,6\n"
    changes = traces.read_helios_changes(written(tmp_path, text), skip_bad_rows=True)
    assert ([row.step for row in changes.rows], changes.skipped) == ([2, 4], {"with a bad running_gpus": 1})


def test_skipped_rows_are_told_apart_by_why(tmp_path: Path) -> None:
    text = "tenant,hour,active\na,0,1\na,0,1\na,2,1\na,3,1\na,1,1\na,4,nan\na,5\n"
    trace = traces.read_activity_csv(written(tmp_path, text), skip_bad_rows=True)
    assert trace.skipped == {
        "after a gap": 1,
        "that go back": 1,
        "that overlap": 1,
        "with a bad active": 1,
        "with a bad row": 1,
    }
    assert [row.step for row in trace.rows] == [0, 3]


def test_a_helios_job_log_reads_as_published(tmp_path: Path) -> None:
    text = HELIOS + (
        "1425511,uXBbc,vcJkd,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 04:55:09,36848,0\n"
        "1425512,uVMrF,vchbv,4,16,1,FAILED,2020-06-09 18:41:27,2020-06-09 18:41:27,2020-06-09 18:45:36,249,0\n"
    )
    first, second = traces.read_helios_jobs(written(tmp_path, text)).rows
    assert (first.name, first.tenant, first.duration, first.state) == ("1425511", "vcJkd", 36848, "COMPLETED")
    assert (second.start - first.start, second.gpu_count, second.cpu_milli) == (26, 4, 16_000)


def test_unknown_gpu_models_are_named_with_the_nearest_known(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "a,5,1,1,1Gi,1,A10O\n")
    with pytest.raises(InputError, match="did you mean A100"):
        traces.read_jobs_csv(path, gpu_models=["A100", "H100"])


def test_bad_rows_can_be_skipped_and_are_reported_by_reason(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "a,1,1,1,1Gi,0,\na,2,x,1,1Gi,0,\na,3,-4,1,1Gi,0,\n,4,1,1,1Gi,0,\nb,5,1,1,1Gi,0,\n")
    trace = traces.read_jobs_csv(path, skip_bad_rows=True)
    assert [row.tenant for row in trace.rows] == ["a", "b"]
    assert trace.skipped == {"with a bad duration": 2, "with a bad tenant": 1}
    counted = "skipped 3 of 5 rows: 2 with a bad duration; 1 with a bad tenant"
    assert trace.report() == f"{counted}; the first: {path}:3: duration: 'x' is not a number"
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
    odd: list[tuple[dict[str, Any], str]] = [
        ({"attempts": [{"detail": 7}]}, "attempts[0].detail: is a int"),
        ({"attempts": [{"detail": [{"ip": "m1", "gpus": 8}]}]}, "attempts[0].detail[0].gpus: is a int"),
        ({"attempts": [3]}, "attempts[0]: is a int"),
        ({"attempts": None}, "attempts: is a NoneType"),
        ({"vc": None}, "vc: is empty"),
        ({"submitted_time": "None"}, "submitted_time: 'None' is not a time"),
    ]
    path.write_text(json.dumps([{**good, **change} for change, _ in odd]), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        traces.read_philly(path)
    for fault, (_, part) in zip(caught.value.faults, odd, strict=True):
        assert part in str(fault)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        traces.read_philly(path)


def test_a_philly_attempt_that_was_cut_off_counts_its_gpus_but_no_time(tmp_path: Path) -> None:
    path = tmp_path / "cluster_job_log"
    detail = [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}, {"ip": "m2", "gpus": ["gpu0"]}]
    attempt = {"start_time": "2017-10-07 01:12:09", "end_time": "None", "detail": detail}
    job = {"jobid": "j", "vc": "v", "submitted_time": "2017-10-07 01:11:39", "user": "u", "attempts": [attempt]}
    path.write_bytes(gzip.compress(json.dumps([job]).encode("utf-8-sig")))
    (row,) = traces.read_philly(path).rows
    assert (row.gpu_count, row.duration) == (3, 0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        traces.read_jobs_csv(tmp_path / "none.csv")


SAMPLES: list[tuple[Reader, str]] = [
    (traces.read_openb_nodes, NODES + "n1,8,1024,2,T4\nn2,8,1024,0,\n"),
    (traces.read_openb_pods, PODS + "p,1,1,1,500,T4|A10,LS,Running,0,5,\nq,1,1,0,0,,LS,Running,0,,0\n"),
    (
        traces.read_helios_jobs,
        HELIOS + "1,u,v,1,1,1,X,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-09 18:45:01,240,0\n",
    ),
    (traces.read_helios_changes, "vc,minute,running_gpus\na,0,1\na,5,2\nb,0,2\n"),
    (traces.read_helios_hourly, "hour,vc,max_demand\n2020-05-01 00:00:00,a,1\n2020-05-01 01:00:00,a,2\n"),
    (
        traces.read_philly,
        json.dumps([{"jobid": "1", "vc": "v", "submitted_time": "2017-10-03 00:00:00", "attempts": [{"detail": []}]}]),
    ),
    (traces.read_jobs_csv, JOBS + "a,5,1,500m,1Gi,0.5,A100|H100\nb,6,1,2,1Gi,8,\n"),
    (traces.read_activity_csv, "tenant,hour,active\na,0,1\nb,0,2.5\na,1,0\n"),
]
JUNK = [
    "",
    "nan",
    "-1",
    "1e999",
    "9" * 400,
    '"',
    ",",
    ";",
    "\n",
    "\x00",
    "\u2028",
    "\ufeff",
    "[",
    "{}",
    "null",
    "1_0",
    "x",
]


@pytest.mark.parametrize(("read", "text"), SAMPLES, ids=lambda value: getattr(value, "__name__", ""))
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_broken_in_a_trace_is_a_named_fault(
    tmp_path: Path, read: Reader, text: str, data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(0, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = min(len(text), begin + data.draw(st.integers(0, 6)))
        text = text[:begin] + data.draw(st.sampled_from(JUNK)) + text[end:]
    path = written(tmp_path, text)
    for skip in (False, True):
        trace, faults = read_or_faults(read, path, skip=skip)
        assert all(fault.where.startswith(str(path)) and fault.cure for fault in faults)
        if trace:
            assert trace.rows
            assert sum(trace.skipped.values()) == len(trace.faults)
            assert skip or not trace.faults


def read_or_faults(read: Reader, path: Path, *, skip: bool) -> tuple[Trace[Any] | None, tuple[Fault, ...]]:
    try:
        return read(path, skip_bad_rows=skip), ()
    except InputError as error:
        return None, error.faults


def test_a_log_of_jobs_is_kept_as_columns_and_reads_as_its_rows(tmp_path: Path) -> None:
    rows = [f"t{n % 7},{n},{n % 5},{n % 3},1Gi,{n % 4},{'A100|H100' if n % 2 else ''}\n" for n in range(1000)]
    path = tmp_path / "jobs.csv"
    path.write_text("tenant,start,duration,cpu,memory,gpus,gpu_model\n" + "".join(rows))
    found = traces.read_jobs_csv(path).rows
    assert isinstance(found, trace_rows.JobTable)
    assert len(found) == 1000
    listed = list(found)
    assert [found[n] for n in range(1000)] == listed
    assert found[10:12] == listed[10:12]
    assert listed[9].tenant == "t2"
    assert listed[9].gpu_models == frozenset({"A100", "H100"})
    assert [job.start for job in listed] == found.numbers("start").tolist()
    held = sum(column.itemsize * len(column) for column in (*found._numbers.values(), *found._words.values()))
    assert held <= 80 * 1000, "a million jobs are to fit into 80 MB"


def test_a_trace_out_of_a_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("tenant,start,duration,cpu,memory,gpus,gpu_model\na,0,60,1,1Gi,1,\n")
    command = f"{sys.executable} -m tenancykit demand <(gzip -c {path})"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
