"""How the isolation of a design reads facts: which can raise the ranked figure or a level, and which can lower them."""

from __future__ import annotations

from collections.abc import Iterable

from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.chances import flaws_of, window_kind
from tenancykit.criteria.isolation.levels import guarded
from tenancykit.criteria.isolation.network import measured_starts, steps_to
from tenancykit.design.lean import NEGATED, PLAIN, Reading, readings


def isolation_readings(catalogue: Catalogue) -> frozenset[Reading]:
    """Return facts of a single class with the direction in which they can move the ranked figure or a level.

    ``PLAIN`` means that the fact can raise them: it may put a barrier up, take a way, a flaw or an asset away, or meet
    a rule of a level. ``NEGATED`` means that it can lower them. A fact may do both.
    """
    model = load_isolation(catalogue)
    pending = set(_directly(model))
    seen: set[Reading] = set()
    while pending:
        reading = pending.pop()
        if reading in seen:
            continue
        seen.add(reading)
        name, sign = reading
        if name in model.derived:
            pending |= readings(model.derived[name].when, sign)
    sides = ("attacker:", "victim:", "both:", "either:")
    return frozenset((name.split(":", 1)[1], sign) for name, sign in seen if name.startswith(sides))


def _directly(model: IsolationCatalogue) -> Iterable[Reading]:
    barriers: set[str] = set()
    for start in measured_starts(model):
        yield from readings(model.positions[start].start, NEGATED)
    for asset in model.assets.values():
        if not guarded(asset):
            continue
        yield from readings(asset.when, NEGATED)
        for crossing, _ in steps_to(asset.id, model):
            yield from readings(crossing.when, NEGATED)
            for guard in crossing.guards:
                barriers.add(guard.barrier)
                yield from readings(guard.when, PLAIN)
    for name in sorted(barriers):
        yield from _of_barrier(name, model)
    for entry in model.interference.values():
        yield from readings(entry.when, NEGATED)
    for level in model.levels.values():
        for rule in level.rules:
            yield from readings(rule.when, PLAIN)


def _of_barrier(name: str, model: IsolationCatalogue) -> Iterable[Reading]:
    for flaws in flaws_of(model).get(name, ()):
        yield from readings(flaws.when, NEGATED)
    for wrong in model.barriers[name].misconfiguration:
        # The first case that holds counts, so that a fact may move the chance either way.
        yield from readings(wrong.when, PLAIN)
        yield from readings(wrong.when, NEGATED)
        for name_of_upkeep in model.lapses[wrong.lapse].upkeep:
            yield from readings(model.upkeep[name_of_upkeep].when, PLAIN)
    for case in model.windows[window_kind(model.barriers[name], model)].cases:
        yield from readings(case.when, PLAIN)
        yield from readings(case.when, NEGATED)


__all__ = ["isolation_readings"]
