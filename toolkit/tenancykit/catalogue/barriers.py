"""The isolation sections of the catalogue, read and checked against each other."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Final

from kubeanswers.errors import CatalogueError, Fault, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import (
    EFFECTS,
    Asset,
    Barrier,
    Boundary,
    Crossing,
    Derived,
    DesignChoice,
    Evidence,
    Expectation,
    Interference,
    Lapse,
    Level,
    PatchWindow,
    Position,
    Prior,
    Upkeep,
)
from tenancykit.catalogue.reading import Catalogue, Entries, Sections, read_entries
from tenancykit.conditions import Condition

OF_A_PAIR: Final = frozenset({"same-class", "proven-export"})
"""Facts of a pair that follow from no other: two tenants of one class; the exported manifests were proven."""

AUDIT: Final = "team.admission: audit"
"""What an expectation calls admission policies that report and do not refuse; a field of the scenario, no option."""

OBSERVED_UNTIL: Final = 2026.9
"""End of the observation period, in years: the evidence was compiled in November 2026."""


@dataclass(frozen=True)
class IsolationCatalogue:
    """Everything the isolation criterion reads, checked for references between its parts.

    Attributes:
        positions, assets, derived, priors, lapses, upkeep, windows, interference, barriers, crossings, boundaries,
            levels, choices:
            entries by id; derived facts stand in an order in which each follows those it reads.
        catalogue: the catalogue they come from.
    """

    positions: Entries[Position]
    assets: Entries[Asset]
    derived: Mapping[str, Derived]
    priors: Entries[Prior]
    lapses: Entries[Lapse]
    upkeep: Entries[Upkeep]
    windows: Entries[PatchWindow]
    interference: Entries[Interference]
    barriers: Entries[Barrier]
    crossings: Entries[Crossing]
    boundaries: Entries[Boundary]
    levels: Entries[Level]
    choices: Entries[DesignChoice]
    catalogue: Catalogue

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.catalogue)

    @cached_property
    def evidence(self) -> Entries[Evidence]:
        """Published flaws by id, checked against boundaries and components; read on first use."""
        evidence = read_entries(self.catalogue.roots, "evidence", Evidence)
        faults = [
            fault for entry in evidence.values() for fault in evidence_faults(entry, evidence.places[entry.id], self)
        ]
        if faults:
            raise CatalogueError(sorted(faults))
        return evidence

    @cached_property
    def expectations(self) -> Entries[Expectation]:
        """What the field expects of options, by id, checked against the catalogue's options; read on first use."""
        found = read_entries(self.catalogue.roots, "expectations", Expectation)
        faults = []
        for entry in found.values():
            named = (entry.option, *entry.on, *entry.without, *entry.lacking)
            known = (*self.catalogue.options, AUDIT)
            faults += list(_unknown(found.places[entry.id], "option", named, known))
        if faults:
            raise CatalogueError(sorted(faults))
        return found

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition over facts of a pair."""
        for position in self.positions.values():
            yield position.start
        for asset in self.assets.values():
            yield asset.when
        for fact in self.derived.values():
            yield fact.when
        for crossing in self.crossings.values():
            yield crossing.when
            yield from (guard.when for guard in crossing.guards)
        for barrier in self.barriers.values():
            yield from (wrong.when for wrong in barrier.misconfiguration)
        for upkeep in self.upkeep.values():
            yield upkeep.when
        for slows in self.interference.values():
            yield slows.when
        for window in self.windows.values():
            yield from (case.when for case in window.cases)
        for level in self.levels.values():
            yield from (rule.when for rule in level.rules)

    @cached_property
    def class_facts(self) -> frozenset[str]:
        """Facts of a single class that matter here: read by some condition or named as hardening by a flaw."""
        return self.wired | {token for entry in self.evidence.values() for token in entry.removed_by}

    @cached_property
    def components(self) -> frozenset[str]:
        """Components of which facts say whether two tenants share them (``shares:<component>``)."""
        return frozenset(name.removeprefix("shares:") for name in self.derived if name.startswith("shares:"))

    @cached_property
    def wired(self) -> frozenset[str]:
        """Facts of a single class that some condition reads (prefix removed)."""
        atoms = frozenset().union(*(condition.atoms() for condition in self.conditions()))
        prefixes = ("attacker:", "victim:", "both:", "either:")
        return frozenset(atom.split(":", 1)[1] for atom in atoms if atom.startswith(prefixes))

    @cached_property
    def unwired_options(self) -> tuple[str, ...]:
        """Options that no condition mentions, by id or by a trait of theirs, and that do not say why."""
        mentioned = self.wired
        return tuple(
            option.id
            for option in self.catalogue.options.values()
            if option.selectable and not option.no_barrier and not mentioned & {option.id, *option.provides}
        )


def evidence_faults(entry: Evidence, place: str, model: IsolationCatalogue) -> list[Fault]:
    """Return what is wrong with a published flaw: an unknown boundary, position or component."""
    faults = []
    if entry.boundary not in model.boundaries:
        cure = did_you_mean(entry.boundary, model.boundaries) or "add the boundary to boundaries/"
        faults.append(Fault(place, f"{entry.id}: unknown boundary {entry.boundary!r}", cure=cure))
    if entry.effect and entry.effect not in EFFECTS:
        cure = did_you_mean(entry.effect, EFFECTS) or "leave it out"
        faults.append(
            Fault(f"{place}: effect", f"{entry.id}: unknown effect {entry.effect!r}", ", ".join(EFFECTS), cure)
        )
    known = {name for position in model.positions.values() for name in position.evidence}
    if entry.attacker_position not in known:
        cure = did_you_mean(entry.attacker_position, known) or "add it to a position's evidence list"
        faults.append(Fault(place, f"{entry.id}: unknown attacker position {entry.attacker_position!r}", cure=cure))
    for component in entry.shared_component:
        if f"shares:{component}" not in model.derived:
            cure = f"add the fact 'shares:{component}' to sharing/"
            faults.append(Fault(place, f"{entry.id}: unknown shared component {component!r}", cure=cure))
    return faults


@cache
def load_isolation(catalogue: Catalogue) -> IsolationCatalogue:
    """Return the isolation sections of a catalogue, checked; options that no condition mentions raise a warning.

    Raises:
        CatalogueError: an unknown position, asset, barrier, kind or component is named, or derived facts read each
            other in a circle; each with file and line.
    """
    sections = Sections(catalogue.roots)
    derived = sections.read("sharing", Derived)
    model = IsolationCatalogue(
        positions=sections.read("positions", Position),
        assets=sections.read("assets", Asset),
        derived=_in_order(derived),
        priors=sections.read("priors", Prior),
        lapses=sections.read("lapses", Lapse),
        upkeep=sections.read("upkeep", Upkeep),
        windows=sections.read("windows", PatchWindow),
        interference=sections.read("interference", Interference),
        barriers=sections.read("barriers", Barrier),
        crossings=sections.read("crossings", Crossing),
        boundaries=sections.read("boundaries", Boundary),
        levels=sections.read("levels", Level),
        choices=sections.read("choices", DesignChoice),
        catalogue=catalogue,
    )
    sections.check()
    faults = [*_reference_faults(model), *_condition_faults(model, derived)]
    if faults:
        raise CatalogueError(sorted(set(faults)))
    if model.unwired_options:
        places = ", ".join(f"{name} ({catalogue.options.places[name]})" for name in model.unwired_options)
        text = f"isolation does not see these options, no condition mentions them or a trait of theirs: {places}"
        warnings.warn(text, UserWarning, stacklevel=2)
    return model


def _in_order(derived: Entries[Derived]) -> dict[str, Derived]:
    ordered: dict[str, Derived] = {}

    def place(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            circle = " -> ".join((*trail[trail.index(name) :], name))
            raise CatalogueError(
                Fault(derived.places[name], f"facts follow from each other: {circle}", cure="break the circle")
            )
        if name in ordered:
            return
        for atom in sorted(derived[name].when.atoms() & derived.keys()):
            place(atom, (*trail, name))
        ordered[name] = derived[name]

    for name in derived:
        place(name, ())
    return ordered


def _reference_faults(model: IsolationCatalogue) -> Iterator[Fault]:
    targets = {*model.positions, *model.assets}
    for barrier in model.barriers.values():
        place = model.barriers.places[barrier.id]
        yield from _unknown(place, "kind", [barrier.kind], model.priors)
        yield from _unknown(place, "window", [barrier.window] if barrier.window else [], model.windows)
        yield from _unknown(place, "lapse", [wrong.lapse for wrong in barrier.misconfiguration], model.lapses)
    for prior in model.priors.values():
        yield from _unknown(model.priors.places[prior.id], "window", [prior.window], model.windows)
    kinds = {barrier.kind for barrier in model.barriers.values()}
    windows = {prior.window for prior in model.priors.values()} | {b.window for b in model.barriers.values()}
    yield from _unread("kind", model.priors, kinds)
    yield from _unread("window", model.windows, windows)
    for lapse in model.lapses.values():
        yield from _unknown(model.lapses.places[lapse.id], "kind of upkeep", lapse.upkeep, model.upkeep)
    for crossing in model.crossings.values():
        place = model.crossings.places[crossing.id]
        yield from _unknown(place, "position", [crossing.from_], model.positions)
        yield from _unknown(place, "position or asset", crossing.to, targets)
        yield from _unknown(place, "barrier", [guard.barrier for guard in crossing.guards], model.barriers)
    for boundary in model.boundaries.values():
        place = model.boundaries.places[boundary.id]
        components = [name.removeprefix("shares:") for name in model.derived if name.startswith("shares:")]
        yield from _unknown(place, "shared component", boundary.shares, components)
        for breach in boundary.breaches:
            yield from _unknown(place, "barrier", breach.barriers, model.barriers)
            yield from _unknown(place, "shared component", breach.needs, components)
        for starts in boundary.starts.values():
            yield from _unknown(place, "position", starts, model.positions)
    for choice in model.choices.values():
        yield from _unknown(model.choices.places[choice.id], "derived fact", choice.unsure, model.derived)


def _unknown(place: str, kind: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Fault]:
    for name in names:
        if name not in known:
            yield Fault(place, f"unknown {kind} {name!r}", cure=did_you_mean(name, known) or f"add the {kind}")


def _unread(kind: str, entries: Entries[Any], read: Iterable[str]) -> Iterator[Fault]:
    """Yield entries that no barrier reads: a slip of an id would leave a belief of one's own without effect."""
    for name in entries:
        if name not in read:
            cure = did_you_mean(name, read) or f"add a barrier of that {kind}, or take it out"
            yield Fault(
                entries.places[name], f"no barrier has the {kind} {name!r}", ", ".join(sorted(filter(None, read))), cure
            )


