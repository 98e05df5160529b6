"""The tab that asks for weights: swings or trade-offs, said back as exchange rates, kept for whoever answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any, Final

import ipywidgets as widgets

from kubeanswers.errors import Fault, InputError
from kubeanswers.scalars import decimal_number
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.decision.elicitation import Good, TradeOff
from tenancykit.scenario.fields import MAX_TENANT_NAME
from tenancykit.studio.desk import Desk, Quiet, button, page, written
from tenancykit.studio.edits import set_value
from tenancykit.studio.group_part import GroupPart
from tenancykit.study.exchange_rates import MONEY, goods, rates_in_words
from tenancykit.study.weighing import Weighing, questions, weighed_by_swings, weighed_by_trades

_SCENARIO: Final = "the scenario"
_SOMEBODY: Final = "somebody new"
_PLACES: Final = 4


class WeighPanel:
    """Asks about swings and trade-offs, says back what the answers mean, and keeps them."""

    title = "Weigh"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        self._found: Weighing | None = None
        self._swing_question = page()
        self._points = {name: self._slider(name) for name in CRITERIA}
        self._trades: dict[str, Any] = {}
        self._trade_rows = widgets.VBox([])
        swings = widgets.VBox(
            [
                self._swing_question,
                *self._points.values(),
                button("What these points mean", partial(self._answer, self._swung)),
            ]
        )
        trades = widgets.VBox(
            [
                page(written("<p>How much is it worth? Leave empty what you cannot say.</p>")),
                self._trade_rows,
                button("What these answers mean", partial(self._answer, self._traded)),
            ]
        )
        fold = widgets.Accordion([swings, trades], selected_index=0)
        fold.set_title(0, "By swings: points from 0 to 100")
        fold.set_title(1, "By trade-offs: amounts of money")
        self._meaning = page()
        self._whose = widgets.Dropdown(
            description="Keep for", options=[_SCENARIO, _SOMEBODY], tooltip="Whose answers these are"
        )
        self._whose.observe(lambda _: self._name_new(), "value")
        self._new = widgets.Text(
            placeholder="name", tooltip="Name of who answered", layout=widgets.Layout(width="160px")
        )
        self._keep = button("Keep these weights", self._kept, told="Write the weights into the scenario")
        self._keep.disabled = True
        self.widget = widgets.VBox(
            [
                page(written("<h3>What matters how much</h3>")),
                fold,
                self._meaning,
                widgets.HBox([self._whose, self._new, self._keep], layout=widgets.Layout(flex_flow="row wrap")),
                GroupPart(desk).widget,
            ]
        )

    def _slider(self, name: str) -> Any:
        return widgets.IntSlider(
            value=50,
            min=0,
            max=100,
            step=5,
            description=TITLES[name],
            tooltip=f"Points for {TITLES[name].lower()}",
            style={"description_width": "190px"},
            layout=widgets.Layout(width="520px", max_width="97%"),
        )

    def show(self) -> None:
        """Bring the questions in line with the session."""
        study = self._desk.session.study
        asked = questions(study)
        self._swing_question.value = written(f"<p>{escape(asked[0])}</p>")
        for name, slider in self._points.items():
            slider.layout.display = "none" if name in study.scales.tree.silent else ""
        found = [good for good in goods(study.scenario, study.scales) if good.name != MONEY]
        if list(self._trades) != [good.name for good in found]:
            self._trades = {good.name: self._amount(good) for good in found}
        rows = []
        for good, text in zip(found, asked[1:], strict=True):
            rows += [page(written(f"<p>{escape(text)}</p>")), self._trades[good.name]]
        self._trade_rows.children = tuple(rows)
        names = [_SCENARIO, *study.scenario.stakeholders, _SOMEBODY]
        if list(self._whose.options) != names:
            self._whose.options = names
        self._name_new()
        if self._found is None:
            now = rates_in_words(study.exchange_rates)
            self._meaning.value = written(f"<p><b>Now.</b> {escape(now)}</p>") if now else ""

    def _amount(self, good: Good) -> Any:
        return widgets.Text(
            placeholder="amount", tooltip=f"Worth of {good.words}", layout=widgets.Layout(width="160px")
        )

    def _name_new(self) -> None:
        self._new.layout.display = "" if self._whose.value == _SOMEBODY else "none"

    def _swung(self) -> Weighing:
        study = self._desk.session.study
        silent = study.scales.tree.silent
        return weighed_by_swings(study, {n: float(s.value) for n, s in self._points.items() if n not in silent})

    def _traded(self) -> Weighing:
        answers = []
        for name, field in self._trades.items():
            text = field.value.replace(",", "").replace("_", "").strip()
            if not text:
                continue
            amount = decimal_number(text)
            if amount is None:
                raise InputError(Fault(field.tooltip, f"{field.value!r} is not an amount", "a number"))
            answers.append(TradeOff(name, 1.0, MONEY, amount))
        if not answers:
            raise InputError(Fault("trade-offs", "nothing was answered", cure="give at least one amount"))
        return weighed_by_trades(self._desk.session.study, answers)

    def _answer(self, ask: Callable[[], Weighing]) -> None:
        def act() -> None:
            self._found = None
            self._found = ask()

        self._desk.do(act)
        self._keep.disabled = self._found is None
        self._meaning.value = "" if self._found is None else written(self._said(self._found))

    def _said(self, found: Weighing) -> str:
        study = found.study
        shares = ", ".join(f"{TITLES[n].lower()} {v:.0%}" for n, v in self._weights(found).items())
        against = "".join(f"<li>{escape(str(item))}</li>" for item in found.contradictions)
        first = f"<p>First under these answers: <b>{escape(study.best.id)} {escape(study.best.name)}</b>.</p>"
        return (
            f"<h3>What the answers mean</h3><p>{escape(rates_in_words(study.exchange_rates))}</p>"
            f"<p>As weights: {escape(shares)}.</p>{first if study.ranking is not None else ''}"
            + (f'<p class="fault">These answers contradict each other:</p><ul>{against}</ul>' if against else "")
        )

    def _weights(self, found: Weighing) -> Mapping[str, float]:
        values = {n: round(float(v), _PLACES) for n, v in zip(CRITERIA, found.study.weights.values, strict=True)}
        largest = max(values, key=lambda name: values[name])
        values[largest] = round(values[largest] + 1 - sum(values.values()), _PLACES)
        return values

    def _kept(self) -> None:
        if self._found is None:
            return
        whose = str(self._new.value).strip() if self._whose.value == _SOMEBODY else str(self._whose.value)
        weights = dict(self._weights(self._found))
        path = ("weights",) if self._whose.value == _SCENARIO else ("stakeholders", whose)

        def act() -> None:
            if not whose or len(whose) > MAX_TENANT_NAME:
                raise InputError(Fault("name", "is missing or too long", f"1 to {MAX_TENANT_NAME} characters"))
            session = self._desk.session

            def all_at_once(text: str) -> str:
                if path[0] == "stakeholders" and whose not in session.scenario.stakeholders:
                    return set_value(text, path, weights)
                for name, value in weights.items():
                    text = set_value(text, (*path, name), value)
                return text

            session.revise(all_at_once)
            if path[0] == "stakeholders":
                session.weigh_as(whose)

        if self._desk.do(act, f"kept as weights of {whose}"):
            self._found = None
            self._keep.disabled = True
            self.show()
