"""Weakenings of every export, one proof each: ``python -m tests.study.weakening LOG [--kinds 60]``.

The log is JSON lines, one per mutation; what stands in it is not done again, so a run may be stopped and gone on with.
Each export, as published and as completed for its scenario, is weakened in so many kinds that apply to it, in an order
of its own, so that few kinds of each already cover every kind together.  ``LOG... --told tests/study/weakened.md`` adds
what was done to the list that is kept.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tenancykit as tk
from tenancykit.design.model import ResolvedDesign
from tenancykit.examples import EXAMPLES
from tenancykit.manifests.tree import export
from tenancykit.study.proof import Proof, prove
from tests.study.platforms import catalogue, reference, small
from tests.study.weakening_reuse import Reuse
from tests.study.weakening_tools import Tree, Weakening
from tests.study.weakenings import WEAKENINGS


def most_tenants(root: Path) -> Path:
    """Return the cluster of an export with the most tenants."""
    return max((p for p in (root / "clusters").iterdir() if p.is_dir()), key=lambda p: len(list(p.glob("tenants/*"))))


class Export:
    """An export that is weakened again and again, each time from what was written.

    Args:
        example: the scenario, cut down to two tenants a class.
        design: id of a reference, or the design itself.
        folder: where it is written.
        reuse: whether what a mutation leaves as it was is worked out once.
    """

    def __init__(self, example: str, design: str | ResolvedDesign, folder: Path, *, reuse: bool = False) -> None:
        self.example, self.folder = example, folder
        self.design = reference(design, small(example)) if isinstance(design, str) else design
        export(self.design, small(example), catalogue(), folder)
        self._tree = Tree(most_tenants(folder))
        self._written = {file: file.read_bytes() for file in self._tree.files}
        self._reuse = Reuse(folder) if reuse else None

    def proof(self) -> Proof:
        """Return what is proven of the folder as it is now."""
        asked = (self.design, small(self.example), catalogue(), self.folder)
        if self._reuse is None:
            return prove(*asked)
        with self._reuse.used():
            return prove(*asked)

    def weakened(self, case: Weakening) -> Proof | None:
        """Return what is proven of the export once weakened; None where it has nothing to weaken so."""
        tree = copy.deepcopy(self._tree)
        if not case.apply(tree):
            return None
        changed = {file for file, documents in tree.files.items() if documents != self._tree.files[file]}
        tree.write(changed)
        try:
            return self.proof()
        finally:
            for file in changed:
                file.write_bytes(self._written[file])


@dataclass(frozen=True)
class Subject:
    """An export to weaken: an example's initial and the design's number, with a ``+`` where it is completed."""

    example: str
    name: str

    @property
    def short(self) -> str:
        """How the list calls it."""
        return f"{self.example[0]}{self.name.removeprefix('RA')}"

    @property
    def design(self) -> ResolvedDesign:
        """The design."""
        if self.name.endswith("+"):
            return _completed(self.example)[self.name.removesuffix("+")]
        return reference(self.name, small(self.example))


@cache
def _completed(example: str) -> Mapping[str, ResolvedDesign]:
    """Return the references as a comparison completes them for a scenario, where that changes them."""
    found = {one.id: one.resolved for one in tk.compare(small(example)).evaluations}
    published = {name: reference(name, small(example)) for name in found.keys() & catalogue().references.keys()}
    return {
        name: design
        for name, design in found.items()
        if name not in published
        or [one.choice for one in design.classes] != [one.choice for one in published[name].classes]
    }


def subjects(examples: Iterable[str]) -> Iterator[Subject]:
    """Yield the exports of examples: every reference as published, then what a comparison makes of them."""
    wanted = tuple(examples)
    yield from (Subject(example, name) for name in catalogue().references for example in wanted)
    yield from (Subject(example, f"{name}+") for example in wanted for name in _completed(example))


def order_of(subject: Subject) -> list[Weakening]:
    """Return every kind of weakening in an order of the export's own."""
    return sorted(WEAKENINGS, key=lambda case: hashlib.sha256(f"{subject.short} {case.title}".encode()).digest())


