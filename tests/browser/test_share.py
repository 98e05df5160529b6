"""The shared page, opened from a file as from an e-mail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import tenancykit as tk
from tests import studies

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARTEFACTS = Path(__file__).parents[2] / "artefacts"


def test_somebody_moves_weights_compares_and_gives_them_back(browser: Browser, tmp_path: Path) -> None:
    study = studies.study("saas-inference")
    page_file = tk.share(study, tmp_path / "page.html")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True, color_scheme="dark")
    page = context.new_page()
    faults: list[str] = []
    strangers: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "blob:")) else strangers.append(asked.url))
    page.goto(page_file.as_uri())
    assert study.best.id in page.locator("#first").inner_text()
    shown = page.locator("#ranking tr").all_inner_texts()
    assert [line.split("\t")[1].split()[0] for line in shown] == list(study.ranking.ordered() if study.ranking else ())
    for place, points in enumerate((100, 0, 0, 0)):
        page.locator(f"#w{place}").fill(str(points))
    only = study.with_weights(
        study.scenario.weights.model_copy(update={"isolation": 1, "effort": 0, "operations": 0, "cost": 0})
    )
    assert only.best.id in page.locator("#first").inner_text()
    page.locator("#left").select_option(index=1)
    assert page.locator("#compared tr").count() == 6
    days = page.locator("#compared tr").nth(1).inner_text()
    assert "Days a year open to another" in days
    assert days.split("\t")[2].strip() != days.split("\t")[1].strip()
    page.locator("details summary").first.click()
    page.locator("#give").click()
    assert "name" in page.locator("#given").inner_text()
    page.locator("#who").fill("Ana <b>")
    with page.expect_download() as download:
        page.locator("#give").click()
    back = tmp_path / "back.json"
    download.value.save_as(back)
    assert json.loads(back.read_text())["who"] == "Ana <b>"
    assert tk.collect(study, [back]).consensus.choice == only.best.id
    ARTEFACTS.mkdir(exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=str(ARTEFACTS / "shared-page-dark.png"))
    context.close()
    assert faults == []
    assert strangers == []


def test_the_page_is_worked_with_the_keyboard_alone_and_without_a_network(browser: Browser, tmp_path: Path) -> None:
    study = studies.study("saas-inference")
    page_file = tk.share(study, tmp_path / "page.html")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True, offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    every = page.locator("summary:visible, input, select, button").count()
    reached = []
    page.keyboard.press("Tab")
    while at := page.evaluate(_NEXT):
        reached.append(at)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", at
        if at == "w3":
            page.keyboard.press("Home")
            assert page.locator("#o3").inner_text().startswith("0 points")
        elif at == "left":
            before = page.locator("#compared").inner_text()
            page.keyboard.press("Home")
            assert page.locator("#compared").inner_text() != before
        elif at == "who":
            page.keyboard.type("Ana")
        elif at == "give":
            with page.expect_download() as download:
                page.keyboard.press("Enter")
            download.value.save_as(tmp_path / "back.json")
        page.keyboard.press("Tab")
    assert len(reached) == every
    assert json.loads((tmp_path / "back.json").read_text())["weights"]["cost"] == 0
    page.locator("main > details summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("main > details[open]").count() == 1
    context.close()


_NEXT = "document.activeElement === document.body ? null : document.activeElement.id || document.activeElement.tagName"
"""Id or tag of what has the focus; nothing where the page is left."""


def test_where_scripts_are_blocked_the_page_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(tk.share(studies.study("ml-platform"), tmp_path / "page.html").as_uri())
    assert "Save the file and open it in a browser" in page.inner_text("main")
    assert "Recommended: " in page.inner_text("main")
    context.close()
