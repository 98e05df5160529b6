"""Servers the API server asks that run in a tenant's namespace: webhooks, conversions, API servers of their own.

Whoever serves them sees the objects they are asked about, and may answer as it likes:
https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text
from kubeanswers.selectors import Selector
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import API, Path, Scene, finding

_ADMISSION: Final = "admissionregistration.k8s.io"


def server_paths(scene: Scene) -> Iterator[Path]:
    """Yield what tenants serve to the API server that it asks about objects of others."""
    for item in scene.objects.of(_ADMISSION, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        for hook in mappings(item.data.get("webhooks")):
            asked = _asked(scene, hook)
            yield from _served(scene, item, mapping(hook.get("clientConfig")), asked, "is asked about", sure=True)
    for item in scene.objects.of("apiregistration.k8s.io", "APIService"):
        yield from _served(scene, item, item.spec, scene.everybody, "answers for a group of the API to", sure=False)
    for item in scene.objects.of("apiextensions.k8s.io", "CustomResourceDefinition"):
        client = mapping(mapping(mapping(item.spec.get("conversion")).get("webhook")).get("clientConfig"))
        yield from _served(scene, item, client, scene.everybody, "converts", sure=False)


def _asked(scene: Scene, hook: Mapping[str, Any]) -> frozenset[str]:
    """Return the tenants whose objects a webhook is asked about, as far as namespaces say."""
    chosen = Selector.of(mapping(hook.get("namespaceSelector")))
    spaces = scene.tenancy.by_namespace.items()
    return frozenset(tenant for name, tenant in spaces if chosen.matches(scene.objects.namespaces[name]))


def _served(
    scene: Scene, item: ManifestObject, client: Mapping[str, Any], asked: frozenset[str], does: str, *, sure: bool
) -> Iterator[Path]:
    space = scalar_text(mapping(client.get("service")).get("namespace"))
    tenant = scene.tenancy.by_namespace.get(space, "")
    others = asked - {tenant}
    if tenant and others:
        yield Path(
            finding(
                "server-of-tenant",
                Severity.CRITICAL if sure else Severity.HIGH,
                item,
                f"a Service of tenant {tenant} in {space} {does} objects of {len(others)} other "
                f"tenant{'s' if len(others) > 1 else ''}",
                f"{tenant} -> its Service in {space} -> {item} -> objects of {', '.join(sorted(others)[:3])}",
                "have the platform serve it, or limit it to the tenant's own namespaces (namespaceSelector)",
                API,
                [tenant],
            ),
            frozenset({tenant}),
            others,
            sure=sure,
        )
