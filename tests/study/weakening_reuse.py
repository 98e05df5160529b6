"""What a mutation leaves as it was, worked out once: the fresh export, readings, audits and judgements of objects.

Only pure functions are remembered, each by everything it is given; a proof asks them where it asks the real ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from kubeanswers.reading import Reading, read_objects
from kubeanswers.validation import answers
from kubeanswers.validation.schema import validate_object
from tenancykit.auditing import AuditReport, audit
from tenancykit.manifests.tree import digests, export
from tenancykit.study import proof, proof_drift, proof_observations


class Reuse:
    """The remembered answers about one export.

    Args:
        folder: the export; what is exported afresh stands beside it.
    """

    def __init__(self, folder: Path) -> None:
        self._shared = folder / "classes"
        self._fresh = folder.with_name(f"{folder.name}.fresh")
        self._fresh.mkdir()
        self._digests: dict[str, str] | None = None
        self._readings: dict[str, tuple[Any, Reading, dict[str, str]]] = {}
        self._audits: dict[int, tuple[Reading, AuditReport]] = {}
        self._judged: dict[str, list[str]] = {}

    @contextmanager
    def used(self) -> Iterator[None]:
        """Answer from what is remembered while the block runs."""
        scratch = SimpleNamespace(TemporaryDirectory=lambda: nullcontext(str(self._fresh)))
        with (
            mock.patch.object(proof, "read_objects", self._read),
            mock.patch.object(proof_drift, "read_objects", self._read),
            mock.patch.object(proof_drift, "tempfile", scratch),
            mock.patch.object(proof_drift, "export", self._export),
            mock.patch.object(proof_drift, "digests", self._worked_out),
            mock.patch.object(proof_observations, "audit", self._audit),
            mock.patch.object(answers, "validate_object", self._judge),
        ):
            yield

    def _worked_out(self, *asked: Any, **named: Any) -> Mapping[str, str]:
        self._digests = self._digests or dict(digests(*asked, **named))
        return self._digests

    def _export(self, design: Any, scenario: Any, catalogue: Any, folder: Path, **named: Any) -> None:
        if not folder.exists():
            export(design, scenario, catalogue, folder, **named)

    def _read(self, paths: list[Path], *, digests: dict[str, str] | None = None) -> Reading:
        (path,) = paths
        state = [*_state(path), *_state(self._shared)]
        kept = self._readings.get(str(path))
        if kept is None or kept[0] != state:
            noted: dict[str, str] = {}
            if kept is not None:
                self._audits.pop(id(kept[1]), None)
            kept = self._readings[str(path)] = (state, read_objects(paths, digests=noted), noted)
        if digests is not None:
            digests.update(kept[2])
        return kept[1]

    def _audit(self, reading: Reading, options: Any) -> AuditReport:
        if id(reading) not in self._audits:
            self._audits[id(reading)] = (reading, audit(reading, options))
        return self._audits[id(reading)][1]

    def _judge(self, obj: Any, version: str, **named: Any) -> list[str]:
        if named.get("definitions") and named["definitions"].kinds:
            return validate_object(obj, version, **named)
        try:
            key = f"{version} {json.dumps(obj)}"
        except (TypeError, ValueError):
            return validate_object(obj, version, **named)
        if key not in self._judged:
            self._judged[key] = validate_object(obj, version, **named)
        return self._judged[key]


def _state(folder: Path) -> Iterator[tuple[str, int, int]]:
    for place, _, names in os.walk(folder):
        for name in names:
            found = Path(place, name).stat()
            yield f"{place}/{name}", found.st_mtime_ns, found.st_size
