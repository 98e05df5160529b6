"""The tabs that open one design: evidence, isolation, cost, work, sensitivity, two designs side by side."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import ipywidgets as widgets

from kubeanswers.errors import TenancyKitError
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.report import charts
from tenancykit.report.apart import names_apart
from tenancykit.report.drawing import link, tree
from tenancykit.report.figures import interval_text, value_text
from tenancykit.studio.desk import Desk, Quiet, page, written
from tenancykit.studio.session import Session
from tenancykit.study.evaluation import Evaluation

_ANY = "the least isolated"


def heading(evaluation: Evaluation) -> str:
    """Return a design's name as a heading."""
    return f"<h3>{escape(evaluation.id)} {escape(evaluation.name)}</h3>"


class DesignPanel:
    """One design: its architecture, its options, and one criterion down to the sources."""

    title = "Design"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._criterion = widgets.ToggleButtons(
            options=[(TITLES[n], n) for n in CRITERIA], description="Evidence", style={"button_width": "auto"}
        )
        self._criterion.observe(self._open, "value")
        self._head, self._evidence, self._picture = page(), page(), page()
        self.widget = widgets.VBox([self._head, self._criterion, self._evidence, self._picture])

    def _open(self, change: Any) -> None:
        if not self._quiet.on:
            self._desk.do(lambda: self._desk.session.open("", change["new"]))

    def show(self) -> None:
        """Bring the tab in line with the session."""
        session = self._desk.session
        found, criterion = session.opened, session.state.criterion
        score = found.scores[criterion]
        with self._quiet():
            self._criterion.value = criterion
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in session.study.exclusions(found.id))
        out = f'<p class="fault">Not admitted:</p><ul>{reasons}</ul>' if reasons else ""
        self._head.value = written(heading(found), out)
        self._evidence.value = written(
            f"<h3>{TITLES[criterion]}: {escape(value_text(score))} "
            f"<small>(P10 - P90: {interval_text(score)})</small></h3>",
            f"<p>{escape(score.summary)}</p>",
            f'<div class="tk">{tree(score.evidence, open_levels=2)}</div>',
        )
        options = "".join(
            f"<li><b>{escape(c.tenant_class.name or c.tenant_class.id)}</b>"
            f"{f' ({escape(c.choice.tier)})' if c.choice.tier else ''}: "
            f"{escape(_named(session, c.choice.options))}</li>"
            for c in found.resolved.classes
        )
        source = found.resolved.design.source
        self._picture.value = written(
            charts.architecture(found),
            f"<p>What it is built of:</p><ul>{options}</ul>",
            f"<p>{link(source)}</p>" if source.startswith("https://") else "",
        )


class IsolationPanel:
    """Who reaches what of whom under the open design."""

    title = "Isolation"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._pair = widgets.Dropdown(description="Pair", options=[(_ANY, ("", ""))], value=("", ""))
        self._pair.observe(lambda _: None if self._quiet.on else self._draw(), "value")
        self._matrix, self._paths = page(), page()
        self.widget = widgets.VBox([self._matrix, self._pair, self._paths])

    def show(self) -> None:
        """Bring the tab in line with the session."""
        found = self._desk.session.opened
        result = found.scores["isolation"].detail
        pairs = [(f"{p.attacker} on {p.victim}", (p.attacker, p.victim)) for p in (*result.pairs, *result.provider)]
        options = [(_ANY, ("", "")), *pairs]
        with self._quiet():
            if list(self._pair.options) != options:
                self._pair.options = options
                self._pair.value = ("", "")
        self._matrix.value = written(heading(found), charts.open_days(found), charts.isolation_matrix(found))
        self._draw()

    def _draw(self) -> None:
        attacker, victim = self._pair.value
        opened = self._desk.session.opened
        self._paths.value = written(
            charts.attack_paths(opened, attacker, victim), charts.attack_graph(opened, attacker, victim)
        )


