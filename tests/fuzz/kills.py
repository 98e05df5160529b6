"""Kills what writes at any moment of its writing: what is found afterwards is the old or the new, whole, and goes on.

Each round forks a process that writes (the study behind it is worked out before), waits a random part of the time that writing
takes, and sends SIGKILL. The next round finds what the killed one left.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import random
import signal
import tempfile
import threading
import time
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

import tenancykit as tk
from tenancykit.cli import main
from tenancykit.manifests.output import INDEX_NAME
from tenancykit.manifests.tree import export
from tenancykit.studio.files import read_session
from tenancykit.studio.session import Session
from tenancykit.study.saved import SavedSweep, load_sweep, save_sweep
from tests.fuzz.doors import question, swept
from tests.live.api_server import Cluster, FakeServer, kubeconfig
from tests.study.platforms import catalogue, reference, small

MOST: Final = 30.0
"""Seconds a process may take that is not killed (assumption: a shared machine)."""


class Work(ABC):
    """Something that is written over and over."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def write(self, number: int) -> None:
        """Write version ``number``, 0 or 1."""

    @abstractmethod
    def found(self) -> int:
        """Return which version is there whole; raise AssertionError where it is neither."""


@dataclass
class Killed:
    """What a number of kills left.

    Attributes:
        name: what was written.
        kills: processes that were killed before they had ended.
        ended: processes that had ended before the signal came.
        outcomes: how often the old and the new version was found after a kill.
        broken: what was found that is neither.
    """

    name: str
    kills: int = 0
    ended: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the figures in a line."""
        return (
            f"{self.name}: {self.kills} kills while writing, {self.ended} ended before; {self.outcomes['old']} times the old, "
            f"{self.outcomes['new']} the new, {len(self.broken)} mixed or broken"
        )


def killed(work: Work, kills: int, draw: random.Random) -> Killed:
    """Kill a work so many times while it writes."""
    told = Killed(work.name)
    span = sorted(_span(work, number) for number in (0, 1, 0, 1))[1]
    version = work.found()
    while told.kills < kills and not told.broken:
        number = 1 - version
        child = _forked(work, number)
        time.sleep(draw.uniform(0 if draw.random() < 0.5 else 0.6 * span, span))  # the end is where names are exchanged
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ended = os.WIFEXITED(status)
        told.ended += ended
        told.kills += not ended
        try:
            assert not ended or os.waitstatus_to_exitcode(status) == 0, "the process failed, unkilled"
            now = work.found()
            assert not ended or now == number, "the process ended well and its version is not there"
        except (AssertionError, OSError, ValueError, tk.TenancyKitError) as error:
            told.broken.append(f"{type(error).__name__}: {error}".partition("\n")[0])
            break
        if not ended:
            told.outcomes["new" if now == number else "old"] += 1
        if told.ended > 4 * (told.kills + 10):
            span /= 2  # it writes faster than was measured
            told.ended = 0
        version = now
    return told


def _span(work: Work, number: int) -> float:
    began = time.monotonic()
    child = _forked(work, number)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"{work.name}: fails without being killed"
    return time.monotonic() - began


def _forked(work: Work, number: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.alarm(int(MOST))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        work.write(number)
        code = 0
    finally:
        os._exit(code)


class Exported(Work):
    """A design's manifests and record, with files of somebody else among them."""

    name = "export"
    DESIGNS = ("RA01", "RA02")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.scenario = small("gpu-cloud", 1)
        self.designs = [reference(one, self.scenario) for one in self.DESIGNS]
        self.target = folder / "out"
        self.whole = []
        for number in (0, 1):
            self._export(number, folder / f"clean{number}")
            self.whole.append(_signature(folder / f"clean{number}"))
        assert self.whole[0] != self.whole[1]
        self.target.mkdir()
        (self.target / "notes.txt").write_text("mine")

    def _export(self, number: int, target: Path) -> None:
        more: dict[str, str | bytes] = {"decision.md": f"# {self.DESIGNS[number]}\n"}
        export(self.designs[number], self.scenario, catalogue(), target, extra_files=more)

    def write(self, number: int) -> None:
        """Export one of two designs into the same folder."""
        self._export(number, self.target)

    def found(self) -> int:
        """Return whose files and index are there; the stranger's file always is."""
        assert (self.target / "notes.txt").read_text() == "mine", "a stranger's file is gone"
        now = _signature(self.target)
        assert now in self.whole, "the tree is neither of the two"
        return self.whole.index(now)


def _signature(folder: Path) -> str:
    found = hashlib.sha256()
    index = json.loads((folder / INDEX_NAME).read_text())["files"]
    files = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()} - {"notes.txt", INDEX_NAME}
    assert files == index.keys(), "the list of files is not complete"
    for name in sorted(files):
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == index[name], f"{name} is not what the list says"
        found.update(name.encode() + b"\0" + data)
    return found.hexdigest()


