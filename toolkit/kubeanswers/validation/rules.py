"""Validation rules of definitions (``x-kubernetes-validations``), evaluated over an object and the one before it.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from kubeanswers.cel import CelCostError, CelError, CelSyntaxError, CelUndecidedError, Interpreter, Node, parse
from kubeanswers.cel.operators import to_duration, to_timestamp
from kubeanswers.cel.values import NONE, some
from kubeanswers.objects import mapping, mappings, sequence

Schema = Mapping[str, Any]
_RULES: Final = "x-kubernetes-validations"
_RESERVED: Final = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    }
)
_ROOT: Final = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
}


def broken(schema: Schema, obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what the rules of a schema refuse, as ``field: what is wrong``.

    Rules that speak of ``oldSelf`` are asked only of an update, and only where both values can be told to be the same
    one; what this evaluator does not know refuses nothing.
    """
    text = {"type": "string"}
    own = mapping(schema.get("properties"))
    properties = {**own, "apiVersion": text, "kind": text, "metadata": _ROOT}
    whole = {**schema, "properties": properties}
    yield from _below(whole, obj, old, "")


def _below(schema: Schema, value: Any, old: Any, path: str) -> Iterator[str]:
    stated = mappings(schema.get(_RULES))
    if stated and value is not None:
        now, before = _typed(schema, value), None if old is None else _typed(schema, old)
        for rule in stated:
            told = _refusal(rule, now, before)
            if told:
                place = f"{path}{rule.get('fieldPath') or ''}".lstrip(".")
                yield f"{place or 'object'}: {told}"
    if isinstance(value, Mapping):
        known, more = mapping(schema.get("properties")), schema.get("additionalProperties")
        for name, inner in value.items():
            below = known.get(name, more)
            if isinstance(below, Mapping):
                yield from _below(below, inner, mapping(old).get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        same = _correlated(schema, old)
        for index, item in enumerate(value):
            yield from _below(schema["items"], item, same(item), f"{path}[{index}]")


def _correlated(schema: Schema, old: Any) -> Callable[[Any], Any]:
    """Return what finds the entry a list had before: by its keys in a list that is a map, else none."""
    keys = sequence(schema.get("x-kubernetes-list-map-keys"))
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return lambda _: None

    def same(item: Any) -> Any:
        key = [mapping(item).get(name) for name in keys]
        return next((one for one in mappings(old) if [one.get(name) for name in keys] == key), None)

    return same


def _refusal(rule: Mapping[str, Any], now: Any, before: Any) -> str:
    """Return what a rule says of a value; nothing where it holds, is not asked, or is not understood here."""
    text = str(rule.get("rule") or "")
    scope: dict[str, Any] = {"self": now}
    if re.search(r"\boldSelf\b", text):
        if before is None and not rule.get("optionalOldSelf"):
            return ""
        maybe = NONE if before is None else some(before)
        scope["oldSelf"] = maybe if rule.get("optionalOldSelf") else before
    try:
        holds = Interpreter().run(_parsed(text), scope) is not False
    except (CelSyntaxError, CelUndecidedError):
        return ""  # a definition whose rule is no expression is refused itself
    except (CelError, CelCostError) as error:
        return f"{error} evaluating rule: {rule.get('message') or text}"
    return "" if holds else _message(rule, scope, text)


def _message(rule: Mapping[str, Any], scope: Mapping[str, Any], text: str) -> str:
    expression = rule.get("messageExpression")
    if isinstance(expression, str):
        try:
            made = Interpreter().run(_parsed(expression), scope)
        except (CelSyntaxError, CelError, CelCostError, CelUndecidedError):
            made = None
        if isinstance(made, str) and made.strip() and "\n" not in made:
            return made.strip()
    return str(rule.get("message") or f"failed rule: {text}")


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node:
    try:
        return parse(text)
    except RecursionError:
        raise CelSyntaxError("the expression is nested too deeply") from None


def _typed(schema: Schema, value: Any) -> Any:
    """Return a value as rules see it: names escaped, times and durations as such, numbers as doubles."""
    if schema.get("x-kubernetes-int-or-string"):
        return value
    if isinstance(value, Mapping):
        return _object(schema, value)
    if isinstance(value, list):
        below = mapping(schema.get("items"))
        return [_typed(below, item) for item in value]
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    read = _AS.get(schema.get("format")) if isinstance(value, str) else None
    try:
        return value if read is None else read(value)
    except (CelError, ValueError):
        return value


def _object(schema: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
    known, more = mapping(schema.get("properties")), schema.get("additionalProperties")
    if known:
        typed = {escaped(name): _typed(mapping(known[name]), inner) for name, inner in value.items() if name in known}
        if schema.get("x-kubernetes-embedded-resource"):
            typed |= {name: value[name] for name in ("apiVersion", "kind", "metadata") if name in value}
        return typed
    return {name: _typed(mapping(more), inner) for name, inner in value.items()}


def escaped(name: str) -> str:
    """Return a property's name as rules write it."""
    if name in _RESERVED:
        return f"__{name}__"
    for sign, word in (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")):
        name = name.replace(sign, word)
    return name


_AS: Final[Mapping[Any, Callable[[str], Any]]] = {
    "duration": to_duration,
    "date-time": to_timestamp,
    "byte": base64.b64decode,
}
