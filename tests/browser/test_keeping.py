"""Work is never lost: loading again, a second tab, leaving with something typed, a kernel that is gone."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from playwright.sync_api import Dialog

from tests.browser.conftest import STARTING, TOKEN, Watched, opened
from tests.browser.test_voila import slider, tab


def kernels(address: str, identifier: str = "", method: str = "GET") -> int:
    """Ask the server about a kernel, or end it; return the status."""
    request = urllib.request.Request(f"{address}{identifier}", method=method)  # noqa: S310 - our own server
    request.add_header("Authorization", f"token {TOKEN}")
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
        return int(answer.status)


def test_work_outlives_a_reload_a_second_tab_a_hasty_leave_and_a_lost_kernel(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    address, _ = voila
    page = opened(watched, address)
    own = page.url

    slider(page, "Cost").focus()
    page.keyboard.press("End")
    weights = page.locator("[aria-live]", has_text="Weights: ")
    page.wait_for_function("document.querySelector('[aria-live]').innerText.match(/cost [3-9]\\d%/)")
    before = weights.inner_text()
    page.reload()
    page.get_by_text("continued where it was left").wait_for(timeout=STARTING)
    assert weights.inner_text() == before

    second = page.context.new_page()
    second.goto(own)
    second.get_by_text("another page had it open").wait_for(timeout=STARTING)
    second.close()
    slider(page, "Effort").focus()
    page.keyboard.press("End")
    page.get_by_text("continued in another tab").wait_for()
    watched.shot("voila-second-tab")
    page.get_by_role("button", name="Keep this tab's work").click()
    page.get_by_text("kept from now on").wait_for()

    tab(page, "Scenario")
    area = page.locator(".tk-scenario textarea")
    area.wait_for()
    area.press("End")
    area.press_sequentially(" ")
    page.locator(".tk-scenario.tk-unkept").wait_for()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("location.reload()")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Undo").click()
    page.locator(".tk-scenario:not(.tk-unkept)").wait_for()

    config = json.loads(page.locator("#jupyter-config-data").text_content() or "")
    kernels(address, f"api/kernels/{config['kernelId']}", "DELETE")
    page.get_by_text("This page has lost its kernel").wait_for()
    watched.shot("voila-lost-kernel")
    watched.errors[:] = [error for error in watched.errors if "404" not in error and "kernel" not in error.lower()]
