"""The named formats of Kubernetes' CEL library, and what a text that does not fit is told.

Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final

from kubeanswers.cel.urls import Url
from kubeanswers.cel.values import NONE, CelError, Optional, some
from kubeanswers.records import dataclass

_DNS_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def _fits(pattern: str, longest: int) -> Callable[[str], list[str]]:
    whole = re.compile(pattern)

    def check(text: str) -> list[str]:
        found = [] if len(text) <= longest else [f"must be no more than {longest} bytes"]
        return found if whole.fullmatch(text) else [*found, f"must match the regex {pattern}"]

    return check


def _qualified(text: str) -> list[str]:
    head, slash, tail = text.rpartition("/")
    found = FORMATS["dns1123Subdomain"](head) if slash else []
    return found + _fits(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", 63)(tail)


def _date(text: str) -> list[str]:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return ["must be a date"]
    return [] if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else ["must be a date"]


_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(.\d+)?(z|[+-]\d\d:\d\d)", re.ASCII)


def _moment(text: str) -> list[str]:
    day, _, clock = text.lower().partition("t")
    return [] if _CLOCK.fullmatch(clock) and not _date(day) else ["must be a date and time"]


def _uri(text: str) -> list[str]:
    try:
        Url.parse(text)
    except CelError:
        return ["must be a URI"]
    return []


_SUBDOMAIN: Final = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"


def _prefix(check: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """A name that generates names may end in a dash: its last two characters are checked as if they were a letter."""
    return lambda text: check(f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text)


_LABEL: Final = _fits(_DNS_LABEL, 63)
_OLD_LABEL: Final = _fits(r"[a-z]([-a-z0-9]*[a-z0-9])?", 63)
_DOMAIN: Final = _fits(_SUBDOMAIN, 253)
FORMATS: Final[dict[str, Callable[[str], list[str]]]] = {
    "dns1123Label": _LABEL,
    "dns1123Subdomain": _DOMAIN,
    "dns1035Label": _OLD_LABEL,
    "dns1123LabelPrefix": _prefix(_LABEL),
    "dns1123SubdomainPrefix": _prefix(_DOMAIN),
    "dns1035LabelPrefix": _prefix(_OLD_LABEL),
    "qualifiedName": _qualified,
    "labelValue": _fits(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", 63),
    "uri": _uri,
    "uuid": _fits(r"(?i:[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})", 36),
    "byte": _fits(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", 10**9),
    "date": _date,
    "datetime": _moment,
}


@dataclass(frozen=True)
class NamedFormat:
    """One of Kubernetes' named formats."""

    type_name: ClassVar[str] = "kubernetes.NamedFormat"
    name: str

    def validate(self, text: Any) -> Optional:
        """Return the faults of a text, or none if it fits."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        faults = FORMATS[self.name](text)
        return some(faults) if faults else NONE
