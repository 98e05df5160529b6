"""A CEL evaluator with what Kubernetes adds to the language.

Why our own: the CEL packages on PyPI parse neither optional selection (``a.?b``) nor two-variable macros, so that
policies in daily use would all be undecided.  The test suite compares this one with ``cel-python`` on what both know.
"""

from __future__ import annotations

from kubeanswers.cel.check import result_type
from kubeanswers.cel.interpret import Interpreter
from kubeanswers.cel.syntax import CelSyntaxError, Node, parse
from kubeanswers.cel.types import Type
from kubeanswers.cel.values import CelCostError, CelError, CelUndecidedError

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
