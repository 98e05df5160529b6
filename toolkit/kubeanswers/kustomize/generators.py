"""ConfigMaps and Secrets a kustomization generates, with the suffix Kustomize derives from their content.

Values of Secrets live until the suffix is known; the finished object carries keys only.
Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/configmapgenerator/
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import read_bytes
from kubeanswers.kustomize.definition import Kustomization
from kubeanswers.kustomize.resources import Resource
from kubeanswers.objects import Where, mapping, scalar_text, text_map, texts
from kubeanswers.source import MAX_BYTES

_LETTERS: Final = str.maketrans({"0": "g", "1": "h", "3": "k", "a": "m", "e": "t"})
_LINE: Final = 70


def generate(
    kustomization: Kustomization, resources: list[Resource], faults: list[Fault], *, is_whole: bool = True
) -> None:
    """Add the generated objects to the resources, or merge them into those they name.

    Args:
        kustomization: what generates.
        resources: what is there so far.
        faults: what goes wrong is added to them.
        is_whole: whether everything it names was read; what is missing may else be where nobody read.
    """
    for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for entry in kustomization.entries(key):
            made = _generated(kustomization, kind, entry, faults)
            behaviour = scalar_text(entry.get("behavior"))
            behaviour = behaviour if behaviour in ("merge", "replace") else "create"  # Kustomize takes any other so
            told = faults if is_whole or behaviour == "create" else []
            _absorb(made, behaviour, resources, kustomization.file, told)


def _generated(kustomization: Kustomization, kind: str, entry: Mapping[str, Any], faults: list[Fault]) -> Resource:
    shared, own = mapping(kustomization.data.get("generatorOptions")), mapping(entry.get("options"))
    metadata: dict[str, Any] = {"name": scalar_text(entry.get("name"))}
    if entry.get("namespace"):
        metadata["namespace"] = scalar_text(entry.get("namespace"))
    for key in ("labels", "annotations"):
        pairs = {**text_map(shared.get(key)), **text_map(own.get(key))}
        if pairs:
            metadata[key] = pairs
    data: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    pairs_read = sorted(_pairs(kustomization.file, entry, faults).items())
    if kind == "Secret":
        data["type"] = scalar_text(entry.get("type")) or "Opaque"
        data["data"] = {key: _base64(value) for key, value in pairs_read}
    else:
        for key, value in pairs_read:
            try:
                data.setdefault("data", {})[key] = value.decode("utf-8")
            except UnicodeDecodeError:
                data.setdefault("binaryData", {})[key] = _base64(value)
    if shared.get("immutable") is True or own.get("immutable") is True:
        data["immutable"] = True
    plain = shared.get("disableNameSuffixHash") is True or own.get("disableNameSuffixHash") is True
    return Resource(data, Where(str(kustomization.file)), hashed=not plain)


def _pairs(file: Path, entry: Mapping[str, Any], faults: list[Fault]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    envs = [*texts(entry.get("envs")), *([scalar_text(entry.get("env"))] if entry.get("env") else [])]
    for name in envs:
        for line in _content(file, name, faults).decode("utf-8", "replace").splitlines():
            text = line.lstrip("\ufeff \t")
            if text and not text.startswith("#"):
                key, _, value = text.partition("=")
                found[key] = value.encode()
    for literal in texts(entry.get("literals")):
        key, equals, value = literal.partition("=")
        if not key or not equals:
            faults.append(Fault(str(file), "has a literal that is not KEY=VALUE", cure="write literals as KEY=VALUE"))
            continue
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[key] = (value[1:-1] if quoted else value).encode()
    for source in texts(entry.get("files")):
        key, equals, name = source.partition("=")
        name = name if equals else source
        found[key if equals else Path(source).name] = _content(file, name, faults)
    return found


def _content(file: Path, name: str, faults: list[Fault]) -> bytes:
    path = file.parent / name
    why = "it lies outside the kustomization's folder"
    try:
        if path.resolve().is_relative_to(file.parent.resolve()):
            return read_bytes(path, MAX_BYTES)
    except InputError as error:
        why = error.faults[0].what
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it cannot be read"
    what = f"generates from {name!r}, which is not read: {why}"
    faults.append(Fault(str(file), what, cure="restore it, or audit what kubectl kustomize prints"))
    return b""


def _base64(value: bytes) -> str:
    """Return the encoding in lines of 70 characters, as Kustomize writes and hashes it."""
    text = base64.b64encode(value).decode()
    if len(text) < _LINE:
        return text
    return "".join(f"{text[i : i + _LINE]}\n" for i in range(0, len(text), _LINE))


def _absorb(made: Resource, behaviour: str, resources: list[Resource], file: Path, faults: list[Fault]) -> None:
    wanted = made.identity
    old = next((item for item in resources if wanted in (item.identity, *item.earlier)), None)
    if old is None or behaviour not in ("merge", "replace"):
        if (old is None) != (behaviour == "create"):
            what = (
                f"generates {made.kind} {made.name} with behavior {behaviour}, but one is {'not ' * (old is None)}there"
            )
            faults.append(Fault(str(file), what, "create, merge, replace", "correct the behavior"))
        resources.append(made)
        return
    metadata = dict(old.metadata)
    for key in ("labels", "annotations"):
        pairs = {**text_map(old.metadata.get(key)), **text_map(made.metadata.get(key))}
        if pairs:
            metadata[key] = pairs
    data = {**made.data, "metadata": metadata}
    if behaviour == "merge":
        for key in ("data", "binaryData"):
            joined = {**mapping(old.data.get(key)), **mapping(made.data.get(key))}
            if joined:
                data[key] = joined
    old.data, old.where, old.hashed = data, made.where, old.hashed and made.hashed


def hash_names(resources: Iterable[Resource]) -> None:
    """Put the hash of its content behind the name of every generated object that wants one."""
    for item in resources:
        if item.hashed:
            item.remember()
            item.named(name=f"{item.name}-{_hash(item)}")


def _hash(item: Resource) -> str:
    # Kustomize looks for a field called "metadata/name", which no object has: its hash never covers the name
    content: dict[str, Any] = {"kind": item.kind, "name": "", "data": item.data.get("data", "")}
    if item.kind == "Secret":
        content["type"] = item.data.get("type", "")
    more = "stringData" if item.kind == "Secret" else "binaryData"
    if isinstance(item.data.get(more), Mapping):
        content[more] = item.data[more]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_LETTERS)
