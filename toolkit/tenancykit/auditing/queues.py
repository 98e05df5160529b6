"""Hazards of Kueue's queues as findings: designs under which a tenant takes or blocks what is another's."""

from __future__ import annotations

from collections.abc import Iterator

from kubeanswers.objects import ObjectSet
from kubeanswers.queueing.answer import settings_of
from kubeanswers.queueing.hazards import hazards
from kubeanswers.queueing.manifests import Faults, of_kind, read_design
from tenancykit.auditing.findings import Finding, Severity, about


def queue_findings(objects: ObjectSet) -> Iterator[Finding]:
    """Yield the hazards of the queues among the objects, the search for eviction loops left to ``admit``.

    Queues that are not well formed are the validator's to tell.
    """
    queues = {item.name: item for item in of_kind(objects, "ClusterQueue")}
    if not queues:
        return
    faults = Faults()
    design = read_design(objects, faults)
    if faults.found:
        return
    settings = settings_of(objects, fair_sharing=None, version=None)
    for hazard in hazards(design, settings, loops=False):
        item = queues[hazard.queue]
        example = "; ".join(hazard.example)
        yield Finding(hazard.rule, Severity.LOW, *about(item), hazard.what, example, hazard.mend, "gpu-queue")
