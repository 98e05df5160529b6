"""APIs that are added to the server: CustomResourceDefinitions and APIServices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, each, items, mapping
from kubeanswers.validation.checks.structural import structural
from kubeanswers.validation.checks.webhooks import client, review_versions

_HIGHEST_GROUP: Final = 20_000
_HIGHEST_VERSION: Final = 1000
_COLUMNS: Final = ("boolean", "date", "integer", "number", "string")


def api_service(obj: Mapping[str, Any], report: Report) -> None:
    """Check an APIService, whose name is its version and group."""
    spec = mapping(obj.get("spec"))
    group, version = str(spec.get("group") or ""), str(spec.get("version") or "")
    if mapping(obj.get("metadata")).get("name") != f"{version}.{group}":
        report.add("metadata.name", f"must be {version}.{group}")
    report.text("spec.group", group or None, words.dns_subdomain)
    report.text("spec.version", version, words.dns_1035_label)
    report.between("spec.groupPriorityMinimum", spec.get("groupPriorityMinimum") or 0, 1, _HIGHEST_GROUP)
    report.between("spec.versionPriority", spec.get("versionPriority") or 0, 1, _HIGHEST_VERSION)
    service = spec.get("service")
    if service is None:
        for field in ("caBundle", "insecureSkipTLSVerify"):
            if spec.get(field):
                report.add(f"spec.{field}", "may not be given without a service")
        return
    for field in ("namespace", "name"):
        report.required(f"spec.service.{field}", mapping(service).get(field))
    report.between("spec.service.port", mapping(service).get("port"), 1, 65535)
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        report.add("spec.insecureSkipTLSVerify", "may not be true beside caBundle")


def definition(obj: Mapping[str, Any], report: Report) -> None:
    """Check a CustomResourceDefinition: its names, versions and structural schemas."""
    spec = mapping(obj.get("spec"))
    names, group = mapping(spec.get("names")), str(spec.get("group") or "")
    if report.required("spec.group", group):
        report.text("spec.group", group, words.dns_subdomain)
        if "." not in group:
            report.add("spec.group", "must be a domain with at least one dot")
    if mapping(obj.get("metadata")).get("name") != f"{names.get('plural')}.{group}":
        report.add("metadata.name", "must be names.plural and group with a dot between")
    annotations = mapping(mapping(obj.get("metadata")).get("annotations"))
    if group.endswith((".k8s.io", ".kubernetes.io")) and not annotations.get("api-approved.kubernetes.io"):
        report.add("metadata.annotations[api-approved.kubernetes.io]", "is required for a protected group")
    report.choice("spec.scope", spec.get("scope"), ("Cluster", "Namespaced"), optional=False)
    _names(names, report)
    _versions(spec, report)
    _conversion(spec.get("conversion"), report)
    if spec.get("preserveUnknownFields"):
        report.add("spec.preserveUnknownFields", "must be false; set it in the schema")


def _names(names: Mapping[str, Any], report: Report) -> None:
    for field in ("plural", "kind"):
        report.required(f"spec.names.{field}", names.get(field))
    for field in ("plural", "singular", "kind", "listKind"):
        text = names.get(field) or None
        report.text(f"spec.names.{field}", text.lower() if text and "ind" in field else text, words.dns_1035_label)
    for field in ("shortNames", "categories"):
        for index, name in enumerate(items(names.get(field))):
            report.text(f"spec.names.{field}[{index}]", name, words.dns_1035_label)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        report.add("spec.names.listKind", "must differ from kind")


def _versions(spec: Mapping[str, Any], report: Report) -> None:
    versions = [one for _, one in each("", spec.get("versions"))]
    report.unique("spec.versions", [one.get("name") for one in versions], ".name")
    if len([one for one in versions if one.get("storage")]) != 1:
        report.add("spec.versions", "exactly one must be the storage version")
    for place, one in each("spec.versions", spec.get("versions")):
        report.text(f"{place}.name", one.get("name") or "", words.dns_1035_label)
        schema = mapping(one.get("schema")).get("openAPIV3Schema")
        if schema is None:
            report.add(f"{place}.schema.openAPIV3Schema", "is required")
            continue
        path = f"{place}.schema.openAPIV3Schema"
        if mapping(schema).get("type") != "object":
            report.add(f"{path}.type", "must be object at the root")
        structural(path, mapping(schema), report)
        _subresources(f"{place}.subresources", mapping(one.get("subresources")), report)
        for inner, column in each(f"{place}.additionalPrinterColumns", one.get("additionalPrinterColumns")):
            report.required(f"{inner}.name", column.get("name"))
            report.choice(f"{inner}.type", column.get("type"), _COLUMNS, optional=False)
            report.required(f"{inner}.jsonPath", column.get("jsonPath"))


def _subresources(path: str, value: Mapping[str, Any], report: Report) -> None:
    scale = value.get("scale")
    if scale is None:
        return
    for field, start in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        if not str(mapping(scale).get(field) or "").startswith(start):
            report.add(f"{path}.scale.{field}", f"must be a path below {start[:-1]}")


def _conversion(given: Any, report: Report) -> None:
    if given is None:
        return
    value = mapping(given)
    strategy, webhook = value.get("strategy"), value.get("webhook")
    report.choice("spec.conversion.strategy", strategy, ("None", "Webhook"), optional=False)
    if strategy == "Webhook":
        found = mapping(webhook)
        if found.get("clientConfig") is None:
            report.add("spec.conversion.webhook.clientConfig", "is required when strategy is Webhook")
        else:
            client("spec.conversion.webhook.clientConfig", mapping(found["clientConfig"]), report)
        path = "spec.conversion.webhook.conversionReviewVersions"
        review_versions(path, found.get("conversionReviewVersions"), ("v1", "v1beta1"), report)
    elif webhook is not None:
        report.add("spec.conversion.webhook", "may only be given when strategy is Webhook")
