"""Names, labels, annotations and owners; label selectors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Check, Report, each, items, mapping
from kubeanswers.validation.custom_kinds import is_custom

_FINALIZERS: Final = ("foregroundDeletion", "kubernetes", "orphan")
_LONGEST_PREFIX: Final = 58
"""What is kept of a prefix before five characters are added."""
_MAX_ANNOTATIONS: Final = 256 * 1024
_PSA_KEY: Final = re.compile(r"pod-security\.kubernetes\.io/(enforce|audit|warn)(-version)?")
_PSA_VERSION: Final = re.compile(r"latest|v1\.(0|[1-9][0-9]*)")

NAME_CHECKS: Final[dict[str, Check]] = {
    "Namespace": words.dns_label,
    "CertificateSigningRequest": words.path_segment,
    "Service": words.dns_1035_label,
    "StatefulSet": words.dns_label,
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
    custom = is_custom(str(obj.get("apiVersion")))
    check = words.dns_subdomain if custom else NAME_CHECKS.get(str(obj.get("kind")), words.dns_subdomain)
    if not name and not generated:
        report.add("metadata.name", "is required, or generateName")
    report.text("metadata.name", name or None, check)
    if generated and (wrong := check(_as_prefix(str(generated)))):
        report.add("metadata.generateName", f"{generated!r} {wrong}")
    elif generated and not name and (wrong := check(f"{str(generated)[:_LONGEST_PREFIX]}x2x2x")):
        report.add("metadata.generateName", f"{generated!r}: a name that starts so {wrong}")
    report.text("metadata.namespace", found.get("namespace") or None, words.dns_label)
    labels("metadata.labels", found.get("labels"), report)
    annotation_texts("metadata.annotations", found.get("annotations"), report)
    _owners(found.get("ownerReferences"), report)
    finalizers("metadata.finalizers", found.get("finalizers"), report, custom=custom)
    if {"orphan", "foregroundDeletion"} <= set(map(str, items(found.get("finalizers")))):
        report.add("metadata.finalizers", "orphan and foregroundDeletion exclude each other")


def _as_prefix(text: str) -> str:
    """Return a prefix as a name to check: a dash at its end is followed by something once the name is generated."""
    return f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text


def _owners(value: Any, report: Report) -> None:
    for path, owner in each("metadata.ownerReferences", value):
        for field in ("apiVersion", "kind", "name", "uid"):
            report.required(f"{path}.{field}", owner.get(field))
        version = str(owner.get("apiVersion") or "v1")
        if version.count("/") > 1 or version.endswith("/"):
            report.add(f"{path}.apiVersion", f"{version!r} must be a version, or a group and a version")
        if (version, owner.get("kind")) == ("v1", "Event"):
            report.add(path, "an Event cannot own anything")
    if len([owner for _, owner in each("", value) if owner.get("controller")]) > 1:
        report.add("metadata.ownerReferences", "only one owner may be the controller")


def finalizers(path: str, value: Any, report: Report, *, custom: bool = False) -> None:
    """Check the names of finalizers; of a custom kind one without a domain is taken, with a warning."""
    for index, finalizer in enumerate(items(value)):
        report.text(f"{path}[{index}]", finalizer, words.qualified_name)
        if not custom and "/" not in str(finalizer) and finalizer not in _FINALIZERS:
            report.add(f"{path}[{index}]", f"{finalizer!r} is neither standard nor fully qualified")


def embedded(path: str, value: Any, report: Report) -> None:
    """Check the metadata of a template, which has labels and annotations only."""
    found = mapping(value)
    labels(f"{path}.labels", found.get("labels"), report)
    annotation_texts(f"{path}.annotations", found.get("annotations"), report)
    for field in found.keys() - {"labels", "annotations"}:
        if found[field]:
            report.add(f"{path}.{field}", "only labels and annotations may be given")


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
        size += len(key.encode()) + len(str(text or "").encode())
    if size > _MAX_ANNOTATIONS:
        report.add(path, f"are {size} bytes; at most {_MAX_ANNOTATIONS} are allowed")


def namespace(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Namespace's finalizers and, as the admission plugin does, its Pod Security labels."""
    finalizers("spec.finalizers", mapping(obj.get("spec")).get("finalizers"), report)
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


def is_empty_selector(value: Any) -> bool:
    """Return whether a selector selects everything."""
    found = mapping(value)
    return not mapping(found.get("matchLabels")) and not items(found.get("matchExpressions"))
