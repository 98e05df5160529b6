"""Replays published flaws on the graph: is a flaw contained, or does it cross to another tenant, and on which path?

Convention. A flaw brings down the barriers its boundary names for its effect and attacker position; every other
barrier stands. The attacker stands where the flaw's record says. The flaw *crosses* when some path that uses it ends
at an asset whose kind of loss is the flaw's impact, all other steps of the path being open. It is *contained* when no
such path exists however the unknown facts turn out, and *undetermined* when that depends on them or when the flaw
cannot cross even where everything is shared. What the record's author says contains it is never read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Boundary, DesignChoice, Evidence, Impact
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.conditions import Condition, parse_condition
from tenancykit.criteria.isolation.chances import hardening, withheld
from tenancykit.criteria.isolation.components import BASELINE, any_shared, breach_of, components_of, premise, sharable
from tenancykit.criteria.isolation.exposure import IsolationResult
from tenancykit.criteria.isolation.trivalent import Facts, alike

Outcome = Literal["contained", "crossed", "undetermined", "inexpressible"]

IMPACTS: frozenset[Impact] = frozenset(Impact.__args__)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Replayed:
    """What became of one flaw.

    Attributes:
        entry: id of the flaw.
        outcome: contained, crossed, undetermined or inexpressible.
        asset: asset that falls, or may fall; empty where none does.
        path: the path in words; where there is none, the reason.
        source: address of the flaw's record.
    """

    entry: str
    outcome: Outcome
    asset: str
    path: str
    source: str


def replay_choice(entry: Evidence, choice: str, model: IsolationCatalogue) -> Replayed:
    """Return what becomes of a flaw under one choice alone, on a shared cluster with shared nodes."""
    laid = _choice(choice, entry, model)
    boundary = model.boundaries.get(entry.boundary)
    if laid is None:
        return Replayed(entry.id, "inexpressible", "", f"{choice} is not a property of a design", entry.source_url)
    if boundary is None:
        return _by_sharing(entry, laid, model)
    attack = _attack(entry, model)
    if attack is None:
        reason = "the model knows no path of this flaw even where everything is shared"
        return Replayed(entry.id, "undetermined", "", reason, entry.source_url)
    facts = _facts_under(_premise(entry, boundary, model), laid, model)
    return _outcome(entry, boundary, attack, facts, model)


def replay_result(result: IsolationResult, model: IsolationCatalogue) -> tuple[Replayed, ...]:
    """Return what becomes of every flaw of the catalogue under a design: the worst outcome over its pairs."""
    worst: list[Replayed] = []
    facts = list(dict.fromkeys(pair.finding.graph.facts for pair in result.pairs))
    for entry in model.evidence.values():
        found = [_in_design(entry, Facts(each, each), model) for each in facts]
        ranked = sorted(found, key=lambda row: ("crossed", "undetermined", "contained").index(row.outcome))
        if ranked:
            worst.append(ranked[0])
    return tuple(worst)


def _in_design(entry: Evidence, facts: Facts, model: IsolationCatalogue) -> Replayed:
    boundary = model.boundaries[entry.boundary]
    attack = _attack(entry, model)
    stated = attack.starts if attack is not None else _starts(entry, boundary, model)
    starts = tuple(start for start in stated if _may_stand(start, facts, model))
    if not starts:
        text = f"no tenant stands where the flaw starts ({entry.attacker_position})"
        return Replayed(entry.id, "contained", "", text, entry.source_url)
    return _outcome(entry, boundary, _Attack(starts, attack.impact if attack else IMPACTS), facts, model)


def _may_stand(position: str, facts: Facts, model: IsolationCatalogue) -> bool:
    start = model.positions[position].start
    return start.kind == "never" or facts.possibly(start)


def _choice(name: str, entry: Evidence, model: IsolationCatalogue) -> DesignChoice | None:
    found = model.choices.get(name)
    if name == BASELINE:
        return DesignChoice(id=BASELINE, what="nothing is chosen")
    if found is not None:
        return found if found.expressible else None
    if name in entry.removed_by or f"hardened:{name}" in model.derived or name in model.class_facts:
        return DesignChoice(id=name, what="a hardening named by published flaws", provides=(name,))
    return None


def _premise(entry: Evidence, boundary: Boundary, model: IsolationCatalogue) -> frozenset[str]:
    facts = set(premise(entry, boundary, model))
    for condition in _preconditions(entry, model):
        facts |= condition.atoms() if condition.kind in ("atom", "and") else set()
    return frozenset(facts)


def _facts_under(premise: frozenset[str], choice: DesignChoice, model: IsolationCatalogue) -> Facts:
    return _alike((premise - set(choice.replaces)) | set(choice.provides), choice.unsure, model)


@lru_cache(maxsize=4096)
def _alike(facts: frozenset[str], unsure: tuple[str, ...], model: IsolationCatalogue) -> Facts:
    return alike(facts, unsure, model)


def _preconditions(entry: Evidence, model: IsolationCatalogue) -> list[Condition]:
    """Return the preconditions that are conditions over facts the model knows; free text is taken to hold."""
    found = []
    for text in entry.preconditions:
        try:
            condition = parse_condition(text)
        except ValueError:
            continue
        if all(atom in model.class_facts or f"hardened:{atom}" in model.derived for atom in condition.atoms()):
            found.append(condition)
    return found


def _starts(entry: Evidence, boundary: Boundary, model: IsolationCatalogue) -> tuple[str, ...]:
    """Return where the attacker stands: as the boundary says of the position, or of what it is a special case of."""
    usual = [p for p in model.positions.values() if entry.attacker_position in p.evidence]
    for stated in (entry.attacker_position, *(p.evidence[0] for p in usual)):
        if stated in boundary.starts:
            return boundary.starts[stated]
    return tuple(p.id for p in usual)


@dataclass(frozen=True)
class _Attack:
    """Where a flaw's attacker starts, and what kinds of loss count."""

    starts: tuple[str, ...]
    impact: frozenset[Impact]


