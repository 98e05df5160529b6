"""The tab that searches the space of all valid designs; it can be stopped, and what was found is kept."""

from __future__ import annotations

import asyncio
import threading
from html import escape
from typing import Final

import ipywidgets as widgets

from kubeanswers.errors import TenancyKitError
from tenancykit.report.chart_decision import explored
from tenancykit.report.exploring import exploration_text
from tenancykit.studio.desk import Desk, button, page, written
from tenancykit.study.exploration import Exploration, explore

_BUDGETS: Final = (1_000, 10_000, 100_000)
_BEST: Final = 5
_PAUSE: Final = 0.3


class ExplorePanel:
    """Explores the space and brings the best of it into the comparison."""

    title = "Explore"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: Exploration | None = None
        self._key = ""
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._told = (0, 1, "")
        self._budget = widgets.Dropdown(
            description="Measure", options=[(f"at most {n:,} designs", n) for n in _BUDGETS], value=_BUDGETS[0]
        )
        self._apart = widgets.Checkbox(description="each class may choose for itself", indent=False)
        self._start = button("Explore", self._explore, told="Search the space of all valid designs")
        self._halt = button("Stop exploring", self._stop.set, told="Stop; what was found is kept")
        self._take = button(f"Compare the best {_BEST}", self._compare, told="Add them to the ranking")
        self._bar = widgets.IntProgress(layout=widgets.Layout(width="240px"))
        self._about, self._page = page(), page()
        choices = widgets.HBox([self._budget, self._apart], layout=widgets.Layout(flex_flow="row wrap"))
        buttons = [self._start, self._halt, self._take, self._bar]
        self.widget = widgets.VBox(
            [self._about, choices, widgets.HBox(buttons, layout=widgets.Layout(flex_flow="row wrap")), self._page]
        )
        self._running(on=False)

    def show(self) -> None:
        """Say what exploring means, and whether what was found is about the scenario as it is now."""
        stale = self._found is not None and self._key != self._desk.session.state.question.key
        note = '<p class="fault">The scenario has changed since; explore again.</p>' if stale else ""
        self._about.value = written(
            "<p>Every combination of options that breaks no rule is a design. The search measures as many as allowed, "
            "and says whether the front it found is proven to be that of the whole space.</p>",
            note,
        )
        self._take.disabled = self._found is None or stale

    def _explore(self) -> None:
        self._stop.clear()
        self._told = (0, 1, "")
        self._key = self._desk.session.state.question.key
        self._running(on=True)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._desk.do(lambda: self._keep(self._search()))
            self._running(on=False)
            return
        self._task = loop.create_task(self._watch(loop.run_in_executor(None, self._search)))

    async def _watch(self, search: asyncio.Future[Exploration]) -> None:
        """Show how far the search is until it ends; the page stays usable meanwhile."""
        while not search.done():
            done, total, text = self._told
            self._bar.max, self._bar.value = max(1, total), done
            self._page.value = written(f"<p>{done:,} of {total:,} {escape(text)}</p>" if done else "")
            await asyncio.sleep(_PAUSE)
        try:
            self._desk.do(lambda: self._keep(search.result()))
        finally:
            self._running(on=False)

    def _search(self) -> Exploration:
        session = self._desk.session

        def progress(done: int, total: int, text: str) -> None:
            self._told = (done, total, text)

        return explore(
            session.scenario,
            session.catalogue,
            limit=self._budget.value,
            per_class=self._apart.value,
            progress=progress,
            stop=self._stop,
        )

    def _keep(self, found: Exploration) -> None:
        stopped = "<p><b>Stopped before the end.</b></p>" if found.stopped else ""
        if not found.front:
            self._page.value = written(stopped, "<p>Nothing had been measured in full yet; let it run longer.</p>")
            return
        self._found = found
        self._page.value = written(
            stopped, explored(found, self._desk.session.study), f"<pre>{escape(exploration_text(found))}</pre>"
        )

    def _running(self, *, on: bool) -> None:
        self._start.disabled, self._halt.disabled = on, not on
        self._bar.layout.display = "" if on else "none"
        self._take.disabled = on or self._found is None

    def _compare(self) -> None:
        def act() -> None:
            found = self._found
            if found is None:
                raise TenancyKitError("nothing was explored yet")
            best = found.ranked()[:_BEST]
            self._desk.session.add_designs([one.design for one in best])

        if self._desk.do(act, f"the best {_BEST} are compared"):
            self._desk.go("Ranking")