def _condition_faults(model: IsolationCatalogue, derived: Entries[Derived]) -> Iterator[Fault]:
    places: list[tuple[str, Condition]] = [(derived.places[f.id], f.when) for f in model.derived.values()]
    places += [(model.positions.places[p.id], p.start) for p in model.positions.values()]
    places += [(model.assets.places[a.id], a.when) for a in model.assets.values()]
    for crossing in model.crossings.values():
        place = model.crossings.places[crossing.id]
        places += [(place, crossing.when), *((place, guard.when) for guard in crossing.guards)]
    places += [(model.upkeep.places[u.id], u.when) for u in model.upkeep.values()]
    places += [(model.interference.places[i.id], i.when) for i in model.interference.values()]
    places += [(model.windows.places[w.id], case.when) for w in model.windows.values() for case in w.cases]
    for barrier in model.barriers.values():
        places += [(model.barriers.places[barrier.id], wrong.when) for wrong in barrier.misconfiguration]
    prefixes = ("attacker:", "victim:", "both:", "either:")
    for place, condition in places:
        for atom in sorted(condition.atoms()):
            if not atom.startswith(prefixes) and atom not in model.derived and atom not in OF_A_PAIR:
                cure = (
                    did_you_mean(atom, model.derived)
                    or "prefix a class's fact with attacker:, victim:, both: or either:"
                )
                yield Fault(place, f"unknown fact {atom!r} of a pair of tenants", cure=cure)
