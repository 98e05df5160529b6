"""Whether the CEL selector of a device class or claim means a device (dynamic resource allocation)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from kubeanswers.cel import CelError, CelSyntaxError, CelUndecidedError, Interpreter, Node, parse
from kubeanswers.cel.kubernetes import Quantity, Semver
from kubeanswers.cel.syntax import Call, Index, Name, dotted

_BY_DOMAIN: Final = ("device.attributes", "device.capacity")


class _OverDevice(Interpreter):
    """Evaluates with what the scheduler adds: every domain is there, if empty, and ``cel.bind`` names a value."""

    def run(self, node: Node, scope: Mapping[str, Any]) -> Any:
        if isinstance(node, Index) and not node.optional and dotted(node.operand) in _BY_DOMAIN:
            return super().run(node.operand, scope).get(super().run(node.key, scope), {})
        if isinstance(node, Call) and node.function == "bind" and node.target == Name("cel"):
            name, value, body = node.arguments
            if isinstance(name, Name):
                return self.run(body, {**scope, name.name: self.run(value, scope)})
        return super().run(node, scope)


@lru_cache(maxsize=256)
def _parsed(expression: str) -> Node:
    return parse(expression)


def selects_device(expression: str, device: Mapping[str, Any]) -> bool:
    """Return whether an expression selects a device.

    Args:
        expression: CEL over ``device``.
        device: ``driver``, ``allowMultipleAllocations``, and ``attributes`` (the API's typed values) and ``capacity``
            (quantities as text) by domain and name.

    Raises:
        ValueError: the expression is malformed, fails, or gives no bool.
    """
    try:
        attributes = {
            domain: {k: _value(v) for k, v in found.items()} for domain, found in device["attributes"].items()
        }
        capacity = {
            domain: {k: Quantity.parse(v) for k, v in found.items()} for domain, found in device["capacity"].items()
        }
        seen = {**device, "attributes": attributes, "capacity": capacity}
        answer = _OverDevice().run(_parsed(expression), {"device": seen})
    except CelSyntaxError as error:
        raise ValueError(f"CEL compile error: {error}") from error
    except (CelError, CelUndecidedError) as error:
        raise ValueError(f"CEL runtime error: {error}") from error
    if not isinstance(answer, bool):
        raise ValueError(f"CEL result of type {type(answer).__name__} could not be converted to bool")  # noqa: TRY004 - the caller's one kind of error
    return answer


def _value(typed: Mapping[str, Any]) -> Any:
    """Return an attribute's value; the API gives it under the name of its type."""
    if "version" in typed:
        return Semver.parse(typed["version"])
    return next((typed[kind] for kind in ("string", "int", "bool") if kind in typed), None)
