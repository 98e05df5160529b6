"""A CEL evaluator with what Kubernetes adds to the language.

Why our own: ``cel-python`` parses neither optional selection (``a.?b``) nor two-variable macros; ``cel-expr-python``
0.1.3 compiles neither those macros nor Kubernetes' libraries: 78 of the 341 evaluations that the recorded admission
policies take (docs/decisions/0004). The test suite compares this one with ``cel-python`` on what both know.
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
