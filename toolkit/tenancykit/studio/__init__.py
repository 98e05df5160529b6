"""The studio: the whole path from question to decision as one page of widgets, and the workshop around it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenancykit.studio.app import Studio
    from tenancykit.studio.session import Session

__all__ = ["Session", "Studio"]

_ROOMS = {"Studio": "tenancykit.studio.app", "Session": "tenancykit.studio.session"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a session needs no widgets, and the package imports in no time."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'tenancykit.studio' has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS[name]), name)
