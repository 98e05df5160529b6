"""The ranking as a grid of buttons: a name opens its design, a number opens its explanation."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.report.apart import names_apart
from tenancykit.report.chart_decision import pareto, shown_value
from tenancykit.report.drawing import exclusions
from tenancykit.report.figures import short_value, value_text
from tenancykit.report.opening_page import opening_html
from tenancykit.report.reasons import contested, what_would_change_it, why_first
from tenancykit.studio.desk import STYLE, Desk, Quiet, page, written
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

_SHADES = ("transparent", "#eaf3fa", "#d2e6f4", "#b3d6ec", "#9ecae1")
_MOST = 24
_COLUMNS = "44px minmax(170px, 2.4fr) repeat(4, minmax(84px, 1fr)) 62px"


class _Row:
    """The widgets of one design; only rank and score change with the weights."""

    def __init__(self, evaluation: Evaluation, press: Callable[[str, str], None]) -> None:
        self.evaluation = evaluation
        self.rank = page()
        self.score = page()
        self.name = self._button("", "")
        self.name.layout.height = "auto"
        self.name.add_class("tk-name")
        self.name.on_click(lambda _: press(evaluation.id, ""))
        self.numbers = {name: self._number(name, press) for name in CRITERIA}
        self.cells = (self.rank, self.name, *self.numbers.values(), self.score)

    def _button(self, text: str, told: str) -> Any:
        made = widgets.Button(
            description=text, tooltip=told, layout=widgets.Layout(width="auto", height="26px", margin="1px")
        )
        made.style.button_color = "transparent"
        return made

    def _number(self, name: str, press: Callable[[str, str], None]) -> Any:
        score = self.evaluation.scores[name]
        told = f"{self.evaluation.id}: {TITLES[name].lower()} {value_text(score)}; press for where it comes from"
        made = self._button(short_value(score), told)
        made.add_class("tk-number")
        made.on_click(lambda _: press(self.evaluation.id, name))
        return made

    def show(self, study: Study, called: str) -> None:
        """Write rank, name among the others and score, and shade the figures by how good they are."""
        self.name.description = self.name.tooltip = f"{self.evaluation.id} {called}"
        rank = study.rank(self.evaluation.id)
        front = study.pareto_front is not None and self.evaluation.id in study.pareto_front.labels
        self.rank.value = (
            f'<div class="tks"><b>{rank}{"*" if front else ""}</b></div>' if rank else '<div class="tks">-</div>'
        )
        ranking = study.ranking
        found = ranking.scores[ranking.labels.index(self.evaluation.id)] if ranking is not None and rank else None
        self.score.value = f'<div class="tks">{"" if found is None else f"{found:.3f}"}</div>'
        self.name.style.button_color = "#f6c565" if rank == 1 else "transparent"
        self.name.style.text_color = "#222222" if rank == 1 else None
        (self.name.remove_class if rank else self.name.add_class)("tk-out")
        for name, button in self.numbers.items():
            share = shown_value(study, self.evaluation, name)
            place = min(len(_SHADES) - 1, int(share * len(_SHADES)))
            button.style.button_color = _SHADES[place]
            button.style.text_color = "#222222" if place else None


class RankingPanel:
    """First place and why, the ranking, the scatter, who is not admitted."""

    title = "Ranking"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._rows: dict[str, _Row] = {}
        self._reason = page(written("<p>The designs are being measured; their ranking appears here.</p>"))
        self._heads: tuple[Any, ...] = ()
        self._grid = widgets.GridBox([], layout=widgets.Layout(grid_template_columns=_COLUMNS, width="100%"))
        self._grid.add_class("tk-grid")
        self._more = page()
        self._x = self._axis("Across", "cost")
        self._y = self._axis("Up", "isolation")
        self._chart = page()
        self._out = page()
        self.widget = widgets.VBox(
            [
                page(STYLE),
                self._reason,
                self._grid,
                self._more,
                widgets.HBox([self._x, self._y]),
                self._chart,
                self._out,
            ]
        )

    def _axis(self, text: str, value: str) -> Any:
        made = widgets.Dropdown(description=text, options=[(TITLES[n], n) for n in CRITERIA], value=value)
        made.observe(lambda _: self._draw(), "value")
        return made

    def _press(self, design: str, criterion: str) -> None:
        if self._desk.do(lambda: self._desk.session.open(design, criterion)):
            self._desk.go("Design")

    def show(self) -> None:
        """Bring ranking and scatter in line with the session."""
        study = self._desk.session.study
        self._reason.value = written(
            opening_html(study),
            f"<p><b>First place.</b> {escape(why_first(study))}</p>" if study.ranking else "",
            f"<p>{escape(contested(study))} {escape(what_would_change_it(study))}</p>",
        )
        shown = study.order[:_MOST]
        if not self._heads:
            self._heads = self._head(study)
        cells, called = list(self._heads), names_apart(study.evaluations)
        for evaluation in shown:
            row = self._rows.get(evaluation.id)
            if row is None or row.evaluation is not evaluation:
                row = self._rows[evaluation.id] = _Row(evaluation, self._press)
            row.show(study, called[evaluation.id])
            cells.extend(row.cells)
        if tuple(cells) != self._grid.children:
            self._grid.children = tuple(cells)
        self._more.value = written(self._note(study, len(shown)))
        self._out.value = written(exclusions(study))
        self._draw()

    def _head(self, study: Study) -> tuple[Any, ...]:
        first = study.evaluations[0]
        texts = [
            "Rank",
            "Design",
            *(
                f"{TITLES[n].split()[-1].capitalize()}<br><small>{escape(first.scores[n].unit)}</small>"
                for n in CRITERIA
            ),
            "Score",
        ]
        return tuple(page(f'<div class="tks" style="line-height:1.2"><b>{text}</b></div>') for text in texts)

    def _note(self, study: Study, shown: int) -> str:
        left = len(study.order) - shown
        more = f" {left} further designs are not shown." if left else ""
        return (
            "<p><small>The deeper the blue, the better. A nine more: a tenth of the open days (0: 365 a year, "
            "1: 36.5). * on the Pareto front. Slanted names are not admitted, see below. "
            f"Press a figure for its evidence.{more}</small></p>"
        )

    def _draw(self) -> None:
        session = self._desk.session
        if not session.waiting():
            self._chart.value = written(pareto(session.study, self._x.value, self._y.value))
