"""How much a line that a board reads may hold, and what fits it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LINE: Final = 240
"""Characters of a line that a board reads: two lines of a terminal 120 wide."""


def fitted(said: str, more: Iterable[str]) -> tuple[str, list[str]]:
    """Return a line with as many further sentences as fit it, in order, and the others."""
    rest = []
    for text in filter(None, more):
        if len(said) + 1 + len(text) <= LINE:
            said = f"{said} {text}"
        else:
            rest.append(text)
    return said, rest


__all__ = ["LINE", "fitted"]
