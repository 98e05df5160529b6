"""Commands for deciding together: share a page, collect the weights that come back."""

from __future__ import annotations

import argparse

from tenancykit.cli import OK
from tenancykit.cli.designs import asked_study, print_json
from tenancykit.report.collecting import collected_data, collected_text
from tenancykit.report.sharing import question_of
from tenancykit.report.sharing import share as write_page
from tenancykit.study.collecting import collect as collected


def share(options: argparse.Namespace) -> int:
    """Write a study as one page in which people move weights."""
    found = write_page(asked_study(options), options.to, force=options.force)
    if options.json:
        print_json({"schema": "tenancykit/shared/v1", "page": str(found)})
    else:
        print(f"{found}: send it to those who decide; they send a small file back, for tenancykit collect")
    return OK


def collect(options: argparse.Namespace) -> int:
    """Say what files of weights mean together."""
    study = asked_study(options)
    found = collected(study, options.files, question=question_of(study))
    before = collected(study, options.before, question=question_of(study)) if options.before else None
    if options.json:
        print_json(collected_data(found, before))
    else:
        print(collected_text(found, before))
    return OK
