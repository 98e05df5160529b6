"""Rows of a cluster trace as values, and the reading of a table row by row with every fault kept."""

from __future__ import annotations

import contextlib
import csv
import functools
import gzip
import io
import math
import stat
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Generic, TextIO, TypeVar, cast, overload

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.inputs import no_text, read_bytes
from kubeanswers.records import dataclass
from kubeanswers.scalars import decimal_number

MAX_BYTES: Final = 1024 * 1024 * 1024
"""Largest trace read, unpacked, in bytes. Assumption: a million jobs take about 150 MB, as CSV or as JSON."""
MOST: Final = 2**53
"""Largest number read: up to here a float holds every whole number."""
MOST_STEPS: Final = 10 * 366 * 24 * 60
"""Latest step read: ten years of minutes (assumption)."""
_SHOWN: Final = 20
_DELIMITERS: Final = ",;\t|"
_GZIP: Final = b"\x1f\x8b"
Row = TypeVar("Row")


@dataclass(frozen=True)
class Trace(Generic[Row]):
    """Rows read from a trace.

    Attributes:
        rows: the rows, in the file's order.
        skipped: how many rows were left out, by reason; empty unless bad rows may be skipped.
        faults: one fault per row left out.
        places: where each row stands in the file: a line of a table, ``job 3`` and the like in JSON.
    """

    rows: Sequence[Row]
    skipped: Mapping[str, int]
    faults: tuple[Fault, ...] = ()
    places: Sequence[int | str] = field(default=(), repr=False, compare=False)

    def place(self, row: int) -> int | str:
        """Return where a row (from 0) stands in the file; its number where the reader did not say."""
        return self.places[row] if len(self.places) == len(self.rows) else f"row {row + 1}"

    def report(self) -> str:
        """Return how many rows were left out and why, or an empty string."""
        if not self.skipped:
            return ""
        total = sum(self.skipped.values())
        reasons = "; ".join(f"{number} {reason}" for reason, number in sorted(self.skipped.items()))
        first = f"; the first: {self.faults[0].where}: {self.faults[0].what}" if self.faults else ""
        return f"skipped {total} of {total + len(self.rows)} rows: {reasons}{first}"


@dataclass(frozen=True)
class TraceNode:
    """A node of a trace.

    Attributes:
        name: its id in the trace.
        cpu_milli: CPU, thousandths of a core.
        memory_bytes: memory, bytes.
        gpu_count: GPUs.
        gpu_model: their model; empty without GPUs.
    """

    name: str
    cpu_milli: int
    memory_bytes: int
    gpu_count: int
    gpu_model: str


@dataclass(frozen=True)
class TraceJob:
    """A pod or job of a trace.

    Attributes:
        name: its id in the trace; empty where it has none.
        tenant: who it belongs to; empty where the trace does not say.
        start: when it was asked for, seconds from the trace's start (or epoch).
        duration: how long it held its resources, seconds.
        cpu_milli: CPU request, thousandths of a core.
        memory_bytes: memory request, bytes.
        gpu_count: GPUs.
        gpu_milli: share of each GPU, thousandths.
        gpu_models: models allowed; empty for any.
        state: class of service or final state, as the trace words it.
    """

    name: str
    tenant: str
    start: float
    duration: float
    cpu_milli: int
    memory_bytes: int
    gpu_count: int
    gpu_milli: int = 1000
    gpu_models: frozenset[str] = frozenset()
    state: str = ""


