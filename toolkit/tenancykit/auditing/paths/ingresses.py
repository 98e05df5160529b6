"""Ingresses: host names two tenants claim, snippets that run in the controller, Secrets of other namespaces.

Sources: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/ (snippets and
``allow-cross-namespace-resources``), CVE-2021-25742, kubernetes/ingress-nginx#2371.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import API, Path, Scene, finding

_GROUP: Final = "networking.k8s.io"
_CLASS: Final = "kubernetes.io/ingress.class"
_FOREIGN: Final = "foreign-host.example.net"
_SNIPPETS: Final = ("-snippet", "-snippets", "/lua-resty", "/backend-config-snippet", "/frontend-config-snippet")
_SECRETS: Final = ("-secret", "/auth-map", "/client-ca", "/server-ca", "/server-crt", "/ca-secret")


def ingress_paths(scene: Scene) -> Iterator[Path]:
    """Yield what the Ingresses of tenants open, and what those they may write would."""
    yield from _hosts(scene)
    yield from _possible(scene)
    for item, tenant in scene.of_tenants(_GROUP, "Ingress"):
        yield from _annotations(scene, item, tenant)
    yield from _controllers(scene)


def _ingress_class(item: ManifestObject) -> str:
    return scalar_text(item.spec.get("ingressClassName")) or item.annotations.get(_CLASS, "")


def _hosts_of(item: ManifestObject) -> list[str]:
    return [scalar_text(rule.get("host")) for rule in mappings(item.spec.get("rules")) if rule.get("host")]


def _hosts(scene: Scene) -> Iterator[Path]:
    """Yield the host names that Ingresses of several tenants claim at one controller."""
    claims: dict[tuple[str, str], list[tuple[ManifestObject, str]]] = {}
    for item, tenant in scene.of_tenants(_GROUP, "Ingress"):
        for host in dict.fromkeys(_hosts_of(item)):
            claims.setdefault((_ingress_class(item), host), []).append((item, tenant))
    for (_, host), found in sorted(claims.items()):
        tenants = sorted({tenant for _, tenant in found})
        for item, tenant in found if len(tenants) > 1 else ():
            others = [name for name in tenants if name != tenant]
            yield Path(
                finding(
                    "route-hostnames-open",
                    Severity.HIGH,
                    item,
                    f"claims host {host}, as an Ingress of tenant {', '.join(others[:3])} does",
                    f"{tenant} -> {item} -> requests for {host} -> users of {others[0]}",
                    "keep each tenant's Ingresses to its own host names by admission policy",
                    tenants=[tenant],
                )
            )


def _possible(scene: Scene) -> Iterator[Path]:
    """Yield the tenants that may claim a host name another tenant uses."""
    users: dict[str, set[str]] = {}
    for item, tenant in scene.of_tenants(_GROUP, "Ingress"):
        if _hosts_of(item):
            users.setdefault(_ingress_class(item), set()).add(tenant)
    seen: set[str] = set()
    for name, tenants in sorted(users.items()):
        for namespace, tenant in sorted(scene.tenancy.by_namespace.items()):
            if tenant in seen or not tenants - {tenant}:
                continue
            made, own = (_ingress(name, host) for host in (_FOREIGN, f"{namespace}.example.com"))
            taken, who = scene.hostile.way(namespace, f"ingress at {name}", made, "ingresses", own)
            space = scene.objects.get("", "Namespace", "", namespace)
            if taken.verdict == "no" or space is None:
                continue
            seen.add(tenant)
            other = min(tenants - {tenant})
            title = f"ingress class {name}" if name else "the default ingress class"
            yield Path(
                finding(
                    "route-hostnames-open",
                    Severity.MEDIUM if taken.verdict == "yes" else Severity.LOW,
                    space,
                    f"{who} may create Ingresses with any host name at {title}, which other tenants use",
                    f"{tenant} -> Ingress with a host name of {other} -> its users' requests",
                    "keep each tenant's Ingresses to its own host names by admission policy",
                    tenants=[tenant],
                )
            )


def _ingress(name: str, host: str) -> dict[str, Any]:
    backend = {"service": {"name": "probe", "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    spec = {**({"ingressClassName": name} if name else {}), "rules": [rule]}
    return {"apiVersion": f"{_GROUP}/v1", "kind": "Ingress", "metadata": {"name": "probe"}, "spec": spec}


def _annotations(scene: Scene, item: ManifestObject, tenant: str) -> Iterator[Path]:
    for key, value in item.annotations.items():
        if "ingress" not in key and "haproxy" not in key and "nginx" not in key:
            continue
        if key.endswith(_SNIPPETS):
            yield Path(
                finding(
                    "ingress-snippet",
                    Severity.HIGH,
                    item,
                    f"{key} puts the tenant's own configuration into a controller that serves everybody "
                    "(CVE-2021-25742)",
                    f"{tenant} -> {item} -> the ingress controller's service account -> every Secret it may read",
                    "set allow-snippet-annotations to false in the controller, and refuse the annotation by admission",
                    API,
                    [tenant],
                ),
                frozenset({tenant}),
                scene.everybody,
                sure=_snippets_allowed(scene),
            )
        elif key.endswith(_SECRETS) and "/" in value:
            place, _, name = value.partition("/")
            owner = scene.tenancy.by_namespace.get(place, "")
            if place and name and place != item.namespace and owner != tenant:
                yield Path(
                    finding(
                        "secret-cross-tenant",
                        Severity.HIGH,
                        item,
                        f"{key} names Secret {value}"
                        + (f" of tenant {owner}" if owner else f" of the platform's namespace {place}"),
                        f"{tenant} -> {item} -> ingress controller -> Secret {value}",
                        "set allow-cross-namespace-resources to false; keep the Secret beside the Ingress",
                        API,
                        [tenant],
                    ),
                    frozenset({tenant}),
                    frozenset({owner}) if owner else frozenset(),
                )


def _settings(scene: Scene) -> Iterator[tuple[ManifestObject, dict[str, str]]]:
    for item in scene.objects.of("", "ConfigMap"):
        data = {str(key): scalar_text(value) for key, value in mapping(item.data.get("data")).items()}
        if {"allow-snippet-annotations", "allow-cross-namespace-resources"} & data.keys() and not scene.owner(item):
            yield item, data


def _snippets_allowed(scene: Scene) -> bool:
    return any(data.get("allow-snippet-annotations") == "true" for _, data in _settings(scene))


def _controllers(scene: Scene) -> Iterator[Path]:
    """Yield controllers that let the Ingresses of tenants run snippets or read Secrets of other namespaces."""
    makers = scene.makers_of(_GROUP, "ingresses") if scene.everybody else {}
    for item, data in _settings(scene):
        if not makers:
            return
        who = next(iter(makers.values()))
        for key, what in (
            ("allow-snippet-annotations", "run snippets in the controller (CVE-2021-25742)"),
            ("allow-cross-namespace-resources", "name Secrets of other namespaces"),
        ):
            if data.get(key) == "true":
                yield Path(
                    finding(
                        "ingress-snippet" if "snippet" in key else "secret-cross-tenant",
                        Severity.HIGH,
                        item,
                        f"{key} lets every Ingress {what}; {who}",
                        f"a tenant -> Ingress -> ingress controller -> {what} -> Secrets of every tenant",
                        f"set {key} to false",
                        API,
                        makers,
                    ),
                    frozenset(makers),
                    scene.everybody,
                )