class PicturePanel:
    """A tab that is one page of pictures."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._page = page()
        self.widget = widgets.VBox([self._page])

    def show(self) -> None:
        """Bring the tab in line with the session."""
        self._page.value = written(*self.parts(self._desk.session))

    def parts(self, session: Session) -> tuple[Any, ...]:
        """Return what the tab shows, from top to bottom."""
        raise NotImplementedError


class CostPanel(PicturePanel):
    """What the open design costs, who pays it, what stands where."""

    title = "Cost"

    def parts(self, session: Session) -> tuple[Any, ...]:
        """Return bill, placement and the way to the design beside."""
        found, beside = session.opened, session.beside
        return (heading(found), charts.bill(found), charts.placement(found), charts.cost_bridge(beside, found))


class WorkPanel(PicturePanel):
    """What it takes to build and to run the open design."""

    title = "Work"

    def parts(self, session: Session) -> tuple[Any, ...]:
        """Return Gantt, toil and growth."""
        found, beside = session.opened, session.beside
        pair = [found] if found.id == beside.id else [found, beside]
        return (heading(found), charts.gantt(found), charts.toil(pair), charts.growth(pair))


class SensitivityPanel(PicturePanel):
    """How sure the ranking is, and what would change it."""

    title = "Sensitivity"

    def parts(self, session: Session) -> tuple[Any, ...]:
        """Return rank acceptability and the ranges of weights."""
        study = session.study
        called = names_apart(study.evaluations)
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(f'{first} {called[first]}') if first else '-'}</td></tr>"
            for name, view in study.stakeholders.items()
            for first in (view.best.id if view.ranking else "",)
        )
        views = f"<p>First place by stakeholder:</p><table>{rows}</table>" if rows else ""
        return (charts.acceptability(study), charts.weight_ranges(study), views)


class ComparePanel(PicturePanel):
    """Two designs side by side."""

    title = "Compare"

    def parts(self, session: Session) -> tuple[Any, ...]:
        """Return the two on the four criteria, their architectures and the bridge of their costs."""
        study, first, second = session.study, session.opened, session.beside
        if first.id == second.id:
            return ("<p>Choose two designs: <b>Open</b> and <b>Beside</b> on the side.</p>",)
        return (
            charts.side_by_side(study, first.id, second.id),
            charts.cost_bridge(first, second),
            _told(session, first, second),
            charts.architecture(first),
            charts.architecture(second),
            _options_apart(session, first, second),
        )


def _told(session: Session, first: Evaluation, second: Evaluation) -> str:
    """Return why one stands before the other, where both are admitted."""
    study = session.study
    ahead, behind = sorted((first, second), key=lambda e: study.rank(e.id) or 10**6)
    try:
        why = study.why(ahead.id, behind.id)
    except TenancyKitError:
        return ""
    needs = "; ".join(map(str, why.needs[:2]))
    return f"<p>{escape(behind.id)} would draw level with {escape(ahead.id)} if {escape(needs)}.</p>" if needs else ""


def _named(session: Session, options: Iterable[str]) -> str:
    """Return options by their names."""
    known = session.catalogue.options
    return ", ".join(known[name].name for name in options)


def _options_apart(session: Session, first: Evaluation, second: Evaluation) -> str:
    rows = []
    for one, other in zip(first.resolved.classes, second.resolved.classes, strict=True):
        left = [o for o in one.choice.options if o not in other.choice.options]
        right = [o for o in other.choice.options if o not in one.choice.options]
        rows.append(
            f"<tr><td>{escape(one.tenant_class.name or one.tenant_class.id)}</td>"
            f"<td>{escape(_named(session, left)) or '-'}</td><td>{escape(_named(session, right)) or '-'}</td></tr>"
        )
    head = f"<tr><th>class</th><th>only {escape(first.id)}</th><th>only {escape(second.id)}</th></tr>"
    return f"<p>Options that differ:</p><table>{head}{''.join(rows)}</table>"
