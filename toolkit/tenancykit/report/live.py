"""What API servers said of an export, for people and machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, get_args
from xml.etree import ElementTree as ET

from kubeanswers.terminal import counted, xml_text
from tenancykit.live.applying import Applied, Outcome, Result
from tenancykit.live.questions import Reply, Verdict
from tenancykit.live.verifying import NOT_ASKED, Verification
from tenancykit.report.text import columns
from tenancykit.study.proof import Proof

APPLIED: Final = "tenancykit/applied/v1"
VERIFICATION: Final = "tenancykit/verification/v1"
_SHOWN: Final = 20
_EACH: Final = 3
_MEANS: Final[Mapping[Result, str]] = {
    "new": "would be created",
    "same": "there as exported",
    "present": "there, would be brought to this state",
    "waits": "need what this export brings: tried once that is applied",
    "refused": "refused",
    "conflict": "have fields of another manager (--force-conflicts takes them over)",
    "absent": "of a kind the server does not know",
    "skipped": "left out",
    "applied": "applied",
    "sent": "about to be written",
    "unchanged": "unchanged: nothing was written",
    "unknown": "perhaps applied",
    "left": "not reached",
}
_TITLES: Final = {
    "access": "rights (SubjectAccessReview)",
    "pods": "pods (dry run)",
    "services": "Services (dry run)",
    "bounds": "beyond quotas (dry run)",
    "objects": "objects as exported",
    "additions": "fields added by others",
    "beside": "what lives beside the export",
}

Installer = Callable[[str, str], str]
"""Says what installs the kinds of an API group in a cluster."""


def outcome_data(cluster: str, outcome: Outcome) -> dict[str, Any]:
    """Return what became of an object as plain data."""
    item = outcome.item
    return {
        "cluster": cluster,
        "apiVersion": item.data.get("apiVersion"),
        "kind": item.kind,
        "namespace": item.namespace,
        "name": item.name,
        "file": str(item.where),
        "result": outcome.result,
        "why": outcome.why,
        "adopts": list(outcome.adopts),
    }


def applied_data(folder: str, clusters: Mapping[str, tuple[str, Applied]], installer: Installer) -> dict[str, Any]:
    """Return trials and applications by cluster as plain data (format ``tenancykit/applied/v1``)."""
    return {
        "schema": APPLIED,
        "folder": folder,
        "clusters": [
            {
                "cluster": name,
                "server": server,
                "written": done.written,
                "stopped": done.stopped,
                "counts": dict(Counter(outcome.result for outcome in done.outcomes)),
                "missing": {g: installer(g, name) for g in _absent_groups(done)},
                "objects": [outcome_data(name, outcome) for outcome in done.outcomes],
            }
            for name, (server, done) in clusters.items()
        ],
    }


def applied_text(name: str, server: str, done: Applied, installer: Installer) -> str:
    """Return what a server made of a cluster's objects, for people."""
    lines = [f"{name or 'cluster'} at {server}: {counted(len(done.outcomes), 'object')}"]
    for result in get_args(Result):
        found = [outcome for outcome in done.outcomes if outcome.result == result]
        if found:
            lines.append(f"  {len(found)} {_MEANS[result]}")
            if result not in ("new", "same", "present", "applied", "unchanged", "left", "waits"):
                lines += list(_some(found))
    lines += _adoptions(done)
    lines += [f"  {group}: {installer(group, name)}" for group in _absent_groups(done)]
    if done.stopped:
        lines.append(f"  stopped: {done.stopped}")
    return "\n".join(lines)


def _adoptions(done: Applied) -> Iterator[str]:
    """Yield what others made and this export takes into its care."""
    found = [outcome for outcome in done.outcomes if outcome.adopts]
    if found:
        word = "were adopted" if any(outcome.result == "applied" for outcome in found) else "would be adopted"
        yield f"  {len(found)} {word}: others manage them so far"
        for outcome in found[:_SHOWN]:
            yield f"    {outcome.item} ({outcome.item.where}): managed by {', '.join(outcome.adopts)}"
        if len(found) > _SHOWN:
            yield f"    and {len(found) - _SHOWN} more"


def _absent_groups(done: Applied) -> list[str]:
    return sorted({outcome.item.group for outcome in done.outcomes if outcome.result == "absent"})


def _some(outcomes: list[Outcome]) -> Iterator[str]:
    for outcome in outcomes[:_SHOWN]:
        yield f"    {outcome.item} ({outcome.item.where}): {outcome.why}"
    if len(outcomes) > _SHOWN:
        yield f"    and {len(outcomes) - _SHOWN} more"


