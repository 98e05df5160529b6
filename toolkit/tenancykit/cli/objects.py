"""Commands about Kubernetes objects: audit, can-i, reach, place."""

from __future__ import annotations

import argparse
from pathlib import Path

from kubeanswers.errors import Fault, InputError
from kubeanswers.source import read_text
from kubeanswers.writing import write_text
from tenancykit import api
from tenancykit.auditing import to_junit, to_sarif, to_text
from tenancykit.cli import FINDINGS, OK
from tenancykit.cli.designs import print_json
from tenancykit.report.placing import placement_lines
from tenancykit.version import __version__


def audit(options: argparse.Namespace) -> int:
    """Audit manifests; exit 1 with findings of medium severity or worse, 2 when an input could not be read."""
    report = api.audit(
        *options.paths,
        tenants=tenant_pairs([*_lines_of(options.tenants), *options.tenant]),
        platform=options.platform,
        pod_cidrs=options.pod_cidr,
        tenant_labels=options.tenant_label,
    )
    if options.sarif:
        write_text(options.sarif, to_sarif(report, __version__), ours='"tenancykit audit"', force=options.force)
    if options.junit:
        write_text(options.junit, to_junit(report), ours='name="tenancykit audit"', force=options.force)
    if options.json:
        print_json({"schema": "tenancykit/audit/v1", **report.as_dict()})
    else:
        print(to_text(report), end="")
    return report.exit_code


def _lines_of(file: str | None) -> list[str]:
    """Return the pairs of a file, one a line; empty lines and comments left out."""
    lines = read_text(Path(file)).splitlines() if file else []
    pairs = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if file and not pairs:
        raise InputError(
            Fault(file, "names no tenant", "a line NAMESPACE=TENANT each", "check that it is the right file")
        )
    return pairs


def tenant_pairs(pairs: list[str]) -> dict[str, str]:
    """Return the tenant of each namespace from ``NAMESPACE=TENANT`` texts.

    Raises:
        InputError: a text is no such pair.
    """
    found = {}
    for pair in pairs:
        namespace, sign, tenant = pair.partition("=")
        if not (namespace and sign and tenant):
            raise InputError(Fault("--tenant", f"{pair!r} is not a pair", "NAMESPACE=TENANT"))
        found[namespace] = tenant
    return found


def can_i(options: argparse.Namespace) -> int:
    """Answer yes (exit 0) or no (exit 1), with the binding that allows it; or list what is held."""
    if options.everywhere and options.namespace:
        raise InputError(Fault("--all-namespaces", "and --namespace are both given", "one", "drop one of the two"))
    if options.list:
        if options.verb:
            raise InputError(Fault("--list", f"and {options.verb!r} are both given", "one", "drop one of the two"))
        return _list_rules(options)
    if not options.verb or not options.resource:
        raise InputError(Fault("can-i", "asks nothing", "VERB and RESOURCE", "name both, or give --list"))
    answer = api.can_i(
        options.verb,
        options.resource,
        options.name,
        paths=options.files,
        namespace=options.namespace,
        user=options.user,
        groups=options.groups,
        subresource=options.subresource,
    )
    if options.json:
        print_json(
            {
                "schema": "tenancykit/can-i/v1",
                "allowed": answer.allowed,
                "reason": answer.reason,
                "notes": list(answer.notes),
            }
        )
    else:
        print(f"{'yes' if answer.allowed else 'no'}{f': {answer.reason}' if answer.reason else ''}")
        for note in answer.notes:
            print(f"note: {note}")
    return OK if answer.allowed else FINDINGS


def _list_rules(options: argparse.Namespace) -> int:
    found = api.held_rules(paths=options.files, namespace=options.namespace, user=options.user, groups=options.groups)
    rows = [
        {
            "verbs": sorted(held.rule.verbs),
            "groups": sorted(held.rule.groups),
            "resources": sorted(held.rule.resources),
            "names": sorted(held.rule.names),
            "urls": sorted(held.rule.urls),
            "by": str(held.grant),
        }
        for held in found
    ]
    if options.json:
        print_json({"schema": "tenancykit/can-i-list/v1", "rules": rows})
        return OK
    for row in rows:
        groups = [group or "core" for group in row["groups"]]
        what = " ".join([*row["resources"], *row["urls"]])
        of = f" of {' '.join(groups)}" if groups else ""
        named = f" named {' '.join(row['names'])}" if row["names"] else ""
        print(f"{' '.join(row['verbs'])}: {what}{of}{named}  ({row['by']})")
    if not rows:
        print("nothing is held there")
    return OK


def reach(options: argparse.Namespace) -> int:
    """Answer allowed (exit 0), denied or undecided (exit 1), with the policy that decides."""
    found = api.reach(options.source, options.target, options.port, paths=options.files, pod_cidrs=options.pod_cidr)
    if options.json:
        print_json(
            {
                "schema": "tenancykit/reach/v1",
                "from": found.source,
                "to": found.target,
                "allowed": found.allowed,
                "verdict": found.verdict,
                "why": found.answer.why,
                "open_ports": [str(port) for port in found.open_ports],
                "undecided": list(found.undecided),
            }
        )
    else:
        print(f"{found.verdict}: {found.answer.why}")
        for text in found.undecided:
            print(f"may change the answer: {text}")
    return OK if found.verdict == "allowed" else FINDINGS


def place(options: argparse.Namespace) -> int:
    """Place the pending pods; exit 1 when some stay pending."""
    found = api.place(*options.files, grow=options.grow, node_types=options.node_type)
    if options.json:
        print_json({"schema": "tenancykit/place/v1", **found.to_dict()})
    else:
        print("\n".join(placement_lines(found)))
    return FINDINGS if found.waits else OK
