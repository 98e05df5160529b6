"""Designs are completed with what a scenario requires or must have, where their layers hold it."""

from __future__ import annotations

import pytest
import yaml

import tenancykit as tk
from tests.exam.marking import SECOND, changed


def answer(name: str, **values: object) -> tk.Study:
    """Return the comparison of a scenario of the second exam, changed at dotted paths (``__`` for a dot)."""
    asked = yaml.safe_load(SECOND[name].read_text())["scenario"]
    return tk.compare(
        tk.parse_scenario(yaml.safe_dump(changed(asked, {k.replace("__", "."): v for k, v in values.items()})))
    )


def test_an_option_that_a_class_requires_completes_designs_that_have_room_for_it() -> None:
    study = answer("slurm-groups", tenants__classes__0__requirements={"require_options": ["sch_slinky"]})
    chosen = study.best.resolved.classes[0].choice
    assert "sch_slinky" in chosen.options
    assert "sch_slinky" in {one.option for one in chosen.supplements}


@pytest.mark.parametrize(("trust", "sealed"), [("distrusted", True), ("contractual", False), ("trusted", False)])
def test_who_distrusts_the_provider_is_recommended_memory_it_cannot_read(trust: str, *, sealed: bool) -> None:
    study = answer("sovereign", infrastructure__provider_trust=trust)
    facts = study.best.resolved.classes[0].facts
    assert {"confidential-guest", "tenant-keys"} <= facts or not sealed
    assert ("confidential-guest" in facts) == sealed


def test_isolation_that_no_published_design_reaches_is_reached_by_control_planes_of_another_make() -> None:
    study = answer("ai-factory")
    chosen = study.best.resolved.classes[0]
    assert int(study.best.scores["isolation"].figures["classes"]["nations"]["overall"][1]) >= 4
    assert "cluster-per-tenant" in chosen.facts
    swapped = {one.replaces for one in chosen.choice.supplements if one.option == "cp_vcluster_standalone"}
    assert swapped == {"cp_kamaji"}
    easier = answer("ai-factory", tenants__classes__0__requirements={"isolation": "L2"})
    options = {o for e in easier.evaluations for c in e.resolved.classes for o in c.choice.options}
    assert "cp_vcluster_standalone" not in options


def test_only_the_need_that_says_so_swaps_a_runtime() -> None:
    study = answer(
        "mig-inference",
        workloads__0__untrusted_code=True,
        tenants__classes__0__count=20,
    )
    published = next(e for e in study.evaluations if e.id == "RA08").resolved.classes[0].choice
    assert "rt_gvisor" in published.options
    assert "rt_kubevirt" not in published.options
