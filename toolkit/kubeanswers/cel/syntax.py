"""CEL text to a syntax tree, with the optional syntax Kubernetes turns on (``a.?b``, ``a[?b]``, ``[?x]``, ``{?k: v}``).

Grammar: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number

T = TypeVar("T")


class CelSyntaxError(Exception):
    """The text is no CEL expression; the API server refuses the policy that holds it."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """``operand.field``; optional for ``operand.?field``."""

    operand: Node
    field: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """``operand[key]``; optional for ``operand[?key]``."""

    operand: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)`` or ``target.function(arguments)``; operators are calls named by their sign."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """``[a, ?b]``: items and whether each is optional."""

    items: tuple[tuple[Node, bool], ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """``{k: v, ?k: v}``: entries and whether each is optional."""

    entries: tuple[tuple[Node, Node, bool], ...]


Node = Literal | Name | Select | Index | Call | ListOf | MapOf


class Unsigned(int):
    """A CEL ``uint``."""


_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<float>(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
    |(?P<int>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]?)
    |(?P<string>(?P<prefix>[rRbB]{0,2})(?P<quote>'''|\"\"\"|'|"))
    |(?P<ident>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
    |(?P<op>\|\||&&|<=|>=|==|!=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
RESERVED: Final = _RESERVED | {"true", "false", "null", "in"}
"""Words that cannot name a variable."""

_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SAME: Final = "\\?\"'`"
_MAX_DEPTH: Final = 100

Token = tuple[str, Any, int]


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise CelSyntaxError(f"unexpected character {text[place]!r} at {place + 1}")
        start, place = place, match.end()
        kind = match.lastgroup
        if match["space"] is not None:
            continue
        if match["string"] is not None:
            value, place = _string(text, match.end(), match["prefix"].lower(), match["quote"])
            found.append(("literal", value, start))
        elif match["float"] is not None:
            found.append(("literal", float(match["float"]), start))
        elif match["int"] is not None:
            found.append(("literal", _integer(match["int"]), start))
        elif match["quoted"] is not None:
            found.append(("quoted", match["quoted"][1:-1], start))
        else:
            found.append((str(kind), match[0], start))
    return [*found, ("end", "", len(text))]


def _integer(text: str) -> int:
    digits = text.rstrip("uU")
    value = int(digits, 16) if digits[:2].lower() == "0x" else whole_number(digits)
    if value is not None and digits != text:
        return Unsigned(value)
    if value is None or value > 2**63:  # one more than fits: its negative does
        raise CelSyntaxError(f"integer {text} is out of range")
    return value


def _string(text: str, place: int, prefix: str, quote: str) -> tuple[str | bytes, int]:
    raw, made = "r" in prefix, []
    while not text.startswith(quote, place):
        if place >= len(text) or (text[place] == "\n" and len(quote) == 1):
            raise CelSyntaxError("a string is not closed")
        if text[place] == "\\" and not raw:
            part, place = _escape(text, place + 1, as_bytes="b" in prefix)
            made.append(part)
        else:
            made.append(text[place])
            place += 1
    joined = "".join(made)
    if "b" not in prefix:
        return joined, place + len(quote)
    return b"".join(bytes([ord(c) - 0xE000]) if 0xE000 <= ord(c) < 0xE100 else c.encode() for c in joined), place + len(
        quote
    )


def _escape(text: str, place: int, *, as_bytes: bool) -> tuple[str, int]:
    sign = text[place : place + 1]
    if sign in _ESCAPES:
        return _ESCAPES[sign], place + 1
    if sign and sign in _SAME:
        return sign, place + 1
    match = re.compile(r"[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})").match(text, place)
    if match is None:
        raise CelSyntaxError(f"unknown escape \\{sign}")
    code = int(match[4], 8) if match[4] else int(match[1] or match[2] or match[3], 16)
    shift = 0xE000 if as_bytes and (match[1] or match[4]) else 0  # single bytes are kept apart from characters
    return chr(code + shift), match.end()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.place = 0
        self.depth = 0

    def peek(self, *values: str) -> bool:
        kind, value, _ = self.tokens[self.place]
        return kind in ("op", "ident") and value in values

    def take(self, *values: str) -> str | None:
        if self.peek(*values):
            self.place += 1
            return str(self.tokens[self.place - 1][1])
        return None

    def need(self, value: str) -> None:
        if not self.take(value):
            _, found, place = self.tokens[self.place]
            raise CelSyntaxError(f"expected {value!r} at {place + 1}, found {str(found) or 'the end'!r}")

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise CelSyntaxError("the expression is nested too deeply")
        condition = self.binary(0)
        if self.take("?"):
            yes = self.binary(0)
            self.need(":")
            condition = Call("?:", None, (condition, yes, self.expression()))
        self.depth -= 1
        return condition

    _LEVELS: Final = (("||",), ("&&",), ("<", "<=", ">=", ">", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))

    def binary(self, level: int) -> Node:
        if level == len(self._LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while sign := self.take(*self._LEVELS[level]):
            right = self.binary(level + 1)
            if level < 2 and isinstance(left, Call) and left.function == sign and left.target is None:
                left = Call(sign, None, (*left.arguments, right))  # a long chain stays shallow
            else:
                left = Call(sign, None, (left, right))
        return left

    def unary(self) -> Node:
        if self.take("!"):
            return Call("!", None, (self.unary(),))
        if self.take("-"):
            inner = self.unary()
            if (
                isinstance(inner, Literal)
                and isinstance(inner.value, int | float)
                and not isinstance(inner.value, bool | Unsigned)
            ):
                return Literal(-inner.value)
            return Call("-_", None, (inner,))
        return self.member()

    def member(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                optional = bool(self.take("?"))
                field = self.field()
                if not optional and self.take("("):
                    node = Call(field, node, self.arguments(")"))
                else:
                    node = Select(node, field, optional)
            elif self.take("["):
                optional = bool(self.take("?"))
                node = Index(node, self.expression(), optional)
                self.need("]")
            else:
                return node

    def field(self) -> str:
        kind, value, place = self.tokens[self.place]
        if kind not in ("ident", "quoted"):
            raise CelSyntaxError(f"expected a field name at {place + 1}")
        self.place += 1
        return str(value)

    def primary(self) -> Node:
        kind, value, place = self.tokens[self.place]
        if kind == "literal":
            self.place += 1
            return Literal(value)
        if self.take("("):
            node = self.expression()
            self.need(")")
            return node
        if self.take("["):
            return self.list_of()
        if self.take("{"):
            return self.map_of()
        self.take(".")
        kind, value, place = self.tokens[self.place]
        if kind != "ident" or value in _RESERVED or value == "in":
            raise CelSyntaxError(f"unexpected {str(value) or 'end'!r} at {place + 1}")
        self.place += 1
        if value in ("true", "false", "null"):
            return Literal({"true": True, "false": False, "null": None}[value])
        return Call(value, None, self.arguments(")")) if self.take("(") else Name(value)

    def arguments(self, close: str) -> tuple[Node, ...]:
        return tuple(self.listed(close, self.expression))

    def list_of(self) -> Node:
        def item() -> tuple[Node, bool]:
            optional = bool(self.take("?"))
            return self.expression(), optional

        return ListOf(tuple(self.listed("]", item)))

    def map_of(self) -> Node:
        def entry() -> tuple[Node, Node, bool]:
            optional = bool(self.take("?"))
            key = self.expression()
            self.need(":")
            return key, self.expression(), optional

        return MapOf(tuple(self.listed("}", entry)))

    def listed(self, close: str, one: Callable[[], T]) -> list[T]:
        found: list[T] = []
        while not self.take(close):
            found.append(one())
            if not self.take(","):
                self.need(close)
                break
        return found


def dotted(node: Node) -> str:
    """Return ``a.b.c`` where a node is nothing but names and selections, else an empty text."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select) and not node.optional:
        head = dotted(node.operand)
        return f"{head}.{node.field}" if head else ""
    return ""


def parse(text: str) -> Node:
    """Return the syntax tree of an expression.

    Raises:
        CelSyntaxError: the text is no expression.
    """
    parser = _Parser(text)
    try:
        node = parser.expression()
    except RecursionError:
        raise CelSyntaxError("the expression is nested too deeply") from None
    kind, value, place = parser.tokens[parser.place]
    if kind != "end":
        raise CelSyntaxError(f"unexpected {value!r} at {place + 1}")
    return node
