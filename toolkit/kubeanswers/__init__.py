"""What a Kubernetes cluster would answer, offline, with a reason: it knows objects, and nothing of who owns them.

import kubeanswers as ka

found = ka.read_objects("manifests/")
ka.can_i(found.objects, "get", "secrets", "payments", user="jane")
ka.reach(found.objects, ka.ReachQuestion(...))
ka.validate_text(text, "1.37")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubeanswers.objects import ObjectSet, from_dicts
    from kubeanswers.questions import ReachQuestion, can_i, may_write, reach
    from kubeanswers.reading import Reading, read_objects
    from kubeanswers.scheduling.dump import place_dump
    from kubeanswers.validation.schema import validate_object, validate_text, validate_update

_HOLDS = {
    "ObjectSet": "objects",
    "ReachQuestion": "questions",
    "Reading": "reading",
    "can_i": "questions",
    "from_dicts": "objects",
    "may_write": "questions",
    "place_dump": "scheduling.dump",
    "reach": "questions",
    "read_objects": "reading",
    "validate_object": "validation.schema",
    "validate_text": "validation.schema",
    "validate_update": "validation.schema",
}
"""Module of each public name."""

__all__ = [
    "ObjectSet",
    "ReachQuestion",
    "Reading",
    "can_i",
    "from_dicts",
    "may_write",
    "place_dump",
    "reach",
    "read_objects",
    "validate_object",
    "validate_text",
    "validate_update",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOLDS:
        raise AttributeError(f"module 'kubeanswers' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"kubeanswers.{_HOLDS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
