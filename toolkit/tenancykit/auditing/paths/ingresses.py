"""Ingresses and other routes: host names two tenants claim, snippets in the controller, Secrets of others.

Sources: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/ (snippets and
``allow-cross-namespace-resources``), CVE-2021-25742, kubernetes/ingress-nginx#2371.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text, texts
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import API, Path, Scene, finding

_GROUP: Final = "networking.k8s.io"
_CLASS: Final = "kubernetes.io/ingress.class"
_DEFAULT: Final = "ingressclass.kubernetes.io/is-default-class"
_FOREIGN: Final = "foreign-host.example.net"
_EVERY: Final = "*"
_ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "networking.k8s.io": ("Ingress",),
    "gateway.networking.k8s.io": ("HTTPRoute", "GRPCRoute", "TLSRoute"),
    "route.openshift.io": ("Route",),
    "networking.istio.io": ("VirtualService", "Gateway"),
    "projectcontour.io": ("HTTPProxy",),
    "traefik.io": ("IngressRoute", "IngressRouteTCP"),
    "traefik.containo.us": ("IngressRoute", "IngressRouteTCP"),
    "k8s.nginx.org": ("VirtualServer",),
    "serving.knative.dev": ("DomainMapping",),
    "apisix.apache.org": ("ApisixRoute",),
    "getambassador.io": ("Mapping",),
    "gateway.solo.io": ("VirtualService",),
}
"""Kinds that claim host names at something tenants share."""
_ONE_PLACE: Final = {
    "projectcontour.io": "Contour",
    "route.openshift.io": "the router",
    "networking.istio.io": "the mesh's gateways",
}
_TRAEFIK: Final = re.compile(r"Host(?:SNI)?\(`([^`]+)`\)")
_SNIPPETS: Final = (
    "-snippet", "-snippets", "/lua-resty", "/config-backend", "/config-backend-early", "/config-backend-late",
    "/config-frontend", "/config-tcp-service",
)  # fmt: skip
_HEADERS: Final = "auth-proxy-set-headers"
_SECRETS: Final = (_HEADERS, "-secret", "/auth-map", "/client-ca", "/server-ca", "/server-crt", "/ca-secret")


def ingress_paths(scene: Scene) -> Iterator[Path]:
    """Yield what the Ingresses of tenants open, and what those they may write would."""
    yield from _hosts(scene)
    yield from _possible(scene)
    for item, tenant in scene.of_tenants(_GROUP, "Ingress"):
        yield from _annotations(scene, item, tenant)
    for item, tenant in scene.of_tenants("k8s.nginx.org", "VirtualServer", "VirtualServerRoute"):
        yield from _virtual_servers(scene, item, tenant)
    yield from _controllers(scene)


def _ingress_class(item: ManifestObject) -> str:
    return scalar_text(item.spec.get("ingressClassName")) or item.annotations.get(_CLASS, "")


def _hosts_of(item: ManifestObject) -> list[str]:
    """Return the host names an Ingress claims; one without a host claims every name."""
    rules = mappings(item.spec.get("rules"))
    if not rules and item.spec.get("defaultBackend"):
        return [_EVERY]
    return [scalar_text(rule.get("host")) or _EVERY for rule in rules]


def _named_hosts(item: ManifestObject) -> list[str]:
    """Return the host names of kinds that are all served at one place, whichever field names them."""
    spec = item.spec
    if item.kind == "DomainMapping":
        return [item.name]
    listed = [host for rule in mappings(spec.get("http")) for host in texts(mapping(rule.get("match")).get("hosts"))]
    plain = [scalar_text(spec.get("host")) or scalar_text(spec.get("hostname"))]
    plain.append(scalar_text(mapping(spec.get("virtualhost")).get("fqdn")))
    plain += [
        host.rpartition("/")[2] for server in mappings(spec.get("servers")) for host in texts(server.get("hosts"))
    ]
    return [*plain, *listed, *texts(mapping(spec.get("virtualHost")).get("domains"))]


def _claims(item: ManifestObject, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the controllers or gateways an object claims host names at, each with the name."""
    spec = item.spec
    gateways = [scalar_text(name) for name in texts(spec.get("gateways")) if name != "mesh"]
    match item.group, item.kind:
        case "networking.k8s.io", "Ingress":
            named = _ingress_class(item)
            place = places.get(named, f"ingress class {named}")
            yield from ((place, host) for host in _hosts_of(item))
        case "networking.istio.io", "VirtualService":
            for name in gateways:
                place = name if "/" in name else f"{item.namespace}/{name}"
                yield from ((f"Gateway {place}", host) for host in texts(spec.get("hosts")))
        case (("traefik.io" | "traefik.containo.us"), ("IngressRoute" | "IngressRouteTCP")):
            for route in mappings(spec.get("routes")):
                yield from (("Traefik", host) for host in _TRAEFIK.findall(scalar_text(route.get("match"))))
        case "gateway.networking.k8s.io", ("HTTPRoute" | "GRPCRoute" | "TLSRoute"):
            for parent in mappings(spec.get("parentRefs")):
                place = f"{scalar_text(parent.get('namespace')) or item.namespace}/{scalar_text(parent.get('name'))}"
                yield from ((f"Gateway {place}", host) for host in texts(spec.get("hostnames")))
        case _:
            place = _ONE_PLACE.get(item.group, f"{item.kind}s' gateway")
            yield from ((place, host) for host in _named_hosts(item))


