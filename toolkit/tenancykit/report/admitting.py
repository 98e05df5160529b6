"""What an admission says on a terminal: who starts, who waits and why, who leaves, hazards, and what would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubeanswers.queueing.answer import Admission, Admitted
from kubeanswers.queueing.hazards import LOOP, STATIC, Hazard
from kubeanswers.queueing.loops import MOST_JOBS, TRIES
from kubeanswers.queueing.reasons import text
from tenancykit.report.placing import placement_lines
from tenancykit.study.admitting import AdmitAnswer


def admission_lines(found: AdmitAnswer) -> Iterator[str]:
    """Yield the lines that tell what Kueue lets in."""
    yield from _happenings(found.now)
    yield from _queues(found.now)
    if found.placement is not None:
        homeless = len(found.placement.pending)
        verdict = f"{homeless} of {len(found.placement.pods)} find no node" if homeless else "all find a node"
        yield f"Pods of admitted workloads on the nodes there are: {verdict}."
        yield from (f"  {line}" for line in placement_lines(found.placement))
    if found.then is not None:
        yield f"Against the other files: {len(found.changes)} workloads fare differently."
        yield from (f"  {one.workload}: {one.before}; then it {one.after}" for one in found.changes)
    for hazard in found.hazards:
        yield from hazard_lines(hazard)
    if not found.hazards:
        yield "None of the hazards looked for was found in the queues' design."
    if not any(hazard.rule == LOOP for hazard in found.hazards):
        yield (
            f"Loops of evictions: none of at most {MOST_JOBS} jobs among {TRIES} random sets of jobs per cohort tree "
            "that preempts; more was not searched."
        )
    yield _version(found.now)
    yield from (f"Undecided: {line}." for line in found.now.undecided)
    yield from (f"Left out: {line}." for line in found.now.notes)


def _version(found: Admission) -> str:
    sharing = "with fair sharing" if found.fair_sharing else "without fair sharing"
    return f"Decided as Kueue {found.version} does, {sharing}, in {found.cycles} rounds."


def _happenings(found: Admission) -> Iterator[str]:
    cycles = sorted({one.cycle for one in found.admitted} | {one.cycle for one in found.preempted})
    for cycle in cycles:
        yield f"round {cycle}"
        yield from (f"  {_admitted(one)}" for one in found.admitted if one.cycle == cycle)
        for gone in found.preempted:
            if gone.cycle == cycle:
                yield f"  {gone.workload} has to leave {gone.queue} for {gone.by} ({gone.reason})"
    if not cycles:
        yield "Nothing is admitted."
    if found.crash:
        yield f"The scheduler of this version crashes at queue {found.crash}."
    if not found.settled:
        yield f"It does not come to rest: after {found.cycles} rounds workloads still evict each other."
    for waiting in found.waiting:
        yield f"{waiting.workload} waits in {waiting.queue} ({waiting.reason})"
        for cause in waiting.causes:
            place = f"{cause.pod_set}: " if cause.pod_set else ""
            yield f"  {place}{cause.says} [{cause.code}]"


def _admitted(one: Admitted) -> str:
    parts = []
    for part in one.pod_sets:
        flavors = " and ".join(dict.fromkeys(part.flavors.values())) or "nothing"
        places = ", ".join(f"{domain.count} in {'/'.join(domain.values)}" for domain in part.topology)
        parts.append(f"{part.name} x{part.count} on {flavors}" + (f" ({places})" if places else ""))
    over = f", borrowing {_amounts(one.over_nominal)}" if one.over_nominal else ""
    return f"{one.workload} is admitted to {one.queue}: {'; '.join(parts)}{over}"


def _amounts(amounts: Mapping[str, int]) -> str:
    found = []
    for key, amount in amounts.items():
        flavor, _, resource = key.partition("|")
        found.append(f"{text(resource, amount)} {resource} of {flavor}")
    return ", ".join(found)


def _queues(found: Admission) -> Iterator[str]:
    for one in found.queues:
        used = _amounts(one.usage) or "nothing"
        over = f"; borrows {_amounts(one.borrowed)}" if one.borrowed else ""
        share = f"; share {one.share} of 1000" if found.fair_sharing and one.cohort else ""
        yield f"{one.queue}: uses {used}{over}{share}" + (f"; stopped: {one.inactive}" if one.inactive else "")


def hazard_lines(hazard: Hazard) -> Iterator[str]:
    """Yield a hazard with its example and mend."""
    word = "note" if hazard.rule == LOOP else "hazard"
    yield f"{word} {hazard.rule}: {hazard.queue}: {hazard.what}"
    yield from (f"  - {line}" for line in hazard.example)
    if hazard.rule in STATIC:
        yield "  (read from the fields, not played out)"
    yield f"  mend: {hazard.mend}"
