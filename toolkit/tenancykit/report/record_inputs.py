r"""What a decision rests on, carried by its record's page as a block of JSON that browsers do not run.

In it ``<`` is written as ``\u003c``, so that no name in a scenario can end the block.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import read_bytes
from kubeanswers.places import is_file
from kubeanswers.source import read_text
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.effort.calibration import LEAST_RATIO, MOST_RATIO, Calibration, calibrate
from tenancykit.criterion_names import BUILT_IN, CRITERIA
from tenancykit.design.model import Choice, Design, Omission, Supplement
from tenancykit.report.paper import Paper
from tenancykit.report.payload import fingerprint
from tenancykit.scenario.fields import CriterionId
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.reading import named_files
from tenancykit.scenario.trace_rows import MAX_BYTES
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.scales import End, Origin
from tenancykit.study.sweeping import catalogue_digest
from tenancykit.version import __version__

INPUTS: Final = "tenancykit/record-inputs/v1"

_OPEN: Final = '<script type="application/json" id="tenancykit-inputs">'
_CLOSE: Final = "</script>"
_BLOCK: Final = re.compile(re.escape(_OPEN) + "(.*?)" + re.escape(_CLOSE), re.DOTALL)
_LARGEST: Final = 64 * 1024 * 1024
_CURE: Final = "name a decision.html written by export or record"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class RecordedSupplement(_Part):
    """An option that completed a candidate for what the scenario needs."""

    option: str
    needs: tuple[str, ...]
    replaces: str


class RecordedOmission(_Part):
    """An option of a published architecture that a candidate went without."""

    option: str
    name: str
    why: str


class RecordedChoice(_Part):
    """What a candidate chose for a class; records of earlier releases do not say what completed it."""

    options: tuple[str, ...]
    completion: tuple[str, ...]
    tier: str
    supplements: tuple[RecordedSupplement, ...] = ()
    named: tuple[str, ...] = ()
    omissions: tuple[RecordedOmission, ...] = ()

    def choice(self) -> Choice:
        """Return the choice."""
        supplements = tuple(Supplement(one.option, one.needs, one.replaces) for one in self.supplements)
        omissions = tuple(Omission(one.option, one.name, one.why) for one in self.omissions)
        return Choice(self.options, self.completion, self.tier, supplements, self.named, omissions)


class RecordedCandidate(_Part):
    """A design that was compared, with the figures it had."""

    id: str
    name: str
    origin: str
    source: str
    anchor: bool
    title: str = ""
    """The one its publisher or owner gave it; the name in records of earlier releases."""
    named: bool = False
    classes: dict[str, RecordedChoice]
    figures: dict[CriterionId, float] = Field(min_length=len(BUILT_IN))

    def design(self) -> Design:
        """Return the design."""
        choices = {name: found.choice() for name, found in self.classes.items()}
        return Design(self.id, self.title or self.name, choices, self.origin, self.source, self.named)


class RecordedCalibration(_Part):
    """Measured tasks that shifted the effort estimates."""

    ratios: dict[str, tuple[Annotated[float, Field(ge=LEAST_RATIO, le=MOST_RATIO)], ...]]
    common: float = Field(gt=0, lt=1)

    def calibration(self) -> Calibration:
        """Return the calibration."""
        return calibrate(self.ratios, self.common)


class RecordedEnd(_Part):
    """The ends of one scale as they were when it was decided, and where they came from."""

    leaf: str
    worst: float = Field(allow_inf_nan=False)
    best: float = Field(allow_inf_nan=False)
    unit: str
    origin: Origin
    why: str

    def end(self) -> End:
        """Return the ends."""
        return End(self.leaf, self.worst, self.best, self.unit, self.origin, self.why)


class RecordedInputs(_Part):
    """Everything a decision rests on (format ``tenancykit/record-inputs/v1``).

    Attributes:
        scales: the ends of every scale; None in records of before December 2026, which held none.
    """

    format: Literal["tenancykit/record-inputs/v1"] = Field(alias="schema")
    tenancykit: str
    catalogue: str
    digest: str
    chosen: str
    scenario: dict[str, Any]
    files: dict[str, str]
    weights: dict[CriterionId, float] = Field(min_length=len(BUILT_IN))
    candidates: tuple[RecordedCandidate, ...] = Field(min_length=1)
    order: tuple[str, ...]
    scales: tuple[RecordedEnd, ...] | None = None
    calibration: RecordedCalibration | None = None
    paper: Paper = Paper()


def read_inputs(path: Path) -> RecordedInputs:
    """Return the inputs a record's page carries.

    Raises:
        InputError: the page is missing, carries no inputs, or they are of another format or not as we write them.
    """
    page = read_page(path)
    found = _BLOCK.search(page)
    if found is None:
        what = "carries no inputs to work out again" if page.strip() else "is empty"
        raise InputError(Fault(str(path), what, cure=_CURE))
    try:
        return RecordedInputs.model_validate_json(found[1])
    except ValidationError as error:
        raise InputError([_refused(path, detail) for detail in error.errors(include_url=False)[:_FAULTS]]) from None


def read_page(path: Path) -> str:
    """Return a record's page."""
    return read_text(path, limit=_LARGEST)


