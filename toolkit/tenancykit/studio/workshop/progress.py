"""Who has passed which exercise: noted by every check in a class, read by the trainer's board."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kubeanswers.errors import OutputError, TenancyKitError
from kubeanswers.inputs import read_bytes
from kubeanswers.writing import write_text
from tenancykit.studio.workshop.verdict import Verdict

PROGRESS: Final = "TENANCYKIT_CLASS_PROGRESS"
"""Environment variable that names the folder of a class's progress; nothing is noted outside of a class."""
PERSON: Final = "JUPYTERHUB_USER"
"""JupyterHub's environment variable with the account's name."""

_FORMAT: Final = "tenancykit/progress/v1"
_LARGEST: Final = 64 * 1024
_MOST: Final = 999
"""Checks of one exercise that the board shows at most."""


def note(verdict: Verdict) -> None:
    """Note a verdict for the board of the class this kernel belongs to; outside of a class, do nothing.

    What cannot be written is let go: a full disk is no reason to keep a verdict from a participant.
    """
    folder, person = os.environ.get(PROGRESS, ""), os.environ.get(PERSON, "")
    if not folder or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", person):
        return
    file = Path(folder) / f"{person}.json"
    found = dict(_read(file))
    tries, passed = found.get(verdict.exercise, (0, False))
    found[verdict.exercise] = (tries + 1, passed or verdict.passed)
    data = {"schema": _FORMAT, "exercises": {str(n): list(found[n]) for n in sorted(found)}}
    try:
        write_text(file, json.dumps(data) + "\n", ours=_FORMAT)
    except OutputError:
        return


def progress(folder: Path) -> dict[str, Mapping[int, tuple[int, bool]]]:
    """Return per account and exercise how often it was checked and whether it has passed."""
    return {file.stem: _read(file) for file in sorted(folder.glob("*.json"))}


def _read(file: Path) -> Mapping[int, tuple[int, bool]]:
    """Return what a file notes; nothing where it is missing or not as we write it: anybody in a class may write it."""
    try:
        data = json.loads(read_bytes(file, _LARGEST)) if file.is_file() else {}
        noted = data.get("exercises", {}).items()
        return {int(n): (min(_MOST, max(0, int(tries))), passed is True) for n, (tries, passed) in noted}
    except (TenancyKitError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
