"""Figures that depend on one machine's pods alone, worked out again only for machines whose pods changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from kubeanswers.scheduling.cluster import Cluster, IntArray

Rows = IntArray | slice
Column = NDArray[Any]
_KEPT: Final = 256
"""Figures kept at a time. Assumption: a cluster's pending pods ask for fewer kinds of amounts at once."""


@dataclass
class _Known:
    columns: tuple[Column, ...]
    read: int


class Room:
    """Columns over the machines of a cluster, by what they mean."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[Hashable, _Known] = {}

    def columns(self, key: Hashable, work: Callable[[Rows], Sequence[Column]]) -> tuple[Column, ...]:
        """Return columns as they are now; they change with the cluster, so keep a copy of what is to stay.

        Args:
            key: what the columns mean.
            work: works them out for some machines, each from that machine's pods and the key alone.
        """
        changes = self._cluster.changes
        known = self._known.pop(key, None)
        if known is None:
            known = _Known(tuple(work(slice(None))), len(changes))
            if len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
        elif known.read < len(changes):
            rows = np.array(sorted(set(changes[known.read :])), dtype=np.int64)
            for column, fresh in zip(known.columns, work(rows), strict=True):
                column[rows] = fresh
            known.read = len(changes)
        self._known[key] = known
        return known.columns
