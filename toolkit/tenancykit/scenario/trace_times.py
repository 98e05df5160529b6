"""Times of a trace, as seconds: numbers, ISO 8601 with or without a zone; one way of writing them in a file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from kubeanswers.scalars import decimal_number
from tenancykit.scenario.trace_rows import RowError, number_of

NEVER: Final = frozenset({"", "none", "null", "nan", "nat", "unknown"})
"""What traces write, in any case, where something has not happened (yet)."""
_FORMS: Final = "YYYY-MM-DD HH:MM:SS, or ISO 8601 with a zone (2026-01-31T08:00:00Z, ...+01:00)"
_DURATION: Final = re.compile(r"(?:([0-9]+)-)?(?:([0-9]+):)?([0-9]+):([0-9]+)(?:\.[0-9]+)?")
_SHORTEST: Final = len("2026-01-31 08:00")
_NUMBER: Final = "seconds"
_ZONED: Final = "a time with a zone"
_LOCAL: Final = "a time without a zone"


class Moments:
    """Reads the times of one file, which must all be seconds, all have a zone, or all have none."""

    def __init__(self) -> None:
        self._way = ""

    def seconds(self, text: object, field: str, *, numbers: bool = False) -> float:
        """Return seconds since 1970, or a number as it stands where numbers are allowed; local times count as UTC.

        Raises:
            RowError: it is no time, or written in another way than the times before it.
        """
        shown = str(text).strip()
        if numbers and decimal_number(shown) is not None:
            return self._same(number_of({field: shown}, field), _NUMBER, shown, field)
        try:
            moment = datetime.fromisoformat(shown if len(shown) >= _SHORTEST else "a date alone")
        except ValueError:
            allowed = f"seconds, or {_FORMS}" if numbers else _FORMS
            raise RowError(field, f"{shown!r} is not a time", allowed) from None
        if moment.tzinfo is None:
            return self._same(moment.replace(tzinfo=UTC).timestamp(), _LOCAL, shown, field)
        return self._same(moment.timestamp(), _ZONED, shown, field)

    def maybe(self, text: object, field: str) -> float | None:
        """Return the seconds of a time, or nothing where the trace says that it never came.

        Raises:
            RowError: it is no time.
        """
        return None if text is None or str(text).strip().lower() in NEVER else self.seconds(text, field)

    def _same(self, value: float, way: str, shown: str, field: str) -> float:
        self._way = self._way or way
        if way != self._way:
            what = f"{shown!r} is {way}, the times before it are {self._way.replace('a time', 'times')}"
            raise RowError(field, what, "one way in a file", "write all times with their zone", reason="in another way")
        return value


def duration_of(text: str, field: str) -> float:
    """Return the seconds of a duration written ``[days-][hours:]minutes:seconds``.

    Raises:
        RowError: it is no such duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise RowError(field, f"{text!r} is not a duration", "[days-]hours:minutes:seconds")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
