"""Hands a decided design over: manifests, decision record and operator's notes in one tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenancykit.drawing import Drawable, text_of
from tenancykit.manifests import ExportResult
from tenancykit.manifests import export as export_manifests
from tenancykit.report.payload import plain
from tenancykit.report.record import Record, record
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

EXPORT = "tenancykit/export/v1"


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
        return {
            "schema": EXPORT,
            "design": self.design,
            "decision": self.record.digest if self.record else None,
            "folder": str(self.result.directory),
            "objects": self.result.objects,
            "files": {name: list(getattr(self.result, name)) for name in ("added", "changed", "removed")},
            "unchanged": len(self.result.unchanged),
            "kept": plain(self.result.foreign),
        }

    def text(self) -> str:
        """Return what was written, for people."""
        result = self.result
        lines = [
            f"{self.design}: {result.objects} objects in {result.directory}",
            (
                f"  {len(result.added)} files added, {len(result.changed)} changed, {len(result.removed)} removed, "
                f"{len(result.unchanged)} unchanged"
            ),
        ]
        lines += [f"  kept, not ours: {name}" for name in result.foreign]
        if self.record:
            lines.append(f"  decision record {self.record.digest}: decision.md, decision.html")
        lines.append("  what to apply, in which order: README.md")
        return "\n".join(lines)


def export(evaluation: Evaluation, directory: Path, study: Study | None) -> Handover:
    """Write the manifests of a design and, with a study, its decision record into a folder.

    Raises:
        OutputError: the folder cannot be written; whatever stood there before still stands.
    """
    found = record(study, evaluation.id) if study is not None else None
    extra = {"decision.md": found.markdown, "decision.html": found.html} if found else {}
    result = export_manifests(
        evaluation.resolved,
        evaluation.scenario,
        evaluation.catalogue,
        directory,
        decision_hash=found.digest if found else "",
        extra_files=extra,
    )
    return Handover(f"{evaluation.id} {evaluation.name}", result, found)


text_of.register(Handover, Handover.text)
