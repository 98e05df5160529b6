"""Where no valid design reaches a required level, the first lines say how far one gets, what it lacks, what helps."""

from __future__ import annotations

import re

import pytest
import yaml

import tenancykit as tk
from tenancykit.report.opening import opening
from tenancykit.report.opening_line import LINE
from tenancykit.study.reaching import out_of_reach
from tests.exam.marking import CASES, changed
from tests.laws.small import SAAS


def told(name: str, **values: object) -> tuple[str, ...]:
    """Return the first lines for a scenario of an exam, changed at dotted paths (``__`` for a dot)."""
    scenario = changed(
        yaml.safe_load(CASES[name].read_text())["scenario"], {k.replace("__", "."): v for k, v in values.items()}
    )
    lines = opening(tk.compare(tk.parse_scenario(yaml.safe_dump(scenario)))).lines
    assert all(len(line) <= LINE for line in lines)
    return lines


def test_tenants_who_are_root_on_rented_machines_are_told_which_barriers_stand_alone() -> None:
    """L4 of clusters with their own administrators on a cloud's machines was refused without a reason."""
    first, second, third = told("two-labs-gke")
    assert "none reaches level L4 for the 2 labs" in first
    assert "The highest is L2, by a managed cluster per customer" in first
    assert "root on the virtual machines they rent" in second
    assert "hypervisor" in second
    assert "L4 asks for two barriers on every path, one of them hardware or a hypervisor" in second
    assert "whole physical hosts" in third
    assert "api_access: namespace" in third


def test_what_is_said_to_stand_alone_opens_a_path_when_it_alone_falls() -> None:
    study = tk.compare(tk.parse_scenario(yaml.safe_dump(yaml.safe_load(CASES["two-labs-gke"].read_text())["scenario"])))
    for short in out_of_reach(study.evaluations):
        result = short.nearest.scores["isolation"].detail
        openers = {one for pair in result.pairs for one in pair.finding.openers}
        assert short.alone
        assert set(short.alone) <= {result.model.barriers[one].title for one in openers if one is not None}


def test_what_is_said_to_do_does() -> None:
    assert "level L4" in told("two-labs-gke", tenants__classes__0__api_access="namespace")[1]
    assert told("two-labs-gke", tenants__classes__0__requirements={"isolation": "L2"})[0].startswith("Recommended")


def test_what_would_not_do_is_not_named() -> None:
    """Hosts of another's own keep L5 from tenants however they reach the API."""
    third = told("two-labs-gke", tenants__classes__0__requirements={"isolation": "L5"})[2]
    assert "api_access" not in third
    assert "whole physical hosts" in third


@pytest.mark.parametrize(("name", "level", "lacks"), [("institute-aks", "L5", "no physical host is shared")])
def test_a_level_missed_for_something_else_than_barriers_says_what(name: str, level: str, lacks: str) -> None:
    lines = told(name, tenants__classes__0__requirements={"isolation": level})
    assert f"none reaches level {level}" in lines[0]
    assert lacks in lines[1]


def test_where_a_design_reaches_the_level_what_it_misses_is_said_instead() -> None:
    assert told("edtech-500", tenants__classes__0__requirements={"isolation": "L4"})[1].startswith("Nearest: ")


def test_what_a_class_lacks_is_told_of_it_and_not_of_the_class_that_is_least_separated() -> None:
    """L5 was refused with L4 as the highest, and what was missing was said to be two barriers, which L3 asks for."""
    asked = yaml.safe_load(SAAS)
    asked["tenants"]["classes"][1]["requirements"] = {"isolation": "L5"}
    first, second, _ = opening(tk.compare(tk.parse_scenario(yaml.safe_dump(asked)))).lines
    reached = re.search(r"The highest is L(\d)", first)
    assert reached
    assert second.startswith(f"What is missing: L{int(reached[1]) + 1} ")


def test_a_level_asked_of_one_plane_is_told_where_the_class_has_another() -> None:
    """Two barriers on every path of the data plane were asked, and the line said that policy (L2) was."""
    one_plane = {"data_plane": "L3"}
    asked = told("advisers-data-plane", tenants__classes__0__requirements={"isolation": "L2", **one_plane})[1]
    assert re.search(r"level L4 \(level L2 asked, level L3 asked of the data plane\)", asked)
    assert (
        "(level L3 asked of the data plane)"
        in told("advisers-data-plane", tenants__classes__0__requirements=one_plane)[1]
    )
    lower = {"isolation": "L3", "data_plane": "L2"}
    assert "plane)" not in told("advisers-data-plane", tenants__classes__0__requirements=lower)[1]


def test_partitions_that_hold_half_as_many_shares_as_a_card_has_room_for_are_told() -> None:
    """Halves took whole cards by MIG, 36 cards for shares of 18, and no sentence said so."""
    asked = yaml.safe_load(CASES["advisers-data-plane"].read_text())["scenario"]

    def details(**gpu: object) -> str:
        named = {"isolation": "L2", "require_options": ["gpu_mig"]}
        scenario = changed(asked, {"workloads.0.gpu": gpu, "tenants.classes.0.requirements": named})
        return " ".join(opening(tk.compare(tk.parse_scenario(yaml.safe_dump(scenario)))).details)

    assert "By MIG one H100-NVL-94GB holds 1 share of 0.5 for advisers, not 2" in details(fraction=0.5, memory="40Gi")
    assert "By MIG" not in details(fraction=0.25, memory="20Gi")
