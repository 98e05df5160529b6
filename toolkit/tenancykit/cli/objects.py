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
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


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
    """Answer yes (exit 0) or no (exit 1), with the binding that allows it."""
    answer = api.can_i(
        options.verb,
        options.resource,
        options.name,
        paths=options.files,
        namespace=options.namespace,
        user=options.user,
        groups=options.groups,
    )
    if options.json:
        print_json({"schema": "tenancykit/can-i/v1", "allowed": answer.allowed, "reason": answer.reason})
    else:
        print(f"{'yes' if answer.allowed else 'no'}{f': {answer.reason}' if answer.reason else ''}")
    return OK if answer.allowed else FINDINGS


def reach(options: argparse.Namespace) -> int:
    """Answer allowed (exit 0) or denied (exit 1), with the policy that decides."""
    found = api.reach(options.source, options.target, options.port, paths=options.files, pod_cidrs=options.pod_cidr)
    if options.json:
        print_json(
            {
                "schema": "tenancykit/reach/v1",
                "from": found.source,
                "to": found.target,
                "allowed": found.allowed,
                "why": found.answer.why,
                "open_ports": [str(port) for port in found.open_ports],
                "undecided": list(found.undecided),
            }
        )
    else:
        print(f"{'allowed' if found.allowed else 'denied'}: {found.answer.why}")
        for policy in found.undecided:
            print(f"not evaluated, may change the answer: {policy}")
    return OK if found.allowed else FINDINGS


def place(options: argparse.Namespace) -> int:
    """Place the pending pods; exit 1 when some stay pending."""
    found = api.place(*options.files)
    if options.json:
        print_json({"schema": "tenancykit/place/v1", **found.to_dict()})
    else:
        print("\n".join(placement_lines(found)))
    return FINDINGS if found.pending else OK
