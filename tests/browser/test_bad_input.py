"""What people bring along and what happens to them in the middle: each is told in words, and nothing is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenancykit.report.sharing import question_of
from tests import studies
from tests.browser.conftest import STARTING, Watched, apart, free_port, opened
from tests.browser.test_voila import slider, tab, winner

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, FilePayload, Locator, Page

Started = Callable[..., tuple[subprocess.Popen[str], str, str]]
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""What keeps root from writing where the permissions say that nobody may."""


@pytest.fixture
def studio() -> Iterator[Started]:
    """Starts ``tenancykit lab --app`` as a person does; gives the process, its address, and what else it said."""
    pytest.importorskip("voila")
    running: list[subprocess.Popen[str]] = []

    def start(folder: Path, port: int, own: Path, before: Sequence[str] = ()) -> tuple[subprocess.Popen[str], str, str]:
        environment = {name: value for name, value in apart(own).items() if name != "JUPYTER_TOKEN"}
        command = [*before, sys.executable, "-m", "tenancykit", "lab", "--app", "--no-browser", f"--port={port}"]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(process)
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.match(r"Studio: (\S+)", line):
                return process, found[1], said
            said += line
        raise AssertionError(said)

    yield start
    for process in running:
        process.terminate()
        process.communicate()  # closes its pipe


def shown(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_text("First place.").first.wait_for(timeout=STARTING)
    page.locator(".noUi-handle").nth(3).wait_for()


def weights(page: Page) -> Locator:
    return page.locator("[aria-live]", has_text="Weights: ").first


def moved(page: Page, name: str) -> str:
    """Move a weight to its end; return what the weights are then."""
    before = weights(page).inner_text()
    slider(page, name).first.focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "before => ![...document.querySelectorAll('[aria-live]')].some(e => e.innerText === before)", arg=before
    )
    return weights(page).inner_text()


def test_a_server_that_went_away_is_told_and_the_page_after_it_goes_on_where_it_was(
    studio: Started, watched: Watched, tmp_path: Path
) -> None:
    page, port = watched.page, free_port()
    process, address, _ = studio(tmp_path, port, tmp_path / "own")
    shown(page, address)
    page.context.set_offline(True)
    page.get_by_text("The studio's server does not answer").wait_for()
    watched.shot("bad-offline")
    page.context.set_offline(False)
    page.locator("#tk-lost:empty").wait_for(state="attached")
    kept = moved(page, "Cost")
    page.wait_for_timeout(500)
    process.terminate()
    process.wait()
    page.get_by_text("The studio's server does not answer").wait_for()
    _, address, _ = studio(tmp_path, port, tmp_path / "own")
    page.get_by_text("open the address that was printed at the start").wait_for()
    watched.shot("bad-started-again")
    shown(page, address)
    page.get_by_text("continued where it was left").wait_for()
    assert weights(page).inner_text() == kept
    watched.errors.clear()  # the browser's own words for a server that is away, or refuses a token of before


