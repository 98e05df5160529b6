"""Files that volumes project from ConfigMaps, Secrets, tokens and the pod's own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.containers import field_path, resource_field
from kubeanswers.validation.checks.metadata import selector
from kubeanswers.validation.checks.report import Report, each, mapping

_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "metadata.uid",
)
_SHORTEST_TOKEN: Final = 600
_LONGEST_TOKEN: Final = 2**32
_HIGHEST_MODE: Final = 0o777


def keys_to_paths(path: str, value: Any, report: Report) -> list[str]:
    """Check which keys become which files; return the files' paths."""
    for place, item in each(path, value):
        report.required(f"{place}.key", item.get("key"))
        _file(place, item, report)
    return [str(item["path"]) for _, item in each("", value) if item.get("path")]


def _file(place: str, item: Mapping[str, Any], report: Report) -> None:
    if report.required(f"{place}.path", item.get("path")):
        report.text(f"{place}.path", item["path"], words.projected_path)
    report.between(f"{place}.mode", item.get("mode"), 0, _HIGHEST_MODE)


def downward(path: str, value: Any, report: Report) -> list[str]:
    """Check which fields of the pod become which files; return the files' paths."""
    for place, item in each(path, value):
        _file(place, item, report)
        field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
        if (field is None) == (resource is None):
            report.add(place, "must have exactly one of fieldRef and resourceFieldRef")
        if field is not None:
            field_path(f"{place}.fieldRef", mapping(field), _FIELDS, report)
        elif resource is not None:
            resource_field(f"{place}.resourceFieldRef", mapping(resource), report, named=True)
    return [str(item["path"]) for _, item in each("", value) if item.get("path")]


def projected(path: str, value: Mapping[str, Any], report: Report) -> None:
    """Check a projected volume: one kind per source, no file twice."""
    files: list[str] = []
    for place, source in each(f"{path}.sources", value.get("sources")):
        kinds = [key for key, inner in source.items() if inner is not None]
        if len(kinds) > 1:
            report.add(place, "may not have more than one kind")
        for kind in kinds:
            files += _projection(f"{place}.{kind}", kind, mapping(source[kind]), report)
    report.unique(f"{path}.sources", files)


def _projection(path: str, kind: str, value: Mapping[str, Any], report: Report) -> list[str]:
    if kind in ("secret", "configMap"):
        report.required(f"{path}.name", value.get("name"))
        return keys_to_paths(f"{path}.items", value.get("items"), report)
    if kind == "downwardAPI":
        return downward(f"{path}.items", value.get("items"), report)
    if kind == "serviceAccountToken":
        report.between(f"{path}.expirationSeconds", value.get("expirationSeconds"), _SHORTEST_TOKEN, _LONGEST_TOKEN)
        if report.required(f"{path}.path", value.get("path")):
            report.text(f"{path}.path", value["path"], words.projected_path)
        return []
    if kind == "clusterTrustBundle":
        return _trust_bundle(path, value, report)
    return []


def _trust_bundle(path: str, value: Mapping[str, Any], report: Report) -> list[str]:
    name, signer = value.get("name"), value.get("signerName")
    if (name is None) == (signer is None):
        report.add(path, "must have exactly one of name and signerName")
    if name is not None and value.get("labelSelector") is not None:
        report.add(f"{path}.labelSelector", "may not be given beside name")
    selector(f"{path}.labelSelector", value.get("labelSelector"), report)
    if report.required(f"{path}.path", value.get("path")):
        report.text(f"{path}.path", value["path"], words.projected_path)
    return [str(value.get("path") or "")]
