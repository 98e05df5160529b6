"""What an organisation's measured tasks say about the catalogue's estimates.

Model (normal with known variances, on the logarithm of measured over estimated days): a task's ratio is the
organisation's own pace plus a deviation of the task; the pace holds the share ``common`` of the variance (the rate
``estimates.common``, an assumption). With n measurements the pace is their mean log-ratio shrunk by
n / (n + (1 - common) / common); a task measured m times is moved m / (m + 1) of the way from the pace to its own mean
log-ratio. Of the variance there remains common / (1 + n) + (1 - common) / (1 + m); the interval around the mean
shrinks by its square root.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.scalars import decimal_number
from kubeanswers.source import read_text
from tenancykit.catalogue.work import Task
from tenancykit.catalogue.workbook import WorkBook
from tenancykit.distributions import ThreePoint

COLUMNS = ("task", "days")
LEAST_DAYS = 0.001
MOST_DAYS = 10_000
"""Person-days one measured task may have taken: half a minute to forty years of one person (assumption)."""
LEAST_RATIO, MOST_RATIO = 1e-6, 1e6
"""Measured over estimated days: what follows from the days above for estimates of 0.01 to 1,000 days (assumption)."""
_SHOWN = 40


@dataclass(frozen=True)
class Calibration:
    """Factors on the estimates, from measured tasks.

    Attributes:
        ratios: measured over estimated days, one entry per measurement, by task id.
        measured: number of measurements.
        pace: factor on every task that was not measured.
        common: share of an estimate's variance that all estimates have in common, before anything is measured.
    """

    ratios: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    measured: int = 0
    pace: float = 1.0
    common: float = 0.5

    @property
    def correlation(self) -> float:
        """Correlation of two estimates that is left after the measurements."""
        left = self.common / (1 + self.measured)
        return left / (left + 1 - self.common)

    def factor(self, task: str) -> float:
        """Return the factor on a task's estimate."""
        own = self.ratios.get(task, ())
        if not own:
            return self.pace
        weight = len(own) / (len(own) + 1)
        mean = sum(map(math.log, own)) / len(own)
        return math.exp(weight * mean + (1 - weight) * math.log(self.pace))

    def spread(self, task: str) -> float:
        """Return the factor on the width of a task's interval, between 0 and 1."""
        own = len(self.ratios.get(task, ()))
        return math.sqrt(self.common / (1 + self.measured) + (1 - self.common) / (1 + own))

    def adjust(self, task: str, days: ThreePoint) -> ThreePoint:
        """Return a task's estimate moved by its factor and narrowed around its mean."""
        mean, spread, factor = days.mean, self.spread(task), self.factor(task)
        low, likely, high = (mean + (point - mean) * spread for point in (days.low, days.likely, days.high))
        return ThreePoint(low, likely, high).scaled(factor)


def calibrate(ratios: Mapping[str, Collection[float]], common: float = 0.5) -> Calibration:
    """Return the calibration that measured-over-estimated ratios give, by task id.

    Args:
        ratios: measured over estimated days, one value per measurement.
        common: share of an estimate's variance that all estimates have in common, above 0 and below 1.
    """
    kept = {task: tuple(values) for task, values in sorted(ratios.items()) if values}
    logs = [math.log(value) for values in kept.values() for value in values]
    pace = math.exp(sum(logs) / (len(logs) + (1 - common) / common)) if logs else 1.0
    return Calibration(kept, len(logs), pace, common)


def read_calibration(path: str | os.PathLike[str], book: WorkBook) -> Calibration:
    """Return the calibration in a CSV file with the columns ``task`` and ``days``, one measured instance per line.

    ``days`` are person-days of one instance; a task may appear several times.

    Raises:
        InputError: every fault: a missing or unknown column, an unknown task, days that no task can have taken.
    """
    name = str(path)
    try:
        rows = list(csv.reader(io.StringIO(read_text(path)), strict=False))
    except csv.Error as error:
        raise InputError(Fault(name, f"is not CSV: {error}", ", ".join(COLUMNS), "correct the row")) from None
    if not any(map(any, rows)):
        raise InputError(Fault(name, "is empty", ", ".join(COLUMNS), "write one measured task a line"))
    header = [cell.strip().lower() for cell in rows[0]]
    if sorted(header) != sorted(COLUMNS):
        found = ", ".join(filter(None, header)) or "nothing"
        raise InputError(Fault(f"{name}:1", f"the columns are {found}", ", ".join(COLUMNS), "write them as first line"))
    ratios: dict[str, list[float]] = {}
    faults: list[Fault] = []
    for line, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            task, ratio = _row(header, cells, f"{name}:{line}", book.tasks)
        except InputError as error:
            faults.extend(error.faults)
            continue
        ratios.setdefault(task, []).append(ratio)
    if faults:
        raise InputError(faults)
    return calibrate(ratios, book.rate("estimates.common").mean)


def _row(header: Sequence[str], row: Sequence[str], where: str, tasks: Mapping[str, Task]) -> tuple[str, float]:
    if len(row) < len(header) or any(cell.strip() for cell in row[len(header) :]):
        text = f"{len(row)} cells stand under {len(header)} columns"
        raise InputError(Fault(where, text, ", ".join(header), "write one measured instance per line"))
    cells = dict(zip(header, row, strict=False))
    task = cells.get("task", "").strip()
    known = tasks.get(task)
    if known is None:
        cure = did_you_mean(task, tasks) or "see: tenancykit catalogue tasks"
        raise InputError(Fault(where, f"unknown task {task!r}", cure=cure))
    days = decimal_number(cells.get("days", "").strip())
    if days is None or not LEAST_DAYS <= days <= MOST_DAYS:
        what = f"{cells.get('days', '')[:_SHOWN]!r} are not days of one measured task"
        raise InputError(Fault(where, what, f"{LEAST_DAYS:g} to {MOST_DAYS:,} person-days"))
    return task, days / known.days.mean
