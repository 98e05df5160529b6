"""A way between tenants that single objects open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubeanswers.objects import ManifestObject, ObjectSet
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.crossings.hostile_pods import HostilePods
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import Tenancy

API = "api-user-to-shared-api"
NETWORK = "pod-network-to-victim"
NODE = "api-user-to-node"
GPU = "gpu-contexts"
VOLUMES = "claim-of-others"


@dataclass(frozen=True)
class Path:
    """One way.

    Attributes:
        finding: what opens it, with the fix.
        attackers: tenants that may go it.
        victims: tenants it reaches.
        sure: whether it is open; else it is undecided.
    """

    finding: Finding
    attackers: frozenset[str] = frozenset()
    victims: frozenset[str] = frozenset()
    sure: bool = True


@dataclass(frozen=True)
class Scene:
    """What the ways are looked for in."""

    objects: ObjectSet
    tenancy: Tenancy
    probe: AdmissionProbe
    hostile: HostilePods

    @property
    def everybody(self) -> frozenset[str]:
        """All tenants."""
        return frozenset(self.tenancy.tenants)

    def owner(self, item: ManifestObject) -> str:
        """Return the tenant whose namespace an object is in; empty for the platform's."""
        return self.tenancy.by_namespace.get(item.namespace, "") if item.namespaced else ""

    def of_tenants(self, group: str, *kinds: str) -> Iterator[tuple[ManifestObject, str]]:
        """Yield the objects of some kinds in tenants' namespaces, with the tenant."""
        for item in self.objects.of(group, *kinds):
            owner = self.owner(item)
            if owner:
                yield item, owner

    def makers_of(self, group: str, resource: str) -> dict[str, str]:
        """Return the tenants somebody of whom may create objects of a resource, each with who and where."""
        found: dict[str, str] = {}
        for namespace, tenant in self.tenancy.by_namespace.items():
            if tenant not in found and (who := self.hostile.maker(namespace, group, resource)):
                found[tenant] = f"{who} may create {resource} in {namespace}"
        return found


def finding(
    rule: str,
    severity: Severity,
    item: ManifestObject,
    what: str,
    path: str,
    fix: str,
    crossing: str = "",
    tenants: Iterable[str] = (),
) -> Finding:
    """Return a finding about an object."""
    subject, where = about(item)
    return Finding(rule, severity, subject, where, what, path, fix, crossing, (), tuple(sorted(tenants)[:5]))
