"""The studio in a notebook of JupyterLab: two at once, a lost kernel, a viewer without kernel."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import STARTING, TOKEN, Watched, apart
from tests.browser.test_access import violations

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def notebook(file: Path, *cells: str) -> None:
    code: list[dict[str, object]] = [
        {"cell_type": "code", "id": f"cell{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": cell}
        for i, cell in enumerate(cells)
    ]
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    file.write_text(json.dumps({"cells": code, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}))


def run_all(watched: Watched, address: str, name: str) -> Page:
    page = watched.page
    page.goto(f"{address}lab/tree/{name}?token={TOKEN}&reset")
    page.locator(".jp-NotebookPanel-notebook").wait_for(timeout=STARTING)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    for _ in range(6):  # a kernel that is not connected yet ignores the command, or asks which kernel is meant
        asked = page.locator(".jp-Dialog").get_by_role("button", name="Select", exact=True)
        if asked.count():
            asked.click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        with contextlib.suppress(errors()):
            page.get_by_text(re.compile(r"^\[(\*|\d+)\]:$")).first.wait_for(timeout=10_000)
            return page
    raise AssertionError("the cells were not run")


def errors() -> type[Exception]:
    """Return the error of a wait that took too long."""
    from playwright.sync_api import TimeoutError as TooLong

    return TooLong


def studios(page: Page, number: int) -> Locator:
    found = page.locator(".jp-OutputArea-output", has=page.locator(".tk-tabs"))
    page.locator(".jp-Notebook .jp-Cell").last.scroll_into_view_if_needed()
    found.nth(number - 1).get_by_text("First place.").wait_for(timeout=STARTING)
    return found


def shares(studio: Locator) -> str:
    return studio.locator(".tks[aria-live]").inner_text()


def test_two_studios_in_one_notebook_do_not_touch_each_other(watched: Watched, lab: tuple[str, Path]) -> None:
    address, folder = lab
    notebook(
        folder / "two.ipynb",
        "import tenancykit as tk\nstudy = tk.compare(tk.load_scenario('ml-platform'))",
        "from tenancykit.studio import Studio",
        "Studio(study)",
        "Studio(study)",
    )
    page = run_all(watched, address, "two.ipynb")
    both = studios(page, 2)
    assert page.get_by_text("First place.").filter(visible=True).count() == 2, "the still pictures are hidden"
    before = shares(both.nth(1))
    sliders = both.nth(0).locator(".widget-hslider", has=page.get_by_text("Isolation", exact=True))
    sliders.first.locator(".noUi-handle").focus()  # the second one is on the tab that asks for weights
    page.keyboard.press("End")
    page.wait_for_function("before => document.querySelector('.tks[aria-live]').innerText !== before", arg=before)
    assert shares(both.nth(0)) != before
    assert shares(both.nth(1)) == before
    watched.shot("lab-two-studios")


def test_a_lost_kernel_leaves_the_picture_and_the_session(watched: Watched, lab: tuple[str, Path]) -> None:
    address, folder = lab
    cell = "from tenancykit.studio import Studio\nStudio('ml-platform', session_file='kept.json')"
    notebook(folder / "kept.ipynb", cell)
    page = run_all(watched, address, "kept.ipynb")
    studio = studios(page, 1)
    studio.locator("button[title^='RA10: isolation']").click()
    page.get_by_text("Isolation: ", exact=False).first.wait_for()
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Shut Down Kernel", exact=True).click()
    page.wait_for_timeout(2000)
    assert studio.first.is_visible()
    watched.shot("lab-lost-kernel")
    assert json.loads((folder / "kept.json").read_text())["opened"] == "RA10"
    notebook(folder / "again.ipynb", cell)  # not the first one, which may have been saved with its execution counts
    page = run_all(watched, address, "again.ipynb")
    again = studios(page, 1)
    again.get_by_role("tab", name="Design", exact=True).click()
    page.locator("h3", has_text=re.compile(r"^RA10 ")).first.wait_for()


CELLS = (
    "import tenancykit as tk\nstudy = tk.compare(tk.load_scenario('ml-platform'))\nstudy",
    "study.best.explain('isolation')",
    "study.best.plot()",
    "study.best.explain('effort').plot()",
    "study.best",
    "from tenancykit.studio import Studio\nStudio(study)",
)
"""A notebook that shows what results look like, and the studio."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A notebook that was run once, with its outputs and the state of its widgets, as it is saved and sent."""
    folder = tmp_path_factory.mktemp("kept")
    notebook(folder / "kept.ipynb", *CELLS)
    options = ["--execute", "--inplace", "--ExecutePreprocessor.store_widget_state=True"]
    converted(folder, "notebook", *options, "kept.ipynb")
    return (folder / "kept.ipynb").read_text()


