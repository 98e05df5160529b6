"""Every valid design has a number: the same designs as the space yields, in the same order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kubeanswers.errors import InputError
from tenancykit import example, load_catalogue, load_scenario
from tenancykit.design.batch import batch_of
from tenancykit.design.lean import burdens, without, work_readings
from tenancykit.design.model import Design
from tenancykit.design.numbering import numbered
from tenancykit.design.space import common_space, space
from tenancykit.design.validity import resolve

EXAMPLES = ("gpu-cloud", "ml-platform", "regulated-hybrid", "saas-inference")


@pytest.mark.parametrize("name", EXAMPLES)
def test_numbers_stand_for_the_designs_the_space_yields_in_order(name: str) -> None:
    catalogue = load_catalogue()
    found = common_space(load_scenario(example(name), catalogue), catalogue)
    listed = numbered(found)
    first = [listed.choice(row.tolist()) for row in listed.codes(np.arange(150))]
    assert first == list(itertools.islice(found, 150))
    with pytest.raises(InputError, match="out of range"):
        listed.codes(np.array([found.count]))


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_common_to_all_classes_is_valid_for_each_and_nothing_else_is(name: str) -> None:
    catalogue = load_catalogue()
    scenario = load_scenario(example(name), catalogue)
    listed = numbered(common_space(scenario, catalogue))
    rng = np.random.default_rng(5)
    codes = listed.codes(rng.integers(0, len(listed), 60))
    changed = codes.copy()
    layer = rng.integers(0, codes.shape[1], len(codes))
    widths = np.array([len(column) for column in listed.columns])
    rows = np.arange(len(codes))
    changed[rows, layer] = (changed[rows, layer] + 1) % widths[layer]
    for row in np.concatenate([codes, changed]):
        choice = listed.choice(row.tolist())
        design = Design("d", "d", {c.id: choice for c in scenario.tenants.classes})
        if not any(catalogue.options[o].layer in ("whole", "fraction") for o in choice.options):
            continue  # resolving does not ask for a way to hand out GPUs; choosing and the space do
        assert bool(listed.valid(row[None, :])[0]) is resolve(design, scenario, catalogue).is_valid


def test_a_batch_knows_the_facts_and_components_of_each_design() -> None:
    catalogue = load_catalogue()
    scenario = load_scenario(example("ml-platform"), catalogue)
    listed = numbered(common_space(scenario, catalogue))
    codes = listed.codes(np.linspace(0, len(listed) - 1, 40).astype(np.int64))
    batch = batch_of(scenario, catalogue, [listed.columns], [codes])
    for row in range(len(batch)):
        for facts, resolved in zip(batch.classes, batch.resolved(row).classes, strict=True):
            for option in catalogue.options.values():
                for name in (option.id, *option.provides):
                    held = facts.get(name)
                    assert (held is not None and bool(held[row])) is (name in resolved.facts)


def test_an_option_left_out_as_a_burden_can_always_go() -> None:
    catalogue = load_catalogue()
    scenario = load_scenario(example("gpu-cloud"), catalogue)
    tenant_class = scenario.tenants.classes[0]
    found = space(tenant_class, scenario, catalogue)
    gone = burdens(found, catalogue, work_readings(catalogue, ()), frozenset())
    assert gone
    lean = space(tenant_class, scenario, catalogue, allowed=dict(without(found, gone)))  # type: ignore[arg-type]
    assert 0 < lean.count < found.count
    options = {item.option for item in gone}
    listed, thin = numbered(found), numbered(lean)
    known = {thin.choice(row.tolist()).options for row in thin.codes(np.arange(0))}
    assert not known
    codes = listed.codes(np.linspace(0, len(listed) - 1, 200).astype(np.int64))
    for row in codes:
        left = row.copy()
        for layer, column in enumerate(listed.columns):
            chosen = column[row[layer]]
            if chosen is not None and chosen.id in options:
                left[layer] = [None if o is None else o.id for o in column].index(None)
        assert listed.valid(left[None, :])[0]
