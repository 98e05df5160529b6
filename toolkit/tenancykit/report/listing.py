"""What the catalogue holds, as a table for people and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from kubeanswers.records import dataclass
from kubeanswers.terminal import counted
from tenancykit.catalogue.attack import PLANES, ExpectedEffect, LevelRule
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.features import SHOWN
from tenancykit.catalogue.freshness import PRICE_DAYS, newest_flaw, overdue, stated
from tenancykit.catalogue.price_entries import Price
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import load_work
from tenancykit.criteria.isolation.beliefs import beliefs
from tenancykit.criteria.isolation.expected import Moved
from tenancykit.report.payload import plain
from tenancykit.report.text import columns

LISTING: Final = "tenancykit/catalogue/v1"


@dataclass(frozen=True)
class Listing:
    """One kind of catalogue entries.

    Attributes:
        what: the kind.
        rows: per entry: what a person scans first.
        entries: per entry: everything, as plain data.
    """

    what: str
    rows: tuple[tuple[str, ...], ...]
    entries: tuple[Mapping[str, Any], ...]
    summary: str = ""
    """What the entries amount to, in a line."""

    def text(self) -> str:
        """Return an aligned table, below what it amounts to."""
        table = columns(self.rows, left=set(range(len(self.rows[0]))))
        return "\n".join([*filter(None, [self.summary]), *table])

    def data(self) -> dict[str, Any]:
        """Return the entries as plain data (format ``tenancykit/catalogue/v1``)."""
        return {"schema": LISTING, "what": self.what, "entries": [plain(entry) for entry in self.entries]}


def listing(what: str, catalogue: Catalogue) -> Listing:
    """Return the catalogue's entries of one kind."""
    return _LISTS[what](catalogue)


