"""The decision record as a file in a real browser: no console error, no request to any host, hostile names as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tenancykit as tk
from kubeanswers.source import dump_yaml, read_yaml
from tenancykit.criterion_names import CRITERIA
from tenancykit.examples import example
from tests.studies import study

A4 = {"width": 680, "height": 960}
"""What A4 holds within the record's margins, in CSS pixels."""

if TYPE_CHECKING:
    from tests.browser.conftest import Watched


def test_the_decision_record_opens_without_network_and_shows_hostile_names_as_text(
    watched: Watched, tmp_path: Path
) -> None:
    data = read_yaml(example("regulated-hybrid")).data
    data["title"] = "<script>alert('title')</script> & <b>bold</b>"
    data["tenants"]["named"] = [{"name": "<img src=https://example.com/x onerror=alert(1)>", "class": "research"}]
    study = tk.compare(tk.parse_scenario(dump_yaml(data)))
    file, page = tk.record(study).write(tmp_path)
    assert file.suffix == ".md"
    watched.page.goto(page.as_uri())
    text = watched.page.inner_text("body")
    assert "<script>alert('title')</script> & <b>bold</b>" in text
    assert study.best.name in text
    assert watched.page.locator("svg").count() > 10
    watched.shot("decision-record")


def test_what_a_board_signs_fits_one_printed_page_and_nothing_sticks_out(watched: Watched, tmp_path: Path) -> None:
    _, page = tk.record(study("saas-inference"), paper=tk.paper(before="RA01")).write(tmp_path)
    watched.page.set_viewport_size(A4)  # type: ignore[arg-type]
    watched.page.emulate_media(media="print")
    watched.page.goto(page.as_uri())
    sheet = watched.page.locator(".sheet").bounding_box()
    assert sheet is not None
    assert sheet["y"] + sheet["height"] <= A4["height"]
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= A4["width"]
    pdf = tmp_path / "decision.pdf"
    watched.page.pdf(path=str(pdf), prefer_css_page_size=True)
    assert pdf.read_bytes().startswith(b"%PDF")
    watched.shot("decision-record-printed")


def test_charts_follow_the_dark_theme_and_are_printed_on_white(watched: Watched, tmp_path: Path) -> None:
    _, page = tk.record(study("saas-inference"), paper=tk.paper(before="RA01")).write(tmp_path)
    watched.page.goto(page.as_uri())
    found = []
    for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "dark")):
        watched.page.emulate_media(media=media, color_scheme=scheme)  # type: ignore[arg-type]
        found.append(watched.inks())
    assert found == [{"light"}, {"dark"}, {"light"}]


def test_every_link_and_every_folded_figure_of_the_record_is_reached_and_opened_by_keyboard(
    watched: Watched, tmp_path: Path
) -> None:
    _, file = tk.record(study("saas-inference")).write(tmp_path)
    page = watched.page
    page.goto(file.as_uri())
    every = page.locator("a[href]:visible, summary:visible").count()
    reached = 0
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement !== document.body"):
        reached += 1
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.keyboard.press("Tab")
    assert reached == every > len(CRITERIA)
    folded = page.locator("details.evidence")
    folded.first.locator("> summary").focus()
    page.keyboard.press("Enter")
    assert folded.first.get_attribute("open") is not None
    page.emulate_media(media="print")
    assert folded.first.is_hidden()
