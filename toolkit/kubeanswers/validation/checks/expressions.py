"""CEL expressions of policies and device selectors: does the text parse, and is its value of the right type.

The parser is cel-python; where it is not installed expressions are not checked. A value's type is judged where it
follows from the text or from evaluating an expression without variables; the rest is left to whoever evaluates with
data.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from kubeanswers.validation.checks.cel_types import operand_faults, type_of

_OPTIONAL: Final = re.compile(r"\?\.|\[\?|\.\?|\?[A-Za-z_]+\s*:")
_DEVICE_FIELDS: Final = ("driver", "attributes", "capacity", "allowMultipleAllocations")
_STRINGS: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")


_MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map"})
_CEL_TYPES: Final = frozenset(
    {
        "bool",
        "bytes",
        "double",
        "dyn",
        "int",
        "list",
        "map",
        "null_type",
        "string",
        "type",
        "uint",
        "optional",
        "sets",
        "ip",
        "cidr",
        "format",
    }
)


@lru_cache(maxsize=4096)
def fault(
    text: str,
    types: tuple[type, ...],
    known: frozenset[str] | None = None,
    scope: tuple[tuple[str, str], ...] = (),
) -> str:
    """Return what is wrong with an expression, or an empty string where nothing is known to be.

    Args:
        text: the expression.
        types: Python types its value may have; empty for any.
        known: variables it may name; None where they are not known.
        scope: static types of variables, for the types of expressions that name them.
    """
    try:
        import celpy  # noqa: PLC0415 - only where an expression is checked
    except ImportError:
        return ""
    if _OPTIONAL.search(_STRINGS.sub("''", text)):
        return ""  # optional selection, which the API server's CEL has and cel-python does not
    environment = celpy.Environment()
    try:
        tree = environment.compile(text)
    except celpy.celparser.CELParseError as error:
        return f"does not compile: {str(error).splitlines()[0][:120]}"
    unknown = sorted(_names(tree) - known - _CEL_TYPES) if known is not None else []
    if unknown:
        return f"does not compile: undeclared reference to {unknown[0]!r}"
    found = next(operand_faults(tree, dict(scope)), "")
    if found:
        return f"does not compile: {found}"
    return _static_fault(tree, types, scope) or _value_fault(environment, tree, types)


_WORDS: Final = {bool: "bool", str: "string", type(None): "null_type"}


def _static_fault(tree: Any, types: tuple[type, ...], scope: tuple[tuple[str, str], ...]) -> str:
    found, wanted = type_of(tree, dict(scope)), [_WORDS[kind] for kind in types]
    if not types or not found or found in wanted:
        return ""
    return f"must evaluate to {' or '.join(wanted)}, not {found}"


def static_type(text: str, scope: tuple[tuple[str, str], ...]) -> str:
    """Return the static type of an expression, or an empty string where it does not follow from the text."""
    try:
        import celpy  # noqa: PLC0415 - only where an expression is checked

        return type_of(celpy.Environment().compile(text), dict(scope))
    except ImportError:
        return ""
    except celpy.celparser.CELParseError:
        return ""


def _value_fault(environment: Any, tree: Any, types: tuple[type, ...]) -> str:
    if not types or _identifiers(tree):
        return ""
    try:
        kind = _python_type(environment.program(tree).evaluate({}))
    except Exception:  # noqa: BLE001 - cel-python raises many kinds; what it cannot evaluate is left undecided
        return ""
    if kind in types:
        return ""
    return f"must evaluate to {' or '.join(t.__name__ for t in types)}, not {kind.__name__}"


def _names(tree: Any) -> set[str]:
    """Return the variables an expression names, without those its own macros bind."""
    bound: set[str] = set()
    for call in tree.find_data("member_dot_arg"):
        if len(call.children) > 2:
            arguments = call.children[2].children
            for argument in arguments[: _bound(str(call.children[1]), len(arguments))]:
                bound.update(_identifiers(argument)[:1])
    return set(_identifiers(tree)) - bound


def _bound(macro: str, arguments: int) -> int:
    """Return how many variables a macro binds: key and value where it has an argument more."""
    if macro in _MACROS:
        return 2 if macro not in ("map", "filter") and arguments > 2 else 1
    return 2 if macro in ("existsOne", "transformList", "transformMap", "transformMapEntry") else 0


def _identifiers(tree: Any) -> list[str]:
    return [str(name.children[0]) for name in tree.find_data("ident")]


def fields_of(name: str, text: str) -> list[str]:
    """Return the fields an expression reads of one variable, outside its string literals."""
    return re.findall(rf"(?<![\w.]){name}\.(\w+)", _STRINGS.sub("''", text))


def _python_type(value: Any) -> type:
    if value is None:
        return type(None)
    name = type(value).__name__
    known = {"BoolType": bool, "StringType": str, "IntType": int, "UintType": int, "DoubleType": float}
    return known.get(name, type(value))


def device_fault(text: str) -> str:
    """Return what is wrong with a selector of devices, or an empty string."""
    for name in fields_of("device", text):
        if name not in _DEVICE_FIELDS:
            return f"does not compile: undefined field {name!r} of device"
    return fault(text, (bool,), frozenset({"device"}))
