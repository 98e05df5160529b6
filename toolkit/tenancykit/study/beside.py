"""Work shared with a second process: a copy of this one takes tasks from a common list and hands back what it found.

A comparison waits for one processor while another idles. The copy (``fork``) knows everything this process has read, so
that nothing has to be sent to it, and what it sends back, task by task while both work, refers to the scenario, the
catalogue and the designs instead of holding them again (plain lists, tuples and the like are sent as they are).
Whatever goes wrong in it - a fault in a task, something that cannot be sent, its end - leaves its tasks undone; they
are done here, so that results and faults are those of one process.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import struct
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import IO, Any, Final, TypeVar

First = TypeVar("First")
Done = TypeVar("Done")

_TICKET: Final = struct.Struct("=i")
_MOST: Final = 16_384
"""Most tasks: their tickets lie in a pipe, which holds 64 KiB."""


def processors() -> int:
    """Return how many processes may share a command's work: 2, or 1 where there is one processor or no safe copy.

    Copies are made on Linux alone, and of processes with one thread: in others a lock might be copied that is held.
    """
    if not sys.platform.startswith("linux") or threading.active_count() > 1:
        return 1
    return min(2, len(os.sched_getaffinity(0)))


def shared_out(
    first: Callable[[], First], tasks: Sequence[Callable[[], Done]], known: Iterable[object], *, processes: int = 2
) -> tuple[First, list[Done]]:
    """Return the result of what is done here first, and the results of tasks in their order.

    Args:
        first: done by this process while the copy begins with the tasks; then both take what is left.
        tasks: calls that do not depend on each other, nor on ``first``.
        known: what results refer to and both processes hold: models, mappings and whatever they are made of.
        processes: 1 does everything here.

    Raises:
        whatever ``first`` or a task raises here.
    """
    if processes < 2 or not 0 < len(tasks) <= _MOST:
        return first(), [task() for task in tasks]
    with _tickets(len(tasks)) as tickets, tempfile.TemporaryFile() as answers:
        child = _copy()
        if child == 0:
            _answer(tasks, tickets, answers, known)
        try:
            held = _parts(known)  # before anything is worked out: the copy names the same objects
            found = first()
            done = {number: tasks[number]() for number in _drawn(tickets)}
        except BaseException:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
            raise
        finally:
            os.waitpid(child, 0)
        done |= _answers(answers, held)
    return found, [done[number] if number in done else task() for number, task in enumerate(tasks)]


def _copy() -> int:
    with warnings.catch_warnings():
        # Newer Pythons warn of threads that libraries start for themselves; numpy's stops them before a copy is made.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


@contextlib.contextmanager
def _tickets(number: int) -> Iterator[int]:
    """Yield a pipe that holds the number of every task once; whoever reads one has drawn it."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b"".join(map(_TICKET.pack, range(number))))
    finally:
        os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


def _drawn(tickets: int) -> Iterator[int]:
    while ticket := os.read(tickets, _TICKET.size):
        yield _TICKET.unpack(ticket)[0]


def _answer(tasks: Sequence[Callable[[], Any]], tickets: int, answers: IO[bytes], known: Iterable[object]) -> None:
    """Do tasks in the copy, write what each found, and end it without any of this process's farewells."""
    try:
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_DFL)
        told = io.BytesIO()
        sender = _Sender(told, _parts(known))
        with contextlib.suppress(Exception):  # the task that failed, and all not drawn, are done by the other process
            for number in _drawn(tickets):
                sender.dump((number, tasks[number]()))  # at once, while the other process is busy as well
                answers.write(told.getvalue())
                answers.flush()
                told.seek(0)
                told.truncate()
    finally:
        os._exit(0)


def _answers(answers: IO[bytes], held: Mapping[int, object]) -> dict[int, Any]:
    answers.seek(0)
    receiver, found = _Receiver(answers, held), dict[int, Any]()
    with contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            number, done = receiver.load()
            found[number] = done
    return found


_PLAIN: Final = frozenset({str, int, float, bool, bytes, type, type(None)})


def _parts(known: Iterable[object]) -> dict[int, object]:
    """Return the models, mappings and plain objects that some objects are made of, by identity."""
    found: dict[int, object] = {}
    waiting = list(known)
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind in _PLAIN or id(one) in found:
            continue
        found[id(one)] = one
        if isinstance(one, list | tuple | set | frozenset):
            waiting.extend(one)
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif hasattr(one, "__dict__"):
            waiting.extend(vars(one).values())
    return found


def _held(identity: int) -> object:
    """Stand for what both processes hold, until it is received."""
    raise LookupError(identity)


class _Sender(pickle.Pickler):
    def __init__(self, file: IO[bytes], held: Mapping[int, object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._held = held

    def reducer_override(self, obj: object) -> Any:
        """Send the identity of what both processes hold, and read-only views, which Python does not send."""
        if id(obj) in self._held:
            return _held, (id(obj),)
        return (_view, (dict(obj),)) if isinstance(obj, MappingProxyType) else NotImplemented


class _Receiver(pickle.Unpickler):
    def __init__(self, file: IO[bytes], held: Mapping[int, object]) -> None:
        super().__init__(file)
        self._held = held

    def find_class(self, module: str, name: str) -> Any:
        """Return what is named; what stands for something held gives it."""
        return self._held.__getitem__ if name == _held.__name__ else super().find_class(module, name)


def _view(held: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(held)