def test_a_port_in_use_moves_on_and_says_so(studio: Started, watched: Watched, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        _, address, said = studio(tmp_path, port, tmp_path / "own")
        assert f"Port {port} on 127.0.0.1 is taken; the studio uses" in said
        assert f":{port}/" not in address
        shown(watched.page, address)


def test_in_a_folder_that_may_not_be_written_the_studio_works_and_says_what_is_not_kept(
    studio: Started, watched: Watched, tmp_path: Path
) -> None:
    folder, elsewhere = tmp_path / "read-only", tmp_path / "elsewhere"
    folder.mkdir(mode=0o555)
    elsewhere.mkdir()
    before = WITHOUT_RIGHTS if os.geteuid() == 0 else ()
    if before and shutil.which(before[0]) is None:
        pytest.skip("root may write everywhere, and setpriv is not installed")
    _, address, _ = studio(folder, free_port(), tmp_path / "own", before)
    page = watched.page
    shown(page, address)
    page.get_by_text("not kept: ").wait_for()
    assert "Permission denied; save the session in another folder" in page.locator("[role=alert] .fault").inner_text()
    watched.shot("bad-read-only")
    tab(page, "Hand over")
    page.get_by_role("button", name=re.compile(r"^Export \S+: ")).click()
    page.get_by_text("is not writable; choose another folder or change its permissions").wait_for()
    field = page.locator(".widget-text", has=page.get_by_text("Session", exact=True)).locator("input")
    field.fill(str(elsewhere / "session.json"))
    field.press("Enter")
    page.get_by_role("button", name="Save session").click()
    page.get_by_text("Saved to").wait_for()
    assert json.loads((elsewhere / "session.json").read_text())["schema"] == "tenancykit/session/v1"
    assert list(folder.iterdir()) == []


def test_a_session_of_another_version_is_told_wherever_it_is_opened_and_stays_as_it_was(
    watched: Watched, voila: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = voila
    page = opened(watched, address)
    own = page.url
    kept = moved(page, "Cost")
    (tmp_path / "newer.json").write_text('{"schema": "tenancykit/session/v2", "scenario": "x"}')
    (tmp_path / "broken.json").write_text('{"schema": "tenancykit/session/v1", "scen')
    tab(page, "Hand over")
    for name, told in (
        ("newer.json", "'tenancykit/session/v2' is not a session this version reads"),
        ("broken.json", "broken.json:1"),
    ):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Open a saved session").click()
        chooser.value.set_files(tmp_path / name)
        page.get_by_role("alert").get_by_text(told).wait_for()
        assert weights(page).inner_text() == kept
    watched.shot("bad-session")

    file = max((folder / "studio-sessions").glob("*.json"), key=lambda f: f.stat().st_mtime)
    newer = file.read_text().replace("tenancykit/session/v1", "tenancykit/session/v2")
    page.goto("about:blank")
    file.write_text(newer)
    page.goto(own)
    page.get_by_role("alert").get_by_text("what was kept cannot be read").wait_for(timeout=STARTING)
    watched.shot("bad-session-kept")
    assert file.with_name(f"{file.name}.unreadable-1").read_text() == newer
    page.get_by_text("First place.").first.wait_for(timeout=STARTING)


def sent(page: Page, name: str, content: bytes) -> None:
    """Give a file back as somebody's weights, and ask what the group says."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Weights given back").click()
    payload: FilePayload = {"name": name, "mimeType": "application/json", "buffer": content}
    chooser.value.set_files(payload)
    page.get_by_text("Weights given back (1)").wait_for()
    page.get_by_role("button", name="What the group says").click()


def hostile(question: object) -> dict[str, tuple[bytes, str]]:
    """Return broken and hostile files of weights by name, with what is said about each."""
    weights: dict[str, object] = {"isolation": 90, "effort": 1, "operations": 1, "cost": 8}
    good = {"schema": "tenancykit/weights/v1", "question": question, "who": "Eve", "weights": weights}
    return {
        "empty.json": (b"", "empty.json"),
        "binary.json": (bytes(range(256)), "binary.json"),
        "cut.json": (json.dumps(good)[:60].encode(), "cut.json"),
        "newer.json": (json.dumps({**good, "schema": "tenancykit/weights/v9"}).encode(), "newer.json"),
        "negative.json": (json.dumps({**good, "weights": {**weights, "cost": -1}}).encode(), "negative.json"),
        "endless.json": (json.dumps(good).replace("90", "1e999").encode(), "endless.json"),
        "other.json": (json.dumps({**good, "question": {}}).encode(), "other.json"),
        "deep.json": (b"[" * 50_000, "deep.json"),
        "<img src=x onerror=alert(1)>.json": (b"[]", "<img src=x onerror=alert(1)>.json"),
    }


def test_weight_files_that_are_broken_or_hostile_are_refused_by_name_and_change_nothing(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    question = question_of(studies.study("ml-platform"))
    page = opened(watched, voila[0])
    first = winner(page)
    asked: list[str] = []

    def refused(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refused)
    tab(page, "Weigh")
    for name, (content, told) in hostile(question).items():
        sent(page, name, content)
        alert = page.get_by_role("alert").filter(has_text=told)
        alert.wait_for()
        assert "Traceback" not in alert.inner_text(), name
    watched.shot("bad-weights")
    assert page.locator("img[onerror]").count() == 0
    who = "<img src=x onerror=alert(2)>"
    weights = {"isolation": 90, "effort": 1, "operations": 1, "cost": 8}
    data = {"schema": "tenancykit/weights/v1", "question": question, "who": who, "weights": weights}
    sent(page, "eve.json", json.dumps(data).encode())
    page.locator("pre", has_text=who).wait_for()
    watched.shot("bad-weights-name")
    assert asked == []
    tab(page, "Ranking")
    assert winner(page) == first
