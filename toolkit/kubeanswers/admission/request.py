"""A request as admission policies see it, and what they say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeanswers.records import dataclass


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

    @property
    def place(self) -> str:
        """The namespace as the request has it: a request for a Namespace is said to be in that namespace."""
        return self.name if self.group == "" and self.resource == "namespaces" else self.namespace

    def as_variable(self) -> dict[str, Any]:
        """Return the ``request`` variable; empty fields are left out, as the API server leaves them out."""
        kind = {"group": self.group, "version": self.version, "kind": self.kind}
        resource = {"group": self.group, "version": self.version, "resource": self.resource}
        made = {
            "kind": kind,
            "resource": resource,
            "subResource": self.subresource,
            "requestKind": kind,
            "requestResource": resource,
            "requestSubResource": self.subresource,
            "name": self.name,
            "namespace": self.place,
            "operation": self.operation,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": f"{self.operation.title()}Options"},
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

    @property
    def doubtful(self) -> bool:
        """Whether the request may be refused for it."""
        return "Deny" in self.actions and self.undecided


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
        return not any(item.denies or item.doubtful for item in self.refusals)

    @property
    def undecided(self) -> bool:
        """Whether no policy denies it but one could not be evaluated."""
        return not any(item.denies for item in self.refusals) and any(item.doubtful for item in self.refusals)

    @property
    def doubt(self) -> str:
        """Why it is undecided; empty where it is not."""
        return next((item.message for item in self.refusals if item.doubtful), "")

    @property
    def denial(self) -> Refusal | None:
        """The first denial."""
        return next((item for item in self.refusals if item.denies), None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Messages of the failed validations whose binding warns."""
        return tuple(item.message for item in self.refusals if "Warn" in item.actions and not item.undecided)
