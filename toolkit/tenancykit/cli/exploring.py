"""Commands about the whole space of designs: explore; and replay of a decision record."""

from __future__ import annotations

import argparse
import json
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from pathlib import Path

from kubeanswers.errors import Fault, InputError
from kubeanswers.writing import write_text
from tenancykit import api
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import FINDINGS, OK
from tenancykit.cli.designs import asked_study, print_json, progress_line
from tenancykit.report.exploring import exploration_payload, exploration_text, front_csv
from tenancykit.report.robust import robustness_payload, robustness_text
from tenancykit.report.text import columns, wrapped
from tenancykit.study.exploration import LIMIT, PER_CLASS_LIMIT, Exploration
from tenancykit.study.exploration import explore as explore_space
from tenancykit.study.handful import handful
from tenancykit.study.robustness import robustness


def explore(options: argparse.Namespace) -> int:
    """Look for the designs that none beats in the space of all valid ones."""
    catalogue = load_catalogue(*options.catalogue)
    scenario = api.load_scenario(options.scenario, catalogue)
    with _workers(options.workers) as executor:
        found = explore_space(
            scenario,
            catalogue,
            allowed=_allowed(options.allow),
            limit=(PER_CLASS_LIMIT if options.per_class else LIMIT) if options.limit is None else options.limit,
            per_class=options.per_class,
            executor=executor,
            progress=progress_line(),
            save=options.save,
            resume=options.resume,
            prove=options.prove,
            bills=options.bills,
        )
    if options.front:
        write_text(Path(options.front), front_csv(found), ours="id,admitted,isolation", force=options.force)
    if options.json:
        print_json(exploration_payload(found))
    else:
        print(exploration_text(found))
        print("\n".join(_further(options, found)))
    return OK if found.members else FINDINGS


def _further(options: argparse.Namespace, found: Exploration) -> list[str]:
    """Return how a design of the front is taken up again: in words, and as a command of its own line."""
    chosen = handful(found)
    front, design = options.front or "FILE", chosen[0].found.id if chosen else found.front[0].id
    told = "To go on with a design of the front (compare, explain, share and robust take --front with --variant):"
    if not options.front:
        told = f"With --front FILE the front is written to a file. {told}"
    return [*wrapped(told), f"  tenancykit export {options.scenario} --front {front} --design {design} --to out/"]


def replay(options: argparse.Namespace) -> int:
    """Work a decision record, or a file of published flaws, out again."""
    if bool(options.record) == bool(options.evidence):
        raise InputError(Fault("replay", "needs one thing to replay", "a decision record, or --evidence FILE"))
    if options.evidence:
        return _flaws(options)
    found = api.replay(options.record, load_catalogue(*options.catalogue), folder=options.folder)
    if options.json:
        print_json(found.data())
    else:
        print(found.text())
    return OK if found.same else FINDINGS


def _flaws(options: argparse.Namespace) -> int:
    rows = api.replay_evidence(options.evidence, load_catalogue(*options.catalogue))
    if options.json:
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        print(f'{{"schema": "tenancykit/flaws/v1", "rows": [\n{lines}\n]}}')
    else:
        keys = ("entry", "choice", "outcome", "asset", "path")
        print("\n".join(columns([keys, *([row[k] for k in keys] for row in rows)], left=set(range(5)))))
    return OK


def robust(options: argparse.Namespace) -> int:
    """Say what would overturn the first place, what moves it most, and what is near it."""
    found = robustness(asked_study(options))
    if options.json:
        print_json(robustness_payload(found))
    else:
        print(robustness_text(found))
    return OK


def _allowed(given: list[str]) -> dict[str, list[str]]:
    allowed: dict[str, list[str]] = {}
    for text in given:
        dimension, equals, options = text.partition("=")
        if not equals:
            raise InputError(Fault("--allow", f"cannot read {text!r}", "dimension=option,option"))
        if not options.strip(" ,"):
            raise InputError(Fault("--allow", f"{text!r} keeps no option", "dimension=option,option"))
        allowed[dimension.strip()] = [option.strip() for option in options.split(",") if option.strip()]
    return allowed


def _workers(number: int) -> AbstractContextManager[Executor | None]:
    if number < 1:
        raise InputError(Fault("--workers", f"is {number}", "1 or more"))
    # A fresh interpreter per worker: what this process has computed or opened is not copied.
    return nullcontext() if number == 1 else ProcessPoolExecutor(number, mp_context=get_context("spawn"))
