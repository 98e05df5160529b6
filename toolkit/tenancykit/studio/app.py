"""The studio: scenario, candidates, weights, ranking, pictures, export, as one page of widgets."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Callable
from html import escape
from typing import Any, Final

from kubeanswers.errors import MissingExtraError, TenancyKitError
from tenancykit.api import load_scenario
from tenancykit.catalogue.reading import Catalogue
from tenancykit.drawing import html_of, text_of
from tenancykit.scenario.model import Scenario
from tenancykit.study.comparison import Study

try:
    import ipywidgets as widgets
except ImportError as error:
    raise MissingExtraError("ipywidgets", "lab") from error

from tenancykit.studio.desk import STYLE, UNKEPT, Panel, page, written
from tenancykit.studio.detail_panels import (
    ComparePanel,
    CostPanel,
    DesignPanel,
    IsolationPanel,
    SensitivityPanel,
    WorkPanel,
)
from tenancykit.studio.explore_panel import ExplorePanel
from tenancykit.studio.handover_panel import HandoverPanel
from tenancykit.studio.keeping import Keeper
from tenancykit.studio.options_panel import OptionsPanel
from tenancykit.studio.ranking_panel import RankingPanel
from tenancykit.studio.scenario_panel import ScenarioPanel
from tenancykit.studio.session import Session
from tenancykit.studio.sidebar import Sidebar
from tenancykit.studio.weigh_panel import WeighPanel

AT_ONCE: Final = 4.0
"""Seconds of measuring before the page is shown; what is left is measured while it is shown."""
_PAUSE: Final = 0.01


class Studio:
    """The whole path from question to decision as one page of widgets; any number may stand in a notebook."""

    def __init__(
        self,
        scenario: Scenario | Study | str | os.PathLike[str] = "ml-platform",
        catalogue: Catalogue | None = None,
        *,
        study: Study | None = None,
        session_file: str | os.PathLike[str] | None = None,
        folder: str = "out",
    ) -> None:
        """Open a studio.

        Args:
            scenario: a scenario, its file or the name of an example; or a study.
            catalogue: what could be done; the package's own by default.
            study: the scenario's study, where there is one already.
            session_file: where the session is kept: read if it exists, written after every step, so that nothing is
                lost with the kernel. A file that cannot be read is put aside, and said.
            folder: where exports go unless another is entered.

        Raises:
            InputError: the scenario is wrong.
        """
        study = scenario if isinstance(scenario, Study) else study
        if study is not None:
            found = study.scenario
        else:
            found = scenario if isinstance(scenario, Scenario) else load_scenario(scenario, catalogue)  # type: ignore[arg-type]
        self.session = Session(found, catalogue, study=study)
        self._keeper = None if session_file is None else Keeper(self.session, session_file)
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._sidebar = Sidebar(self, self._stop, self._take_over)
        panels: list[Panel] = [
            RankingPanel(self),
            DesignPanel(self),
            IsolationPanel(self),
            CostPanel(self),
            WorkPanel(self),
            SensitivityPanel(self),
            ComparePanel(self),
            ExplorePanel(self),
            OptionsPanel(self),
            WeighPanel(self),
            ScenarioPanel(self),
            HandoverPanel(self, folder),
        ]
        self._panels = tuple(panels)
        self._stale = {panel.title for panel in self._panels}
        self._tabs = widgets.Tab(
            [panel.widget for panel in self._panels], layout=widgets.Layout(flex="999 1 600px", min_width="0")
        )
        self._tabs.add_class("tk-tabs")
        for index, panel in enumerate(self._panels):
            self._tabs.set_title(index, panel.title)
        self._tabs.observe(lambda _: self._show_tab(), "selected_index")
        self._hidden = f"tk-still-{uuid.uuid4().hex}"
        self.widget = widgets.VBox(
            [
                page(f"{STYLE}<style>.{self._hidden}{{display:none}}</style>"),
                widgets.HBox(
                    [self._sidebar.widget, self._tabs], layout=widgets.Layout(flex_flow="row wrap", width="100%")
                ),
            ]
        )
        self.widget.add_class("tk-studio")
        self._restore()
        self._measure(AT_ONCE)

    @property
    def study(self) -> Study:
        """The study as it stands now; what is not measured yet is measured first."""
        return self.session.study

    # --- what the panels ask --------------------------------------------------------------------------------------

    def do(self, action: Callable[[], object], told: str = "") -> bool:
        """Do something, tell what came of it, show the new state; return whether it was done.

        What goes wrong is told in words: an input that is wrong, a folder that cannot be written, nobody admitted.
        """
        known = self.session.state.faults
        try:
            action()
        except (TenancyKitError, OSError) as error:
            self._say(str(error), wrong=True)
            self._sidebar.show()
            return False
        faults = self.session.state.faults
        if faults and faults != known:
            self._say(f"{faults[0]} (the figures are still those before)", wrong=True)
        else:
            self._say(told)
        self._keep()
        self._stale.add(ScenarioPanel.title)
        self._show_tab()
        self._measure(0.0)
        return True

    def go(self, title: str) -> None:
        """Show the tab with this title."""
        self._tabs.selected_index = [panel.title for panel in self._panels].index(title)

    def panel(self, title: str) -> Panel:
        """Return the tab with this title.

        Raises:
            KeyError: there is none.
        """
        for panel in self._panels:
            if panel.title == title:
                return panel
        raise KeyError(title)

    # --- measuring ------------------------------------------------------------------------------------------------

    def _measure(self, budget: float) -> None:
        """Measure what is missing, for so many seconds at once and the rest between messages, then show it."""
        self._stopped = False
        end = time.monotonic() + budget
        while self.session.waiting() and time.monotonic() < end:
            self.session.step()
        if not self.session.waiting():
            self._refresh()
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            while self._step():
                pass
            return
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        while not self._stopped and self._step():  # noqa: ASYNC110 - it waits for nothing, it lets messages through
            await asyncio.sleep(_PAUSE)

    def _step(self) -> bool:
        """Measure one design and show how far it is; return whether there is more to do."""
        try:
            self.session.step()
        except KeyboardInterrupt:
            self._stop()
            return False
        except TenancyKitError as error:
            self._say(str(error), wrong=True)
            self._progress(0, 0)
            self._sidebar.show()  # so that the step can be undone
            return False
        left = len(self.session.waiting())
        self._progress(len(self.session.designs) - left, left)
        if not left:
            self._refresh()
        return left > 0

    def _progress(self, done: int, left: int) -> None:
        bar = self._sidebar.progress
        bar.max, bar.value = max(1, done + left), done
        bar.description = f"{done} of {done + left}"
        bar.layout.display = self._sidebar.stop.layout.display = "" if left else "none"
        self._sidebar.stop.description = "Stop"

    def _stop(self) -> None:
        """Stop measuring, or go on where it was stopped; what is measured is kept."""
        if self._stopped:
            self._measure(0.0)
            return
        self._stopped = True
        self._sidebar.stop.description = "Continue"
        self._say(f"stopped; {len(self.session.waiting())} designs are not measured yet")

    # --- showing --------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._progress(0, 0)
        self._stale = {panel.title for panel in self._panels}
        self._sidebar.show()
        self._show_tab()

    def _show_tab(self) -> None:
        """Show the open tab: the scenario at once, since its lines are pressed by place, others once measured."""
        panel = self._panels[self._tabs.selected_index or 0]
        if panel.title != ScenarioPanel.title and self.session.waiting():
            return
        if panel.title in self._stale:
            try:
                panel.show()
            except TenancyKitError as error:
                self._say(str(error), wrong=True)
            self._stale.discard(panel.title)

    def _say(self, text: str, *, wrong: bool = False) -> None:
        css, role = ("fault", "alert") if wrong else ("good", "status")
        self._sidebar.status.value = ""  # so that the same words are news again, and read out again
        self._sidebar.status.value = (
            f'<div class="tks" role="{role}"><p class="{css}">{escape(text)}</p></div>' if text else ""
        )

    # --- keeping --------------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        if self._keeper is not None:
            changed = _changed(self.session.scenario)
            keeper = self._keeper
            self._kept(lambda: self._say(keeper.restore(changed), wrong=keeper.anew))

    def _keep(self) -> None:
        if self._keeper is not None:
            self._kept(self._keeper.keep)

    def _take_over(self) -> None:
        if self._keeper is not None:
            self._say("this tab's work is kept from now on")
            self._kept(self._keeper.take_over)

    def _kept(self, act: Callable[[], None]) -> None:
        """Do something about the kept file; where it fails, say so, and let the browser warn who leaves."""
        try:
            act()
        except (TenancyKitError, OSError) as error:
            self._say(f"not kept: {error}", wrong=True)
            self.widget.add_class(UNKEPT)
            self._sidebar.take_over.layout.display = "" if self._keeper and self._keeper.elsewhere else "none"
        else:
            self.widget.remove_class(UNKEPT)
            self._sidebar.take_over.layout.display = "none"

    def still(self) -> dict[str, str]:
        """Return the study as a picture and as text, for viewers without kernel, network or scripts."""
        if self.session.waiting():
            title = self.session.scenario.title or self.session.scenario.name
            return {
                "text/html": written(f"<p>Studio for {escape(title)}, not measured yet.</p>"),
                "text/plain": "Studio",
            }
        return {"text/html": html_of(self.study), "text/plain": text_of(self.study)}

    def _ipython_display_(self) -> None:
        """Show the still picture, and the widgets, which hide it where they are alive.

        Two outputs and not one in two forms: a viewer takes the form it likes best and drops the other, even where it
        cannot bring the widgets to life.
        """
        from IPython.display import display  # noqa: PLC0415 - only a notebook displays

        show: Any = display  # it carries no types
        still = self.still()
        picture = f'<div class="{self._hidden}">{still["text/html"]}</div>'
        show({**still, "text/html": picture}, raw=True)
        found = self.widget._repr_mimebundle_()
        bundle = dict(found[0] if isinstance(found, tuple) else found or {})
        show({**bundle, "text/plain": "Run this cell for the studio."}, raw=True)


def _changed(scenario: Scenario) -> float | None:
    """Return when a scenario's own file was changed last; None where it has none."""
    file = None if scenario.folder is None else scenario.folder / "scenario.yaml"
    return file.stat().st_mtime if file is not None and file.is_file() else None
