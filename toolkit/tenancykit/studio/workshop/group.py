"""Everybody's design on one chart: each saves a file, the trainer reads the folder."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from kubeanswers.source import read_yaml
from kubeanswers.writing import write_text
from tenancykit.api import collect, compare, load_scenario
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.design.model import Choice, Design, choose
from tenancykit.drawing import Drawable, html_of, text_of
from tenancykit.examples import EXAMPLES
from tenancykit.report.charts import Chart, group_scatter
from tenancykit.report.collecting import collected_text
from tenancykit.report.figures import number, short_value
from tenancykit.report.payload import to_json
from tenancykit.scenario.fields import Model, TenantName
from tenancykit.scenario.naming import kubernetes_name
from tenancykit.studio.workshop.progress import PERSON
from tenancykit.study.comparison import Study
from tenancykit.validation import validate

SUFFIX: Final = ".design.json"


class Submission(Model):
    """One participant's design."""

    schema_version: Literal["tenancykit/submission/v1"] = Field(alias="schema")
    """Version of this format."""
    name: TenantName
    """Who made it; any printable name."""
    scenario: Literal["ml-platform", "saas-inference", "gpu-cloud", "regulated-hybrid"]
    """Example it is for."""
    title: str = ""
    """What it is called."""
    options: dict[str, tuple[str, ...]]
    """Option ids per tenant class."""


@dataclass(frozen=True)
class Group(Drawable):
    """Everybody's designs, measured anew from their options.

    Attributes:
        study: the reference architectures and the group's designs.
        names: participant by design id.
        chart: isolation over cost, one point per participant.
        faults: files that could not be read, and what is wrong with them.
    """

    study: Study
    names: Mapping[str, str]
    chart: Chart
    faults: tuple[Fault, ...] = field(default=())


def submit(name: str, design: object, scenario: str, folder: str | os.PathLike[str]) -> Path:
    """Write a participant's design into the group's folder and return the file.

    Args:
        name: who made it.
        design: the design; its choices are kept, its figures are measured anew by :func:`group`.
        scenario: name of the example it is for.
        folder: the group's folder.

    Raises:
        InputError: the name is empty, the design is none or leaves out a class, or the scenario is no example.
        OutputError: the file cannot be written.
    """
    if scenario not in EXAMPLES:
        raise InputError(Fault("scenario", f"unknown example {scenario!r}", ", ".join(EXAMPLES)))
    if not name.strip():
        raise InputError(Fault("name", "is empty", cure="write your name"))
    if not isinstance(design, Design):
        raise InputError(
            Fault("design", f"{type(design).__name__} is not a design", cure="make it with tk.own_design(...)")
        )
    _check_classes(design.choices, scenario, "design")
    account = os.environ.get(PERSON, "")  # in a class, two people of one name do not overwrite each other
    file = Path(folder) / f"{kubernetes_name('-'.join(filter(None, (account, name))))}{SUFFIX}"
    data = {
        "schema": "tenancykit/submission/v1",
        "name": name,
        "scenario": scenario,
        "title": design.name,
        "options": {class_id: list(choice.options) for class_id, choice in design.choices.items()},
    }
    write_text(file, to_json(data) + "\n", ours="tenancykit/submission/v1")
    return file


def group(folder: str | os.PathLike[str], scenario: str = "saas-inference") -> Group:
    """Return the designs of a group's folder on one chart; a file that cannot be read is told and left out.

    Raises:
        InputError: the folder holds no design for the scenario.
    """
    found: list[tuple[Submission, Design]] = []
    faults: list[Fault] = []
    for file in sorted(Path(folder).glob(f"*{SUFFIX}")):
        try:
            submission = validate(Submission, read_yaml(file))
            if submission.scenario == scenario:
                found.append((submission, _design(submission, file)))
        except InputError as error:
            faults.extend(error.faults)
    if not found:
        raise InputError(
            [*faults, Fault(str(folder), f"holds no design for {scenario}", f"files that end in {SUFFIX}")]
        )
    given = [submission.name for submission, _ in found]
    names = {d.id: s.name if given.count(s.name) == 1 else f"{s.name} ({d.id})" for s, d in found}
    study = compare(load_scenario(scenario), designs=[design for _, design in found])
    return Group(study, names, _chart(study, names), tuple(faults))


