"""Writes what a target design has and an existing cluster lacks: the objects to add or change, and nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.objects import ManifestObject, mapping
from kubeanswers.quantities import parse_quantity
from kubeanswers.records import dataclass
from kubeanswers.source import dump_yaml, dump_yaml_all, parse_all, read_text, read_yaml
from tenancykit.manifests.model import SIGNATURE, SIGNED, unsigned
from tenancykit.manifests.output import Changes, StagedTree
from tenancykit.manifests.tree import export
from tenancykit.study.assessing import Assessment
from tenancykit.study.assessing_charts import charts_of

_KUSTOMIZATION: Final = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}

Identity = tuple[str, str, str, str]


@dataclass(frozen=True)
class GapTree:
    """The manifests that close a gap.

    Attributes:
        directory: where they were written.
        target: id of the design they lead to.
        added: objects the cluster does not have, as text.
        changed: objects it has with other content, each with the fields that differ.
        unchanged: how many objects of the target it has already.
        leftover: objects an export of another design left there, as text: the target does not have them.
        charts: Helm charts to install.
        changes: how the folder differs from what stood there before.
    """

    directory: Path
    target: str
    added: tuple[str, ...]
    changed: Mapping[str, tuple[str, ...]]
    unchanged: int
    leftover: tuple[str, ...]
    charts: tuple[str, ...]
    changes: Changes


def close_gap(assessment: Assessment, directory: str | os.PathLike[str]) -> GapTree:
    """Write the manifests of the target that an assessed cluster lacks or has otherwise, as a Kustomize tree.

    Objects of another export that the target does not have are named: a proof of the target is undecided while they
    stand. About objects of others nothing is said: removing them is for their owner to decide.

    Raises:
        InputError: the assessment has no target.
        OutputError: the folder cannot be written; what was there before is unchanged.
    """
    target = assessment.target
    if target is None:
        raise InputError(Fault("target", "no design meets every requirement", cure="name a target, such as RA03"))
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "target"
        export(target.resolved, target.scenario, target.catalogue, whole)
        found = _Difference(assessment)
        header = {"target": target.id, "scenario": target.scenario.name, "kind": "gap"}
        with StagedTree(Path(directory), header) as tree:
            for path, text in found.files(whole):
                tree.write(path, text)
            tree.write("gap.yaml", _summary(found, target.id))
            changes = tree.commit()
            return GapTree(
                tree.target,
                target.id,
                tuple(found.added),
                found.changed,
                found.unchanged,
                tuple(found.leftover()),
                tuple(found.charts),
                changes,
            )


@dataclass
class _Difference:
    assessment: Assessment
    added: list[str] = field(default_factory=list)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unchanged: int = 0
    charts: list[str] = field(default_factory=list)
    _listed: dict[PurePosixPath, list[str]] = field(default_factory=dict)
    _wanted: set[Identity] = field(default_factory=set)

    def __post_init__(self) -> None:
        objects = list(self.assessment.objects())
        self.have: dict[Identity, ManifestObject] = {item.identity: item for item in objects}
        self.installed = {item.name for item in charts_of(objects)} | set(self.assessment.charts)

    def files(self, whole: Path) -> Iterator[tuple[str, str]]:
        """Yield the files of the difference by their paths in the target's tree, kustomizations last."""
        for file in sorted(whole.rglob("*")):
            path = PurePosixPath(file.relative_to(whole).as_posix())
            if not file.is_file() or path.parts[0] not in ("clusters", "classes"):
                continue
            if "helm" in path.parts:
                yield from self._chart(file, path)
            elif path.name != "kustomization.yaml" and path.suffix == ".yaml":
                yield from self._objects(file, path)
        yield from self._kustomizations()

    def _chart(self, file: Path, path: PurePosixPath) -> Iterator[tuple[str, str]]:
        stated = mapping(read_yaml(file.with_name("chart.yaml")).data)
        name = str(stated.get("chart"))
        if name in self.installed:
            return
        if path.name == "chart.yaml":
            self.charts.append(f"{name} {stated.get('version')} ({path.parent})")
        yield str(path), read_text(file)

    def _objects(self, file: Path, path: PurePosixPath) -> Iterator[tuple[str, str]]:
        text = read_text(file)
        documents = [document.data for document in parse_all(text, str(path))]
        if not all(isinstance(data, dict) and mapping(data.get("metadata")).get("name") for data in documents):
            yield str(path), text  # a configuration file that no API server takes
            return
        kept = [data for data in documents if self._is_missing(data)]
        if kept:
            yield str(path), dump_yaml_all(kept)
            self._list(path)

    def _is_missing(self, data: Mapping[str, Any]) -> bool:
        metadata = mapping(data.get("metadata"))
        group = str(data.get("apiVersion", "")).rpartition("/")[0]
        key = (group, str(data.get("kind")), str(metadata.get("namespace", "")), str(metadata.get("name")))
        title = f"{key[1]} {key[2]}/{key[3]}" if key[2] else f"{key[1]} {key[3]}"
        self._wanted.add(key)
        present = self.have.get(key)
        if present is None:
            self.added.append(title)
            return True
        differing = tuple(_differing(unsigned(data), present.data, ""))
        if differing:
            self.changed[title] = differing
            return True
        self.unchanged += 1
        return False

    def leftover(self) -> Iterator[str]:
        """Yield the objects there that an export of ours wrote and the target does not have."""
        for key, item in self.have.items():
            if key not in self._wanted and item.labels.get(SIGNATURE[0]) == SIGNED:
                yield str(item)

    def _list(self, path: PurePosixPath) -> None:
        """Note a file in the kustomizations of its folder and of the folders above, down to the cluster's."""
        child, folder = path.name, path.parent
        while len(folder.parts) >= 2:
            listed = self._listed.setdefault(folder, [])
            if child not in listed:
                listed.append(child)
            child, folder = folder.name, folder.parent

    def _kustomizations(self) -> Iterator[tuple[str, str]]:
        for folder, names in sorted(self._listed.items()):
            yield str(folder / "kustomization.yaml"), dump_yaml({**_KUSTOMIZATION, "resources": names})


def _differing(wanted: Any, present: Any, path: str) -> Iterator[str]:
    """Yield the fields that are wanted otherwise; what the API server added to the object is no difference."""
    if isinstance(wanted, Mapping):
        there = present if isinstance(present, Mapping) else {}
        for key, value in wanted.items():
            if value not in ({}, [], None) or key in there:
                yield from _differing(value, there.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(wanted, list) and isinstance(present, list) and len(wanted) == len(present):
        for index, (one, other) in enumerate(zip(wanted, present, strict=True)):
            yield from _differing(one, other, f"{path}[{index}]")
    elif not _equal(wanted, present):
        yield path


def _equal(wanted: Any, present: Any) -> bool:
    """Return whether two plain values are the same, quantities by their amount (``1000m`` is ``1``)."""
    if wanted == present:
        return True
    try:
        return parse_quantity(wanted) == parse_quantity(present)
    except (ValueError, TypeError, AttributeError):
        return False


def _summary(found: _Difference, target: str) -> str:
    data = {
        "schema": "tenancykit/gap/v1",
        "target": target,
        "add": found.added,
        "change": {title: list(fields) for title, fields in sorted(found.changed.items())},
        "remove": list(found.leftover()),
        "install": found.charts,
        "unchanged": found.unchanged,
    }
    return dump_yaml(data)
