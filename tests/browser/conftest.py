"""A real browser against real servers on loopback; skipped where no Chromium is installed."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenancykit.studio import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

REPOSITORY = Path(__file__).parents[2]
ARTEFACTS = REPOSITORY / "artefacts"
TOKEN = "only-for-tests"  # noqa: S105 - servers on loopback that live for one test run
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SIZE: ViewportSize = {"width": 1280, "height": 900}
PATIENCE = 30_000
"""Milliseconds to wait for something on a page."""
INKS = """() => [...document.querySelectorAll("svg[data-made-by] text[fill='#222222']")]
  .map(word => getComputedStyle(word).fill)
  .map(fill => ({"rgb(34, 34, 34)": "light", "rgb(232, 232, 232)": "dark"})[fill] || fill)"""
TALL = "Math.max(0, ...[...document.querySelectorAll('body .lm-BoxPanel-child')].map(box => box.scrollHeight))"
TALLEST = 6000
"""Pixels of a picture, at most."""
STARTING = 90_000
"""Milliseconds to wait for a server and its kernel, which start slowly on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass
class Watched:
    """A page with what went wrong in it.

    Attributes:
        page: the page.
        errors: errors on the console, and of scripts.
        strangers: requests to other hosts.
        times: what was timed, in milliseconds.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)

    def inks(self) -> set[str]:
        """Return for which ground, light or dark, the charts of the page are painted: by what their words are in."""
        return set(self.page.evaluate(INKS))

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page among the artefacts, also of what scrolls inside it."""
        ARTEFACTS.mkdir(exist_ok=True)
        size, tall = self.page.viewport_size, self.page.evaluate(TALL)
        if size is not None and tall > size["height"]:
            self.page.set_viewport_size({"width": size["width"], "height": min(tall, TALLEST)})
        self.page.screenshot(path=str(ARTEFACTS / f"{name}.png"), full_page=True)
        if size is not None:
            self.page.set_viewport_size(size)

    def last(self, test: str) -> None:
        """Keep a picture of how a test left the page."""
        self.shot(f"last-{re.sub(r'[^a-z0-9]+', '-', test.lower())}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser per module: its driver keeps an event loop running, which other tests must not find."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((p for name in ("chromium", "chromium-browser") if (p := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()


def _watched(browser: Browser) -> Watched:
    page = browser.new_context(viewport=SIZE, accept_downloads=True).new_page()
    page.set_default_timeout(PATIENCE)
    found = Watched(page)
    page.on("console", lambda m: found.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: found.errors.append(str(e)))
    page.on("request", lambda r: None if _is_ours(r.url) else found.strangers.append(r.url))
    return found


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page of 1280 x 900; the test fails on console errors and on requests to other hosts."""
    found = _watched(browser)
    yield found
    found.last(request.node.name)
    found.page.context.close()
    if found.times:
        ARTEFACTS.mkdir(exist_ok=True)
        (ARTEFACTS / f"{request.node.name}.json").write_text(json.dumps(found.times, indent=1) + "\n")
    assert found.errors == []
    assert found.strangers == []


@pytest.fixture(scope="module")
def _looked_at(browser: Browser, voila: tuple[str, Path]) -> Iterator[Watched]:
    found = _watched(browser)
    opened(found, voila[0])
    yield found
    found.page.context.close()


@pytest.fixture
def looked_at(_looked_at: Watched, voila: tuple[str, Path], request: pytest.FixtureRequest) -> Iterator[Watched]:
    """The studio in a page that a module's tests share, watched as ``watched`` is: loading it is most of a test's time.

    For tests that only look: what they choose, fill in or unfold is found by the next. Each begins on the tab that
    comes first, at 1280 x 900 and in light; a test that is run again begins on a page of its own.
    """
    found = _looked_at
    found.errors.clear()
    found.strangers.clear()
    found.page.set_viewport_size(SIZE)
    found.page.emulate_media(color_scheme="light")
    if getattr(request.node, "execution_count", 1) > 1:
        opened(found, voila[0])
    found.page.get_by_role("tab").first.click()
    yield found
    found.last(request.node.name)
    assert found.errors == []
    assert found.strangers == []


def opened(watched: Watched, address: str) -> Page:
    """Open the studio in a session of the test's own, and wait until it is whole."""
    page = watched.page
    page.goto(f"{address}?token={TOKEN}&session={secrets.token_hex(4)}")
    page.get_by_text("First place.").first.wait_for(timeout=STARTING)
    page.locator(".noUi-handle").nth(3).wait_for()
    page.locator(".tk-grid button").first.wait_for()
    return page


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:", "file:"))


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def started(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers."""
    log = (folder / "server.log").open("wb")
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    log.close()
    end = time.monotonic() + STARTING / 1000
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.2)
    server.kill()
    server.wait()
    raise AssertionError(f"the server did not start: {(folder / 'server.log').read_text()[-2000:]}")


def apart(folder: Path) -> dict[str, str]:
    """Return an environment in which Jupyter keeps its files in a folder of the test."""
    own = {
        name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    return {**os.environ, **own, "JUPYTER_TOKEN": TOKEN, "PYTHONPATH": str(REPOSITORY / "toolkit")}


@pytest.fixture(scope="session")
def voila(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The studio's own page, started as ``tenancykit lab --app`` starts it: address without token, and its folder."""
    pytest.importorskip("voila")
    folder, port = tmp_path_factory.mktemp("voila"), free_port()
    environment = {
        **apart(folder),
        **{
            k: v
            for k, v in serve.environment(TOKEN, "ml-platform", folder).items()
            if k.startswith("TENANCYKIT_") or k == "JUPYTER_PATH"
        },
        serve.SESSIONS: "20",
    }
    server = started(serve.command(port), port, folder, environment)
    yield f"http://127.0.0.1:{port}/", folder
    server.terminate()
    server.wait()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """JupyterLab with a folder of its own: address without token, and the folder."""
    pytest.importorskip("jupyterlab")
    folder, port = tmp_path_factory.mktemp("lab"), free_port()
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--port={port}",
        "--ip=127.0.0.1",
        "--no-browser",
        "--allow-root",
        f"--notebook-dir={folder}",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}')  # outputs below the fold are rendered too
    notices = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notices.parent.mkdir(parents=True)
    notices.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    theme = folder / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    theme.write_text('{"adaptive-theme": true}')  # as the browser says
    environment = {**apart(folder), "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    server = started(command, port, folder, environment)
    yield f"http://127.0.0.1:{port}/", folder
    server.terminate()
    server.wait()