def heard(folder: str | os.PathLike[str], study: Study) -> str:
    """Return what the weights in a folder say together, in words; how to come by them where there are none.

    Args:
        folder: with the files that a shared page made (JSON, whatever they are called by now); those from before the
            group talked stand in its folder ``before``.
        study: the comparison whose page was shared.

    Raises:
        InputError: every fault of every file.
    """
    now, before = (
        sorted(file for file in part.glob("*.json") if not file.name.endswith(SUFFIX))
        for part in (Path(folder), Path(folder) / "before")
    )
    if not now:
        return f"No weights are there yet: send round the page of tenancykit share {study.scenario.name}."
    return collected_text(collect(study, now), collect(study, before) if before else None)


def _design(submission: Submission, file: Path) -> Design:
    catalogue = load_catalogue()
    _check_classes(submission.options, submission.scenario, f"{file}: options")
    choices: dict[str, Choice] = {c: choose(catalogue, options) for c, options in submission.options.items()}
    return Design(f"by-{file.name.removesuffix(SUFFIX)}", submission.title or submission.name, choices)


def _check_classes(named: Mapping[str, object], scenario: str, where: str) -> None:
    classes = {c.id for c in load_scenario(scenario).tenants.classes}
    if set(named) != classes:
        raise InputError(Fault(where, f"does not name exactly the classes of {scenario}", ", ".join(sorted(classes))))


def _chart(study: Study, names: Mapping[str, str]) -> Chart:
    order = [e for e in study.order if e.id in names]
    first = order[0]
    told = (
        f"ranks highest, {study.rank(first.id)} of {len(study.admitted.labels)}"
        if study.admitted and study.rank(first.id)
        else ""
    )
    title = f"{names[first.id]}'s design {told}" if told else "No design of the group is admitted"
    points = {names[e.id]: (e.scores["cost"].value, e.scores["isolation"].value) for e in order}
    points |= {
        e.id: (e.scores["cost"].value, e.scores["isolation"].value) for e in study.order[:3] if e.id not in names
    }
    units = {c: first.scores[c].unit for c in CRITERIA}
    return group_scatter(
        points,
        x=f"{TITLES['cost']}, {units['cost']} (less is better)",
        y=f"{TITLES['isolation']}, {units['isolation']} (more is better)",
        title=title,
        best=names[first.id],
    )


def group_text(found: Group) -> str:
    """Return the group's ranking as text."""
    lines = [found.chart.title]
    for evaluation in found.study.order:
        if evaluation.id in found.names:
            rank = found.study.rank(evaluation.id)
            figures = ", ".join(f"{c} {number(evaluation.scores[c].value)}" for c in CRITERIA)
            reasons = "" if rank else f" - {found.study.exclusions(evaluation.id)[0]}"
            lines.append(f"{rank or '-':>3}  {found.names[evaluation.id]}: {figures}{reasons}")
    return "\n".join([*lines, *(f"left out: {fault}" for fault in found.faults)])


@html_of.register
def group_html(found: Group) -> str:
    """Return chart and table of the group."""
    rows = []
    for evaluation in found.study.order:
        if evaluation.id in found.names:
            rank = found.study.rank(evaluation.id)
            cells = "".join(f"<td>{html.escape(short_value(evaluation.scores[c]))}</td>" for c in CRITERIA)
            out = "" if rank else html.escape(found.study.exclusions(evaluation.id)[0])
            who = html.escape(found.names[evaluation.id])
            rows.append(f"<tr><td>{rank or '-'}</td><td>{who}</td>{cells}<td>{out}</td></tr>")
    units = {c: score.unit for c, score in found.study.evaluations[0].scores.items()}
    heads = "".join(f"<th>{TITLES[c]}<br><small>{html.escape(units[c])}</small></th>" for c in CRITERIA)
    faults = "".join(f"<li>{html.escape(str(fault))}</li>" for fault in found.faults)
    left = f"<p>Left out:</p><ul>{faults}</ul>" if faults else ""
    table = f'<table class="tk"><tr><th>Rank</th><th>Who</th>{heads}<th></th></tr>{"".join(rows)}</table>'
    style = "background:#fff;color:#222;font:13px system-ui,sans-serif"
    return f'<div style="{style}">{found.chart.html()}{table}{left}</div>'


text_of.register(Group, group_text)