class Swept(Work):
    """A saved sweep of many designs."""

    name = "sweep"
    ROWS = (4_000, 9_000)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "sweep.npz"
        file = folder / "seed.npz"
        file.write_bytes(swept())
        self.seed = load_sweep(file, question())
        self.looks = 0

    def write(self, number: int) -> None:
        """Save a sweep with more or fewer rows."""
        one = self.seed.columns
        times = self.ROWS[number] // len(one.codes)
        more = type(one)(**{name: np.concatenate([getattr(one, name)] * times) for name in one.__dataclass_fields__})
        save_sweep(self.file, question(), SavedSweep(more, self.seed.bills))

    def found(self) -> int:
        """Return which sweep is there: every part whole, and now and then all of it read as ``--resume`` reads it."""
        self.looks += 1
        if self.looks % 20 == 1:  # that measures designs again
            load_sweep(self.file, question())
        with zipfile.ZipFile(self.file) as archive:
            assert archive.testzip() is None, "a part of the sweep is damaged"
        with np.load(self.file, allow_pickle=False) as parts:
            (rows,) = {len(parts[name]) for name in self.seed.columns.__dataclass_fields__}
        sizes = [count // len(self.seed.columns.codes) * len(self.seed.columns.codes) for count in self.ROWS]
        assert rows in sizes, f"a sweep of {rows} rows was never written"
        return sizes.index(rows)


class Kept(Work):
    """The studio's session file."""

    name = "studio save"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "session.json"
        self.session = Session(tk.load_scenario("saas-inference"))
        texts = []
        for number in (0, 1):
            self.write(number)
            texts.append(self.file.read_bytes())
        self.texts = texts
        assert texts[0] != texts[1]

    def write(self, number: int) -> None:
        """Save with the points of one of two people."""
        self.session.weigh(isolation=10.0 + 50 * number, effort=20, operations=20, cost=20)
        self.session.save(self.file)

    def found(self) -> int:
        """Return whose session is there, read as the studio reads it."""
        read_session(self.file)
        data = self.file.read_bytes()
        assert data in self.texts, "the session is neither of the two"
        return self.texts.index(data)


class Put(Work):
    """Manifests on a fake API server, and the list of what was applied."""

    name = "apply"
    TEAMS = 2

    def __init__(self, folder: Path, cluster: Cluster, url: str) -> None:
        super().__init__(folder)
        for module in ("kr8s.asyncio", "tenancykit.cli.live"):
            importlib.import_module(module)  # once, not in every fork
        self.cluster, self.config = cluster, folder / "kubeconfig.yaml"
        self.config.write_text(yaml.safe_dump(kubeconfig(prod=url)))
        self.log = folder / "applied.jsonl"
        self.initial = set(cluster.objects)
        for number in (0, 1):
            (folder / f"v{number}").mkdir()
            (folder / f"v{number}" / "all.yaml").write_text(yaml.safe_dump_all(self.objects(number)))

    def objects(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield namespaces with a quota and a fence each; the versions differ in every quota."""
        for team in (f"team-{i}" for i in range(self.TEAMS)):
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team}}
            place = {"name": "q", "namespace": team}
            spec: dict[str, Any] = {"hard": {"pods": str(5 + number)}}
            yield {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": place, "spec": spec}
            spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
            yield {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": place, "spec": spec}

    def write(self, number: int) -> None:
        """Apply one of two versions."""
        given = ["--yes", "--kubeconfig", str(self.config), "--applied", str(self.log)]
        assert main(["apply", str(self.folder / f"v{number}"), *given]) == 0

    def found(self) -> int:
        """Return the version of the last object written: each object is whole, and each write is on the list."""
        idle()
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        listed = [json.loads(line) for line in lines]
        last = {(one["kind"], one["namespace"], one["name"]): one["result"] for one in listed}
        there = {(kind, space, name) for _, kind, space, name in self.cluster.objects.keys() - self.initial}
        assert there <= last.keys(), f"on the server and not on the list: {sorted(there - last.keys())}"
        lost = {key for key, result in last.items() if result == "applied"} - there
        assert not lost, f"applied by the list and not on the server: {sorted(lost)}"
        quotas = [
            data["spec"]["hard"]["pods"]
            for (_, kind, *_), data in self.cluster.objects.items()
            if kind == "ResourceQuota"
        ]
        assert set(quotas) <= {"5", "6"}, "an object is neither old nor new"
        return int(len(quotas) == self.TEAMS and set(quotas) == {"6"})


def idle() -> None:
    """Wait until the fake server has answered everything that a killed client had sent."""
    quiet = 0
    while quiet < 3:
        busy = any("process_request_thread" in thread.name for thread in threading.enumerate())
        quiet = 0 if busy else quiet + 1
        time.sleep(0.005)


@contextlib.contextmanager
def works(folder: Path, only: str = "") -> Iterator[Iterator[Work]]:
    """Yield what is killed, with a fake server to apply to."""
    cluster = Cluster()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        os.environ.pop(name, None)
    made: dict[str, Callable[[str], Work]] = {
        "studio": lambda _: Kept(folder / "studio"),
        "sweep": lambda _: Swept(folder / "sweep"),
        "export": lambda _: Exported(folder / "export"),
        "apply": lambda url: Put(folder / "apply", cluster, url),
    }
    with FakeServer(cluster) as server:
        yield (make(server.url) for name, make in made.items() if not only or name in only.split(","))


def run(kills: int, seed: int, only: str = "", tell: Callable[[str], object] = lambda _: None) -> list[Killed]:
    """Kill everything so many times; tell a line of each as soon as it is done."""
    draw, told = random.Random(seed), []
    with tempfile.TemporaryDirectory() as name, works(Path(name), only) as every:
        for work in every:
            told.append(killed(work, kills, draw))
            tell(told[-1].text())
    return told