def without_inputs(page: str) -> str:
    """Return what a page holds beside its inputs."""
    return _BLOCK.sub("", page, count=1)


_FAULTS: Final = 5


def _refused(path: Path, detail: Any) -> Fault:
    place = ".".join(map(str, detail["loc"])) or "inputs"
    if detail["loc"] == ("schema",):
        shown = repr(detail["input"]) if detail["type"] == "literal_error" else "nothing"
        return Fault(str(path), f"its inputs are of format {shown}", INPUTS, _CURE)
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return Fault(str(path), f"its inputs cannot be read: {place}: {message}", cure=_CURE)


def digest_of(study: Study, chosen: Evaluation, weights: Sequence[float] | None = None) -> str:
    """Return the hash that identifies a decision: scenario, weights, candidates, choice, version.

    Args:
        study: the comparison.
        chosen: the design decided for.
        weights: weights of the criteria to the last bit, where a record keeps them; the study's by default.
    """
    data = {
        "scenario": fingerprint(study.scenario),
        "weights": list(weights or map(float, study.weights.values)),
        "candidates": {e.id: e.resolved.design.fingerprint() for e in study.evaluations},
        "chosen": chosen.id,
        "version": __version__,
        **_calibration(study),
    }
    text = json.dumps(data, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def embedded_inputs(study: Study, design_id: str, digest: str, paper: Paper | None = None) -> str:
    """Return the block of HTML that carries everything a decision rests on.

    Args:
        study: the comparison.
        design_id: the design decided for.
        digest: the record's hash.
        paper: what people add; nothing by default.
    """
    text = json.dumps(inputs_of(study, design_id, digest, paper or Paper()), ensure_ascii=True, allow_nan=False)
    return _OPEN + text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") + _CLOSE


_ALWAYS: Final = ("options", "completion", "tier")
"""What a record says of every choice, also where there is nothing to say."""


def inputs_of(study: Study, design_id: str, digest: str, paper: Paper) -> dict[str, Any]:
    """Return everything a decision rests on as plain data (format ``tenancykit/record-inputs/v1``)."""
    ranking = study.ranking
    anchors = set(study.catalogue.references)
    return {
        "schema": INPUTS,
        "tenancykit": __version__,
        "catalogue": catalogue_digest(own_folders(study.catalogue)),
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
                "title": e.resolved.design.name,
                "named": e.resolved.design.named,
                "classes": {
                    class_id: {name: value for name, value in asdict(choice).items() if value or name in _ALWAYS}
                    for class_id, choice in e.resolved.design.choices.items()
                },
                "figures": {name: e.scores[name].value for name in CRITERIA},
            }
            for e in study.evaluations
        ],
        "order": list(ranking.ordered()) if ranking else [],
        "scales": [asdict(end) for end in study.scales.ends],
        **_calibration(study),
        "paper": paper.model_dump(mode="json"),
    }


def _calibration(study: Study) -> dict[str, Any]:
    if study.calibration is None:
        return {}
    ratios = {task: list(values) for task, values in study.calibration.ratios.items()}
    return {"calibration": {"ratios": ratios, "common": study.calibration.common}}


def own_folders(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the catalogue folders laid over ours."""
    return tuple(str(root) for root in catalogue.roots[1:])


def _files(scenario: Scenario) -> dict[str, str]:
    """Return the files a scenario names, each with a hash of what is in it."""
    folder = scenario.folder
    if folder is None:
        return {}
    return {name: content_hash(folder / name) for name in sorted(set(named_files(scenario).values())) if name}


def content_hash(path: Path) -> str:
    """Return a short hash of a file's bytes; empty where there is no such file."""
    return hashlib.sha256(read_bytes(path, MAX_BYTES)).hexdigest()[:16] if is_file(path) else ""
