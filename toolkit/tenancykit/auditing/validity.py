"""Files held against what an API server takes: the strict validator over manifests, with line, field and cure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final, TextIO

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.objects import ManifestObject
from kubeanswers.reading import Reading, read_objects
from kubeanswers.records import dataclass
from kubeanswers.source import read_yaml
from kubeanswers.validation.answers import Invalid, Validator
from kubeanswers.validation.definitions import Definitions, definitions_of
from kubeanswers.validation.references import Dangling, dangling
from kubeanswers.validation.schema import DEFAULT_VERSION, versions
from tenancykit.drawing import Drawable

_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_EXPORT: Final = "tenancykit/export-index/"
_SHOWN: Final = 3
"""Faults told of a definition given by --crds."""


@dataclass(frozen=True)
class Validity(Drawable):
    """What an API server would say of some manifests.

    Attributes:
        kubernetes: version they were held against.
        objects: number of objects read.
        invalid: what would be refused, in reading order.
        dangling: references to what is not there; an object that nobody here brings may stand in the cluster already.
        unjudged: how many objects are of kinds whose fields are not known, by kind and group: neither valid nor not.
        faults: what could not be read.
        skipped: files left out on purpose.
    """

    kubernetes: str
    objects: int
    invalid: tuple[Invalid, ...]
    dangling: tuple[Dangling, ...] = ()
    unjudged: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 for what could not be read, 1 where an object would be refused, else 0."""
        if self.faults:
            return 2
        return 1 if self.invalid else 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data (format ``tenancykit/validity/v1``)."""
        return {
            "schema": "tenancykit/validity/v1",
            "kubernetes": self.kubernetes,
            "objects": self.objects,
            "invalid": [one.as_dict() for one in self.invalid],
            "dangling": [one.as_dict() for one in self.dangling],
            "unjudged": dict(self.unjudged),
            "faults": [str(fault) for fault in self.faults],
            "skipped": list(self.skipped),
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        lines = [str(one) for one in self.invalid]
        lines += [f"{one}" for one in self.dangling]
        lines += [
            f"not judged: {count} {kind}: its fields are not known here; name its definition with --crds"
            for kind, count in self.unjudged.items()
        ]
        lines += [f"left out: {text}" for text in self.skipped]
        return [*lines, self._verdict()]

    def _verdict(self) -> str:
        """Return what was found of what was read; nothing is said of an object nobody judged or read."""
        refused = len({one.item for one in self.invalid})
        judged = self.objects - sum(self.unjudged.values())
        size = f"{self.objects:,} {'object' if self.objects == 1 else 'objects'}"
        if not judged:
            verdict = f"{size} read, none judged"
        elif refused:
            verdict = f"{refused:,} of {size} would be refused by Kubernetes {self.kubernetes}"
        else:
            verdict = f"{size}, {judged:,} judged: none of these would be refused by Kubernetes {self.kubernetes}"
        if self.faults:
            above = "fault" if len(self.faults) == 1 else "faults"
            verdict += f"; what was not read ({len(self.faults):,} {above} above) is not judged"
        return verdict


def validate(
    paths: Iterable[str | os.PathLike[str]],
    *,
    kubernetes: str | None = None,
    crds: Iterable[str | os.PathLike[str]] = (),
    stdin: TextIO | None = None,
) -> Validity:
    """Return what an API server would refuse of the objects in files and folders, and what they refer to in vain.

    The arguments are those of :func:`tenancykit.validate`.

    Raises:
        InputError: the version is unknown or exports for several are held against none named; a file of definitions
            cannot be read or defines nothing.
        MissingExtraError: the schema files are not installed.
    """
    known, paths = versions(), tuple(paths)
    kubernetes = kubernetes or _written_for(paths) or known[-1]
    if kubernetes not in known:
        cure = did_you_mean(kubernetes, known) or "choose one of them"
        raise InputError(Fault("--kubernetes", f"no schemas of version {kubernetes!r}", ", ".join(known), cure))
    given = read_definitions(crds, kubernetes)
    reading = read_objects(paths, stdin=stdin)
    found, unjudged = judged(reading, kubernetes, given)
    return Validity(
        kubernetes,
        len(reading.objects),
        found,
        dangling(reading.objects),
        unjudged,
        reading.faults,
        reading.skipped,
    )


def _written_for(paths: Iterable[str | os.PathLike[str]]) -> str:
    """Return the version that the exports among some folders were written for; empty where none is an export."""
    indexes = (Path(path) / "index.yaml" for path in paths)
    stated = (read_yaml(index).data for index in indexes if index.is_file())
    exports = (each for each in stated if isinstance(each, dict) and str(each.get("schema")).startswith(_EXPORT))
    found = sorted({str(each["kubernetes"]) for each in exports if each.get("kubernetes")})
    if len(found) > 1:
        text = f"exports for Kubernetes {' and '.join(found)} are given together"
        raise InputError(Fault("--kubernetes", text, cure="name one version, or validate them one by one"))
    return "".join(found)


def judged(
    reading: Reading, kubernetes: str, given: Definitions | None = None
) -> tuple[tuple[Invalid, ...], Mapping[str, int]]:
    """Return what would be refused of a set that may define kinds itself, and the objects nobody can judge."""
    objects = reading.objects
    own, about = _definitions(objects.of(*_DEFINITION), kubernetes)
    validator = Validator(kubernetes, own.joined(given or Definitions()), by_form=True)
    found = tuple(one for item in objects for one in about.get(item) or validator.faults(item))
    return found, dict(sorted(validator.unjudged.items()))


def was_taken(item: ManifestObject) -> bool:
    """Return whether an object carries the marks of a server that took it."""
    return bool(item.metadata.get("uid") and item.metadata.get("resourceVersion"))


def _definitions(
    items: Iterable[ManifestObject], kubernetes: str
) -> tuple[Definitions, Mapping[ManifestObject, tuple[Invalid, ...]]]:
    """Return the kinds that definitions define, and what is wrong with them: one whose spec is refused defines none."""
    validator = Validator(kubernetes)
    about = {item: tuple(validator.faults(item)) for item in items}
    taken = [
        item
        for item, faults in about.items()
        if was_taken(item) or not any(one.field.startswith("spec") for one in faults)
    ]
    return definitions_of(item.data for item in taken), about


def read_definitions(paths: Iterable[str | os.PathLike[str]], kubernetes: str = DEFAULT_VERSION) -> Definitions:
    """Return the kinds that the CustomResourceDefinitions in files and folders define.

    Raises:
        InputError: a file cannot be read, a definition's schema is broken, or a path defines nothing.
    """
    found = Definitions()
    faults: list[Fault] = []
    for path in paths:
        reading: Reading = read_objects([path])
        faults += reading.faults
        items = reading.objects.of(*_DEFINITION)
        one, about = _definitions(items, kubernetes)
        for item in items:
            whys = [f"{bad.field}: {bad.what}" for bad in about[item] if bad.field.startswith("spec")]
            why = one.broken.get(item.name) or ("" if was_taken(item) else "; ".join(whys[:_SHOWN]))
            if why:
                what = f"CustomResourceDefinition {item.name} defines nothing usable: {why}"
                faults.append(Fault(str(item.where), what, cure="correct its schema, or leave it out"))
        if not items and not reading.faults:
            faults.append(Fault(str(path), "holds no CustomResourceDefinition", cure="name files that do"))
        found = found.joined(one)
    if faults:
        raise InputError(faults)
    return found
