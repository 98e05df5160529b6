"""Reads files of published flaws in the format of the evidence vocabulary and replays them, choice by choice."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.source import Document, read_yaml
from kubeanswers.terminal import escaped
from tenancykit.catalogue.attack import Evidence, read_twice
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.components import BASELINE
from tenancykit.criteria.isolation.replay import Replayed, replay_choice
from tenancykit.criteria.isolation.verbs import verbs_in

_REQUIRED: Final = ("id", "component", "boundary", "attacker_position", "source_url")
_TEXTS: Final = ("title", "effect", "confidence")
"""Fields that may be left out, and are text where they are not."""
_LONGEST: Final = 2_000
"""Characters of the longest text of an entry (assumption: ten times the longest title of a published record)."""
_LISTS: Final = (
    "impact", "shared_component", "removed_by", "preconditions", "verbs", "contained_by", "not_contained_by",
    "undetermined", "stated_by_source",
)  # fmt: skip
_NAMES: Final = frozenset(_LISTS) - {"impact", "preconditions", "verbs"}
"""Lists whose items are names of the vocabulary; preconditions may be free text, verbs have objects."""
_IMPACTS: Final = ("confidentiality", "integrity", "availability")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:\-]*")
_SHOWN: Final = 60
_YEARS: Final = range(1990, 2101)


@dataclass(frozen=True)
class Records:
    """Published flaws read from a file.

    Attributes:
        entries: the flaws, in the order of the file.
        choices: the file's vocabulary of design choices, in its order; ours where it states none.
        sides: near and far side of the boundaries the file declares.
    """

    entries: tuple[Evidence, ...]
    choices: tuple[str, ...]
    sides: Mapping[str, tuple[str, str]]


def replay_file(path: str | os.PathLike[str], catalogue: Catalogue) -> list[dict[str, str]]:
    """Return one row per flaw of a file and design choice of its vocabulary, each choice alone on the shared baseline.

    A row holds ``entry``, ``choice``, ``outcome`` (contained, crossed, undetermined or inexpressible), ``asset``,
    ``path`` and ``source``. Outcomes follow from the graph; the file's own columns on containment are not read. A
    flaw of a boundary that the file declares itself is read as one of every known boundary with the same sides.

    Raises:
        InputError: the file cannot be read, or an entry lacks a source or names an unknown boundary.
    """
    model = load_isolation(catalogue)
    records = read_records(path, model)
    rows = []
    for entry in records.entries:
        readings = _readings(entry, records.sides, model)
        for choice in records.choices:
            found = _agreed([replay_choice(reading, choice, model) for reading in readings])
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
    meta, faults = (meta, _vocabulary_faults(meta, document)) if isinstance(meta, dict) else ({}, [])
    prefix: tuple[str, ...] = ("entries",) if isinstance(data, dict) else ()
    boundaries = {*model.boundaries, *_names(meta.get("boundaries"))}
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
    choices = stated or tuple(name for name in model.choices if name != BASELINE)
    return Records(tuple(found.values()), choices, _sides(meta.get("boundaries")))


def _readings(entry: Evidence, sides: Mapping[str, tuple[str, str]], model: IsolationCatalogue) -> list[Evidence]:
    """Return the flaw as at a boundary the graph knows: its own, else every one with both, or the far, side the same.

    Where the far side alone is the same, a component that is known to be shared decides better.
    """
    if entry.boundary in model.boundaries:
        return [entry]
    near, far = sides.get(entry.boundary, ("", ""))
    alike = [b for b in model.boundaries.values() if b.to == far]
    closer = [b for b in alike if b.from_ == near]
    if not closer and any(f"shares:{name}" in model.derived for name in entry.shared_component):
        return [entry]
    return [entry.model_copy(update={"boundary": b.id}) for b in closer or alike] or [entry]


def _agreed(found: Sequence[Replayed]) -> Replayed:
    """Return the outcome all readings of a flaw agree on; undetermined where they do not."""
    worst = min(found, key=lambda row: ("crossed", "undetermined", "contained", "inexpressible").index(row.outcome))
    return worst if len({row.outcome for row in found}) == 1 else replace(worst, outcome="undetermined")


def _sides(value: Any) -> dict[str, tuple[str, str]]:
    stated = value if isinstance(value, dict) else {}
    return {
        str(name): (str(ends.get("from") or ""), str(ends.get("to") or ""))
        for name, ends in stated.items()
        if isinstance(ends, dict)
    }


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | dict) else ()


def _faults(entry: Any, document: Document, where: tuple[str | int, ...], boundaries: set[str]) -> list[Fault]:
    if not isinstance(entry, dict):
        return [Fault(document.where(where), "is not a mapping", "an entry with id, boundary, attacker_position, ...")]
    faults = [fault for key in (*_REQUIRED, *_TEXTS) for fault in _text_faults(key, entry, document, where)]
    for key in _LISTS:
        faults.extend(_list_faults(key, entry.get(key), document, where))
    year = entry.get("year")
    if year is not None and (type(year) is not int or year not in _YEARS):
        faults.append(Fault(document.where((*where, "year")), f"year is {year!r}", "a year from 1990 to 2100"))
    columns = (entry.get(key) for key in ("contained_by", "not_contained_by", "undetermined"))
    if not faults and (twice := read_twice(*map(_as_tuple, columns))):
        faults.append(Fault(document.where(where), f"{entry.get('id')}: {twice}"))
    boundary = entry.get("boundary")
    if isinstance(boundary, str) and boundary.strip() and boundary not in boundaries:
        cure = did_you_mean(boundary, boundaries) or "declare it under meta.boundaries or correct it"
        faults.append(Fault(document.where((*where, "boundary")), f"unknown boundary {boundary!r}", cure=cure))
    return faults


def _text_faults(key: str, entry: Mapping[str, Any], document: Document, where: tuple[str | int, ...]) -> list[Fault]:
    """Return what is wrong with one text of an entry; nothing may stand for one that is not required."""
    value = entry.get(key)
    place = document.where((*where, key)) if key in entry else document.where(where)
    if key in _REQUIRED and (not isinstance(value, str) or not value.strip()):
        cure = "state where it was published" if key == "source_url" else f"add {key}: ..."
        return [Fault(place, f"{str(entry.get('id', 'entry'))[:_SHOWN]}: {key} is missing or empty", cure=cure)]
    if value is None:
        return []
    wrong = _wrong_text(key, value)
    return [Fault(place, *wrong)] if wrong else []


def _wrong_text(key: str, value: Any) -> tuple[str, ...]:
    """Return what is wrong with a text that is there, what would be right and the cure; nothing where it is right."""
    if not isinstance(value, str):
        return (f"{key} is {value!r:.{_SHOWN}}, not text", "text", "put it in quotes")
    if len(value) > _LONGEST:
        return (f"{key} is {len(value):,} characters long", f"at most {_LONGEST:,}", "shorten it")
    if key == "source_url" and not value.startswith(("https://", "http://")):
        return (f"source_url is {value!r:.{_SHOWN}}, no address", "text that begins with https:// or http://")
    if key == "id" and escaped(value) != value:
        return (f"id {value!r:.{_SHOWN}} holds control characters", "text that can be printed")
    return ()


def _vocabulary_faults(meta: Mapping[str, Any], document: Document) -> list[Fault]:
    """Return what is wrong with the vocabulary a file states of its own."""
    faults = []
    choices, boundaries = meta.get("design_choices"), meta.get("boundaries")
    allowed = "a list of names, or a mapping of names to what they mean"
    if not (choices is None or isinstance(choices, dict) or (isinstance(choices, list) and _is_list_of_text(choices))):
        what = f"is {choices!r:.{_SHOWN}}, no list of choices"
        faults.append(Fault(document.where(("meta", "design_choices")), what, allowed))
    if boundaries is None:
        return faults
    if not isinstance(boundaries, dict | list):
        what = f"is {boundaries!r:.{_SHOWN}}, no list of boundaries"
        return [*faults, Fault(document.where(("meta", "boundaries")), what, allowed)]
    for name, ends in boundaries.items() if isinstance(boundaries, dict) else ():
        if not isinstance(ends, dict | str | None):
            what = f"is {ends!r:.{_SHOWN}}, not the two sides of a boundary"
            faults.append(Fault(document.where(("meta", "boundaries", str(name))), what, "{from: NODE, to: NODE}"))
    return faults


def _list_faults(key: str, value: Any, document: Document, where: tuple[str | int, ...]) -> list[Fault]:
    """Return what is wrong with one list of an entry; a single name stands for a list of one."""
    if value is None:
        return []
    if not _is_list_of_text(value):
        return [
            Fault(document.where((*where, key)), f"{key} is {value!r:.{_SHOWN}}, not a list of names", "a list of text")
        ]
    faults = []
    for index, name in enumerate(_as_tuple(value)):
        place = (*where, key) if isinstance(value, str) else (*where, key, index)
        if key == "impact" and name not in _IMPACTS:
            faults.append(Fault(document.where(place), f"unknown impact {name!r}", ", ".join(_IMPACTS)))
        elif key in _NAMES and not _NAME.fullmatch(name):
            cure = "name it as the vocabulary does, such as rbac-no-node-write"
            allowed = "letters, digits, '-', '_', '.', ':'"
            faults.append(Fault(document.where(place), f"{name!r} is no name", allowed, cure))
    return faults


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _evidence(entry: Mapping[str, Any]) -> Evidence:
    lists: dict[str, tuple[str, ...] | None] = {key: _as_tuple(entry.get(key)) for key in _LISTS}
    if entry.get("verbs") is None:
        lists["verbs"] = verbs_in(_as_tuple(entry.get("preconditions"))) or None
    confidence = entry.get("confidence")
    return Evidence.model_validate(
        {
            "id": entry["id"],
            "title": entry.get("title") or entry["id"],
            "year": entry.get("year") or 2026,
            "component": entry["component"],
            "boundary": entry["boundary"],
            "attacker_position": entry["attacker_position"],
            "effect": entry.get("effect") or "",
            "confidence": confidence if confidence in ("high", "medium", "low") else "medium",
            "source_url": entry["source_url"],
            **lists,
        }
    )


def _as_tuple(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
