"""ValidatingAdmissionPolicy: which requests it refuses, evaluated over manifests.

Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Final

from kubeanswers.access.rbac import AUTHENTICATED, AccessRules, Request, service_account_groups
from kubeanswers.admission.match import matches_constraints, needs_conversion
from kubeanswers.admission.params import ConfigurationError, UnknownParamsError, bound_params
from kubeanswers.admission.request import AdmissionAnswer, AdmissionRequest, Refusal
from kubeanswers.cel import CelCostError, CelError, CelSyntaxError, CelUndecidedError, Interpreter, Node, parse
from kubeanswers.cel.authorizer import Check
from kubeanswers.cel.values import type_name
from kubeanswers.kinds import KindTable, builtin_kinds
from kubeanswers.objects import mapping, mappings, name_of, scalar_text, texts
from kubeanswers.records import dataclass

_CODES: Final = {"Unauthorized": 401, "Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413}
_LONGEST_MESSAGE: Final = 5 * 1024
_FAILS: Final = (CelError, CelCostError, CelSyntaxError)
_DENY: Final = frozenset({"Deny"})


@dataclass(frozen=True)
class AdmissionPolicies:
    """Policies with what they may look at.

    Attributes:
        policies: ValidatingAdmissionPolicy objects.
        bindings: ValidatingAdmissionPolicyBinding objects.
        namespaces: Namespace objects by name.
        params: objects that paramRefs may name.
        access: RBAC rules for the ``authorizer`` variable.
        kinds: which kinds there are.
    """

    policies: Sequence[Mapping[str, Any]]
    bindings: Sequence[Mapping[str, Any]]
    namespaces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    params: Sequence[Mapping[str, Any]] = ()
    access: AccessRules | None = None
    kinds: KindTable = field(default_factory=builtin_kinds, repr=False)
    _parsed: dict[str, Node] = field(default_factory=dict, repr=False)

    def review(self, request: AdmissionRequest) -> AdmissionAnswer:
        """Return what every bound policy says of the request."""
        found: list[Refusal] = []
        for policy, binding in self._bound:
            if self._applies(policy, binding, request):
                found.extend(self._one(policy, binding, request))
        return AdmissionAnswer(tuple(found))

    @cached_property
    def _bound(self) -> tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]:
        """Each policy with each binding that names it, by their names."""
        by_policy: dict[str, list[Mapping[str, Any]]] = {}
        for binding in sorted(self.bindings, key=name_of):
            by_policy.setdefault(scalar_text(_spec(binding).get("policyName")), []).append(binding)
        return tuple(
            (policy, binding)
            for policy in sorted(self.policies, key=name_of)
            for binding in by_policy.get(name_of(policy), ())
        )

    def _applies(self, policy: Mapping[str, Any], binding: Mapping[str, Any], request: AdmissionRequest) -> bool:
        labels = mapping(mapping(self.namespaces.get(request.namespace)).get("metadata")).get("labels")
        own = mapping(_spec(policy).get("matchConstraints"))
        narrowed = mapping(_spec(binding).get("matchResources"))
        return matches_constraints(own, request, labels, needs_rules=True) and (
            not narrowed or matches_constraints(narrowed, request, labels, needs_rules=False)
        )

    def _one(
        self, policy: Mapping[str, Any], binding: Mapping[str, Any], request: AdmissionRequest
    ) -> Iterator[Refusal]:
        spec, bound = _spec(policy), _spec(binding)
        fails = spec.get("failurePolicy", "Fail") != "Ignore"
        actions = frozenset(texts(bound.get("validationActions")))
        said = Refusal(name_of(policy), name_of(binding), actions, 422, "")
        if needs_conversion(mapping(spec.get("matchConstraints")), request):
            text = f"{request.kind} is matched as another version, and is not converted here"
            yield replace(said, message=text, undecided=True)
            return
        kind, ref = mapping(spec.get("paramKind")), mapping(bound.get("paramRef"))
        try:
            params = bound_params(kind, ref, request.place, self.params, self.kinds)
        except UnknownParamsError as error:
            yield replace(said, message=f"the parameters are not known: {error}", undecided=True)
            return
        except ConfigurationError as error:
            if fails:  # whatever the binding's actions are
                yield replace(said, actions=_DENY, message=f"failed to configure binding: {error}")
            return
        for param in params:
            yield from _Evaluation(self, spec, said, request, param, fails).run()

    def tree(self, text: str) -> Node:
        """Return the syntax tree of an expression, parsed once."""
        if text not in self._parsed:
            self._parsed[text] = parse(text)
        return self._parsed[text]

    def ask(self, request: AdmissionRequest, fields: Mapping[str, str]) -> tuple[bool, str]:
        """Answer an ``authorizer`` check for the request's user or a service account."""
        if self.access is None:
            raise CelUndecidedError("the authorizer is asked, and no RBAC rules are at hand")
        user, groups = request.user, request.groups
        if "user" in fields:
            user = fields["user"]
            groups = service_account_groups(user.split(":")[2]) - {AUTHENTICATED}  # nobody has logged in
        if "path" in fields:
            answer = self.access.can(Request(user, fields["verb"], groups, path=fields["path"]))
        else:
            named = {key: fields.get(key, "") for key in ("group", "resource", "subresource", "name", "namespace")}
            answer = self.access.can(Request(user, fields["verb"], groups, **named))
        return answer.allowed, answer.reason if answer.reason.startswith("RBAC:") else ""


