"""Design Kubernetes tenancy for AI platforms: compare, explain, decide, export, prove.

import tenancykit as tk

scenario = tk.load_scenario("ml-platform")
study = tk.compare(scenario)
study.best.explain("isolation")
tk.export(study.best, "out/")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenancykit.errors import Fault, InputError, TenancyKitError
    from tenancykit.face import (
        Catalogue,
        Design,
        Evaluation,
        Scenario,
        Study,
        audit,
        can_i,
        compare,
        example,
        export,
        load_catalogue,
        load_scenario,
        own_design,
        parse_scenario,
        place,
        reach,
        record,
        variant,
    )

__version__ = "0.1.0"

_ERRORS = ("Fault", "InputError", "TenancyKitError")

__all__ = [
    "Catalogue",
    "Design",
    "Evaluation",
    "Fault",
    "InputError",
    "Scenario",
    "Study",
    "TenancyKitError",
    "audit",
    "can_i",
    "compare",
    "example",
    "export",
    "load_catalogue",
    "load_scenario",
    "own_design",
    "parse_scenario",
    "place",
    "reach",
    "record",
    "variant",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import tenancykit`` costs next to nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'tenancykit' has no attribute {name!r}")
    module = importlib.import_module("tenancykit.errors" if name in _ERRORS else "tenancykit.face")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
