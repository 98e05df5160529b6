"""A decision record worked out again: the inputs it carries give the same numbers, or what changed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from kubeanswers.errors import Fault, InputError
from kubeanswers.places import is_file
from kubeanswers.records import dataclass
from kubeanswers.source import Document
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criterion_names import CRITERIA
from tenancykit.design.model import Design
from tenancykit.design.wishes import known_to
from tenancykit.report.record import record
from tenancykit.report.record_inputs import (
    RecordedInputs,
    content_hash,
    digest_of,
    own_folders,
    read_inputs,
    read_page,
    without_inputs,
)
from tenancykit.report.replaying_scales import SAME, Change, Scales, on_both
from tenancykit.scenario.model import Scenario, Weights
from tenancykit.scenario.reading import named_files, scenario_of
from tenancykit.study.comparison import Study, study_of
from tenancykit.study.evaluation import evaluate
from tenancykit.study.sweeping import catalogue_digest
from tenancykit.version import __version__


@dataclass(frozen=True, eq=False)
class Replay:
    """A decision record and what its inputs give now.

    Attributes:
        design: the design decided for.
        digest: the record's hash.
        candidates: how many designs were evaluated again.
        changes: what is different; empty where nothing is.
        page: what was made of the page around the inputs: that it shows what they give, or that it was not looked at.
        scales: what the record's own scales make of today's figures.
        study: the comparison as it comes out now.
    """

    design: str
    digest: str
    candidates: int
    changes: tuple[Change, ...]
    study: Study
    page: str = ""
    scales: Scales = field(default_factory=Scales)

    @property
    def same(self) -> bool:
        """Whether every figure, the ranking and the choice come out as recorded."""
        return not self.changes

    def text(self) -> str:
        """Return the finding, one change per line."""
        if self.same:
            told = f"decision {self.digest}: {self.candidates} designs give the same figures and the same order"
            return "\n".join([f"{told}; {self.page}", *(f"- {line}" for line in self.scales.lines())])
        count = f"{len(self.changes)} difference{'s' if len(self.changes) > 1 else ''}"
        head = f"decision {self.digest}: {count} from the record"
        return "\n".join([head, *(f"- {told}" for told in (*self.changes, *self.scales.lines(), self.page))])

    def data(self) -> dict[str, Any]:
        """Return the finding as plain data (format ``tenancykit/replay/v1``)."""
        return {
            "schema": "tenancykit/replay/v1",
            "tenancykit": __version__,
            "design": self.design,
            "digest": self.digest,
            "candidates": self.candidates,
            "same": self.same,
            "page": self.page,
            "scales": self.scales.data(),
            "changes": [{"what": c.what, "recorded": c.recorded, "now": c.now} for c in self.changes],
        }


def replay(record: Path | str, catalogue: Catalogue, *, folder: Path | str | None = None) -> Replay:
    """Return what the inputs embedded in a decision record give now, and every difference.

    The arguments are those of :func:`tenancykit.replay`.

    Raises:
        InputError: the page is missing or carries no inputs, or a file the scenario names is missing.
    """
    path = Path(record)
    path = path / "decision.html" if path.is_dir() else path
    inputs = read_inputs(path)
    home = Path(folder) if folder is not None else path.parent
    scenario = _scenario(inputs, path, home, catalogue)
    designs, broken = _designs(inputs, scenario, catalogue)
    if not designs:
        raise InputError(Fault(str(path), "no candidate of the record can be evaluated with this catalogue"))
    calibration = inputs.calibration.calibration() if inputs.calibration else None
    evaluations = [evaluate(design, scenario, catalogue, calibration=calibration) for design in designs]
    study = study_of(scenario, catalogue, evaluations, calibration=calibration).with_weights(_weights(inputs, path))
    scales = on_both(inputs, study)
    changes = [*broken, *_settings(inputs, catalogue, home), *_figures(inputs, study), *scales.changes]
    changes += _order(inputs, study)
    changes = changes or [*_identity(inputs, study)]
    shown, page = _page(path, study, inputs) if not changes else (None, _NOT_LOOKED_AT)
    told = (*changes, *([shown] if shown else []))
    return Replay(inputs.chosen, inputs.digest, len(evaluations), told, study, page, scales)


_NOT_LOOKED_AT: Final = "only the block of data was checked, not what the page shows"


def _page(path: Path, study: Study, inputs: RecordedInputs) -> tuple[Change | None, str]:
    """Return how the page differs from the one its inputs give, and what was made of it."""
    there, ours = read_page(path), record(study, inputs.chosen, inputs.paper).html
    if inputs.scales is None:  # written before records held them: ours differs in its data alone
        there, ours = without_inputs(there), without_inputs(ours)
    if there == ours:
        return None, "the page shows what they give"
    if not _SHOWN.search(without_inputs(there)):
        return None, _NOT_LOOKED_AT
    return Change("what the page shows", "words or figures of its own", "not what its inputs give"), "do not trust it"


_SHOWN: Final = re.compile(r"(?:^|>)[^<]*[^<\s]")


def _weights(inputs: RecordedInputs, path: Path) -> Weights:
    try:
        exact = math.isclose(math.fsum(inputs.weights.values()), 1.0, abs_tol=SAME)
        return Weights.by_criterion(inputs.weights, normalise=not exact)
    except ValidationError as error:
        raise InputError(_not_accepted(path, "weights", error)) from None


def _not_accepted(path: Path, what: str, error: ValidationError) -> Fault:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return Fault(str(path), f"its {what} is not accepted any more: {place}: {first['msg']}")


def _scenario(inputs: RecordedInputs, path: Path, home: Path, catalogue: Catalogue) -> Scenario:
    try:
        scenario = Scenario.model_validate(inputs.scenario)
    except ValidationError as error:
        raise InputError(_not_accepted(path, "scenario", error)) from None
    faults = list(_wrong_files(inputs, scenario, path, home))
    if faults:
        raise InputError(faults)
    return scenario_of(Document(str(path), inputs.scenario), known_to(catalogue), folder=home)


def _wrong_files(inputs: RecordedInputs, scenario: Scenario, path: Path, home: Path) -> Iterator[Fault]:
    """Yield what is wrong with the files a record names: as for a scenario, none outside its folder is read."""
    named, root = set(named_files(scenario).values()), home.resolve()
    for name in sorted({*inputs.files, *named}):
        target = (root / name).resolve() if "\0" not in name else root
        if not target.is_relative_to(root):
            yield Fault(str(path), f"{name!r} leaves the record's folder", cure="copy the file there")
        elif name in inputs.files and not is_file(target):
            cure = "put the files beside the record, or name their folder (--folder)"
            yield Fault(str(path), f"{name}, which the scenario names, is missing", cure=cure)
        elif name not in named:
            yield Fault(str(path), f"{name!r} is a file its scenario does not name", cure="export the record again")


def _designs(inputs: RecordedInputs, scenario: Scenario, catalogue: Catalogue) -> tuple[list[Design], list[Change]]:
    designs, broken = [], []
    classes = {tenant_class.id for tenant_class in scenario.tenants.classes}
    for candidate in inputs.candidates:
        unknown = sorted({o for c in candidate.classes.values() for o in c.options if o not in catalogue.options})
        if unknown:
            broken.append(Change(f"options of {candidate.id}", ", ".join(unknown), "not in the catalogue"))
        elif set(candidate.classes) != classes:
            told = ", ".join(sorted(candidate.classes))
            broken.append(Change(f"tenant classes of {candidate.id}", told, ", ".join(sorted(classes))))
        else:
            designs.append(candidate.design())
    return designs, broken


def _settings(inputs: RecordedInputs, catalogue: Catalogue, home: Path) -> Iterator[Change]:
    if inputs.tenancykit != __version__:
        yield Change("tenancykit", inputs.tenancykit, __version__)
    digest = catalogue_digest(own_folders(catalogue))
    if inputs.catalogue != digest:
        yield Change("catalogue", inputs.catalogue, digest)
    for name, recorded in inputs.files.items():
        if (now := content_hash(home / name)) != recorded:
            yield Change(f"file {name}", recorded, now)


def _figures(inputs: RecordedInputs, study: Study) -> Iterator[Change]:
    by_id = {e.id: e for e in study.evaluations}
    for candidate in inputs.candidates:
        evaluation = by_id.get(candidate.id)
        for name, recorded in candidate.figures.items() if evaluation is not None else ():
            now = by_id[candidate.id].scores[name].value
            if not math.isclose(recorded, now, rel_tol=SAME, abs_tol=SAME):
                yield Change(f"{name} of {candidate.id}", f"{recorded:.9g}", f"{now:.9g}")


def _order(inputs: RecordedInputs, study: Study) -> Iterator[Change]:
    now = study.ranking.ordered() if study.ranking else ()
    if inputs.order != now:
        yield Change("order of the admitted", ", ".join(inputs.order) or "nobody", ", ".join(now) or "nobody")


def _identity(inputs: RecordedInputs, study: Study) -> Iterator[Change]:
    """Yield what was altered in a record whose figures all come out as they stand in it."""
    chosen = next((e for e in study.evaluations if e.id == inputs.chosen), None)
    if chosen is None:
        yield Change("design decided for", inputs.chosen, "not among the candidates")
    elif (digest := digest_of(study, chosen, [inputs.weights.get(name, 0.0) for name in CRITERIA])) != inputs.digest:
        yield Change("number of the decision", inputs.digest, digest)


__all__ = ["Change", "Replay", "replay"]
