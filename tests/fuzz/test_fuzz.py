from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tenancykit.version import __version__
from tests.fuzz import forking, kills
from tests.fuzz.doors import doors
from tests.fuzz.mutations import mutated
from tests.fuzz.running import COLD, Forks, Run, Tally, cold, in_process, kept, summed, try_one

INPUTS = 400
"""Mutations in one run of the tests: about twenty seconds. ``make fuzz MINUTES=60`` goes on from there."""


def test_no_mutation_of_any_input_is_answered_by_a_traceback_or_not_at_all() -> None:
    found = in_process(seed=20261130, count=INPUTS, minutes=None)
    assert not found.failures, "\n".join(told for _, _, told in found.failures)
    assert len(found.inputs) > 15
    assert found.refused > INPUTS / 10, "the mutations are too tame to mean anything"


def test_every_input_that_once_broke_something_is_answered_now(tmp_path: Path) -> None:
    found = Tally()
    for name, door in doors().items():
        for data in kept(name):
            try_one(name, door, data, tmp_path, found)
    assert not found.failures, "\n".join(told for _, _, told in found.failures)


@pytest.mark.parametrize("name", ["read", "scenario", "trace", "sweep"])
def test_mutations_change_what_they_are_given_and_repeat_with_their_seed(name: str) -> None:
    seeds = list(doors()[name].seeds)
    made = [mutated(seeds[0], seeds, random.Random(seed)) for seed in range(50)]
    assert sum(data != seeds[0] for data in made) > 40
    assert made == [mutated(seeds[0], seeds, random.Random(seed)) for seed in range(50)]


def test_the_harness_sees_a_traceback_and_a_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fuzz import running
    from tests.fuzz.doors import Door

    def broken(_data: bytes, _folder: Path) -> object:
        raise KeyError("x")

    def endless(_data: bytes, _folder: Path) -> object:
        while True:
            pass

    monkeypatch.setattr(running, "PATIENCE", 1)
    monkeypatch.setattr(running, "CORPUS", tmp_path)
    found = Tally()
    for open_ in (broken, endless):
        try_one("x", Door((b"",), open_), b"data", tmp_path, found)
    assert len(found.failures) == 2
    assert "KeyError" in found.failures[0][2]
    assert "no answer in 1 seconds" in found.failures[1][2]
    assert all(file.read_bytes() == b"data" for _, file, _ in found.failures)


def test_commands_run_cold_answer_mutations_with_codes_0_to_2_and_no_traceback() -> None:
    found = cold(seed=20261130, count=25, minutes=None, spawned=0.0)
    assert not found.failures, "\n".join(told for _, _, told in found.failures)
    assert 20 < found.peak < 600
    assert {one.door for one in COLD} <= doors().keys()


def test_a_fork_reports_a_crash_and_remembers_nothing(tmp_path: Path) -> None:
    with Forks() as forks:
        assert forks.run(["--version"], tmp_path / "told")[:2] == (0, f"tenancykit {__version__}\n")
        code, told, _ = forks.run(["audit", str(tmp_path / "none"), "--patience", "-1"], tmp_path / "told")
        assert code == 2
        assert "Traceback" not in told
        assert forks.run(["--version"], tmp_path / "told")[0] == 0


def _spins(*_: object) -> None:
    while True:
        pass


@pytest.mark.parametrize(("hangs", "ended_by"), [(_spins, signal.SIGXCPU), (lambda *_: signal.pause(), signal.SIGKILL)])
def test_a_fork_that_works_or_waits_too_long_is_ended_and_told_so(
    hangs: Callable[..., None], ended_by: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forking, "PATIENCE", 1)
    monkeypatch.setattr(forking, "_WAITING", 1 if ended_by is signal.SIGKILL else 60)
    monkeypatch.setattr(forking, "_run", hangs)
    assert forking.answered([], "")["code"] == -ended_by


def test_runs_add_up_and_a_seed_counts_once() -> None:
    tally = Tally()
    tally.inputs.update({"read": 3, "place": 2})
    lines = [Run(7, "in process", tally).line(), Run(7, "in process", tally).line(), Run(8, "in process", tally).line()]
    assert summed(lines).startswith("in process: 10 inputs over 2 seeds (7 to 8), 0 refused, 0 tracebacks or hangs")


@pytest.mark.parametrize("name", ["sweep", "studio", "apply", "export"])
def test_what_is_killed_while_it_writes_leaves_the_old_or_the_new_and_complete_lists(name: str) -> None:
    found = kills.run(2, seed=20261130, only=name)
    assert [one.broken for one in found] == [[]]
    assert found[0].kills == 2


def test_the_kill_harness_sees_what_is_neither_old_nor_new(tmp_path: Path) -> None:
    class Careless(kills.Work):
        name = "careless"

        def write(self, number: int) -> None:
            with (self.folder / "file").open("w") as stream:
                for _ in range(200):
                    stream.write(f"{number}")
                    stream.flush()
                    time.sleep(0.001)

        def found(self) -> int:
            text = (self.folder / "file").read_text()
            assert text in ("0" * 200, "1" * 200), "a part of a file"
            return int(text[0])

    assert kills.killed(Careless(tmp_path), 20, random.Random(1)).broken == ["AssertionError: a part of a file"]
