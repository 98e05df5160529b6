"""Durations and timestamps: Go's and RFC 3339's text, and the parts CEL asks for."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from kubeanswers.cel.values import CelError, Duration, Timestamp

_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_STAMP: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST: Final = -62135596800 * 10**9
_LAST: Final = 253402300800 * 10**9 - 1


def parse_duration(text: str) -> Duration | None:
    """Return the duration of Go text such as ``1h30m``; None where it is none."""
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if body == "0":
        return Duration(0)
    parts = list(_PART.finditer(body))
    if not parts or "".join(part[0] for part in parts) != body:
        return None
    total = sum(int(Decimal(part[1]) * _UNITS[part[2]]) for part in parts)
    return Duration(sign * total) if total < 2**63 else None


def print_duration(value: Duration) -> str:
    """Return the duration in seconds, as CEL prints it."""
    seconds, rest = divmod(abs(value.ns), 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{'-' if value.ns < 0 else ''}{seconds}{fraction}s"


def parse_timestamp(text: str) -> Timestamp | None:
    """Return the moment of RFC 3339 text; None where it is none."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return None
    zone = match[8]
    offset = 0 if zone == "Z" else (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 60 + int(zone[4:6]))
    try:
        moment = dt.datetime(*map(int, match.group(1, 2, 3, 4, 5, 6)), tzinfo=dt.UTC) - dt.timedelta(minutes=offset)  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None
    whole = moment - _EPOCH
    fraction = int((match[7] or "0")[:9].ljust(9, "0"))
    ns = (whole.days * 86400 + whole.seconds) * 10**9 + fraction
    return Timestamp(ns, offset) if _FIRST <= ns <= _LAST else None


def print_timestamp(value: Timestamp) -> str:
    """Return the moment as RFC 3339, by the clock it was given with."""
    seconds, rest = divmod(value.ns + value.zone * 60 * 10**9, 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    hours, minutes = divmod(abs(value.zone), 60)
    zone = f"{'-' if value.zone < 0 else '+'}{hours:02d}:{minutes:02d}" if value.zone else "Z"
    return f"{(_EPOCH + dt.timedelta(seconds=seconds)).isoformat()[:19]}{fraction}{zone}"


def moment(ns: int, zone: int = 0) -> Timestamp:
    """Return the moment if a calendar of four-digit years has it.

    Raises:
        CelError: it is too early or too late.
    """
    if not _FIRST <= ns <= _LAST:
        raise CelError("timestamp overflow")
    return Timestamp(ns, zone)


def _local(value: Timestamp, zone: str) -> dt.datetime:
    moment = _EPOCH + dt.timedelta(seconds=value.ns // 10**9)
    match = re.fullmatch(r"([+-]?)(\d\d):(\d\d)", zone, re.ASCII)
    if match:
        minutes = (int(match[2]) * 60 + int(match[3])) * (-1 if match[1] == "-" else 1)
        return moment.astimezone(dt.timezone(dt.timedelta(minutes=minutes)))
    try:
        return moment.astimezone(zoneinfo.ZoneInfo(zone))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise CelError(f"unknown time zone {zone}") from None


_OF_MOMENT: Final[Mapping[str, Callable[[dt.datetime], int]]] = {
    "getFullYear": lambda t: t.year,
    "getMonth": lambda t: t.month - 1,
    "getDate": lambda t: t.day,
    "getDayOfMonth": lambda t: t.day - 1,
    "getDayOfWeek": lambda t: t.isoweekday() % 7,
    "getDayOfYear": lambda t: t.timetuple().tm_yday - 1,
    "getHours": lambda t: t.hour,
    "getMinutes": lambda t: t.minute,
    "getSeconds": lambda t: t.second,
}
_OF_SPAN: Final = {"getHours": 3600 * 10**9, "getMinutes": 60 * 10**9, "getSeconds": 10**9}


def part_of(name: str) -> Callable[..., int]:
    """Return the function ``value.getX([zone])`` for timestamps and durations."""

    def get(value: Any, zone: str = "UTC") -> int:
        if isinstance(value, Duration):
            if name == "getMilliseconds":
                return int(value.ns / 10**6) % 1000
            if name in _OF_SPAN:
                whole = abs(value.ns) // _OF_SPAN[name]
                return -whole if value.ns < 0 else whole
        if isinstance(value, Timestamp):
            if name == "getMilliseconds":
                return value.ns // 10**6 % 1000
            return _OF_MOMENT[name](_local(value, zone))
        raise CelError("no such overload")

    return get


TIME_METHODS: Final = {name: part_of(name) for name in (*_OF_MOMENT, "getMilliseconds")}
"""The getters of timestamps and durations."""
