"""Results as plain data for ``--json``: a versioned format, described by the schemas that ship with the package."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from tenancykit.criteria.score import Evidence, Score
from tenancykit.criterion_names import CRITERIA
from tenancykit.decision.explain import Why
from tenancykit.report.opening import opening
from tenancykit.report.reasons import contested, how_sure, why_first
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import tenant_count
from tenancykit.study.comparison import Study, bounds_of
from tenancykit.study.evaluation import Evaluation, Explanation
from tenancykit.version import __version__

COMPARISON: Final = "tenancykit/comparison/v1"
ASSUMPTIONS: Final = "tenancykit/assumptions/v1"
EXPLANATION: Final = "tenancykit/explanation/v1"

_DIGITS: Final = 9


def comparison(study: Study) -> dict[str, Any]:
    """Return a study as plain data (format ``tenancykit/comparison/v1``)."""
    ranking, opened = study.ranking, opening(study)
    return {
        "schema": COMPARISON,
        "tenancykit": __version__,
        "scenario": {
            "name": study.scenario.name,
            "title": study.scenario.title,
            "tenants": tenant_count(study.scenario),
            "kubernetes": study.scenario.kubernetes,
            "currency": study.scenario.infrastructure.currency,
            "fingerprint": fingerprint(study.scenario),
        },
        "weights": dict(zip(CRITERIA, map(float, study.weights.values), strict=True)),
        "scale": {name: list(ends) for name, ends in bounds_of(study.scales).items()},
        "scales": {
            end.leaf: {"worst": end.worst, "best": end.best, "unit": end.unit, "origin": end.origin, "why": end.why}
            for end in study.scales.ends
        },
        "exchange_rates": {r.what: {"amount": r.amount, "unit": r.unit} for r in study.exchange_rates},
        "best": ranking.winner if ranking else None,
        "opening": list(opened.lines),
        "details": list(opened.details),
        "reason": why_first(study),
        "contested": contested(study),
        "verdict": _verdict(study),
        "weight_intervals": {
            i.criterion: {"weight": i.current, "low": i.low, "high": i.high, "below": i.below, "above": i.above}
            for i in study.weight_intervals
        },
        "methods": {name: list(found.ordered()) for name, found in study.rankings.items()},
        "pareto_front": sorted(study.pareto_front.labels) if study.pareto_front is not None else [],
        "designs": [_design(study, evaluation) for evaluation in study.order],
    }


def _verdict(study: Study) -> dict[str, Any] | None:
    found = study.verdict
    if found is None:
        return None
    return {
        "word": found.word,
        "clear": found.clear,
        "leader": found.leader,
        "family": list(found.family),
        "acceptability": found.share,
        "varied": found.varied,
        "overturning": [
            {"assumption": o.name, "now": o.current, "at": o.at, "unit": o.unit, "new_first": o.new_first}
            for o in found.overturning
        ],
        "contenders": list(found.contenders),
        "text": how_sure(study),
    }


def _design(study: Study, evaluation: Evaluation) -> dict[str, Any]:
    ranking = study.ranking
    admitted = ranking is not None and evaluation.id in ranking.labels
    return {
        "id": evaluation.id,
        "name": evaluation.name,
        "long_name": evaluation.resolved.long,
        "published": evaluation.resolved.published,
        "source": evaluation.resolved.design.source,
        "rank": study.rank(evaluation.id),
        "score": float(ranking.scores[ranking.labels.index(evaluation.id)]) if ranking and admitted else None,
        "admitted": admitted,
        "exclusions": list(study.exclusions(evaluation.id)),
        "behind": [one.behind for one in evaluation.resolved.violations],
        "classes": {
            c.tenant_class.id: {
                "tier": c.choice.tier,
                "options": list(c.choice.options),
                "completion": list(c.choice.completion),
                "supplements": [asdict(one) for one in c.choice.supplements],
                "omissions": [asdict(one) for one in c.choice.omissions],
            }
            for c in evaluation.resolved.classes
        },
        **{name: score_data(evaluation.scores[name], depth=1) for name in CRITERIA},
    }


def score_data(score: Score, *, depth: int | None = None) -> dict[str, Any]:
    """Return a score as plain data, its evidence at most ``depth`` levels deep (all of it by default)."""
    return {
        "value": score.value,
        "unit": score.unit,
        "better": score.better,
        "interval": [score.low, score.high],
        "explanation": {"summary": score.summary, "evidence": evidence_data(score.evidence, depth)},
        "figures": plain(score.figures),
    }


def evidence_data(line: Evidence, depth: int | None = None) -> dict[str, Any]:
    """Return a line of evidence and those below it as plain data; empty fields are left out."""
    data: dict[str, Any] = {"label": line.label}
    if line.value is not None:
        data |= {"value": line.value, "unit": line.unit}
    data |= {key: getattr(line, key) for key in ("source", "note") if getattr(line, key)}
    if line.assumption:
        data["assumption"] = True
    if line.children and depth != 0:
        below = None if depth is None else depth - 1
        data["children"] = [evidence_data(child, below) for child in line.children]
    return data


def explanation(found: Explanation) -> dict[str, Any]:
    """Return an explanation as plain data (format ``tenancykit/explanation/v1``)."""
    return {
        "schema": EXPLANATION,
        "tenancykit": __version__,
        "design": found.design,
        "criterion": found.criterion,
        **score_data(found.score),
    }


def reasons(found: Why) -> dict[str, Any]:
    """Return why one design stands before another as plain data (format ``tenancykit/reasons/v1``)."""
    return {
        "schema": "tenancykit/reasons/v1",
        "tenancykit": __version__,
        "first": found.first,
        "second": found.second,
        "lead": found.lead,
        "contributions": [asdict(contribution) for contribution in found.contributions],
        "needs": [asdict(need) for need in found.needs],
        "text": str(found),
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: tuples as lists, Decimal and numpy numbers as numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    if value is None or isinstance(value, str | bool | int):
        return value
    return float(value)


def to_json(data: Any) -> str:
    """Return JSON text of plain data, floats to nine significant digits: the same bytes on every platform."""
    return json.dumps(_rounded(data), indent=2, ensure_ascii=False, allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 2**53:
            return int(value)
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def fingerprint(scenario: Scenario) -> str:
    """Return a hash of everything a scenario states; the same question has the same fingerprint."""
    text = json.dumps(scenario.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
