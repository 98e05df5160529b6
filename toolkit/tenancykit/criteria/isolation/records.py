"""Reads files of published flaws in the format of the evidence vocabulary and replays them, choice by choice."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tenancykit.catalogue.attack import Evidence
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.replay import BASELINE, replay_choice
from tenancykit.errors import Fault, InputError, did_you_mean
from tenancykit.source import Document, read_yaml

_REQUIRED: Final = ("id", "component", "boundary", "attacker_position", "source_url")
_LISTS: Final = (
    "impact", "shared_component", "removed_by", "preconditions", "contained_by", "not_contained_by", "undetermined",
    "stated_by_source",
)  # fmt: skip
_IMPACTS: Final = ("confidentiality", "integrity", "availability")


@dataclass(frozen=True)
class Records:
    """Published flaws read from a file.

    Attributes:
        entries: the flaws, in the order of the file.
        choices: the file's vocabulary of design choices, in its order; ours where it states none.
    """

    entries: tuple[Evidence, ...]
    choices: tuple[str, ...]


def replay_file(path: str | os.PathLike[str], catalogue: Catalogue) -> list[dict[str, str]]:
    """Return one row per flaw of a file and design choice of its vocabulary, each choice alone on the shared baseline.

    A row holds ``entry``, ``choice``, ``outcome`` (contained, crossed, undetermined or inexpressible), ``asset``,
    ``path`` and ``source``. Outcomes follow from the graph; the file's own columns on containment are not read.

    Raises:
        InputError: the file cannot be read, or an entry lacks a source or names an unknown boundary.
    """
    model = load_isolation(catalogue)
    records = read_records(path, model)
    rows = []
    for entry in records.entries:
        for choice in records.choices:
            found = replay_choice(entry, choice, model)
            rows.append(
                {
                    "entry": entry.id,
                    "choice": choice,
                    "outcome": found.outcome,
                    "asset": found.asset,
                    "path": found.path,
                    "source": found.source,
                }
            )
    return rows


def read_records(path: str | os.PathLike[str], model: IsolationCatalogue) -> Records:
    """Return the flaws of a file with the vocabulary of choices it states.

    Raises:
        InputError: as :func:`replay_file`, with every fault of the file at once.
    """
    document = read_yaml(path)
    data = document.data
    entries = data.get("entries") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise InputError(Fault(document.where(()), "holds no list of entries", "a mapping with 'entries: [...]'"))
    meta = data.get("meta") if isinstance(data, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    prefix: tuple[str, ...] = ("entries",) if isinstance(data, dict) else ()
    boundaries = {*model.boundaries, *_names(meta.get("boundaries"))}
    faults: list[Fault] = []
    found: dict[str, Evidence] = {}
    for index, entry in enumerate(entries):
        where: tuple[str | int, ...] = (*prefix, index)
        faults_here = _faults(entry, document, where, boundaries)
        if not faults_here and entry["id"] in found:
            faults_here = [Fault(document.where(where), f"id {entry['id']!r} appears twice", cure="rename one")]
        faults.extend(faults_here)
        if not faults_here:
            found[str(entry["id"])] = _evidence(entry)
    if faults:
        raise InputError(faults)
    stated = _names(meta.get("design_choices"))
    return Records(tuple(found.values()), stated or tuple(name for name in model.choices if name != BASELINE))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | dict) else ()


def _faults(entry: Any, document: Document, where: tuple[str | int, ...], boundaries: set[str]) -> list[Fault]:
    if not isinstance(entry, dict):
        return [Fault(document.where(where), "is not a mapping", "an entry with id, boundary, attacker_position, ...")]
    faults = []
    for key in _REQUIRED:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            cure = "state where it was published" if key == "source_url" else f"add {key}: ..."
            place = document.where((*where, key)) if key in entry else document.where(where)
            faults.append(Fault(place, f"{entry.get('id', 'entry')}: {key} is missing or empty", cure=cure))
    for key in _LISTS:
        value = entry.get(key)
        if value is not None and not _is_list_of_text(value):
            faults.append(Fault(document.where((*where, key)), f"{key} is not a list of names", "a list of text"))
    for index, name in enumerate(entry.get("impact") or ()):
        if isinstance(name, str) and name not in _IMPACTS:
            faults.append(
                Fault(document.where((*where, "impact", index)), f"unknown impact {name!r}", ", ".join(_IMPACTS))
            )
    boundary = entry.get("boundary")
    if isinstance(boundary, str) and boundary.strip() and boundary not in boundaries:
        cure = did_you_mean(boundary, boundaries) or "declare it under meta.boundaries or correct it"
        faults.append(Fault(document.where((*where, "boundary")), f"unknown boundary {boundary!r}", cure=cure))
    return faults


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _evidence(entry: Mapping[str, Any]) -> Evidence:
    lists: dict[str, tuple[str, ...]] = {key: _as_tuple(entry.get(key)) for key in _LISTS}
    confidence = entry.get("confidence")
    return Evidence.model_validate(
        {
            "id": entry["id"],
            "title": str(entry.get("title") or entry["id"]),
            "year": entry.get("year") if isinstance(entry.get("year"), int) else 2026,
            "component": entry["component"],
            "boundary": entry["boundary"],
            "attacker_position": entry["attacker_position"],
            "effect": str(entry.get("effect") or ""),
            "confidence": confidence if confidence in ("high", "medium", "low") else "medium",
            "source_url": entry["source_url"],
            **lists,
        }
    )


def _as_tuple(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
