"""The ``authorizer`` variable: access checks from within an expression.

Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from tenancykit.auditing.cel.values import CelError, CelUndecidedError

Ask = Callable[[Mapping[str, str]], tuple[bool, str]]
"""Answers a check given as fields: verb and path, or verb, group, resource, subresource, name, namespace, user."""


@dataclass(frozen=True)
class Decision:
    """The result of a check."""

    type_name: ClassVar[str] = "kubernetes.authorization.Decision"
    allowed: bool
    reason: str

    def cel_call(self, name: str, arguments: list[Any]) -> Any:
        """Answer ``allowed()``, ``reason()``, ``errored()`` or ``error()``."""
        if arguments or name not in ("allowed", "reason", "errored", "error"):
            raise CelError("no such overload")
        return {"allowed": self.allowed, "reason": self.reason, "errored": False, "error": ""}[name]


_STEPS: Mapping[str, str] = {"subresource": "subresource", "namespace": "namespace", "name": "name"}


@dataclass(frozen=True)
class Check:
    """A check being put together: ``authorizer.group(g).resource(r).namespace(n).check(v)``."""

    type_name: ClassVar[str] = "kubernetes.authorization.Authorizer"
    ask: Ask
    fields: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, str] | None = None

    def _with(self, **more: str) -> Check:
        return replace(self, fields={**self.fields, **more})

    def cel_field(self, name: str) -> Any:
        """Return ``authorizer.requestResource``."""
        if name != "requestResource" or self.request is None:
            raise CelError(f"no such key: {name}")
        return replace(self, fields={**self.fields, **self.request}, request=None)

    def cel_call(self, name: str, arguments: list[Any]) -> Any:
        """Answer one step of the chain."""
        if not all(isinstance(argument, str) for argument in arguments):
            raise CelError("no such overload")
        match name, len(arguments):
            case ("path", 1):
                return self._with(path=arguments[0])
            case ("group", 1):
                return self._with(group=arguments[0])
            case ("resource", 1):
                return self._with(resource=arguments[0])
            case ("serviceAccount", 2):
                return self._with(user=f"system:serviceaccount:{arguments[0]}:{arguments[1]}")
            case ("check", 1):
                allowed, reason = self.ask({**self.fields, "verb": arguments[0]})
                return Decision(allowed, reason)
            case ("fieldSelector" | "labelSelector", _):
                raise CelUndecidedError(f"{name} narrows a check by what requests select, which RBAC rules cannot say")
        if name in _STEPS and len(arguments) == 1:
            return self._with(**{_STEPS[name]: arguments[0]})
        raise CelError("no such overload")