@lru_cache(maxsize=4096)
def _attack(entry: Evidence, model: IsolationCatalogue) -> _Attack | None:
    """Return how the flaw is used so that it crosses where everything is shared; None where the graph knows no way.

    A record may name a position from which the graph knows no way to the boundary; the attacker is then taken to
    stand at the boundary itself, since the flaw was found there. It may name an impact on which no way ends; then any
    loss counts.
    """
    boundary = model.boundaries[entry.boundary]
    nothing = DesignChoice(id="nothing", what="no choice")
    facts = _facts_under(_premise(entry, boundary, model), nothing, model)
    stated = _starts(entry, boundary, model)
    breach = breach_of(entry, boundary)
    at_boundary = tuple(
        dict.fromkeys(
            c.from_ for c in model.crossings.values() if breach and {g.barrier for g in c.guards} & set(breach.barriers)
        )
    )
    impact = frozenset(entry.impact) or IMPACTS
    for attack in itertools.starmap(_Attack, itertools.product((stated, at_boundary), (impact, IMPACTS))):
        if attack.starts and _outcome(entry, boundary, attack, facts, model).outcome == "crossed":
            return attack
    return None


def _outcome(entry: Evidence, boundary: Boundary, attack: _Attack, facts: Facts, model: IsolationCatalogue) -> Replayed:
    open_text = _gone(entry, boundary, facts, model)
    if open_text:
        return Replayed(entry.id, "contained", "", open_text, entry.source_url)
    breach = breach_of(entry, boundary)
    down = frozenset(breach.barriers) if breach else frozenset()
    sure = _path(attack, down, facts, model, surely=True)
    conditional = _may_be_gone(entry, boundary, facts, model)
    if sure is not None and not conditional:
        return _row(entry, "crossed", sure, model)
    possible = _path(attack, down, facts, model, surely=False)
    if possible is None:
        return Replayed(entry.id, "contained", "", "no open way leads on from what the flaw gives", entry.source_url)
    return _row(entry, "undetermined", possible, model)


def _gone(entry: Evidence, boundary: Boundary, facts: Facts, model: IsolationCatalogue) -> str:
    """Return why the flaw surely does not exist or reach anybody here; empty where it may."""
    for token in _hardenings(entry, model):
        if facts.surely(parse_condition(hardening(token, model))):
            return f"{token} makes the flaw unreachable"
    if facts.surely(parse_condition(withheld(entry, boundary, model))):
        return f"the tenant lacks a verb the flaw needs{_listed(entry.verbs)}"
    for components in components_of(entry, boundary, sharable(entry, boundary, model)):
        if not facts.possibly(parse_condition(any_shared(components))):
            return f"not shared: {', '.join(components)}"
    for condition in _preconditions(entry, model):
        if not facts.possibly(_of_pair(condition, model)):
            return f"a precondition does not hold: {condition}"
    return ""


def _listed(names: Iterable[str] | None) -> str:
    return f" ({', '.join(names)})" if names else ""


