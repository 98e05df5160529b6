"""Commands about designs: compare, explain, bill, export."""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubeanswers.errors import Fault, InputError
from kubeanswers.terminal import one_line
from tenancykit import api
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.cli import FINDINGS, OK
from tenancykit.criterion_names import CRITERIA
from tenancykit.design.model import Design
from tenancykit.report import payload, text
from tenancykit.report.bills import bill_data, bill_lines
from tenancykit.report.chart_isolation import attack_graph
from tenancykit.report.completing import swapped
from tenancykit.report.pair_paths import pair_data, pair_lines
from tenancykit.report.reasons import changes_of_order
from tenancykit.study.beside import processors
from tenancykit.study.closing import opened
from tenancykit.study.comparison import Progress, Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.explored_designs import EXPLORED, read_explored

if TYPE_CHECKING:
    from tenancykit.report.paper import Paper


def loaded(options: argparse.Namespace) -> Catalogue:
    """Return the catalogue with the folders asked for."""
    return load_catalogue(*options.catalogue)


def asked_study(options: argparse.Namespace, *named: str | None, further: Iterable[Design] = ()) -> Study:
    """Return the study, with the variants asked for, and those and explored ones among the designs named."""
    gc.disable()  # what a study holds lives until the command ends; looking through it took a fourteenth of the time
    catalogue = loaded(options)
    scenario = api.load_scenario(options.scenario, catalogue)
    asked = {
        _id(text): text for text in (*options.variant, *filter(None, named)) if _id(text) not in catalogue.references
    }
    explored = [key for key in asked if EXPLORED.fullmatch(key)]
    written = {
        key: text
        for key, text in asked.items()
        if key not in explored and (text in options.variant or "+" in text or " -" in text)
    }
    return api.compare(
        scenario,
        catalogue,
        designs=(*written.values(), *read_explored(options.front, explored, scenario, catalogue), *further),
        calibration=options.calibration,
        as_published=options.as_published,
        progress=progress_line(),
        processes=processors(),
    )


def _id(text: str) -> str:
    """Return the id of a design however its text is spaced: ``RA01 +pol_vap`` is ``RA01+pol_vap``."""
    return "".join(text.split())


def _chosen(study: Study, named: str | None) -> Evaluation:
    return study[_id(named)] if named else study.best


def progress_line() -> Progress | None:
    """Return a one-line progress display where a person is watching, else nothing."""
    if not sys.stderr.isatty():
        return None

    try:  # a line as long as the terminal would go on in the next one, and could not be written over
        width = min(100, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
    except (OSError, ValueError):
        width = 79

    def show(done: int, total: int, name: str) -> None:
        text = "\r" + one_line(f"{done}/{total} {name}")[:width].ljust(width)
        below = getattr(sys.stderr, "unescaped", sys.stderr)
        print(text if done < total else "\r" + " " * width + "\r", end="", file=below, flush=True)

    return show


def print_json(data: Any) -> None:
    """Print plain data as JSON; characters the output's encoding lacks are escaped."""
    text = payload.to_json(data)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = re.sub(r"[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)
    print(text)


def compare(options: argparse.Namespace) -> int:
    """Rank the reference architectures and variants."""
    study = asked_study(options)
    if options.json:
        print_json(payload.comparison(study))
    else:
        study.settle(processors())
        print(text.study_text(study))
    return OK if study.ranking is not None else FINDINGS


def explain(options: argparse.Namespace) -> int:
    """Open a design's figures, or say why one design stands before another."""
    if options.depth is not None and options.depth < 0:
        raise InputError(Fault("--depth", f"is {options.depth}", "0 or more"))
    study = asked_study(options, options.design, options.other)
    chosen = _chosen(study, options.design)
    if options.other:
        found = study.why(chosen.id, _id(options.other))
        if options.json:
            print_json(payload.reasons(found))
        else:
            told = filter(None, (str(found), changes_of_order(study, found.first, found.second)))
            print("\n".join(line for sentence in told for line in text.wrapped(sentence)))
        return OK
    if options.attacker or options.victim or options.picture:
        return _pair(chosen, options)
    criteria = [options.criterion] if options.criterion else list(CRITERIA)
    explained = [chosen.explain(criterion) for criterion in criteria]
    if options.criterion == "isolation":
        explained = [opened(*explained, page=options.depth is None and not options.json)]
    if options.json:
        data = [payload.explanation(one) for one in explained]
        print_json(data[0] if options.criterion else {"schema": "tenancykit/explanations/v1", "explanations": data})
        return OK
    if changed := swapped(chosen):
        print("\n".join(text.wrapped(f"Not as published: {changed}.")))
    depth = options.depth if options.depth is not None or options.criterion else 1
    print("\n\n".join(text.explanation_text(one, depth) for one in explained))
    return OK


def _pair(chosen: Evaluation, options: argparse.Namespace) -> int:
    """Show what tenants of one class can do to those of another, and write the attack graph."""
    if options.criterion not in (None, "isolation"):
        what = f"{options.criterion} has no attackers and victims"
        raise InputError(Fault("--criterion", what, "isolation", "leave --criterion out"))
    pair = options.attacker, options.victim
    if options.picture:
        attack_graph(chosen, *pair).save(options.picture, force=options.force)
    if options.json:
        print_json(pair_data(chosen, *pair))
    else:
        print("\n".join(pair_lines(chosen, *pair)))
    return OK


def bill(options: argparse.Namespace) -> int:
    """Show every tenant's bill under one design."""
    chosen = _chosen(asked_study(options, options.design), options.design)
    data = bill_data(chosen, idle=options.idle, shared=options.shared)
    if options.json:
        print_json(data)
    else:
        print("\n".join(bill_lines(data)))
    return OK


def export(options: argparse.Namespace) -> int:
    """Write manifests and decision record; a design that breaks the catalogue's rules is written, and told as such."""
    study, paper = _with_today(options)
    chosen = _chosen(study, options.design)
    handover = api.export(chosen, options.to, study=study, paper=paper)
    if options.json:
        print_json(handover.data())
    else:
        print(handover.text())
    broken = chosen.resolved.violations
    if broken:
        print(f"{chosen.id} is not valid for this scenario, as its README.md says too:", file=sys.stderr)
        print("\n".join(f"  - {one_line(str(reason))}" for reason in broken), file=sys.stderr)
    return FINDINGS if broken else OK


def _with_today(options: argparse.Namespace) -> tuple[Study, Paper]:
    """Return the study with what stands today among its designs, and what people add to the record."""
    added = {
        "author": options.author,
        "status": options.status,
        "sign_off": options.sign_off,
        "owners": dict(_assigned("--owner", text) for text in options.owner),
        **({"date": options.date} if options.date else {}),
    }
    paper = api.paper(**added)
    if not options.before or not Path(options.before).exists():
        if options.before and {"/", "."}.intersection(options.before):
            what = f"{options.before!r} is neither a file or folder nor a design"
            raise InputError(
                Fault("--before", what, "a dump, a repository, a design id or a variant", "check the path")
            )
        study = asked_study(options, options.design, options.before or None)
        before = study[_id(options.before)].id if options.before else ""
        return study, paper.model_copy(update={"before": before})
    catalogue = loaded(options)
    found = api.assess(options.before, api.load_scenario(options.scenario, catalogue), catalogue).found
    study = asked_study(options, options.design, further=(found.resolved.design,))
    return study, paper.model_copy(update={"before": found.id})


def _assigned(option: str, text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not value.strip():
        raise InputError(Fault(option, f"is {text!r}", "KIND=NAME, such as security=Jane Doe"))
    return name.strip(), value.strip()