def _hosts(scene: Scene) -> Iterator[Path]:
    """Yield the host names that objects of several tenants claim at one controller or gateway."""
    claims: dict[tuple[str, str], list[tuple[ManifestObject, str]]] = {}
    places = _places(scene)
    for group, kinds in _ROUTES.items():
        for item, tenant in scene.of_tenants(group, *kinds):
            for place, host in dict.fromkeys(_claims(item, places)):
                if host:
                    claims.setdefault((place, host.lower()), []).append((item, tenant))
    yield from _below_wildcards(claims)
    for (place, host), found in sorted(claims.items()):
        tenants = sorted({tenant for _, tenant in found})
        for item, tenant in found if len(tenants) > 1 else ():
            others = [name for name in tenants if name != tenant]
            title = f"host {host}" if host != _EVERY else "every host name that nobody else claims"
            yield Path(
                finding(
                    "route-hostnames-open",
                    Severity.HIGH if host != _EVERY else Severity.MEDIUM,
                    item,
                    f"claims {title}, as an object of tenant {', '.join(others[:3])} does at {place}",
                    f"{tenant} -> {item} -> requests for {host} -> users of {others[0]}",
                    "keep each tenant to its own host names by admission policy",
                    tenants=[tenant],
                )
            )


def _places(scene: Scene) -> dict[str, str]:
    """Return where each ingress class answers, in words: classes of one controller and settings are one place."""
    found: dict[str, str] = {}
    first: dict[tuple[str, str], str] = {}
    for item in scene.objects.of(_GROUP, "IngressClass"):
        settings = scalar_text(mapping(item.spec.get("parameters")).get("name"))
        key = (scalar_text(item.spec.get("controller")) or item.name, settings)
        found[item.name] = first.setdefault(key, f"ingress class {item.name}")
        if item.annotations.get(_DEFAULT) == "true":
            found.setdefault("", found[item.name])
    return found


def _below_wildcards(claims: Mapping[tuple[str, str], list[tuple[ManifestObject, str]]]) -> Iterator[Path]:
    """Yield host names a tenant claims out of those another tenant's wildcard covers: the exact name wins."""
    for (place, host), found in sorted(claims.items()):
        above = claims.get((place, f"*.{host.partition('.')[2]}"), []) if not host.startswith("*") else []
        for item, tenant in found:
            others = sorted({owner for _, owner in above} - {tenant})
            if others:
                yield Path(
                    finding(
                        "route-hostnames-open",
                        Severity.MEDIUM,
                        item,
                        f"claims host {host} out of the wildcard of tenant {others[0]} at {place}",
                        f"{tenant} -> {item} -> requests for {host} -> users of {others[0]}",
                        "keep each tenant to its own host names by admission policy",
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


def _snippet(scene: Scene, item: ManifestObject, tenant: str, key: str, *, sure: bool) -> Path:
    return Path(
        finding(
            "ingress-snippet",
            Severity.HIGH,
            item,
            f"{key} puts the tenant's own configuration into a controller that serves everybody (CVE-2021-25742)",
            f"{tenant} -> {item} -> the ingress controller's service account -> every Secret it may read",
            "switch snippets off in the controller (allow-snippet-annotations, enableSnippets), and refuse them by "
            "admission",
            API,
            [tenant],
        ),
        frozenset({tenant}),
        scene.everybody,
        sure=sure,
    )


def _virtual_servers(scene: Scene, item: ManifestObject, tenant: str) -> Iterator[Path]:
    """Yield the snippets of NGINX's own kinds, which the controller takes where it is started to."""
    parts = [item.spec, *mappings(item.spec.get("routes")), *mappings(item.spec.get("subroutes"))]
    for key in dict.fromkeys(key for part in parts for key in part if key.endswith("-snippets") and part[key]):
        yield _snippet(scene, item, tenant, key, sure=False)


def _annotations(scene: Scene, item: ManifestObject, tenant: str) -> Iterator[Path]:
    for key, value in item.annotations.items():
        if "ingress" not in key and "haproxy" not in key and "nginx" not in key:
            continue
        if key.endswith(_SNIPPETS):
            yield _snippet(scene, item, tenant, key, sure=_snippets_allowed(scene))
        elif key.endswith(_SECRETS) and "/" in value:
            place, _, name = value.partition("/")
            owner = scene.tenancy.by_namespace.get(place, "")
            if place and name and place != item.namespace and owner != tenant:
                kind = "ConfigMap" if key.endswith(_HEADERS) else "Secret"
                yield Path(
                    finding(
                        "secret-cross-tenant",
                        Severity.HIGH,
                        item,
                        f"{key} names {kind} {value}"
                        + (f" of tenant {owner}" if owner else f" of the platform's namespace {place}"),
                        f"{tenant} -> {item} -> ingress controller -> {kind} {value}",
                        f"set allow-cross-namespace-resources to false; keep the {kind} beside the Ingress",
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
