"""Pictures and tables fit where they are shown: narrow columns, dark themes, 80-column terminals."""

from __future__ import annotations

import os
import re
import sys

import pytest

import tenancykit as tk
from tenancykit.cli.designs import progress_line
from tenancykit.drawing import html_of
from tenancykit.report import charts, robust, text
from tenancykit.report.chart_colours import class_colours
from tenancykit.report.drawing import bar
from tenancykit.study.robustness import robustness


@pytest.fixture(scope="module")
def study() -> tk.Study:
    return tk.compare(tk.load_scenario("ml-platform"))


def test_every_picture_scales_with_its_column_instead_of_being_cut(study: tk.Study) -> None:
    page = html_of(study) + html_of(study.best) + tk.record(study).html + charts.architecture(study.best).svg
    pictures = re.findall(r"<svg[^>]*>", page)
    assert len(pictures) > 4 * len(study.evaluations)
    for picture in pictures:
        assert re.search(r'viewBox="0 0 [\d.]+ [\d.]+"', picture)
        assert "max-width:100%;height:auto" in picture


def test_a_bar_keeps_its_text_at_any_width() -> None:
    assert 'aria-label="1,234 (L2)"' in bar(0.2, "1,234 (L2)")
    assert 'viewBox="0 0 96 18"' in bar(0.2, "1,234 (L2)")


def test_outputs_follow_the_theme_and_stay_dark_on_white_without_one(study: tk.Study) -> None:
    shown = html_of(study)
    assert "var(--jp-content-font-color1,#222)" in shown
    assert "var(--jp-layout-color0,#fff)" in shown
    assert "prefers-color-scheme:dark" in tk.record(study).html


def test_the_table_says_what_the_levels_and_the_dash_mean(study: tk.Study) -> None:
    shown = html_of(study)
    assert "L0 none" in shown
    assert "L5 physically separate hosts" in shown
    assert "not admitted" in shown


def test_links_to_sources_open_elsewhere(study: tk.Study) -> None:
    links = re.findall(r"<a [^>]*>", html_of(study.best.explain("cost")))
    assert links
    assert all('target="_blank"' in link and "noopener" in link for link in links)


@pytest.mark.parametrize("columns", [80, 100])
def test_lines_fit_the_terminal(study: tk.Study, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    monkeypatch.setattr(os, "get_terminal_size", lambda _=1: os.terminal_size((columns, 24)))
    lines = text.study_text(study).splitlines()
    assert [line for line in lines if len(line) > columns] == []
    assert max(map(len, lines)) > columns - 15


@pytest.mark.parametrize("columns", [80, 100])
def test_the_table_of_assumptions_fits_the_terminal_with_its_names_whole(
    study: tk.Study, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    monkeypatch.setattr(os, "get_terminal_size", lambda _=1: os.terminal_size((columns, 24)))
    lines = robust.robustness_text(robustness(study)).splitlines()
    assert [line for line in lines if len(line) > columns] == []
    assert not any(line.endswith("...") or "...  " in line for line in lines)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_progress_stays_on_one_line_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2)
    monkeypatch.setattr(os, "get_terminal_size", lambda _=2: os.terminal_size((columns, 24)))
    show = progress_line()
    assert show is not None
    show(1, 3, "namespaces on one shared cluster, " * 8)
    show(3, 3, "")
    assert {len(part) for part in capsys.readouterr().err.split("\r")} == {0, min(100, columns - 1)}


def test_a_file_gets_lines_of_a_hundred_characters(study: tk.Study) -> None:
    assert text.line_width() == 100
    assert max(map(len, text.study_text(study).splitlines())) <= 100


def test_a_class_has_the_same_colour_in_every_chart_of_every_design(study: tk.Study) -> None:
    hues = class_colours([c.id for c in study.scenario.tenants.classes])
    for evaluation in study.evaluations[:4]:
        for draw in (charts.placement, charts.isolation_matrix, charts.architecture):
            drawn = draw(evaluation).svg
            used = {name for name, hue in hues.items() if f'fill="{hue}"' in drawn}
            assert used, (evaluation.id, draw.__name__)
