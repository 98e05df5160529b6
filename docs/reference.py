"""Writes the generated half of the docs: commands, public functions, file formats, every option of the catalogue."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import kubeanswers
import tenancykit as tk
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.model import Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import load_work
from tenancykit.cli import command_line
from tenancykit.conditions import Condition
from tenancykit.schemas import schemas


def write_reference(folder: Path) -> None:
    """Write every generated page into a folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "options").mkdir(parents=True)
    catalogue = tk.load_catalogue()
    pages = {
        "commands.md": commands(command_line()),
        "python.md": python(),
        "formats.md": formats(schemas()),
        "options.md": options(catalogue),
        **{f"options/{option.id}.md": page for option, page in option_pages(catalogue)},
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copytree(Path(__file__).parents[1] / "notebooks", folder / "notebooks", ignore=_not_shown)


def _not_shown(_folder: str, names: list[str]) -> Iterable[str]:
    return [name for name in names if name in ("workshop", ".ipynb_checkpoints") or name.startswith("out")]


def commands(parser: argparse.ArgumentParser) -> str:
    """Return a page with the help of every command, as a terminal of 100 columns shows it."""
    lines = ["# Commands", "", "```text", parser.format_help().rstrip(), "```", ""]
    for name, command in subcommands(parser):
        lines += [f"## {name}", "", "```text", command.format_help().rstrip(), "```", ""]
    return "\n".join(lines)


def subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield the name and parser of every command."""
    for action in parser._actions:  # noqa: SLF001 - argparse shows its subcommands nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            yield from action.choices.items()


def python() -> str:
    """Return a page with every public name of the two packages."""
    lines = ["# Python", ""]
    for package in (tk, kubeanswers):
        lines += [f"## {package.__name__}", ""]
        for name in sorted(package.__all__):
            value = getattr(package, name)
            if callable(value):
                directive = "autoclass" if isinstance(value, type) else "autofunction"
                place = f"{value.__module__}.{value.__qualname__}"
                lines += [f"### {name}", "", "```{eval-rst}", f".. {directive}:: {place}", "```", ""]
    return "\n".join(lines)


def formats(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a page with the fields of a scenario and of each kind of catalogue file."""
    lines = ["# File formats", "", "Generated from the JSON Schemas that editors complete with.", ""]
    for name, schema in sorted(found.items(), key=lambda one: (one[0] != "scenario", one[0])):
        lines += [f"## {name}", "", _line(schema.get("description", "")), ""]
        lines += [*_fields(schema)]
        for part, inner in schema.get("$defs", {}).items():
            if inner.get("properties"):
                lines += [f"**{part}** {_line(inner.get('description', ''))}", "", *_fields(inner)]
    return "\n".join(lines)


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        must = " (required)" if name in required else ""
        shown = f", default `{json.dumps(field['default'])}`" if "default" in field and not must else ""
        yield f"- `{name}`{must}: {_line(field.get('description', ''))}{shown}"
    yield ""


def _line(text: str) -> str:
    return " ".join(str(text).split())


def options(catalogue: Catalogue) -> str:
    """Return the list of options by dimension, each with its page."""
    lines = [
        "# Options",
        "",
        f"{len(catalogue.options)} options; a design takes at most one per layer of a dimension.",
        "",
    ]
    by_dimension: dict[str, list[Option]] = {}
    for option in catalogue.options.values():
        by_dimension.setdefault(option.dimension, []).append(option)
    for dimension, found in sorted(by_dimension.items()):
        lines += [f"## {dimension.replace('_', ' ')}", ""]
        lines += [f"- [{one.name}](options/{one.id}.md) (`{one.id}`)" for one in sorted(found, key=lambda o: o.id)]
        lines.append("")
    lines += ["```{toctree}", ":hidden:", ":glob:", "", "options/*", "```", ""]
    return "\n".join(lines)


def option_pages(catalogue: Catalogue) -> Iterator[tuple[Option, str]]:
    """Yield every option with its page: what it is, what it needs, what it changes, sources."""
    isolation, work = load_isolation(catalogue), load_work(catalogue)
    readers: list[tuple[str, Any]] = [
        *(("barrier", one) for one in isolation.barriers.values()),
        *(("crossing", one) for one in isolation.crossings.values()),
        *(("rule", one) for one in catalogue.rules.values()),
        *(("task", one) for one in work.work.values()),
        *(("toil", one) for one in work.toil.values()),
    ]
    asked = [(kind, one, frozenset(atoms(one))) for kind, one in readers]
    for option in sorted(catalogue.options.values(), key=lambda one: one.id):
        facts = {option.id, *option.provides, *option.components}
        changed = [(kind, one) for kind, one, read in asked if facts & read or getattr(one, "trigger", "") in facts]
        yield option, option_page(option, changed, catalogue)


def atoms(value: Any) -> Iterator[str]:
    """Yield the facts that the conditions anywhere in a catalogue entry read."""
    if isinstance(value, Condition):
        yield from _atoms(value)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from atoms(getattr(value, name))
    elif is_dataclass(value):
        for field in fields(value):
            yield from atoms(getattr(value, field.name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from atoms(one)


def _atoms(condition: Condition) -> Iterator[str]:
    if condition.kind == "atom":
        yield condition.atom
    for part in condition.parts:
        yield from _atoms(part)


def option_page(option: Option, changed: Iterable[tuple[str, Any]], catalogue: Catalogue) -> str:
    """Return the page of one option."""
    lines = [
        f"# {option.name}",
        "",
        f"`{option.id}`, a choice of *{option.dimension.replace('_', ' ')}*.",
        "",
        option.what,
        "",
    ]
    if option.status:
        lines += [f"Status: {_line(option.status)}", ""]
    if option.provides:
        lines += ["Provides: " + ", ".join(f"`{one}`" for one in option.provides), ""]
    for need in option.needs:
        lines.append(f"- Needs `{need.when}`: {need.why}")
    lines += ["", "## What it runs", ""]
    lines += [f"- {catalogue.components[one].name} (`{one}`)" for one in option.components] or ["Nothing of its own."]
    if option.objects:
        lines += ["", "Objects: " + ", ".join(f"{one.count:g} {one.kind} per {one.scope}" for one in option.objects)]
    lines += ["", "## What it changes", ""]
    by_kind: dict[str, list[str]] = {}
    for kind, one in changed:
        by_kind.setdefault(kind, []).append(f"`{one.id}`")
    plural = {"barrier": "Barriers", "crossing": "Crossings", "rule": "Rules", "task": "Tasks", "toil": "Toil"}
    lines += [f"- {plural[kind]}: {', '.join(sorted(names))}" for kind, names in sorted(by_kind.items())]
    lines += [] if by_kind else ["No barrier, task, toil or rule reads it: it changes no figure on its own."]
    lines += [f"- Isolation: moves no figure; {option.no_barrier}"] if option.no_barrier else []
    for gap in option.gaps:
        lines.append(f"- Gap: {gap}")
    lines += ["", "## Sources", ""]
    for one in option.sources:
        source = catalogue.sources[one]
        lines.append(f"- <{source.url}>" + ("" if source.opened else " (not opened by us)"))
    return "\n".join([*lines, ""])
