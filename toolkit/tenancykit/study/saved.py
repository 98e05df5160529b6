"""A sweep on disk: designs and figures so far, with what they belong to, so that a sweep can go on where it stopped.

A file may come from anybody, so nothing in it is believed before it is looked at: sizes before anything is unpacked,
types and shapes before anything is read, codes against the space, and a sample of the figures by measuring again.
"""

from __future__ import annotations

import ast
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import read_bytes
from kubeanswers.records import dataclass
from kubeanswers.writing import replacing
from tenancykit.study.refining import bills_of
from tenancykit.study.sweeping import Columns, Question, sweep_codes, sweeper_of
from tenancykit.version import __version__

FORMAT: Final = "tenancykit/sweep/v1"
SAVED: Final = "codes.npy"
"""Name of the first part of every sweep, by which a file of ours is known."""
LARGEST: Final = 2 * 1024 * 1024 * 1024
"""Largest sweep read, in bytes. Assumption: a design takes about 100 bytes, and a search keeps no 20 million."""
_LARGEST_HEADER: Final = 4096
_SAMPLE: Final = 16
"""Designs measured again when a sweep is read, in even steps (assumption); and bills drawn up again."""
_BILLS: Final = 2
_SAME: Final = 1e-9
_CENT: Final = 0.011
_CURE: Final = "start a new sweep, or use the version, scenario and catalogue the file was written with"


@dataclass(frozen=True, eq=False)
class SavedSweep:
    """What a sweep has found so far.

    Attributes:
        columns: designs with their figures.
        bills: cost per month, by the bytes of a design's codes.
    """

    columns: Columns
    bills: Mapping[bytes, float]


def save_sweep(path: Path, question: Question, sweep: SavedSweep) -> None:
    """Write a sweep; a file that is there is replaced only when the new one is complete.

    Raises:
        OutputError: the file is not ours, or cannot be written.
    """
    header = {"format": FORMAT, "tenancykit": __version__, "key": question.key}
    arrays: dict[str, Any] = {part.name: getattr(sweep.columns, part.name) for part in fields(Columns)}
    width = sweep.columns.codes.shape[1]
    arrays["billed"] = np.frombuffer(b"".join(sweep.bills), dtype=np.uint8).reshape(-1, width)
    arrays["bills"] = np.array(list(sweep.bills.values()), dtype=np.float64)
    arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
    with replacing(path, ours=SAVED) as stream:
        np.savez(stream, **arrays)


def load_sweep(path: Path, question: Question) -> SavedSweep:
    """Return a sweep that was saved for the same scenario, catalogue and narrowing.

    Raises:
        InputError: the file is missing, is no sweep of this version, scenario, catalogue and narrowing, or what it
            says of a design does not come out again.
    """
    content = read_bytes(path, LARGEST)
    try:
        arrays = dict(_arrays(content))
        header = dict(json.loads(arrays["header"].tobytes()))
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        EOFError,
        RecursionError,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        told = "its header is no JSON text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InputError(_no_sweep(path, told)) from None
    wanted = {"format": FORMAT, "tenancykit": __version__, "key": question.key}
    names = {"format": "format", "tenancykit": "tenancykit version", "key": "scenario, catalogue or narrowing"}
    for part, value in wanted.items():
        if header.get(part) != value:
            found = str(header.get(part))[:_SHOWN]
            raise InputError(_no_sweep(path, f"it is of another {names[part]}: {found!r}, not {value!r}"))
    wrong = next(_wrong(arrays, question), "")
    if wrong:
        raise InputError(_no_sweep(path, wrong))
    columns = Columns(*(arrays[part.name] for part in fields(Columns)))
    bills = {code.tobytes(): float(value) for code, value in zip(arrays["billed"], arrays["bills"], strict=True)}
    return SavedSweep(columns, bills)


_SHOWN: Final = 60


def _no_sweep(path: Path, why: str) -> Fault:
    return Fault(str(path), f"is not a sweep of this version: {why}", "a file written by --save", _CURE)


