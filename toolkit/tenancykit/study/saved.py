"""A sweep on disk: designs and figures so far, with what they belong to, so that a sweep can go on where it stopped."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from kubeanswers.errors import Fault, InputError, OutputError
from tenancykit.study.sweeping import Columns, Question
from tenancykit.version import __version__

FORMAT: Final = "tenancykit/sweep/v1"
_CURE: Final = "start a new sweep, or use the version, scenario and catalogue the file was written with"


@dataclass(frozen=True, eq=False)
class SavedSweep:
    """What a sweep has found so far.

    Attributes:
        columns: designs with their figures.
        bills: cost without people, by the bytes of a design's codes.
    """

    columns: Columns
    bills: Mapping[bytes, float]


def save_sweep(path: Path, question: Question, sweep: SavedSweep) -> None:
    """Write a sweep; a file that is there is replaced only when the new one is complete.

    Raises:
        OutputError: the file cannot be written.
    """
    header = {"format": FORMAT, "tenancykit": __version__, "key": question.key}
    arrays: dict[str, Any] = {part.name: getattr(sweep.columns, part.name) for part in fields(Columns)}
    width = sweep.columns.codes.shape[1]
    arrays["billed"] = np.frombuffer(b"".join(sweep.bills), dtype=np.uint8).reshape(-1, width)
    arrays["bills"] = np.array(list(sweep.bills.values()))
    arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays)
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def load_sweep(path: Path, question: Question) -> SavedSweep:
    """Return a sweep that was saved for the same scenario, catalogue and narrowing.

    Raises:
        InputError: the file is missing, is no sweep, or is of another version, scenario, catalogue or narrowing.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        header = json.loads(arrays["header"].tobytes())
    except FileNotFoundError:
        raise InputError(Fault(str(path), "no such file", cure="leave resume out to start a new sweep")) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            Fault(str(path), f"is not a saved sweep ({error})", cure="name a file written by save")
        ) from error
    wanted = {"format": FORMAT, "tenancykit": __version__, "key": question.key}
    names = {"format": "format", "tenancykit": "tenancykit version", "key": "scenario, catalogue or narrowing"}
    faults = [
        Fault(str(path), f"is a sweep of another {names[part]} ({header.get(part)!r})", repr(value), _CURE)
        for part, value in wanted.items()
        if header.get(part) != value
    ]
    if faults:
        raise InputError(faults[:1])
    missing = [part.name for part in fields(Columns) if part.name not in arrays]
    if missing:
        raise InputError(Fault(str(path), f"lacks {', '.join(missing)}", cure=_CURE))
    columns = Columns(*(arrays[part.name] for part in fields(Columns)))
    bills = {code.tobytes(): float(value) for code, value in zip(arrays["billed"], arrays["bills"], strict=True)}
    return SavedSweep(columns, bills)
