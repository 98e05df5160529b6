"""A process keeps what it worked out last, and forgets what it has kept longest."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def remember(known: dict[K, V], key: K, value: V, most: int) -> V:
    """Keep a value, the oldest of those kept giving way where there would be more than so many; returns the value.

    Args:
        known: what is kept, the oldest first; changed in place.
        key: what the value is found by.
        value: what is kept.
        most: how many are kept, at least 1.
    """
    while len(known) >= most:
        del known[next(iter(known))]
    known[key] = value
    return value


__all__ = ["remember"]
