"""What the field expects of options holds in every example; each expectation is tried somewhere, and can fail."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kubeanswers.errors import CatalogueError
from tenancykit.api import load_scenario
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.isolation.expected import Moved, moved_by
from tenancykit.examples import EXAMPLES
from tenancykit.report import listing

CATALOGUE = load_catalogue()
EXPECTATIONS = load_isolation(CATALOGUE).expectations

BASES = {"rt_runc", "gpu_timeslice", "node_shared", "net_flat", "st_shared_sc"}
"""What the options of a dimension are compared with."""


@cache
def tried(example: str) -> tuple[Moved, ...]:
    return tuple(moved_by(EXPECTATIONS.values(), load_scenario(example), CATALOGUE))


@pytest.mark.parametrize("example", EXAMPLES)
def test_options_move_open_days_as_the_field_expects_in_every_example(example: str) -> None:
    wrong = [
        f"{m.expectation.id}: {m.effect.plane} of {m.class_id} from {m.before:.3g} to {m.after:.3g} days"
        for m in tried(example)
        if not m.holds
    ]
    assert not wrong


def test_every_expectation_is_tried_in_some_example() -> None:
    assert {m.expectation.id for example in EXAMPLES for m in tried(example)} == set(EXPECTATIONS)


def test_every_option_of_the_guarding_dimensions_has_an_expectation() -> None:
    dimensions = {"runtime", "node_isolation", "network", "storage", "gpu_sharing", "policy_admission"}
    dimensions.add("identity_gitops")
    asked = {o.id for o in CATALOGUE.options.values() if o.dimension in dimensions and o.selectable}
    assert asked - BASES <= {e.option for e in EXPECTATIONS.values()}


def test_an_expectation_in_the_wrong_direction_fails() -> None:
    right = EXPECTATIONS["gvisor"]
    effects = tuple(e.model_copy(update={"days": "more"}) for e in right.effects)
    wrong = right.model_copy(update={"effects": effects})
    scenario = load_scenario("saas-inference")
    assert all(m.holds for m in moved_by([right], scenario, CATALOGUE))
    moved = list(moved_by([wrong], scenario, CATALOGUE))
    assert not any(m.holds for m in moved)
    head, *rows = listing.tried(moved).rows
    assert {dict(zip(head, row, strict=True))["holds"] for row in rows} == {"NO"}


def test_an_expectation_of_an_unknown_option_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "expectations").mkdir()
    text = "id: x\noption: rt_gviser\neffects: [{plane: compute, days: fewer}]\nwhy: words\n"
    (tmp_path / "expectations" / "own.yaml").write_text(text)
    with pytest.raises(CatalogueError, match=r"own.yaml:1.*rt_gvisor"):
        _ = load_isolation(load_catalogue(tmp_path)).expectations
