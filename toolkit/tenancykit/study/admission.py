"""Which swept designs meet the scenario's hard requirements; looked up only where it matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.effort.measure import measure as measure_effort
from tenancykit.criteria.isolation.levels import VIEWS
from tenancykit.criteria.isolation.measure import class_levels
from tenancykit.criteria.isolation.measure import measure as measure_isolation
from tenancykit.decision.screen import HardRequirement
from tenancykit.design.batch import Codes
from tenancykit.design.model import ResolvedDesign
from tenancykit.study.refining import Costs, Keys, Refiner, Rows
from tenancykit.study.requirements import hard_requirements
from tenancykit.study.sweeping import Columns, Floats, Sweeper

Booleans = NDArray[np.bool_]


class Admission:
    """Tells which designs of a sweep meet the hard requirements.

    Args:
        sweeper: measures the designs.
    """

    def __init__(self, sweeper: Sweeper) -> None:
        self.sweeper = sweeper
        self.scenario = sweeper.scenario
        self.requirements = hard_requirements(self.scenario)
        self._levels: dict[tuple[frozenset[str], ...], dict[str, dict[str, str]]] = {}
        self._bearable: dict[tuple[frozenset[str], ...], bool] = {}
        self._weeks: dict[bytes, float] = {}
        self._refused: set[bytes] = set()
        self._passed: set[bytes] = set()
        self._low: set[bytes] = set()
        """What the levels of designs that miss one follow from."""
        self._signed: tuple[Columns, Keys] | None = None
        model = load_isolation(sweeper.catalogue)
        self._facts = model.class_facts
        self._alike = tuple(
            _numbers([frozenset() if o is None else frozenset({o.id, *o.provides}) & self._facts for o in column])
            for column in sweeper.columns
        )

    def front(self, refiner: Refiner, costs: Costs) -> Rows:
        """Return the rows on the exact front of the designs that meet every requirement."""
        return self._admitted(costs, lambda open_: refiner.front(costs, open_))

    def best(self, refiner: Refiner, costs: Costs, worth: Callable[[Floats], Floats]) -> Rows:
        """Return the row that is worth most of the designs that meet every requirement, as :meth:`Refiner.best`."""
        return self._admitted(costs, lambda open_: refiner.best(costs, worth, open_, self._held(costs, open_)))

    def _held(self, costs: Costs, open_: Booleans) -> Callable[[int], bool]:
        """Return what tells whether a design keeps the levels asked for; if not, it closes all that are alike."""

        def held(row: int) -> bool:
            met = self._levels_met(self.sweeper.batch(costs.columns.codes[[row]]).resolved(0))
            if not met:
                self._close(costs, open_, row)
            return met

        return held

    def _admitted(self, costs: Costs, chosen: Callable[[Booleans], Rows]) -> Rows:
        """Return what is chosen among the designs that are open, those that miss a requirement closed until none is."""
        open_ = self._surely_open(costs)
        known = [code.tobytes() for code in costs.columns.codes]
        open_ &= np.array([code not in self._refused for code in known], dtype=bool)
        checked = np.array([code in self._passed for code in known], dtype=bool)
        if self._low:
            open_ &= np.array([key.tobytes() not in self._low for key in self._signatures(costs)], dtype=bool)
        while open_.any():
            front = chosen(open_)
            unknown = front[~checked[front]]
            if not len(unknown):
                return front
            batch = self.sweeper.batch(costs.columns.codes[unknown])
            for place, row in enumerate(unknown.tolist()):
                if not open_[row]:
                    continue
                resolved = batch.resolved(place)
                checked[row] = True
                if not self._levels_met(resolved):
                    self._close(costs, open_, row)
                elif (
                    self._late(resolved, costs.columns.codes[row])
                    or self._over_budget(costs, row)
                    or self._beyond_fleet(resolved)
                ):
                    self._refused.add(known[row])
                    open_[row] = False
                else:
                    self._passed.add(known[row])
        return np.zeros(0, dtype=np.intp)

    def _close(self, costs: Costs, open_: Booleans, row: int) -> None:
        """Close all designs whose levels are those of one that misses a level."""
        keys = self._signatures(costs)
        self._low.add(keys[row].tobytes())
        open_ &= keys != keys[row]

    def _surely_open(self, costs: Costs) -> Booleans:
        """Return the designs that what is known of them does not already exclude."""
        open_ = np.ones(len(costs.columns), dtype=bool)
        for requirement in self.requirements:
            if requirement.measure == "engineers":
                open_ &= costs.columns.engineers <= requirement.limit
            elif requirement.measure == "cost":
                open_ &= costs.least <= requirement.limit
        return open_

    def _over_budget(self, costs: Costs, row: int) -> bool:
        return any(r.measure == "cost" and costs.least[row] > r.limit for r in self.requirements)

    def _beyond_fleet(self, resolved: ResolvedDesign) -> bool:
        return any(r.kind == "shortage" for r in self.requirements) and any(
            self.sweeper.cost.shortage(resolved).values()
        )

    def _late(self, resolved: ResolvedDesign, code: Codes) -> bool:
        limits = [r.limit for r in self.requirements if r.measure == "go-live"]
        if not limits:
            return False
        key = code.tobytes()
        if key not in self._weeks:
            effort = measure_effort(resolved, self.scenario, self.sweeper.catalogue)
            self._weeks[key] = float(effort.figures["weeks_p50"])
        return self._weeks[key] > min(limits)

    def _levels_met(self, resolved: ResolvedDesign) -> bool:
        wanted = [r for r in self.requirements if r.kind == "level"]
        slowed = {r.measure.partition(":")[2]: r.limit for r in self.requirements if r.measure.startswith("slowdown:")}
        if not wanted and not slowed:
            return True
        key = tuple(found.facts & self._facts for found in resolved.classes)
        if key not in self._levels:
            levels = class_levels(resolved, self.scenario, self.sweeper.catalogue)
            self._levels[key] = {k: {view: v[view] for view in VIEWS} for k, v in levels.items()}
            self._bearable[key] = not slowed or self._bears(resolved, slowed)
        classes = self._levels[key]
        return self._bearable[key] and all(_level(classes, requirement) >= requirement.limit for requirement in wanted)

    def _bears(self, resolved: ResolvedDesign, slowed: Mapping[str, float]) -> bool:
        """Return whether no class is slower than it bears."""
        times = measure_isolation(resolved, self.scenario, self.sweeper.catalogue).figures["slowdowns"]
        return all(times[class_id]["mean"] <= limit for class_id, limit in slowed.items())

    def _signatures(self, costs: Costs) -> Keys:
        """Return [designs] what their levels follow from; equal ones have equal levels."""
        if self._signed is None or self._signed[0] is not costs.columns:
            codes = costs.columns.codes
            merged = np.stack([alike[codes[:, layer]] for layer, alike in enumerate(self._alike)], axis=1)
            packed = np.ascontiguousarray(merged).view(np.dtype((np.void, merged.shape[1]))).ravel()
            self._signed = costs.columns, packed
        return self._signed[1]


def _level(classes: dict[str, dict[str, str]], requirement: HardRequirement) -> int:
    _, class_id, plane = requirement.measure.split(":")
    found = classes.get(class_id)
    return int(found[plane][1]) if found else 5


def _numbers(keys: list[frozenset[str]]) -> NDArray[np.uint8]:
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return np.array([places[key] for key in keys], dtype=np.uint8)


__all__ = ["Admission"]
