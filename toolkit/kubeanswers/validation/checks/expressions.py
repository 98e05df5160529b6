"""CEL expressions of policies, custom kinds and device selectors: do they compile, and to a value of the right type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from kubeanswers.cel import CelSyntaxError, Node, Type, parse, result_type
from kubeanswers.cel.types import ANY, BOOL, DYN, STRING, map_of

Fields = Mapping[str, Mapping[str, Type]]
"""Fields of object types, by the type's name."""

_DEVICE: Final = Type("kubernetes.device")
_OF_DEVICE: Final[Fields] = {
    _DEVICE.name: {
        "driver": STRING,
        "attributes": map_of(STRING, map_of(STRING, ANY)),
        "capacity": map_of(STRING, map_of(STRING, Type("kubernetes.Quantity"))),
        "allowMultipleAllocations": BOOL,
    }
}


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node:
    return parse(text)


def compiled(text: str, known: Mapping[str, Type], fields: Fields | None = None) -> Type:
    """Return the type of an expression's value.

    Raises:
        CelSyntaxError: the API server's compiler would refuse it.
    """
    return result_type(_parsed(text), known, fields)


def fault(text: str, wanted: tuple[Type, ...], known: Mapping[str, Type], fields: Fields | None = None) -> str:
    """Return what is wrong with an expression, or an empty string.

    Args:
        text: the expression.
        wanted: types its value may have.
        known: type of each variable it may name.
        fields: fields of object types beyond those Kubernetes declares.
    """
    try:
        found = compiled(text, known, fields)
    except CelSyntaxError as error:
        return f"does not compile: {error}"
    return "" if found in wanted else f"must evaluate to {' or '.join(map(str, wanted))}, not {found}"


def rule_fault(text: str) -> str:
    """Return what is wrong with a rule of a custom kind, whose fields only data can type, or an empty string."""
    return fault(text, (BOOL, DYN), {"self": DYN, "oldSelf": DYN})


def device_fault(text: str) -> str:
    """Return what is wrong with a selector of devices, or an empty string; ``cel.bind`` is not followed."""
    return "" if "cel.bind" in text else fault(text, (BOOL, ANY, DYN), {"device": _DEVICE}, _OF_DEVICE)
