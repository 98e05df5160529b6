"""Writes the course's slides and its two-page handout as pages to print, from what the repository says already.

The criteria come from the README, the levels from the catalogue, the words from the glossary, parts and discussion from
the instructor's guide, the exercises from their own file: a change in any of them changes the page.
"""

from __future__ import annotations

import argparse
import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import tenancykit as tk
from kubeanswers.source import read_yaml
from tenancykit.catalogue.barriers import load_isolation

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "notebooks" / "workshop" / "README.md"
EXERCISES = ROOT / "toolkit" / "tenancykit" / "studio" / "workshop" / "exercises.yaml"

_LOOK = "body{font:11px/1.4 system-ui,sans-serif;color:#1c1c1c;margin:0}h1{font-size:1.6em;margin:0 0 .3em}"
_HANDOUT = _LOOK + (
    "body{max-width:180mm;margin:0 auto;font-size:14px}h2{font-size:1.15em;"
    "border-bottom:2px solid #ccc;margin:1em 0 .4em}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:3px 6px;"
    "border-bottom:1px solid #ddd}.words{break-before:page;columns:2;column-gap:8mm}dt{font-weight:600}"
    "dd{margin:0 0 .5em;}dl>div{break-inside:avoid}@page{size:A4;margin:15mm}"
)
_SLIDES = _LOOK + (
    "section{box-sizing:border-box;width:297mm;height:209mm;padding:18mm 22mm;break-after:page;overflow:hidden;"
    "font-size:28px;border-bottom:1px solid #ccc}h1{font-size:40px;margin:0 0 .6em}li{margin:.35em 0}"
    "table{border-collapse:collapse;font-size:20px;width:100%}td,th{text-align:left;vertical-align:top;"
    "padding:6px 10px;border-bottom:1px solid #ddd}@page{size:A4 landscape;margin:0}"
)


def handout() -> str:
    """Return the handout: criteria and levels on the first page, the glossary on the second."""
    words = "".join(f"<div><dt>{_inline(word)}</dt><dd>{_inline(text)}</dd></div>" for word, text in glossary())
    return _page(
        "tenancykit: criteria, levels, words",
        _HANDOUT,
        "<h1>Designing Kubernetes tenancy</h1><h2>The four criteria</h2>"
        + _table(*criteria())
        + "<h2>Levels of isolation: rules over the worst pair of tenants, each including those below</h2>"
        + _table(["level", "meaning", "what it asks for"], levels())
        + f'<dl class="words">{words}</dl>',
    )


def slides() -> str:
    """Return the slides: opening, criteria, levels, then per part its exercises and what to discuss."""
    guide = GUIDE.read_text(encoding="utf-8")
    _, parts = table_of(guide, "What they will be able to do")
    asked = exercises()
    discuss = dict(re.findall(r"^- ([A-D]): (.+(?:\n  .+)*)", section_of(guide, "To discuss"), re.MULTILINE))
    found = [
        _slide(guide.partition("\n")[0].lstrip("# "), [f"tenant: {dict(glossary())['tenant']}", "Which have you?"]),
        f"<section><h1>Four criteria</h1>{_table(*criteria())}</section>",
        f"<section><h1>Levels of isolation</h1>{_table(['level', 'meaning', 'what it asks for'], levels())}</section>",
    ]
    for part, minutes, example, able, numbers in parts:
        if part not in discuss:
            continue
        found.append(_slide(f"Part {part}: {minutes} minutes", [f"Example: {example}", f"Afterwards you can: {able}"]))
        for number in re.findall(r"\d+", numbers):
            title, question = asked[int(number)]
            found.append(_slide(f"Exercise {number}. {title}", [question]))
        found.append(_slide(f"Part {part}: to discuss", re.split(r"(?<=\?) ", discuss[part])))
    return _page("tenancykit: the course", _SLIDES, "".join(found))


def criteria() -> tuple[list[str], list[list[str]]]:
    """Return the README's table of criteria."""
    return table_of((ROOT / "README.md").read_text(encoding="utf-8"), "What the figures mean")


def levels() -> list[list[str]]:
    """Return the catalogue's levels with what each asks for."""
    return [
        [level.id, level.title, "; ".join(rule.why for rule in level.rules) or "nothing"]
        for level in load_isolation(tk.load_catalogue()).levels.values()
    ]


def glossary() -> list[tuple[str, str]]:
    """Return the glossary's words with their meaning."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return [
        (word, " ".join(told.split())) for word, told in re.findall(r"^(\S.*)\n: (.+(?:\n  .+)*)", text, re.MULTILINE)
    ]


def exercises() -> dict[int, tuple[str, str]]:
    """Return title and question of each exercise by number."""
    return {int(e["number"]): (str(e["title"]), str(e["question"])) for e in read_yaml(EXERCISES).data["exercises"]}


def section_of(text: str, title: str) -> str:
    """Return what stands under a heading of the second order, down to the next.

    Raises:
        LookupError: there is no such heading.
    """
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"no section {title!r}")
    return found[1].strip()


def table_of(text: str, title: str) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of the table under a heading."""
    lines = [line for line in section_of(text, title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return cells[0], cells[2:]


def _slide(title: str, lines: Iterable[str]) -> str:
    told = "".join(f"<li>{_inline(line)}</li>" for line in lines)
    return f"<section><h1>{_inline(title)}</h1><ul>{told}</ul></section>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_inline(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _inline(text: str) -> str:
    """Return a line of Markdown as HTML: code and emphasis, nothing else."""
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(" ".join(text.split())))
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", safe)


def _page(title: str, style: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{style}</style></head><body>{body}</body></html>\n"
    )


def main() -> None:
    """Write both pages into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in (("handout.html", handout()), ("slides.html", slides())):
        (folder / name).write_text(page, encoding="utf-8")
        print(f"{folder / name}: print it from a browser")


if __name__ == "__main__":
    main()
