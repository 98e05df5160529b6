"""Files held against what an API server takes: the strict validator over manifests, with line, field and cure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.reading import Reading, read_objects
from kubeanswers.validation.answers import Invalid, Validator
from kubeanswers.validation.definitions import Definitions, definitions_of
from kubeanswers.validation.references import Dangling, dangling
from kubeanswers.validation.schema import DEFAULT_VERSION, versions
from tenancykit.drawing import Drawable


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
        refused = len({one.item for one in self.invalid})
        verdict = f"{refused} of {self.objects} objects would be refused" if refused else f"{self.objects} objects"
        judged = self.objects - sum(self.unjudged.values())
        if not refused:
            verdict += f", {judged} judged: none would be refused"
        return [*lines, f"{verdict} by Kubernetes {self.kubernetes}"]


def validate(
    paths: Iterable[str | os.PathLike[str]],
    *,
    kubernetes: str = DEFAULT_VERSION,
    crds: Iterable[str | os.PathLike[str]] = (),
    stdin: TextIO | None = None,
) -> Validity:
    """Return what an API server would refuse of the objects in files and folders, and what they refer to in vain.

    The arguments are those of :func:`tenancykit.validate`.

    Raises:
        InputError: the version is unknown, a file of definitions cannot be read or defines nothing.
        MissingExtraError: the schema files are not installed.
    """
    known = versions()
    if kubernetes not in known:
        cure = did_you_mean(kubernetes, known) or "choose one of them"
        raise InputError(Fault("--kubernetes", f"no schemas of version {kubernetes!r}", ", ".join(known), cure))
    given = read_definitions(crds)
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


def judged(
    reading: Reading, kubernetes: str, given: Definitions | None = None
) -> tuple[tuple[Invalid, ...], Mapping[str, int]]:
    """Return what would be refused of a set that may define kinds itself, and the objects nobody can judge."""
    objects = reading.objects
    own = definitions_of(item.data for item in objects.of("apiextensions.k8s.io", "CustomResourceDefinition"))
    validator = Validator(kubernetes, own.joined(given or Definitions()), by_form=True)
    found = tuple(one for item in objects for one in validator.faults(item))
    return found, dict(sorted(validator.unjudged.items()))


def read_definitions(paths: Iterable[str | os.PathLike[str]]) -> Definitions:
    """Return the kinds that the CustomResourceDefinitions in files and folders define.

    Raises:
        InputError: a file cannot be read, a definition's schema is broken, or a path defines nothing.
    """
    found = Definitions()
    faults: list[Fault] = []
    for path in paths:
        reading: Reading = read_objects([path])
        faults += reading.faults
        items = reading.objects.of("apiextensions.k8s.io", "CustomResourceDefinition")
        one = definitions_of(item.data for item in items)
        for item in items:
            if item.name in one.broken:
                what = f"CustomResourceDefinition {item.name} defines nothing usable: {one.broken[item.name]}"
                faults.append(Fault(str(item.where), what, cure="correct its schema, or leave it out"))
        if not items and not reading.faults:
            faults.append(Fault(str(path), "holds no CustomResourceDefinition", cure="name files that do"))
        found = found.joined(one)
    if faults:
        raise InputError(faults)
    return found
