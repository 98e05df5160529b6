"""The studio as a page of its own, as a visitor meets it."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenancykit.report.sharing import question_of
from tests import studies
from tests.browser.conftest import STARTING, Watched, opened

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

TABS = (
    *("Ranking", "Design", "Isolation", "Cost", "Work", "Sensitivity", "Compare"),
    *("Explore", "Options", "Weigh", "Scenario", "Hand over"),
)


def slider(page: Page, name: str) -> Locator:
    return page.locator(".widget-hslider", has=page.get_by_text(name, exact=True)).locator(".noUi-handle")


def winner(page: Page) -> str:
    text = page.locator(".tks", has_text="First place.").first.inner_text()
    found = re.search(r"Recommended: (.*?), for [\d,]+ ", text)
    assert found is not None, text
    return found[1]


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


STILL = """() => new Promise(done => {
  let waited;
  const wait = () => { clearTimeout(waited); waited = setTimeout(() => { watcher.disconnect(); done(); }, 150); };
  const watcher = new MutationObserver(wait);
  watcher.observe(document.body, {subtree: true, childList: true, attributes: true});
  wait();
})"""
"""Waits until nothing has changed on the page for 150 milliseconds."""


def shown(page: Page, name: str) -> None:
    """Open a tab and wait until all of it is there: some are drawn when they are first opened."""
    tab(page, name)
    panel = page.get_by_role("tabpanel", name=name, exact=True)
    panel.locator("svg, table, button, select, textarea").locator("visible=true").first.wait_for(timeout=STARTING)
    page.evaluate(STILL)


def test_nobody_gets_in_without_the_token(voila: tuple[str, Path]) -> None:
    with urllib.request.urlopen(voila[0]) as answer:  # noqa: S310 - the address of our own server
        assert "/login" in answer.url
        assert b"tenancykit" not in answer.read()


def test_a_page_whose_output_got_lost_on_the_way_loads_itself_again(watched: Watched, voila: tuple[str, Path]) -> None:
    loads = []

    def without_output(route: Route) -> None:
        loads.append(route.request.url)
        if len(loads) > 1:
            return route.continue_()
        whole = route.fetch(timeout=STARTING).text()
        start, end = whole.index('<div class="jp-Cell-outputWrapper">'), whole.rindex("<script>")
        return route.fulfill(content_type="text/html", body=f"{whole[:start]}</div></div></div></div>{whole[end:]}")

    watched.page.route(re.compile(r"/\?token="), without_output)
    opened(watched, voila[0])
    assert len(loads) == 2


def test_moving_a_weight_shows_the_new_winner(watched: Watched, voila: tuple[str, Path]) -> None:
    page = opened(watched, voila[0])
    watched.shot("voila-ranking")
    before = winner(page)
    for name in ("Effort", "Complexity", "Cost"):
        slider(page, name).focus()
        page.keyboard.press("Home")
    page.get_by_text("isolation 100%").wait_for()
    page.wait_for_function(
        "before => ![...document.querySelectorAll('.tks')].some(e => e.innerText.includes(`: ${before}, for `))",
        arg=before,
    )
    assert winner(page) != before
    watched.shot("voila-isolation-only")


def test_a_move_reaches_the_eye_quickly(watched: Watched, voila: tuple[str, Path]) -> None:
    page = opened(watched, voila[0])
    slider(page, "Cost").focus()
    times = []
    for key in ("PageUp", "PageDown") * 10:
        shown = page.locator(".tks", has_text="First place.").first.inner_text()
        start = time.perf_counter()
        page.keyboard.press(key)
        page.wait_for_function(
            "shown => ![...document.querySelectorAll('.tks')].some(e => e.innerText === shown)", arg=shown
        )
        times.append((time.perf_counter() - start) * 1000)
    watched.times["median_ms"] = round(sorted(times)[len(times) // 2], 1)
    watched.times["p95_ms"] = round(sorted(times)[int(len(times) * 0.95)], 1)
    assert len(times) == 20


def test_pressing_a_number_opens_where_it_comes_from(looked_at: Watched) -> None:
    page = looked_at.page
    page.locator("button[title^='RA09: service cost']").click()
    page.get_by_text("Service cost: ", exact=False).last.wait_for()
    assert page.get_by_role("tab", name="Design", exact=True).get_attribute("aria-selected") == "true"
    page.locator(".tk summary", has_text="GPU nodes").first.wait_for()
    looked_at.shot("voila-evidence")


def test_a_broken_input_is_told_beside_it_and_undone(watched: Watched, voila: tuple[str, Path]) -> None:
    page = opened(watched, voila[0])
    tab(page, "Scenario")
    page.get_by_text("Research teams", exact=True).wait_for()
    count = page.get_by_title("Research teams, tenants", exact=True)
    count.fill("3")
    count.press("Enter")
    page.get_by_text("raise count to at least 16").first.wait_for()
    assert count.input_value() == "3", "what was entered stays, so that it can be corrected"
    watched.shot("voila-fault")
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("No faults.").wait_for()
    area = page.locator(".tk-scenario textarea")
    area.fill(area.input_value().replace("kind: team", "kind: taem"))
    page.get_by_role("button", name="Apply text").click()
    page.get_by_text("did you mean team?").first.wait_for()


def test_the_export_is_found_on_disk(watched: Watched, voila: tuple[str, Path]) -> None:
    address, folder = voila
    page = opened(watched, address)
    tab(page, "Hand over")
    page.get_by_role("button", name=re.compile(r"^Export \S+: ")).click()
    page.get_by_text("Exported.").wait_for()
    watched.shot("voila-exported")
    assert (folder / "out" / "index.yaml").is_file()
    assert (folder / "out" / "decision.html").is_file()
    page.get_by_role("button", name="Save session").click()
    page.get_by_text("Saved to").wait_for()
    assert json.loads((folder / "session.json").read_text())["schema"] == "tenancykit/session/v1"


def test_a_folder_that_cannot_be_written_is_told_in_words(watched: Watched, voila: tuple[str, Path]) -> None:
    address, folder = voila
    (folder / "file").write_text("in the way")
    page = opened(watched, address)
    tab(page, "Hand over")
    field = page.locator(".widget-text", has=page.get_by_text("Folder", exact=True)).locator("input")
    field.fill(str(folder / "file" / "out"))
    field.press("Enter")
    page.get_by_role("button", name=re.compile(r"^Export \S+: ")).click()
    page.locator("[role=alert] .fault").wait_for()
    assert "Traceback" not in page.content()


def test_a_long_exploration_leaves_the_page_usable_and_can_be_stopped(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = opened(watched, voila[0])
    tab(page, "Explore")
    page.locator(".widget-dropdown", has=page.get_by_text("Measure", exact=True)).locator("select").select_option(
        label="at most 100,000 designs"
    )
    page.get_by_role("button", name="Explore", exact=True).click()
    page.wait_for_timeout(1500)
    before = page.get_by_text(re.compile(r"^Weights: ")).inner_text()
    slider(page, "Cost").focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "shown => ![...document.querySelectorAll('[aria-live]')].some(e => e.innerText === shown)", arg=before
    )
    page.get_by_text("designs measured").wait_for(timeout=STARTING)
    page.get_by_role("button", name="Stop exploring").click()
    page.get_by_text("Stopped before the end.").wait_for(timeout=STARTING)
    watched.shot("voila-explored")
    page.get_by_role("button", name="Compare the best 5").click()
    page.locator(".tk-grid button", has_text=re.compile(r"^X[0-9a-f]{8}")).first.wait_for()
    watched.shot("voila-explored-ranking")


NAMELESS = """() => [...document.querySelectorAll("input, select, textarea, button, [role=slider]")]
    .filter(e => e.offsetParent !== null)
    .filter(e => !(e.getAttribute("aria-label") || e.title || [...(e.labels || [])].some(l => l.innerText)
                   || (e.tagName === "BUTTON" && e.innerText)))
    .map(e => e.outerHTML.slice(0, 120))"""


def test_a_screen_reader_finds_a_name_on_every_field_of_every_tab(looked_at: Watched) -> None:
    page = looked_at.page
    for heading in ("Candidates", "Own variant"):
        page.get_by_text(heading, exact=True).click()
        assert page.evaluate(NAMELESS) == []
        page.get_by_text(heading, exact=True).click()
    for name in TABS:
        shown(page, name)
        assert page.evaluate(NAMELESS) == [], name
    assert page.get_by_role("slider", name="Isolation").count() == 1


def test_every_tab_is_reached_by_keyboard(looked_at: Watched) -> None:
    page = looked_at.page
    reached = []
    page.locator("select").first.focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className + ' ' + document.activeElement.tagName"))
    assert sum("noUi-handle" in found for found in reached) == 4, reached
    page.get_by_role("tab", name="Ranking", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('[role=tab]')[1].getAttribute('aria-selected') === 'true'")


SIDEWAYS = """() => [...document.querySelectorAll("*")]
    .filter(e => e.offsetParent !== null && e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
    .filter(e => /auto|scroll/.test(getComputedStyle(e).overflowX))
    .map(e => `${e.className}: ${e.scrollWidth} in ${e.clientWidth}`)"""
"""What scrolls sideways."""
CUT = """() => [...document.querySelectorAll("select:not([multiple])")]
    .filter(e => e.offsetParent !== null && e.selectedOptions.length)
    .filter(e => !e.closest(".tk-over"))
    .map(e => {
      const style = getComputedStyle(e), pen = document.createElement("canvas").getContext("2d");
      pen.font = style.font;
      const room = e.clientWidth - parseFloat(style.paddingLeft) - 20;  // 20: the arrow
      return [e.selectedOptions[0].text, Math.ceil(pen.measureText(e.selectedOptions[0].text).width), Math.floor(room)];
    })
    .filter(([text, wide, room]) => wide > room)"""
"""Choices that are cut; names of designs, which no side bar could hold, end in an ellipsis."""


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 900), (1024, 768), (640, 450)])
def test_every_tab_fits_a_screen_and_a_projector(looked_at: Watched, width: int, height: int) -> None:
    page = looked_at.page
    page.set_viewport_size({"width": width, "height": height})
    for name in TABS:
        shown(page, name)
        looked_at.shot(f"voila-{width}-{name.lower().replace(' ', '-')}")
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 1, f"{name} is {beyond} pixels wider than the screen"
        if width >= 1280:
            assert page.evaluate(SIDEWAYS) == [], name
            assert page.evaluate(CUT) == [], name
            over = page.locator(".tk-over select").evaluate_all("all => all.map(e => getComputedStyle(e).textOverflow)")
            assert set(over) == {"ellipsis"}
    if width == 1920:
        tab(page, "Isolation")
        first, second = (page.locator("figure").filter(visible=True).nth(place).bounding_box() for place in (0, 1))
        assert first is not None
        assert second is not None
        assert first["y"] == second["y"], "two charts stand side by side where there is room"


def test_a_group_is_heard_from_the_files_that_people_send_back(
    watched: Watched, voila: tuple[str, Path], tmp_path: Path
) -> None:
    question = question_of(studies.study("ml-platform"))
    files = []
    for who, points in (("Ada", (90, 1, 1, 8)), ("Grace", (1, 1, 8, 90))):
        weights = dict(zip(("isolation", "effort", "operations", "cost"), points, strict=True))
        data = {"schema": "tenancykit/weights/v1", "question": question, "who": who, "weights": weights}
        files.append(tmp_path / f"{who}.json")
        files[-1].write_text(json.dumps(data))
    page = opened(watched, voila[0])
    tab(page, "Weigh")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Weights given back").click()
    chooser.value.set_files(files)
    page.get_by_text("Weights given back (2)").wait_for()
    page.get_by_role("button", name="What the group says").click()
    page.locator("pre", has_text="together").wait_for()
    assert "Grace" in page.locator("pre", has_text="together").inner_text()
    watched.shot("voila-group")
