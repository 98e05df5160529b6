"""Weights by questions, clicked: swings and trade-offs, said back as exchange rates, kept for whoever answered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.browser.conftest import Watched, opened
from tests.browser.test_scenario_by_mouse import choose, press, text, unfold, until
from tests.browser.test_voila import tab, winner

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MEANING = "What the answers mean"


def points(page: Page, name: str, share: float) -> None:
    """Press a slider of the questions at a share of its length, as a finger does."""
    asked = page.get_by_role("tabpanel", name="Weigh", exact=True)
    row = asked.locator(".widget-hslider", has=page.get_by_text(name, exact=True))
    box = row.locator(".noUi-base").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def whose(page: Page) -> str:
    """Return whose weights the side shows."""
    field: Locator = page.get_by_label("Weights of", exact=True)
    return str(field.locator("option:checked").inner_text()).replace("\xa0", " ")


def shown(page: Page, wanted: str) -> None:
    """Wait until the side shows somebody's weights."""
    words = re.compile(rf"^{wanted}$".replace(" ", r"\s"))
    page.locator("option:checked", has_text=words).first.wait_for(state="attached")
    assert whose(page) == wanted


def line(page: Page, start: str) -> str:
    found = [text for text in text(page).splitlines() if text.strip().startswith(start)]
    assert len(found) == 1, found
    return found[0]


def test_swings_are_said_back_as_exchange_rates_and_kept_for_a_stakeholder(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = opened(watched, voila[0])
    before = winner(page)
    tab(page, "Weigh")
    asked = page.get_by_role("tabpanel", name="Weigh", exact=True)
    page.get_by_text("Which would you bring to its better end first? Give it 100.").wait_for()
    page.get_by_text(re.compile(r"^Now\. As weighed, .* is worth [\d,]+ USD a month")).wait_for()
    assert page.get_by_role("button", name="Keep these weights").is_disabled()
    for name, share in (
        ("Isolation", 0.995),
        ("Implementation effort", 0.005),
        ("Operational complexity", 0.005),
        ("Service cost", 0.25),
    ):
        points(page, name, share)
    press(page, "What these points mean")
    page.get_by_role("heading", name=MEANING).wait_for()
    asked.get_by_text(re.compile(r"is worth [\d,]+ USD a month")).wait_for()
    asked.get_by_text(
        "As weights: isolation 80%, implementation effort 0%, operational complexity 0%, service cost 20%"
    ).wait_for()
    first = page.get_by_text("First under these answers:").inner_text()
    watched.shot("voila-swings")

    choose(page, "Keep for", "finance")
    press(page, "Keep these weights")
    page.get_by_text("kept as weights of finance").wait_for()
    shown(page, "finance")
    tab(page, "Scenario")
    until(page, "finance: {isolation: 0.8, effort: 0.0, operations: 0.0, cost: 0.2}")
    assert line(page, "weights:") == "weights: {isolation: 0.25, effort: 0.20, operations: 0.25, cost: 0.30}"
    tab(page, "Ranking")
    page.wait_for_function(
        "before => ![...document.querySelectorAll('.tks')].some(e => e.innerText.includes(`: ${before}, for `))",
        arg=before,
    )
    best = re.compile(f"^{first.split(': ', 1)[1].split()[0]} ")
    page.locator(".tk-grid button").first.filter(has_text=best).wait_for()
    page.get_by_label("Weights of", exact=True).select_option(label="the scenario")
    page.get_by_text("weights of the scenario").wait_for()
    assert winner(page) == before


def test_trade_offs_are_answered_in_money_and_kept_for_somebody_new_and_for_the_scenario(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = opened(watched, voila[0])
    tab(page, "Weigh")
    unfold(page, "By trade-offs: amounts of money")
    day = page.get_by_title(re.compile("^Worth of .*person-day"))
    hour = page.get_by_title(re.compile("^Worth of .*hour"))
    day.wait_for()
    watched.shot("voila-trade-questions")
    press(page, "What these answers mean")
    page.get_by_text("nothing was answered; give at least one amount").wait_for()
    day.fill("a lot")
    press(page, "What these answers mean")
    page.get_by_text("'a lot' is not an amount").wait_for()
    assert page.get_by_role("button", name="Keep these weights").is_disabled()
    day.fill("20,000")
    hour.fill("500")
    press(page, "What these answers mean")
    page.get_by_role("heading", name=MEANING).wait_for()
    page.get_by_text(re.compile(r"a person-day 20,000 USD .* an hour of toil 500 USD")).wait_for()
    watched.shot("voila-trades")

    choose(page, "Keep for", "somebody new")
    press(page, "Keep these weights")
    page.get_by_text("is missing or too long").wait_for()
    name = page.get_by_title("Name of who answered")
    name.fill("Ada Lovelace")
    press(page, "Keep these weights")
    page.get_by_text("kept as weights of Ada Lovelace").wait_for()
    shown(page, "Ada Lovelace")
    press(page, "What these answers mean")
    page.get_by_role("heading", name=MEANING).wait_for()
    choose(page, "Keep for", "the scenario")
    press(page, "Keep these weights")
    page.get_by_text("kept as weights of the scenario").wait_for()
    tab(page, "Scenario")
    until(page, '"Ada Lovelace":')
    read = yaml.safe_load(text(page))
    assert read["weights"] == read["stakeholders"]["Ada Lovelace"], "the same answers are the same weights"
    assert sum(read["weights"].values()) == pytest.approx(1)
