from __future__ import annotations

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError


def test_an_added_option_replaces_the_one_in_its_layer() -> None:
    scenario = tk.load_scenario("ml-platform")
    design = tk.variant("RA01 +node_dedicated_tenant -pol_vap", scenario)
    options = design.choices["research"].options
    assert "node_dedicated_tenant" in options
    assert "node_shared" not in options
    assert "pol_vap" not in options
    assert design.id == "RA01+node_dedicated_tenant-pol_vap"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RA99", "unknown reference architecture 'RA99'"),
        ("RA01 +node_shred", "did you mean node_shared?"),
        ("RA01 -node_shared", "nothing is chosen for node_isolation/nodes"),
        ("RA01 node_shared", "cannot read"),
        ("", "unknown reference architecture"),
    ],
)
def test_a_variant_that_cannot_be_is_refused_with_a_cure(text: str, told: str) -> None:
    with pytest.raises(InputError, match=r"variant|design|tier") as caught:
        tk.variant(text, tk.load_scenario("ml-platform"))
    assert told in str(caught.value)


def test_an_own_design_needs_options_for_every_class() -> None:
    scenario = tk.load_scenario("gpu-cloud")
    with pytest.raises(InputError, match="chooses nothing for labs"):
        tk.own_design("mine", "Mine", {"startups": ["cp_kamaji"]}, scenario)


def test_an_own_design_refuses_a_class_that_the_scenario_does_not_have() -> None:
    scenario = tk.load_scenario("gpu-cloud")
    chosen = tk.variant("RA01", scenario)
    options = {name: choice.options for name, choice in chosen.choices.items()}
    assert set(tk.own_design("mine", "Mine", options, scenario).choices) == set(options)
    with pytest.raises(InputError, match=r"unknown class 'startup'; did you mean startups\?"):
        tk.own_design("mine", "Mine", {**options, "startup": ["cp_kamaji"]}, scenario)
