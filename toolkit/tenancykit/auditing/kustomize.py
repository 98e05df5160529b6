"""The part of Kustomize an audit follows: resources, bases, components, namespace and common labels.

What would change the meaning of objects and is not followed (patches, name prefixes, generators, Helm charts) is
reported, so that nobody mistakes the audited objects for the built ones.
Source of the fields: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tenancykit.auditing.kinds import builtin_kinds
from tenancykit.auditing.objects import mapping, mappings, text_map, texts
from tenancykit.auditing.parsing import parse_documents
from tenancykit.errors import Fault

KUSTOMIZATION_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_NOT_FOLLOWED: Final = (
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
    "namePrefix",
    "nameSuffix",
    "helmCharts",
    "transformers",
    "generators",
    "vars",
)


@dataclass(frozen=True)
class Kustomization:
    """One kustomization file, as far as it is followed."""

    resources: tuple[str, ...]
    namespace: str
    labels: Mapping[str, str]

    @classmethod
    def read(cls, file: Path, faults: list[Fault]) -> Kustomization | None:
        """Return the kustomization in ``file``, or None where it cannot be read; faults say what is not followed."""
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            faults.append(Fault(str(file), "cannot be read as UTF-8 text", cure="check the file and its permissions"))
            return None
        found: list[Fault] = []
        documents = [value for value, _ in parse_documents(text, str(file), found) if isinstance(value, Mapping)]
        faults.extend(found)
        if found or len(documents) != 1:
            if not found:
                faults.append(Fault(str(file), "is not one Kustomization document", cure="write exactly one"))
            return None
        data = documents[0]
        for key in _NOT_FOLLOWED:
            if data.get(key):
                what = f"uses {key}, which is not applied here"
                faults.append(
                    Fault(str(file), what, cure="audit the result of: kubectl kustomize DIR | tenancykit audit -")
                )
        named = [name for key in ("resources", "bases", "components") for name in texts(data.get(key))]
        return cls(tuple(named), str(data.get("namespace") or ""), _labels(data))

    def transform(self, data: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
        """Return the object with the kustomization's namespace and labels set on it."""
        metadata = dict(mapping(data.get("metadata")))
        if namespace and _is_namespaced(data):
            metadata["namespace"] = namespace
        if self.labels:
            metadata["labels"] = {**text_map(metadata.get("labels")), **self.labels}
        if namespace and data.get("kind") == "Namespace":
            metadata["name"] = namespace
        if namespace and data.get("kind") in ("RoleBinding", "ClusterRoleBinding"):
            data = {**data, "subjects": [_subject(item, namespace) for item in mappings(data.get("subjects"))]}
        return {**data, "metadata": metadata}


def find_kustomization(folder: Path) -> Path | None:
    """Return the folder's kustomization file, or None."""
    return next((folder / name for name in KUSTOMIZATION_NAMES if (folder / name).is_file()), None)


def _labels(data: Mapping[str, Any]) -> Mapping[str, str]:
    merged = dict(text_map(data.get("commonLabels")))
    for entry in mappings(data.get("labels")):
        merged.update(text_map(entry.get("pairs")))
    return merged


def _is_namespaced(data: Mapping[str, Any]) -> bool:
    group = str(data.get("apiVersion", "")).rpartition("/")[0]
    entry = builtin_kinds().find(group, str(data.get("kind", "")))
    return entry.namespaced if entry else "namespace" in mapping(data.get("metadata"))


def _subject(subject: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    """Kustomize moves the service account subjects named ``default`` along with the namespace."""
    if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
        return {**subject, "namespace": namespace}
    return subject
