"""Strict, offline validation of Kubernetes objects: every fault at once, against the chosen version's own schemas.

Schema files are those of the ``kubernetes-validate`` package (Kubernetes 1.25 to 1.37); each is read once
and kept. What schemas cannot say is checked by the modules beside this one.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError, MissingExtraError, did_you_mean
from kubeanswers.source import parse_yaml
from kubeanswers.validation import custom_kinds, decoding
from kubeanswers.validation.built_in import BuiltIn, built_in
from kubeanswers.validation.configurations import configuration_faults, is_configuration
from kubeanswers.validation.definitions import Defined, Definitions
from kubeanswers.validation.semantics import semantic_faults, update_faults

DEFAULT_VERSION: Final = "1.36"
_PACKAGE: Final = "kubernetes_validate"


def validate_object(
    obj: Mapping[str, Any],
    version: str = DEFAULT_VERSION,
    *,
    old: Mapping[str, Any] | None = None,
    kind_hint: str = "",
    definitions: Definitions | None = None,
) -> list[str]:
    """Return every fault of one object, as ``field: what is wrong``; an empty list where a cluster would accept it.

    Args:
        obj: the object as plain data.
        version: Kubernetes minor version, such as ``1.36``.
        old: the object it would replace; fields that stay as they were created are compared where it is given.
        kind_hint: kind of the address it is posted to, used where the object states none, as the API server does.
        definitions: custom kinds beside those known here; a kind that is in both is held against these.

    Raises:
        MissingExtraError: the schema files are not installed.
        InputError: the schema files do not know the version.
    """
    found = _own_faults(obj, version, kind_hint, old, definitions or Definitions())
    return found or ([] if old is None else update_faults(obj, old))


def _own_faults(  # noqa: PLR0911 - one per way an object is read
    obj: Mapping[str, Any], version: str, kind_hint: str, old: Mapping[str, Any] | None, definitions: Definitions
) -> list[str]:
    if not isinstance(obj, Mapping):
        return [f"is {type(obj).__name__}, not an object"]
    if kind_hint and not obj.get("kind"):
        obj = {**obj, "kind": kind_hint}
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str) or not api_version or not kind:
        return ["apiVersion and kind: required, as text"]
    if is_configuration(obj):
        return configuration_faults(obj)
    defined = definitions.find(api_version, kind)
    if defined is not None or custom_kinds.is_custom(api_version):
        own = custom_kinds.faults(obj) if defined is None else _defined_faults(obj, defined, old)
        return [*own, *semantic_faults(obj, version, custom=True)]
    validator = _validator(api_version, kind, version)
    if validator is None:
        return [_unknown(api_version, kind, version)]
    found = validator.faults(obj)
    if any(": unknown field" not in text for text in found):
        return sorted(set(found))
    return [*sorted(set(found)), *semantic_faults(obj, version)]


def _defined_faults(obj: Mapping[str, Any], defined: Defined, old: Mapping[str, Any] | None) -> list[str]:
    """Return what is wrong with an object of a kind that a definition at hand defines."""
    number = str(obj["apiVersion"]).rpartition("/")[2]
    structure = defined.versions.get(number)
    if structure is None:
        served = ", ".join(sorted(defined.versions))
        return [f"apiVersion: {defined.kind} of {defined.group} is defined as {served}, not as {number}"]
    stated = {key: value for key, value in obj.items() if key != "status" or number not in defined.with_status}
    return structure.faults(stated, old)


def is_judged(obj: Mapping[str, Any], definitions: Definitions | None = None) -> bool:
    """Return whether the fields of an object's kind are known here: what is not judged is not called valid."""
    api_version, kind = str(obj.get("apiVersion")), str(obj.get("kind"))
    known = (definitions or Definitions()).find(api_version, kind) is not None or is_configuration(obj)
    return known or not custom_kinds.is_custom(api_version) or custom_kinds.is_known(api_version, kind)


def validate_update(obj: Mapping[str, Any], old: Mapping[str, Any], version: str = DEFAULT_VERSION) -> list[str]:
    """Return every fault of replacing an object that exists by another: its own, and changes that are not allowed."""
    return validate_object(obj, version, old=old)


def validate_text(text: str, version: str = DEFAULT_VERSION) -> list[str]:
    """Return every fault of one object written as JSON or YAML, doubled keys included.

    A text that starts with a brace is read as JSON, as strictly as the API server reads it.
    """
    try:
        found = decoding.read_json(text) if decoding.starts_as_json(text) else parse_yaml(text, "text").data
    except InputError as error:
        return [str(fault) for fault in error.faults]
    return validate_object(found, version) if isinstance(found, Mapping) else ["is not an object"]


def versions() -> tuple[str, ...]:
    """Return the Kubernetes minor versions that schemas are installed for, oldest first."""
    found = {folder.name.removeprefix("v").rsplit(".", 1)[0] for folder in _schemas().glob("v*-local-strict")}
    return tuple(sorted(found, key=lambda version: [int(part) for part in version.split(".")]))


@cache
def _schemas() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtraError("kubernetes-validate", "validate")
    return Path(spec.origin).parent / "kubernetes-json-schema"


@cache
def _folder(version: str) -> Path:
    folder = _schemas() / f"v{version}.0-local-strict"
    if not folder.is_dir():
        known = ", ".join(versions())
        cure = did_you_mean(version, versions()) or "choose one of them"
        raise InputError(Fault("kubernetes", f"no schemas of version {version!r} are installed", known, cure))
    return folder


@cache
def _validator(api_version: str, kind: str, version: str) -> BuiltIn | None:
    """Return the schema of a kind, or None where the version does not serve it."""
    group, _, number = api_version.rpartition("/")
    short = group.split(".")[0]
    name = "-".join(filter(None, (kind.lower(), short, number)))
    path = _folder(version) / f"{name}.json"
    if not _NAME.fullmatch(name) or not path.is_file():
        return None
    found = built_in(path, kind)
    return found if kind in found.schema.get("properties", {}).get("kind", {}).get("enum", [kind]) else None


_NAME: Final = re.compile("[a-z0-9-]{1,200}")
"""What the names of schema files are made of; a kind that holds anything else has none."""


def _unknown(api_version: str, kind: str, version: str) -> str:
    group = api_version.rpartition("/")[0].split(".")[0]
    start = f"{kind.lower()}-{group}" if group else kind.lower()
    files = _folder(version).glob(f"{start}-v*.json") if _NAME.fullmatch(start) else ()
    served = sorted(path.stem.rsplit("-", 1)[1] for path in files)
    more = f"; it serves {kind} as {', '.join(served)}" if served else ""
    return f"apiVersion {api_version}, kind {kind}: Kubernetes {version} does not serve it{more}"
