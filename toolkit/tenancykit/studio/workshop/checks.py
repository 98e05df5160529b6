"""What is right and what is wrong, exercise by exercise: each check returns whether it passed and what to say."""

from __future__ import annotations

import math
import os
import reprlib
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import Any

from kubeanswers.errors import Fault, InputError
from tenancykit.api import compare, export, load_scenario, variant
from tenancykit.auditing import AuditOptions, audit_clusters, read_clusters
from tenancykit.design.model import Design
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import class_tenants
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

Told = tuple[bool, str]

GAIN, DEARER = 0.01, 0.01
"""Exercise 2: least gain in nines, most additional cost as a share."""
MOST_ENGINEERS = 60
"""Exercise 6: where the search for a team ends."""


@lru_cache(maxsize=8)
def studied(name: str) -> Study:
    """Return the study of an example, measured once."""
    return compare(load_scenario(name))


def _design_id(answer: object, study: Study, where: str) -> Evaluation:
    if not isinstance(answer, str):
        raise InputError(Fault(where, f"{_shown(answer)} is not a design's id", "text such as 'RA01'"))
    return study[answer]


def number_of(answer: object, where: str = "answer") -> float:
    """Return an answer that is a number.

    Raises:
        InputError: it is none.
    """
    if isinstance(answer, bool) or not isinstance(answer, Real | Decimal) or not math.isfinite(answer):
        raise InputError(Fault(where, f"{_shown(answer)} is not a number"))
    return float(answer)


def _shown(answer: object) -> str:
    """Return an answer as a message repeats it: in one short line, whatever it is."""
    return reprlib.repr(answer)


def named(answer: object, wanted: tuple[str, ...]) -> Mapping[str, Any]:
    """Return an answer that is a dictionary with the keys wanted.

    Raises:
        InputError: it is none, or misses some.
    """
    if not isinstance(answer, Mapping):
        raise InputError(
            Fault(
                "answer", f"{_shown(answer)} is not a dictionary", "{" + ", ".join(f"'{k}': ..." for k in wanted) + "}"
            )
        )
    missing = [key for key in wanted if key not in answer]
    if missing:
        raise InputError(Fault("answer", f"says nothing about {', '.join(missing)}", ", ".join(wanted)))
    return answer


def ranking(answer: object) -> Told:
    """Check exercise 1."""
    study = studied("ml-platform")
    given = named(answer, ("first", "safest"))
    first, safest = (_design_id(given[key], study, key) for key in ("first", "safest"))
    for key, found in (("first", first), ("safest", safest)):
        if study.rank(found.id) is None:
            return (
                False,
                f"{key}: {found.id} is not admitted - what does it miss? study.exclusions('{found.id}') says it",
            )
    if first.id != study.best.id:
        return (
            False,
            f"first: {first.id} has rank {study.rank(first.id)}; a high figure on one criterion is not first place",
        )
    admitted = [e for e in study.evaluations if study.rank(e.id) is not None]
    better = [e for e in admitted if e.scores["isolation"].value > safest.scores["isolation"].value]
    if better:
        return False, f"safest: {len(better)} admitted designs isolate better than {safest.id}; higher nines are better"
    return True, f"{first.id} is first although {safest.id} isolates best: the weights decide how much that is worth"


def hardening(answer: object) -> Told:
    """Check exercise 2."""
    if not isinstance(answer, str):
        raise InputError(Fault("answer", f"{_shown(answer)} is not text", "'RA01 +option'"))
    base = studied("ml-platform")
    design = variant(answer, base.scenario)
    if not design.id.startswith("RA01+") and not design.id.startswith("RA01-"):
        return False, f"{design.id} is not a variant of RA01; begin with 'RA01 +...'"
    found = compare(base.scenario, designs=[design])[design.id]
    if found.resolved.violations:
        return False, f"it cannot be built here: {found.resolved.violations[0]}"
    before = base["RA01"]
    gain = found.scores["isolation"].value - before.scores["isolation"].value
    dearer = found.scores["cost"].value / before.scores["cost"].value - 1
    if gain < GAIN:
        return (
            False,
            f"it changes isolation by {gain:+.2f} nines; which barrier is on the weakest path, which option moves it?",
        )
    if dearer > DEARER:
        return (
            False,
            f"it isolates better ({gain:+.2f} nines) but costs {dearer:.1%} more; what makes it dear - the nodes?",
        )
    return True, f"{gain:+.2f} nines for {dearer:+.2%} of the cost"


