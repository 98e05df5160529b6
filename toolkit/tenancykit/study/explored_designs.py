"""Designs of an exploration taken up again from the file of its front, to compare, explain or export them."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.source import read_text
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import Design, choose
from tenancykit.scenario.model import Scenario

EXPLORED: Final = re.compile(r"X[0-9a-f]{8}", re.IGNORECASE)
"""What ids of explored designs look like."""
_CURE: Final = "write it anew: tenancykit explore SCENARIO --front FILE"


def read_explored(
    path: str | os.PathLike[str] | None, wanted: Sequence[str], scenario: Scenario, catalogue: Catalogue
) -> tuple[Design, ...]:
    """Return designs of a front that ``tenancykit explore --front`` wrote, in the order asked for.

    Args:
        path: the file: a row a design, with its id, and its options under the id of each tenant class. Nothing is read
            where no design is wanted.
        wanted: ids of designs.
        scenario: what the designs are for.
        catalogue: what their options are of.

    Raises:
        InputError: every fault: no file, no front of this scenario's classes, an unknown id or option.
    """
    if not wanted:
        return ()
    if path is None:
        text = f"{wanted[0]} is of an exploration, and its front is not named"
        raise InputError(Fault("design", text, cure="--front FILE, which explore --front FILE wrote"))
    rows = _rows(str(path), [c.id for c in scenario.tenants.classes])
    faults, found = [], []
    for identifier in wanted:
        at = next((known for known in rows if known.lower() == identifier.lower()), None)
        if at is None:
            cure = did_you_mean(identifier, rows) or f"{len(rows):,} designs are in it"
            faults.append(Fault(str(path), f"holds no design {identifier!r}", cure=cure))
            continue
        try:
            options = {name: choose(catalogue, cell.split()) for name, cell in rows[at][1].items()}
        except InputError as error:
            where = f"{path}:{rows[at][0]}"
            faults += [fault._replace(where=f"{where}: {fault.where}") for fault in error.faults]
            continue
        found.append(Design(at, at, options, "explored"))
    if faults:
        raise InputError(faults)
    return tuple(found)


def _rows(name: str, classes: Sequence[str]) -> dict[str, tuple[int, Mapping[str, str]]]:
    """Return per design its line and its options by class."""
    try:
        table = list(csv.reader(io.StringIO(read_text(name)), strict=True))
    except csv.Error as error:
        raise InputError(Fault(name, f"is not CSV: {error}", cure=_CURE)) from None
    head = table[0] if table else []
    if missing := [column for column in ("id", *classes) if column not in head]:
        text = f"has no column {', '.join(missing)}: it is no front of this scenario"
        raise InputError(Fault(f"{name}:1", text, ", ".join(("id", *classes)), _CURE))
    short = [line for line, row in enumerate(table[1:], start=2) if row and len(row) != len(head)]
    if short:
        text = f"{len(table[short[0] - 1])} cells stand under {len(head)} columns"
        raise InputError(Fault(f"{name}:{short[0]}", text, cure=_CURE))
    cells = [(line, dict(zip(head, row, strict=True))) for line, row in enumerate(table[1:], start=2) if row]
    return {row["id"]: (line, {name: row[name] for name in classes}) for line, row in cells}


__all__ = ["read_explored"]