class JobTable(Sequence[TraceJob]):
    """Jobs kept as columns, about 80 bytes each, so that a log of millions fits; a row is made when it is asked for."""

    def __init__(self) -> None:
        self._numbers = {name: array(kind) for name, kind in _NUMBERS.items()}
        self._words: dict[str, array[int]] = {name: array("q") for name in _WORDS}
        self._known: dict[str, dict[Any, int]] = {name: {} for name in _WORDS}
        self._tuples: dict[str, tuple[Any, ...]] = {}
        self._names: list[str] = []

    def append(self, job: TraceJob) -> None:
        """Add a job."""
        for name, column in self._numbers.items():
            column.append(getattr(job, name))
        for name, codes in self._words.items():
            known = self._known[name]
            codes.append(known.setdefault(getattr(job, name), len(known)))
        self._names.append(job.name)

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, place: int) -> TraceJob: ...
    @overload
    def __getitem__(self, place: slice) -> list[TraceJob]: ...
    def __getitem__(self, place: int | slice) -> TraceJob | list[TraceJob]:
        """Return a job, or some."""
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        words = {name: self._listed(name)[codes[place]] for name, codes in self._words.items()}
        told: dict[str, Any] = {**{n: column[place] for n, column in self._numbers.items()}, **words}
        return TraceJob(self._names[place], **told)

    def __iter__(self) -> Iterator[TraceJob]:
        return (self[place] for place in range(len(self)))

    def _listed(self, name: str) -> tuple[Any, ...]:
        kept = self._tuples.get(name, ())
        if len(kept) != len(self._known[name]):
            kept = self._tuples[name] = tuple(self._known[name])
        return kept

    def numbers(self, name: str) -> Any:
        """Return a column of numbers as an array of NumPy; it may not be written to."""
        return np.frombuffer(self._numbers[name], dtype=np.float64 if _NUMBERS[name] == "d" else np.int64)

    def codes(self, name: str) -> Any:
        """Return [rows] the place of each word of a column among :meth:`words`."""
        return np.frombuffer(self._words[name], dtype=np.int64)

    def words(self, name: str) -> tuple[Any, ...]:
        """Return the different words of a column."""
        return self._listed(name)


_NUMBERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("start", "duration"), "d"),
    **dict.fromkeys(("cpu_milli", "memory_bytes", "gpu_count", "gpu_milli"), "q"),
}
_WORDS: Final = ("tenant", "gpu_models", "state")


@dataclass(frozen=True)
class TenantChange:
    """From that step on, until the tenant's next change, the tenant has that value.

    Attributes:
        tenant: the tenant (virtual cluster).
        step: minute or hour from the trace's start.
        value: GPUs.
    """

    tenant: str
    step: int
    value: float


class RowError(ValueError):
    """One row is wrong in one field; ``reason`` counts alike rows together."""

    def __init__(self, field: str, what: str, allowed: str = "", cure: str = "", *, reason: str = "") -> None:
        super().__init__(what)
        self.field, self.what, self.allowed, self.cure = field, what, allowed, cure
        self.reason = reason or f"with a bad {field}"


def number_of(row: Mapping[str, str], field: str, *, least: float = 0.0, empty: float | None = None) -> float:
    """Return a field as a number; raises below ``least`` or, without ``empty``, where it is empty."""
    text = (row[field] or "").strip()
    if not text and empty is not None:
        return empty
    value = decimal_number(text)
    if value is None:
        what = f"{text!r} is not a number" if text else "is empty"
        cure = "write a decimal point" if "," in text else ""
        raise RowError(field, what, f"a number, {least:g} or more", cure)
    if not math.isfinite(value) or not least <= value <= MOST:
        raise RowError(field, f"is {text}", f"a number, {least:g} or more" if value < MOST else f"at most {MOST}")
    return value


def count_of(row: Mapping[str, str], field: str, *, least: int = 0, most: int = MOST) -> int:
    """Return a field as a whole number."""
    value = number_of(row, field, least=least)
    if value > most:
        raise RowError(field, f"is {row[field]}", f"at most {most}")
    if value != int(value):
        raise RowError(field, f"is {row[field]}", "a whole number")
    return int(value)


def quantity_of(row: Mapping[str, str], field: str, parse: Callable[[str], int]) -> int:
    """Return a field as a quantity, 0 where it is empty."""
    text = (row[field] or "").strip()
    try:
        value = parse(text) if text else 0
    except ValueError:
        allowed = "a number with an optional suffix (500m, 16Gi)"
        raise RowError(field, f"{text!r} is not a quantity", allowed) from None
    if not 0 <= value <= MOST:
        raise RowError(field, f"is {text}", "zero or more" if value < 0 else f"at most {MOST}")
    return value


def text_of(row: Mapping[str, str], field: str) -> str:
    """Return a field that must not be empty."""
    text = (row[field] or "").strip()
    if not text:
        raise RowError(field, "is empty", cure="give it a name")
    return text


def once(name: str, field: str, seen: set[str]) -> str:
    """Return a name that was not seen before."""
    if name in seen:
        raise RowError(field, f"{name!r} is given twice", "each name once")
    seen.add(name)
    return name


