"""Can a tenant claim volumes of another tenant's StorageClass?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from kubeanswers.objects import ManifestObject, ObjectSet, Where
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.crossings.bounds import Bounds
from tenancykit.auditing.crossings.hostile_pods import HostilePods
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import TENANT_LABELS, Tenancy

CROSSING: Final = "claim-of-others"


@dataclass(frozen=True)
class Opening:
    """A tenant that may claim from classes of others.

    Attributes:
        namespace: where it would claim.
        storage_class: the class tried.
        who: who would.
        undecided: what could not be evaluated; empty where nothing stands in the way.
    """

    namespace: str
    storage_class: str
    who: str
    undecided: str

    @property
    def why(self) -> str:
        """The reason, in words."""
        text = f"{self.who} may claim a volume of StorageClass {self.storage_class} in {self.namespace}"
        return f"{text}, unless what is {self.undecided} refuses it" if self.undecided else text


@dataclass(frozen=True)
class VolumeClaims:
    """StorageClasses that belong to a tenant, and who else may use them.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        probe: their admission.
        hostile: who may create objects in them.
        bounds: their quotas.
    """

    objects: ObjectSet
    tenancy: Tenancy
    probe: AdmissionProbe
    hostile: HostilePods
    bounds: Bounds

    @cached_property
    def classes(self) -> Mapping[str, ManifestObject]:
        """One StorageClass of each tenant that has its own, by tenant, as its label says."""
        found: dict[str, ManifestObject] = {}
        for item in self.objects.of("storage.k8s.io", "StorageClass"):
            owner = next((item.labels[key] for key in TENANT_LABELS if item.labels.get(key)), "")
            if owner in self.tenancy.namespaces:
                found.setdefault(owner, item)
        return found

    @cached_property
    def open(self) -> Mapping[str, Opening]:
        """The tenants that may claim from another's class, or for which it is undecided."""
        found: dict[str, Opening] = {}
        owners = list(self.classes)[:2]
        for tenant, namespaces in self.tenancy.namespaces.items():
            foreign = next((owner for owner in owners if owner != tenant), None)
            for namespace in namespaces if foreign else ():
                opening = self._opening(namespace, self.classes[str(foreign)].name)
                if opening and (tenant not in found or not opening.undecided):
                    found[tenant] = opening
        return found

    def _opening(self, namespace: str, name: str) -> Opening | None:
        hard = self.bounds.hard.get(namespace, {})
        if any(hard.get(key) == 0 for key in _stopping(name)):
            return None
        taken = self.probe.takes_object(namespace, "claim of another's class", _claim(name), "persistentvolumeclaims")
        who = self.hostile.maker(namespace, "", "persistentvolumeclaims") if taken.verdict != "no" else ""
        if not who:
            return None
        return Opening(namespace, name, who, taken.by if taken.verdict == "undecided" else "")

    def victims(self) -> dict[str, frozenset[str]]:
        """Return, for each such tenant, the tenants with classes of their own."""
        owners = frozenset(self.classes)
        return dict.fromkeys(self.open, owners)

    def findings(self) -> Iterator[Finding]:
        """Yield one finding per tenant that may claim from another's class."""
        for tenant, opening in self.open.items():
            item = self.objects.get("", "Namespace", "", opening.namespace)
            subject, where = about(item) if item else (f"Namespace {opening.namespace}", Where("<input>"))
            yield Finding(
                "storage-class-open",
                Severity.LOW if opening.undecided else Severity.MEDIUM,
                subject,
                where,
                f"{opening.why}, which is another tenant's",
                f"{tenant} -> claim of {opening.storage_class} -> storage system -> volumes and keys of its owner",
                "refuse claims that name a StorageClass of another tenant by admission policy, or set its quota to 0",
                CROSSING,
                (),
                (tenant,),
            )


def _stopping(name: str) -> tuple[str, ...]:
    suffix = f"{name}.storageclass.storage.k8s.io"
    return (
        f"{suffix}/requests.storage",
        f"{suffix}/persistentvolumeclaims",
        "requests.storage",
        "persistentvolumeclaims",
        "count/persistentvolumeclaims",
    )


def _claim(name: str) -> dict[str, Any]:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": name,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "probe"}, "spec": spec}
