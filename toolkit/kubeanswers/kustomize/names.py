"""Names that changed during a build, followed to where other objects mention them.

The places are those of Kustomize's default name references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kubeanswers.kustomize.resources import Resource, changed
from kubeanswers.kustomize.settings import FieldSpec, fitting
from kubeanswers.objects import mapping, scalar_text
from kubeanswers.records import dataclass

_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job")
_PODS: Final[dict[str, str]] = {
    "Pod": "spec",
    "CronJob": "spec/jobTemplate/spec/template/spec",
    **dict.fromkeys(_WORKLOADS, "spec/template/spec"),
}
_FOR_CONTENT: Final = {**_PODS, "PodTemplate": "template/spec", "ReplicaSet": "spec/template/spec"}
_FOR_ACCOUNTS: Final = {**_PODS, "ReplicationController": "spec/template/spec"}
_IN_CONTAINERS: Final = tuple(
    f"{group}/{place}"
    for group in ("containers", "initContainers")
    for place in ("env/valueFrom/{0}KeyRef/name", "envFrom/{0}Ref/name")
)
_CONTENT: Final = (
    ("ConfigMap", "configMap", "volumes/configMap/name"),
    ("Secret", "secret", "volumes/secret/secretName"),
)
_OTHERS: Final = """
Deployment HorizontalPodAutoscaler spec/scaleTargetRef/name
ReplicationController HorizontalPodAutoscaler spec/scaleTargetRef/name
ReplicaSet HorizontalPodAutoscaler spec/scaleTargetRef/name
StatefulSet HorizontalPodAutoscaler spec/scaleTargetRef/name
ConfigMap Role rules/resourceNames
ConfigMap ClusterRole rules/resourceNames
Secret Role rules/resourceNames
Secret ClusterRole rules/resourceNames
Secret ServiceAccount imagePullSecrets/name
Secret Ingress spec/tls/secretName
Secret StorageClass parameters/secretName
Secret StorageClass parameters/adminSecretName
Secret StorageClass parameters/userSecretName
Secret PersistentVolume spec/azureFile/secretName
Service StatefulSet spec/serviceName
Service Ingress spec/rules/http/paths/backend/serviceName
Service Ingress spec/rules/http/paths/backend/service/name
Service Ingress spec/backend/serviceName
Service Ingress spec/defaultBackend/service/name
Service APIService spec/service/name
Service ValidatingWebhookConfiguration webhooks/clientConfig/service
Service MutatingWebhookConfiguration webhooks/clientConfig/service
Role RoleBinding roleRef/name
ClusterRole RoleBinding roleRef/name
ClusterRole ClusterRoleBinding roleRef/name
ServiceAccount RoleBinding subjects
ServiceAccount ClusterRoleBinding subjects
PersistentVolume PersistentVolumeClaim spec/volumeName
PersistentVolume ClusterRole rules/resourceNames
StorageClass PersistentVolume spec/storageClassName
StorageClass PersistentVolumeClaim spec/storageClassName
StorageClass StatefulSet spec/volumeClaimTemplates/spec/storageClassName
IngressClass Ingress spec/ingressClassName
ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding spec/policyName
"""


def _references() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Return the (kind referred to, path) pairs by referring kind."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for row in _OTHERS.strip().splitlines():
        target, kind, path = row.split()
        found.setdefault(kind, []).append((target, tuple(path.split("/"))))
    for kind, place in _FOR_CONTENT.items():
        for target, word, volume in _CONTENT:
            paths = [volume, f"volumes/projected/sources/{word}/name", *(p.format(word) for p in _IN_CONTAINERS)]
            paths += ["imagePullSecrets/name"] if target == "Secret" else []
            found.setdefault(kind, []).extend((target, tuple(f"{place}/{path}".split("/"))) for path in paths)
    for kind, place in _FOR_ACCOUNTS.items():
        pairs = (
            ("ServiceAccount", "serviceAccountName"),
            ("PersistentVolumeClaim", "volumes/persistentVolumeClaim/claimName"),
            ("PriorityClass", "priorityClassName"),
        )
        found.setdefault(kind, []).extend((target, tuple(f"{place}/{path}".split("/"))) for target, path in pairs)
    return found


_REFERENCES: Final = _references()


def fix_references(resources: Iterable[Resource], more: Iterable[tuple[str, FieldSpec]] = ()) -> None:
    """Rewrite every mention of an object whose name or namespace changed, at Kustomize's places and at more."""
    added = list(more)
    everything = list(resources)
    moved: dict[tuple[str, str], list[Resource]] = {}
    for item in everything:
        for kind, name in {(one.kind, one.name) for one in item.earlier}:
            moved.setdefault((kind, name), []).append(item)
    if moved:
        for item in everything:
            fits = ((kind, path) for kind, spec in added for path, _ in fitting([spec], item.group, item.kind))
            for target, path in (*_REFERENCES.get(item.kind, ()), *fits):
                if path[-2:] == ("roleRef", "name") and mapping(item.data.get("roleRef")).get("kind") != target:
                    continue
                rewrite = _Rewrite(item, target, moved)
                item.data = changed(item.data, path, rewrite.value)


@dataclass(frozen=True)
class _Rewrite:
    """What becomes of one mention in one object."""

    referrer: Resource
    target: str
    moved: Mapping[tuple[str, str], list[Resource]]

    def value(self, old: Any) -> Any:
        if not isinstance(old, Mapping):
            found = self._referred(scalar_text(old), None)
            return found.name if found else old
        space = scalar_text(old.get("namespace")) if "namespace" in old else None
        found = self._referred(scalar_text(old.get("name")), space)
        if found is None:
            return old
        moved = {"namespace": found.written_namespace} if found.written_namespace else {}
        return {**old, "name": found.name, **moved}

    def _referred(self, name: str, namespace: str | None) -> Resource | None:
        found = self.moved.get((self.target, name), [])
        if namespace is not None:
            first = [item for item in found if item.earlier[0].namespace == namespace]
            found = first or [item for item in found if item.identity.namespace == namespace]
        found = [item for item in found if self._near(item)]
        for empty in (True, False):
            if len(found) > 1:
                found = [item for item in found if self._same_names(item, empty=empty)]
        return found[0] if found and len({item.name for item in found}) == 1 else None

    def _near(self, item: Resource) -> bool:
        """Return whether the object lives where the referrer can mean it; service accounts may live elsewhere."""
        own, other = self.referrer.identity.namespace, item.identity.namespace
        return not own or not other or item.kind == "ServiceAccount" or own == other

    def _same_names(self, item: Resource, *, empty: bool) -> bool:
        pairs = ((self.referrer.prefixes, item.prefixes), (self.referrer.suffixes, item.suffixes))
        return all((empty and not (a and b)) or _same_ending(a, b) for a, b in pairs)


def _same_ending(one: Sequence[str], other: Sequence[str]) -> bool:
    size = min(len(one), len(other))
    return (not one and not other) or (size > 0 and one[-size:] == other[-size:])
