"""Valid designs by number: the space as a list that is never written down.

Counting the ways on from every state of the space's decision diagram gives each valid choice a number, in the order in
which the space yields them. A range of numbers can so be handed to another process, sampled, or resumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Option
from tenancykit.design.model import Choice
from tenancykit.design.space import Candidates, Layer, Space, State

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.uint8]
    Numbers = NDArray[np.int64]

LARGEST: Final = 2**62
"""Most designs that can be numbered."""


@dataclass(frozen=True)
class Numbered:
    """The valid designs of a space in a fixed order.

    Attributes:
        space: the space.
        columns: per layer, the options a code stands for.
    """

    space: Space
    columns: tuple[Candidates, ...]

    def __len__(self) -> int:
        return self.space.count

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers in the order of the columns."""
        return tuple(step.layer for step in self.space.steps)

    def codes(self, numbers: Numbers) -> Codes:
        """Return [numbers x layers] the code of the option each design takes; an index into :attr:`columns`.

        Raises:
            InputError: a number is not that of a design.
        """
        import numpy as np  # noqa: PLC0415 - keeps the package's import light

        wanted = np.array(numbers, dtype=np.int64)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise InputError(Fault("design space", "a design's number is out of range", f"0 to {len(self) - 1}"))
        found = np.zeros((len(wanted), len(self.columns)), dtype=np.uint8)
        state = np.zeros(len(wanted), dtype=np.int64)
        for index, (before, after, code) in enumerate(self._tables):
            # ``before`` counts the ways through earlier edges of a state; the edge taken is the last one not beyond.
            edge = (before[state] <= wanted[:, None]).sum(axis=1) - 1
            wanted -= before[state, edge]
            found[:, index] = code[state, edge]
            state = after[state, edge]
        return found

    def valid(self, codes: Codes) -> NDArray[np.bool_]:
        """Return [rows] whether a row of codes stands for a design of the space."""
        import numpy as np  # noqa: PLC0415 - as above

        alive = np.full(len(codes), len(self) > 0)
        state = np.zeros(len(codes), dtype=np.int64)
        for index, following in enumerate(self.following):
            state = following[state, codes[:, index]]
            alive &= state >= 0
            state = np.maximum(state, 0)
        return alive

    @cached_property
    def following(self) -> list[Numbers]:
        """Per layer [states x codes]: the state a code leads to, -1 where it may not follow."""
        import numpy as np  # noqa: PLC0415 - as above

        found = []
        for (before, after, code), column in zip(self._tables, self.columns, strict=True):
            table = np.full((len(before), len(column)), -1, dtype=np.int64)
            rows, edges = np.nonzero(before < LARGEST)
            table[rows, code[rows, edges]] = after[rows, edges]
            found.append(table)
        return found

    def choice(self, codes: Sequence[int]) -> Choice:
        """Return the choice that a row of codes stands for."""
        options = (column[code] for column, code in zip(self.columns, codes, strict=True))
        return Choice(tuple(option.id for option in options if option is not None))

    @cached_property
    def _tables(self) -> list[tuple[Numbers, Numbers, Numbers]]:
        """Per layer [states x edges]: ways through earlier edges, the state an edge leads to, its code."""
        import numpy as np  # noqa: PLC0415 - as above

        steps = self.space.steps
        ways: dict[State, int] = {}
        places: dict[State, int] = {}
        tables = []
        for step, column in zip(reversed(steps), reversed(self.columns), strict=True):
            code_of = {None if option is None else option.id: code for code, option in enumerate(column)}
            alive = {state: edges for state, edges in step.edges.items() if edges}
            width = max(map(len, alive.values()), default=0)
            before = np.full((len(alive), width), LARGEST, dtype=np.int64)
            after = np.zeros((len(alive), width), dtype=np.int64)
            code = np.zeros((len(alive), width), dtype=np.int64)
            counts: dict[State, int] = {}
            for row, (state, edges) in enumerate(alive.items()):
                total = 0
                for place, (option, following) in enumerate(edges):
                    before[row, place] = total
                    after[row, place] = places.get(following, 0)
                    code[row, place] = code_of[None if option is None else option.id]
                    total += ways[following] if ways else 1
                counts[state] = total
            tables.append((before, after, code))
            ways, places = counts, {state: row for row, state in enumerate(alive)}
        return self._from_start(tables[::-1])

    def _from_start(self, tables: list[tuple[Numbers, Numbers, Numbers]]) -> list[tuple[Numbers, Numbers, Numbers]]:
        return tables


def numbered(found: Space) -> Numbered:
    """Return the designs of a space by number.

    Raises:
        InputError: there are too many to be numbered.
    """
    if found.count > LARGEST:
        raise InputError(Fault("design space", f"{found.count:.3g} designs are too many to be numbered"))
    columns = []
    for step in found.steps:
        options: dict[str, Option | None] = {}
        for edges in step.edges.values():
            options.update(("" if option is None else option.id, option) for option, _ in edges)
        columns.append(tuple(options[key] for key in sorted(options)))
    return Numbered(found, tuple(columns))
