"""What a proof cannot rest on: objects an API server would refuse, references to what no cluster of the export has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Final

from kubeanswers.errors import Fault
from kubeanswers.records import dataclass
from kubeanswers.validation.references import Dangling
from tenancykit.auditing import AuditReport, Reading
from tenancykit.auditing.alike import dangling_of
from tenancykit.auditing.standing import INVALID, INVALID_GUARD

_MOST: Final = 200
"""Most faults of a kind that are kept: one mistake of a builder is in every tenant."""
Name = tuple[str, str, str]
"""Group, kind and name of an object without a namespace."""


@dataclass
class ValidityNotes:
    """Notes of one cluster after the other.

    Attributes:
        refused: a fault per object that an API server would refuse.
    """

    refused: list[Fault] = field(default_factory=list)
    _missing: dict[tuple[Name, str], Dangling] = field(default_factory=dict)
    _there: set[Name] = field(default_factory=set)

    def note(self, cluster: str, reading: Reading, report: AuditReport) -> None:
        """Note what is wrong with the objects of a cluster."""
        for finding in report.findings:
            if finding.rule in (INVALID, INVALID_GUARD) and len(self.refused) < _MOST:
                place = f"{finding.where}: {finding.subject}"
                self.refused.append(Fault(place, finding.what, cure=finding.fix))
        self._there.update((item.group, item.kind, item.name) for item in reading.objects if not item.namespaced)
        for ref in dangling_of(reading.objects):
            key = ((ref.group, ref.kind, (ref.namespace and f"{ref.namespace}/{ref.name}") or ref.name), cluster)
            self._missing.setdefault(key, ref)

    def doubts(self) -> Iterator[Fault]:
        """Yield a fault per object that is referred to and that no cluster of the export has.

        What lives in no namespace and stands in another cluster counts as there: a virtual cluster has the classes of
        its host.
        """
        for (name, cluster), ref in sorted(self._missing.items(), key=lambda pair: pair[0])[:_MOST]:
            if name not in self._there:
                where = f"cluster {cluster}, " if cluster else ""
                what = f"{ref.missing} is not in the export, and {ref.item} names it: if it is missing, {ref.effect}"
                yield Fault(f"{where}{ref.where}", what, cure="export again, or have it ready")
