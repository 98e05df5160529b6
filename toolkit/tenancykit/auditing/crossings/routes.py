"""May a tenant's route claim host names of another at a gateway both use?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from kubeanswers.objects import ObjectSet, Where, mapping, mappings, scalar_text
from kubeanswers.records import dataclass
from kubeanswers.selectors import Selector
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe, Taken
from tenancykit.auditing.crossings.hostile_pods import HostilePods
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import Tenancy

_GROUP: Final = "gateway.networking.k8s.io"
_FOREIGN: Final = "shop.somebody-else.example"


@dataclass(frozen=True)
class Routes:
    """The shared gateways of a set and the tenants that may attach routes to them.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        probe: their admission.
        hostile: who may create objects in them.
    """

    objects: ObjectSet
    tenancy: Tenancy
    probe: AdmissionProbe
    hostile: HostilePods

    @cached_property
    def users(self) -> Mapping[str, set[str]]:
        """Namespaces by gateway (``namespace/name``) that its listeners take routes from, tenants' only."""
        found: dict[str, set[str]] = {}
        for gateway in self.objects.of(_GROUP, "Gateway"):
            allowed = {
                name
                for listener in mappings(gateway.spec.get("listeners"))
                for name in self.tenancy.by_namespace
                if self._takes(listener, name, gateway.namespace)
            }
            if len({self.tenancy.by_namespace[name] for name in allowed}) > 1:
                found[f"{gateway.namespace}/{gateway.name}"] = allowed
        return found

    def _takes(self, listener: Mapping[str, Any], namespace: str, own: str) -> bool:
        wanted = mapping(mapping(listener.get("allowedRoutes")).get("namespaces"))
        source = scalar_text(wanted.get("from")) or "Same"
        if source == "All":
            return True
        if source == "Selector":
            return Selector.of(mapping(wanted.get("selector"))).matches(self.objects.namespaces[namespace])
        return namespace == own

    def openings(self) -> Iterator[tuple[str, str, str, str, Taken]]:
        """Yield (tenant, namespace, gateway, who, answer) where a tenant may claim host names of another."""
        seen: set[str] = set()
        for gateway, namespaces in sorted(self.users.items()):
            for namespace in sorted(namespaces):
                tenant = self.tenancy.by_namespace[namespace]
                if tenant in seen:
                    continue
                own = _route(gateway, f"{namespace}.example.com")
                made = _route(gateway, _FOREIGN)
                taken, who = self.hostile.way(namespace, f"route at {gateway}", made, "httproutes", own)
                if taken.verdict != "no":
                    seen.add(tenant)
                    yield tenant, namespace, gateway, who, taken

    def findings(self) -> Iterator[Finding]:
        """Yield one finding per tenant that may claim host names of another."""
        for tenant, namespace, gateway, who, taken in self.openings():
            item = self.objects.get("", "Namespace", "", namespace)
            subject, where = about(item) if item else (f"Namespace {namespace}", Where("<input>"))
            yield Finding(
                "route-hostnames-open",
                Severity.MEDIUM if taken.verdict == "yes" else Severity.LOW,
                subject,
                where,
                f"{who} may attach routes with any host name to Gateway {gateway}, which other tenants use",
                f"{tenant} -> HTTPRoute with a host name of another tenant -> Gateway {gateway} -> its users' requests",
                "keep each tenant's routes to its own host names by admission policy, or give it a listener of its own",
                "",
                (),
                (tenant,),
            )


def _route(gateway: str, host: str) -> dict[str, Any]:
    namespace, name = gateway.split("/", 1)
    spec = {
        "parentRefs": [{"name": name, "namespace": namespace}],
        "hostnames": [host],
        "rules": [{"backendRefs": [{"name": "probe", "port": 80}]}],
    }
    return {"apiVersion": f"{_GROUP}/v1", "kind": "HTTPRoute", "metadata": {"name": "probe"}, "spec": spec}
