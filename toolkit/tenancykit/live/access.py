"""Rights: what every tenant's people and service accounts may do, asked by SubjectAccessReview.

Claimed rights are every verb and resource of the roles they hold; forbidden ones are the rights worth more than they
look (:mod:`kubeanswers.access.powers`), in their own namespace, in a neighbour's, and
cluster-wide. The claim is what the export's own RBAC objects answer. Reviews are answered, never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kubeanswers.access.powers import Power, powers
from kubeanswers.access.rbac import AccessRules, Request
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.api_access import CROSSING
from tenancykit.auditing.tenants import Principal, Tenancy
from tenancykit.live.client import Answer, ApiServer
from tenancykit.live.questions import Reply, State

REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_OVERVIEW: Final = (
    ("list", "", "namespaces"),
    ("list", "", "pods"),
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
)


@dataclass(frozen=True)
class AccessQuestions:
    """The questions about rights of one cluster.

    Attributes:
        cluster: its name.
        server: its API server.
        tenancy: tenants, namespaces and people by the export.
        access: the export's RBAC objects.
    """

    cluster: str
    server: ApiServer
    tenancy: Tenancy
    access: AccessRules

    def replies(self, tenant: str, neighbour: str) -> Iterator[Reply]:
        """Yield the answers about one tenant; ``neighbour`` is a tenant it must not reach, empty for none."""
        for who in self.tenancy.principals.get(tenant, ()):
            for request in dict.fromkeys(self._requests(who, tenant, neighbour)):
                answer = self.server.request("POST", REVIEWS, _review(request))
                claimed: State = "allowed" if self.access.can(request).allowed else "denied"
                own = request.namespace in self.tenancy.namespaces.get(tenant, ())
                crossing = "" if own else CROSSING
                text = f"{who.title} {_words(request)}"
                observed, why = _observed(answer)
                yield Reply("access", self.cluster, tenant, text, crossing, claimed, observed, why)

    def _requests(self, who: Principal, tenant: str, neighbour: str) -> Iterator[Request]:
        for namespace in self.tenancy.namespaces.get(tenant, ()):
            yield from self._held(who, namespace)
            yield from _powers(who, namespace, powers())
        for namespace in self.tenancy.namespaces.get(neighbour, ())[:1]:
            yield from _powers(who, namespace, powers())
        yield from _powers(who, "", powers())
        for verb, group, resource in _OVERVIEW:
            yield Request(who.user, verb, who.groups, group, resource)

    def _held(self, who: Principal, namespace: str) -> Iterator[Request]:
        """Yield every verb and resource of the roles somebody holds in a namespace; wildcards stand for themselves."""
        for grant in self.access.grants_for(who.user, who.groups, namespace):
            if not grant.namespace:
                continue  # cluster-wide ones are those every cluster has, or are asked for below
            for rule in grant.rules:
                name = min(rule.names) if rule.names else ""
                for group in sorted(rule.groups):
                    for resource in sorted(rule.resources):
                        for verb in sorted(rule.verbs):
                            yield _request(who, verb, group, resource, namespace, name)


def _powers(who: Principal, namespace: str, table: Iterable[Power]) -> Iterator[Request]:
    """Yield one request per power: the first verb of its first right on its first resource."""
    for power in table:
        if not (namespace and power.cluster_only):
            right = power.rights[0]
            yield _request(who, min(right.verbs), min(right.groups), min(right.resources), namespace)


def _request(who: Principal, verb: str, group: str, resource: str, namespace: str, name: str = "") -> Request:
    plain, _, subresource = resource.partition("/")
    return Request(who.user, verb, who.groups, group, plain, subresource, name, namespace)


def _review(request: Request) -> dict[str, Any]:
    asked = {
        "verb": request.verb,
        "group": request.group,
        "resource": request.resource,
        "subresource": request.subresource,
        "name": request.name,
        "namespace": request.namespace,
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": request.user,
            "groups": sorted(request.groups),
            "resourceAttributes": {key: value for key, value in asked.items() if value},
        },
    }


def _observed(answer: Answer) -> tuple[State, str]:
    status = answer.body.get("status")
    if not answer.is_ok or not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
        return "undecided", f"the review was not answered: {answer.message}"
    why = str(status.get("reason") or status.get("evaluationError") or "")
    return ("allowed" if status["allowed"] else "denied"), why


def _words(request: Request) -> str:
    resource = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
    if request.group:
        resource += f" of {request.group}"
    name = f" {request.name}" if request.name else ""
    place = f"in {request.namespace}" if request.namespace else "cluster-wide"
    return f"{request.verb} {resource}{name} {place}"
