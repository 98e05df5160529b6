"""Draws doors and mutations, keeps count, and keeps every input that was answered by a traceback or not at all."""

from __future__ import annotations

import contextlib
import hashlib
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kubeanswers.errors import TenancyKitError
from tests.fuzz.doors import CORPUS, Door, doors
from tests.fuzz.mutations import mutated

PATIENCE: Final = 10
"""Seconds after which an input counts as one that hangs the toolkit (the issue's own figure)."""


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
    """

    inputs: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    failures: list[tuple[str, Path, str]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def text(self) -> str:
        """Return the figures, a line per door."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        total = sum(self.inputs.values())
        lines = [f"{name:<16}{number:>10,}" for name, number in sorted(self.inputs.items())]
        lines.append(
            f"{total:,} inputs in {time.monotonic() - self.started:.0f} s, {self.refused:,} refused, "
            f"{len(self.failures)} tracebacks or hangs, peak memory {peak:.0f} MiB"
        )
        return "\n".join(lines)


@contextlib.contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Raise where the body takes longer."""

    def late(_number: int, _frame: object) -> None:
        raise HangError(f"no answer in {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def try_one(name: str, door: Door, data: bytes, folder: Path, tally: Tally) -> None:
    """Put one input before one door; what it cannot answer is kept in the corpus."""
    tally.inputs[name] += 1
    try:
        with bounded(PATIENCE), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            door.open(data, folder)
    except TenancyKitError:
        tally.refused += 1
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        told = str(error) if type(error).__name__ == "OwnFaultError" else traceback.format_exc()
        place = hashlib.sha256("\n".join(told.strip().splitlines()[-4:-1]).encode()).hexdigest()[:8]
        kept = CORPUS / f"{name}.{place}"
        if not kept.exists():
            kept.write_bytes(data)
        tally.failures.append((name, kept, told))


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


COLD: Final = {
    "read": ("audit", "{file}"),
    "place": ("place", "-f", "{file}"),
    "can-i": ("can-i", "get", "pods", "--as", "me", "-f", "{file}"),
    "validate": ("validate", "{file}"),
    "trace": ("demand", "{file}"),
    "scenario": ("check", "{file}"),
    "evidence": ("replay", "--evidence", "{file}"),
    "record": ("replay", "{file}"),
}
"""Commands started in processes of their own, by the door whose seeds they are given."""


def cold(seed: int, count: int | None, minutes: float | None) -> Tally:
    """Try mutations in processes of their own: what is printed is no traceback, and the code is 0, 1 or 2."""
    draw, tally = random.Random(seed), Tally()
    end = time.monotonic() + 60 * minutes if minutes else None
    with tempfile.TemporaryDirectory() as folder:
        file, number = Path(folder) / "input", 0
        while (count is None or number < count) and (end is None or time.monotonic() < end):
            name = draw.choice(list(COLD))
            seeds = doors()[name].seeds
            data = mutated(draw.choice(seeds), list(seeds), draw)
            file.write_bytes(data)
            arguments = [part.format(file=file) for part in COLD[name]]
            tally.inputs[f"cold {name}"] += 1
            number += 1
            try:
                done = subprocess.run(
                    [sys.executable, "-m", "tenancykit", *arguments], capture_output=True, check=False, timeout=60
                )
                code, told = done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")
            except subprocess.TimeoutExpired:
                code, told = -1, "no answer in 60 seconds"
            tally.refused += code == 2
            if code not in (0, 1, 2) or "Traceback" in told:
                place = hashlib.sha256(told[-300:].encode()).hexdigest()[:8]
                (CORPUS / f"{name}.{place}").write_bytes(data)
                tally.failures.append((name, CORPUS / f"{name}.{place}", told[-2000:]))
    return tally
