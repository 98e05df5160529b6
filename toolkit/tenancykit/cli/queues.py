"""Commands about queues: admit."""

from __future__ import annotations

import argparse
import re

from kubeanswers.errors import Fault, InputError
from tenancykit import api
from tenancykit.cli import FINDINGS, OK
from tenancykit.cli.designs import print_json
from tenancykit.report.admitting import admission_lines


def admit(options: argparse.Namespace) -> int:
    """Say what Kueue lets in; exit 1 when somebody waits or leaves, or the design has hazards."""
    found = api.admit(
        *options.files,
        against=options.against,
        fair_sharing=True if options.fair_sharing else None,
        kueue=_version(options.kueue),
        exclude=options.exclude,
    )
    if options.json:
        print_json(found.to_dict())
    else:
        print("\n".join(admission_lines(found)))
    return FINDINGS if found.open else OK


def _version(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"v?(\d+)\.(\d+)(\.\d+)?", text)
    if found is None:
        raise InputError(Fault("--kueue", f"{text!r} is no version", "such as 0.13 or 0.19.2"))
    return int(found[1]), int(found[2])
