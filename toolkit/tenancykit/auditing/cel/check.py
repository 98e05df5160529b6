"""What can be said of an expression without evaluating it: does it name known things, and what type has it?

Kubernetes type-checks policies with objects of unknown shape (``dyn``); this finds the mistakes it refuses for sure.
Where this cannot tell, it says ``any`` and refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tenancykit.auditing.cel.interpret import FUNCTIONS, QUANTIFIERS
from tenancykit.auditing.cel.kubernetes import KUBERNETES_METHODS
from tenancykit.auditing.cel.lists import LIST_METHODS
from tenancykit.auditing.cel.operators import BINARY
from tenancykit.auditing.cel.syntax import Call, CelSyntaxError, Index, ListOf, Literal, MapOf, Name, Node, Select
from tenancykit.auditing.cel.text import TEXT_METHODS
from tenancykit.auditing.cel.times import TIME_METHODS
from tenancykit.auditing.cel.values import type_name

ANY: Final = "any"
"""Not known here; never a reason to refuse."""

DYN: Final = "dyn"
"""Known to be decided only at run time."""

_BOOL_OPERATORS: Final = frozenset({"&&", "||", "!", "==", "!=", "<", "<=", ">", ">=", "in", "has"})
_RESULTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("contains", "startsWith", "endsWith", "matches", "isSorted", "hasValue", "isGreaterThan", "isLessThan"), "bool"
    ),
    **dict.fromkeys(
        ("isQuantity", "isIP", "isCIDR", "isURL", "isSemver", "all", "exists", "exists_one", "existsOne"), "bool"
    ),
    **dict.fromkeys(("containsIP", "containsCIDR", "allowed", "errored", "isInteger"), "bool"),
    **dict.fromkeys(
        ("size", "indexOf", "lastIndexOf", "compareTo", "int", "getFullYear", "getMonth", "asInteger"), "int"
    ),
    **dict.fromkeys(
        ("lowerAscii", "upperAscii", "trim", "substring", "replace", "join", "find", "charAt", "string", "format"),
        "string",
    ),
    **dict.fromkeys(("double", "asApproximateFloat"), "double"),
    **dict.fromkeys(("filter", "map", "split", "findAll", "transformList"), "list"),
    "bool": "bool",
    "uint": "uint",
    "duration": "duration",
    "timestamp": "timestamp",
}
_SCALARS: Final = frozenset({"bool", "int", "uint", "double", "string"})
_TYPE_NAMES: Final = frozenset(
    [
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "google",
        "cel",
        "optional",
        "sets",
        "format",
        "lists",
        "strings",
    ]
)


def result_type(  # noqa: PLR0911 - one answer per kind of node
    node: Node, known: Mapping[str, str], fields: Mapping[str, Mapping[str, str]]
) -> str:
    """Return the expression's type, :data:`DYN` or :data:`ANY`.

    Args:
        node: the expression.
        known: type of each variable.
        fields: types of the fields of variables whose fields are known (``variables``).

    Raises:
        CelSyntaxError: a variable or field is not declared, or an operator gets a type it cannot take.
    """
    match node:
        case Literal(value=value):
            return "null" if value is None else type_name(value)
        case Name(name=name):
            return _name_type(name, known)
        case Select():
            return _select_type(node, known, fields)
        case Index():
            result_type(node.operand, known, fields)
            result_type(node.key, known, fields)
            return ANY if node.optional else DYN
        case ListOf():
            for item, _ in node.items:
                result_type(item, known, fields)
            return "list"
        case MapOf():
            for key, value, _ in node.entries:
                result_type(key, known, fields)
                result_type(value, known, fields)
            return "map"
    return _call_type(node, known, fields)


def _name_type(name: str, known: Mapping[str, str]) -> str:
    if name in known:
        return known[name]
    if name in _TYPE_NAMES or any(full.startswith(f"{name}.") for full in FUNCTIONS):
        return "type"
    raise CelSyntaxError(f"undeclared reference to '{name}'")


def _select_type(node: Select, known: Mapping[str, str], fields: Mapping[str, Mapping[str, str]]) -> str:
    holder = node.operand
    if isinstance(holder, Name) and holder.name in fields and holder.name in known:
        if node.field not in fields[holder.name]:
            raise CelSyntaxError(f"undefined field '{node.field}'")
        return fields[holder.name][node.field]
    kind = result_type(holder, known, fields)
    if kind in _SCALARS:
        raise CelSyntaxError(f"type '{kind}' does not support field selection")
    return ANY if node.optional or kind == ANY else DYN


def _call_type(node: Call, known: Mapping[str, str], fields: Mapping[str, Mapping[str, str]]) -> str:
    if node.target is not None and node.function in QUANTIFIERS | {"optMap", "optFlatMap", "bind"}:
        return _macro_type(node, known, fields)
    _known_function(node)
    if node.target is not None:
        result_type(node.target, known, fields)
    kinds = [result_type(item, known, fields) for item in node.arguments]
    if node.function in ("&&", "||", "!"):
        for kind in kinds:
            if kind not in ("bool", DYN, ANY):
                raise CelSyntaxError(f"expected type 'bool' but found '{kind}'")
    if node.function == "?:":
        return _join(kinds[1], kinds[2])
    if node.function in ("+", "-", "*", "/", "%"):
        return _arithmetic(node.function, kinds)
    if node.function in ("==", "!=", "<", "<=", ">", ">="):
        _comparable(kinds)
    if node.function in _BOOL_OPERATORS:
        return "bool"
    return _RESULTS.get(node.function, ANY)


_METHODS: Final = frozenset(
    (
        *TEXT_METHODS,
        *LIST_METHODS,
        *TIME_METHODS,
        *(name for methods in KUBERNETES_METHODS.values() for name in methods),
        *("size", "hasValue", "value", "or", "orValue", "unwrapOpt"),
        *("path", "group", "resource", "subresource", "namespace", "name", "serviceAccount", "check"),
        *("allowed", "reason", "errored", "error", "fieldSelector", "labelSelector"),
    )
)
_OPERATORS: Final = frozenset([*BINARY, "&&", "||", "!", "-_", "?:", "has"])
_ELSEWHERE: Final = frozenset(
    {"math", "base64", "jsonpatch", "images", "resource", "globalContext", "http", "user", "image"}
)
"""Name spaces of functions that exist and are not evaluated here: undecided, not wrong."""


def _known_function(node: Call) -> None:
    """Raise where a function exists in no library of Kubernetes."""
    name = node.function
    if node.target is None:
        if name not in _OPERATORS and name not in FUNCTIONS:
            raise CelSyntaxError(f"undeclared reference to '{name}'")
        return
    elsewhere = isinstance(node.target, Name) and node.target.name in _ELSEWHERE
    if name not in _METHODS and not elsewhere and not any(full.endswith(f".{name}") for full in FUNCTIONS):
        raise CelSyntaxError(f"undeclared reference to '{name}'")


def _join(yes: str, no: str) -> str:
    if yes == no:
        return yes
    return DYN if DYN in (yes, no) and ANY not in (yes, no) else ANY


def _arithmetic(sign: str, kinds: list[str]) -> str:
    left, right = kinds
    if left in _SCALARS and right in _SCALARS:
        if left != right or left == "bool" or (left == "string" and sign != "+"):
            raise CelSyntaxError(f"found no matching overload for '_{sign}_' applied to '({left}, {right})'")
        return left
    if ANY in kinds:
        return next((kind for kind in kinds if kind in _SCALARS), ANY)
    return next((kind for kind in kinds if kind in _SCALARS), DYN)


def _comparable(kinds: list[str]) -> None:
    left, right = kinds
    numbers = {"int", "uint", "double"}
    if left in _SCALARS and right in _SCALARS and left != right and not {left, right} <= numbers:
        raise CelSyntaxError(f"found no matching overload for a comparison applied to '({left}, {right})'")


def _macro_type(node: Call, known: Mapping[str, str], fields: Mapping[str, Mapping[str, str]]) -> str:
    assert node.target is not None  # noqa: S101 - checked by the caller
    result_type(node.target, known, fields)
    names = [item.name for item in node.arguments[:-1] if isinstance(item, Name)]
    inner = {**known, **dict.fromkeys(names, DYN)}
    kinds = [result_type(item, inner, fields) for item in node.arguments]
    if node.function in ("all", "exists", "exists_one", "existsOne", "filter") and kinds[-1] not in ("bool", DYN, ANY):
        raise CelSyntaxError(f"expected type 'bool' but found '{kinds[-1]}'")
    return _RESULTS.get(node.function, ANY)
