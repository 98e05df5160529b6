"""What can be relied on about ``tenancykit queue``: who waits how long under which quotas, and bad input named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tenancykit as tk
from kubeanswers.errors import InputError
from kubeanswers.queueing.service import DESIGNS, Asked, Service, Stops, _Run, simulate, smallest_fleet
from tenancykit.cli import main

HOUR = 3600.0
BUSY = (Asked("lender", 0, 10, 1), Asked("busy", 1, 100, 4), Asked("busy", 2, 100, 4), Asked("lender", 50, 10, 4))
QUOTAS = {"busy": 4, "lender": 4}


def _waits(found: Service, queue: str) -> list[float]:
    return next(list(one.waits) for one in found.queues if one.queue == queue)


def test_static_quotas_let_a_tenant_wait_beside_idle_gpus() -> None:
    found = simulate(BUSY, QUOTAS, "static")
    assert _waits(found, "busy") == [0, 99]
    assert _waits(found, "lender") == [0, 0]
    assert found.stranded > 0


def test_borrowing_starts_the_job_at_once_and_the_owner_takes_its_quota_back() -> None:
    found = simulate(BUSY, QUOTAS, "borrowing")
    # The second job of busy borrows at 10, leaves at 50 (40 s on 4 GPUs in vain) and starts again at 60.
    assert _waits(found, "busy") == [0, 58]
    assert _waits(found, "lender") == [0, 0]
    assert [(one.preemptions, one.lost) for one in found.queues] == [(1, 160), (0, 0)]


def test_fair_sharing_gives_the_next_gpus_to_who_holds_least() -> None:
    jobs = [*(Asked("a", 0, 10, 1) for _ in range(6)), *(Asked("b", 1, 10, 1) for _ in range(2))]
    found = simulate(jobs, {"a": 2, "b": 2}, "fair")
    assert _waits(found, "b") == [0, 0]
    assert next(one for one in found.queues if one.queue == "a").preemptions == 2


def test_a_cluster_each_is_whole_machines() -> None:
    assert simulate(BUSY, QUOTAS, "clusters", machine=8).gpus == 16


_JOBS = st.lists(
    st.builds(
        Asked, st.sampled_from("abc"), st.integers(0, 50).map(float), st.integers(1, 30).map(float), st.integers(1, 9)
    ),
    max_size=40,
).map(lambda jobs: sorted(jobs, key=lambda job: job.submit))
_QUOTAS = st.fixed_dictionaries({name: st.integers(0, 6) for name in "abc"})


@settings(max_examples=150, deadline=None)
@given(_JOBS, _QUOTAS, st.sampled_from(DESIGNS))
def test_gpus_are_conserved_and_every_job_is_told_once(jobs: list[Asked], quotas: dict[str, int], design: str) -> None:
    found = simulate(jobs, quotas, design, machine=4)
    assert 0 <= found.peak <= found.gpus
    assert found.left == 0
    for one in found.queues:
        assert len(one.waits) + one.never == sum(job.queue == one.queue for job in jobs)
        assert all(wait >= 0 for wait in one.waits)
    assert found == simulate(jobs, quotas, design, machine=4)


@settings(max_examples=100, deadline=None)
@given(_JOBS, _QUOTAS, st.sampled_from(DESIGNS), st.sampled_from([0.0, 5.0, 30.0]), st.sampled_from([50.0, 95.0]))
def test_a_search_for_a_fleet_stops_early_only_where_the_whole_simulation_misses_the_target(
    jobs: list[Asked], quotas: dict[str, int], design: str, target: float, percent: float
) -> None:
    quick = _Run(jobs, quotas, design, 4).keeps(target, percent)
    assert quick == simulate(jobs, quotas, design, machine=4).within(target, percent)


@settings(max_examples=100, deadline=None)
@given(_JOBS, _QUOTAS)
def test_without_sharing_nobody_leaves_and_another_tenants_jobs_change_nothing(
    jobs: list[Asked], quotas: dict[str, int]
) -> None:
    found = simulate(jobs, quotas, "static")
    alone = simulate([job for job in jobs if job.queue == "a"], quotas, "static")
    assert _waits(found, "a") == _waits(alone, "a")
    assert not any(one.preemptions for one in found.queues)


@settings(max_examples=100, deadline=None)
@given(_JOBS, _QUOTAS)
def test_borrowing_never_makes_a_tenant_whose_jobs_fit_its_quota_wait_where_static_does_not(
    jobs: list[Asked], quotas: dict[str, int]
) -> None:
    jobs = [job for job in jobs if job.gpus <= quotas[job.queue]]
    static, borrowing = simulate(jobs, quotas, "static"), simulate(jobs, quotas, "borrowing")
    for before, after in zip(static.queues, borrowing.queues, strict=True):
        if not any(before.waits):
            assert not any(after.waits)


def test_the_smallest_fleet_keeps_the_target_and_sharing_needs_no_more_here() -> None:
    jobs = [Asked("ab"[n % 2], n * 2 * HOUR, HOUR, 4) for n in range(20)]
    quotas = {"a": 4, "b": 4}
    fleets = {design: smallest_fleet(jobs, quotas, design, target=0, machine=8) for design in DESIGNS}
    assert fleets == {"static": 8, "borrowing": 4, "fair": 4, "clusters": 16}


def test_without_interruptions_nothing_changes_and_with_them_work_is_done_again() -> None:
    jobs = [Asked("a", n * HOUR, 10 * HOUR, 8) for n in range(40)]
    calm = simulate(jobs, {"a": 64}, "static")
    assert calm == simulate(jobs, {"a": 64}, "static", stops=Stops(0.0, 8, HOUR))
    rough = simulate(jobs, {"a": 64}, "static", stops=Stops(1 / (20 * HOUR), 8))
    (one,) = rough.queues
    assert one.interruptions > 0
    assert one.lost > 0
    assert len(one.waits) == 40
    assert rough.left == 0


def test_interruptions_come_as_often_as_asked() -> None:
    # 2,000 machine hours, work saved every minute: interruptions are a Poisson count of mean 2,000 x 0.1.
    jobs = [Asked("a", 0.0, 10 * HOUR, 8) for _ in range(200)]
    (one,) = simulate(jobs, {"a": 1600}, "static", stops=Stops(0.1 / HOUR, 8, 60.0)).queues
    assert abs(one.interruptions - 200) < 4 * 200**0.5
    assert one.lost <= one.interruptions * 60 * 8


def test_a_job_on_more_machines_stops_more_often_and_saved_work_is_kept() -> None:
    def lost(gpus: int, checkpoint: float) -> tuple[int, float]:
        jobs = [Asked("a", 0.0, 10 * HOUR, gpus) for _ in range(100)]
        (one,) = simulate(jobs, {"a": 100 * gpus}, "static", stops=Stops(0.02 / HOUR, 8, checkpoint)).queues
        return one.interruptions, one.lost / gpus

    assert lost(32, HOUR)[0] > 2 * lost(8, HOUR)[0]
    assert lost(8, HOUR)[1] < lost(8, float("inf"))[1]


@settings(max_examples=100, deadline=None)
@given(_JOBS, _QUOTAS, st.sampled_from(DESIGNS), st.sampled_from([1.0, 7.0, float("inf")]))
def test_interrupted_jobs_all_end_and_gpus_are_conserved(
    jobs: list[Asked], quotas: dict[str, int], design: str, checkpoint: float
) -> None:
    stops = Stops(0.02, 4, checkpoint)
    found = simulate(jobs, quotas, design, machine=4, stops=stops)
    assert found.left == 0
    assert 0 <= found.peak <= found.gpus
    for one in found.queues:
        assert len(one.waits) + one.never == sum(job.queue == one.queue for job in jobs)
    assert found == simulate(jobs, quotas, design, machine=4, stops=stops)


HEAD = "tenant,start,duration,cpu,memory,gpus,gpu_model\n"


def _trace(folder: Path, *rows: str) -> tuple[str, str]:
    trace, quotas = folder / "jobs.csv", folder / "quotas.csv"
    trace.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    quotas.write_text("tenant,gpus\nred,4\nblue,4\n", encoding="utf-8")
    return str(trace), str(quotas)


def test_the_command_prints_the_same_twice_and_draws_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, quotas = _trace(tmp_path, "red,0,7200,1,1Gi,4,", "red,1,7200,1,1Gi,4,", "blue,2,60,1,1Gi,1,")
    picture = tmp_path / "waits.svg"
    printed = []
    for _ in range(2):
        assert main(["queue", trace, "--quotas", quotas, "--json", "--picture", str(picture), "--force"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    found = json.loads(printed[0])
    assert found["schema"] == "tenancykit/queue/v1"
    assert found["smallest_fleet"] == {"static": 9, "borrowing": 8, "fair": 8, "clusters": 16}
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert main(["queue", trace, "--quotas", quotas]) == 0
    assert "static quotas: 8 GPUs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "field"),
    [("red,0,0,1,1Gi,1,", "duration"), ("red,0,9,1,1Gi,99,", "gpus"), ("rde,0,9,1,1Gi,1,", "tenant")],
)
def test_a_job_that_cannot_be_played_is_named_with_its_line_and_field(tmp_path: Path, row: str, field: str) -> None:
    trace, quotas = _trace(tmp_path, "blue,0,60,1,1Gi,1,", row)
    with pytest.raises(InputError, match=rf"jobs.csv:3: {field}: "):
        tk.queue(trace, quotas=quotas)
    found = tk.queue(trace, quotas=quotas, fleets=False, skip_bad_rows=True)
    assert found.jobs == 1
    assert field in found.notes[0]


def test_interruptions_reach_the_command_and_what_never_gets_through_is_named_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, quotas = _trace(tmp_path, *(f"red,{n},36000,1,1Gi,4," for n in range(40)))
    asked = ["queue", trace, "--quotas", quotas, "--no-fleet", "--design", "static", "--interruptions", "20"]
    assert main([*asked, "--checkpoint", "600"]) == 0
    said = capsys.readouterr().out
    assert "interruptions, " in said
    assert "from its last checkpoint (10.0 min of work)" in said
    assert main([*asked[:-1], "1000"]) == 2
    assert "jobs.csv:2: duration: 36000 s on 4 GPUs are interrupted more than 3 times" in capsys.readouterr().err
    assert main([*asked[:-1], "-1"]) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("red,0,,1,1Gi,1,", ":3: duration"),
        ("red,2026-01-01T02:00:00+01:00,60,1,1Gi,1,", ":3: start"),
        ("red,0,60,1,1Gi,-1,", ":3: gpus"),
        ("red,-60,60,1,1Gi,1,", ":3: start"),
    ],
)
def test_a_missing_duration_mixed_times_negative_gpus_and_rows_out_of_order_are_named_by_row_and_field(
    tmp_path: Path, row: str, said: str
) -> None:
    trace, quotas = _trace(tmp_path, "blue,0,60,1,1Gi,1,", row)
    with pytest.raises(InputError, match=said):
        tk.queue(trace, quotas=quotas)


def test_quotas_that_are_wrong_are_named(tmp_path: Path) -> None:
    trace, quotas = _trace(tmp_path, "blue,0,60,1,1Gi,1,")
    Path(quotas).write_text("tenant,gpus\nblue,4\nblue,4\nred,some\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        tk.queue(trace, quotas=quotas)
    assert ":3: tenant" in str(caught.value)
    assert ":4: gpus" in str(caught.value)
    assert main(["queue", trace, "--quotas", str(tmp_path / "none.csv")]) == 2
