"""StorageClasses, volumes and claims, CSI drivers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.placement import node_term
from kubeanswers.validation.checks.report import Report, each, items, mapping
from kubeanswers.validation.checks.volumes import ACCESS_MODES, claim_spec, driver_name, volume_source

_LARGEST_PARAMETERS: Final = 256 * 1024
_SETTINGS: Final = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)
"""Fields of a PersistentVolume that are not its source."""


def storage_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check a StorageClass."""
    if report.required("provisioner", obj.get("provisioner")):
        report.text("provisioner", str(obj["provisioner"]).lower(), words.qualified_name)
    for field, allowed in (
        ("reclaimPolicy", ("Delete", "Retain")),
        ("volumeBindingMode", ("Immediate", "WaitForFirstConsumer")),
    ):
        if obj.get(field) is not None:
            report.choice(field, obj[field], allowed, optional=False)
    parameters = mapping(obj.get("parameters"))
    if len(parameters) > 512:
        report.add("parameters", "at most 512 are allowed")
    if "" in parameters:
        report.add("parameters", "a name must not be empty")
    if sum(len(str(key)) + len(str(value)) for key, value in parameters.items()) > _LARGEST_PARAMETERS:
        report.add("parameters", f"at most {_LARGEST_PARAMETERS} bytes are allowed")
    terms: list[str] = []
    for place, term in each("allowedTopologies", obj.get("allowedTopologies")):
        found = items(term.get("matchLabelExpressions"))
        report.unique(f"{place}.matchLabelExpressions", [mapping(one).get("key") for one in found], ".key")
        terms.append(
            json.dumps(
                [[mapping(one).get("key"), sorted(map(str, items(mapping(one).get("values"))))] for one in found]
            )
        )
        for inner, one in each(f"{place}.matchLabelExpressions", term.get("matchLabelExpressions")):
            report.text(f"{inner}.key", one.get("key") or "", words.qualified_name)
            if not items(one.get("values")):
                report.add(f"{inner}.values", "is required")
            report.unique(f"{inner}.values", items(one.get("values")))
    report.unique("allowedTopologies", terms)


def volume_claim(obj: Mapping[str, Any], report: Report) -> None:
    """Check a PersistentVolumeClaim."""
    claim_spec("spec", mapping(obj.get("spec")), report)


def volume_attributes_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check a VolumeAttributesClass."""
    if report.required("driverName", obj.get("driverName")):
        report.text("driverName", obj["driverName"], driver_name)
    report.required("parameters", obj.get("parameters"))


def csi_driver(obj: Mapping[str, Any], report: Report) -> None:
    """Check a CSIDriver."""
    spec = mapping(obj.get("spec"))
    report.text("metadata.name", mapping(obj.get("metadata")).get("name") or None, driver_name)
    policies = ("ReadWriteOnceWithFSType", "File", "None")
    if spec.get("fsGroupPolicy") is not None:
        report.choice("spec.fsGroupPolicy", spec["fsGroupPolicy"], policies, optional=False)
    for index, mode in enumerate(items(spec.get("volumeLifecycleModes"))):
        report.choice(f"spec.volumeLifecycleModes[{index}]", mode, ("Persistent", "Ephemeral"), optional=False)
    audiences = [one.get("audience") or "" for _, one in each("", spec.get("tokenRequests"))]
    report.unique("spec.tokenRequests", audiences, ".audience")
    for place, one in each("spec.tokenRequests", spec.get("tokenRequests")):
        report.between(f"{place}.expirationSeconds", one.get("expirationSeconds"), 600, 2**32)


def persistent_volume(obj: Mapping[str, Any], report: Report) -> None:
    """Check a PersistentVolume."""
    spec = mapping(obj.get("spec"))
    modes = items(spec.get("accessModes"))
    if not modes:
        report.add("spec.accessModes", "at least one is required")
    for index, mode in enumerate(modes):
        report.choice(f"spec.accessModes[{index}]", mode, ACCESS_MODES, optional=False)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        report.add("spec.accessModes", "ReadWriteOncePod excludes other access modes")
    capacity = mapping(spec.get("capacity"))
    if set(capacity) != {"storage"}:
        report.add("spec.capacity", "must name storage and nothing else")
    for name, amount in capacity.items():
        size = words.quantity(amount)
        if size is None or size <= 0:
            report.add(f"spec.capacity[{name}]", f"{amount!r} must be a quantity above zero")
    policy = spec.get("persistentVolumeReclaimPolicy")
    report.choice("spec.persistentVolumeReclaimPolicy", policy, ("Delete", "Recycle", "Retain"))
    if (
        policy == "Recycle"
        and str(mapping(spec.get("hostPath")).get("path") or "").rstrip("/") == ""
        and spec.get("hostPath")
    ):
        report.add("spec.persistentVolumeReclaimPolicy", "may not be Recycle for a hostPath of '/'")
    report.text("spec.storageClassName", spec.get("storageClassName") or None, words.dns_subdomain)
    if spec.get("volumeMode") is not None:
        report.choice("spec.volumeMode", spec["volumeMode"], ("Block", "Filesystem"), optional=False)
    _source(spec, report)
    _affinity(spec, report)


def _source(spec: Mapping[str, Any], report: Report) -> None:
    sources = [key for key, value in spec.items() if key not in _SETTINGS and value is not None]
    if len(sources) != 1:
        report.add("spec", "must have exactly one volume type")
    for kind in sources[:1]:
        volume_source(f"spec.{kind}", kind, mapping(spec[kind]), report)
        if kind == "csi":
            report.required("spec.csi.volumeHandle", mapping(spec["csi"]).get("volumeHandle"))
    if spec.get("local") is not None and mapping(spec.get("nodeAffinity")).get("required") is None:
        report.add("spec.nodeAffinity", "local volumes need node affinity")


def _affinity(spec: Mapping[str, Any], report: Report) -> None:
    if spec.get("nodeAffinity") is None:
        return
    required = mapping(spec["nodeAffinity"]).get("required")
    path = "spec.nodeAffinity.required"
    if required is None:
        report.add(path, "is required")
        return
    if not items(mapping(required).get("nodeSelectorTerms")):
        report.add(f"{path}.nodeSelectorTerms", "must have at least one term")
    for place, term in each(f"{path}.nodeSelectorTerms", mapping(required).get("nodeSelectorTerms")):
        node_term(place, term, report, labelled=True)
