"""Where the pending pods of a cluster's dump would go, device selectors asked as an audit asks them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TextIO

from kubeanswers.device_selectors import selects_device
from kubeanswers.errors import InputError
from kubeanswers.reading import read_objects
from kubeanswers.scheduling.dump import DumpPlacement, place_dump
from kubeanswers.source import parse_all, read_text

MAX_DUMP: Final = 1024 * 1024 * 1024
"""Largest dump of a live cluster read, in bytes. Assumption: 100,000 pods with status are about 600 MiB of YAML."""


def place(paths: Iterable[str | os.PathLike[str]], stdin: TextIO) -> DumpPlacement:
    """Return where the pending pods of the dumps would go, or why they stay pending.

    Args:
        paths: dumps, folders of manifests (read as an audit reads them), or ``-`` for standard input.
        stdin: what ``-`` reads.

    Raises:
        InputError: every fault of the objects.
    """
    documents: list[dict[str, Any] | None] = []
    for path in paths:
        if str(path) != "-" and Path(path).is_dir():
            documents.extend(_folder(path))
            continue
        text = stdin.read() if str(path) == "-" else read_text(path, limit=MAX_DUMP)
        documents.extend(document.data for document in parse_all(text, str(path)))
    return place_dump(documents, device_test=selects_device)


def _folder(path: str | os.PathLike[str]) -> list[dict[str, Any] | None]:
    found = read_objects([path])
    if found.faults:
        raise InputError(found.faults)
    return [dict(thing.data) for thing in found.objects.objects]
