"""Draws doors and mutations, keeps count, and keeps every input that was answered by a traceback or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from kubeanswers.errors import TenancyKitError
from tenancykit.cli import TERMINATED
from tests.fuzz.doors import CORPUS, Door, doors, stand_beside
from tests.fuzz.mutations import mutated

PATIENCE: Final = int(os.environ.get("TENANCYKIT_FUZZ_PATIENCE", "10"))
"""Seconds after which an input counts as one that hangs the toolkit (a machine shared with others may need more): of the
processor for inputs in process and for forks; one that is started anew has six times as long by the clock."""
ASLEEP: Final = 30
"""How many times as long an input in process may take by the clock: one that waits uses no processor."""


class HangError(Exception):
    """An input was not answered in time."""


@dataclass
class Tally:
    """What came out.

    Attributes:
        inputs: inputs by door.
        refused: those the toolkit refused in its own words.
        failures: door, file in the corpus, and the end of the trace.
        started: when the run began.
        peak: highest peak memory of a command with a process of its own, in MiB.
        slowest: processor seconds of the slowest input in process, and its door.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    failures: list[tuple[str, Path, str]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    peak: float = 0.0
    slowest: tuple[float, str] = (0.0, "")

    def highest(self) -> float:
        """Return the peak memory in MiB: of the commands where they had processes of their own, else of this one."""
        return self.peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def text(self) -> str:
        """Return the figures, a line per door."""
        total = sum(self.inputs.values())
        lines = [f"{name:<16}{number:>10,}" for name, number in sorted(self.inputs.items())]
        lines.append(
            f"{total:,} inputs in {time.monotonic() - self.started:.0f} s, {self.refused:,} refused, "
            f"{len(self.failures)} tracebacks or hangs, peak memory {self.highest():.0f} MiB, "
            f"slowest {self.slowest[0]:.1f} s of the processor ({self.slowest[1] or 'cold ones are not timed'})"
        )
        return "\n".join(lines)


@contextlib.contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Raise where the body takes longer."""

    def late(_number: int, _frame: object) -> None:
        raise HangError(f"no answer in {seconds} seconds")

    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, seconds * ASLEEP))
    before = [signal.signal(number, late) for _, number, _ in timers]
    for timer, _, limit in timers:
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def try_one(name: str, door: Door, data: bytes, folder: Path, tally: Tally) -> None:
    """Put one input before one door; what it cannot answer is kept in the corpus."""
    tally.inputs[name] += 1
    began = time.process_time()
    try:
        with bounded(PATIENCE), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            door.open(data, folder)
    except TenancyKitError:
        tally.refused += 1
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code == TERMINATED):
            raise  # somebody stopped the run, which is no answer to the input
        told = str(error) if type(error).__name__ == "OwnFaultError" else traceback.format_exc()
        place = hashlib.sha256("\n".join(told.strip().splitlines()[-4:-1]).encode()).hexdigest()[:8]
        kept = CORPUS / f"{name}.{place}"
        if not kept.exists():
            kept.write_bytes(data)
        tally.failures.append((name, kept, told))
    tally.slowest = max(tally.slowest, (time.process_time() - began, name))


def kept(name: str) -> list[bytes]:
    """Return what the corpus holds for a door."""
    return [file.read_bytes() for file in sorted(CORPUS.glob(f"{name}.*"))]


def in_process(seed: int, count: int | None, minutes: float | None, only: str = "") -> Tally:
    """Try mutations in this process, a number of them or for some minutes."""
    draw, tally = random.Random(seed), Tally()
    known = {name: door for name, door in doors().items() if not only or name in only.split(",")}
    names, weights = list(known), [door.weight for door in known.values()]
    pools = {name: [*door.seeds, *kept(name)] for name, door in known.items()}
    end = time.monotonic() + 60 * minutes if minutes else None
    tally.started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        number = 0
        while (count is None or number < count) and (end is None or time.monotonic() < end):
            name = draw.choices(names, weights)[0]
            data = mutated(draw.choice(pools[name]), pools[name], draw)
            try_one(name, known[name], data, Path(folder), tally)
            number += 1
    return tally


@dataclass(frozen=True)
class Started:
    """A command that is started for itself.

    Attributes:
        door: whose seeds it is given.
        arguments: of the command; ``{file}`` is the input, ``{folder}`` holds what stands beside it.
        weight: how often it is drawn.
    """

    door: str
    arguments: tuple[str, ...]
    weight: float = 1.0


COLD: Final = (
    Started("read", ("audit", "{file}"), 3),
    Started("read", ("audit", "-"), 1),
    Started("place", ("place", "-f", "{file}"), 3),
    Started("can-i", ("can-i", "get", "pods", "--as", "me", "-f", "{file}"), 3),
    Started("reach", ("reach", "--from", "a/p", "--to", "a/p", "-f", "{file}"), 3),
    Started("validate", ("validate", "{file}"), 3),
    Started("admit", ("admit", "-f", "{file}"), 3),
    Started("trace", ("demand", "{file}", "--cap", "2"), 3),
    Started("queue", ("queue", "{file}", "--quotas", "{folder}/quotas.csv", "--no-fleet"), 1),
    Started("quotas", ("queue", "{folder}/trace.csv", "--quotas", "{file}", "--no-fleet"), 1),
    Started("tenants", ("audit", "{folder}/dump.yaml", "--tenants", "{file}"), 1),
    Started("probed", ("probe", "--to", "{folder}/pack", "--read", "{file}"), 2),
    Started("apply", ("apply", "{folder}/export", "--kubeconfig", "{file}", "--timeout", "1"), 0.1),
    Started("scenario", ("check", "{file}"), 0.5),
    Started("evidence", ("replay", "--evidence", "{file}"), 0.5),
    Started("record", ("replay", "{file}"), 0.05),
    Started("weights", ("collect", "saas-inference", "{file}"), 0.02),
    Started("calibration", ("compare", "saas-inference", "--calibration", "{file}"), 0.02),
    Started("sweep", ("explore", "gpu-cloud", "--resume", "{file}", "--limit", "10"), 0.02),
    Started("scenario", ("compare", "{file}"), 0.02),
)
"""Commands started in processes of their own."""
SPAWNED: Final = 0.02
"""Share of the cold inputs that pay for a start of the interpreter and all imports; the others are forks (``forking``)."""


def cold(seed: int, count: int | None, minutes: float | None, only: str = "", spawned: float = SPAWNED) -> Tally:
    """Try mutations in processes of their own: what is printed is no traceback, and the code is 0, 1 or 2."""
    draw, tally = random.Random(seed), Tally()
    end = time.monotonic() + 60 * minutes if minutes else None
    chosen = [one for one in COLD if not only or one.arguments[0] in only.split(",")]
    weights = [one.weight for one in chosen]
    with tempfile.TemporaryDirectory() as name, Forks() as forks:
        folder, number = Path(name), 0
        stand_beside(folder)
        file, told = folder / "input", folder / "told"
        while (count is None or number < count) and (end is None or time.monotonic() < end):
            one = draw.choices(chosen, weights)[0]
            seeds = list(doors()[one.door].seeds)
            data = mutated(draw.choice(seeds), seeds, draw)
            file.write_bytes(data)
            arguments = [part.format(file=file, folder=folder) for part in one.arguments]
            is_spawned = draw.random() < spawned
            tally.inputs[f"{'spawned' if is_spawned else 'forked'} {one.arguments[0]}"] += 1
            number += 1
            code, text, peak = spawn(arguments) if is_spawned else forks.run(arguments, told)
            tally.peak = max(tally.peak, peak)
            tally.refused += code == 2
            if code not in (0, 1, 2) or "Traceback" in text:
                place = hashlib.sha256(text[-300:].encode()).hexdigest()[:8]
                kept_as = CORPUS / f"{one.door}.{place}"
                kept_as.write_bytes(data)
                tally.failures.append((" ".join(one.arguments), kept_as, f"exit code {code}\n{text[-2000:]}"))
    return tally


def spawn(arguments: list[str]) -> tuple[int, str, float]:
    """Run a command as a user does; return exit code, what it printed, and no peak (the forks say that)."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tenancykit", *arguments],
            capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=6 * PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, f"no answer in {6 * PATIENCE} seconds, start and imports included", 0.0
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"), 0.0