def _arrays(content: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays of a file, none of which is larger than the file itself.

    Raises:
        ValueError: an entry is packed, is no array of numbers, or is not as long as it says.
    """
    if not content.strip():
        raise ValueError("it is empty")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if sum(abs(entry.file_size) for entry in entries) > len(content):
            raise ValueError("its parts lie over each other")  # a thousand names for the same bytes
        for entry in entries:
            name = entry.filename.removesuffix(".npy")
            if entry.compress_type != zipfile.ZIP_STORED or not 0 <= entry.file_size <= len(content):
                raise ValueError(f"its part {name[:_SHOWN]!r} is packed, which we never do")
            yield name, _array(archive.read(entry), name[:_SHOWN])


def _array(part: bytes, name: str) -> NDArray[Any]:
    stream = io.BytesIO(part)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"its part {name!r} is in another form")
    length = int.from_bytes(stream.read(2), "little")
    try:
        said = ast.literal_eval(stream.read(min(length, _LARGEST_HEADER)).decode("latin-1").strip())
        kind, turned, shape = said["descr"], said["fortran_order"], said["shape"]
    except (SyntaxError, ValueError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError(f"its part {name!r} does not say what it holds") from None
    if kind not in ("|u1", "<f8") or turned is not False or not isinstance(shape, tuple):
        raise ValueError(f"its part {name!r} holds something else than we write")
    if not (1 <= len(shape) <= _DIMENSIONS and all(type(size) is int and 0 <= size <= len(part) for size in shape)):
        raise ValueError(f"its part {name!r} has no shape of ours")
    data = np.frombuffer(part[stream.tell() :], dtype=kind)
    if data.size != np.prod(shape, dtype=object):
        raise ValueError(f"its part {name!r} is not as long as it says")
    return data.reshape(shape)


_DIMENSIONS: Final = 3


def _wrong(arrays: Mapping[str, NDArray[Any]], question: Question) -> Iterator[str]:
    """Yield what is wrong with the arrays: one of another type or length, codes of no design, figures of none."""
    known = [part.name for part in fields(Columns)]
    missing = [name for name in (*known, "billed", "bills") if name not in arrays]
    if missing:
        yield f"it lacks {', '.join(missing)}"
    sweeper = sweeper_of(question)
    sizes = np.array([len(column) for column in sweeper.columns])
    for name, figures in (("codes", known[1:]), ("billed", ["bills"])):
        codes = arrays[name]
        if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != len(sizes):
            yield f"{name} are not the codes of designs"
        if (codes >= sizes).any() or not sweeper.valid(codes).all():
            yield f"{name} stand for designs that are not in this space"
        for figure in figures:
            values = arrays[figure]
            if values.dtype != np.float64 or len(values) != len(codes) or np.isnan(values).any():
                yield f"{figure} is not one number for each design"
    yield from _unlike(arrays, known, question)


def _unlike(arrays: Mapping[str, NDArray[Any]], known: list[str], question: Question) -> Iterator[str]:
    """Yield which figures of a sample do not come out again."""
    codes, billed = arrays["codes"], arrays["billed"]
    if len(codes):
        rows = np.unique(np.linspace(0, len(codes) - 1, _SAMPLE).astype(np.intp))
        again = sweep_codes(question, codes[rows])
        for name in known[1:]:
            now, then = getattr(again, name), arrays[name][rows]
            if now.shape != then.shape or not np.allclose(now, then, rtol=_SAME, atol=_SAME):
                yield f"{name} of its designs does not come out again"
    if len(billed):
        rows = np.unique(np.linspace(0, len(billed) - 1, _BILLS).astype(np.intp))
        people = sweep_codes(question, billed[rows]).people
        if not np.allclose(bills_of(question, billed[rows]) + people, arrays["bills"][rows], atol=_CENT):
            yield "bills of its designs do not come out again"