def every(subject: Subject, kinds: int, done: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what is proven of an export, untouched (no kind) and in kinds that apply, until so many are done.

    Args:
        subject: the export.
        kinds: how many that apply.
        done: verdicts of the kinds that were done before.
    """
    applied = sum(bool(kind) and verdict != NOTHING for kind, verdict in done.items())
    if "" in done and applied >= kinds:
        return
    with tempfile.TemporaryDirectory() as scratch:
        made = Export(subject.example, subject.design, Path(scratch) / "out", reuse=True)
        found = {"example": subject.example, "design": subject.name}
        if "" not in done:
            yield {**found, "kind": "", **_told(made.proof())}
        for case in order_of(subject):
            if applied >= kinds:
                return
            if case.title not in done:
                proof = made.weakened(case)
                applied += proof is not None
                yield {**found, "kind": case.title, **(_told(proof) if proof else {"verdict": NOTHING})}


NOTHING = "nothing to weaken"
FENCE = "```text\n"


def _told(proof: Proof) -> dict[str, Any]:
    refuted = sorted({item.claim.crossing for item in proof.broken if item.verdict == "not proven"})
    undecided = sorted({item.claim.crossing for item in proof.broken if item.verdict == "undecided"})
    return {
        "verdict": proof.verdict, "refuted": refuted, "undecided": undecided, "faults": len(proof.faults),
        "doubts": len(proof.doubts),
    }  # fmt: skip


def listed(lines: list[dict[str, Any]], before: Iterable[str] = ()) -> Iterator[str]:
    """Yield the list that is kept: each kind with the exports it was tried on, then or before."""
    tried: dict[str, set[str]] = {}
    for text in before:
        kind, _, names = text.rpartition(": ")
        tried.setdefault(kind, set()).update(names.split())
    for line in lines:
        if line["kind"] and line["verdict"] != NOTHING:
            tried.setdefault(line["kind"], set()).add(Subject(line["example"], line["design"]).short)
    for kind, found in sorted(tried.items()):
        yield f"{kind}: {' '.join(sorted(found))}"


def add_to(file: Path, lines: list[dict[str, Any]]) -> None:
    """Add what was tried to the list at the end of a file."""
    head, _, rest = file.read_text(encoding="utf-8").partition(FENCE)
    before = rest.partition("```")[0].splitlines()
    text = "\n".join(listed(lines, before))
    file.write_text(f"{head}{FENCE}{text}\n```\n", encoding="utf-8")


def main() -> int:
    """Go on with a run and say what stands in its log; 1 if a weakening was proven or an untouched export was not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path, nargs="+", help="the first is gone on with; others are read")
    parser.add_argument("--kinds", type=int, default=len(WEAKENINGS), help="kinds that apply, for each export")
    parser.add_argument("--example", action="append", choices=EXAMPLES)
    parser.add_argument(
        "--told", type=Path, help="add what stands in the logs to the list in this file, and do no more"
    )
    options = parser.parse_args()
    log: Path = options.log[0]
    lines = [json.loads(line) for file in options.log if file.exists() for line in file.read_text().splitlines()]
    done: dict[tuple[str, str], dict[str, str]] = {}
    for line in lines:
        done.setdefault((line["example"], line["design"]), {})[line["kind"]] = line["verdict"]
    if options.told:
        add_to(options.told, lines)
        return _summed(lines)
    with log.open("a") as file:
        for subject in subjects(options.example or EXAMPLES):
            for line in every(subject, options.kinds, done.get((subject.example, subject.name), {})):
                print(json.dumps(line), file=file, flush=True)
                lines.append(line)
    return _summed(lines)


def _summed(lines: list[dict[str, Any]]) -> int:
    untouched = Counter(line["verdict"] for line in lines if not line["kind"])
    weak = Counter(line["verdict"] for line in lines if line["kind"])
    applied = Counter(
        (line["example"], line["design"]) for line in lines if line["kind"] and line["verdict"] != NOTHING
    )
    kinds = {line["kind"] for line in lines if line["kind"] and line["verdict"] != NOTHING}
    least = min(applied.values(), default=0)
    told = f"untouched: {dict(untouched)}; {len(kinds)} kinds, weakened: {dict(weak)}; at least {least} kinds an export"
    print(told)  # noqa: T201 - the answer
    return int(weak["proven"] > 0 or untouched.keys() != {"proven"})


if __name__ == "__main__":
    sys.exit(main())
