"""Is an export what the design claims? Each crossing an audit can see, claimed and observed, tenant by tenant.

The claim is the isolation model's: a crossing is claimed closed between two tenant classes where its conditions do not
hold for them, or where one of its barriers that manifests carry stands; else it is claimed open. The observation is the
audit's, cluster by cluster. Proven is what was claimed closed and is closed for every pair of tenants; what was claimed
open needs no proof, and may turn out closed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field, replace
from pathlib import Path
from typing import Final, Literal

from kubeanswers.collector import paused_collector
from kubeanswers.errors import Fault
from kubeanswers.records import dataclass
from tenancykit.auditing import Finding, read_objects
from tenancykit.auditing.fleet import cluster_folders
from tenancykit.catalogue.attack import Crossing
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.signs import Claim, load_claims
from tenancykit.criteria.isolation.graph import pair_facts
from tenancykit.criteria.isolation.measure import measure
from tenancykit.criteria.score import Score
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.drawing import Drawable
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.proof_drift import drift
from tenancykit.study.proof_observations import Observations, Seen

Verdict = Literal["proven", "not proven", "undecided"]
GUARDED: Final = "guarded by "


@dataclass(frozen=True)
class Claimed:
    """What a design claims of one crossing between two tenant classes.

    Attributes:
        crossing: its id.
        attacker: class of the tenants that would cross.
        victim: class of the tenants that would be reached.
        is_open: whether the design claims nothing against it that manifests could show.
        is_absent: whether it is claimed closed because its conditions do not hold.
        because: why, in words.
    """

    crossing: str
    attacker: str
    victim: str
    is_open: bool
    is_absent: bool
    because: str


@dataclass(frozen=True)
class Proven:
    """A claim beside what the audit observed.

    Attributes:
        claim: the claim.
        title: what the crossing is, in plain words.
        check: what the audit computes.
        seen: what the audit observed: open and undecided pairs of tenants, examples, findings.
        verdict: the outcome.
        reasons: why it is not proven; empty where it is.
        held_by: what keeps it closed as the files are: barriers seen to refuse it, or those the claim names; empty for
            what is claimed open or not proven.
    """

    claim: Claimed
    title: str
    check: str
    seen: Seen = field(repr=False)
    verdict: Verdict
    reasons: tuple[str, ...]
    held_by: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The audit's findings that name the opened path; none where the claim is proven."""
        return () if self.verdict == "proven" else self.seen.findings


