from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kubeanswers.errors import CatalogueError
from tenancykit.catalogue.attack import Lapse, PatchWindow, Upkeep
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import OWN_ROOT, Catalogue, load_catalogue
from tenancykit.criteria.isolation.chances import flaws_of
from tenancykit.criteria.isolation.components import breach_of
from tests.criteria.isolation.platforms import CATALOGUE

MODEL = load_isolation(CATALOGUE)

CROSSING = "id: extra\nfrom: pod\nto: [node-root]\nwhy: a test\n"


def overlay(folder: Path, kind: str, text: str) -> Catalogue:
    (folder / kind).mkdir(parents=True)
    (folder / kind / "extra.yaml").write_text(text)
    return load_catalogue(folder)


def refusal(folder: Path, kind: str, text: str) -> str:
    with pytest.raises(CatalogueError) as caught:
        load_isolation(overlay(folder, kind, text)).evidence  # noqa: B018 - reading it is the test
    return str(caught.value)


def test_every_option_is_mentioned_by_some_condition() -> None:
    assert MODEL.unwired_options == ()


def test_an_option_that_no_crossing_mentions_is_listed(tmp_path: Path) -> None:
    text = (OWN_ROOT / "options" / "runtime" / "rt_runc.yaml").read_text()
    text = text.replace("rt_runc", "rt_odd").replace("- shared-kernel", "- odd-kernel")
    with pytest.warns(UserWarning, match=r"rt_odd \(.*extra\.yaml:1\)"):
        assert load_isolation(overlay(tmp_path, "options/runtime", text)).unwired_options == ("rt_odd",)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("crossings", CROSSING + "through: [linux-kernal]\n", "did you mean linux-kernel?"),
        ("crossings", CROSSING.replace("pod", "pood"), "unknown position 'pood'"),
        ("crossings", CROSSING.replace("node-root", "node-rot"), "did you mean node-root?"),
        ("crossings", CROSSING + "when: gpu\n", "prefix a class's fact"),
        ("crossings", CROSSING + "when: both:gpu xor both:x\n", "unexpected"),
        ("crossings", CROSSING + "wen: both:gpu\n", "unknown key 'wen'"),
        ("barriers", "id: extra\ntitle: x\nwhat: words\nkind: wishes\n", "unknown kind 'wishes'"),
        ("sharing", "id: a\nwhat: x\nwhen: b\n", "unknown fact 'b'"),
        (
            "boundaries",
            "{id: x, from: a, to: b, shares: [nodes], breaches: [{barriers: [sentry]}]}",
            "did you mean node?",
        ),
    ],
)
def test_faulty_entries_are_refused_with_file_and_line(tmp_path: Path, kind: str, text: str, message: str) -> None:
    found = refusal(tmp_path, kind, text)
    assert message in found
    assert "extra.yaml:" in found


def test_a_circle_of_facts_is_refused_and_named(tmp_path: Path) -> None:
    text = "entries:\n  - {id: one, what: first, when: two}\n  - {id: two, what: second, when: not one}\n"
    found = refusal(tmp_path, "sharing", text)
    assert "one -> two -> one" in found
    assert "extra.yaml:2" in found


FLAW = """
id: NEW-1
title: new
year: 2026
component: x
boundary: container/host-kernel
attacker_position: tenant-pod
source_url: https://example.org
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("source_url: https://example.org\n", ""), "'source_url' is missing"),
        (("https://example.org", '""'), "source_url"),
        (("container/host-kernel", "container/hostkernel"), "did you mean container/host-kernel?"),
        (("tenant-pod", "tenant-bod"), "did you mean tenant-pod?"),
    ],
)
def test_evidence_without_source_or_of_an_unknown_boundary_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    found = refusal(tmp_path, "evidence", FLAW.replace(*change))
    assert message in found
    assert "extra.yaml:" in found


def test_an_overlay_may_add_evidence_and_crossings(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "ours.yaml").write_text(FLAW)
    model = load_isolation(overlay(tmp_path, "crossings", CROSSING))
    assert "NEW-1" in model.evidence
    assert "extra" in model.crossings
    assert any("NEW-1" in flaws.entries for flaws in flaws_of(model)["linux-kernel"])


def test_every_flaw_brings_down_a_barrier_that_some_crossing_passes() -> None:
    standing = {guard.barrier for crossing in MODEL.crossings.values() for guard in crossing.guards}
    for entry in MODEL.evidence.values():
        breach = breach_of(entry, MODEL.boundaries[entry.boundary])
        assert breach is not None
        assert standing >= set(breach.barriers)


def test_every_barrier_stands_somewhere_and_every_position_is_reached() -> None:
    standing = {guard.barrier for crossing in MODEL.crossings.values() for guard in crossing.guards}
    assert set(MODEL.barriers) == standing
    ends = {target for crossing in MODEL.crossings.values() for target in crossing.to}
    for position in MODEL.positions.values():
        assert position.id in ends or position.evidence or position.start.kind != "never"
    assert {asset.id for asset in MODEL.assets.values()} <= ends


def test_priors_and_chances_of_misconfiguration_say_that_they_are_assumptions() -> None:
    assert all(prior.why.startswith("assumption") for prior in MODEL.priors.values())
    believed: list[Lapse | Upkeep | PatchWindow] = [*MODEL.lapses.values()]
    believed += [*MODEL.upkeep.values(), *MODEL.windows.values()]
    for each in believed:
        assert each.why.startswith("assumption") or each.source
        assert each.assumption or each.source


def test_evidence_has_one_file_per_boundary() -> None:
    for entry in MODEL.evidence.values():
        place = MODEL.evidence.places[entry.id]
        assert f"evidence/{entry.boundary.replace('/', '--')}.yaml" in place


def test_the_catalogue_can_be_read_from_a_copy(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(OWN_ROOT, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    assert set(load_isolation(Catalogue((copy,))).crossings) == set(MODEL.crossings)