@dataclass
class _Evaluation:
    """One policy, one binding, one parameter, one request."""

    owner: AdmissionPolicies
    spec: Mapping[str, Any]
    said: Refusal
    request: AdmissionRequest
    param: Mapping[str, Any] | None
    fails: bool

    def run(self) -> Iterator[Refusal]:
        scope = self._scope()
        skip, refusals = self._conditions({**scope, "namespaceObject": None})  # conditions are not told of it
        yield from refusals
        if not skip:
            for validation in mappings(self.spec.get("validations")):
                yield from self._validation(validation, scope)
            yield from self._annotations(scope)

    def _annotations(self, scope: Mapping[str, Any]) -> Iterator[Refusal]:
        """Yield the refusals for audit annotations that cannot be made; they do not depend on the binding's actions."""
        without = {key: value for key, value in scope.items() if key != "authorizer"}
        for item in mappings(self.spec.get("auditAnnotations")):
            text = scalar_text(item.get("valueExpression")).strip()
            try:
                value = self._value(text, without)
            except CelUndecidedError as error:
                yield self._refusal(422, f"expression '{text}' is undecided: {error}", undecided=True, actions=_DENY)
            except _FAILS as error:
                if self.fails:
                    yield self._refusal(422, f"expression '{text}' resulted in error: {error}", actions=_DENY)
            else:
                if value is not None and not isinstance(value, str):
                    text = f"valueExpression '{text}' resulted in unsupported return type: {type_name(value)}"
                    yield self._refusal(422, f"{text}. Return type must be either string or null.", actions=_DENY)

    def _conditions(self, scope: Mapping[str, Any]) -> tuple[bool, list[Refusal]]:
        """Return whether the policy is skipped, and the refusal where a condition cannot be evaluated."""
        failed: list[Refusal] = []
        for condition in mappings(self.spec.get("matchConditions")):
            text = scalar_text(condition.get("expression"))
            try:
                if self._value(text, scope) is not True:
                    return True, []
            except CelUndecidedError as error:
                failed.append(self._refusal(422, f"expression '{text}' is undecided: {error}", undecided=True))
            except _FAILS as error:
                failed.append(self._refusal(422, f"expression '{text}' resulted in error: {error}"))
        certain = [item for item in failed if item.undecided or self.fails]
        return bool(failed), certain[:1]

    def _validation(self, validation: Mapping[str, Any], scope: Mapping[str, Any]) -> Iterator[Refusal]:
        text = scalar_text(validation.get("expression"))
        try:
            if self._value(text, scope) is True:
                return
        except CelUndecidedError as error:
            yield self._refusal(422, f"expression '{text}' is undecided: {error}", undecided=True)
            return
        except _FAILS as error:
            if self.fails:
                yield self._refusal(422, f"expression '{text}' resulted in error: {error}")
            return
        code = _CODES.get(scalar_text(validation.get("reason")) or "Invalid", 422)
        yield self._refusal(code, self._message(validation, text, scope))

    def _message(self, validation: Mapping[str, Any], text: str, scope: Mapping[str, Any]) -> str:
        expression = scalar_text(validation.get("messageExpression"))
        if expression:
            try:
                made = self._value(expression, scope)
            except (*_FAILS, CelUndecidedError):
                made = None
            if (
                isinstance(made, str)
                and made.strip()
                and "\n" not in made.strip()
                and len(made.strip().encode()) <= _LONGEST_MESSAGE
            ):
                return made.strip()
        return scalar_text(validation.get("message")).strip() or f"failed expression: {text.strip()}"

    def _refusal(
        self, code: int, message: str, *, undecided: bool = False, actions: frozenset[str] | None = None
    ) -> Refusal:
        actions = self.said.actions if actions is None else actions
        return replace(self.said, code=code, message=message, undecided=undecided, actions=actions)

    def _value(self, text: str, scope: Mapping[str, Any]) -> Any:
        try:
            return Interpreter().run(self.owner.tree(text), scope)
        except RecursionError:
            raise CelUndecidedError("the expression is nested too deeply to be evaluated here") from None

    def _scope(self) -> dict[str, Any]:
        request = self.request
        space = self.owner.namespaces.get(request.namespace) if request.namespace else None
        resource = {"group": request.group, "resource": request.resource, "subresource": request.subresource}
        scope: dict[str, Any] = {
            "object": request.object,
            "oldObject": request.old,
            "request": request.as_variable(),
            "params": self.param,
            "namespaceObject": space,
            "authorizer": Check(
                lambda fields: self.owner.ask(request, fields),
                request={**resource, "name": request.name, "namespace": request.place},
            ),
        }
        scope["variables"] = _variables(self, mappings(self.spec.get("variables")), scope)
        return scope


class _Lazy:
    """A composed variable: computed when first used, its failure remembered."""

    def __init__(self, evaluation: _Evaluation, text: str, scope: Mapping[str, Any]) -> None:
        self.parts = (evaluation, text, scope)
        self.result: Any = None
        self.error: CelError | CelCostError | CelUndecidedError | None = None
        self.done = False

    def __call__(self) -> Any:
        if not self.done:
            evaluation, text, scope = self.parts
            self.done = True
            try:
                self.result = evaluation._value(text, scope)  # noqa: SLF001 - one module
            except (CelError, CelCostError, CelUndecidedError) as error:
                self.error = error
            except CelSyntaxError as error:
                self.error = CelError(str(error))
        if self.error is not None:
            raise self.error
        return self.result


def _variables(evaluation: _Evaluation, given: Iterable[Mapping[str, Any]], scope: dict[str, Any]) -> dict[str, _Lazy]:
    made: dict[str, _Lazy] = {}
    for item in given:
        inner = {**scope, "variables": dict(made)}
        made[scalar_text(item.get("name"))] = _Lazy(evaluation, scalar_text(item.get("expression")), inner)
    return made


def _spec(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(data.get("spec"))
