"""Whatever is impossible in what isolation reads is refused at load, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import CatalogueError, InputError
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.isolation.records import read_records

SCENARIO = """schema: tenancykit/scenario/v1
name: bad
tenants: {classes: [{id: a, kind: team, count: 3, workloads: [{template: w}]}]}
workloads: [{id: w, kind: training}]
infrastructure: {sites: [{id: here, provider: aws}], nodes: [{type: aws_m7i_4xlarge}]}
MORE
"""
FLAW = """id: CVE-2026-1
title: t
year: 2026
component: c
BOUNDARYattacker_position: tenant-pod
effect: node-root
impact: [integrity]
shared_component: [node]
source_url: https://example.org/
confidence: low
"""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("patch_days: {kernel: -3}", "patch_days.kernel: -3 is too small"),
        ("patch_days: {kernel: .inf}", "patch_days.kernel: .inf is not a finite number"),
        ("patch_days: {kernel: 1e400}", "patch_days.kernel: '1e400' is not a finite number"),
        ("patch_days: {kernal: 3}", "did you mean kernel"),
        ("stakes: {network: -1}", "stakes.network: -1 is too small"),
        ("stakes: {network: .nan}", "stakes.network: .nan is not a finite number"),
        ("stakes: {netwrk: 1}", "stakes.netwrk: 'netwrk' is unknown"),
    ],
)
def test_windows_and_stakes_that_no_world_has_are_refused_with_their_line(more: str, told: str) -> None:
    text = SCENARIO.replace("MORE", more)
    with pytest.raises(InputError) as error:
        tk.parse_scenario(text)
    assert any(told in str(fault) and ":6:" in str(fault) for fault in error.value.faults)


@pytest.mark.parametrize(
    ("folder", "text", "told"),
    [
        ("priors", "id: agent\nflaws: -1\nyears: 1\nwhy: w\nwindow: addon\n", r"own.yaml:2: flaws: -1 is too small"),
        (
            "windows",
            "id: kernel\ndays: {low: 1, likely: 5, high: .inf}\nwhat: w\nwhy: w\n",
            r"own.yaml:2.*not a finite",
        ),
        ("evidence", FLAW.replace("BOUNDARY", ""), r"own.yaml:1: key 'boundary' is missing"),
        ("evidence", FLAW.replace("BOUNDARY", "boundary: nowhere\n"), r"own.yaml:1.*unknown boundary 'nowhere'"),
    ],
)
def test_beliefs_and_flaws_that_cannot_be_are_refused_with_file_and_line(
    folder: str, text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "own.yaml").write_text(text)
    with pytest.raises(CatalogueError, match=told):
        dict(getattr(load_isolation(load_catalogue(tmp_path)), folder))


@pytest.mark.parametrize(
    ("folder", "text", "told"),
    [
        ("priors", "id: agentt\nflaws: 1\nyears: 1\nwhy: w\nwindow: addon\n", "no barrier has the kind 'agentt'"),
        ("windows", "id: kernell\ndays: {low: 1, likely: 5, high: 9}\nwhat: w\nwhy: w\n", "has the window 'kernell'"),
        (
            "evidence",
            FLAW.replace("BOUNDARY", "boundary: container/host-kernel\n")
            + "contained_by: [gvisor]\nundetermined: [gvisor]\n",
            "gvisor stands in two of contained_by",
        ),
    ],
)
def test_beliefs_nobody_reads_and_flaws_read_twice_are_refused_with_file_and_line(
    folder: str, text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "own.yaml").write_text(text)
    with pytest.raises(CatalogueError, match=rf"own.yaml:1.*{told}"):
        dict(getattr(load_isolation(load_catalogue(tmp_path)), folder))


def test_a_record_to_replay_that_contradicts_itself_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "flaws.yaml"
    path.write_text(
        "entries:\n  - {id: X, component: c, boundary: container/host-kernel, attacker_position: tenant-pod, effect: "
        "node-root, impact: [integrity], source_url: https://example.org, "
        "contained_by: [gvisor], not_contained_by: [gvisor]}\n"
    )
    with pytest.raises(InputError, match=r"flaws.yaml:2.*gvisor stands in two"):
        read_records(path, load_isolation(load_catalogue()))
