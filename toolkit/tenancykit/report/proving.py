"""Proofs and assessments for people and machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.terminal import counted
from tenancykit.auditing import Severity
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.drawing import text_of
from tenancykit.report.figures import interval_text, value_text
from tenancykit.report.text import columns
from tenancykit.study.assessing import FOUND, Assessment, Gap
from tenancykit.study.assessing_gap import GapTree
from tenancykit.study.assessing_signs import Recognised
from tenancykit.study.proof import Proof, Proven

PROOF: Final = "tenancykit/proof/v1"
ASSESSMENT: Final = "tenancykit/assessment/v1"

_SHOWN: Final = 20


def proof_data(proof: Proof) -> dict[str, Any]:
    """Return a proof as plain data (format ``tenancykit/proof/v1``)."""
    return {
        "schema": PROOF,
        "design": proof.design,
        "folder": proof.folder,
        "verdict": proof.verdict,
        "tenants": proof.tenants,
        "objects": proof.objects,
        "isolation": None if proof.isolation is None else proof.isolation.value,
        "claims": [_claim_data(item) for item in proof.claims],
        "given": list(proof.given),
        "faults": [str(fault) for fault in proof.faults],
        "doubts": [str(fault) for fault in proof.doubts],
    }


def _claim_data(item: Proven) -> dict[str, Any]:
    return {
        "crossing": item.claim.crossing,
        "title": item.title,
        "attacker": item.claim.attacker,
        "victim": item.claim.victim,
        "claimed": "open" if item.claim.is_open else "closed",
        "because": item.claim.because,
        "held_by": item.held_by,
        "check": item.check,
        "pairs": item.seen.pairs,
        "open_pairs": item.seen.open_pairs,
        "undecided_pairs": item.seen.undecided_pairs,
        "verdict": item.verdict,
        "reasons": list(item.reasons),
        "examples": [list(pair) for pair in item.seen.examples] if item.verdict != "proven" else [],
        "findings": [finding.as_dict() for finding in item.findings],
    }


def proof_text(proof: Proof) -> str:
    """Return a proof for people: the verdict, what broke it, and one line per crossing."""
    size = f"{counted(proof.objects, 'object')}, {counted(proof.tenants, 'tenant')}"
    given = (
        f", given {counted(len(proof.given), 'named precondition')}"
        if proof.verdict == "proven" and proof.given
        else ""
    )
    lines = [f"{proof.design}: {proof.verdict}{given}; {size} in {proof.folder}"]
    lines += [f"  fault: {fault}" for fault in proof.faults[:_SHOWN]]
    lines += [f"  undecided: {fault}" for fault in proof.doubts[:_SHOWN]]
    for item in proof.broken[:_SHOWN]:
        claim = item.claim
        lines.append(f"  {item.verdict}: {claim.crossing} ({item.title}), {claim.attacker} -> {claim.victim}")
        lines.append(f"    claimed closed: {claim.because}")
        count = item.seen.open_pairs + item.seen.undecided_pairs
        example = f", such as {' -> '.join(item.seen.examples[0])}" if item.seen.examples else ""
        why = "; ".join(item.reasons) or "nothing in the manifests stands in the way"
        lines.append(f"    observed: {count} of {item.seen.pairs} pairs{example}; {why}")
        lines += [f"    {f.subject} ({f.where}): {f.path}; fix: {f.fix}" for f in item.findings[:2]]
    heads = ["crossing", "claimed closed", "claimed open", "verdict", "kept closed by", "what would cross"]
    lines += [f"  {line}" for line in columns([heads, *_crossing_rows(proof)], left={0, 3, 4, 5})]
    if proof.verdict == "proven":
        lines += [f"  given: {text}" for text in proof.given]
    if proof.isolation is not None:
        lines.append(f"  isolation as proven: {value_text(proof.isolation)} ({interval_text(proof.isolation)})")
    return "\n".join(lines)


def _crossing_rows(proof: Proof) -> Iterator[list[str]]:
    for crossing in dict.fromkeys(item.claim.crossing for item in proof.claims):
        items = proof.of(crossing)
        verdicts = {item.verdict for item in items}
        worst = next(v for v in ("not proven", "undecided", "proven") if v in verdicts)
        opened = sum(item.claim.is_open for item in items)
        told = "open, as claimed" if worst == "proven" and opened == len(items) else worst
        held = "; ".join(dict.fromkeys(item.held_by for item in items if item.held_by)) or "-"
        yield [crossing, str(len(items) - opened), str(opened), told, held, items[0].title]


def assessment_data(assessment: Assessment, written: GapTree | None = None) -> dict[str, Any]:
    """Return an assessment as plain data (format ``tenancykit/assessment/v1``)."""
    study = assessment.study
    return {
        "schema": ASSESSMENT,
        "scenario": study.scenario.name,
        "tenants": {name: list(found) for name, found in assessment.tenants.items()},
        "recognised": {name: [_option_data(r) for r in found] for name, found in assessment.recognised.items()},
        "violations": [one.words for one in assessment.found.resolved.violations],
        "behind": [one.behind for one in assessment.found.resolved.violations],
        "exclusions": list(study.exclusions(FOUND)),
        "rank": study.rank(FOUND),
        "designs": [
            {"id": e.id, "name": e.name, "rank": study.rank(e.id), **{c: e.scores[c].value for c in CRITERIA}}
            for e in study.order
        ],
        "target": assessment.target_id,
        "beyond": [list(pair) for pair in assessment.beyond],
        "gaps": [_gap_data(gap) for gap in assessment.gaps],
        "effort_to_target_days": assessment.days,
        "open_crossings": assessment.report.open_crossings(),
        "findings": [finding.as_dict() for finding in assessment.report.findings],
        "faults": [str(fault) for fault in assessment.report.faults],
        "notes": list(assessment.notes),
        "written": None if written is None else _written_data(written),
    }


def _option_data(found: Recognised) -> dict[str, Any]:
    return {
        "dimension": found.dimension,
        "layer": found.layer,
        "option": found.option,
        "how": found.how,
        "objects": found.objects,
        "evidence": list(found.evidence),
        "why": found.why,
        "others": list(found.others),
        "assumption": found.assumption,
    }


def _gap_data(gap: Gap) -> dict[str, Any]:
    return {
        "class": gap.tenant_class,
        "dimension": gap.dimension,
        "layer": gap.layer,
        "found": gap.found,
        "wanted": gap.wanted,
        "lacking": list(gap.lacking),
    }


def _written_data(tree: GapTree) -> dict[str, Any]:
    return {
        "folder": str(tree.directory),
        "added": list(tree.added),
        "changed": {title: list(fields) for title, fields in tree.changed.items()},
        "unchanged": tree.unchanged,
        "leftover": list(tree.leftover),
        "charts": list(tree.charts),
    }


def assessment_text(assessment: Assessment, written: GapTree | None = None) -> str:
    """Return an assessment for people: what was recognised and by what, figures beside the target, gaps, findings."""
    lines = [*_recognised_lines(assessment), "", *_figure_lines(assessment), "", *_gap_lines(assessment)]
    worst = [f for f in assessment.report.findings if f.severity >= Severity.MEDIUM]
    lines += ["", f"audit: {counted(len(worst), 'finding')} of medium severity or worse"]
    lines += [f"  {f.severity}: {f.subject} ({f.where}): {f.what}; {f.path}; fix: {f.fix}" for f in worst[:_SHOWN]]
    lines += [f"fault: {fault}" for fault in assessment.report.faults]
    if written is not None:
        lines += ["", gap_text(written)]
    return "\n".join(lines)


def _recognised_lines(assessment: Assessment) -> Iterator[str]:
    for note in assessment.notes:
        yield f"assumption: {note}"
    for class_id, found in assessment.recognised.items():
        yield f"{class_id}: {counted(len(assessment.tenants[class_id]), 'tenant')}"
        for item in found:
            told = f"{counted(item.objects, 'object')}, such as {item.evidence[0]}" if item.evidence else item.how
            also = f" (also seen: {', '.join(item.others)})" if item.others else ""
            yield f"  {item.dimension}/{item.layer}: {item.option} - {told}{also}"


def _figure_lines(assessment: Assessment) -> list[str]:
    study, target = assessment.study, assessment.target
    chosen = [assessment.found, *([target] if target is not None else [])]
    rows = [["design", "rank", *(TITLES[name] for name in CRITERIA)]]
    for evaluation in chosen:
        rank = study.rank(evaluation.id)
        values = [value_text(evaluation.scores[name]) for name in CRITERIA]
        rows.append([f"{evaluation.id} {evaluation.name}"[:60], str(rank) if rank else "-", *values])
    lines = columns(rows, left={0})
    return [*lines, *(f"  {FOUND} misses: {text}" for text in study.exclusions(FOUND))]


def _gap_lines(assessment: Assessment) -> Iterator[str]:
    if assessment.target is None:
        yield "no design meets every requirement: name a target to see gaps"
        return
    days = counted(round(assessment.days or 0.0), "person-day")
    yield f"to {assessment.target_id}: {counted(len(assessment.gaps), 'gap')}, about {days}"
    for gap in assessment.gaps:
        change = f"{gap.found or 'nothing'} -> {gap.wanted or 'nothing'}"
        lack = f"; lacking: {', '.join(gap.lacking[:5])}" if gap.lacking else ""
        lack += f" and {len(gap.lacking) - 5} more" if len(gap.lacking) > 5 else ""
        yield f"  {gap.tenant_class}, {gap.dimension}/{gap.layer}: {change}{lack}"
    if assessment.beyond:
        yield f"  beyond it, and no gap: {', '.join(dict.fromkeys(option for _, option in assessment.beyond))}"


def gap_text(tree: GapTree) -> str:
    """Return what was written to close a gap."""
    counts = f"{counted(len(tree.added), 'object')} to add, {len(tree.changed):,} to change, "
    counts += f"{counted(len(tree.charts), 'chart')} to install"
    there = f"{counted(tree.unchanged, 'object')} {'is' if tree.unchanged == 1 else 'are'} there already"
    lines = [f"{tree.directory}: {counts}; {there}"]
    lines += [f"  change {title}: {', '.join(fields[:5])}" for title, fields in list(tree.changed.items())[:_SHOWN]]
    if tree.leftover:
        names = ", ".join(tree.leftover[:5])
        more = f" and {len(tree.leftover) - 5:,} more, listed in gap.yaml" if len(tree.leftover) > 5 else ""
        lines.append(f"  left by another design, to be removed: {names}{more}")
    return "\n".join(lines)


text_of.register(Proof, proof_text)
text_of.register(Assessment, assessment_text)
