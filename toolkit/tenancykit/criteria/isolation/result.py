"""What the isolation criterion found, down to every pair of tenant classes and every asset."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Impact, Plane
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, Strength
from tenancykit.criteria.isolation.graph import AttackGraph, words
from tenancykit.criteria.isolation.reliability import Route, cheapest_routes, single_openers

_TINY = 1e-300

MAX_NINES = 12.0
"""Nines of an asset that no path reaches; keeps figures finite."""

MAX_DEPTH = 9
"""Depth of an asset that no path reaches."""

DEPTH_WEIGHT = 0.01
"""Nines that one barrier of depth adds to the ranked figure, so that saturated exposures still rank by depth."""


def nines(exposure: float) -> float:
    """Return ``-log10(exposure)``, at most :data:`MAX_NINES`."""
    return MAX_NINES if exposure <= 10.0**-MAX_NINES else max(0.0, -math.log10(min(exposure, 1.0)))


def figure(exposure: float, depth: int) -> float:
    """Return the figure that is ranked: nines plus a hundredth of a nine per barrier of depth.

    It grows with both: a barrier added never lowers it, a crossing added never raises it.
    """
    return nines(exposure) + DEPTH_WEIGHT * min(depth, MAX_DEPTH)


@dataclass(frozen=True, eq=False)
class Ways:
    """The likeliest paths of a pair, searched when first asked for: figures and levels need none.

    Attributes:
        graph: the graph of the pair.
        chance: chance of each barrier of being down.
        model: the catalogue.
    """

    graph: AttackGraph
    chance: Mapping[str, float]
    model: IsolationCatalogue

    @cached_property
    def likely(self) -> Mapping[Hashable, Route]:
        """The likeliest route to each asset that can be reached."""
        cost: dict[Hashable, float] = {name: -math.log(max(p, _TINY)) for name, p in self.chance.items()}
        ids = [asset.id for asset in self.graph.assets]
        return cheapest_routes(self.graph.links, self.graph.starts, ids, cost)

    def words(self, asset: str) -> str:
        """Return the likeliest path to an asset as people say it; empty where there is none."""
        route = self.likely.get(asset)
        return words(self.graph, route.links, self.model) if route else ""


@dataclass(frozen=True)
class AssetFinding:
    """How well one asset of the victim is kept from the attacker.

    Attributes:
        asset: its id.
        title: how people call it.
        plane: plane it is on.
        kinds: what is at stake.
        depth: barriers in the smallest set whose fall opens a path; :data:`MAX_DEPTH` where there is no path.
        exposure: chance that some path is fully open at a random moment.
        ways: the likeliest paths of the pair.
    """

    asset: str
    title: str
    plane: Plane
    kinds: tuple[Impact, ...]
    depth: int
    exposure: float
    ways: Ways = field(repr=False, compare=False)

    @property
    def path(self) -> str:
        """Likeliest path in words; empty where there is none."""
        return self.ways.words(self.asset)

    @property
    def links(self) -> tuple[int, ...]:
        """Indices of the likeliest path's links in the graph of the pair."""
        route = self.ways.likely.get(self.asset)
        return route.links if route else ()

    @property
    def barriers(self) -> tuple[str, ...]:
        """Distinct barriers on the likeliest path."""
        graph = self.ways.graph
        return tuple(dict.fromkeys(str(v) for i in self.links for v in graph.links[i].variables))

    @property
    def nines(self) -> float:
        """Minus the decimal logarithm of the exposure."""
        return nines(self.exposure)

    @property
    def days_per_year(self) -> float:
        """Days per year on which a path stood open."""
        return self.exposure * DAYS_PER_YEAR

    @property
    def figure(self) -> float:
        """The figure that is ranked."""
        return figure(self.exposure, self.depth)

    @property
    def guarded(self) -> bool:
        """Whether confidentiality or integrity is at stake."""
        return self.kinds != ("availability",)

    def to_data(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return {
            "asset": self.asset,
            "plane": self.plane,
            "kinds": list(self.kinds),
            "depth": self.depth,
            "exposure": self.exposure,
            "nines": self.nines,
            "days_per_year": self.days_per_year,
            "path": self.path,
        }


@dataclass(frozen=True)
class GraphFinding:
    """What follows from the attack graph of one pair, whoever the two are.

    Attributes:
        graph: the graph.
        strengths: what is believed of each barrier in it.
        assets: a finding per asset.
        levels: level per view (``overall``, ``control``, ``data`` and each data plane).
        missed: what the next level asks for, per view.
    """

    graph: AttackGraph
    strengths: Mapping[str, Strength]
    assets: tuple[AssetFinding, ...]
    levels: Mapping[str, str]
    missed: Mapping[str, str]

    @cached_property
    def openers(self) -> frozenset[str | None]:
        """Barriers each of which alone opens a path to a confidentiality or integrity asset; None: open already."""
        targets = [asset.asset for asset in self.assets if asset.guarded]
        found = single_openers(self.graph.links, self.graph.starts, targets)
        return frozenset(None if name is None else str(name) for name in found)

    @cached_property
    def worst(self) -> AssetFinding:
        """The confidentiality or integrity asset with the lowest figure; the first of equals."""
        return min((a for a in self.assets if a.guarded), key=lambda a: a.figure)


@dataclass(frozen=True)
class PairFinding:
    """What tenants of one class can do to tenants of another.

    Attributes:
        attacker: class of the attacker.
        victim: class of the victim.
        attackers: tenants of the attacker's class other than the victim; of the provider, as many as all tenants.
        victims: other tenants of the victim's class.
        finding: what follows from their graph.
    """

    attacker: str
    victim: str
    attackers: int
    victims: int
    finding: GraphFinding = field(repr=False)
