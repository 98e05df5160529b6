"""Many designs measured at once: isolation, effort and operations exactly, what is known of the cost beside them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from kubeanswers.errors import UndecidedError
from kubeanswers.records import dataclass
from kubeanswers.remembering import remember
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.model import Dimension
from tenancykit.catalogue.reading import Catalogue, load_catalogue, yaml_files
from tenancykit.catalogue.workbook import load_work
from tenancykit.conditions import Condition
from tenancykit.criteria.cost.sweep import CostSweep
from tenancykit.criteria.effort.sweep import EffortSweep
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.isolation.measure import assess
from tenancykit.criteria.isolation.windows import sweep_windows
from tenancykit.criteria.operations.sweep import OperationsSweep, Swept
from tenancykit.design.batch import Batch, Codes, batch_of
from tenancykit.design.model import Choice
from tenancykit.design.numbering import Numbered, numbered
from tenancykit.design.offers import price_book
from tenancykit.design.space import Candidates, common_space, space
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import AMORTISATION_MONTHS, HOURS_PER_DAY, day_rate
from tenancykit.study.leaves import Key, nines_of_days

Floats = NDArray[np.float64]
Isolation = Callable[[Batch, Floats], Floats]


@dataclass(frozen=True)
class Question:
    """What is swept: a scenario and the options that may be chosen; small enough to be sent to another machine.

    Attributes:
        scenario: the scenario.
        folders: the user's catalogue folders; they must exist wherever designs are measured.
        allowed: option ids to keep, by dimension that is narrowed.
        per_class: whether each class may choose for itself, rather than all the same.
    """

    scenario: Scenario
    folders: tuple[str, ...] = ()
    allowed: tuple[tuple[Dimension, tuple[str, ...]], ...] = ()
    per_class: bool = False

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        catalogue: Catalogue,
        allowed: Mapping[Dimension, Sequence[str]] | None = None,
        *,
        per_class: bool = False,
    ) -> Question:
        """Return the question about a scenario with a catalogue."""
        kept = tuple((dimension, tuple(options)) for dimension, options in sorted((allowed or {}).items()))
        return cls(scenario, tuple(str(root) for root in catalogue.roots[1:]), kept, per_class)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue, read where the question is answered."""
        return load_catalogue(*self.folders)

    @cached_property
    def asked(self) -> str:
        """Scenario and narrowing as text: a process, which reads a folder's catalogue once, keeps sweepers by it."""
        stated = self.scenario.model_dump(mode="json", by_alias=True, warnings=False)
        return json.dumps(stated, sort_keys=True) + repr((self.allowed, self.per_class))

    @cached_property
    def key(self) -> str:
        """Hash of scenario, catalogue and narrowing: sweeps with the same key measure the same designs alike."""
        return hashlib.sha256((self.asked + catalogue_digest(self.folders)).encode()).hexdigest()[:16]

    def __getstate__(self) -> dict[str, object]:
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)


@lru_cache(maxsize=8)
def catalogue_digest(folders: tuple[str, ...]) -> str:
    """Return a hash of every file of the catalogue and the user's folders."""
    digest = hashlib.sha256()
    for root in load_catalogue(*folders).roots:
        for file in yaml_files(root):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Columns:
    """Designs with their figures, one row per design.

    Attributes:
        codes: [designs x layers] what is chosen.
        isolation: the ranked figure, nines.
        effort: person-days.
        operations: hours per month.
        toil: hours per month of toil alone.
        engineers: people needed.
        patch_days: exposure window, days.
        people: cost of people per month, to within a cent.
        hosts: cost per month of the machines that components take whole.
        nines: [designs x keys of the sweeper] nines per class and plane, what isolation is valued by.
    """

    codes: Codes
    isolation: Floats
    effort: Floats
    operations: Floats
    toil: Floats
    engineers: Floats
    patch_days: Floats
    people: Floats
    hosts: Floats
    nines: Floats

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Columns:
        """Return some of the rows."""
        return Columns(*(getattr(self, part.name)[rows] for part in fields(self)))

    @staticmethod
    def joined(lots: Iterable[Columns]) -> Columns:
        """Return the rows of several lots one after the other."""
        listed = list(lots)
        return Columns(*(np.concatenate([getattr(lot, part.name) for lot in listed]) for part in fields(Columns)))


