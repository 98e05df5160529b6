"""ValidatingAdmissionPolicy: which requests it refuses, evaluated over manifests.

Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tenancykit.auditing.admission_match import matches_constraints
from tenancykit.auditing.cel import CelError, CelSyntaxError, CelUndecidedError, Interpreter, Node, parse
from tenancykit.auditing.cel.authorizer import Check
from tenancykit.auditing.objects import mapping, mappings, scalar_text, texts
from tenancykit.auditing.rbac import AccessRules, Request, service_account_groups
from tenancykit.auditing.selectors import Selector

_CODES: Final = {"Unauthorized": 401, "Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413}
_LONGEST_MESSAGE: Final = 5 * 1024
NO_PARAMS: Final = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"


@dataclass(frozen=True)
class AdmissionRequest:
    """One request as policies see it.

    Attributes:
        operation: CREATE, UPDATE, DELETE or CONNECT.
        group: API group of the resource.
        version: API version.
        kind: the kind.
        resource: plural resource name.
        subresource: such as ``ephemeralcontainers``; empty for none.
        name: object name.
        namespace: empty for cluster-scoped resources.
        object: the object as it would be stored; None on DELETE.
        old: the object as it was; None on CREATE.
        user: user name.
        groups: the user's groups.
        dry_run: whether the request is a dry run.
    """

    operation: str
    group: str
    version: str
    kind: str
    resource: str
    name: str
    namespace: str = ""
    subresource: str = ""
    object: Mapping[str, Any] | None = None
    old: Mapping[str, Any] | None = None
    user: str = ""
    groups: frozenset[str] = frozenset()
    dry_run: bool = False

    def as_variable(self) -> dict[str, Any]:
        """Return the ``request`` variable; empty fields are left out, as the API server leaves them out."""
        kind = {"group": self.group, "version": self.version, "kind": self.kind}
        resource = {"group": self.group, "version": self.version, "resource": self.resource}
        made = {
            "uid": "00000000-0000-4000-8000-000000000000",
            "kind": kind,
            "resource": resource,
            "subResource": self.subresource,
            "requestKind": kind,
            "requestResource": resource,
            "requestSubResource": self.subresource,
            "name": self.name,
            "namespace": self.namespace,
            "operation": self.operation,
            "userInfo": {
                key: value for key, value in (("username", self.user), ("groups", sorted(self.groups))) if value
            },
            "dryRun": self.dry_run,
        }
        return {key: value for key, value in made.items() if value != ""}


@dataclass(frozen=True)
class Refusal:
    """One validation that does not hold, or cannot be evaluated.

    Attributes:
        policy: the policy's name.
        binding: the binding's name.
        actions: what the binding does about it: Deny, Warn, Audit.
        code: HTTP status of a denial.
        message: what the user is told.
        undecided: the evaluator does not know; neither allowed nor refused.
    """

    policy: str
    binding: str
    actions: frozenset[str]
    code: int
    message: str
    undecided: bool = False

    @property
    def denies(self) -> bool:
        """Whether the request is refused for it."""
        return "Deny" in self.actions and not self.undecided


@dataclass(frozen=True)
class AdmissionAnswer:
    """What the policies say of a request.

    Attributes:
        refusals: every validation that failed, denials first as the API server would report them.
    """

    refusals: tuple[Refusal, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether nothing denies it; an undecided policy does not allow."""
        return not any(item.denies or item.undecided for item in self.refusals)

    @property
    def undecided(self) -> bool:
        """Whether no policy denies it but one could not be evaluated."""
        return not any(item.denies for item in self.refusals) and any(item.undecided for item in self.refusals)

    @property
    def denial(self) -> Refusal | None:
        """The first denial."""
        return next((item for item in self.refusals if item.denies), None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Messages of the failed validations whose binding warns."""
        return tuple(item.message for item in self.refusals if "Warn" in item.actions and not item.undecided)


@dataclass(frozen=True)
class AdmissionPolicies:
    """Policies with what they may look at.

    Attributes:
        policies: ValidatingAdmissionPolicy objects.
        bindings: ValidatingAdmissionPolicyBinding objects.
        namespaces: Namespace objects by name.
        params: objects that paramRefs may name.
        access: RBAC rules for the ``authorizer`` variable.
    """

    policies: Sequence[Mapping[str, Any]]
    bindings: Sequence[Mapping[str, Any]]
    namespaces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    params: Sequence[Mapping[str, Any]] = ()
    access: AccessRules | None = None
    _parsed: dict[str, Node] = field(default_factory=dict, repr=False)

    def review(self, request: AdmissionRequest) -> AdmissionAnswer:
        """Return what every bound policy says of the request."""
        found: list[Refusal] = []
        for policy in sorted(self.policies, key=_name):
            for binding in sorted(self.bindings, key=_name):
                if scalar_text(_spec(binding).get("policyName")) == _name(policy) and self._applies(
                    policy, binding, request
                ):
                    found.extend(self._one(policy, binding, request))
        return AdmissionAnswer(tuple(found))

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
        spec = _spec(policy)
        fails = spec.get("failurePolicy", "Fail") != "Ignore"
        params = self._params(spec, _spec(binding), request)
        if params is None:
            if fails:
                yield self._refusal(policy, binding, 422, NO_PARAMS)
            return
        for param in params:
            yield from _Evaluation(self, policy, binding, request, param, fails).run()

    def _params(
        self, spec: Mapping[str, Any], binding: Mapping[str, Any], request: AdmissionRequest
    ) -> list[Mapping[str, Any] | None] | None:
        """Return the parameters to evaluate with; None where they are missing and that is a failure."""
        kind, ref = mapping(spec.get("paramKind")), mapping(binding.get("paramRef"))
        if not kind or not ref:
            return [None]
        candidates = [
            p
            for p in self.params
            if p.get("apiVersion") == kind.get("apiVersion") and p.get("kind") == kind.get("kind")
        ]
        namespace = scalar_text(ref.get("namespace")) or request.namespace
        candidates = [p for p in candidates if not _namespace(p) or _namespace(p) == namespace]
        if ref.get("name"):
            found = [p for p in candidates if _name(p) == ref["name"]]
        else:
            selector = Selector.of(mapping(ref.get("selector")))
            found = [p for p in candidates if selector.matches(mapping(mapping(p.get("metadata")).get("labels")))]
        if found:
            return [*sorted(found, key=_name)]
        return [] if ref.get("parameterNotFoundAction") == "Allow" else None

    def _refusal(
        self, policy: Mapping[str, Any], binding: Mapping[str, Any], code: int, message: str, *, undecided: bool = False
    ) -> Refusal:
        actions = frozenset(texts(_spec(binding).get("validationActions")))
        return Refusal(_name(policy), _name(binding), actions, code, message, undecided)

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
            groups = service_account_groups(user.split(":")[2])
        if "path" in fields:
            answer = self.access.can(Request(user, fields["verb"], groups, path=fields["path"]))
        else:
            named = {key: fields.get(key, "") for key in ("group", "resource", "subresource", "name", "namespace")}
            answer = self.access.can(Request(user, fields["verb"], groups, **named))
        return answer.allowed, answer.reason if answer.allowed else ""


@dataclass
class _Evaluation:
    """One policy, one binding, one parameter, one request."""

    owner: AdmissionPolicies
    policy: Mapping[str, Any]
    binding: Mapping[str, Any]
    request: AdmissionRequest
    param: Mapping[str, Any] | None
    fails: bool

    def run(self) -> Iterator[Refusal]:
        spec = _spec(self.policy)
        scope = self._scope(spec)
        skip, refusals = self._conditions(mappings(spec.get("matchConditions")), scope)
        yield from refusals
        if not skip:
            for validation in mappings(spec.get("validations")):
                yield from self._validation(validation, scope)

    def _conditions(
        self, conditions: Iterable[Mapping[str, Any]], scope: Mapping[str, Any]
    ) -> tuple[bool, list[Refusal]]:
        """Return whether the policy is skipped, and the refusal where a condition cannot be evaluated."""
        failed: list[Refusal] = []
        for condition in conditions:
            text = scalar_text(condition.get("expression"))
            try:
                if self._value(text, scope) is not True:
                    return True, []
            except CelUndecidedError as error:
                failed.append(self._refusal(422, f"expression '{text}' is undecided: {error}", undecided=True))
            except (CelError, CelSyntaxError) as error:
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
        except (CelError, CelSyntaxError) as error:
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
            except (CelError, CelSyntaxError, CelUndecidedError):
                made = None
            if isinstance(made, str) and made.strip() and "\n" not in made.strip() and len(made) <= _LONGEST_MESSAGE:
                return made.strip()
        return scalar_text(validation.get("message")).strip() or f"failed expression: {text.strip()}"

    def _refusal(self, code: int, message: str, *, undecided: bool = False) -> Refusal:
        return self.owner._refusal(self.policy, self.binding, code, message, undecided=undecided)  # noqa: SLF001 - one module

    def _value(self, text: str, scope: Mapping[str, Any]) -> Any:
        try:
            return Interpreter().run(self.owner.tree(text), scope)
        except RecursionError:
            raise CelUndecidedError("the expression is nested too deeply to be evaluated here") from None

    def _scope(self, spec: Mapping[str, Any]) -> dict[str, Any]:
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
                request={**resource, "name": request.name, "namespace": request.namespace},
            ),
        }
        scope["variables"] = _variables(self, mappings(spec.get("variables")), scope)
        return scope


class _Lazy:
    """A composed variable: computed when first used, its failure remembered."""

    def __init__(self, evaluation: _Evaluation, text: str, scope: Mapping[str, Any]) -> None:
        self.parts = (evaluation, text, scope)
        self.result: Any = None
        self.error: CelError | CelUndecidedError | None = None
        self.done = False

    def __call__(self) -> Any:
        if not self.done:
            evaluation, text, scope = self.parts
            self.done = True
            try:
                self.result = evaluation._value(text, scope)  # noqa: SLF001 - one module
            except (CelError, CelUndecidedError) as error:
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


def _name(data: Mapping[str, Any]) -> str:
    return scalar_text(mapping(data.get("metadata")).get("name"))


def _namespace(data: Mapping[str, Any]) -> str:
    return scalar_text(mapping(data.get("metadata")).get("namespace"))
