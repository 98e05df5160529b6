"""What of a set of manifests would stand in a cluster: an object the API server refuses guards nothing.

Invalid guards (policies, quotas, admission) are taken out before anything is evaluated; whatever opens something stays
in, for it may be mended and applied. Objects that carry a server's marks were taken by one: they stand, and are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from kubeanswers.objects import ManifestObject, ObjectSet, scalar_text
from kubeanswers.reading import Reading
from kubeanswers.records import dataclass
from kubeanswers.validation.answers import Invalid
from kubeanswers.validation.configurations import is_configuration
from kubeanswers.validation.custom_kinds import is_custom
from kubeanswers.validation.references import Dangling, dangling
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.validity import judged, was_taken

INVALID_GUARD: Final = "policy-invalid"
INVALID: Final = "object-invalid"
DANGLING: Final = "reference-dangling"
_GUARDS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"ResourceQuota", "LimitRange"}),
    "networking.k8s.io": frozenset({"NetworkPolicy"}),
}
_GUARDING_GROUPS: Final = frozenset(
    {
        "admissionregistration.k8s.io",
        "cilium.io",
        "config.gatekeeper.sh",
        "constraints.gatekeeper.sh",
        "crd.projectcalico.org",
        "kyverno.io",
        "policies.kyverno.io",
        "policy.networking.k8s.io",
        "projectcalico.org",
        "security.istio.io",
        "templates.gatekeeper.sh",
    }
)
"""API groups whose kinds do nothing but guard."""
_MORE: Final = 3
_TO_FILL: Final = re.compile(r"""['"][^'"]*(\{\{[^'"]*\}\}|\$\{[^'"{}]+\}|\$\([A-Za-z_][^'"()]*\))""")
"""A value that is quoted as wrong and holds a placeholder: ``{{...}}``, ``${...}``, ``$(...)``."""


@dataclass(frozen=True)
class Standing:
    """What stands, and what does not.

    Attributes:
        objects: the objects that count.
        invalid: what an API server would refuse.
        dangling: references to what is not there.
        unjudged: objects of kinds whose fields are not known, by kind and group.
        leaving: guards that were being deleted when the cluster was read.
    """

    objects: ObjectSet
    invalid: tuple[Invalid, ...]
    dangling: tuple[Dangling, ...]
    unjudged: Mapping[str, int]
    leaving: tuple[ManifestObject, ...] = ()

    def findings(self) -> Iterator[Finding]:
        """Yield a finding per object that would be refused, and per reference to nothing."""
        by_item: dict[ManifestObject, list[Invalid]] = {}
        for one in self.invalid:
            by_item.setdefault(one.item, []).append(one)
        for item, faults in by_item.items():
            yield _refused(item, faults)
        for item in self.leaving:
            subject, where = about(item)
            what = "was being deleted when it was read (metadata.deletionTimestamp), so it is not counted on"
            fix = "let the deletion end, then read again; a finalizer may hold it up"
            yield Finding(INVALID_GUARD, Severity.HIGH, subject, where, what, "", fix)
        for ref in self.dangling:
            what = f"{ref.field} names {ref.missing}, which is not among these objects: if the cluster lacks it too, "
            severity = Severity.LOW if ref.kind == "Secret" else Severity.MEDIUM
            fix = f"add the {ref.kind}, or correct the name; what a chart brings is named in what was read with it"
            yield Finding(DANGLING, severity, str(ref.item), ref.where, what + ref.effect, "", fix)


def standing(reading: Reading, kubernetes: str) -> Standing:
    """Return what would stand in a cluster of a version.

    Raises:
        InputError: the version is unknown.
    """
    invalid, unjudged = judged(reading, kubernetes)
    objects = reading.objects
    leaving = tuple(item for item in objects if is_leaving(item) and is_guard(item))
    fallen = {one.item for one in invalid if is_guard(one.item) and not was_taken(one.item)} | set(leaving)
    if fallen:
        objects = replace(objects, objects=tuple(item for item in objects if item not in fallen), _derived={})
    return Standing(objects, invalid, dangling(objects), unjudged, leaving)


def is_leaving(item: ManifestObject) -> bool:
    """Return whether an object was being deleted."""
    return bool(item.metadata.get("deletionTimestamp"))


def is_guard(item: ManifestObject) -> bool:
    """Return whether a kind does nothing but keep others from something."""
    return item.group in _GUARDING_GROUPS or item.kind in _GUARDS.get(item.group, ())


def _is_sealed(one: Invalid) -> bool:
    """Return whether a fault is there for SOPS encrypted the object: what decrypts it takes its marks out."""
    return "sops" in one.item.data and (one.field == "sops" or "ENC[" in one.what)


def _refused(item: ManifestObject, faults: list[Invalid]) -> Finding:
    told = "; ".join(f"{one.field}: {one.what}" for one in faults[:_MORE])
    if len(faults) > _MORE:
        told += f"; and {len(faults) - _MORE} more"
    first = faults[0]
    if all(_TO_FILL.search(one.what) or _is_sealed(one) for one in faults):
        what = f"is filled in elsewhere or decrypted first, and was read as it stands: {told}"
        fix = "render it as its tool does (Flux's postBuild, SOPS, envsubst, a generator), and audit the result"
        return Finding(INVALID, Severity.LOW, str(item), first.where, what, "", fix)
    if was_taken(item):
        what = f"a server took it, though this version would refuse it: {told}"
        return Finding(INVALID, Severity.LOW, str(item), first.where, what, "", f"{first.field}: {first.cure}")
    custom = is_custom(scalar_text(item.data.get("apiVersion")))
    who = "its kind's definition, as published," if custom else "the API server"
    if is_guard(item):
        what = f"{who} refuses it, so it guards nothing: {told}"
        return Finding(INVALID_GUARD, Severity.HIGH, str(item), first.where, what, "", f"{first.field}: {first.cure}")
    what = f"{who} refuses it: {told}"
    if is_configuration(item.data):
        what = f"the component that reads it does not start with it: {told}"
    return Finding(INVALID, Severity.MEDIUM, str(item), first.where, what, "", f"{first.field}: {first.cure}")
