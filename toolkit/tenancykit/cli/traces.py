"""Commands about traces of demand: demand."""

from __future__ import annotations

import argparse

from kubeanswers.errors import Fault, InputError
from kubeanswers.writing import write_text
from tenancykit.cli import OK
from tenancykit.cli.designs import print_json
from tenancykit.criteria.cost import trace_demand


def demand(options: argparse.Namespace) -> int:
    """Print what the tenants of a trace need apart and together."""
    found = trace_demand.demand(
        *options.paths,
        form=options.form,
        resource=options.resource,
        percentile=options.percentile,
        cap=options.cap,
        backfill=options.backfill,
        pools=pools(options.pool),
        skip_bad_rows=options.skip_bad_rows,
    )
    if options.to:
        write_text(options.to, found.activity_csv(), ours="tenant,hour,active\n", force=options.force)
    if options.json:
        print_json({"schema": "tenancykit/demand/v1", **found.to_dict()})
    else:
        print(found.text(), end="")
    return OK


def pools(texts: list[str]) -> dict[str, list[str]]:
    """Return the tenants of each pool from ``NAME=TENANT,...`` texts.

    Raises:
        InputError: a text is no such list.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        name, _, members = text.partition("=")
        tenants = [tenant.strip() for tenant in members.split(",") if tenant.strip()]
        if not (name.strip() and tenants):
            cure = "as in --pool research=blue,red"
            raise InputError(Fault("--pool", f"{text!r} names no pool with tenants", "NAME=TENANT,...", cure))
        found.setdefault(name.strip(), []).extend(tenants)
    return found