def bills(answer: object) -> Told:
    """Check exercise 4."""
    study = studied("saas-inference")
    classes = tuple(c.id for c in study.scenario.tenants.classes)
    given = named(answer, classes)
    wanted = {c: _each(study["RA09"], c) - _each(study["RA02"], c) for c in classes}
    counts = {c.id: c.count for c in study.scenario.tenants.classes}
    wrong = {c: number_of(given[c], c) for c in classes if not _near(number_of(given[c], c), wanted[c])}
    if not wrong:
        dearest = max(wanted, key=lambda c: wanted[c])
        return True, f"isolation costs a tenant of {dearest} most: {wanted[dearest]:,.0f} USD a month"
    if all(_near(-value, wanted[c]) for c, value in wrong.items()):
        return False, "the signs are turned round: how much more under RA09 than under RA02?"
    if all(_near(value, wanted[c] * counts[c]) for c, value in wrong.items()):
        return False, f"{', '.join(wrong)}: that is what all tenants of the class pay together; one tenant is asked for"
    if len({round(value, 2) for value in wrong.values()}) == 1 and len(wrong) > 1:
        return False, "the classes do not pay alike: a bill follows what a tenant's workloads take, not the head count"
    return (
        False,
        f"{', '.join(wrong)}: more than 1 % off; are all lines of the bill in it, and all tenants of the class?",
    )


def _each(evaluation: Evaluation, class_id: str) -> float:
    scenario: Scenario = evaluation.scenario
    found = evaluation.scores["cost"].detail.tenant_bills(scenario)
    names = [tenant.name for tenant in class_tenants(scenario, scenario.tenant_class(class_id))]
    return float(sum(sum(found[name].values()) for name in names)) / len(names)


def _near(value: float, wanted: float, share: float = 0.01) -> bool:
    return abs(value - wanted) <= max(abs(wanted) * share, 0.01)


def idle_gpus(answer: object) -> Told:
    """Check exercise 5."""
    figures = studied("gpu-cloud")["RA09"].scores["cost"].figures["gpus"]
    idle = figures["bought"] - figures["used_on_average"]
    value = number_of(answer)
    if abs(value - idle) <= 1:
        return (
            True,
            f"{idle / figures['bought']:.0%} of what is bought is idle on average: the price of peaks and of own nodes",
        )
    if abs(value - figures["stranded_at_peak"]) <= 0.5:
        return False, "those are the GPUs stranded at the peak; what about the hours when less is asked for?"
    if abs(value - (figures["bought"] - figures["taken_at_peak"])) <= 0.5:
        return False, "that is what is free at the hour that needs most; the average over all hours is asked for"
    if abs(value - figures["used_on_average"]) <= 1 or abs(value - figures["bought"]) <= 0.5:
        return False, "that is one part of the subtraction: bought, less what is used on average"
    return False, "not that many; begin with what is bought and what is used on average"


def sooner(answer: object) -> Told:
    """Check exercise 6."""
    value = number_of(answer)
    study = studied("regulated-hybrid")
    now = study.scenario.team.engineers
    target = _weeks(now) - 1
    if value != int(value) or not 1 <= value <= MOST_ENGINEERS:
        return False, f"a whole number of engineers from 1 to {MOST_ENGINEERS} is asked for"
    reached = _weeks(value)
    if reached > target:
        naive = now * _weeks(now) / target
        more = "; twice the people are not half the time: some tasks wait for others" if value >= naive else ""
        return False, f"with {value:.0f} engineers it takes {reached:.1f} weeks, {reached - target:.1f} too many{more}"
    if value > 1 and _weeks(value - 1) <= target:
        return (
            False,
            f"with {value:.0f} it is soon enough, but so it would be with fewer; the least number is asked for",
        )
    return True, f"{value:.0f} engineers: {reached:.1f} weeks instead of {_weeks(now):.1f}"


@lru_cache(maxsize=128)
def _weeks(engineers: float) -> float:
    scenario = studied("regulated-hybrid").scenario
    team = scenario.team.model_copy(update={"engineers": float(engineers)})
    found = compare(scenario.model_copy(update={"team": team}))["RA10"]
    return float(found.scores["effort"].figures["weeks_p50"])


