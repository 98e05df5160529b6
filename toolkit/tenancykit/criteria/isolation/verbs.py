"""Verbs at the API server that free text says an attack needs, as far as an identity of little privilege lacks them.

Little privilege is what the built-in role ``edit`` gives in a tenant's own namespaces: workloads, Services, Ingresses,
claims, ConfigMaps and Secrets (Kubernetes documentation, "Using RBAC authorization", user-facing roles). Whatever the
text names beside that - cluster-scoped kinds, subresources of nodes, kinds of operators - such a tenant may not touch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_VERB: Final = "create|update|patch|delete|write|edit|modify|approve|bind|impersonate|escalate|get|list|watch"
_NEED: Final = re.compile(
    rf"\b(?P<verb>{_VERB})(?:s|ing)?\b(?:\s+(?:access|rights?|permissions?))?(?:\s+(?:on|to|for|of|a|an|any|the|own))*"
    r"\s+(?P<kind>[A-Za-z][A-Za-z0-9]*(?:[./-][A-Za-z0-9]+)*)",
)
_WITHHELD: Final = frozenset(
    {
        "nodes",
        "namespaces",
        "persistentvolumes",
        "storageclasses",
        "clusterroles",
        "clusterrolebindings",
        "customresourcedefinitions",
        "apiservices",
        "endpointslices",
        "ingressclasses",
        "gatewayclasses",
        "priorityclasses",
        "runtimeclasses",
        "csidrivers",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "certificatesigningrequests",
        "clusterpolicies",
        "resourceslices",
        "deviceclasses",
    }
)
_KEPT: Final = frozenset(
    {
        "Pod",
        "Deployment",
        "Job",
        "CronJob",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Service",
        "Ingress",
        "ConfigMap",
        "Secret",
        "PersistentVolumeClaim",
        "PVC",
    }
)
_OWN_SUBRESOURCE: Final = re.compile(r"(?i)(pods|services|deployments|jobs)/")


def verbs_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the verbs with their kinds that a tenant of little privilege lacks, in the order of the texts."""
    found = ((m["verb"], m["kind"]) for text in texts for m in _NEED.finditer(text))
    return tuple(dict.fromkeys(f"{verb} {kind}" for verb, kind in found if _lacked(kind)))


def _lacked(kind: str) -> bool:
    if kind.removesuffix("s") in _KEPT or kind in _KEPT or _OWN_SUBRESOURCE.match(kind):
        return False
    plain = kind.lower().split("/")[0].split(".")[0]
    camel = re.fullmatch(r"[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+s?", kind) is not None
    return (
        camel or {plain, f"{plain}s", f"{plain}es"} & _WITHHELD != set() or re.search(r"[a-z]\.[a-z]", kind) is not None
    )