@dataclass(frozen=True)
class Proof(Drawable):
    """Whether an export is what its design claims.

    Attributes:
        design: id and title of the design.
        folder: the export.
        claims: every claim with its observation, by crossing and classes.
        faults: what could not be read, and tenants that are missing or nobody's.
        unread: how many of the faults are inputs that could not be read.
        tenants: tenants found.
        objects: objects read.
        isolation: the isolation of the design with every claim proven; None where it is not.
        doubts: what the proof rests on and is not known: what is referred to and is in no cluster of the export, what
            is gone or changed since the export, objects of others that are not evaluated, what could not be read.
        given: what the design's options name and no manifest shows (charts to install, what is done by hand).
    """

    design: str
    folder: str
    claims: tuple[Proven, ...]
    faults: tuple[Fault, ...]
    tenants: int
    objects: int
    unread: int = 0
    isolation: Score | None = None
    doubts: tuple[Fault, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Proven if every claim is; not proven if one is not, or something could not be read."""
        verdicts = {item.verdict for item in self.claims}
        if self.faults or "not proven" in verdicts:
            return "not proven"
        return "undecided" if self.doubts or "undecided" in verdicts else "proven"

    @property
    def broken(self) -> tuple[Proven, ...]:
        """Claims that are not proven, the refuted first."""
        return tuple(sorted((c for c in self.claims if c.verdict != "proven"), key=lambda c: c.verdict != "not proven"))

    def of(self, crossing: str) -> tuple[Proven, ...]:
        """Return the claims about one crossing."""
        return tuple(item for item in self.claims if item.claim.crossing == crossing)


def prove(
    design: Evaluation | ResolvedDesign, scenario: Scenario, catalogue: Catalogue, folder: str | os.PathLike[str]
) -> Proof:
    """Return whether the manifests of a folder are what a design claims for a scenario.

    Args:
        design: the design, or its evaluation, whose exposure window the proven isolation is measured with.
        scenario: what it was resolved for.
        catalogue: crossings, barriers and claims.
        folder: an export of the design, as it is or changed since.

    Raises:
        CatalogueError: the claims of the catalogue do not fit its crossings.
    """
    resolved = design.resolved if isinstance(design, Evaluation) else design
    idle = frozenset(claim.id for claim in load_claims(catalogue).values() if claim.needs_pods)
    observed = Observations(resolved, scenario, idle)
    digests: dict[str, str] = {}
    for name, path in _clusters(Path(folder)).items():
        with paused_collector():  # a cluster's objects are gone before it goes on
            observed.read(name, read_objects([path], digests=digests))
    proven = tuple(_judged(claim, catalogue, observed) for claim in claims(resolved, catalogue))
    faults = (*observed.faults, *observed.strangers(), *observed.validity.refused)
    proof = Proof(
        f"{resolved.id} {resolved.name}",
        str(folder),
        proven,
        faults,
        len(observed.present),
        observed.objects,
        len(observed.faults),
        doubts=(
            *observed.validity.doubts(),
            *drift(resolved, scenario, catalogue, folder, digests),
            *(Fault(text, "is not read, so what it holds is not known", cure="render it") for text in observed.unread),
        ),
        given=preconditions(resolved, catalogue),
    )
    if proof.verdict != "proven":
        return proof
    isolation = measure(resolved, scenario, catalogue, latency_days=_latency(design), proven=True)
    return replace(proof, isolation=isolation)


def preconditions(design: ResolvedDesign, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what the files of the design's options list and no manifest shows: components that must be installed."""
    found: dict[str, list[str]] = {}
    for chosen in design.classes:
        for option in chosen.choice.options:
            for component in catalogue.options[option].components:
                users = found.setdefault(component, [])
                if option not in users:
                    users.append(option)
    lines = []
    for component, options in sorted(found.items()):
        stated = catalogue.components[component]
        how = f"chart {stated.helm.chart} {stated.helm.version} installed" if stated.helm else "made ready by hand"
        lines.append(f"{stated.name}: {how} ({', '.join(options)})")
    return tuple(lines)


def with_proof(evaluation: Evaluation, proof: Proof) -> Evaluation:
    """Return the evaluation with its isolation as proven; unchanged where the proof failed."""
    if proof.isolation is None:
        return evaluation
    return replace(evaluation, scores={**evaluation.scores, "isolation": proof.isolation})


def _latency(design: Evaluation | ResolvedDesign) -> float:
    if not isinstance(design, Evaluation):
        return 0.0
    return float(design.scores["operations"].figures["patch_latency_days"])


def _clusters(folder: Path) -> dict[str, Path]:
    return cluster_folders(folder) or {"": folder}


def claims(resolved: ResolvedDesign, catalogue: Catalogue) -> Iterator[Claimed]:
    """Yield what a design claims of every crossing an audit can see, for every pair of classes with two tenants."""
    model = load_isolation(catalogue)
    for claim in load_claims(catalogue).values():
        for attacker in resolved.classes:
            for victim in resolved.classes:
                same = attacker is victim
                if not (same and attacker.tenant_class.count < 2):
                    facts = pair_facts(attacker.facts, victim.facts, same_class=same, model=model)
                    yield _claimed(claim, attacker, victim, facts, model)


def _claimed(
    claim: Claim, attacker: ClassDesign, victim: ClassDesign, facts: frozenset[str], model: IsolationCatalogue
) -> Claimed:
    crossing = model.crossings[claim.id]
    is_absent = not crossing.when.holds(facts)
    is_open, because = _state(claim, crossing, facts, model)
    return Claimed(claim.id, attacker.tenant_class.id, victim.tenant_class.id, is_open, is_absent, because)


def _state(claim: Claim, crossing: Crossing, facts: frozenset[str], model: IsolationCatalogue) -> tuple[bool, str]:
    if not crossing.when.holds(facts):
        return False, f"no such crossing in this design (it takes: {crossing.when})"
    standing = [guard.barrier for guard in crossing.guards if guard.when.holds(facts)]
    shown = [name for name in standing if name in claim.barriers]
    if shown:
        return False, f"{GUARDED}{', '.join(model.barriers[name].title for name in shown)}"
    if standing:
        names = ", ".join(model.barriers[name].title for name in standing)
        return True, f"guarded by {names} alone, which manifests do not carry"
    return True, "nothing of the design stands in the way"


def _judged(claim: Claimed, catalogue: Catalogue, observed: Observations) -> Proven:
    stated = load_claims(catalogue)[claim.crossing]
    title = observed.titles.get(claim.crossing, load_isolation(catalogue).crossings[claim.crossing].why)
    seen = observed.seen(claim.crossing, claim.attacker, claim.victim)
    verdict: Verdict = "proven"
    reasons: tuple[str, ...] = ()
    if not claim.is_open and (seen.open_pairs or seen.undecided_pairs):
        verdict = "not proven" if seen.open_pairs else "undecided"
        reasons = seen.reasons or tuple(finding.what for finding in seen.findings)
        if stated.absence == "elsewhere" and claim.is_absent:
            verdict = "undecided"
            reasons = (*reasons, "that it leads nowhere is decided outside the manifests")
    held = _held_by(claim, seen, catalogue) if verdict == "proven" else ""
    return Proven(claim, title, stated.check, seen, verdict, reasons, held)


def _held_by(claim: Claimed, seen: Seen, catalogue: Catalogue) -> str:
    """Return what keeps a crossing closed: the barriers seen to refuse it where refusals are looked at."""
    if claim.is_open:
        return ""
    if claim.is_absent:
        return "no such crossing"
    barriers = load_isolation(catalogue).barriers
    return ", ".join(sorted(barriers[name].title for name in seen.held_by)) or claim.because.removeprefix(GUARDED)