def turning_point(answer: object) -> Told:
    """Check exercise 3."""
    study = studied("ml-platform")
    found = next(i for i in study.weight_intervals if i.criterion == "isolation")
    given = named(answer, ("weight", "verdict"))
    value = number_of(given["weight"])
    if found.above is None:
        return value >= 1, "no weight of isolation changes the first place here"
    if abs(value - found.high) <= 0.01:
        return _sure(study, str(given["verdict"]), f"from {found.high:.2f} on {found.above} is first")
    if not 0 <= value <= 1:
        return False, "a weight is a share between 0 and 1, not a percentage"
    if value > found.high:
        return False, f"at {value:.2f} another design is first, but it is already with less"
    now = ", which is what isolation weighs now," if abs(value - found.current) <= 0.01 else ""
    return False, f"at {value:.2f}{now} {found.winner} is still first"


def _sure(study: Study, word: str, told: str) -> Told:
    """Judge what is said of how sure the first place is; ``told`` is what was right so far."""
    verdict = study.verdict
    if verdict is None or word.strip().lower() != verdict.word:
        return False, f"{told}; but verdict: {word[:40]!r} is not what the study says of its first place"
    return True, f"{told}, and first place is {verdict.word}: {verdict.question or 'nothing plausible overturns it'}"


def mixed_design(answer: object) -> Told:
    """Check exercise 8."""
    if not isinstance(answer, Design):
        raise InputError(
            Fault("answer", f"{type(answer).__name__} is not a design", cure="make it with tk.own_design(...)")
        )
    study = studied("saas-inference")
    known = {e.id for e in study.evaluations}
    design = Design("ANSWER", answer.name, answer.choices) if answer.id in known else answer
    wider = compare(study.scenario, designs=[design])
    found = wider[design.id]
    reasons = wider.exclusions(design.id)
    if reasons:
        return False, f"it is not admitted: {reasons[0]}"
    level = found.scores["isolation"].figures["classes"]["regulated"]["overall"]
    if level < "L4":
        return (
            False,
            f"the regulated class gets {level}; what does its next level ask for? look at who shares what with it",
        )
    limit = _cheapest_at_l4(study)
    cost = found.scores["cost"].value
    if cost >= limit:
        alike = len({tuple(o for o in c.options if o.startswith("cp_")) for c in design.choices.values()}) == 1
        more = "; all share one kind of control plane - must they?" if alike else "; which class costs most?"
        return False, f"{cost:,.0f} USD a month, and a reference architecture does it for {limit:,.0f}{more}"
    return True, f"L4 for the regulated, {1 - cost / limit:.0%} below the cheapest reference architecture that gives it"


def _cheapest_at_l4(study: Study) -> float:
    able = [
        e.scores["cost"].value
        for e in study.evaluations
        if e.resolved.design.origin == "reference"
        and study.rank(e.id) is not None
        and e.scores["isolation"].figures["classes"]["regulated"]["overall"] >= "L4"
    ]
    return min(able, default=float("inf"))


def exported(answer: object) -> Told:
    """Check exercise 9."""
    if not isinstance(answer, str | os.PathLike):
        raise InputError(Fault("answer", f"{_shown(answer)} is not a folder", "the path of the export"))
    folder = Path(answer)
    if not (folder / "index.yaml").is_file():
        return False, f"{folder} holds no export; tk.export(study, folder) writes one"
    study = studied("regulated-hybrid")
    record = folder / "decision.md"
    if not record.is_file():
        return (
            False,
            "there is no decision record; export the study, or name it: tk.export(evaluation, folder, study=study)",
        )
    title = record.read_text(encoding="utf-8").partition("\n")[0]
    if not title.startswith("# Decision: ") or f" ({study.best.id}) for " not in title:
        return False, "the record decides for a design that is not in first place"
    lost = _changed(folder, study)
    if lost:
        return False, f"{len(lost)} files differ from what the design asks for, such as {lost[0]}; export again"
    report = audit_clusters(read_clusters([folder]), AuditOptions())
    opened = sum(1 for finding in report.findings if str(finding.severity) in ("high", "critical"))
    return True, f"{len(report.tenants)} tenants, {opened} serious findings; the manifests say what was decided"


def _changed(folder: Path, study: Study) -> list[str]:
    """Return the files of an export that are missing or differ from a fresh one."""
    with tempfile.TemporaryDirectory() as place:
        fresh = Path(place) / "fresh"
        export(study, fresh)
        names = [p.relative_to(fresh) for p in sorted(fresh.rglob("*")) if p.is_file()]
        return [
            str(n) for n in names if not (folder / n).is_file() or (folder / n).read_bytes() != (fresh / n).read_bytes()
        ]
