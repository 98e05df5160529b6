"""The README's commands are commands, in an order in which what one reads another has written before."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import pytest

from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import command_line, exploring, main

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def tour() -> list[list[str]]:
    blocks = re.findall(r"^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("tenancykit ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_every_command_of_the_readme_is_understood_as_printed() -> None:
    assert len(tour()) > 10
    for words in tour():
        command_line().parse_args(words)


def test_what_a_command_asks_of_its_options_is_an_option_of_it() -> None:
    """An option that code reads and no parser knows is found only by whoever takes that way through the code."""
    options = command_line().parse_args(["explore", "saas-inference", "--front", "front.csv"])
    asked = set(re.findall(r"options\.(\w+)", inspect.getsource(exploring.explore)))
    assert asked - set(vars(options)) == set()


def test_the_tour_reads_an_export_only_after_it_was_written() -> None:
    commands = [" ".join(words) for words in tour()]
    written = next(place for place, text in enumerate(commands) if text.startswith("export"))
    reads = [place for place, text in enumerate(commands) if re.search(r"(?<!--to )\bout/(?!front)", text)]
    assert min(place for place in reads if place != written) > written


def test_no_export_of_the_tour_lies_in_another_one_or_in_that_of_the_demo() -> None:
    folders = {Path(found.rstrip('`."')) for found in re.findall(r"\bout/[\w-]+/?(?![\w/.-])", README)}
    assert len(folders) > 2
    assert "--to out/`" not in README
    assert not any(one in other.parents for one in folders for other in folders)


@pytest.mark.whole
def test_the_tour_runs_as_printed_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Explorations look less far here; everything else is as printed, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    answers_no = {"can-i", "reach"}
    for words in tour():
        code = main([*words, *(["--limit", "500"] if words[0] == "explore" else [])])
        assert code == (1 if words[0] in answers_no else 0), words


def test_the_studio_and_the_course_are_on_the_first_screen() -> None:
    first = "\n".join(README.splitlines()[:30])
    assert "lab --app" in first
    assert "notebooks/workshop" in first
    picture = re.search(r"\]\((docs/studio\.png)\)", first)
    assert picture is not None
    assert (Path(__file__).parents[2] / picture[1]).stat().st_size < 200_000


def test_the_readme_counts_the_published_architectures_as_the_catalogue_does() -> None:
    words = {20: "twenty", 21: "twenty-one", 22: "twenty-two", 23: "twenty-three", 24: "twenty-four"}
    number = len(load_catalogue().references)
    assert f"compares {words[number]} published reference architectures" in README
