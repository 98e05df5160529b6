"""Handing over by mouse: where a design stands, a question before what is not admitted, the zip, the record."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from tests.browser.conftest import STARTING, Watched, opened
from tests.browser.test_scenario_by_mouse import choose, option, press, unfold
from tests.browser.test_voila import tab

DOWNLOAD = re.compile(r"^Download \S+\.zip \([\d,]+ kB\)$")


def test_what_is_not_admitted_is_asked_about_before_it_is_written_and_what_cannot_hold_is_refused(
    watched: Watched, voila: tuple[str, Path], tmp_path: Path
) -> None:
    page = opened(watched, voila[0])
    tab(page, "Scenario")
    unfold(page, "Open an example")
    choose(page, "Example", "regulated-hybrid")
    press(page, "Open example")
    page.get_by_text("opened the example regulated-hybrid").wait_for()
    page.get_by_role("button", name="Remove Hospitals").wait_for()
    tab(page, "Hand over")
    first = page.get_by_role("button", name=re.compile(r"^Export \S+: rank 1 of \d+, admitted$"))
    first.wait_for(timeout=STARTING)
    folder = page.get_by_label("Folder", exact=True)
    folder.fill(str(tmp_path / "out"))
    folder.press("Enter")

    choose(page, "Open", option(page, "Open", "RA16"))
    press(page, "Export RA16: not admitted")
    asked = page.get_by_role("alert").filter(has_text="RA16 is not admitted. Export it all the same?")
    asked.wait_for()
    page.get_by_text("misses isolation of clinical").wait_for()
    watched.shot("voila-not-admitted")
    press(page, "Do not export")
    asked.wait_for(state="hidden")
    assert not (tmp_path / "out").exists()
    press(page, "Export RA16: not admitted")
    press(page, "Export it all the same")
    page.get_by_text("Exported.").wait_for(timeout=STARTING)
    assert "RA16" in (tmp_path / "out" / "decision.md").read_text()

    choose(page, "Open", option(page, "Open", "RA20"))
    press(page, "Export RA20: not admitted")
    page.get_by_role("alert").filter(has_text="RA20 cannot be exported").wait_for()
    assert page.get_by_role("button", name="Export it all the same").count() == 0
    watched.shot("voila-cannot-hold")


def test_the_zip_downloads_whole_and_the_record_opens_in_a_tab_of_its_own(
    watched: Watched, voila: tuple[str, Path], tmp_path: Path
) -> None:
    page = opened(watched, voila[0])
    tab(page, "Hand over")
    folder = page.get_by_label("Folder", exact=True)
    folder.fill(str(tmp_path / "out"))
    folder.press("Enter")
    page.get_by_role("button", name=re.compile(r"^Export \S+: rank 1 of \d+, admitted$")).click()
    link = page.get_by_role("link", name=DOWNLOAD)
    link.wait_for(timeout=STARTING)
    with page.expect_download() as download:
        link.click()
    assert re.fullmatch(r"ml-platform-\S+\.zip", download.value.suggested_filename)
    with zipfile.ZipFile(download.value.path()) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    on_disk = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert files == {name: path.read_bytes() for name, path in on_disk.items()}
    watched.shot("voila-zip")

    with page.expect_popup() as popup:
        page.get_by_role("link", name=re.compile("^Open the decision record of ")).click()
    record = popup.value
    record.get_by_text("Internal ML platform for sixteen research teams").first.wait_for()
    assert record.evaluate("document.documentElement.outerHTML.length") > 10_000
    record.close()
    press(page, "Write decision record")
    page.get_by_text("decision record written").wait_for(timeout=STARTING)
    page.get_by_role("link", name=re.compile("^Open the decision record of ")).wait_for()
    page.frame_locator("iframe[title^='The decision record of']").get_by_text("Internal ML platform").first.wait_for()
