"""What is printed cannot steer a terminal: control, format and direction characters are shown as their numbers.

One rule for results, for messages and for what servers say: the streams are wrapped once, where a command starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TextIO

_STEERING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's general categories Cc, Cf, Cs, Zl and Zp, but for line end and tab (a test compares)."""
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet begins a formula with, full-width signs too (OWASP, CSV Injection); apostrophes may be ours."""
_NO_CHARACTERS: Final = {0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
"""What XML cannot hold although Unicode calls it no control character."""


def escaped(text: str) -> str:
    """Return text that is harmless on a terminal; what it holds of JSON stays the same JSON."""
    return _STEERING.sub(lambda found: _number(found[0]), text)


def xml_text(text: str) -> str:
    """Return text, or a document, that XML can hold: what would steer a terminal as its numbers."""
    return escaped(text).translate(_NO_CHARACTERS)


def cell(text: str) -> str:
    """Return a text as a cell of a CSV file that no spreadsheet runs as a formula; :func:`of_cell` takes it back."""
    return f"'{text}" if _FORMULA.match(text) else text


def of_cell(text: str) -> str:
    """Return the text that :func:`cell` wrote."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def one_line(text: str) -> str:
    """Return text that is harmless and stays on its line, however many lines it had."""
    return escaped("; ".join(text.split("\n")).replace("\t", " "))


def _number(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return f"\\x{code:02x}"  # JSON has no such character that is not escaped already
    if code > 0xFFFF:
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"


class Escaping:
    """A stream that shows what would steer a terminal; for everything else it is the stream below it.

    Attributes:
        unescaped: the stream below, for a line that is drawn over.
    """

    def __init__(self, stream: TextIO) -> None:
        self.unescaped = stream

    def write(self, text: str) -> int:
        """Write text, escaped."""
        self.unescaped.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unescaped, name)


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number of things, in the singular or plural (``1 design``, ``1,125 designs``)."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
