"""Command that begins a scenario: init."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from pathlib import Path

from kubeanswers.errors import Fault, InputError, OutputError
from kubeanswers.scalars import whole_number
from kubeanswers.terminal import escaped
from kubeanswers.writing import write_text
from tenancykit import api
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.cli import OK
from tenancykit.cli.arguments import ANSWERS
from tenancykit.cli.designs import print_json
from tenancykit.study.drafting import HEAD, drafted
from tenancykit.study.interviewing import Question, interview


def init(options: argparse.Namespace) -> int:
    """Ask what a scenario needs to say, or take the answers given, and write the scenario with comments."""
    catalogue = load_catalogue(*options.catalogue)
    given = {name: value for name in ANSWERS if (value := getattr(options, _attribute(name))) is not None}
    if options.questions:
        print("\n\n".join(_said(question) for question in _every(given, catalogue)))
        return OK
    file = Path(options.to)
    if file.exists() and not options.force:
        raise OutputError(f"{file}: is there already; --force replaces it, --to FILE writes elsewhere")
    if not given:
        given = _asked(catalogue)
    text = drafted(given, catalogue)
    scenario = api.parse_scenario(text, catalogue)
    write_text(file, text, ours=HEAD, force=options.force)
    if options.json:
        print_json({"schema": "tenancykit/init/v1", "file": str(file), "name": scenario.name, "answers": given})
        return OK
    tenants = sum(c.count for c in scenario.tenants.classes)
    print(
        escaped(f"Written to {file}: {scenario.title}, {tenants} tenants in {len(scenario.tenants.classes)} classes.")
    )
    print("Correct what its comments call an assumption, then:")
    print(escaped(f"  tenancykit compare {file}\n  tenancykit lab --app --scenario {file}"))
    return OK


def _attribute(name: str) -> str:
    return f"answer_{name.replace('-', '_')}"


def _every(given: dict[str, str], catalogue: Catalogue) -> list[Question]:
    """Return the questions that follow from the answers given and from defaults."""
    found: dict[str, str] = {}
    asked = []
    for question in interview(found, catalogue):
        found[question.id] = question.checked(given.get(question.id, ""))
        asked.append(question)
    return asked


def _said(question: Question) -> str:
    """Return a question with its option, why it is asked, and what may be answered."""
    lines = [f"--{question.id}: {question.ask}", *_wrapped(f"Why: {question.why}")]
    lines += [line for value, told in question.choices for line in _wrapped(f"{value}: {told}")]
    if question.kind == "several":
        lines += _wrapped("Several are separated by commas.")
    if question.default:
        lines += _wrapped(f"Default: {question.default}")
    return escaped("\n".join(lines))


def _wrapped(text: str) -> list[str]:
    width = max(40, min(100, shutil.get_terminal_size((80, 24)).columns))
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")


def _asked(catalogue: Catalogue) -> dict[str, str]:
    """Return what somebody at the terminal answers."""
    if not sys.stdin.isatty():
        cure = "give answers as options (--teams 8 ...), or --questions to see what is asked"
        raise InputError(Fault("init", "nobody to ask: input is no terminal", cure=cure))
    print("Enter alone takes the default in brackets. Every answer can be changed in the file afterwards.")
    found: dict[str, str] = {}
    for question in interview(found, catalogue):
        found[question.id] = _answer(question)
    return found


def _answer(question: Question) -> str:
    print()
    print(escaped(question.ask))
    print(escaped("\n".join(_wrapped(f"Why: {question.why}"))))
    values, usual = [value for value, _ in question.choices], question.default.split(",")
    for number, (value, told) in enumerate(question.choices, start=1):
        print(escaped("\n".join(_wrapped(f"{number}) {told}" + (" [default]" if value in usual else "")))))
    many = ", numbers separated by commas" if question.kind == "several" else ""
    while True:
        try:
            typed = input(escaped(f"[{question.default or 'nothing'}{many}] ")).strip()
        except EOFError:
            cure = "answer each question, or press Enter for its default"
            raise InputError(Fault("init", "ended before every question was answered", cure=cure)) from None
        parts = [part.strip() for part in typed.split(",")]
        picked = [whole_number(part, most=len(values)) for part in parts]
        if values and all(picked):
            typed = ",".join(values[number - 1] for number in picked if number)
        try:
            return question.checked(typed)
        except InputError as error:
            print(escaped(str(error)))
