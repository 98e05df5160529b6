"""The tab of options by name: what each is, what it would change in the open design, and wishes for it."""

from __future__ import annotations

from functools import partial
from html import escape

import ipywidgets as widgets

from tenancykit.catalogue.model import DIMENSIONS, Option
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.design.variants import with_option
from tenancykit.report.figures import short_values
from tenancykit.studio.desk import Desk, Quiet, button, page, written
from tenancykit.studio.edits import set_list
from tenancykit.study.evaluation import Evaluation, evaluate


class OptionsPanel:
    """Picks an option by name and says what it changes."""

    title = "Options"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quiet = Quiet()
        wide = widgets.Layout(width="520px")
        options = desk.session.catalogue.options.values()
        self._options = {d: [o for o in options if o.dimension == d and o.selectable] for d in DIMENSIONS}
        self._dimension = widgets.Dropdown(
            description="About", options=[(d.replace("_", " "), d) for d in DIMENSIONS], layout=wide
        )
        self._option = widgets.Dropdown(description="Option", options=self._named(), layout=wide)
        self._class = widgets.Dropdown(description="Class", layout=wide, tooltip="Class a wish is for")
        self._dimension.observe(lambda _: self._list(), "value")
        self._option.observe(lambda _: None if self._quiet.on else self._tell(), "value")
        self._what, self._changes = page(), page()
        self.widget = widgets.VBox(
            [
                page(written("<p>Pick an option; its effect is worked out on the design that is open.</p>")),
                self._dimension,
                self._option,
                self._what,
                widgets.HBox(
                    [button("What it changes", self._measure), button("Compare with the others", self._add)],
                    layout=widgets.Layout(flex_flow="row wrap"),
                ),
                self._changes,
                page(written("<h3>Wishes</h3><p><small>Designs that go against a wish are not admitted.</small></p>")),
                self._class,
                widgets.HBox(
                    [
                        button("It must have this option", partial(self._wish, "require_options")),
                        button("It must not have it", partial(self._wish, "forbid_options")),
                    ],
                    layout=widgets.Layout(flex_flow="row wrap"),
                ),
            ]
        )

    @property
    def _chosen(self) -> Option:
        return self._desk.session.catalogue.options[self._option.value]

    def _list(self) -> None:
        with self._quiet():
            self._option.options = self._named()
        self._tell()

    def _named(self) -> list[tuple[str, str]]:
        return [(option.name, option.id) for option in self._options[self._dimension.value]]

    def show(self) -> None:
        """Bring the tab in line with the session."""
        classes = [(c.name or c.id, index) for index, c in enumerate(self._desk.session.scenario.tenants.classes)]
        if list(self._class.options) != classes:
            self._class.options = classes
            self._class.value = 0
        self._tell()

    def _tell(self) -> None:
        """Say what the option is and what the open design has in its place."""
        option, found = self._chosen, self._desk.session.opened
        self._changes.value = ""
        names = self._desk.session.catalogue.options
        has = {name for c in found.resolved.classes for name in c.choice.options}
        place = (option.dimension, option.layer)
        instead = [names[n].name for n in sorted(has) if (names[n].dimension, names[n].layer) == place]
        if option.id in has:
            now = f"{found.id} has it already."
        elif instead:
            now = f"In {found.id} it would take the place of: {', '.join(instead)}."
        else:
            now = f"{found.id} has nothing in its place."
        gaps = "".join(f"<li>{escape(gap)}</li>" for gap in option.gaps)
        status = f"<p>{escape(option.status)}</p>" if option.status else ""
        self._what.value = written(
            f"<p><b>{escape(option.name)}</b> ({escape(option.id)}). {escape(option.what)}</p>{status}",
            f"<p>What it does not do:</p><ul>{gaps}</ul>" if gaps else "",
            f"<p><b>{escape(now)}</b></p>",
        )

    def _measure(self) -> None:
        found = []

        def act() -> None:
            session = self._desk.session
            now = session.opened
            design = with_option(now.resolved.design, self._option.value, session.catalogue)
            found.append(_change(now, evaluate(design, session.scenario, session.catalogue)))

        if self._desk.do(act):
            self._changes.value = found[0]  # last, since showing the tab again empties it

    def _add(self) -> None:
        session, name = self._desk.session, self._option.value

        def act() -> None:
            base = session.opened.resolved.design
            if base.id in session.catalogue.references:
                session.add_variant(f"{base.id} +{name}")
            else:
                session.add_designs([with_option(base, name, session.catalogue)])

        if self._desk.do(act, f"with {self._chosen.name}: compared with the others from now on"):
            self._desk.go("Ranking")

    def _wish(self, field: str) -> None:
        session, position, name = self._desk.session, int(self._class.value or 0), self._option.value
        found = session.scenario.tenants.classes[position]
        wanted = [*dict.fromkeys((*getattr(found.requirements, field), name))]
        path = ("tenants", "classes", position, "requirements", field)
        told = (
            f"{found.name or found.id}: {'must' if field == 'require_options' else 'must not'} have {self._chosen.name}"
        )
        self._desk.do(lambda: session.revise(partial(set_list, path=path, values=wanted)), told)


def _change(now: Evaluation, then: Evaluation) -> str:
    """Return the figures before and after as a table, and what the change would break."""
    rows = []
    for name in CRITERIA:
        before, after = now.scores[name], then.scores[name]
        one, other = short_values(before, after)
        better = (after.value > before.value) == (before.better == "higher")
        word = "no change" if after.value == before.value else "better" if better else "worse"
        rows.append(
            f"<tr><td>{TITLES[name]} <small>{escape(before.unit)}</small></td><td>{escape(one)}</td>"
            f"<td>{escape(other)}</td><td>{word}</td></tr>"
        )
    broken = "".join(f"<li>{escape(str(v))}</li>" for v in then.resolved.violations)
    return written(
        f"<table><tr><th>{escape(now.id)}</th><th>now</th><th>with it</th><th></th></tr>{''.join(rows)}</table>",
        f'<p class="fault">It would break what must hold:</p><ul>{broken}</ul>' if broken else "",
    )
