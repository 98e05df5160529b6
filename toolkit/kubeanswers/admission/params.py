"""The parameters a policy is evaluated with, as its binding picks them.

Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubeanswers.kinds import KindTable
from kubeanswers.objects import mapping, name_of, scalar_text, text_map
from kubeanswers.selectors import Selector

NO_PARAMS: Final = "no params found for policy binding with `Deny` parameterNotFoundAction"
_NO_NAMESPACE: Final = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
_CLUSTER_SCOPED: Final = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"


class UnknownParamsError(Exception):
    """Neither a parameter nor the definition of its kind is among the objects; a cluster may have both."""


class ConfigurationError(Exception):
    """The binding's parameters cannot be had; the policy's failurePolicy decides."""


def bound_params(
    kind: Mapping[str, Any],
    ref: Mapping[str, Any],
    namespace: str,
    params: Iterable[Mapping[str, Any]],
    kinds: KindTable,
) -> list[Mapping[str, Any] | None]:
    """Return the parameters to evaluate with; one None where the policy or the binding asks for none.

    Args:
        kind: the policy's paramKind.
        ref: the binding's paramRef.
        namespace: the request's; empty for a cluster-scoped resource.
        params: every object that may be a parameter.
        kinds: says which kinds live in a namespace.

    Raises:
        ConfigurationError: there are none and the binding wants that to be a failure, or its namespace is wrong.
        UnknownParamsError: the kind is known to nobody here.
    """
    if not kind or not ref:
        return [None]
    group = scalar_text(kind.get("apiVersion")).rpartition("/")[0]
    alike = [p for p in params if p.get("apiVersion") == kind.get("apiVersion") and p.get("kind") == kind.get("kind")]
    entry = kinds.find(group, scalar_text(kind.get("kind")))
    if entry is None and not alike:
        raise UnknownParamsError(f"no {kind.get('kind')} is among the objects, nor what defines it")
    wanted = scalar_text(ref.get("namespace"))
    if entry.namespaced if entry is not None else any(map(_namespace, alike)):
        if not (wanted or namespace):
            raise ConfigurationError(_NO_NAMESPACE)
        alike = [p for p in alike if _namespace(p) == (wanted or namespace)]
    elif wanted:
        raise ConfigurationError(_CLUSTER_SCOPED)
    found = [p for p in alike if _picked(p, ref)]
    if not found and ref.get("parameterNotFoundAction") != "Allow":
        raise ConfigurationError(NO_PARAMS)
    return [*sorted(found, key=name_of)]


def _picked(param: Mapping[str, Any], ref: Mapping[str, Any]) -> bool:
    if ref.get("name"):
        return name_of(param) == scalar_text(ref["name"])
    return Selector.of(ref.get("selector")).matches(text_map(mapping(param.get("metadata")).get("labels")))


def _namespace(data: Mapping[str, Any]) -> str:
    return scalar_text(mapping(data.get("metadata")).get("namespace"))