class Forks:
    """The process that runs commands in forks of itself; use as a context manager."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.forking"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def run(self, arguments: list[str], told: Path) -> tuple[int, str, float]:
        """Run a command; return its exit code (negative: a signal, after ``PATIENCE``), output, and peak in MiB."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"arguments": arguments, "told": str(told)}) + "\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        return found["code"], told.read_bytes().decode("utf-8", "replace"), found["peak"]


@dataclass(frozen=True)
class Run:
    """One line of the list of runs: what a seed was good for.

    Attributes:
        seed: the seed.
        kind: in process or cold.
        tally: what came out.
    """

    seed: int
    kind: str
    tally: Tally

    def line(self) -> str:
        """Return the line."""
        data = {
            "seed": self.seed,
            "kind": self.kind,
            "inputs": dict(sorted(self.tally.inputs.items())),
            "refused": self.tally.refused,
            "failures": len(self.tally.failures),
            "seconds": round(time.monotonic() - self.tally.started),
            "peak": round(self.tally.highest()),
            "slowest": [round(self.tally.slowest[0], 1), self.tally.slowest[1]],
        }
        return json.dumps(data) + "\n"


def summed(lines: Iterable[str]) -> str:
    """Return what a list of runs adds up to, a kind a line; a seed that stands twice is counted once."""
    runs = {(one["kind"], one["seed"]): one for one in map(json.loads, lines)}
    told = []
    for kind in sorted({kind for kind, _ in runs}):
        found = [one for (of, _), one in runs.items() if of == kind]
        seeds = sorted(one["seed"] for one in found)
        slowest = [max(one.get("slowest", [0.0, ""]) for one in found)]
        inputs = sum((Counter(one["inputs"]) for one in found), Counter())
        told.append(
            f"{kind}: {inputs.total():,} inputs over {len(seeds)} seeds ({seeds[0]} to {seeds[-1]}), "
            f"{sum(one['refused'] for one in found):,} refused, {sum(one['failures'] for one in found)} tracebacks or "
            f"hangs, highest peak {max(one['peak'] for one in found)} MiB"
            + "".join(f", slowest {seconds} s of the processor ({door})" for seconds, door in slowest if door)
        )
        told += [f"  {name:<22}{number:>10,}" for name, number in sorted(inputs.items())]
    return "\n".join(told)
