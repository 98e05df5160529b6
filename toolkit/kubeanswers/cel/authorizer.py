"""The ``authorizer`` variable: access checks from within an expression.

Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any, ClassVar, Final

from kubeanswers.cel.formats import FORMATS
from kubeanswers.cel.values import CelError
from kubeanswers.records import dataclass

Ask = Callable[[Mapping[str, str]], tuple[bool, str]]
"""Answers a check given as fields: verb and path, or verb, group, resource, subresource, name, namespace, user."""

_PREFIX: Final = "kubernetes.authorization"


@dataclass(frozen=True)
class Decision:
    """The result of a check."""

    type_name: ClassVar[str] = f"{_PREFIX}.Decision"
    allowed: bool
    reason: str

    def cel_call(self, name: str, arguments: list[Any]) -> Any:
        """Answer ``allowed()``, ``reason()``, ``errored()`` or ``error()``."""
        if arguments or name not in ("allowed", "reason", "errored", "error"):
            raise CelError("no such overload")
        return {"allowed": self.allowed, "reason": self.reason, "errored": False, "error": ""}[name]


_STEPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Authorizer": {"path": "PathCheck", "group": "GroupCheck"},
    "GroupCheck": {"resource": "ResourceCheck"},
    "ResourceCheck": dict.fromkeys(
        ("subresource", "namespace", "name", "fieldSelector", "labelSelector"), "ResourceCheck"
    ),
    "PathCheck": {},
}
"""What may be said at each stage of a check, and the stage it leads to."""


@dataclass(frozen=True)
class Check:
    """A check being put together: ``authorizer.group(g).resource(r).namespace(n).check(v)``.

    RBAC rules do not look at what a request selects, so selectors change no answer given here.
    """

    ask: Ask
    fields: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, str] = field(default_factory=dict)
    stage: str = "Authorizer"

    @property
    def type_name(self) -> str:
        """The name CEL has for the stage."""
        return f"{_PREFIX}.{self.stage}"

    def cel_field(self, name: str) -> Any:
        """Return ``authorizer.requestResource``."""
        if name != "requestResource" or not self.request:
            raise CelError(f"no such key: {name}")
        return replace(self, fields=self.request, stage="ResourceCheck")

    def cel_call(self, name: str, arguments: list[Any]) -> Any:
        """Answer one step of the chain."""
        if not all(isinstance(argument, str) for argument in arguments):
            raise CelError("no such overload")
        if name == "check" and len(arguments) == 1 and self.stage in ("PathCheck", "ResourceCheck"):
            return Decision(*self.ask({**self.fields, "verb": arguments[0]}))
        if name == "serviceAccount" and len(arguments) == 2 and self.stage == "Authorizer":
            namespace, account = arguments
            if FORMATS["dns1123Subdomain"](account) or FORMATS["dns1123Label"](namespace):
                raise CelError("Invalid service account name or namespace")
            return replace(self, fields={**self.fields, "user": f"system:serviceaccount:{namespace}:{account}"})
        following = _STEPS[self.stage].get(name)
        if following is None or len(arguments) != 1:
            raise CelError("no such overload")
        if name in ("path", "resource") and not arguments[0].strip():
            raise CelError(f"{name} must not be empty")
        return replace(self, fields={**self.fields, name: arguments[0]}, stage=following)