def _dump(entries: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple({"id": key, **entry.model_dump(mode="json", by_alias=True)} for key, entry in entries.items())


def _options(catalogue: Catalogue) -> Listing:
    head = ("id", "dimension", "layer", "name", "choose")
    rows = [(o.id, o.dimension, o.layer, o.name, "yes" if o.selectable else "no") for o in catalogue.options.values()]
    rows.sort(key=lambda row: (row[1], row[2], row[0]))
    return Listing("options", (head, *rows), _dump(catalogue.options))


def _components(catalogue: Catalogue) -> Listing:
    head = ("id", "scope", "name", "requires", "chart")
    rows = [
        (c.id, c.scope, c.name, ", ".join(c.requires), f"{c.helm.chart} {c.helm.version}" if c.helm else "")
        for c in catalogue.components.values()
    ]
    return Listing("components", (head, *rows), _dump(catalogue.components))


def _references(catalogue: Catalogue) -> Listing:
    head = ("id", "name", "serves", "published by", "tiers")
    rows = [
        (r.id, r.name, ", ".join(r.serves), r.published_by, ", ".join(t.id for t in r.tiers))
        for r in catalogue.references.values()
    ]
    return Listing("references", (head, *rows), _dump(catalogue.references))


def _rules(catalogue: Catalogue) -> Listing:
    head = ("id", "when", "then", "why")
    rows = [(r.id, str(r.when), str(r.then) if r.then else _other(r), r.why) for r in catalogue.rules.values()]
    return Listing("rules", (head, *rows), _dump(catalogue.rules))


def _other(rule: Any) -> str:
    parts = [f"GPU model {'/'.join(rule.gpu_models)}" if rule.gpu_models else ""]
    parts.append(f"Kubernetes {rule.kubernetes_min} or newer" if rule.kubernetes_min else "")
    parts.append(f"at most {rule.gpu_pods_per_node} GPU pods a node" if rule.gpu_pods_per_node else "")
    return ", ".join(filter(None, parts))


def _features(catalogue: Catalogue) -> Listing:
    head = ("id", "title", *SHOWN, "gates")
    rows = [
        (f.id, f.title, *(_staged(f.stage(v), f.enabled(v)) for v in SHOWN), ", ".join(f.gates))
        for f in catalogue.features.values()
    ]
    return Listing("features", (head, *rows), _dump(catalogue.features))


def _accelerators(catalogue: Catalogue) -> Listing:
    head = ("id", "vendor", "resource", "partitions", "fabric", "cards it joins", "source")
    rows = [
        (
            a.id,
            a.vendor,
            a.resource,
            ", ".join(f"{p.id} {p.per_card}" for p in a.partitions),
            a.fabric.name if a.fabric else "",
            str(a.fabric.cards) if a.fabric else "",
            a.source + (" assumption" if a.assumption else ""),
        )
        for a in catalogue.accelerators.values()
    ]
    return Listing("accelerators", (head, *rows), _dump(catalogue.accelerators))


def _staged(stage: str, on: bool) -> str:
    return stage if stage in ("absent", "stable") else f"{stage} {'on' if on else 'off'}"


def _sources(catalogue: Catalogue) -> Listing:
    rows = [(key, source.as_of, source.url) for key, source in catalogue.sources.items()]
    return Listing("sources", (("key", "as of", "address"), *rows), _dump(catalogue.sources))


def _prices(catalogue: Catalogue) -> Listing:
    head = ("id", "kind", "provider", "region", "amount", "currency", "per", "as of", "confidence", "source")
    rows = [
        (
            p.id,
            p.kind,
            p.provider,
            p.region,
            _told_amount(p),
            p.currency or "",
            p.per,
            p.as_of,
            p.confidence + (" assumption" if p.assumption else ""),
            p.source,
        )
        for p in load_prices(catalogue).prices.values()
    ]
    return Listing("prices", (head, *rows), _dump(load_prices(catalogue).prices))


def stale_prices(catalogue: Catalogue, days: int, today: date) -> Listing:
    """Return the prices of the catalogue that are older than so many days, the oldest first."""
    prices = load_prices(catalogue)
    found = prices.stale(days, today)
    head = ("id", "provider", "as of", "days old", "confidence", "source")
    rows = [(p.id, p.provider, p.as_of, str(age), p.confidence, p.source or "assumption") for p, age in found]
    entries = tuple({**p.model_dump(mode="json", by_alias=True), "days_old": age} for p, age in found)
    summary = f"{len(found)} of {counted(len(prices.prices), 'price')} are older than {days:,} days on {today}"
    return Listing("stale prices", (head, *rows), entries, summary)


def freshness(catalogue: Catalogue, today: date, price_days: int = PRICE_DAYS) -> Listing:
    """Return what the catalogue states and has to read again (:func:`tenancykit.catalogue.freshness.overdue`)."""
    found = overdue(catalogue, today, price_days)
    head = ("what", "id", "as of", "days overdue", "why")
    rows = [(o.what, o.id, o.as_of, str(o.days), o.why) for o in found]
    late = Counter(item.what for item in found)
    checked = {what: f"{late[what]} of {count} {words}" for (what, words), count in stated(catalogue).items()}
    flaws = f"the newest flaw held is of {newest_flaw(catalogue)}"
    summary = f"Past its date on {today}: {', '.join(checked.values())}; {flaws}"
    return Listing("freshness", (head, *rows), tuple(asdict(o) for o in found), summary)


def _told_amount(price: Price) -> str:
    if price.amount is not None:
        return str(price.amount)
    return "own hardware" if price.own else ", ".join(f"{term} {amount}" for term, amount in price.terms.items())


def _facts(catalogue: Catalogue) -> Listing:
    traits: dict[str, list[str]] = {}
    for option in catalogue.options.values():
        for trait in option.provides:
            traits.setdefault(trait, []).append(option.id)
    rows = [(trait, ", ".join(options)) for trait, options in sorted(traits.items())]
    entries = tuple({"id": trait, "options": options} for trait, options in sorted(traits.items()))
    return Listing("facts", (("trait", "provided by"), *rows), entries)


def _tasks(catalogue: Catalogue) -> Listing:
    head = ("id", "of", "title", "low", "likely", "high", "skill", "per", "assumption")
    found = [(work, task) for work in load_work(catalogue).work.values() for task in work.tasks]
    rows = [
        (
            task.id,
            work.title,
            task.title,
            f"{task.days.low:g}",
            f"{task.days.likely:g}",
            f"{task.days.high:g}",
            task.skill,
            task.scope,
            "assumption" if work.assumption else "",
        )
        for work, task in found
    ]
    entries = tuple({"work": work.id, "basis": work.basis, **task.model_dump(mode="json")} for work, task in found)
    return Listing("tasks", (head, *rows), entries)


def _toil(catalogue: Catalogue) -> Listing:
    head = ("id", "of", "title", "per", "times a year", "hours", "skill", "assumption")
    found = [(toil, activity) for toil in load_work(catalogue).toil.values() for activity in toil.activities]
    rows = [
        (
            a.id,
            toil.title,
            a.title,
            a.per,
            f"{a.per_year.likely:g}" if a.driver == "stated" else a.driver,
            f"{a.hours.likely:g}",
            a.skill,
            "assumption" if a.assumption else "",
        )
        for toil, a in found
    ]
    return Listing("toil", (head, *rows), tuple({"toil": t.id, **a.model_dump(mode="json")} for t, a in found))


def _evidence(catalogue: Catalogue) -> Listing:
    head = ("id", "year", "component", "boundary", "attacker", "title", "source")
    entries = load_isolation(catalogue).evidence
    rows = [
        (e.id, str(e.year), e.component, e.boundary, e.attacker_position, e.title, e.source_url)
        for e in entries.values()
    ]
    return Listing("evidence", (head, *rows), _dump(entries))


def _levels(catalogue: Catalogue) -> Listing:
    rows, entries = [], []
    for level in load_isolation(catalogue).levels.values():
        for rule in level.rules or (None,):
            asks = _asks(rule) if rule else "nothing"
            planes = ("all" if rule.planes == PLANES else ", ".join(rule.planes)) if rule else ""
            rows.append((level.id, level.title, planes, asks, rule.why if rule else "no demand is met"))
        entries.append(level.model_dump(mode="json"))
    head = ("level", "title", "planes", "asks for", "why")
    return Listing("levels", (head, *rows), tuple(entries))


def _asks(rule: LevelRule) -> str:
    """Return in words what a rule demands of the worst pair of tenants; each level includes those below."""
    barriers = f"{rule.depth} barrier{'s' if rule.depth != 1 else ''} on every path" if rule.depth is not None else ""
    hard = "hardware or a hypervisor on every path" if rule.hard else ""
    facts = str(rule.when) if rule.when.kind != "always" else ""
    return "; ".join(filter(None, (barriers, hard, facts)))


def _beliefs(catalogue: Catalogue) -> Listing:
    found = beliefs(load_isolation(catalogue))
    rows = [
        (
            b.id,
            b.what,
            f"{b.value:g}",
            f"{b.low:g}",
            f"{b.high:g}",
            b.unit,
            "assumption" if b.assumption else "",
            b.source,
        )
        for b in found
    ]
    head = ("id", "what", "value", "P10", "P90", "unit", "assumption", "source")
    return Listing("beliefs", (head, *rows), tuple(asdict(b) for b in found))


def _mark(assumption: bool) -> str:
    return "assumption" if assumption else ""


def _expectations(catalogue: Catalogue) -> Listing:
    head = ("id", "option", "plane", "open days", "why", "source")
    entries = load_isolation(catalogue).expectations
    rows = [
        (e.id, e.option, effect.plane, _told(effect), e.why, e.source or "assumption")
        for e in entries.values()
        for effect in e.effects
    ]
    return Listing("expectations", (head, *rows), _dump(entries))


def tried(moved: Iterable[Moved]) -> Listing:
    """Return what options did to open days beside what was expected of them, those that moved otherwise first."""
    found = sorted(moved, key=lambda one: (one.holds, one.expectation.id, one.class_id, one.effect.plane))
    head = ("id", "option", "class", "plane", "days without", "days with", "expected", "holds")
    rows = [
        (
            *(m.expectation.id, m.expectation.option, m.class_id, m.effect.plane),
            *(f"{m.before:.3g}", f"{m.after:.3g}", _told(m.effect), "yes" if m.holds else "NO"),
        )
        for m in found
    ]
    return Listing("tried", (head, *rows), tuple(dict(zip(head, row, strict=True)) for row in rows))


def _told(effect: ExpectedEffect) -> str:
    if effect.days == "same":
        return "the same"
    return f"{effect.days}, by {effect.least:.1%} to {effect.most:.0%}"


_LISTS: Final[Mapping[str, Callable[[Catalogue], Listing]]] = {
    "options": _options,
    "components": _components,
    "references": _references,
    "rules": _rules,
    "features": _features,
    "accelerators": _accelerators,
    "sources": _sources,
    "prices": _prices,
    "facts": _facts,
    "tasks": _tasks,
    "toil": _toil,
    "evidence": _evidence,
    "levels": _levels,
    "beliefs": _beliefs,
    "expectations": _expectations,
}
