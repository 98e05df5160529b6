"""RE2 patterns, as CEL has them, to Python's.

The two agree on most of what policies use.  What RE2 refuses (look-around, back-references, possessive repetition) is
refused here; what Python reads differently is rewritten, or left undecided.
Syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import Final

from kubeanswers.cel.values import CelError, CelUndecidedError

_CLASSES: Final = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\t\n\v\f\r ",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "word": "0-9A-Za-z_",
    "blank": r"\t ",
}
_LETTERS: Final = frozenset("aftnrvdDsSwWbBAzx")
_UNLIKE: Final = frozenset("pPQEC")
_SPACE: Final = r"\t\n\f\r "
_GROUP: Final = re.compile(r"\(\?(?:(?P<open>:|P<\w+>|<\w+>)|(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[):]))")
_REPEAT: Final = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_MOST_REPEATS: Final = 1000


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return an RE2 pattern as a Python one.

    Raises:
        CelError: RE2 would not take the pattern.
        CelUndecidedError: it uses something that means something else in Python.
    """
    text = _Translation(pattern).run()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python finds odd in a character class is plain to RE2
            return re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise CelError(f"error parsing regexp: {error}") from None


class _Translation:
    """One pass over a pattern; ``flags`` holds, per open group, the flags switched on inside it."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.place = 0
        self.made: list[str] = []
        self.flags: list[list[str]] = [[]]
        self.repeatable = False
        self.multiline = re.search(r"\(\?[isU]*m", pattern) is not None

    def run(self) -> str:
        while self.place < len(self.pattern):
            self._step(self.pattern[self.place])
        return "".join(self.made) + ")" * len(self.flags[0])

    def _emit(self, text: str, taken: int, *, repeatable: bool) -> None:
        self.made.append(text)
        self.place += taken
        self.repeatable = repeatable

    def _step(self, sign: str) -> None:
        match sign:
            case "\\":
                self._escape()
            case "[":
                self._class()
            case "(":
                self._group()
            case ")":
                closed = self.flags.pop() if len(self.flags) > 1 else []
                self._emit(")" * len(closed) + ")", 1, repeatable=True)
            case "|":
                again = self.flags[-1]
                self._emit(")" * len(again) + "|" + "".join(again), 1, repeatable=False)
            case "*" | "+" | "?" | "{":
                self._repeat(sign)
            case "$" if not self.multiline:
                self._emit(r"\Z", 1, repeatable=False)
            case _:
                self._emit(sign, 1, repeatable=True)

    def _escape(self, *, inside: bool = False) -> None:
        sign = self.pattern[self.place + 1 : self.place + 2]
        if sign in _UNLIKE:
            raise CelUndecidedError(f"the regular expression uses \\{sign}, which Python reads differently")
        braced = re.compile(r"\\x\{([0-9a-fA-F]{1,6})\}").match(self.pattern, self.place)
        if braced and int(braced[1], 16) <= 0x10FFFF:
            self._emit(f"\\U{int(braced[1], 16):08x}", len(braced[0]), repeatable=True)
            return
        octal = re.compile(r"\\([0-7]{2,3}|0)").match(self.pattern, self.place)
        if octal:
            self._emit(f"\\x{int(octal[1], 8) & 0xFF:02x}", len(octal[0]), repeatable=True)
            return
        if not sign or (sign.isascii() and sign.isalnum() and sign not in _LETTERS):
            raise CelError(f"error parsing regexp: invalid escape sequence: \\{sign}")
        special = {"z": r"\Z", "s": _SPACE if inside else f"[{_SPACE}]"}
        self._emit(special.get(sign, "\\" + sign), 2, repeatable=True)

    def _class(self) -> None:
        start = re.compile(r"\[\^?\]?").match(self.pattern, self.place)
        assert start is not None  # noqa: S101 - a class begins here
        self._emit(start[0].replace("]", r"\]"), len(start[0]), repeatable=False)
        while (sign := self.pattern[self.place : self.place + 1]) != "]":
            named = re.compile(r"\[:(\^?)(\w+):\]").match(self.pattern, self.place)
            if not sign:
                raise CelError("error parsing regexp: missing closing ]")
            if named and (named[1] or named[2] not in _CLASSES):
                raise CelUndecidedError(f"the regular expression uses the class {named[0]}")
            if named:
                self._emit(_CLASSES[named[2]], len(named[0]), repeatable=False)
            elif sign == "\\":
                self._escape(inside=True)
            else:
                self._emit("\\[" if sign == "[" else sign, 1, repeatable=False)
        self._emit("]", 1, repeatable=True)

    def _group(self) -> None:
        match = _GROUP.match(self.pattern, self.place)
        if match is None:
            if self.pattern.startswith("(?", self.place):
                raise CelError("error parsing regexp: invalid or unsupported Perl syntax")
            self.flags.append([])
            self._emit("(", 1, repeatable=False)
            return
        if "U" in (match["flags"] or ""):
            raise CelUndecidedError("the regular expression swaps greedy and lazy repetition")
        opened = f"(?{match['flags'] or ''}:" if match["flags"] is not None else match[0]
        if match["end"] == ")":
            self.flags[-1].append(opened)
        else:
            self.flags.append([])
            opened = opened.replace("(?<", "(?P<")
        self._emit(opened, len(match[0]), repeatable=False)

    def _repeat(self, sign: str) -> None:
        counted = _REPEAT.match(self.pattern, self.place)
        if sign == "{" and counted is None:
            self._emit(r"\{", 1, repeatable=True)
            return
        if not self.repeatable:
            raise CelError(f"error parsing regexp: missing argument to repetition operator: {sign}")
        if counted and any(int(count) > _MOST_REPEATS for count in counted.groups() if count):
            raise CelError("error parsing regexp: invalid repeat count")
        text = counted[0] if counted else sign
        lazy = self.pattern[self.place + len(text) : self.place + len(text) + 1] == "?"
        self._emit(text + "?" * lazy, len(text) + lazy, repeatable=False)
