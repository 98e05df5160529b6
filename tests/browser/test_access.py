"""The studio's page for keyboards, screen readers and low vision, in both themes, as axe-core judges it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from tenancykit.studio.classroom import board
from tenancykit.studio.classroom.roster import seats
from tenancykit.studio.classroom.settings import ClassSettings
from tests import studies
from tests.browser.conftest import Watched, opened
from tests.browser.test_voila import TABS, shown, tab

RULES = {"runOnly": ["wcag2a", "wcag2aa", "best-practice"], "resultTypes": ["violations"]}
WAITING = (
    "() => [...document.querySelectorAll('input[title], select[title], textarea[title]')]"
    ".every(e => e.getAttribute('aria-label') === e.title)"
)

ALIKE = """() => {
  [...document.querySelectorAll("main > details")].slice(1).forEach(e => e.remove());
  document.querySelectorAll("details").forEach(e => { e.open = true; });
}"""
"""Unfolds what is folded, one of the foldings built alike: axe takes minutes for the figures of every design."""


def violations(page: Any, context: Any = None) -> list[str]:
    """Return what axe-core finds serious or critical, on the page or a part of it: rule, place and reason."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page, context=context, options=RULES).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]}: {node['failureSummary'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def test_axe_finds_nothing_serious_in_light_and_dark_and_panels_open_by_keyboard(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = opened(watched, voila[0])
    assert page.title() == "tenancykit studio"
    assert page.get_by_role("heading", level=1).text_content() == "tenancykit studio"

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "tk-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tab", "84 stops are skipped by one"

    for name, waited in (
        ("Design", ".tk summary"),
        ("Scenario", ".tk-scenario textarea"),
        ("Weigh", ".widget-hslider"),
    ):
        tab(page, name)
        page.locator(waited).last.wait_for(state="attached")
        if name == "Scenario":
            header = page.get_by_role("button", name="New scenario, by questions")
            header.focus()
            assert header.get_attribute("aria-expanded") == "false"
            page.keyboard.press("Enter")
            page.locator("select[title^='How many teams']").wait_for()
            page.wait_for_function("document.activeElement.getAttribute('aria-expanded') === 'true'")
        page.wait_for_function(WAITING)
        assert violations(page) == [], name
    page.emulate_media(color_scheme="dark")
    for name in ("Scenario", "Ranking"):
        tab(page, name)
        assert violations(page) == [], f"{name}, dark"
        watched.shot(f"voila-dark-{name.lower()}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_tab(looked_at: Watched, theme: Any) -> None:
    page = looked_at.page
    page.emulate_media(color_scheme=theme)
    names = page.get_by_role("tab").all_inner_texts()
    assert tuple(names) == TABS
    found = {}
    for number, name in enumerate(names, start=1):
        shown(page, name)
        page.wait_for_function(WAITING)
        assert looked_at.inks() <= {theme}, name
        looked_at.shot(f"tab-{number:02d}-{name.lower().replace(' ', '-')}-{theme}")
        found[name] = violations(page)
    assert {name: told for name, told in found.items() if told} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_record_the_shared_page_and_the_board(
    watched: Watched, tmp_path: Path, theme: Any
) -> None:
    study = studies.study("ml-platform")
    pages = {
        "record": tk.record(study).html,
        "shared": tk.share(study, tmp_path / "shared.html").read_text(),
        "board": board.page(ClassSettings(
            folder=tmp_path, notebooks=tmp_path, address="127.0.0.1", port=1, inner=(1, 2, 3), proxy=("proxy",),
            accounts={seat.name: seat.account() for seat in seats(3)},
        )),
    }  # fmt: skip
    watched.page.emulate_media(color_scheme=theme)
    for name, text in pages.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
        watched.page.goto((tmp_path / f"{name}.html").as_uri())
        watched.shot(f"{name}-{theme}")
        watched.page.evaluate(ALIKE)
        assert violations(watched.page) == [], name
