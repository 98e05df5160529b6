"""What a board reads of a decision: one page to sign, then pictures, plan, money, risks and what else there was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from html import escape
from typing import Final

from kubeanswers.terminal import counted
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.report import charts
from tenancykit.report.calling import names_beside, recommended_in_full
from tenancykit.report.drawing import link
from tenancykit.report.opening import opening
from tenancykit.report.opening_days import days_in_words, open_to
from tenancykit.report.opening_what import recommended
from tenancykit.report.paper import Paper
from tenancykit.report.reasons import chosen_otherwise, overruled, weight, worth_telling
from tenancykit.report.record_words import explained
from tenancykit.report.risks import risks
from tenancykit.sentences import three_digits
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.outlook import YEARS, Outlook, outlook

_MOST_ALTERNATIVES: Final = 6
_MOST_OVERTURNS: Final = 2
_BLANK: Final = "_" * 24


class BoardEdition:
    """A decision as a board reads it.

    Args:
        study: the comparison.
        chosen: the design decided for.
        paper: what people add.

    Raises:
        InputError: the design that stands today is not among those compared.
    """

    def __init__(self, study: Study, chosen: Evaluation, paper: Paper) -> None:
        self.study, self.chosen, self.paper = study, chosen, paper
        self.before = study[paper.before] if paper.before else None

    @cached_property
    def outlook(self) -> Outlook:
        """Three years of the design decided for."""
        return outlook(self.chosen, calibration=self.study.calibration)

    # --- the page that is signed ------------------------------------------------------------------------------------

    def sheet(self) -> tuple[tuple[str, str], ...]:
        """Return what the first page says, under its heads."""
        study, chosen = self.study, self.chosen
        opened = opening(study)
        three = self._price()
        if study.rank(chosen.id) != 1:
            return (
                ("Decided by hand", _capital(recommended(chosen, word="").removeprefix(": "))),
                ("Price", three),
                ("What it buys", f"Days a year open to {open_to(chosen.scenario)}: {days_in_words(chosen)}."),
                ("Against the ranking", overruled(study, chosen)),
            )
        return (
            ("Recommendation", _capital(opened.recommended.removeprefix("Recommended: "))),
            ("Price", three),
            ("What it buys", opened.buys),
            ("How sure", opened.sure),
            ("What would reverse it", reversals(study)),
        )

    def _price(self) -> str:
        found, cost = self.outlook, self.chosen.scores["cost"]
        today = sum(c.count for c in self.chosen.scenario.tenants.classes)
        told = (
            f"{three_digits(cost.value)} {found.currency} a month for {counted(today, 'tenant')} "
            f"({three_digits(cost.low)} to {three_digits(cost.high)}), building spread over three years."
        )
        if not found.years:
            return told
        then = sum(found.years[-1].tenants.values())
        grows = f", with {counted(then, 'tenant')} in year {found.years[-1].number}" if then != today else ""
        return (
            f"{told} Over {counted(len(found.years), 'year')}{grows}: {three_digits(float(found.total))} "
            f"{found.currency} ({three_digits(found.low)} to {three_digits(found.high)}), at today's prices."
        )

    def signatures(self) -> tuple[str, ...]:
        """Return who signs."""
        return self.paper.sign_off or tuple(self.study.stakeholders) or ("",)

    def first_page(self, digest: str) -> str:
        """Return the page a board signs."""
        paper = self.paper
        meta = (
            ("Status", paper.status),
            ("Date", paper.date.isoformat() if paper.date else _BLANK),
            ("Author", paper.author or _BLANK),
            ("Number", digest),
        )
        cells = "".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in meta)
        said = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in self.sheet())
        rows = [[name, "", "", ""] for name in self.signatures()]
        return (
            f'<section class="sheet"><dl class="status">{cells}</dl><dl class="said">{said}</dl>'
            f'<p class="meta">{escape(self.rests())}</p><p class="meta words">{self._words()}</p>'
            f'<div class="sign">{table(["Sign-off", "Decision", "Date", "Signature"], rows)}</div></section>'
        )

    def _words(self) -> str:
        """Return the words of the page with what they mean."""
        known = explained(self.chosen, " ".join(text for _, text in self.sheet()))
        return " ".join(f"<b>{escape(word)}</b>: {escape(meaning)}." for word, meaning in known)

    def rests(self) -> str:
        """Return on what the page rests: how many figures have sources, and how many are assumptions."""
        leaves = [
            line
            for score in self.chosen.scores.values()
            for _, line in score.evidence.walk()
            if line.value is not None and not line.children
        ]
        assumed = sum(line.assumption for line in leaves)
        return (
            "Figures are worked out by a model from the scenario and the catalogue, not measured on a platform: "
            f"{assumed:,} of the {len(leaves):,} figures they start from are assumptions, marked as such. "
            "Open days are expectations, not incidents."
        )

    # --- the pages behind it ----------------------------------------------------------------------------------------

    def pictures(self) -> str:
        """Return the architecture before and after."""
        if self.before is None:
            running = [
                self.study.catalogue.options[o].name if o in self.study.catalogue.options else o
                for o in self.study.scenario.team.running
            ]
            today = f"The team runs already: {', '.join(running)}." if running else "Nothing is stated of today."
            before = f"<p>{escape(today)}</p>"
        else:
            before = charts.architecture(self.before).svg + self._step(self.before)
        return f"<h3>Before</h3>{before}<h3>After</h3>{charts.architecture(self.chosen).svg}"

    def _step(self, before: Evaluation) -> str:
        rows = [
            [
                TITLES[name],
                f"{three_digits(before.scores[name].value)} {before.scores[name].unit}",
                f"{three_digits(self.chosen.scores[name].value)} {self.chosen.scores[name].unit}",
            ]
            for name in CRITERIA
        ]
        rows.insert(1, ["Open days a year", days_in_words(before), days_in_words(self.chosen)])
        told = f"Today is taken to be {before.id} {before.name}; effort counts building it from nothing."
        return f"<p>{escape(told)}</p>{table(['', 'Before', 'After'], rows)}"

    def plan(self) -> str:
        """Return the plan."""
        return charts.gantt(self.chosen).svg

    def money(self) -> str:
        """Return three years of costs, and those of the alternatives."""
        others = [outlook(e, calibration=self.study.calibration) for e in self.alternatives()]
        rows = []
        for found in (self.outlook, *others):
            years = [three_digits(float(year.total)) for year in found.years]
            years += [""] * (YEARS - len(years))
            name = self.study[found.design].name
            rows.append([name, three_digits(float(found.building)), *years, three_digits(float(found.total))])
        heads = [
            f"Design, {self.outlook.currency}",
            "Building",
            *(f"Year {n}" for n in range(1, YEARS + 1)),
            "Together",
        ]
        return charts.three_years(self.outlook).svg + table(heads, rows, numbers=range(1, YEARS + 3))

    def register(self) -> str:
        """Return the register of risks."""
        rows = [
            [risk.what, risk.size, risk.treatment, self.paper.owner(risk.kind)]
            for risk in risks(self.study, self.chosen, self.outlook)
        ]
        return table(["Risk", "What it stands on", "Treatment", "Owner"], rows)

    def alternatives(self) -> tuple[Evaluation, ...]:
        """Return the best admitted design of every other kind, by rank."""
        found = []
        for family in self.study.families:
            ranked = [label for label in family if self.study.rank(label) is not None]
            if ranked and self.chosen.id not in family:
                found.append(self.study[min(ranked, key=lambda label: self.study.rank(label) or 0)])
        return tuple(sorted(found, key=lambda e: self.study.rank(e.id) or 0)[:_MOST_ALTERNATIVES])

    def instead(self) -> str:
        """Return the alternatives with why not."""
        rows = [[e.name, f"{self.study.rank(e.id)}", self.why_not(e)] for e in self.alternatives()]
        if not rows:
            return "<p>No design of another kind meets every requirement.</p>"
        return table(["Alternative", "Rank", "Why not"], rows, numbers={1})

    def why_not(self, other: Evaluation) -> str:
        """Return what speaks against another admitted design, and what for it."""
        if self.study.rank(self.chosen.id) is None:
            return "It meets every requirement; the design decided for does not."
        found = self.study.why(self.chosen.id, other.id)
        against = [self._difference(other, one.criterion) for one in worth_telling(found.reasons_for)]
        favour = [self._difference(other, one.criterion) for one in worth_telling(found.reasons_against)]
        told = f"{'Behind' if found.lead >= 0 else 'Ahead'} by {abs(found.lead):.3f} of 1. "
        told += f"Against it: {'; '.join(against)}. " if against else ""
        return told + (f"For it: {'; '.join(favour)}." if favour else "")

    def _difference(self, other: Evaluation, criterion: str) -> str:
        if criterion == "isolation":
            return f"open days a year are {days_in_words(other)}"
        mine, theirs = self.chosen.scores[criterion], other.scores[criterion]
        change = theirs.value - mine.value
        unit = theirs.unit.replace("/", " a ").replace(" per ", " a ")
        way, purpose = "more" if change > 0 else "less", _FOR.get(criterion, "")
        return f"{three_digits(abs(change))} {unit} {way} {purpose}".rstrip()

    def sources(self) -> str:
        """Return every source behind the figures of the design decided for."""
        found = sorted(
            {line.source for score in self.chosen.scores.values() for _, line in score.evidence.walk() if line.source}
        )
        published = [source for source in found if source.startswith("https://")]
        links = "".join(f"<li>{link(s)}</li>" for s in published)
        return (
            f"<p>{len(published):,} published sources stand behind the figures of this design; "
            f"{len(found) - len(published):,} further ones are entries of the catalogue that ships with tenancykit.</p>"
            f'<ul class="sources">{links}</ul>'
        )


_FOR: Final = {"cost": "", "effort": "to build", "operations": "to run"}

METHOD: Final = (
    "Isolation is the expected time on which some path of an attack graph stood open, by rates of published flaws and "
    "windows of patching; effort and operations are lists of tasks with durations; cost places the workloads as "
    "kube-scheduler would and prices the machines. The ranking is an additive value over scales that the scenario and "
    "the catalogue set, never the candidates. How sure it is comes from samples of everything not known, and from "
    "moving each assumption to the ends of its range."
)
"""How the figures come about, in one paragraph."""


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def reversals(study: Study) -> str:
    """Return which other design would be first, a sentence each: at the nearest figure and weight, and by whom."""
    found: dict[str, list[str]] = {}
    for one in study.verdict.overturning if study.verdict else ():
        if one.new_first not in found and len(found) < _MOST_OVERTURNS:
            found[one.new_first] = [one.where]
    nearest = _nearest_weights(study)
    for label, told in nearest.items():
        found.setdefault(label, []).append(told)
    by: dict[str, list[str]] = {}
    for name, label in chosen_otherwise(study):
        if label != study.best.id:
            by.setdefault(label, []).append(name)
    for label, names in by.items():
        found.setdefault(label, []).append(f"{' or '.join(names)} alone decides")
    called = names_beside(study, found)
    order = sorted(found, key=lambda label: study.rank(label) or len(study.evaluations))
    sentences = [
        f"{recommended_in_full(called[label])} is first where {', or '.join(found[label])}." for label in order
    ]
    if not nearest:
        sentences.append("No weight alone makes another design first.")
    return " ".join(map(_capital, sentences))


def _nearest_weights(study: Study) -> dict[str, str]:
    """Return per design that a weight brings first the weight that need change least, in words."""
    nearest: dict[str, tuple[float, str]] = {}
    for interval, now in zip(study.weight_intervals, study.weights.values, strict=True):
        for way, label, edge in (("less", interval.below, interval.low), ("more", interval.above, interval.high)):
            told = f"{TITLES[interval.criterion].lower()} weighs {way} than {weight(edge)} (now {weight(now)})"
            if label is not None and 0 < edge < 1:
                nearest[label] = min((abs(edge - now), told), nearest.get(label, (1.0, "")))
    return {label: told for label, (_, told) in nearest.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    """Return a table of plain text; columns of numbers stand to the right."""
    right = set(numbers)

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}{' class=n' if i in right else ''}>{escape(cell)}</{tag}>" for i, cell in enumerate(row))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{cells(head, 'th')}</tr></thead><tbody>{body}</tbody></table>"
