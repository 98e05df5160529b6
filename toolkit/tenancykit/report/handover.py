"""Hands a decided design over: manifests, decision record and operator's notes in one tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubeanswers.inputs import read_bytes
from kubeanswers.records import dataclass
from kubeanswers.terminal import counted
from tenancykit.drawing import Drawable, text_of
from tenancykit.manifests.tree import ExportResult
from tenancykit.manifests.tree import export as export_manifests
from tenancykit.report.paper import Paper
from tenancykit.report.record import Record, record
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.reading import named_files
from tenancykit.scenario.trace_rows import MAX_BYTES
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

EXPORT = "tenancykit/export/v1"

_SHOWN = 20


@dataclass(frozen=True)
class Handover(Drawable):
    """What was written.

    Attributes:
        design: id and title of the design.
        result: the manifests' tree and how it differs from the one before.
        record: the decision record, when the design was chosen in a study.
    """

    design: str
    result: ExportResult
    record: Record | None

    def data(self) -> dict[str, Any]:
        """Return what was written as plain data (format ``tenancykit/export/v1``)."""
        changes = self.result.changes
        kinds = ("added", "changed", "removed", "unchanged", "foreign", "by_hand")
        return {
            "schema": EXPORT,
            "design": self.design,
            "decision": self.record.digest if self.record else None,
            "folder": str(self.result.directory),
            "objects": self.result.objects,
            "tenants": self.result.tenants,
            "clusters": self.result.clusters,
            "files": {
                kind: {"count": c.count, "paths": list(c.paths)} for kind in kinds if (c := getattr(changes, kind))
            },
        }

    def text(self) -> str:
        """Return what was written, for people."""
        result, changes = self.result, self.result.changes
        size = f"{counted(result.objects, 'object')} for {counted(result.tenants, 'tenant')}"
        lines = [
            f"{self.design}: {size} in {result.directory}",
            (
                f"  {counted(changes.added.count, 'file')} added, {changes.changed.count} changed, "
                f"{changes.removed.count} removed, {changes.unchanged.count} unchanged"
            ),
        ]
        lines += [f"  kept, not ours: {name}" for name in changes.foreign.paths[:_SHOWN]]
        lines += [
            f"  changed by hand since the last export, now replaced: {name}" for name in changes.by_hand.paths[:_SHOWN]
        ]
        if self.record:
            lines.append(f"  decision record {self.record.digest}: decision.md, decision.html")
        lines.append("  what to apply, in which order: README.md and index.yaml")
        return "\n".join(lines)


def export(evaluation: Evaluation, directory: Path, study: Study | None, paper: Paper | None = None) -> Handover:
    """Write the manifests of a design and, with a study, its decision record into a folder.

    The arguments are those of :func:`tenancykit.export`.

    Raises:
        OutputError: the folder cannot be written; whatever stood there before still stands.
    """
    found = record(study, evaluation.id, paper) if study is not None else None
    extra: dict[str, str | bytes] = (
        {**_inputs(evaluation.scenario), "decision.md": found.markdown, "decision.html": found.html} if found else {}
    )
    result = export_manifests(
        evaluation.resolved,
        evaluation.scenario,
        evaluation.catalogue,
        directory,
        decision_hash=found.digest if found else "",
        extra_files=extra,
    )
    return Handover(f"{evaluation.id} {evaluation.name}", result, found)


def _inputs(scenario: Scenario) -> dict[str, str | bytes]:
    """Return the files a scenario names (traces, price book) as they are: the record beside them can be repeated."""
    folder = scenario.folder
    named = {} if folder is None else named_files(scenario)
    return {name: read_bytes(Path(folder or "", name), MAX_BYTES) for name in named.values()}


text_of.register(Handover, Handover.text)
