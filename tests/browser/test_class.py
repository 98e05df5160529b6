"""A class as trainer and participants meet it: log-in, board, one's own notebooks, a hub that goes away."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenancykit.studio import workshop
from tests.browser.conftest import ARTEFACTS, STARTING, Watched, apart, free_port
from tests.browser.test_lab import errors

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROSTER = "Ada Lovelace\nGrace Hopper\n"
SPAWNING = 3 * STARTING
CHECK = """
safest = max((e for e in study.order if study.rank(e.id)), key=lambda e: e.scores["isolation"].value)
workshop.check(1, {"first": study.best.id, "safest": safest.id})
"""
HAND_IN = """
design = tk.compare(tk.load_scenario("saas-inference"))["RA10"].resolved.design
workshop.submit("Ada", design, "saas-inference", "group")
"""


@dataclass
class Class:
    """A class that is served.

    Attributes:
        folder: its folder.
        port: the port browsers ask.
        command: the running command.
        passwords: passwords by account, as they were said.
    """

    folder: Path
    port: int
    command: subprocess.Popen[str]
    passwords: dict[str, str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        self.command.send_signal(signal.SIGINT)
        self.command.communicate(timeout=120)  # closes its pipes

    def again(self) -> None:
        """Start it again with the same folder and port."""
        served = serve(self.folder, self.port)
        self.command, self.passwords = served.command, served.passwords


def arguments(folder: Path, port: int) -> list[str]:
    (folder / "names.txt").write_text(ROSTER)
    options = [f"--roster={folder / 'names.txt'}", f"--folder={folder / 'class'}", f"--port={port}"]
    return [sys.executable, "-m", "tenancykit", "lab", "--class", "2", *options]


def _hearing() -> None:
    """Let Ctrl-C end it: a shell makes what it runs in the background deaf to that, and all that is started there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def serve(folder: Path, port: int) -> Class:
    command = subprocess.Popen(
        arguments(folder, port),
        cwd=folder,
        env=apart(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hearing,  # noqa: PLW1509 - one system call
    )
    assert command.stdout is not None
    assert command.stderr is not None
    passwords: dict[str, str] = {}
    for line in command.stdout:
        if seat := re.fullmatch(r"(trainer|[a-z]+-[a-z]+)\s+([a-z]{4}-[a-z]{4}-[a-z]{4})\n", line):
            passwords[seat[1]] = seat[2]
        if len(passwords) == 3:
            return Class(folder, port, command, passwords)
    told = command.stderr.read()
    if "npm could not install" in told:
        pytest.skip(told)
    raise AssertionError(told)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    if importlib.util.find_spec("jupyterhub") is None:
        pytest.skip("JupyterHub is not installed")
    if shutil.which("configurable-http-proxy") is None and shutil.which("npm") is None:
        pytest.skip("JupyterHub's proxy needs Node.js")
    found = serve(tmp_path_factory.mktemp("class"), free_port())
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def _is_served(served: Class) -> None:
    """Start the class again where a test that stops it broke off before it did so."""
    if served.command.poll() is not None:
        served.again()


def sign_in(page: Page, served: Class, name: str, where: str) -> None:
    page.goto(f"{served.address}{where}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(served.passwords[name.lower().replace(" ", "-")])
    page.get_by_role("button", name="Sign in").click()


def notebook(page: Page, served: Class, name: str) -> None:
    """Sign in and wait until one's first notebook has a kernel."""
    sign_in(page, served, name, "/")
    page.wait_for_url(re.compile("/lab/tree/"), timeout=SPAWNING)
    page.locator(".jp-NotebookPanel-notebook").wait_for(timeout=SPAWNING)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=SPAWNING)


def typed(page: Page, number: int, code: str) -> None:
    """Write code into a cell."""
    page.locator(".jp-CodeCell").nth(number).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(code)


def entered(page: Page, number: int, code: str) -> None:
    """Write code into a cell and run it."""
    typed(page, number, code)
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(1000)
    asked = page.locator(".jp-Dialog").get_by_role("button", name="Select", exact=True)
    if asked.count():  # JupyterLab asks for the kernel that it has, where a cell is run before it has seen it
        asked.click()
        asked.wait_for(state="detached")
        page.keyboard.press("Control+Enter")


def test_a_trainer_signs_in_and_the_board_shows_by_itself_who_has_passed(
    watched: Watched, browser: Browser, served: Class
) -> None:
    board = watched.page
    board.goto(f"{served.address}/services/progress/")
    board.get_by_text("Account and password are the ones your trainer gives you.").wait_for()
    watched.shot("class-login")
    board.get_by_label("Username").fill("trainer")
    board.get_by_label("Password").fill("guessed")
    board.get_by_role("button", name="Sign in").click()
    board.get_by_text("Invalid username or password").wait_for()
    watched.errors.clear()  # the browser's own words for a wrong password
    sign_in(board, served, "trainer", "/services/progress/")
    board.get_by_role("heading", name="Progress of the class").wait_for()
    row = board.locator("tr", has_text="ada-lovelace")
    assert "passed" not in row.inner_text()

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    try:
        notebook(page, served, "Ada Lovelace")
        assert page.get_by_text("Jupyter news").count() == 0
        entered(page, 0, "import tenancykit as tk\nfrom tenancykit.studio import workshop")
        entered(page, 2, 'study = tk.compare(tk.load_scenario("ml-platform"))')
        entered(page, 3, CHECK)
        page.get_by_text("the weights decide how much that is worth").wait_for(timeout=SPAWNING)
        entered(page, 2, HAND_IN)
        page.get_by_text(".design.json").first.wait_for(timeout=SPAWNING)
    finally:
        page.screenshot(path=str(ARTEFACTS / "class-notebook.png"))
        context.close()
    row.get_by_text("passed").wait_for()  # fetched by the page itself
    board.get_by_text("Exercises passed: 1; designs handed in: 1.").wait_for()
    watched.shot("class-board")
    group = workshop.group(served.folder / "class" / "group")
    assert list(group.names.values()) == ["Ada"]


def test_a_participant_is_told_that_the_board_is_the_trainers(watched: Watched, served: Class) -> None:
    page = watched.page
    sign_in(page, served, "Grace Hopper", "/services/progress/")
    page.get_by_role("heading", name="The class's progress is the trainer's page").wait_for()
    page.get_by_text("You are signed in as grace-hopper.").wait_for()
    watched.shot("class-refused")
    assert "ada-lovelace" not in page.content()
    assert [e for e in watched.errors if "403" not in e] == []
    watched.errors.clear()


GONE = "is not running. Would you like to restart it?"
"""What JupyterLab asks where the participant's server does not answer."""


def cleared(page: Page, until: str = "") -> None:
    """Close what stands over the notebook; with words, wait for the dialog that holds them, and leave it.

    JupyterLab shows one dialog at a time: a save that failed, told first, holds back what is told next.
    """
    over, end = page.locator(".jp-Dialog"), time.monotonic() + STARTING / 1000
    wanted = over.filter(has_text=until)
    while not wanted.count() if until else over.count():
        assert time.monotonic() < end, over.all_inner_texts()
        if over.count():
            page.keyboard.press("Escape")
        page.wait_for_timeout(200)


def saved(page: Page, file: Path, words: str) -> bool:
    """Save the notebook; return whether the page takes it for saved and the file holds the words."""
    with contextlib.suppress(errors()):  # a dialog came between, or the server is slow
        cleared(page)
        page.locator(".jp-CodeCell .cm-content").first.click(timeout=2000)
        page.keyboard.press("Control+S")
        page.wait_for_function("!document.querySelector('.jp-mod-dirty')", timeout=2000)
        return words in file.read_text()
    return False


def test_a_lost_network_and_a_hub_that_ends_are_told_and_what_was_typed_is_saved_afterwards(
    watched: Watched, browser: Browser, served: Class
) -> None:
    page, file = watched.page, served.folder / "class/participants/grace-hopper/workshop/a-read-and-harden.ipynb"
    context = browser.new_context()
    board = context.new_page()
    try:
        sign_in(board, served, "trainer", "/services/progress/")
        board.get_by_role("heading", name="Progress of the class").wait_for()
        notebook(page, served, "Grace Hopper")
        typed(page, 3, "# typed without a network")
        page.context.set_offline(True)
        page.keyboard.press("Control+S")
        page.get_by_text("Saving failed").wait_for()
        watched.shot("class-offline")
        page.context.set_offline(False)
        assert any(saved(page, file, "typed without a network") for _ in range(20))

        cleared(page)  # the last of what was told without a network
        typed(page, 3, "# typed as the hub ended")
        served.stop()
        page.keyboard.press("Control+S")
        cleared(page, until=GONE)
        board.get_by_text("The hub does not answer").wait_for()
        watched.shot("class-hub-ended")
        served.again()
        board.wait_for_function("document.getElementById('lost').textContent === ''", timeout=STARTING)
        with page.context.expect_page() as opened:
            page.locator(".jp-Dialog", has_text=GONE).get_by_role("button", name="Restart").click()
        opened.value.wait_for_url(re.compile("/user/grace-hopper/lab"), timeout=SPAWNING)
        assert any(saved(page, file, "typed as the hub ended") for _ in range(20))
        watched.shot("class-saved-afterwards")
    finally:
        context.close()
    watched.errors.clear()  # the browser's own words for a server that is away


def test_a_port_in_use_and_a_folder_in_use_are_told_in_words_and_disturb_nobody(served: Class) -> None:
    for port, told in ((served.port, "choose another with --port"), (free_port(), "choose another with --folder")):
        done = subprocess.run(
            arguments(served.folder, port), cwd=served.folder, env=apart(served.folder), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
        assert "Traceback" not in done.stderr
    assert served.command.poll() is None
