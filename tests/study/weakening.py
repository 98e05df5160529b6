"""Weakenings of every export, one proof each: ``python -m tests.study.weakening LOG [PART PARTS]``.

The log is JSON lines, one per mutation; what stands in it is not done again, so a run may be stopped and gone on with.
Of so many parts, a run does one: each export gets other kinds, so that a few parts already cover every kind.
"""

from __future__ import annotations

import copy
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tenancykit.design.model import ResolvedDesign
from tenancykit.examples import EXAMPLES
from tenancykit.study.proof import Proof, prove
from tests.study.platforms import catalogue, exported, small
from tests.study.weakening_tools import Tree, Weakening
from tests.study.weakenings import WEAKENINGS


def most_tenants(root: Path) -> Path:
    """Return the cluster of an export with the most tenants."""
    return max((p for p in (root / "clusters").iterdir() if p.is_dir()), key=lambda p: len(list(p.glob("tenants/*"))))


class Export:
    """An export that is weakened again and again, each time from what was written."""

    def __init__(self, example: str, identifier: str, folder: Path) -> None:
        self.example, self.identifier, self.folder = example, identifier, folder
        self.design: ResolvedDesign = exported(identifier, small(example), folder)
        self._tree = Tree(most_tenants(folder))
        self._written = {file: file.read_bytes() for file in self._tree.files}

    def proof(self) -> Proof:
        """Return what is proven of the folder as it is now."""
        return prove(self.design, small(self.example), catalogue(), self.folder)

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


def every(
    example: str, identifier: str, cases: Iterable[Weakening], done: frozenset[tuple[str, str, str]]
) -> Iterator[dict[str, Any]]:
    """Yield what is proven of a reference's export, untouched (no kind) and in every weakening that is not done."""
    with tempfile.TemporaryDirectory() as scratch:
        export: Export | None = None
        for case in (None, *cases):
            kind = case.title if case else ""
            if (example, identifier, kind) in done:
                continue
            export = export or Export(example, identifier, Path(scratch) / "out")
            proof = export.weakened(case) if case else export.proof()
            found = {"example": example, "reference": identifier, "kind": kind}
            yield {**found, **(_told(proof) if proof else {"verdict": "nothing to weaken"})}


def _told(proof: Proof) -> dict[str, Any]:
    refuted = sorted({item.claim.crossing for item in proof.broken if item.verdict == "not proven"})
    undecided = sorted({item.claim.crossing for item in proof.broken if item.verdict == "undecided"})
    doubts = sorted({doubt.what for doubt in proof.doubts})
    return {
        "verdict": proof.verdict, "refuted": refuted, "undecided": undecided, "faults": len(proof.faults),
        "doubts": doubts,
    }  # fmt: skip


def main(log: Path, part: int = 0, parts: int = 1) -> int:
    """Go on with a run and say what stands in its log; 1 if a weakening was proven or an untouched export was not."""
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = frozenset((line["example"], line["reference"], line["kind"]) for line in lines)
    exports = [(example, identifier) for example in EXAMPLES for identifier in catalogue().references]
    with log.open("a") as file:
        for number, (example, identifier) in enumerate(exports):
            for line in every(example, identifier, WEAKENINGS[(number + part) % parts :: parts], done):
                print(json.dumps(line), file=file, flush=True)
                lines.append(line)
    untouched = Counter(line["verdict"] for line in lines if not line["kind"])
    weak = Counter(line["verdict"] for line in lines if line["kind"])
    kinds = {line["kind"] for line in lines if line["kind"] and line["verdict"] != "nothing to weaken"}
    print(f"untouched: {dict(untouched)}; {len(kinds)} kinds, weakened: {dict(weak)}")  # noqa: T201 - the answer
    return int(weak["proven"] > 0 or untouched.keys() != {"proven"})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
