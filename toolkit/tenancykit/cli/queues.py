"""Commands about queues: admit, queue."""

from __future__ import annotations

import argparse
import re
import sys
import time

from kubeanswers.errors import Fault, InputError
from kubeanswers.queueing.service import DESIGNS
from tenancykit import api
from tenancykit.cli import FINDINGS, OK
from tenancykit.cli.designs import print_json
from tenancykit.report import charts
from tenancykit.report.admitting import admission_lines
from tenancykit.report.serving import queue_lines
from tenancykit.study.serving import queue as queue_of


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


def queue(options: argparse.Namespace) -> int:
    """Say how long a trace's tenants wait under each quota design."""
    found = queue_of(
        *options.paths,
        quotas=options.quotas,
        form=options.form,
        designs=tuple(options.design) or DESIGNS,
        target=options.target,
        machine=options.machine,
        fleets=not options.no_fleet,
        interruptions=options.interruptions,
        checkpoint=options.checkpoint,
        skip_bad_rows=options.skip_bad_rows,
        progress=_Progress(),
    )
    if options.picture:
        charts.waiting_times(found).save(options.picture, force=options.force)
    if options.json:
        print_json(found.to_dict())
    else:
        print("\n".join(queue_lines(found)))
    return OK


class _Progress:
    """Says on standard error what is simulated, at most every two seconds; nothing where all is quick."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, what: str, share: float) -> None:
        now = time.monotonic()
        if now - self.last >= 2:
            self.last = now
            print(f"{what}: {share:.0%}", file=sys.stderr)


def _version(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"v?([0-9]+)\.([0-9]+)(\.[0-9]+)?", text)
    if found is None:
        raise InputError(Fault("--kueue", f"{text!r} is no version", "such as 0.13 or 0.19.2"))
    return int(found[1]), int(found[2])