def converted(folder: Path, to: str, *options: str) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", to, *options]
    subprocess.run(command, cwd=folder, env=apart(folder), check=True, capture_output=True, timeout=240)


def without_state(text: str) -> str:
    found = json.loads(text)
    found["metadata"].pop("widgets", None)
    return json.dumps(found)


STRICT = [f"--HTMLExporter.{name}_url=" for name in ("mathjax", "require_js", "jquery", "widget_renderer")]
"""Without what nbconvert's frame around a notebook fetches from other hosts: what asks now are our outputs."""
OUTPUTS = {"include": [[".jp-OutputArea-output"]]}
FOLDED = "document.querySelectorAll('details:not([open]) > :not(summary)').forEach(hidden => hidden.remove())"
"""Takes away what is folded: axe takes it for text that lies over other text."""


@pytest.mark.parametrize(
    ("store", "theme"), [(False, "light"), (False, "dark"), (True, "light")], ids=["light", "dark", "with-widget-state"]
)
def test_a_saved_notebook_is_read_without_kernel_network_or_scripts_in_light_and_dark(
    watched: Watched, kept: str, tmp_path: Path, store: bool, theme: str
) -> None:
    (tmp_path / "still.ipynb").write_text(kept if store else without_state(kept))
    converted(
        tmp_path, "html", "--no-input", "--HTMLExporter.embed_images=True", f"--theme={theme}", *STRICT, "still.ipynb"
    )
    page = watched.page
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto((tmp_path / "still.html").as_uri())
    page.get_by_text("First place.").first.wait_for()
    assert page.locator("svg[aria-label]").count() > 0
    assert "VBox(" not in page.inner_text("body")
    assert watched.inks() == {theme}
    watched.shot(f"static-{theme}-{'with' if store else 'no'}-state")
    page.evaluate(FOLDED)
    assert violations(page, OUTPUTS) == []
    if store:  # nbconvert's frame fetches what would bring widgets to life; nothing else may ask
        assert {urlsplit(url).hostname for url in watched.strangers} == {"unpkg.com"}
        watched.strangers.clear()
        watched.errors.clear()


def test_a_notebook_sent_to_somebody_is_read_in_jupyterlab_without_a_kernel_in_light_and_dark(
    watched: Watched, lab: tuple[str, Path], kept: str
) -> None:
    address, folder = lab
    text = json.loads(without_state(kept))
    text["metadata"]["sent"] = secrets.token_hex(4)  # nobody has trusted this one yet
    (folder / "sent.ipynb").write_text(json.dumps(text))
    page = watched.page
    page.goto(f"{address}lab/tree/sent.ipynb?token={TOKEN}&reset")
    page.get_by_text("First place.").filter(visible=True).first.wait_for(timeout=STARTING)
    assert page.locator(".jp-OutputArea-output svg").count() == 0, "JupyterLab leaves pictures out until it is trusted"
    trust = [sys.executable, "-m", "nbformat.sign", "sent.ipynb"]
    subprocess.run(trust, cwd=folder, env=apart(folder), check=True, capture_output=True, timeout=60)
    page.goto(f"{address}lab/tree/sent.ipynb?token={TOKEN}&reset")
    page.locator("svg[data-made-by]").first.wait_for(timeout=STARTING)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Shut Down Kernel", exact=True).click()
    page.evaluate(FOLDED)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.locator(f"body[data-jp-theme-light={str(theme == 'light').lower()}]").wait_for(state="attached")
        page.wait_for_timeout(1000)  # the theme's sheet is fetched
        assert watched.inks() == {theme}
        watched.shot(f"lab-sent-{theme}")
        assert violations(page, OUTPUTS) == [], theme
    # JupyterLab complains of the widgets whose state was not kept, and of the kernel that was shut down.
    watched.errors[:] = [told for told in watched.errors if "widget" not in told and "Canceled future" not in told]
