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
    from kubeanswers.errors import Fault, InputError, TenancyKitError
    from tenancykit.api import (
        admit,
        assess,
        audit,
        can_i,
        collect,
        compare,
        explore,
        export,
        load_scenario,
        own_design,
        paper,
        parse_scenario,
        place,
        prove,
        reach,
        record,
        replay,
        replay_evidence,
        validate,
        variant,
    )
    from tenancykit.catalogue.reading import Catalogue, load_catalogue
    from tenancykit.criteria.cost.trace_demand import demand
    from tenancykit.design.model import Design
    from tenancykit.examples import example
    from tenancykit.report import charts
    from tenancykit.report.sharing import share
    from tenancykit.scenario.model import Scenario
    from tenancykit.studio.app import Studio
    from tenancykit.study.assessing_gap import close_gap
    from tenancykit.study.comparison import Study
    from tenancykit.study.evaluation import Evaluation
    from tenancykit.study.proof import with_proof
    from tenancykit.study.robustness import robustness
    from tenancykit.study.serving import queue

_ELSEWHERE = {
    "Catalogue": "tenancykit.catalogue.reading",
    "Design": "tenancykit.design.model",
    "Evaluation": "tenancykit.study.evaluation",
    "Fault": "kubeanswers.errors",
    "InputError": "kubeanswers.errors",
    "Scenario": "tenancykit.scenario.model",
    "Studio": "tenancykit.studio.app",
    "Study": "tenancykit.study.comparison",
    "TenancyKitError": "kubeanswers.errors",
    "charts": "tenancykit.report.charts",
    "close_gap": "tenancykit.study.assessing_gap",
    "demand": "tenancykit.criteria.cost.trace_demand",
    "example": "tenancykit.examples",
    "load_catalogue": "tenancykit.catalogue.reading",
    "queue": "tenancykit.study.serving",
    "robustness": "tenancykit.study.robustness",
    "share": "tenancykit.report.sharing",
    "with_proof": "tenancykit.study.proof",
}
"""Modules of the names that `api` does not hold itself."""

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
    "admit",
    "assess",
    "audit",
    "can_i",
    "charts",
    "close_gap",
    "collect",
    "compare",
    "demand",
    "example",
    "explore",
    "export",
    "load_catalogue",
    "load_scenario",
    "own_design",
    "paper",
    "parse_scenario",
    "place",
    "prove",
    "queue",
    "reach",
    "record",
    "replay",
    "replay_evidence",
    "robustness",
    "share",
    "validate",
    "variant",
    "with_proof",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import tenancykit`` costs next to nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'tenancykit' has no attribute {name!r}")
    module = importlib.import_module(_ELSEWHERE.get(name, "tenancykit.api"))
    value = module if name == "charts" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