def verification_data(proof: Proof, found: Verification, skipped: list[str]) -> dict[str, Any]:
    """Return claimed against observed as plain data (format ``tenancykit/verification/v1``)."""
    return {
        "schema": VERIFICATION,
        "design": proof.design,
        "folder": proof.folder,
        "proof": proof.verdict,
        "verdict": found.verdict,
        "clusters": dict(found.clusters),
        "clusters_not_asked": skipped,
        "tenants": found.tenants,
        "of_tenants": found.of_tenants,
        "counts": {about: dict(counts) for about, counts in found.counts.items()},
        "not_asked": list(NOT_ASKED),
        "answers": [_reply_data(reply) for reply in found.replies],
    }


def _reply_data(reply: Reply) -> dict[str, Any]:
    return {
        "about": reply.about,
        "cluster": reply.cluster,
        "tenant": reply.tenant,
        "question": reply.question,
        "crossing": reply.crossing,
        "claimed": reply.claimed,
        "observed": reply.observed,
        "verdict": reply.verdict,
        "why": reply.why,
    }


def verification_text(proof: Proof, found: Verification, skipped: list[str]) -> str:
    """Return claimed against observed for people: the verdict, a table, and every kind of deviation."""
    asked = f"{found.tenants} of {found.of_tenants} tenants asked about"
    lines = [f"{proof.design}: {found.verdict}; {asked}; the manifests themselves are {proof.verdict}"]
    lines += [f"  {name or 'cluster'} at {server}" for name, server in found.clusters.items()]
    if skipped:
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        lines.append(f"  without a context, not asked: {', '.join(skipped[:_SHOWN])}{more}")
    verdicts = get_args(Verdict)
    rows = [["asked", *verdicts]]
    rows += [[_TITLES[about], *(str(n.get(v, 0)) for v in verdicts)] for about, n in found.counts.items()]
    lines += [f"  {line}" for line in columns(rows, left={0})]
    lines += [f"  {line}" for line in _deviations(found)]
    lines += [f"  not asked: {text}" for text in NOT_ASKED]
    return "\n".join(lines)


def _deviations(found: Verification) -> Iterator[str]:
    """Yield the deviations, of each kind and tenant the first few: one missing binding is a hundred answers."""
    groups: dict[tuple[str, str, str, str], list[Reply]] = {}
    for reply in found.deviations:
        groups.setdefault((reply.verdict, reply.about, reply.cluster, reply.tenant), []).append(reply)
    for replies in list(groups.values())[:_SHOWN]:
        for reply in replies[:_EACH]:
            crossing = f" ({reply.crossing})" if reply.crossing else ""
            told = f"claimed {reply.claimed}, observed {reply.observed}{crossing}"
            yield f"{reply.verdict}: {reply.question}: {told}" + (f"; {reply.why}" if reply.why else "")
        if len(replies) > _EACH:
            yield f"  and {len(replies) - _EACH} more alike of {replies[0].tenant or 'the platform'} (--json lists all)"
    if len(groups) > _SHOWN:
        yield f"and {sum(map(len, list(groups.values())[_SHOWN:]))} more (--json lists all)"


def verification_junit(found: Verification) -> str:
    """Return what the servers said as JUnit XML: a suite per subject, a failure per answer that is not as claimed."""
    root = ET.Element("testsuites", name="tenancykit verify")
    for about, title in _TITLES.items():
        replies = [reply for reply in found.replies if reply.about == about]
        failed = [reply for reply in replies if reply.verdict in ("open", "lacking")]
        missing = [reply for reply in replies if reply.verdict == "undecided"]
        counts = {"tests": str(len(replies)), "failures": str(len(failed)), "errors": str(len(missing))}
        suite = ET.SubElement(root, "testsuite", {"name": title, **counts})
        for reply in replies:
            name = f"{reply.cluster}: {reply.question}" if reply.cluster else reply.question
            case = ET.SubElement(suite, "testcase", name=name, classname=reply.tenant or "platform")
            if reply.verdict != "as claimed":
                tag = "error" if reply.verdict == "undecided" else "failure"
                told = f"{reply.verdict}: claimed {reply.claimed}, observed {reply.observed}"
                ET.SubElement(case, tag, message=told).text = reply.why
    ET.indent(root)
    return xml_text(ET.tostring(root, encoding="unicode", xml_declaration=True)) + "\n"
