"""The command that holds files against what an API server takes: validate."""

from __future__ import annotations

import argparse

from tenancykit import api
from tenancykit.cli.designs import print_json


def validate(options: argparse.Namespace) -> int:
    """Validate manifests; exit 1 when an object would be refused, 2 when an input could not be read."""
    found = api.validate(*options.paths, kubernetes=options.kubernetes, crds=options.crds)
    if options.json:
        print_json(found.as_dict())
    else:
        for fault in found.faults:
            print(fault)
        print(found)
    return found.exit_code
