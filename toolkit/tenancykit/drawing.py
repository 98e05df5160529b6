"""The one door through which results draw themselves; the report room says how each type looks."""

from __future__ import annotations

import html
from functools import singledispatch
from typing import Any


@singledispatch
def html_of(result: object) -> str:
    """Return a result as self-contained HTML (no request to any host); types register their own form."""
    return f"<pre>{html.escape(repr(result))}</pre>"


@singledispatch
def text_of(result: object) -> str:
    """Return a result as plain text for terminals and for notebooks without HTML."""
    return repr(result)


@singledispatch
def picture_of(result: object) -> Any:
    """Return the one picture that says most about a result; types register their own.

    Raises:
        NotImplementedError: the type has no picture.
    """
    raise NotImplementedError(f"{type(result).__name__} has no picture of its own")


class Drawable:
    """A result that shows itself in a notebook, with a plain-text form beside the picture."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - Jupyter's signature
        return {"text/html": html_of(self), "text/plain": text_of(self)}

    def plot(self) -> Any:
        """Return the one picture that says most about the result, as static SVG with its figures beside it."""
        return picture_of(self)
