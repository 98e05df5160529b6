"""The one door through which results draw themselves; the report room says how each type looks."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import singledispatch
from typing import Any

_late: list[Callable[[], None]] = []


def drawn_by(register: Callable[[], None]) -> None:
    """Have forms registered when something without a form is first drawn, rather than when it is made."""
    _late.append(register)


def _registers_more() -> bool:
    """Let those who promised forms register them; returns whether anybody had."""
    waiting = list(_late)
    _late.clear()
    for register in waiting:
        register()
    return bool(waiting)


@singledispatch
def html_of(result: object) -> str:
    """Return a result as self-contained HTML (no request to any host); types register their own form."""
    return html_of(result) if _registers_more() else f"<pre>{html.escape(repr(result))}</pre>"


@singledispatch
def text_of(result: object) -> str:
    """Return a result as plain text for terminals and for notebooks without HTML."""
    return text_of(result) if _registers_more() else repr(result)


@singledispatch
def picture_of(result: object) -> Any:
    """Return the one picture that says most about a result; types register their own.

    Raises:
        NotImplementedError: the type has no picture.
    """
    if _registers_more():
        return picture_of(result)
    raise NotImplementedError(f"{type(result).__name__} has no picture of its own")


class Drawable:
    """A result that shows itself in a notebook, with a plain-text form beside the picture."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - Jupyter's signature
        return {"text/html": html_of(self), "text/plain": text_of(self)}

    def plot(self) -> Any:
        """Return the one picture that says most about the result, as static SVG with its figures beside it."""
        return picture_of(self)
