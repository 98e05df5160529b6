"""Python's garbage collector out of the way while millions of plain values are made, and given back as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the cyclic collector: what we make holds no cycles, and each of its passes looks at every value."""
    with returned_collector():
        gc.disable()
        yield


@contextmanager
def returned_collector() -> Iterator[None]:
    """Give the collector back as it was, whatever is done to it inside."""
    was_on, thresholds = gc.isenabled(), gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if was_on:
            gc.enable()
