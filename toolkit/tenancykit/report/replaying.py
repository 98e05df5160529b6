r"""A decision record worked out again: the same inputs, embedded in the record, give the same numbers, or what changed.

The record's page carries its inputs as a block of JSON that browsers do not run. In it ``<`` is written as ``\u003c``,
so that no name in a scenario can end the block.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import Choice, Design
from tenancykit.errors import Fault, InputError
from tenancykit.scenario.model import Scenario, Weights
from tenancykit.scenario.reading import named_files
from tenancykit.source import read_text
from tenancykit.study.comparison import Study, study_of
from tenancykit.study.evaluation import CRITERIA, evaluate
from tenancykit.study.sweeping import catalogue_digest
from tenancykit.version import __version__

INPUTS: Final = "tenancykit/record-inputs/v1"

_OPEN: Final = '<script type="application/json" id="tenancykit-inputs">'
_CLOSE: Final = "</script>"
_BLOCK: Final = re.compile(re.escape(_OPEN) + "(.*?)" + re.escape(_CLOSE), re.DOTALL)
_SAME: Final = 1e-9
"""Relative difference up to which two figures count as the same: what printing nine digits keeps."""
_LARGEST: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Change:
    """Something that is not as the record says.

    Attributes:
        what: what it is.
        recorded: as the record says.
        now: as it comes out now.
    """

    what: str
    recorded: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.recorded} in the record, {self.now} now"


@dataclass(frozen=True, eq=False)
class Replay:
    """A decision record and what its inputs give now.

    Attributes:
        design: the design decided for.
        digest: the record's hash.
        candidates: how many designs were evaluated again.
        changes: what is different; empty where nothing is.
        study: the comparison as it comes out now.
    """

    design: str
    digest: str
    candidates: int
    changes: tuple[Change, ...]
    study: Study

    @property
    def same(self) -> bool:
        """Whether every figure, the ranking and the choice come out as recorded."""
        return not self.changes

    def text(self) -> str:
        """Return the finding, one change per line."""
        if self.same:
            return f"decision {self.digest}: {self.candidates} designs give the same figures and the same order"
        head = f"decision {self.digest}: {len(self.changes)} differences from the record"
        return "\n".join([head, *(f"- {change}" for change in self.changes)])

    def data(self) -> dict[str, Any]:
        """Return the finding as plain data (format ``tenancykit/replay/v1``)."""
        return {
            "schema": "tenancykit/replay/v1",
            "tenancykit": __version__,
            "design": self.design,
            "digest": self.digest,
            "candidates": self.candidates,
            "same": self.same,
            "changes": [{"what": c.what, "recorded": c.recorded, "now": c.now} for c in self.changes],
        }


def embedded_inputs(study: Study, design_id: str, digest: str) -> str:
    """Return the block of HTML that carries everything a decision rests on.

    Args:
        study: the comparison.
        design_id: the design decided for.
        digest: the record's hash.
    """
    text = json.dumps(inputs_of(study, design_id, digest), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return _OPEN + text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") + _CLOSE


def inputs_of(study: Study, design_id: str, digest: str) -> dict[str, Any]:
    """Return everything a decision rests on as plain data (format ``tenancykit/record-inputs/v1``)."""
    ranking = study.ranking
    anchors = set(study.catalogue.references)
    return {
        "schema": INPUTS,
        "tenancykit": __version__,
        "catalogue": catalogue_digest(_folders(study.catalogue)),
        "digest": digest,
        "chosen": design_id,
        "scenario": study.scenario.model_dump(mode="json", by_alias=True),
        "files": _files(study.scenario),
        "weights": dict(zip(CRITERIA, map(float, study.weights.values), strict=True)),
        "candidates": [
            {
                "id": e.id,
                "name": e.name,
                "origin": e.resolved.design.origin,
                "source": e.resolved.design.source,
                "anchor": e.id in anchors,
                "classes": {
                    class_id: {
                        "options": list(choice.options),
                        "completion": list(choice.completion),
                        "tier": choice.tier,
                    }
                    for class_id, choice in e.resolved.design.choices.items()
                },
                "figures": {name: e.scores[name].value for name in CRITERIA},
            }
            for e in study.evaluations
        ],
        "order": list(ranking.ordered()) if ranking else [],
    }


def _folders(catalogue: Catalogue) -> tuple[str, ...]:
    return tuple(str(root) for root in catalogue.roots[1:])


def _files(scenario: Scenario) -> dict[str, str]:
    """Return the files a scenario names, each with a hash of what is in it."""
    folder = scenario.folder
    if folder is None:
        return {}
    return {name: _hash(folder / name) for name in sorted(set(named_files(scenario).values())) if name}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def replay(record: Path | str, catalogue: Catalogue, *, folder: Path | str | None = None) -> Replay:
    """Return what the inputs embedded in a decision record give now, and every difference.

    Args:
        record: the record's HTML page, or the folder that holds ``decision.html``.
        catalogue: what to evaluate with; another catalogue is a difference that is told.
        folder: folder of the files the scenario names (traces, price book); default the record's own.

    Raises:
        InputError: the page is missing or carries no inputs, or a file the scenario names is missing.
    """
    path = Path(record)
    path = path / "decision.html" if path.is_dir() else path
    inputs = _inputs(path)
    home = Path(folder) if folder is not None else path.parent
    scenario = _scenario(inputs, path, home)
    designs, broken = _designs(inputs, catalogue)
    if not designs:
        raise InputError(Fault(str(path), "no candidate of the record can be evaluated with this catalogue"))
    evaluations = [evaluate(design, scenario, catalogue) for design in designs]
    anchors = {c["id"] for c in inputs["candidates"] if c["anchor"]}
    study = study_of(
        scenario, catalogue, evaluations, anchors=[e for e in evaluations if e.id in anchors] or evaluations
    ).with_weights(Weights(**inputs["weights"], normalise=True))
    changes = [*broken, *_settings(inputs, scenario, catalogue, home), *_figures(inputs, study), *_order(inputs, study)]
    return Replay(inputs["chosen"], inputs["digest"], len(evaluations), tuple(changes), study)


def _inputs(path: Path) -> dict[str, Any]:
    found = _BLOCK.search(read_text(path, limit=_LARGEST))
    cure = "name a decision.html written by export or record"
    if found is None:
        raise InputError(Fault(str(path), "carries no inputs to work out again", cure=cure))
    try:
        inputs = json.loads(found[1])
    except json.JSONDecodeError as error:
        raise InputError(Fault(str(path), f"its inputs cannot be read: {error.msg}", cure=cure)) from error
    if not isinstance(inputs, dict) or inputs.get("schema") != INPUTS:
        version = inputs.get("schema") if isinstance(inputs, dict) else None
        raise InputError(Fault(str(path), f"its inputs are of format {version!r}", INPUTS, cure))
    needed = {"scenario", "weights", "candidates", "order", "chosen", "digest", "tenancykit", "catalogue", "files"}
    if missing := sorted(needed - set(inputs)):
        raise InputError(Fault(str(path), f"its inputs lack {', '.join(missing)}", cure=cure))
    return inputs


def _scenario(inputs: Mapping[str, Any], path: Path, home: Path) -> Scenario:
    try:
        scenario = Scenario.model_validate(inputs["scenario"])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(Fault(str(path), f"its scenario is not accepted any more: {place}: {first['msg']}")) from error
    missing = [name for name in inputs["files"] if not (home / name).is_file()]
    if missing:
        cure = "put the files beside the record, or name their folder"
        raise InputError(
            [Fault(str(path), f"{name}, which the scenario names, is missing", cure=cure) for name in missing]
        )
    return scenario.in_folder(home)


def _designs(inputs: Mapping[str, Any], catalogue: Catalogue) -> tuple[list[Design], list[Change]]:
    designs, broken = [], []
    for candidate in inputs["candidates"]:
        choices = {
            class_id: Choice(tuple(found["options"]), tuple(found["completion"]), found["tier"])
            for class_id, found in candidate["classes"].items()
        }
        unknown = sorted({o for choice in choices.values() for o in choice.options if o not in catalogue.options})
        if unknown:
            broken.append(Change(f"options of {candidate['id']}", ", ".join(unknown), "not in the catalogue"))
            continue
        designs.append(Design(candidate["id"], candidate["name"], choices, candidate["origin"], candidate["source"]))
    return designs, broken


def _settings(inputs: Mapping[str, Any], scenario: Scenario, catalogue: Catalogue, home: Path) -> Iterator[Change]:
    del scenario
    if inputs["tenancykit"] != __version__:
        yield Change("tenancykit", str(inputs["tenancykit"]), __version__)
    digest = catalogue_digest(_folders(catalogue))
    if inputs["catalogue"] != digest:
        yield Change("catalogue", str(inputs["catalogue"]), digest)
    for name, recorded in inputs["files"].items():
        if (now := _hash(home / name)) != recorded:
            yield Change(f"file {name}", str(recorded), now)


def _figures(inputs: Mapping[str, Any], study: Study) -> Iterator[Change]:
    by_id = {e.id: e for e in study.evaluations}
    for candidate in inputs["candidates"]:
        evaluation = by_id.get(candidate["id"])
        for name in CRITERIA if evaluation is not None else ():
            recorded, now = float(candidate["figures"][name]), by_id[candidate["id"]].scores[name].value
            if not math.isclose(recorded, now, rel_tol=_SAME, abs_tol=_SAME):
                yield Change(f"{name} of {candidate['id']}", f"{recorded:.9g}", f"{now:.9g}")


def _order(inputs: Mapping[str, Any], study: Study) -> Iterator[Change]:
    now = list(study.ranking.ordered()) if study.ranking else []
    if list(inputs["order"]) != now:
        yield Change("order of the admitted", ", ".join(inputs["order"]) or "nobody", ", ".join(now) or "nobody")


__all__ = ["INPUTS", "Change", "Replay", "embedded_inputs", "inputs_of", "replay"]
