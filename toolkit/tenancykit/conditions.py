"""The closed grammar of ``when:`` in the catalogue, parsed once into a value and never evaluated as code.

    condition  = term { "or" term }
    term       = factor { "and" factor }
    factor     = "not" factor | "(" condition ")" | "always" | "never" | atom
    atom       = letters, digits, "_", "-", ".", ":" (an option id, a trait it provides, a fact of a class)

An atom is true when it belongs to the facts of the design; over arrays of designs each atom is a boolean array.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from kubeanswers.records import dataclass

if TYPE_CHECKING:
    import numpy as np

_TOKEN: Final = re.compile(r"\s*(?:(?P<paren>[()])|(?P<word>[A-Za-z0-9_][A-Za-z0-9_.:\-]*))")
_RESERVED: Final = frozenset({"and", "or", "not", "always", "never"})


@dataclass(frozen=True)
class Condition:
    """A boolean function of facts.

    Attributes:
        kind: ``atom``, ``and``, ``or``, ``not``, ``always`` or ``never``.
        atom: the fact's name, for kind ``atom``.
        parts: operands, for ``and``, ``or`` and ``not``.
    """

    kind: str
    atom: str = ""
    parts: tuple[Condition, ...] = ()

    def holds(self, facts: AbstractSet[str]) -> bool:
        """Return whether the condition holds where exactly ``facts`` are true."""
        kind = self.kind
        if kind == "atom":
            return self.atom in facts
        if kind in ("and", "or"):
            # Loops and atoms in place: generators and calls would take most of the time of a million conditions.
            decides = kind == "or"
            for part in self.parts:
                if (part.atom in facts if part.kind == "atom" else part.holds(facts)) == decides:
                    return decides
            return not decides
        if kind == "not":
            return not self.parts[0].holds(facts)
        return kind == "always"

    def holds_over(self, facts: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        """Return a boolean array: for each of ``size`` designs, whether the condition holds.

        Args:
            facts: boolean array of length ``size`` per atom; an absent atom is false everywhere.
            size: number of designs.
        """
        import numpy as np  # noqa: PLC0415 - keeps the catalogue light for callers that never sweep

        if self.kind == "atom":
            found = facts.get(self.atom)
            return np.zeros(size, dtype=bool) if found is None else found
        if self.kind in ("and", "or"):
            join: Callable[[np.ndarray, np.ndarray], np.ndarray] = (
                np.logical_and if self.kind == "and" else np.logical_or
            )
            result = self.parts[0].holds_over(facts, size)
            for part in self.parts[1:]:
                result = join(result, part.holds_over(facts, size))
            return result
        if self.kind == "not":
            negated: np.ndarray = np.logical_not(self.parts[0].holds_over(facts, size))
            return negated
        return np.full(size, self.kind == "always")

    def atoms(self) -> frozenset[str]:
        """Return every fact the condition reads."""
        if self.kind == "atom":
            return frozenset({self.atom})
        return frozenset().union(*(part.atoms() for part in self.parts))

    def required(self) -> frozenset[str]:
        """Return facts without which the condition cannot hold: a quick first look, which may pass what then fails."""
        if self.kind == "atom":
            return frozenset({self.atom})
        parts = [part.required() for part in self.parts]
        if self.kind == "and":
            return frozenset().union(*parts)
        return parts[0].intersection(*parts[1:]) if self.kind == "or" else frozenset()

    def __str__(self) -> str:
        if self.kind == "atom":
            return self.atom
        if self.kind == "not":
            inner = self.parts[0]
            return f"not ({inner})" if inner.kind in ("and", "or") else f"not {inner}"
        if self.kind in ("and", "or"):
            return f" {self.kind} ".join(f"({p})" if p.kind in ("and", "or") else str(p) for p in self.parts)
        return self.kind


ALWAYS: Final = Condition("always")


@lru_cache(maxsize=8192)
def parse_condition(text: str) -> Condition:
    """Return the condition written in ``text``.

    Raises:
        ValueError: the text is not of the grammar; names the place.
    """
    words = list(_words(text))
    if not words:
        raise ValueError("an empty condition; write 'always' or name facts joined by and, or, not")
    parser = _Parser(words, text)
    result = parser.condition()
    if parser.position < len(words):
        raise ValueError(f"unexpected {words[parser.position]!r} in condition {text!r}; join facts with and, or")
    return result


def _words(text: str) -> Iterator[str]:
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise ValueError(f"unexpected {stripped[position:].strip()[:1]!r} in condition {text!r}")
        yield match["paren"] or match["word"]
        position = match.end()


class _Parser:
    def __init__(self, words: list[str], text: str) -> None:
        self.words = words
        self.text = text
        self.position = 0

    def _take(self, word: str) -> bool:
        if self.position < len(self.words) and self.words[self.position] == word:
            self.position += 1
            return True
        return False

    def condition(self) -> Condition:
        return self._chain("or", lambda: self._chain("and", self.factor))

    def _chain(self, word: str, operand: Callable[[], Condition]) -> Condition:
        parts = [operand()]
        while self._take(word):
            parts.append(operand())
        return parts[0] if len(parts) == 1 else Condition(word, parts=tuple(parts))

    def factor(self) -> Condition:
        if self._take("not"):
            return Condition("not", parts=(self.factor(),))
        if self._take("("):
            inner = self.condition()
            if not self._take(")"):
                raise ValueError(f"a bracket is not closed in condition {self.text!r}")
            return inner
        if self.position >= len(self.words):
            raise ValueError(f"condition {self.text!r} ends too early; a fact is missing")
        word = self.words[self.position]
        if word in ("and", "or", ")"):
            raise ValueError(f"unexpected {word!r} in condition {self.text!r}; a fact is missing before it")
        self.position += 1
        return Condition(word) if word in _RESERVED else Condition("atom", atom=word)
