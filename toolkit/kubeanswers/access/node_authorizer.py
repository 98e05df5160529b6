"""What a kubelet's credentials may do: the Node authorizer, asked beside RBAC.

A node reads only what the pods bound to it use.  Follows Kubernetes 1.36
(https://kubernetes.io/docs/reference/access-authn-authz/node/, AuthorizeNodeWithSelectors on); lists that need a
field selector are refused, because a question without one does not carry it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from kubeanswers.access.default_roles import default_role_objects
from kubeanswers.access.rbac import AccessAnswer, Request, Rule
from kubeanswers.objects import ObjectSet, mapping, mappings, scalar_text
from kubeanswers.records import dataclass

_PREFIX: Final = "system:node:"
_GROUP: Final = "system:nodes"
_READ: Final = frozenset({"get", "list", "watch"})
_CHANGE: Final = frozenset({"get", "create", "update", "patch", "delete"})
_WRITES: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("nodes", ""): frozenset({"create", "update", "patch"}),
    ("nodes", "status"): frozenset({"update", "patch"}),
    ("pods", ""): frozenset({"create", "delete"}),
    ("pods", "status"): frozenset({"update", "patch"}),
    ("pods", "eviction"): frozenset({"create"}),
}

Used = tuple[str, str, str]


@dataclass(frozen=True)
class NodeRules:
    """The Node authorizer over the pods of a set.

    Attributes:
        objects: the manifests; pods with ``spec.nodeName`` decide what a node may read.
    """

    objects: ObjectSet

    def can(self, request: Request) -> AccessAnswer | None:
        """Return the answer for a node's own user, or None for anybody else."""
        node = request.user.removeprefix(_PREFIX)
        if not request.user.startswith(_PREFIX) or _GROUP not in request.groups or not node:
            return None
        if self._allowed(request, node):
            return AccessAnswer(
                allowed=True, reason=f"Node authorizer: {node} may {request.verb} {request.resource or request.path}"
            )
        return AccessAnswer(allowed=False, reason=f"Node authorizer: not related to node {node}")

    def _allowed(self, request: Request, node: str) -> bool:  # noqa: PLR0911 - one answer per kind, as in the authorizer
        match (request.group, request.resource):
            case ("", "secrets" | "configmaps"):
                return request.verb in _READ and not request.subresource and self._uses(node, request)
            case ("", "persistentvolumeclaims") if request.subresource == "status":
                return request.verb in ("update", "patch") and self._uses(node, request)
            case ("", "persistentvolumeclaims" | "persistentvolumes") | ("storage.k8s.io", "volumeattachments"):
                return request.verb == "get" and not request.subresource and self._uses(node, request)
            case ("resource.k8s.io", "resourceclaims"):
                return request.verb == "get" and not request.subresource and self._uses(node, request)
            case ("", "serviceaccounts"):
                fits = (request.verb, request.subresource) in (("create", "token"), ("get", ""))
                return fits and self._uses(node, request)
            case ("coordination.k8s.io", "leases"):
                return request.namespace == "kube-node-lease" and self._own(request, node)
            case ("storage.k8s.io", "csinodes"):
                return self._own(request, node)
            case ("resource.k8s.io", "resourceslices"):
                return request.verb == "create" and not request.subresource
            case ("", "nodes" | "pods"):
                return self._node_or_pod(request, node)
        return any(rule.allows(request) for rule in _static_rules())

    @staticmethod
    def _own(request: Request, node: str) -> bool:
        return (
            request.verb in _CHANGE and not request.subresource and (request.verb == "create" or request.name == node)
        )

    def _node_or_pod(self, request: Request, node: str) -> bool:
        if request.verb in _WRITES.get((request.resource, request.subresource), frozenset()):
            return True
        if request.subresource or request.verb not in _READ:
            return False
        return request.name == node if request.resource == "nodes" else self._uses(node, request)

    def _uses(self, node: str, request: Request) -> bool:
        return (request.resource, request.namespace, request.name) in self._used.get(node, frozenset())

    @cached_property
    def _used(self) -> Mapping[str, frozenset[Used]]:
        found: dict[str, set[Used]] = {}
        for pod in self.objects.of("", "Pod"):
            node = scalar_text(pod.spec.get("nodeName"))
            if node:
                found.setdefault(node, set()).update(_references(pod.namespace, pod.name, pod.spec))
        return {node: frozenset(used) for node, used in found.items()}


def _static_rules() -> tuple[Rule, ...]:
    role = next(item for item in default_role_objects() if item.name == "system:node")
    return tuple(map(Rule.of, mappings(role.data.get("rules"))))


def _references(namespace: str, name: str, spec: Mapping[str, Any]) -> Iterator[Used]:
    """Yield what a pod makes its node read: itself, its service account, and every volume and environment source."""
    yield ("pods", namespace, name)
    yield ("serviceaccounts", namespace, scalar_text(spec.get("serviceAccountName")) or "default")
    for secret in mappings(spec.get("imagePullSecrets")):
        yield ("secrets", namespace, scalar_text(secret.get("name")))
    for volume in mappings(spec.get("volumes")):
        sources = [volume, *mappings(mapping(volume.get("projected")).get("sources"))]
        for source in sources:
            secret = mapping(source.get("secret"))
            yield ("secrets", namespace, scalar_text(secret.get("secretName") or secret.get("name")))
            yield ("configmaps", namespace, scalar_text(mapping(source.get("configMap")).get("name")))
        claim = mapping(volume.get("persistentVolumeClaim"))
        yield ("persistentvolumeclaims", namespace, scalar_text(claim.get("claimName")))
    for container in (*mappings(spec.get("initContainers")), *mappings(spec.get("containers"))):
        for entry in mappings(container.get("envFrom")):
            yield ("secrets", namespace, scalar_text(mapping(entry.get("secretRef")).get("name")))
            yield ("configmaps", namespace, scalar_text(mapping(entry.get("configMapRef")).get("name")))
        for entry in mappings(container.get("env")):
            source = mapping(entry.get("valueFrom"))
            yield ("secrets", namespace, scalar_text(mapping(source.get("secretKeyRef")).get("name")))
            yield ("configmaps", namespace, scalar_text(mapping(source.get("configMapKeyRef")).get("name")))
