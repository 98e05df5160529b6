"""Work shared with a copy of the process gives what one process gives, whatever becomes of the copy."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from types import MappingProxyType, SimpleNamespace

import pytest

import tenancykit as tk
from tenancykit.report import payload
from tenancykit.study.beside import processors, shared_out

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no copy of a process can be made here")

HERE = os.getpid()


def where(number: int) -> tuple[int, bool]:
    return number, os.getpid() == HERE


def in_the_copy(act: Callable[[], None], number: int) -> int:
    """Do something in the copy only; the other process waits for it to have begun."""
    if os.getpid() != HERE:
        act()
    return number


@pytest.fixture(autouse=True)
def this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.HERE", os.getpid())


def until_drawn(reading: int) -> str:
    """Return once the copy has begun with a task."""
    os.read(reading, 1)
    return "first"


def test_the_copy_does_tasks_while_this_process_is_at_its_own_and_results_keep_their_order() -> None:
    reading, writing = os.pipe()

    def task(number: int) -> tuple[int, bool]:
        os.write(writing, b".")
        return where(number)

    first, found = shared_out(lambda: until_drawn(reading), [partial(task, number) for number in range(40)], [])
    assert first == "first"
    assert [number for number, _ in found] == list(range(40))
    assert not found[0][1]


def test_what_both_hold_comes_back_as_itself() -> None:
    held = MappingProxyType({"one": SimpleNamespace(name="a")})
    reading, writing = os.pipe()

    def task() -> tuple[object, object, MappingProxyType[str, int]]:
        os.write(writing, b".")
        return held, held["one"], MappingProxyType({"new": 1})

    _, found = shared_out(lambda: until_drawn(reading), [task, task], [held])
    for same, part, new in found:
        assert same is held
        assert part is held["one"]
        assert dict(new) == {"new": 1}


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def failing() -> None:
    raise ValueError("only there")


@pytest.mark.parametrize("act", [killed, failing])
def test_what_the_copy_leaves_undone_is_done_here(act: Callable[[], None]) -> None:
    reading, writing = os.pipe()

    def task(number: int) -> int:
        os.write(writing, b".")
        return in_the_copy(act, number)

    _, found = shared_out(lambda: until_drawn(reading), [partial(task, number) for number in range(5)], [])
    assert found == list(range(5))


def test_what_cannot_be_sent_back_is_done_here() -> None:
    def unsendable(number: int) -> Callable[[], int]:
        return lambda: number

    tasks: list[Callable[[], Callable[[], int]]] = [partial(unsendable, number) for number in (1, 2)]
    _, found = shared_out(lambda: None, tasks, [])
    assert [give() for give in found] == [1, 2]


def test_a_fault_of_a_task_is_raised_here_and_nothing_is_left_running() -> None:
    def wrong() -> None:
        raise ValueError("wrong everywhere")

    with pytest.raises(ValueError, match="wrong everywhere"):
        shared_out(lambda: None, [wrong, wrong], [])
    with pytest.raises(ZeroDivisionError):
        shared_out(lambda: 1 / 0, [lambda: 1, lambda: 2], [])
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_process_with_threads_is_not_copied() -> None:
    import threading

    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert processors() == 1
    finally:
        over.set()
        thread.join()


def test_a_comparison_by_two_processes_is_that_of_one_to_the_last_byte() -> None:
    scenario = tk.load_scenario("gpu-cloud")
    names: list[str] = []
    shared = tk.compare(scenario, processes=2, progress=lambda done, of, name: names.append(f"{done}/{of} {name}"))
    alone = tk.compare(scenario)
    shared.settle(2)
    assert (shared.verdict, shared.hinges) == (alone.verdict, alone.hinges)
    assert payload.to_json(payload.comparison(shared)) == payload.to_json(payload.comparison(alone))
    assert len(names) == int(names[-1].split("/")[0])