def trace_text(path: Path) -> str:
    """Return the text of a trace, unpacked if gzip packed it, with plain line ends.

    Raises:
        InputError: the file is missing, too large, damaged or not UTF-8.
    """
    with trace_stream(path) as stream:
        return stream.read()


def trace_head(path: Path) -> str:
    """Return how a trace begins: its first line at least.

    Raises:
        InputError: as :func:`trace_text`.
    """
    with trace_stream(path) as stream:
        return stream.readline(_LONGEST_LINE) + stream.read(_HEAD)


@contextlib.contextmanager
def trace_stream(path: Path) -> Iterator[TextIO]:
    """Open a trace as text with plain line ends, unpacked if gzip packed it, read piece by piece up to the limit.

    Raises:
        InputError: as :func:`trace_text`.
    """
    name = str(path)
    try:
        found = path.stat()
        plain = stat.S_ISREG(found.st_mode)
        with path.open("rb") if plain else io.BytesIO(_piped(path)) as raw:
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            size = 0 if packed else found.st_size
            if size > MAX_BYTES:
                raise InputError(Fault(name, f"is {size >> 20} MiB large", f"at most {MAX_BYTES >> 20} MiB", _SPLIT))
            inner = gzip.GzipFile(fileobj=raw) if packed else raw
            with io.TextIOWrapper(io.BufferedReader(_Bounded(inner, name)), encoding="utf-8-sig") as stream:
                yield stream
    except FileNotFoundError:
        raise InputError(Fault(name, "no such file", cure="check the path")) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(Fault(name, f"is a damaged gzip file: {error}", cure="pack it again")) from None
    except UnicodeDecodeError:
        raise InputError(_unreadable(path)) from None
    except IsADirectoryError:
        raise InputError(Fault(name, "is a folder", "a file", "name the file inside it")) from None
    except OSError as error:
        raise InputError(Fault(name, f"cannot be read: {error.strerror}", cure="check the path")) from None
    except ValueError as error:
        if "\0" not in name:
            raise
        raise InputError(Fault(repr(name), f"is no path: {error}", cure="check the path")) from None


_LONGEST_LINE: Final = 1 << 20
_HEAD: Final = 4096
_SPLIT: Final = "split the file"


@functools.lru_cache(maxsize=4)
def _piped(path: Path) -> bytes:
    """Return what comes out of a pipe: once, for a trace is looked at twice, to know its format and to read it."""
    return read_bytes(path, MAX_BYTES)


def _unreadable(path: Path) -> Fault:
    """Return the fault of a file that is not UTF-8 once gzip has unpacked it, with the first such line."""
    with contextlib.suppress(OSError, EOFError), path.open("rb") as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        start = b""
        for number, line in enumerate(gzip.GzipFile(fileobj=raw) if packed else raw, 1):
            start = start or line[:8]
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError:
                return no_text(start, str(path), number)
    return no_text(b"", str(path), 1)


class _Bounded(io.RawIOBase):
    """Bytes of a stream up to the limit."""

    def __init__(self, inner: Any, name: str) -> None:
        super().__init__()
        self._inner, self._name, self._size = inner, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        self._size += len(data)
        if self._size > MAX_BYTES:
            raise InputError(Fault(self._name, "is too large unpacked", f"at most {MAX_BYTES >> 20} MiB", _SPLIT))
        buffer[: len(data)] = data
        return len(data)


def column_names(header: str, delimiter: str = "") -> list[str]:
    """Return the names in a header line; without a delimiter, by the one of ``, ; tab`` that gives the most."""
    if not delimiter:
        return max((column_names(header, each) for each in _DELIMITERS), key=len)
    return [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]


