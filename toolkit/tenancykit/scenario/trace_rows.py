"""Rows of a cluster trace as values, and the reading of a table row by row with every fault kept."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from tenancykit.errors import Fault, InputError, did_you_mean

_SHOWN: Final = 20
Row = TypeVar("Row")


@dataclass(frozen=True)
class Trace(Generic[Row]):
    """Rows read from a trace.

    Attributes:
        rows: the rows, in the file's order.
        skipped: how many rows were left out, by reason; empty unless bad rows may be skipped.
        faults: one fault per row left out.
    """

    rows: tuple[Row, ...]
    skipped: Mapping[str, int]
    faults: tuple[Fault, ...] = ()

    def report(self) -> str:
        """Return how many rows were left out and why, or an empty string."""
        if not self.skipped:
            return ""
        total = sum(self.skipped.values())
        reasons = "; ".join(f"{number} {reason}" for reason, number in sorted(self.skipped.items()))
        return f"skipped {total} of {total + len(self.rows)} rows: {reasons}"


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

    def __init__(self, field: str, what: str, allowed: str = "", cure: str = "") -> None:
        super().__init__(what)
        self.field, self.what, self.allowed, self.cure = field, what, allowed, cure


def number_of(row: Mapping[str, str], field: str, *, least: float = 0.0, empty: float | None = None) -> float:
    """Return a field as a number; raises below ``least`` or, without ``empty``, where it is empty."""
    text = (row[field] or "").strip()
    if not text and empty is not None:
        return empty
    try:
        value = float(text)
    except ValueError:
        raise RowError(field, f"{text!r} is not a number", f"a number, {least:g} or more") from None
    if not math.isfinite(value) or value < least:
        raise RowError(field, f"is {text}", f"a number, {least:g} or more")
    return value


def count_of(row: Mapping[str, str], field: str, *, least: int = 0) -> int:
    """Return a field as a whole number."""
    value = number_of(row, field, least=least)
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
    if value < 0:
        raise RowError(field, f"is {text}", "zero or more")
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


def table_rows(
    path: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the file's line number and fields of every row; raises where a column is missing or unknown."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Fault(str(path), f"cannot be read: {error}")) from error
    reader = csv.DictReader(text.splitlines())
    names = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = names
    known = (*columns, *optional)
    faults = [
        Fault(f"{path}:1: column {name!r}", "is missing", ", ".join(known), _renamed(name, names, known))
        for name in columns
        if name not in names
    ]
    faults += [
        Fault(f"{path}:1: column {name!r}", "is given twice", "each column once")
        for name, times in Counter(names).items()
        if times > 1
    ]
    if faults:
        raise InputError(faults)
    try:
        for row in reader:
            yield reader.line_num, {key: value if isinstance(value, str) else "" for key, value in row.items() if key}
    except csv.Error as error:
        raise InputError(Fault(f"{path}:{reader.line_num}", f"is not CSV: {error}")) from error


def _renamed(name: str, names: Sequence[str], known: Sequence[str]) -> str:
    close = [other for other in names if other not in known and did_you_mean(name, [other])]
    return f"rename column {close[0]!r} to {name!r}" if close else "add the column"


class Reading(Generic[Row]):
    """Rows gathered from one file, and what is wrong with the others."""

    def __init__(self, path: Path, *, skip_bad_rows: bool) -> None:
        self.path, self.skip = path, skip_bad_rows
        self.rows: list[Row] = []
        self.faults: list[Fault] = []
        self.reasons: Counter[str] = Counter()

    def take(self, line: int | str, make: Callable[[], Row]) -> None:
        """Keep the row, or what is wrong with it."""
        try:
            self.rows.append(make())
        except RowError as error:
            where = f"{self.path}:{line}: {error.field}"
            self.faults.append(Fault(where, error.what, error.allowed, error.cure))
            self.reasons[f"with a bad {error.field}"] += 1

    def done(self) -> Trace[Row]:
        """Return what was read; raises where rows were bad and may not be skipped, or none is left."""
        if self.faults and not self.skip:
            shown = self.faults[:_SHOWN]
            if len(self.faults) > _SHOWN:
                more = len(self.faults) - _SHOWN
                shown.append(Fault(str(self.path), f"{more} more bad rows", cure="fix them, or skip bad rows"))
            raise InputError(shown)
        if not self.rows:
            raise InputError([*self.faults[:_SHOWN], Fault(str(self.path), "has no usable rows")])
        return Trace(tuple(self.rows), dict(sorted(self.reasons.items())), tuple(self.faults))
