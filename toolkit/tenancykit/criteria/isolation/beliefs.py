"""What isolation believes without having measured it: exposure windows, lapses, upkeep and prior rates of flaws.

Each has a name (``window:kernel``, ``lapse:network-policy-absent``, ``upkeep:enforced``, ``rate:service``), a value to
expect and a range. The catalogue gives them; a scenario may state windows, and whoever asks "what if" moves one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Self

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Range
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.conditions import Condition

if TYPE_CHECKING:
    from tenancykit.scenario.model import Scenario

RATE_RANGE = 3.0
"""Prior rates of flaws are believed to within this factor either way. Assumption."""


@dataclass(frozen=True)
class Belief:
    """One thing that is believed.

    Attributes:
        id: its name.
        what: what it says, in words.
        value: value that is used.
        low: P10.
        high: P90.
        unit: unit of the three.
        assumption: whether no study measured just this.
        source: address of what it rests on; empty where nothing does.
    """

    id: str
    what: str
    value: float
    low: float
    high: float
    unit: str
    assumption: bool
    source: str


@dataclass(frozen=True)
class Beliefs:
    """Values that are used instead of the catalogue's, by name; what is not named is as the catalogue says.

    Attributes:
        stated: names and values, sorted by name.
        latency: least exposure window, days: what operations take from a release to the last machine.
    """

    stated: tuple[tuple[str, float], ...] = ()
    latency: float = 0.0

    @classmethod
    def of(cls, scenario: Scenario, *, latency: float = 0.0) -> Self:
        """Return what a scenario states: its ``patch_days``."""
        return cls(tuple(sorted((f"window:{kind}", days) for kind, days in scenario.patch_days.items())), latency)

    @cached_property
    def values(self) -> Mapping[str, float]:
        """The stated values by name."""
        return dict(self.stated)

    def value(self, name: str, default: float) -> float:
        """Return what is stated under a name, else the catalogue's value times the factor on all of its sort."""
        found = self.values.get(name)
        if found is not None or not self.stated:
            return default if found is None else found
        return default * self.values.get(f"{name.partition(':')[0]}:*", 1.0)

    def moved(self, name: str, value: float) -> Beliefs:
        """Return the beliefs with one value in place of what was believed; ``lapse:*`` is a factor on all lapses."""
        return Beliefs(tuple(sorted({**self.values, name: value}.items())), self.latency)


BELIEVED = Beliefs()
"""The catalogue's own values."""


def window_cases(kind: str, model: IsolationCatalogue) -> list[tuple[Condition, Range]]:
    """Return an exposure window as the catalogue gives it: conditions in order, the last always holding."""
    window = model.windows[kind]
    return [*((case.when, case.days) for case in window.cases), (Condition("always"), window.days)]


def beliefs(model: IsolationCatalogue, used: Beliefs = BELIEVED) -> tuple[Belief, ...]:
    """Return everything that is believed, for whoever asks what would overturn a result.

    A window with cases is named once, with the range over all of them. Moving a window moves every case.
    """
    found = []
    for window in model.windows.values():
        ranges = [days for _, days in window_cases(window.id, model)]
        name = f"window:{window.id}"
        found.append(
            Belief(
                name,
                f"the time until {window.what} are patched",
                used.value(name, ranges[-1].likely),
                min(r.low for r in ranges),
                max(r.high for r in ranges),
                "days",
                window.assumption,
                window.source,
            )
        )
    found += [
        _belief(f"lapse:{x.id}", f"the chance that {x.what}", x.chance, "chance", x, used)
        for x in model.lapses.values()
    ]
    found += [
        _belief(f"upkeep:{x.id}", f"the share of such gaps that stay where {x.what}", x.factor, "share left", x, used)
        for x in model.upkeep.values()
    ]
    for prior in model.priors.values():
        rate = prior.flaws / prior.years
        likely = Range(low=rate / RATE_RANGE, likely=rate, high=rate * RATE_RANGE)
        what = f"the flaws expected of {prior.what or f'a barrier of the kind {prior.id}'} before any is counted"
        found.append(_belief(f"rate:{prior.id}", what, likely, "per year", None, used))
    return tuple(found)


def _belief(name: str, what: str, values: Range, unit: str, entry: object, used: Beliefs) -> Belief:
    assumption = bool(getattr(entry, "assumption", True))
    source = str(getattr(entry, "source", ""))
    return Belief(name, what, used.value(name, values.likely), values.low, values.high, unit, assumption, source)