def table_rows(
    path: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """Yield line number and fields of every row, as ``csv.DictReader`` has them; fields part at comma, ``;`` or tab.

    Raises:
        InputError: the file cannot be read, a column is missing or given twice, or quotation marks do not match.
    """
    with trace_stream(path) as stream:
        yield from _rows(stream, path, columns, optional)


def _rows(
    stream: TextIO, path: Path, columns: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    header = stream.readline()
    if not header.strip() and not any(line.strip() for line in stream):
        raise InputError(
            Fault(str(path), "is empty", f"columns {', '.join(columns or optional)}", "check that it is the right file")
        )
    header = header.rstrip("\n")
    names = column_names(header)
    known = (*columns, *optional)
    faults = [
        Fault(f"{path}:1: column {name!r}", "is missing", ", ".join(known), _renamed(name, names, known))
        for name in columns
        if name not in names
    ]
    faults += [
        Fault(f"{path}:1: column {name!r}", "is given twice", "each column once", "rename or remove one")
        for name, times in Counter(names).items()
        if times > 1 and name
    ]
    if faults:
        raise InputError(faults)
    delimiter = next(each for each in _DELIMITERS if column_names(header, each) == names)
    reader = csv.DictReader(stream, names, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num + 1, dict(row)
    except csv.Error as error:
        cure = "close the quotation mark" if "end of data" in str(error) else "correct the row"
        raise InputError(Fault(f"{path}:{reader.line_num + 1}", f"is not CSV: {error}", cure=cure)) from error


def _whole(row: Mapping[Any, Any], columns: Sequence[str]) -> dict[str, str]:
    """Return a row's fields; raises where it has fewer than the columns asked for, or more than the header."""
    beyond = row.get(None)
    if beyond and any(beyond):
        what = f"has {len(row) - 1 + len(beyond)} fields"
        raise RowError("row", what, f"{len(row) - 1}, as the header", "quote fields that hold the delimiter")
    fields = {name: value for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
    short = [name for name in columns if name not in fields]
    if short:
        raise RowError("row", f"ends before {short[0]!r}", f"{len(row)} fields, as the header", "complete the row")
    return {name: fields.get(name, "") for name in row if isinstance(name, str)}


def _renamed(name: str, names: Sequence[str], known: Sequence[str]) -> str:
    close = [other for other in names if other not in known and did_you_mean(name, [other])]
    return f"rename column {close[0]!r} to {name!r}" if close else "add the column"


_CURE: Final = "correct the row, or skip bad rows"


def _made(
    make: Callable[[Mapping[str, str]], Row],
    row: Mapping[Any, Any],
    columns: Sequence[str],
) -> Row:
    return make(_whole(row, columns))


class Reading(Generic[Row]):
    """Rows gathered from one file, and what is wrong with the others."""

    def __init__(self, path: Path, *, skip_bad_rows: bool) -> None:
        self.path, self.skip = path, skip_bad_rows
        self.rows: list[Row] | JobTable = []
        self.places: list[int | str] | array[int] = array("q")
        self.faults: list[Fault] = []
        self.reasons: Counter[str] = Counter()

    def table(
        self, columns: Sequence[str], make: Callable[[Mapping[str, str]], Row], optional: Sequence[str] = ()
    ) -> Trace[Row]:
        """Return the rows of a table, each made by a function; raises as :func:`table_rows` and :meth:`done`."""
        for line, row in table_rows(self.path, columns, optional):
            self.take(line, functools.partial(_made, make, row, columns))
        return self.done()

    def take(self, line: int | str, make: Callable[[], Row]) -> None:
        """Keep the row, or what is wrong with it."""
        try:
            row = make()
            if isinstance(row, TraceJob) and isinstance(self.rows, list) and not self.rows:
                self.rows = JobTable()
            cast("list[Row]", self.rows).append(row)
            if isinstance(line, str) and isinstance(self.places, array):
                self.places = list(self.places)
            cast("list[int | str]", self.places).append(line)
        except RowError as error:
            where = f"{self.path}:{line}: {error.field}"
            self.faults.append(Fault(where, error.what, error.allowed, error.cure or _CURE))
            self.reasons[error.reason] += 1

    def done(self) -> Trace[Row]:
        """Return what was read; raises where rows were bad and may not be skipped, or none is left."""
        if self.faults and not self.skip:
            shown = self.faults[:_SHOWN]
            if len(self.faults) > _SHOWN:
                more = len(self.faults) - _SHOWN
                shown.append(Fault(str(self.path), f"{more} more bad rows", cure=_CURE))
            raise InputError(shown)
        if not self.rows:
            cure = "check that it is the right file"
            raise InputError([*self.faults[:_SHOWN], Fault(str(self.path), "has no usable rows", cure=cure)])
        rows = cast("Sequence[Row]", self.rows if isinstance(self.rows, JobTable) else tuple(self.rows))
        return Trace(rows, dict(sorted(self.reasons.items())), tuple(self.faults), self.places)
