"""A trace says what its tenants need apart and together, and how long they wait where capacity is capped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.scenario.trace_formats import FORMS, form_of
from tenancykit.scenario.traces import read_activity_csv

JOBS = "tenant,start,duration,cpu,memory,gpus,gpu_model\n"
PHILLY = [
    {
        "jobid": "j",
        "vc": "v",
        "submitted_time": "2017-10-07 01:11:39",
        "attempts": [
            {
                "start_time": "2017-10-07 01:12:00",
                "end_time": "2017-10-07 02:12:00",
                "detail": [{"ip": "m", "gpus": ["gpu0", "gpu1"]}],
            }
        ],
    }
]


def written(folder: Path, text: str, name: str = "trace.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_tenants_that_take_turns_need_half_as_much_together(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "blue,0,3600,1,1Gi,4,\nred,3600,3600,1,1Gi,4,\ngreen,3600,1800,1,1Gi,0.5,\n")
    found = tk.demand(path, pools={"both": ["blue", "green"]})
    assert dict(found.apart) == {"blue": 4, "green": 0.5, "red": 4}
    assert (found.together, found.pools["both"], found.hours) == (4.5, 4, 2)
    assert found.gain == pytest.approx(8.5 / 4.5)
    assert tk.demand(path, resource="cpu").together == 2


def test_under_a_cap_the_jobs_of_a_trace_wait_as_computed_by_hand(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "a,0,3600,1,1Gi,2,\nb,0,7200,1,1Gi,2,\na,1800,3600,1,1Gi,1,\nb,1800,60,1,1Gi,9,\n")
    waits = tk.demand(path, cap=2).waits
    assert waits is not None
    # the first runs at once, the second after an hour, the third when that is over: at 3 h, 2.5 h after it asked
    assert waits.mean == pytest.approx((0 + 1 + 2.5) / 3)
    assert (waits.longest, waits.never) == (2.5, 1)


def test_a_series_under_a_cap_waits_for_its_backlog(tmp_path: Path) -> None:
    path = written(tmp_path, "tenant,hour,active\na,0,6\na,1,0\n")
    found = tk.demand(path, cap=4)
    assert (found.unit, found.waits and found.waits.longest) == ("replicas", 0.5)


def test_traces_of_one_format_add_up_and_others_are_refused(tmp_path: Path) -> None:
    running = written(tmp_path, "vc,minute,running_gpus\na,0,3\nb,0,1\na,9,0\n", "running.csv")
    pending = written(tmp_path, "vc,minute,pending_gpus\na,0,0\na,4,5\n", "pending.csv")
    found = tk.demand(running, pending)
    assert (dict(found.apart), found.together, found.form) == ({"a": 8, "b": 1}, 9, "helios-changes")
    with pytest.raises(InputError, match="have 2 formats: helios-changes, jobs"):
        tk.demand(running, written(tmp_path, JOBS + "a,0,1,1,1Gi,1,\n"))


def test_helios_and_openb_say_what_their_sources_compute(shared: Path) -> None:
    folder = shared / "data" / "helios_earth_vc"
    helios = tk.demand(folder / "running_gpus_changes.csv", folder / "pending_gpus_changes.csv")
    assert (sum(helios.apart.values()), helios.together) == (1526, 933)
    openb = tk.demand(shared / "data" / "openb" / "openb_pod_list_default.csv")
    assert openb.together == pytest.approx(65.6, abs=0.05)
    assert list(openb.apart) == ["everybody"]


def test_the_hours_of_a_trace_go_into_a_scenario_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + '"blue, inc",0,5400,1,1Gi,4,\nred,7200,3600,1,1Gi,0.25,\nred,7200,60,1,1Gi,1,\n')
    found = tk.demand(path)
    again = written(tmp_path, found.activity_csv(), "demand.csv")
    rows = [(row.tenant, row.step, row.value) for row in read_activity_csv(again).rows]
    assert rows == [
        ("blue, inc", 0, 4),
        ("blue, inc", 1, 4),
        ("blue, inc", 2, 0),
        *(("red", h, 0) for h in (0, 1)),
        ("red", 2, 1.25),
    ]
    assert (tk.demand(again).apart, tk.demand(again).together) == (found.apart, found.together)
    formulas = tk.demand(written(tmp_path, JOBS + '"=HYPERLINK(1)",0,3600,1,1Gi,1,\n+1,0,3600,1,1Gi,1,\n'))
    text = formulas.activity_csv()
    assert not any(line.startswith(("=", "+", '"=')) for line in text.splitlines())
    assert list(tk.demand(written(tmp_path, text, "formulas.csv")).apart) == list(formulas.apart)
    minutes = written(tmp_path, "vc,minute,running_gpus\na,0,3\na,59,7\na,61,0\n", "running.csv")
    assert tk.demand(minutes).hourly["a"].tolist() == [7, 7]


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.columns])
def test_a_format_is_known_by_its_columns(tmp_path: Path, name: str) -> None:
    columns = FORMS[name].columns
    text = ";".join([*reversed(columns), "note"]) + "\n"
    assert form_of(written(tmp_path, text)) == name


def test_a_philly_log_is_counted_in_gpus_from_the_submission_on(tmp_path: Path) -> None:
    found = tk.demand(written(tmp_path, json.dumps(PHILLY), "cluster_job_log"))
    assert (found.form, dict(found.apart), found.hours) == ("philly", {"v": 2}, 1)


def test_skipped_rows_are_reported_beside_the_result(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS + "a,0,3600,1,1Gi,4,\na,x,1,1,1Gi,4,\n")
    with pytest.raises(InputError, match=r"trace\.csv:3: start: 'x' is not a time"):
        tk.demand(path)
    found = tk.demand(path, skip_bad_rows=True)
    assert found.skipped.startswith("skipped 1 of 2 rows: 1 with a bad start; the first: ")
    assert found.skipped in found.text()


@pytest.mark.parametrize(
    ("text", "asked", "message"),
    [
        ("", {}, "trace.csv: is empty"),
        ("a,b,c\n1,2,3\n", {}, "columns: are those of no known trace"),
        (JOBS.replace("start", "begin") + "a,0,1,1,1Gi,1,\n", {}, "column 'start': is missing"),
        (JOBS + "a,0,1,1,1Gi,1,\n", {"form": "jobz"}, "did you mean jobs"),
        (JOBS + "a,0,1,1,1Gi,1,\n", {"pools": {"p": ["b"]}}, "pool 'p': tenant 'b' is not in the trace"),
        (JOBS + "a,0,1,1,1Gi,1,\n", {"cap": float("nan")}, "cap: is nan"),
        (JOBS + "a,0,1,1,1Gi,1,\n", {"cap": 0}, "cap: is 0"),
        (JOBS + "a,0,1,1,1Gi,1,\n", {"percentile": 101}, "percentile: is 101"),
        (JOBS + "a,0,1,1,1Gi,1,\n", {"resource": "gpus"}, "did you mean gpu"),
        (JOBS + "a,0,1,1,1Gi,0,\n", {}, "no job asks for GPUs"),
        (JOBS + "a,0,9e15,1,1Gi,1,\n", {}, "duration: the trace spans"),
    ],
)
def test_what_cannot_be_answered_is_named(tmp_path: Path, text: str, asked: dict[str, object], message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        tk.demand(path, **asked)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert all(fault.cure for fault in caught.value.faults)
