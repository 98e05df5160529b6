"""The criteria by name, in the order they are always shown: the four, then those registered beside them.

Whoever loops over :data:`CRITERIA` or looks a title up here needs no change when a criterion is registered.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, overload

from kubeanswers.records import dataclass


@dataclass(frozen=True)
class CriterionName:
    """What a criterion is called.

    Attributes:
        id: the word it has in scenarios, tables and JSON.
        title: its title for people.
        short: the title where a table has to be narrow.
    """

    id: str
    title: str
    short: str


BUILT_IN: Final = (
    CriterionName("isolation", "Isolation", "Isolation"),
    CriterionName("effort", "Implementation effort", "Effort"),
    CriterionName("operations", "Operational complexity", "Operations"),
    CriterionName("cost", "Service cost", "Cost"),
)
"""The four criteria every design is measured by."""

FOUR: Final = tuple(name.id for name in BUILT_IN)
"""Ids of the four: what whole spaces of designs are measured by."""
OURS: Final[tuple[str, ...]] = ()
"""Modules of this package that register a criterion beside the four; imported when a name is first asked for."""

_known: list[CriterionName] = list(BUILT_IN)
_to_load: list[str] = list(OURS)


def _names() -> list[CriterionName]:
    """Return the criteria known now, those of ours loaded."""
    while _to_load:
        importlib.import_module(_to_load.pop(0))
    return _known


class Names(Sequence[str]):
    """The ids of the criteria from a place on, as they are registered now."""

    def __init__(self, start: int = 0) -> None:
        self._start = start

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return tuple(self)[place]

    def __len__(self) -> int:
        return len(_names()) - self._start

    def __iter__(self) -> Iterator[str]:
        return (name.id for name in _names()[self._start :])


class Titles(Mapping[str, str]):
    """The titles of the criteria by id, as they are registered now.

    Args:
        short: the short ones.
    """

    def __init__(self, *, short: bool = False) -> None:
        self._short = short

    def __getitem__(self, name: str) -> str:
        for known in _names():
            if known.id == name:
                return known.short if self._short else known.title
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(CRITERIA)

    def __len__(self) -> int:
        return len(_names())


CRITERIA: Final = Names()
"""Ids of all criteria."""
PLAIN: Final = Names(1)
"""Criteria that are one figure a design; isolation is a figure per tenant class and plane."""
ADDED: Final = Names(len(BUILT_IN))
"""Criteria registered beside the four."""
TITLES: Final = Titles()
"""Titles of all criteria."""
SHORT: Final = Titles(short=True)
"""Short titles of all criteria."""


def add_name(name: CriterionName) -> None:
    """Show one more criterion, after all others; the caller has checked that its id is free."""
    _known.append(name)


def remove_name(criterion: str) -> None:
    """Show a registered criterion no longer; the four stay."""
    _known[len(BUILT_IN) :] = [name for name in _known[len(BUILT_IN) :] if name.id != criterion]