class Sweeper:
    """Measures designs of a question's space; what does not change between designs is worked out once.

    Args:
        question: what is swept.
    """

    def __init__(self, question: Question) -> None:
        self.scenario = question.scenario
        self.catalogue = question.catalogue
        self.allowed = dict(question.allowed)
        self.per_class = question.per_class
        self.cost = CostSweep(self.scenario, self.catalogue)
        self._effort: EffortSweep | None = None
        self._operations: OperationsSweep | None = None
        rate = float(day_rate(self.scenario, price_book(self.scenario, self.catalogue))[0])
        self._build, self._run = rate / AMORTISATION_MONTHS, rate / HOURS_PER_DAY

    @cached_property
    def parts(self) -> tuple[Numbered, ...]:
        """The designs there are to choose from: per class, or once where all classes choose the same.

        Raises:
            UndecidedError: no design is valid for some class; names what refuses most.
        """
        if self.per_class:
            classes = self.scenario.tenants.classes
            spaces = [space(c, self.scenario, self.catalogue, allowed=self.allowed) for c in classes]
        else:
            spaces = [common_space(self.scenario, self.catalogue, allowed=self.allowed)]
        for one in spaces:
            if not one.count:
                whom = f" for class {one.tenant_class.id!r}" if self.per_class else ""
                told = "; ".join(f"{reason} ({number:.3g})" for reason, number in one.reasons()[:3])
                raise UndecidedError(f"no combination of options is valid{whom}; most are refused by: {told}")
        return tuple(map(numbered, spaces))

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The classes and planes on which anybody has something to lose, whatever the design."""
        design = reference_design(next(iter(self.catalogue.references.values())), self.scenario, self.catalogue)
        planes = assess(resolve(design, self.scenario, self.catalogue), load_isolation(self.catalogue)).planes
        return tuple((class_id, str(plane)) for class_id, mine in planes.items() for plane in mine)

    @property
    def count(self) -> int:
        """Number of valid designs."""
        return math.prod(len(part) for part in self.parts)

    @cached_property
    def columns(self) -> tuple[Candidates, ...]:
        """What the codes of a design stand for: the layers of each part, one part after the other."""
        return tuple(column for part in self.parts for column in part.columns)

    def codes(self, numbers: NDArray[np.int64]) -> Codes:
        """Return [numbers x columns] the codes of designs by number, the last part changing fastest."""
        left = np.array(numbers, dtype=np.int64)
        found: list[Codes] = []
        for part in reversed(self.parts):
            left, here = np.divmod(left, len(part))
            found.append(part.codes(here))
        return np.concatenate(found[::-1], axis=1)

    def split(self, codes: Codes) -> list[Codes]:
        """Return the codes of each part."""
        ends = np.cumsum([len(part.columns) for part in self.parts])[:-1]
        return np.split(codes, ends.tolist(), axis=1)

    def valid(self, codes: Codes) -> NDArray[np.bool_]:
        """Return [rows] whether a row of codes stands for a valid design."""
        found = np.ones(len(codes), dtype=bool)
        for part, mine in zip(self.parts, self.split(codes), strict=True):
            found &= part.valid(mine)
        return found

    def choices(self, codes: Codes) -> dict[str, Choice]:
        """Return what one design chooses for each class."""
        found = [
            part.choice(mine[0].tolist()) for part, mine in zip(self.parts, self.split(codes[None, :]), strict=True)
        ]
        classes = self.scenario.tenants.classes
        each = found * len(classes) if len(found) == 1 else found
        return {tenant_class.id: choice for tenant_class, choice in zip(classes, each, strict=True)}

    def batch(self, codes: Codes) -> Batch:
        """Return designs as a batch."""
        columns = [part.columns for part in self.parts]
        return batch_of(self.scenario, self.catalogue, columns, self.split(codes))

    def measure(self, codes: Codes) -> Columns:
        """Return the designs that rows of codes stand for, with their figures."""
        return self.measure_batch(self.batch(codes), codes)

    def measure_batch(self, batch: Batch, codes: Codes, isolation: Isolation | None = None) -> Columns:
        """Return the designs of a batch with their figures; ``codes`` are kept beside them.

        Args:
            batch: the designs.
            codes: what stands for them.
            isolation: how isolation follows from the batch and the times to patch; exactly unless given. Nines per
                class and plane are worked out with the exact one only.
        """
        effort, operations = self._work(batch)
        if isolation is None:
            found = sweep_windows(batch, operations.patch_days, believed=Beliefs.of(batch.scenario))
            model = load_isolation(self.catalogue)
            isolated, nines = found.figure, nines_of_days(found.days, len(batch), self.keys, model)
        else:
            isolated, nines = isolation(batch, operations.patch_days), np.zeros((len(batch), 0))
        return Columns(
            codes,
            isolated,
            effort,
            operations.hours,
            operations.toil,
            operations.people,
            operations.patch_days,
            self._paid(effort, operations.toil),
            self.cost.hosts(batch),
            nines,
        )

    def _work(self, batch: Batch) -> tuple[Floats, Swept]:
        if self._effort is None or self._operations is None:
            self._effort, self._operations = EffortSweep(batch), OperationsSweep(batch)
        return self._effort.days(batch), self._operations.sweep(batch)

    def _paid(self, effort: Floats, toil: Floats) -> Floats:
        found: Floats = np.round(effort * self._build, 2) + np.round(toil * self._run, 2)
        return found

    def people(self, batch: Batch) -> Floats:
        """Return [designs] the cost of people per month, to within a cent."""
        effort, operations = self._work(batch)
        return self._paid(effort, operations.toil)

    def conditions(self) -> Iterable[Condition]:
        """Yield every condition under which a design brings work, toil or something to pay for."""
        book = load_work(self.catalogue)
        for work in book.work.values():
            yield work.when
            yield from (task.when for task in work.tasks)
        for toil in book.toil.values():
            yield toil.when
            yield from (activity.when for activity in toil.activities)
        yield from self.cost.conditions()


_SWEEPERS: dict[tuple[str, tuple[str, ...]], Sweeper] = {}
_KEPT = 8


def sweeper_of(question: Question) -> Sweeper:
    """Return the sweeper of a question; a process keeps the last few."""
    asked = question.asked, question.folders
    found = _SWEEPERS.pop(asked, None) or Sweeper(question)
    return remember(_SWEEPERS, asked, found, _KEPT)


def sweep_numbers(question: Question, numbers: NDArray[np.int64]) -> Columns:
    """Return the designs with these numbers and their figures; a function that any executor can run anywhere."""
    sweeper = sweeper_of(question)
    return sweeper.measure(sweeper.codes(numbers))


def sweep_codes(question: Question, codes: Codes) -> Columns:
    """Return the designs that rows of codes stand for, with their figures; for any executor."""
    return sweeper_of(question).measure(codes)
