"""The command that lists what the catalogue holds, how old it is, and what it assumes."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from kubeanswers.errors import Fault, InputError
from tenancykit import api
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.freshness import PRICE_DAYS
from tenancykit.cli import FINDINGS, OK
from tenancykit.cli.designs import loaded, print_json, progress_line
from tenancykit.criteria.isolation.expected import moved_by
from tenancykit.report.assumed import assumptions_data, assumptions_text
from tenancykit.report.listing import freshness, listing, stale_prices, tried


def catalogue(options: argparse.Namespace) -> int:
    """List catalogue entries."""
    if options.what == "assumptions":
        catalogue = loaded(options)
        study = api.compare(api.load_scenario(options.scenario, catalogue), catalogue, progress=progress_line())
        if options.json:
            print_json(assumptions_data(study))
        else:
            print(assumptions_text(study))
        return OK
    if options.what == "tried":
        return _tried(options)
    judged, today = options.what == "freshness" or options.stale is not None, datetime.now(UTC).date()
    if options.stale is not None and (options.what not in ("prices", "freshness") or options.stale < 0):
        expected = "days, zero or more, with prices or freshness"
        raise InputError(Fault("--stale", f"{options.stale} with {options.what}", expected))
    if options.what == "freshness":
        found = freshness(loaded(options), today, PRICE_DAYS if options.stale is None else options.stale)
    elif options.stale is None:
        found = listing(options.what, loaded(options))
    else:
        found = stale_prices(loaded(options), options.stale, today)
    if options.json:
        print_json(found.data())
    else:
        print(found.text())
    return FINDINGS if judged and found.entries else OK


def _tried(options: argparse.Namespace) -> int:
    catalogue = loaded(options)
    expected = load_isolation(catalogue).expectations.values()
    moved = list(moved_by(expected, api.load_scenario(options.scenario, catalogue), catalogue))
    found = tried(moved)
    if options.json:
        print_json(found.data())
    else:
        print(found.text())
    return OK if all(one.holds for one in moved) else FINDINGS
