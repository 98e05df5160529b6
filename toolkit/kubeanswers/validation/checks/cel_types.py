"""Static types of CEL expressions, as far as they follow from the text: what the API server's compiler would find.

A type is a word of CEL, ``dyn`` where only data can tell, or empty where this module cannot tell. The compiler takes
``dyn`` for any operand, but not for the value of a policy's expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_FUNCTIONS: Final = {
    "bool": "bool",
    "double": "double",
    "has": "bool",
    "int": "int",
    "isCIDR": "bool",
    "isIP": "bool",
    "isQuantity": "bool",
    "isSemver": "bool",
    "isURL": "bool",
    "matches": "bool",
    "size": "int",
    "string": "string",
    "uint": "uint",
}
_METHODS: Final = {
    **dict.fromkeys(("all", "exists", "exists_one", "existsOne", "startsWith", "endsWith", "contains"), "bool"),
    **dict.fromkeys(("matches", "containsIP", "containsCIDR", "isLessThan", "isGreaterThan", "allowed"), "bool"),
    **dict.fromkeys(("size", "indexOf", "lastIndexOf"), "int"),
    **dict.fromkeys(("lowerAscii", "upperAscii", "replace", "substring", "trim", "join", "charAt"), "string"),
    **dict.fromkeys(("map", "filter", "split", "findAll", "sort"), "list"),
}
_NUMBERS: Final = frozenset({"int", "uint", "double"})
_LITERALS: Final = {
    "BOOL_LIT": "bool",
    "BYTES_LIT": "bytes",
    "FLOAT_LIT": "double",
    "INT_LIT": "int",
    "MLSTRING_LIT": "string",
    "NULL_LIT": "null_type",
    "STRING_LIT": "string",
    "UINT_LIT": "uint",
}
_PASS_ON: Final = frozenset(
    {"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member", "primary"}
)

Scope = Mapping[str, str]
"""Types of variables; a name with a dot is a field, such as ``variables.limit``."""


def type_of(node: Any, scope: Scope) -> str:
    """Return the static type of a node of a parsed expression."""
    kind, children = getattr(node, "data", ""), list(getattr(node, "children", []))
    if kind in _PASS_ON and len(children) == 1:
        return type_of(children[0], scope)
    if kind == "paren_expr":
        return type_of(children[0], scope)
    if kind == "expr":  # condition, then, else
        first, second = type_of(children[1], scope), type_of(children[2], scope)
        return first if first == second else ""
    if kind in ("conditionalor", "conditionaland", "relation") or kind == "unary":
        return _operation(kind, children, scope)
    if kind in ("addition", "multiplication"):
        return _arithmetic(type_of(children[0].children[0], scope), type_of(children[1], scope))
    return _leaf(kind, children, scope)


def _operation(kind: str, children: list[Any], scope: Scope) -> str:
    if kind != "unary":
        return "bool"
    return "bool" if children[0].data == "unary_not" else type_of(children[1], scope)


def _arithmetic(left: str, right: str) -> str:
    known = {left, right} - {"dyn", ""}
    if len(known) == 1 and known <= {*_NUMBERS, "string", "list"}:
        return known.pop()
    return "dyn" if {left, right} == {"dyn"} else ""


def _leaf(kind: str, children: list[Any], scope: Scope) -> str:
    if kind == "literal":
        return _LITERALS.get(children[0].type, "")
    if kind == "ident":
        return scope.get(str(children[0]), "")
    if kind in ("ident_arg", "member_dot_arg"):
        return _FUNCTIONS.get(str(children[0]), "") if kind == "ident_arg" else _METHODS.get(str(children[1]), "")
    if kind == "member_dot":
        path = f"{_word(children[0])}.{children[1]}"
        return scope.get(path) or ("dyn" if type_of(children[0], scope) == "dyn" else "")
    if kind == "member_index":
        return "dyn" if type_of(children[0], scope) == "dyn" else ""
    return {"list_lit": "list", "map_lit": "map"}.get(kind, "")


def _word(node: Any) -> str:
    """Return the name a node consists of, or an empty string."""
    while len(getattr(node, "children", [])) == 1 and node.data != "ident":
        node = node.children[0]
    return str(node.children[0]) if getattr(node, "data", "") == "ident" else ""


def operand_faults(tree: Any, scope: Scope) -> Iterator[str]:
    """Yield what is wrong with operands whose types do not fit."""
    for kind in ("conditionaland", "conditionalor"):
        for node in tree.find_data(kind):
            for operand in node.children if len(node.children) > 1 else []:
                found = type_of(operand, scope)
                if found not in ("", "bool", "dyn"):
                    yield f"expected bool, found {found}"
    for node in tree.find_data("relation"):
        if len(node.children) > 1:
            yield from _comparison(node, scope)


def _comparison(node: Any, scope: Scope) -> Iterator[str]:
    operator = str(node.children[0].data)
    left, right = type_of(node.children[0].children[0], scope), type_of(node.children[1], scope)
    if operator == "relation_in":
        if right not in ("", "dyn", "list", "map"):
            yield f"no matching overload for in: {right} holds nothing"
        return
    typed = {left, right}
    if len(typed) > 1 and not typed & {"", "dyn", "null_type"} and not typed <= _NUMBERS:
        yield f"no matching overload: {left} and {right} cannot be compared"
