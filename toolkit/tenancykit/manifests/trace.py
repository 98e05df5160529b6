"""Requirement to object and back: which fields of the scenario ask for something, and which objects carry it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any, Final, get_args

from kubeanswers.records import dataclass
from tenancykit.design import facts
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.manifests.model import Requirement
from tenancykit.manifests.yaml_writer import write_document

REQUIREMENTS: Final[tuple[Requirement, ...]] = get_args(Requirement)

_MATRIX: Final = "tenant-to-tenant matrix"
PROOFS: Final[dict[Requirement, str]] = {
    "identity": "RBAC: no subject of one tenant acts in another's namespace",
    "isolation.control-plane": "RBAC: no tenant changes what fences it in; admission: labels stay locked",
    "isolation.compute": "Pod Security and admission: every pod runs restricted, under its class's runtime",
    "isolation.network": f"network reachability: {_MATRIX}",
    "isolation.storage": "admission and quota: a claim names its tenant's StorageClass only",
    "isolation.accelerator": "scheduling: which tenants' pods can share a GPU",
    "fair-share": "bounds: every tenant is capped on every resource it can ask for",
    "priority": "admission: a pod uses its class's priorities only",
    "placement": "scheduling: a tenant's pods cannot land on another pool's nodes",
    "exposure": "network reachability: from outside to exposed ports only",
}
"""What the audit computes to prove a requirement; those left out are means rather than claims."""


@dataclass
class Carriers:
    """Files and kinds that carry each requirement of each class; its size does not depend on the number of tenants."""

    found: dict[str, dict[str, dict[str, set[str]]]] = field(default_factory=dict)

    def add(self, classes: Iterable[ClassDesign], requirement: str, file: str, kind: str) -> None:
        """Note that a file holds an object of a kind that serves a requirement of some classes."""
        for each in classes:
            files = self.found.setdefault(each.tenant_class.id, {}).setdefault(requirement, {})
            files.setdefault(file, set()).add(kind)


def asked_by(found: ClassDesign, requirement: Requirement) -> list[str]:
    """Return the fields of the scenario that ask for something on behalf of a class."""
    wanted = found.tenant_class
    place = f"tenants.classes[{wanted.id}]"
    if requirement.startswith("isolation") or requirement in ("identity", "placement", "priority"):
        plane = "control_plane" if requirement in ("isolation.control-plane", "identity") else "data_plane"
        levels = {"isolation": wanted.requirements.isolation, plane: getattr(wanted.requirements, plane)}
        fields = [f"{place}.requirements.{name}: {level}" for name, level in levels.items() if level]
        trust = facts.trust(wanted)
        return [*fields, f"{place}.kind: {wanted.kind}", f"{place}.trust: {trust}"]
    uses = ", ".join(use.template for use in wanted.workloads)
    return {
        "fair-share": [f"{place}.quota", f"{place}.workloads: {uses}"],
        "workload": [f"{place}.workloads: {uses}"],
        "persistence": [f"workloads[{use.template}].storage" for use in wanted.workloads],
        "exposure": [f"workloads[{use.template}].exposure" for use in wanted.workloads],
    }.get(requirement, ["team", "infrastructure"])


def trace_text(design: ResolvedDesign, carriers: Carriers) -> str:
    """Return the trace of an export as YAML: per class and requirement, who asks, what carries it, what proves it."""
    classes: dict[str, Any] = {}
    for found in design.classes:
        carried = carriers.found.get(found.tenant_class.id, {})
        entries: dict[str, Any] = {}
        for requirement in REQUIREMENTS:
            files = carried.get(requirement)
            if not files:
                continue
            entries[requirement] = {
                "askedBy": asked_by(found, requirement),
                "carriedBy": {file: sorted(files[file]) for file in sorted(files)},
                "provedBy": PROOFS.get(requirement, ""),
            }
        classes[found.tenant_class.id] = entries
    return write_document({"schema": "tenancykit/trace/v1", "design": design.id, "classes": classes})
