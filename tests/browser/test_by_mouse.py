"""A new scenario from nothing to a board record, as somebody does it who knows no id and types nothing."""

from __future__ import annotations

import re
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import STARTING, Watched, opened
from tests.browser.test_voila import tab

if TYPE_CHECKING:
    from playwright.sync_api import Locator


def test_eight_teams_forty_customers_and_twelve_machines_by_mouse_alone_to_export_and_record(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = opened(watched, voila[0])
    start, steps = time.perf_counter(), 0

    def choose(question: str, label: str) -> None:
        nonlocal steps
        page.locator(f"select[title^='{question}']").select_option(label=label)
        steps += 1

    def press(what: Locator) -> None:
        nonlocal steps
        what.click(timeout=STARTING)
        steps += 1

    press(page.get_by_role("tab", name="Scenario", exact=True))
    press(page.get_by_text("New scenario, by questions", exact=True))
    choose("How many teams of your own", "8")
    choose("How many customers", "40")
    page.get_by_text("What is run for each of them?").wait_for()
    assert "8 x H100" in page.locator("select[title^='Which GPU machine']").input_value()
    page.locator("select[title^='How many of them are there? 0']").wait_for()
    choose("How many of them are there? 0", "12")
    page.locator("select[title^='If a design needs more machines']").wait_for()
    watched.shot("voila-questions")
    press(page.get_by_role("button", name="Create scenario"))
    page.locator("h3", has_text="Our platform").first.wait_for()
    page.get_by_text("created; the sizes it assumes are marked").wait_for(timeout=STARTING)
    page.locator(".tk-grid button", has_text=re.compile(r"^HY1 ")).first.wait_for(timeout=STARTING)
    watched.times["ranked_ms"] = round((time.perf_counter() - start) * 1000)
    watched.shot("voila-new-scenario")

    press(page.get_by_role("tab", name="Hand over", exact=True))
    press(page.get_by_role("button", name=re.compile(r"^Export \S+: rank 1 of \d+, admitted$")))
    with page.expect_download() as download:
        press(page.get_by_role("link", name=re.compile(r"^Download our-platform-\S+\.zip")))
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        assert {"index.yaml", "README.md", "decision.md", "decision.html"} <= set(names)
        assert "| customers | customer | 40 |" in archive.read("decision.md").decode()
    with page.expect_popup() as popup:
        press(page.get_by_role("link", name=re.compile("^Open the decision record of ")))
    record = popup.value
    record.get_by_text("Our platform").first.wait_for()
    record.screenshot(path=str(Path(__file__).parents[2] / "artefacts" / "voila-record.png"), full_page=True)
    record.close()
    watched.times["steps"] = steps
    watched.times["to_record_ms"] = round((time.perf_counter() - start) * 1000)
    watched.shot("voila-handed-over")

    tab(page, "Scenario")
    page.wait_for_function(
        "() => ['# Written from answers', 'count: 40'].every(t =>"
        " document.querySelector('.tk-scenario textarea').value.includes(t))"
    )
