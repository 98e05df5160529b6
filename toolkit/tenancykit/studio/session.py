"""What the studio knows and may do, without any widget: state, transitions with undo, and the study that follows.

Measuring is slow and weighing is fast, so they are kept apart: a design is measured once per scenario and remembered;
weights, candidates and what is open only re-rank what is measured. The candidates are those of ``compare``: completed
for what the scenario needs, and the best composition per class beside the references.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from kubeanswers.errors import Fault, InputError, TenancyKitError, UndecidedError, did_you_mean
from kubeanswers.source import parse_yaml
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.criterion_names import CRITERIA
from tenancykit.design.model import Design
from tenancykit.design.validity import reference_design
from tenancykit.design.variants import variant
from tenancykit.design.wishes import known_to
from tenancykit.report.handover import Handover, export
from tenancykit.report.record import Record, record
from tenancykit.scenario.model import Scenario, Weights
from tenancykit.scenario.reading import scenario_of
from tenancykit.studio.files import SessionFile, parse_session, read_session, session_file, write_session
from tenancykit.studio.state import State, importance, question_of, text_of
from tenancykit.study.comparison import Study, study_of
from tenancykit.study.completion import completed
from tenancykit.study.composing import COMPOSED, RIVAL, best_composition
from tenancykit.study.evaluation import Evaluation, evaluate
from tenancykit.study.exchange_rates import weighed
from tenancykit.study.leaves import isolation_keys
from tenancykit.study.scales import scales_of

MOST_STEPS: Final = 200
"""Steps that can be undone."""


class Session:
    """A studio's session.

    Every transition either takes place as a whole or raises :class:`InputError` and changes nothing.
    """

    def __init__(self, scenario: Scenario, catalogue: Catalogue | None = None, *, study: Study | None = None) -> None:
        """Start a session about a scenario.

        Args:
            scenario: what is asked.
            catalogue: what could be done; the study's or the package's own by default.
            study: the scenario's study, where it is measured already.
        """
        self.catalogue = catalogue or (study.catalogue if study is not None else load_catalogue())
        self._measured: dict[tuple[str, str, str], Evaluation] = {}
        self._past: list[tuple[str, State]] = []
        self._future: list[State] = []
        self._studies: dict[tuple[Any, ...], Study] = {}
        self._references: dict[str, tuple[Design, ...]] = {}
        self._further: dict[tuple[Any, ...], tuple[Design, ...]] = {}
        self._composed: dict[tuple[str, str], tuple[Evaluation, ...]] = {}
        references = set(self.catalogue.references)
        evaluations = study.evaluations if study is not None else ()
        composed = tuple(e for e in evaluations if e.resolved.design.origin == "composed")
        own = tuple(e.resolved.design for e in evaluations if e.id not in references and e not in composed)
        question = question_of(text_of(scenario), scenario)
        self.state = State(question, importance(scenario.weights), own=own)
        for evaluation in evaluations:
            self._measured[question.key, evaluation.id, evaluation.resolved.design.fingerprint()] = evaluation
        if study is not None and references <= {e.id for e in evaluations}:
            self._composed[self._composing] = composed

    # --- what follows from the state ------------------------------------------------------------------------------

    @property
    def scenario(self) -> Scenario:
        """The scenario the figures are about."""
        return self.state.question.scenario

    @property
    def weights(self) -> Weights:
        """The weights, normalised."""
        return Weights.by_criterion(self.state.weights, normalise=True)

    @property
    def designs(self) -> tuple[Design, ...]:
        """Every design that may be compared: the reference architectures, those of the study given, the variants."""
        composed = (one.resolved.design for one in self._composed.get(self._composing, ()))
        return (*self._catalogued(), *composed, *self._added())

    def _catalogued(self) -> tuple[Design, ...]:
        """Return the reference architectures, completed for what the scenario needs."""
        key = self.state.question.key
        if key not in self._references:
            found = [reference_design(r, self.scenario, self.catalogue) for r in self.catalogue.references.values()]
            self._references = {key: self._completed(found)}
        return self._references[key]

    def _added(self) -> tuple[Design, ...]:
        """Return the variants and designs of one's own, completed like the references unless they stand already."""
        key = (self.state.question.key, self.state.variants, self.state.own)
        if key not in self._further:
            classes = {c.id for c in self.scenario.tenants.classes}
            found = [design for design in self.state.own if classes <= set(design.choices)]
            found += [variant(text, self.scenario, self.catalogue) for text in self.state.variants]
            asked = [design for design in found if not design.stands]
            better = iter(self._completed(asked))
            self._further = {key: tuple(d if d.stands else next(better) for d in found)}
        return self._further[key]

    def _completed(self, designs: Sequence[Design]) -> tuple[Design, ...]:
        try:
            return completed(designs, self.scenario, self.catalogue)
        except TenancyKitError:  # a scenario that cannot be measured: measuring says why
            return tuple(designs)

    @property
    def _composing(self) -> tuple[str, str]:
        """What the compositions follow from; sliders only rank it again."""
        return self.state.question.key, self.scenario.weights.model_dump_json()

    def _compose(self) -> None:
        """Find the compositions per class of the measured references, where that was not done yet."""
        if self._composing in self._composed:
            return
        references = [self._measured[self._key(design)] for design in self._catalogued()]
        scales = scales_of(self.scenario, self.catalogue, isolation_keys(references))
        found = best_composition(references, self.scenario, self.catalogue, *weighed(self.scenario, scales))
        composed = () if found is None else found.with_rival(references)
        self._composed[self._composing] = composed
        self._measured.update((self._key(one.resolved.design), one) for one in composed)

    def waiting(self) -> tuple[Design, ...]:
        """Return the designs that are not measured yet; reference architectures set the scales, so all are needed."""
        return tuple(design for design in self.designs if self._key(design) not in self._measured)

    def step(self) -> str:
        """Measure the next design and return its id; an empty text when nothing is left to measure."""
        waiting = self.waiting()
        if not waiting:
            return ""
        self._measured[self._key(waiting[0])] = evaluate(waiting[0], self.scenario, self.catalogue)
        if len(waiting) == 1:
            self._compose()
        return waiting[0].id

    @property
    def study(self) -> Study:
        """The study of the state; what is missing is measured first."""
        while self.step():
            pass
        self._compose()
        state = self.state
        there = tuple(design.id for design in self.designs)
        # a class added to the scenario takes away the designs that choose nothing for it, even all that were chosen
        shown = tuple(name for name in there if state.candidates is None or name in state.candidates) or there
        base_key = (state.question.text, state.variants, state.own, shown)
        weights_key = (*base_key, *self.state.weights.values())
        if weights_key not in self._studies:
            base = self._studies.get(base_key) or self._compared(shown)
            self._studies = {base_key: base, weights_key: base.with_weights(self.weights)}
        return self._studies[weights_key]

    def _compared(self, shown: tuple[str, ...]) -> Study:
        scenario = self.scenario
        found = [replace(self._measured[self._key(d)], scenario=scenario) for d in self.designs]
        return study_of(scenario, self.catalogue, [e for e in found if e.id in shown])

    def _key(self, design: Design) -> tuple[str, str, str]:
        return self.state.question.key, design.id, design.fingerprint()

    @property
    def opened(self) -> Evaluation:
        """The design that is open: the one chosen, else the first in rank, else the one nearest to being admitted."""
        study = self.study
        if self.state.opened in {e.id for e in study.evaluations}:
            return study[self.state.opened]
        return study.order[0]

    @property
    def beside(self) -> Evaluation:
        """The design compared with the open one."""
        study = self.study
        if self.state.beside in {e.id for e in study.evaluations}:
            return study[self.state.beside]
        return next((e for e in study.order if e.id != self.opened.id), self.opened)

    # --- transitions ----------------------------------------------------------------------------------------------

    def edit(self, text: str) -> tuple[Fault, ...]:
        """Take a new text of the scenario and return its faults; with faults, the figures stay the last ones."""
        try:
            document = parse_yaml(text, "scenario")
            scenario = scenario_of(document, known_to(self.catalogue), folder=self.scenario.folder)
            self._check_designs(scenario)
        except InputError as error:
            self._move("edit", replace(self.state, draft=text, faults=error.faults))
            return error.faults
        question = question_of(text, scenario)
        state = replace(self.state, question=question, draft="", faults=())
        if scenario.weights != self.scenario.weights:
            state = replace(state, weights=importance(scenario.weights))
        self._move("edit", state)
        return ()

    def revise(self, act: Callable[[str], str]) -> tuple[Fault, ...]:
        """Change the scenario's text in one step to undo; return the faults this makes.

        Args:
            act: returns the new text; raises ``KeyError`` where the text has another shape than it expects.

        Raises:
            InputError: the text cannot be read, or has another shape there.
        """
        try:
            text = act(self.state.text)
        except (KeyError, ValueError, yaml.YAMLError):
            raise InputError(Fault("scenario", "cannot be changed from the form here", cure="edit the text")) from None
        return self.edit(text)

    def begin(self, scenario: Scenario, text: str = "") -> None:
        """Begin with another scenario: its weights, every candidate, nothing open; it can be undone.

        Args:
            scenario: the scenario.
            text: the text it was read from, if there is one.
        """
        question = question_of(text or text_of(scenario), scenario)
        self._move("begin", State(question, importance(scenario.weights)))

    def weigh(self, **importance: float) -> None:
        """Set the importance of criteria, on any scale; the weights are their shares.

        Raises:
            InputError: an unknown criterion, a negative or not finite number, or nothing above zero.
        """
        unknown = [name for name in importance if name not in CRITERIA]
        if unknown:
            raise InputError(
                Fault(
                    "weights",
                    f"unknown criterion {unknown[0]!r}",
                    ", ".join(CRITERIA),
                    did_you_mean(unknown[0], CRITERIA),
                )
            )
        wrong = [name for name, value in importance.items() if not 0 <= value < float("inf")]
        if wrong:
            raise InputError(Fault("weights", f"{wrong[0]}: {importance[wrong[0]]!r}", "a number of zero or more"))
        weights = {**self.state.weights, **{name: float(value) for name, value in importance.items()}}
        if not any(weights.values()):
            raise InputError(Fault("weights", "are all zero", cure="give at least one criterion some importance"))
        self._move(f"weigh {' '.join(importance)}", replace(self.state, weights=MappingProxyType(weights)))

    def weigh_as(self, stakeholder: str) -> None:
        """Take the weights of a stakeholder of the scenario; an empty name takes the scenario's own.

        Raises:
            InputError: the scenario has no such stakeholder.
        """
        known = self.scenario.stakeholders
        if stakeholder and stakeholder not in known:
            raise InputError(Fault("weights", f"unknown stakeholder {stakeholder!r}", ", ".join(known)))
        weights = known[stakeholder] if stakeholder else self.scenario.weights
        self._move("stakeholder", replace(self.state, weights=importance(weights)))

    def choose(self, designs: Iterable[str] | None) -> None:
        """Compare these designs only; None compares all.

        Raises:
            InputError: an unknown design, or none at all.
        """
        if designs is None:
            self._move("choose", replace(self.state, candidates=None))
            return
        chosen = tuple(dict.fromkeys(designs))
        for name in chosen:
            self._known(name)
        if not chosen:
            raise InputError(Fault("candidates", "no design is chosen", cure="choose at least one"))
        self._move("choose", replace(self.state, candidates=chosen))

    def add_variant(self, text: str) -> str:
        """Add a variation of a reference architecture (``RA01 +node_dedicated_tenant``) and return its id.

        Raises:
            InputError: it cannot be read, names unknown ids, or is there already.
        """
        design = variant(text, self.scenario, self.catalogue)
        if design.id in {d.id for d in self.designs}:
            raise InputError(Fault("variant", f"{design.id} is there already"))
        state = replace(self.state, variants=(*self.state.variants, " ".join(text.split())), opened=design.id)
        if state.candidates is not None:
            state = replace(state, candidates=(*state.candidates, design.id))
        self._move("variant", state)
        return design.id

    def add_designs(self, designs: Iterable[Design]) -> tuple[str, ...]:
        """Compare further designs, such as an exploration found, and return their ids; known ones are left as they are.

        Raises:
            InputError: a design chooses nothing for a class of the scenario.
        """
        known = {d.id for d in self.designs}
        new = tuple(design for design in designs if design.id not in known)
        for design in new:
            missing = [c.id for c in self.scenario.tenants.classes if c.id not in design.choices]
            if missing:
                raise InputError(Fault(f"design {design.id}", f"chooses nothing for {', '.join(missing)}"))
        ids = tuple(design.id for design in new)
        state = replace(self.state, own=(*self.state.own, *new))
        if state.candidates is not None:
            state = replace(state, candidates=(*state.candidates, *ids))
        self._move("designs", state)
        return ids

    def open(self, design: str = "", criterion: str = "") -> None:
        """Open a design, and one of its criteria; empty names leave things as they are.

        Raises:
            InputError: an unknown design or criterion.
        """
        if criterion and criterion not in CRITERIA:
            raise InputError(
                Fault(
                    "open", f"unknown criterion {criterion!r}", ", ".join(CRITERIA), did_you_mean(criterion, CRITERIA)
                )
            )
        name = self._known(design) if design else self.state.opened
        self._move("open", replace(self.state, opened=name, criterion=criterion or self.state.criterion))

    def compare_with(self, design: str) -> None:
        """Put a design beside the open one.

        Raises:
            InputError: an unknown design.
        """
        self._move("beside", replace(self.state, beside=self._known(design)))

    def undo(self) -> bool:
        """Go back one step; return whether there was one."""
        if not self._past:
            return False
        self._future.append(self.state)
        self.state = self._past.pop()[1]
        return True

    def redo(self) -> bool:
        """Go forward again; return whether there was something undone."""
        if not self._future:
            return False
        self._past.append(("redo", self.state))
        self.state = self._future.pop()
        return True

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether something was undone."""
        return bool(self._future)

    def _move(self, what: str, state: State) -> None:
        """Take a new state; the moves of one slider in a row are one step to undo."""
        if state == self.state:
            return
        if not (what.startswith("weigh") and self._past and self._past[-1][0] == what and not self._future):
            self._past.append((what, self.state))
        del self._past[:-MOST_STEPS]
        self._future.clear()
        self.state = state

    def _known(self, design: str) -> str:
        known = {d.id.lower(): d.id for d in self.designs}
        if len(self.scenario.tenants.classes) > 1:
            known |= {name.lower(): name for name in (COMPOSED, RIVAL)}  # found once everything is measured
        if design.lower() not in known:
            names = list(known.values())
            raise InputError(
                Fault("design", f"unknown design {design!r}", ", ".join(names), did_you_mean(design, names))
            )
        return known[design.lower()]

    def _check_designs(self, scenario: Scenario) -> None:
        """Raise ``InputError`` where a variant cannot be read, or two designs share an id."""
        variants = [variant(text, scenario, self.catalogue).id for text in self.state.variants]
        ids = Counter(
            [COMPOSED, RIVAL, *self.catalogue.references, *(design.id for design in self.state.own), *variants]
        )
        twice = [name for name, times in ids.items() if times > 1]
        if twice:
            raise InputError(Fault("designs", f"{twice[0]!r} appears twice", "distinct ids"))

    # --- files ----------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], writer: str = "") -> Path:
        """Write the session as JSON and return its path; ``writer`` names the page that keeps the file, if one does.

        Raises:
            OutputError: the file cannot be written.
        """
        return write_session(session_file(self.state, self.weights, Path(path), writer), path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Continue a saved session; it can be undone.

        Raises:
            InputError: the file is missing, is no session, is of another version, or names what does not exist.
        """
        self._continue(read_session(path), Path(path))

    def load_text(self, text: str, name: str = "session") -> None:
        """Continue a session from its JSON text, as :meth:`load`."""
        self._continue(parse_session(text, name), Path(name))

    def _continue(self, saved: SessionFile, file: Path) -> None:
        folder = saved.place(file)
        text = saved.valid_scenario or saved.scenario
        scenario = scenario_of(parse_yaml(text, f"{file}: scenario"), known_to(self.catalogue), folder=folder)
        other = Session(scenario, self.catalogue)
        other.state = replace(
            other.state,
            question=question_of(text, scenario),
            variants=saved.variants,
            own=tuple(design.read(self.catalogue) for design in saved.own),
        )
        other._check_designs(scenario)
        other.weigh(**importance(saved.weights))
        if saved.candidates is not None:
            other.choose(saved.candidates)
        other.open(saved.opened, saved.criterion)
        if saved.beside:
            other.compare_with(saved.beside)
        if saved.valid_scenario:
            other.edit(saved.scenario)
        self._move("load", other.state)

    def export(self, folder: str | os.PathLike[str]) -> Handover:
        """Write the open design's manifests and its decision record.

        Raises:
            OutputError: the folder cannot be written.
            InputError: the design is not valid for the scenario, so that its manifests would promise what cannot hold.
        """
        chosen = self.opened
        if not chosen.resolved.is_valid:
            cure = "choose a valid design"
            raise InputError(Fault(f"export {chosen.id}", "; ".join(map(str, chosen.resolved.violations)), cure=cure))
        return export(chosen, Path(folder), self.study)

    def record(self) -> Record:
        """Return the decision record of the open design.

        Raises:
            UndecidedError: no design is admitted.
        """
        if self.study.ranking is None:
            raise UndecidedError(self.study.nobody())
        return record(self.study, self.opened.id)
