"""Names, labels, annotations and owners; label selectors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tenancykit.manifests.checks import words
from tenancykit.manifests.checks.report import Check, Report, each, items, mapping

_FINALIZERS: Final = ("foregroundDeletion", "kubernetes", "orphan")
_MAX_ANNOTATIONS: Final = 256 * 1024
_PSA_KEY: Final = re.compile(r"pod-security\.kubernetes\.io/(enforce|audit|warn)(-version)?")
_PSA_VERSION: Final = re.compile(r"latest|v1\.(0|[1-9][0-9]*)")

NAME_CHECKS: Final[dict[str, Check]] = {
    "Namespace": words.dns_label,
    "Service": words.dns_1035_label,
    "Role": words.path_segment,
    "ClusterRole": words.path_segment,
    "RoleBinding": words.path_segment,
    "ClusterRoleBinding": words.path_segment,
}
"""How names are checked where it is not as a subdomain, the rule for all other kinds."""


def metadata(obj: Mapping[str, Any], report: Report) -> None:
    """Check an object's metadata."""
    found = mapping(obj.get("metadata"))
    name, generated = found.get("name"), found.get("generateName")
    check = NAME_CHECKS.get(str(obj.get("kind")), words.dns_subdomain)
    if not name:
        if not generated:
            report.add("metadata.name", "is required, or generateName")
        else:
            report.text("metadata.generateName", str(generated).rstrip("-") or "x", check)
    else:
        report.text("metadata.name", name, check)
    report.text("metadata.namespace", found.get("namespace") or None, words.dns_label)
    labels("metadata.labels", found.get("labels"), report)
    annotation_texts("metadata.annotations", found.get("annotations"), report)
    for path, owner in each("metadata.ownerReferences", found.get("ownerReferences")):
        for field in ("apiVersion", "kind", "name", "uid"):
            report.required(f"{path}.{field}", owner.get(field))
    controllers = [o for _, o in each("", found.get("ownerReferences")) if o.get("controller")]
    if len(controllers) > 1:
        report.add("metadata.ownerReferences", "only one owner may be the controller")
    for index, finalizer in enumerate(items(found.get("finalizers"))):
        report.text(f"metadata.finalizers[{index}]", finalizer, words.qualified_name)
        if "/" not in str(finalizer) and finalizer not in _FINALIZERS:
            report.add(f"metadata.finalizers[{index}]", f"{finalizer!r} is neither standard nor fully qualified")


def labels(path: str, value: Any, report: Report) -> None:
    """Check a set of labels."""
    for key, text in mapping(value).items():
        report.text(path, key, words.qualified_name)
        report.text(path, text, words.label_value)


def annotation_texts(path: str, value: Any, report: Report) -> None:
    """Check a set of annotations; keys are compared in lower case."""
    size = 0
    for key, text in mapping(value).items():
        report.text(path, key.lower(), words.qualified_name)
        size += len(key) + len(str(text))
    if size > _MAX_ANNOTATIONS:
        report.add(path, f"are {size} bytes; at most {_MAX_ANNOTATIONS} are allowed")


def pod_security_labels(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Namespace's Pod Security labels, as the admission plugin does."""
    for key, value in mapping(mapping(obj.get("metadata")).get("labels")).items():
        match = _PSA_KEY.fullmatch(key)
        if match is None:
            continue
        path = f"metadata.labels[{key}]"
        if match[2]:
            if not _PSA_VERSION.fullmatch(str(value)):
                report.add(path, f"{value!r} must be latest or v1.x")
        else:
            report.choice(path, value, ("privileged", "baseline", "restricted"), optional=False)


def selector(path: str, value: Any, report: Report) -> None:
    """Check a label selector."""
    found = mapping(value)
    labels(f"{path}.matchLabels", found.get("matchLabels"), report)
    for place, term in each(f"{path}.matchExpressions", found.get("matchExpressions")):
        operator, values = term.get("operator"), items(term.get("values"))
        report.text(f"{place}.key", term.get("key", ""), words.qualified_name)
        if operator in ("In", "NotIn"):
            if not values:
                report.add(f"{place}.values", "is required when operator is In or NotIn")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                report.add(f"{place}.values", "may not be given when operator is Exists or DoesNotExist")
        else:
            report.add(f"{place}.operator", f"{operator!r} is not In, NotIn, Exists or DoesNotExist")
        for index, text in enumerate(values):
            report.text(f"{place}.values[{index}]", text, words.label_value)


def matches(selector_value: Any, found: Any) -> bool:
    """Return whether a selector selects a set of labels."""
    chosen, have = mapping(selector_value), mapping(found)
    if any(have.get(key) != value for key, value in mapping(chosen.get("matchLabels")).items()):
        return False
    for _, term in each("", chosen.get("matchExpressions")):
        key, values = str(term.get("key")), items(term.get("values"))
        holds = {
            "In": key in have and have[key] in values,
            "NotIn": key not in have or have[key] not in values,
            "Exists": key in have,
            "DoesNotExist": key not in have,
        }
        if not holds.get(str(term.get("operator")), False):
            return False
    return True


def is_empty_selector(value: Any) -> bool:
    """Return whether a selector selects everything."""
    found = mapping(value)
    return not mapping(found.get("matchLabels")) and not items(found.get("matchExpressions"))
