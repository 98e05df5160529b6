"""How the API server reads an object's text and plain data, where that differs from what JSON schemas say.

Rules: the strict decoder answers for unknown and doubled fields; null stands for a field left out; a field left out is
zero, so the ``required`` of a schema is a refusal only where zero is refused. Dates are RFC 3339.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from kubeanswers.errors import Fault, InputError

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ZERO_IS_WELCOME: Final = frozenset(
    {
        ("", "spec", "CSIDriver"),
        ("", "spec", "DeviceClass"),
        ("", "spec", "ResourceClaim"),
        ("", "spec", "ResourceClaimTemplate"),
        ("", "revision", "ControllerRevision"),
        ("spec", "limits", "LimitRange"),
        ("spec", "spec", "ResourceClaimTemplate"),
        ("dataSource", "kind", ""),
        ("dataSource", "name", ""),
        ("httpHeaders", "value", ""),
        ("podFailurePolicy", "rules", ""),
        ("pool", "generation", "ResourceSlice"),
        ("preferredDuringSchedulingIgnoredDuringExecution", "preference", ""),
        ("sleep", "seconds", ""),
        ("sysctls", "value", ""),
        ("versions", "served", "CustomResourceDefinition"),
        ("versions", "storage", "CustomResourceDefinition"),
    }
)
"""Parent, field and kind of what schemas require and the API server reads as empty where it is left out."""


def read_json(text: str) -> Any:
    """Return the value of a JSON text, read as strictly as the API server reads it.

    Raises:
        InputError: the text is not JSON, or a key stands twice in one object.
    """

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in found]
        doubled = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
        if doubled is not None:
            raise InputError(Fault("text", f"key {doubled!r} appears twice", "each key once", "keep one of the two"))
        return dict(found)

    def constant(word: str) -> Any:
        raise ValueError(f"{word} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise InputError(Fault("text", f"is not JSON: {error}", "one JSON object", "correct the text")) from error


def may_be_zero(kind: str, path: tuple[str, ...], name: str) -> bool:
    """Return whether a field that schemas require may be null or left out: the API server reads it as empty.

    Args:
        kind: kind of the object.
        path: fields that lead to the one it stands in.
        name: the field.
    """
    parent = path[-1] if path else ""
    return not _ZERO_IS_WELCOME.isdisjoint({(parent, name, kind), (parent, name, "")})


def _fits(bits: int) -> Callable[[object], bool]:
    limit = 2**bits
    return lambda value: not isinstance(value, int) or -limit <= value < limit


def is_date(value: object) -> bool:
    """Return whether a value is no text or an RFC 3339 date and time."""
    if not isinstance(value, str):
        return True
    if not _DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


def is_base64(value: object) -> bool:
    """Return whether a value is no text or standard base64, line breaks aside."""
    if not isinstance(value, str):
        return True
    try:
        base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


FORMATS: Final[Mapping[str, Callable[[object], bool]]] = {
    "int32": _fits(31),
    "int64": _fits(63),
    "date-time": is_date,
    "byte": is_base64,
}
"""Checks of the formats the API server's decoder enforces."""


def starts_as_json(text: str) -> bool:
    """Return whether a text is read as JSON rather than YAML."""
    return text.lstrip(" \t\r\n").startswith("{")
