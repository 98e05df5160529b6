"""A CEL evaluator with what Kubernetes adds to the language.

Why our own: the CEL packages on PyPI parse neither optional selection (``a.?b``) nor two-variable macros, so that
policies in daily use would all be undecided.  The test suite compares this one with ``cel-python`` on what both know.
"""

from __future__ import annotations

from tenancykit.auditing.cel.check import result_type
from tenancykit.auditing.cel.interpret import Interpreter
from tenancykit.auditing.cel.syntax import CelSyntaxError, Node, parse
from tenancykit.auditing.cel.types import Type
from tenancykit.auditing.cel.values import CelCostError, CelError, CelUndecidedError

__all__ = [
    "CelCostError",
    "CelError",
    "CelSyntaxError",
    "CelUndecidedError",
    "Interpreter",
    "Node",
    "Type",
    "parse",
    "result_type",
]
