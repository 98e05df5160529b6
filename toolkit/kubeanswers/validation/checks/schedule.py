"""When a CronJob runs: schedules and time zones."""

from __future__ import annotations

import re
import zoneinfo
from typing import Any, Final

from kubeanswers.scalars import whole_number
from kubeanswers.validation.checks.report import Report

_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_CRON: Final[tuple[tuple[int, int, list[str]], ...]] = (
    (0, 59, []),
    (0, 23, []),
    (1, 31, []),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_EVERY: Final = re.compile(r"@every [-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|ms|s|m|h))+|@every 0")
_MACROS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def schedule(path: str, text: str, zone: Any, report: Report) -> None:
    """Check a schedule of five fields, a descriptor or an interval."""
    if "TZ" in text:
        what = "cannot hold a time zone" if zone is None else "cannot hold a time zone beside timeZone"
        report.add(path, what)
        return
    if text.startswith("@"):
        if text not in _MACROS and not _EVERY.fullmatch(text):
            report.add(path, f"{text!r} is an unknown descriptor")
        return
    fields = text.split()
    if len(fields) != 5:
        report.add(path, f"expected exactly 5 fields, found {len(fields)}")
        return
    for field, (least, most, names) in zip(fields, _CRON, strict=True):
        if wrong := _cron_field(field, least, most, names):
            report.add(path, f"{field!r} {wrong}")


def _cron_field(field: str, least: int, most: int, names: list[str]) -> str:
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not whole_number(step):
            return "has a step that is not a positive number"
        if span in ("*", "?"):
            continue
        ends = [_cron_number(end, least, names) for end in span.split("-")]
        if len(ends) > 2 or None in ends:
            return "is not a number, a range or a list of them"
        low, high = ends[0] or 0, ends[-1] or 0
        if low < least or high > most or low > high:
            return f"must be within {least} to {most}"
    return ""


def _cron_number(text: str, least: int, names: list[str]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + least
    return whole_number(text)


def time_zone(path: str, name: str, report: Report) -> None:
    """Check the name of a time zone."""
    if not name or name.lower() == "local":
        report.add(path, f"{name!r} is not a time zone")
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        report.add(path, f"{name!r} is an unknown time zone")
