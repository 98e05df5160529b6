"""Designs as rows of codes: from one space to another, from choices to codes, a few out of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tenancykit.catalogue.model import DIMENSIONS, Dimension, Option
from tenancykit.design.batch import Codes
from tenancykit.design.lean import LeftOut, without
from tenancykit.design.model import Choice
from tenancykit.design.space import Candidates, Space

Row = TypeVar("Row", bound=np.generic)


def narrowed(found: Space, left_out: Sequence[LeftOut]) -> dict[Dimension, tuple[str, ...]]:
    """Return the options of a space without those left out, by dimension."""
    kept = without(found, left_out)
    return {dimension: kept.get(dimension, ()) for dimension in DIMENSIONS}


def recoded(codes: Codes, columns: Sequence[Candidates], others: Sequence[Candidates]) -> Codes:
    """Return the same designs in the codes of another space that has all their options."""
    found = np.empty_like(codes)
    for layer, (column, other) in enumerate(zip(columns, others, strict=True)):
        places = {option_id(option): place for place, option in enumerate(other)}
        found[:, layer] = np.array([places[option_id(option)] for option in column], dtype=np.uint8)[codes[:, layer]]
    return found


def codes_of(columns: Sequence[Candidates], choice: Choice) -> list[int] | None:
    """Return the codes of a choice; None where the columns cannot express it."""
    chosen = set(choice.options)
    row: list[int] = []
    held = 0
    for column in columns:
        names = [option_id(option) for option in column]
        place = next((i for i, name in enumerate(names) if name in chosen), None)
        if place is None:
            if "" not in names:
                return None
            place = names.index("")
        else:
            held += 1
        row.append(place)
    return row if held == len(chosen) else None


def option_id(option: Option | None) -> str:
    """Return the id of an option; empty for none."""
    return "" if option is None else option.id


def spread(rows: NDArray[Row], count: int) -> NDArray[Row]:
    """Return some rows, evenly spaced; the first where one is asked for."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.intp)]
