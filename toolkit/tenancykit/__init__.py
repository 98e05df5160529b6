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

from tenancykit.version import __version__

if TYPE_CHECKING:
    from tenancykit.errors import Fault, InputError, TenancyKitError
    from tenancykit.face import (
        Catalogue,
        Design,
        Evaluation,
        Scenario,
        Study,
        assess,
        audit,
        can_i,
        charts,
        close_gap,
        compare,
        example,
        explore,
        export,
        load_catalogue,
        load_scenario,
        own_design,
        parse_scenario,
        place,
        prove,
        reach,
        record,
        replay,
        replay_evidence,
        robustness,
        variant,
        with_proof,
    )
    from tenancykit.studio.app import Studio

_ELSEWHERE = {
    "Fault": "tenancykit.errors",
    "InputError": "tenancykit.errors",
    "TenancyKitError": "tenancykit.errors",
    "Studio": "tenancykit.studio.app",
}
"""Modules of the names that the public face does not hold itself."""

__all__ = [
    "Catalogue",
    "Design",
    "Evaluation",
    "Fault",
    "InputError",
    "Scenario",
    "Studio",
    "Study",
    "TenancyKitError",
    "__version__",
    "assess",
    "audit",
    "can_i",
    "charts",
    "close_gap",
    "compare",
    "example",
    "explore",
    "export",
    "load_catalogue",
    "load_scenario",
    "own_design",
    "parse_scenario",
    "place",
    "prove",
    "reach",
    "record",
    "replay",
    "replay_evidence",
    "robustness",
    "variant",
    "with_proof",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import tenancykit`` costs next to nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'tenancykit' has no attribute {name!r}")
    value = getattr(importlib.import_module(_ELSEWHERE.get(name, "tenancykit.face")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
