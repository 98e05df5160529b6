"""What a person waits for in a real browser: a weight moved in the shared page, and the studio until it can be used.

Figures are absolute, each with the machine's load average at its start: a busy machine makes them upper bounds.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from class_hub import free_port

import tenancykit as tk
from harness import line, report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOVES: Final = 100
LOADS: Final = 5
PATIENCE: Final = 180_000
"""Milliseconds to wait for a page: the machine may be busy with other work."""
MOVE_BAR: Final = 100
PAINT_BAR: Final = 5
"""Milliseconds a move may take, and seconds to the first paint on an idle machine (the project's own demands)."""
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")

_MOVE: Final = """moves => new Promise(done => {
  const sliders = [0, 1, 2, 3].map(place => document.querySelector(`#w${place}`));
  const scripts = [], shown = [];
  const next = () => {
    if (shown.length === moves) { done({scripts, shown}); return; }
    const slider = sliders[shown.length % 4], start = performance.now();
    slider.value = String((shown.length * 37 + 11) % 101);
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    scripts.push(performance.now() - start);
    document.body.getBoundingClientRect();  // layout belongs to what is waited for
    requestAnimationFrame(() => setTimeout(() => { shown.push(performance.now() - start); next(); }));
  };
  next();
})"""


def _browsers() -> Any:
    """Return the driver and the installed Chromium, or nothing where one is missing."""
    found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if found is None or importlib.util.find_spec("playwright") is None:
        return None
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra of the tests

    return sync_playwright, found


def _in_browser(work: Any) -> list[dict[str, object]]:
    """Return what the work measured in a browser of its own, or a line that says why there is none."""
    known = _browsers()
    if known is None:
        return [line("studio in a browser", 0, "skipped: needs Chromium and pip install playwright", n=0)]
    driver, found = known
    with driver() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
        try:
            lines: list[dict[str, object]] = work(browser)
        finally:
            browser.close()
    return lines


def shared_page() -> list[dict[str, object]]:
    """Return how long a weight moved in the shared page takes until the browser has painted it."""
    return _in_browser(_moved)


def _moved(browser: Browser) -> list[dict[str, object]]:
    load = os.getloadavg()[0]
    study = tk.compare(tk.load_scenario("saas-inference"))
    with tempfile.TemporaryDirectory() as folder:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(tk.share(study, Path(folder) / "page.html").as_uri())
        found = page.evaluate(_MOVE, MOVES)
    shown, scripts = found["shown"], found["scripts"]
    return [
        line(
            "shared page: move a weight until painted, p95",
            statistics.quantiles(shown, n=20)[-1],
            "ms",
            n=len(study.order),
            median=round(statistics.median(shown), 1),
            longest=round(max(shown), 1),
            script_p95=round(statistics.quantiles(scripts, n=20)[-1], 1),
            bar=MOVE_BAR,
            moves=MOVES,
            load_average=round(load, 2),
        )
    ]


def studio_page() -> list[dict[str, object]]:
    """Return how long the studio's page takes to its first paint and until its sliders and ranking can be used."""
    if importlib.util.find_spec("voila") is None:
        return [line("studio: open the page", 0, "skipped: pip install 'tenancykit[lab]'", n=0)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tenancykit", "lab", "--app", "--no-browser", f"--port={free_port()}"]
        began = time.perf_counter()
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        assert server.stdout is not None
        try:
            address = next(row.split()[1] for row in server.stdout if row.startswith("Studio:"))
            ready = time.perf_counter() - began
            return _in_browser(lambda browser: _loaded(browser, address, ready))
        finally:
            server.terminate()
            server.wait(600)


def _loaded(browser: Browser, address: str, ready: float) -> list[dict[str, object]]:
    load = os.getloadavg()[0]
    paints, answers, controls = [], [], []
    for number in range(LOADS):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        start = time.perf_counter()
        page.goto(f"{address}&session=bench{number}", wait_until="commit")
        page.locator(".noUi-handle").nth(3).wait_for()
        page.locator(".tk-grid button", has_text=re.compile("RA")).first.wait_for()
        controls.append(time.perf_counter() - start)
        first = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        paints.append(page.evaluate(first) / 1000)
        answers.append(page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd") / 1000)
        page.goto("about:blank")  # the page's last word ends its kernel
        context.close()
    more: dict[str, Any] = {"loads": LOADS, "load_average": round(load, 2), "server_ready": round(ready, 1)}
    return [
        line("studio: open the page, first paint", statistics.median(paints), "s", n=1, longest=round(max(paints), 2),
             bar=PAINT_BAR, **more),
        line("studio: open the page, whole page received", statistics.median(answers), "s", n=1,
             longest=round(max(answers), 2), **more),
        line("studio: open the page, controls usable", statistics.median(controls), "s", n=1,
             longest=round(max(controls), 2), **more),
    ]  # fmt: skip


if __name__ == "__main__":
    report("What a person waits for in a browser.", [shared_page, studio_page])