def _may_be_gone(entry: Evidence, boundary: Boundary, facts: Facts, model: IsolationCatalogue) -> bool:
    return (
        any(facts.possibly(parse_condition(hardening(token, model))) for token in _hardenings(entry, model))
        or facts.possibly(parse_condition(withheld(entry, boundary, model)))
        or not all(
            facts.surely(parse_condition(any_shared(group)))
            for group in components_of(entry, boundary, sharable(entry, boundary, model))
        )
        or not all(facts.surely(_of_pair(condition, model)) for condition in _preconditions(entry, model))
    )


def _hardenings(entry: Evidence, model: IsolationCatalogue) -> Iterable[str]:
    yield from entry.removed_by
    for position in model.positions.values():
        if entry.attacker_position in position.blocked_by:
            yield position.blocked_by[entry.attacker_position]


def _of_pair(condition: Condition, model: IsolationCatalogue) -> Condition:
    """Return a condition over facts of the attacker as one over facts of the pair."""
    if condition.kind == "atom":
        return parse_condition(hardening(condition.atom, model))
    return replace(condition, parts=tuple(_of_pair(part, model) for part in condition.parts))


@dataclass(frozen=True)
class _Step:
    source: str
    target: str
    barriers: tuple[str, ...]


@lru_cache(maxsize=4096)
def _steps(facts: Facts, model: IsolationCatalogue, surely: bool) -> Mapping[str, tuple[_Step, ...]]:
    """Return the steps that surely (or possibly) exist, with the barriers that possibly (or surely) stand on them."""
    exists, stands = (facts.surely, facts.possibly) if surely else (facts.possibly, facts.surely)
    steps: dict[str, list[_Step]] = {}
    for crossing in model.crossings.values():
        if exists(crossing.when):
            barriers = tuple(guard.barrier for guard in crossing.guards if stands(guard.when))
            for target in crossing.to:
                if target in model.positions or exists(model.assets[target].when):
                    steps.setdefault(crossing.from_, []).append(_Step(crossing.from_, target, barriers))
    return {source: tuple(found) for source, found in steps.items()}


def _path(
    attack: _Attack,
    down: frozenset[str],
    facts: Facts,
    model: IsolationCatalogue,
    *,
    surely: bool,
) -> tuple[_Step, ...] | None:
    """Return the shortest path that uses the flaw and ends at an asset of the flaw's impact, or None."""
    steps = _steps(facts, model, surely)
    seen = {(start, False) for start in attack.starts}
    queue: list[tuple[str, bool, tuple[_Step, ...]]] = [(start, False, ()) for start in attack.starts]
    for node, used, path in queue:  # the queue grows while it is walked: breadth first
        if node in model.assets:
            if used and not attack.impact.isdisjoint(model.assets[node].kinds):
                return path
            continue
        for step in steps.get(node, ()):
            if down.issuperset(step.barriers):
                state = (step.target, used or bool(step.barriers))
                if state not in seen:
                    seen.add(state)
                    queue.append((*state, (*path, step)))
    return None


def _row(entry: Evidence, outcome: Outcome, path: tuple[_Step, ...], model: IsolationCatalogue) -> Replayed:
    parts = [model.positions[path[0].source].title]
    for step in path:
        if step.barriers:
            parts.append("(" + " + ".join(model.barriers[name].title for name in step.barriers) + ")")
        parts.append((model.positions.get(step.target) or model.assets[step.target]).title)
    return Replayed(entry.id, outcome, path[-1].target, " -> ".join(parts), entry.source_url)


def _by_sharing(entry: Evidence, choice: DesignChoice, model: IsolationCatalogue) -> Replayed:
    """Return the outcome at a boundary the graph does not know, from what is shared and what removes the flaw alone."""
    known = [f"shares:{name}" for name in entry.shared_component if f"shares:{name}" in model.derived]
    if not known:
        text = f"boundary {entry.boundary!r} and its components are unknown to the model"
        return Replayed(entry.id, "undetermined", "", text, entry.source_url)
    everything = frozenset(model.choices[BASELINE].provides).union(*(b.premise for b in model.boundaries.values()))
    facts = _facts_under(everything, choice, model)
    if any(facts.surely(parse_condition(hardening(token, model))) for token in _hardenings(entry, model)):
        return Replayed(entry.id, "contained", "", "its hardening makes the flaw unreachable", entry.source_url)
    path = f"{entry.attacker_position} -> ({entry.boundary}) -> {', '.join(entry.shared_component)}"
    if any(facts.surely(parse_condition(name)) for name in known):
        return Replayed(entry.id, "crossed", "", path, entry.source_url)
    if any(facts.possibly(parse_condition(name)) for name in known):
        return Replayed(entry.id, "undetermined", "", path, entry.source_url)
    return Replayed(entry.id, "contained", "", f"not shared: {', '.join(entry.shared_component)}", entry.source_url)
