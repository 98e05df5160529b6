"""What an audit says of a few tenants that are alike, said of all of them; or not at all, where it depends on how many.

The audit is made with a few of each kind and once more with one more: what both say is said of every tenant of the
kind.  Where the two differ in more than names, or tenants of a kind are answered differently, nothing is spread.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TypeVar

from kubeanswers.records import dataclass
from tenancykit.auditing.alike import BLANK, Kind
from tenancykit.auditing.findings import AuditReport, Check, CrossingState, Finding

_Place = tuple[Kind, str]
"""A kind of tenants, and how a tenant of it is called with a blank for its name."""
_Reach = tuple[frozenset[str], frozenset[_Place], bool]
"""Tenants of no kind; kinds all of whom are reached; whether an attacker of a kind reaches itself alone of it."""
_Pairs = Mapping[str, frozenset[str]]
T = TypeVar("T")


class NotAlikeError(Exception):
    """Tenants that were taken for alike are answered differently, or by their number."""


@dataclass(frozen=True)
class _Crossing:
    """A crossing of which nothing is said by name: by tenant, or by kind."""

    id: str
    title: str
    plane: str
    victims: Mapping[str | _Place, _Reach]
    doubts: Mapping[str | _Place, _Reach]
    reasons: Mapping[str | _Place, str]
    held_by: frozenset[str]


@dataclass(frozen=True)
class Pattern:
    """What a report says, with blanks for the names of tenants that are alike.

    Attributes:
        crossings: the matrix.
        findings: those that name nobody of a kind.
        each: those that are found for each of a kind.
        checks: named checks; their lists begin with the first of a kind, and end before the last that is asked.
        not_evaluated: as the report has it.
    """

    crossings: tuple[_Crossing, ...]
    findings: tuple[Finding, ...]
    each: Mapping[Kind, tuple[Finding, ...]]
    checks: tuple[Check, ...]
    not_evaluated: tuple[str, ...]


@dataclass
class _Reader:
    """Reads a report of few tenants of each kind."""

    report: AuditReport
    asked: Mapping[Kind, tuple[str, ...]]
    _sets: dict[frozenset[str], tuple[frozenset[str], Mapping[_Place, frozenset[str]]]] = field(default_factory=dict)

    @cached_property
    def _named(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(name) for name in self._kind_of))

    @cached_property
    def _kind_of(self) -> Mapping[str, Kind]:
        return {name: kind for kind, names in self.asked.items() for name in names}

    @cached_property
    def places(self) -> Mapping[str, tuple[_Place, str]]:
        """Kind and name of each tenant that is asked for others."""
        found: dict[str, tuple[_Place, str]] = {}
        for tenant in self.report.tenants:
            name = self.name_in(tenant)
            if name:
                found[tenant] = ((self._kind_of[name], tenant.replace(name, BLANK)), name)
        return found

    def name_in(self, text: str) -> str:
        """Return the one name of somebody asked that stands in a text; empty for none."""
        names = set(self._named.findall(text))
        if len(names) > 1:
            raise NotAlikeError(text)
        return next(iter(names), "")

    def pattern(self) -> Pattern:
        """Return what the report says, without the names."""
        fixed, each = self._findings()
        crossings = tuple(
            _Crossing(
                c.id, c.title, c.plane, self._pairs(c.victims), self._pairs(c.doubts), self._texts(c.reasons), c.held_by
            )
            for c in self.report.crossings
        )
        return Pattern(crossings, fixed, each, self.report.checks, self.report.not_evaluated)

    def _findings(self) -> tuple[tuple[Finding, ...], Mapping[Kind, tuple[Finding, ...]]]:
        fixed: list[Finding] = []
        by_name: dict[str, list[Finding]] = {}
        for finding in self.report.findings:
            name = self.name_in("\n".join(_texts_of(finding)))
            if name:
                by_name.setdefault(name, []).append(_renamed(finding, name, BLANK))
            else:
                fixed.append(finding)
        each: dict[Kind, tuple[Finding, ...]] = {}
        for kind, names in self.asked.items():
            found = [by_name.get(name, []) for name in names]
            if any(Counter(one) != Counter(found[0]) for one in found):
                raise NotAlikeError("findings")
            each[kind] = tuple(found[0])
        return tuple(fixed), each

    def _texts(self, texts: Mapping[str, str]) -> Mapping[str | _Place, str]:
        return self._by_place(
            {
                tenant: text.replace(name, BLANK) if (name := self._own_name(tenant, text)) else text
                for tenant, text in texts.items()
            }
        )

    def _own_name(self, tenant: str, text: str) -> str:
        name = self.name_in(text)
        if name and (tenant not in self.places or self.places[tenant][1] != name):
            raise NotAlikeError(text)
        return name

    def _pairs(self, pairs: _Pairs) -> Mapping[str | _Place, _Reach]:
        return self._by_place({tenant: self._reach(tenant, found) for tenant, found in pairs.items()})

    def _by_place(self, said: Mapping[str, T]) -> dict[str | _Place, T]:
        """Return what is said of tenants by kind; all who were asked must be told the same, or nothing."""
        found: dict[str | _Place, T] = {t: value for t, value in said.items() if t not in self.places}
        told: dict[_Place, dict[str, T]] = {}
        for tenant, (place, name) in self.places.items():
            if tenant in said:
                told.setdefault(place, {})[name] = said[tenant]
        for place, values in told.items():
            first = next(iter(values.values()))
            if len(values) < len(self.asked[place[0]]) or any(value != first for value in values.values()):
                raise NotAlikeError(place[1])
            found[place] = first
        return found

    def _reach(self, attacker: str, found: frozenset[str]) -> _Reach:
        fixed, kinds = self._sorted(found)
        home, own = self.places.get(attacker, (None, ""))
        whole: set[_Place] = set()
        itself = False
        for place, names in kinds.items():
            everybody = frozenset(self.asked[place[0]])
            if names >= (everybody - {own} if place == home else everybody):  # nobody is counted as its own victim
                whole.add(place)
            elif place == home and names == {own}:
                itself = True
            elif names:
                raise NotAlikeError(attacker)
        return fixed, frozenset(whole), itself

    def _sorted(self, found: frozenset[str]) -> tuple[frozenset[str], Mapping[_Place, frozenset[str]]]:
        """Return the tenants of no kind among some, and the names of the others by kind."""
        if found not in self._sets:
            kinds: dict[_Place, set[str]] = {}
            for tenant in found & self.places.keys():
                place, name = self.places[tenant]
                kinds.setdefault(place, set()).add(name)
            named = {place: frozenset(names) for place, names in kinds.items()}
            self._sets[found] = (found.difference(self.places), named)
        return self._sets[found]


def pattern_of(report: AuditReport, asked: Mapping[Kind, tuple[str, ...]]) -> Pattern:
    """Return what a report of a few tenants of each kind says, with blanks for their names.

    Raises:
        NotAlikeError: they are told different things, or several of them stand in one sentence.
    """
    return _Reader(report, asked).pattern()


@dataclass
class _Writer:
    """Says of every tenant of a kind what a pattern says."""

    tenants: Sequence[str]
    _whole: dict[_Place, frozenset[str]] = field(default_factory=dict)
    _unions: dict[_Reach, frozenset[str]] = field(default_factory=dict)

    def crossing(self, said: _Crossing) -> CrossingState:
        """Return a crossing, tenant by tenant."""
        return CrossingState(
            said.id,
            said.title,
            said.plane,
            self._ordered(self._pairs(said.victims)),
            self._ordered(self._pairs(said.doubts)),
            self._ordered(self._texts(said.reasons)),
            said.held_by,
        )

    def _ordered(self, found: Iterable[tuple[str, T]]) -> dict[str, T]:
        told = dict(found)
        return {tenant: told[tenant] for tenant in self.tenants if tenant in told}

    def _pairs(self, said: Mapping[str | _Place, _Reach]) -> Iterator[tuple[str, frozenset[str]]]:
        for who, reach in said.items():
            if isinstance(who, str):
                yield who, self._union(reach)
            elif not reach[2]:
                yield from dict.fromkeys(self._members(who), self._union(reach)).items()
            else:
                rest = self._union((*reach[:2], False))
                if rest:
                    raise NotAlikeError(who[1])  # a set of thousands for each
                yield from ((tenant, frozenset({tenant})) for tenant in self._members(who))

    def _texts(self, said: Mapping[str | _Place, str]) -> Iterator[tuple[str, str]]:
        for who, text in said.items():
            if isinstance(who, str):
                yield who, text
            else:
                for name in who[0].names:
                    yield who[1].replace(BLANK, name), text.replace(BLANK, name)

    def _members(self, place: _Place) -> frozenset[str]:
        if place not in self._whole:
            self._whole[place] = frozenset(place[1].replace(BLANK, name) for name in place[0].names)
        return self._whole[place]

    def _union(self, reach: _Reach) -> frozenset[str]:
        if reach not in self._unions:
            self._unions[reach] = reach[0].union(*map(self._members, reach[1]))
        return self._unions[reach]


def spread(pattern: Pattern, whole: AuditReport) -> AuditReport:
    """Return a report on all tenants: what a pattern says of each, completed in the report that has their names.

    Raises:
        NotAlikeError: the pattern speaks of other tenants than the report has, or cannot be said of so many.
    """
    writer = _Writer(tuple(whole.tenants))
    crossings = tuple(map(writer.crossing, pattern.crossings))
    if any(not found.keys() <= whole.tenants.keys() for c in crossings for found in (c.victims, c.doubts)):
        raise NotAlikeError("tenants")
    each = (
        _renamed(finding, BLANK, name)
        for kind, found in pattern.each.items()
        for finding in found
        for name in kind.names
    )
    findings = sorted((*pattern.findings, *each), key=lambda finding: finding.order)
    return replace(
        whole,
        crossings=crossings,
        findings=tuple(findings),
        checks=pattern.checks,
        not_evaluated=pattern.not_evaluated,
    )


def _texts_of(finding: Finding) -> tuple[str, ...]:
    return (finding.subject, finding.where.file, finding.what, finding.path, finding.fix, *finding.tenants)


def _renamed(finding: Finding, old: str, new: str) -> Finding:
    return replace(
        finding,
        subject=finding.subject.replace(old, new),
        where=replace(finding.where, file=finding.where.file.replace(old, new)),
        what=finding.what.replace(old, new),
        path=finding.path.replace(old, new),
        fix=finding.fix.replace(old, new),
        tenants=tuple(tenant.replace(old, new) for tenant in finding.tenants),
    )
