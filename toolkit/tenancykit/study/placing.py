"""Where the pending pods of a cluster's dump would go, device selectors asked as an audit asks them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from kubeanswers.device_selectors import selects_device
from kubeanswers.errors import InputError
from kubeanswers.reading import read_objects
from kubeanswers.scheduling.dump import DumpPlacement, place_dump


def place(paths: Iterable[str | os.PathLike[str]], stdin: TextIO) -> DumpPlacement:
    """Return where the pending pods of the dumps would go, or why they stay pending.

    Args:
        paths: dumps, or ``-`` for standard input.
        stdin: what ``-`` reads.

    Raises:
        InputError: every fault of the objects.
    """
    read = read_objects(paths, stdin=stdin)
    if read.faults:
        raise InputError(read.faults)
    items = [*(old for old, _ in read.objects.duplicates), *read.objects]
    places = {id(item.data): str(item.where) for item in items}
    return place_dump([item.data for item in items], device_test=selects_device, where=places)
