"""How often something of a tenant's stood open to another, per class of tenants, in words for the first lines.

Open days are expected days a year on which what lies most open of one tenant's stood open to another tenant (and to the
provider of the machines, where the scenario counts it among the attackers): some path to it had no barrier left, by
unpatched flaws or slips of configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.exposure import worst_of_each
from tenancykit.report.figures import days_text
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.scenario.naming import tenants_of
from tenancykit.sentences import listed
from tenancykit.study.evaluation import Evaluation

_YEAR: Final = 365.0
_LIES_OPEN: Final[Mapping[str, str]] = {
    "control": "API objects",
    "compute": "process memory",
    "network": "traffic",
    "storage": "volumes",
    "accelerator": "GPU memory",
}
"""What of a tenant lies open on each plane, in short: the first of the plane's assets in the catalogue."""


def open_to(scenario: Scenario) -> str:
    """Return to whom open days stand open in a scenario: its tenants, and the provider where it is not trusted."""
    trusted = scenario.infrastructure.provider_trust == "trusted"
    return "another tenant" if trusted else "another tenant or the provider"


def open_days(evaluation: Evaluation) -> Mapping[str, tuple[float, str]]:
    """Return per class the open days a year of what lies most open, at most the whole year, and on which plane."""
    found: dict[str, tuple[float, str]] = {}
    for class_id, assets in worst_of_each(evaluation.scores["isolation"].detail).items():
        for asset, _ in assets.values():
            if class_id not in found or asset.days_per_year > found[class_id][0]:
                found[class_id] = (min(asset.days_per_year, _YEAR), asset.plane)
    return found


def worst_days(evaluation: Evaluation) -> float:
    """Return open days over all classes by tenants, for telling which design is safest."""
    counts = {c.id: c.count for c in evaluation.scenario.tenants.classes}
    return sum(number * counts[name] for name, (number, _) in open_days(evaluation).items())


def days_in_words(evaluation: Evaluation, *, what: bool = True, by_name: bool = False) -> str:
    """Return the open days a year of what lies most open, per class of tenants, in words.

    Args:
        evaluation: the design.
        what: whether what of theirs lies most open is said.
        by_name: whether every class is told by name and number, also where it is alone or all lie open alike.
    """
    days, classes = open_days(evaluation), evaluation.scenario.tenants.classes
    alike: dict[str, list[TenantClass]] = {}
    for tenant_class in classes:
        if tenant_class.id in days:
            number, plane = days[tenant_class.id]
            often = "all year" if round(number) >= _YEAR else days_text(number)
            most = f" ({_LIES_OPEN.get(plane, plane)})" if number and what else ""
            alike.setdefault(f"{often}{most}", []).append(tenant_class)
    among, alone = ((), False) if by_name else (classes, len(days) == 1)
    told = [text if alone else f"{text} for {tenants_of(whom, among)}" for text, whom in alike.items()]
    return listed(told) or "none, there is no other tenant"


def levels_in_words(evaluation: Evaluation) -> tuple[str, tuple[str, ...]]:
    """Return the level of every class, with another one it asks for, and what each level means.

    Such as ``L2 for basic, L5 (level L4 asked) for regulated``, or ``L2 (level L3 asked of the data plane)``.
    """
    scenario, levels = evaluation.scenario, dict[str, list[str]]()
    reached = {k: str(v["overall"]) for k, v in evaluation.scores["isolation"].figures["classes"].items()}
    for one in scenario.tenants.classes:
        if (level := reached.get(one.id)) is None:
            continue
        asked = _asked(one, scenario.requirements.isolation, level)
        levels.setdefault(f"{level} ({', '.join(asked)})" if asked else level, []).append(one.id)
    known = load_isolation(evaluation.catalogue).levels
    told = [level if len(levels) == 1 else f"{level} for {listed(ids)}" for level, ids in levels.items()]
    rules = {level: known[level].rules for level in sorted(set(reached.values())) if level in known}
    return listed(told), tuple(
        f"{level} means: {'; '.join(one.why for one in found)}" for level, found in rules.items()
    )


def _asked(tenant_class: TenantClass, everybody: str | None, level: str) -> list[str]:
    """Return the levels a class asks for other than the one it has: of all planes a lower one, of one plane any."""
    wishes = tenant_class.requirements
    overall = wishes.isolation or everybody or ""
    told = [f"level {overall} asked"] if overall and overall < level else []
    planes = (("control", wishes.control_plane), ("data", wishes.data_plane))
    return told + [f"level {p} asked of the {name} plane" for name, p in planes if p and p > overall and p != level]


__all__ = ["days_in_words", "levels_in_words", "open_days", "open_to", "worst_days"]
