from __future__ import annotations

from pathlib import Path

import pytest

from kubeanswers.errors import CatalogueError
from tenancykit.catalogue.reading import load_catalogue

CATALOGUE = load_catalogue()
FEATURES = CATALOGUE.features


@pytest.mark.parametrize(
    ("feature", "stages"),
    [
        ("user_namespaces", "beta on, beta on, stable, stable"),
        ("dra_core", "stable, stable, stable, stable"),
        ("dra_device_taints", "alpha off, alpha off, beta off, stable"),
        ("dra_extended_resource", "alpha off, alpha off, beta on, stable"),
        ("dra_partitionable_devices", "alpha off, alpha off, beta on, beta on"),
        ("gang_scheduling", "absent, alpha off, alpha off, beta off"),
        ("topology_aware_scheduling", "absent, absent, alpha off, alpha off"),
        ("mutating_admission_policy", "beta off, beta off, stable, stable"),
        ("constrained_impersonation", "absent, alpha off, beta on, beta on"),
        ("pod_level_resources", "beta on, beta on, beta on, beta on"),
        ("in_place_resize", "beta on, stable, stable, stable"),
        ("hpa_scale_to_zero", "alpha off, alpha off, alpha off, beta on"),
        ("pod_certificates", "alpha off, beta off, beta off, stable"),
    ],
)
def test_each_minor_version_has_the_stage_and_the_default_its_source_states(feature: str, stages: str) -> None:
    found = FEATURES[feature]

    def told(version: str) -> str:
        stage = found.stage(version)
        return stage if stage in ("absent", "stable") else f"{stage} {'on' if found.enabled(version) else 'off'}"

    assert ", ".join(told(f"1.{minor}") for minor in range(34, 38)) == stages


def test_stages_never_go_back_and_what_is_stable_is_on() -> None:
    order = ["absent", "alpha", "beta", "stable"]
    for feature in FEATURES.values():
        reached = [order.index(feature.stage(f"1.{minor}")) for minor in range(25, 38)]
        assert reached == sorted(reached), feature.id
        for minor in range(25, 38):
            assert feature.stage(f"1.{minor}") != "stable" or feature.enabled(f"1.{minor}"), feature.id
            assert not feature.enabled(f"1.{minor}") or feature.stage(f"1.{minor}") != "absent", feature.id


def test_an_api_is_that_of_the_newest_version_not_newer_than_asked() -> None:
    gang = FEATURES["gang_scheduling"]
    assert [gang.api_version(f"1.{minor}").rpartition("/")[2] for minor in (34, 35, 36, 37)] == [
        "",
        "v1alpha1",
        "v1alpha2",
        "v1beta1",
    ]
    assert (gang.since("beta"), gang.since("on"), gang.since("stable")) == ("1.37", "", "")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("feature: gang_sheduling", "did you mean gang_scheduling?"),
        ("feature: gang_scheduling", "is not 'on' in any version"),
        ("feature: dra_core\nkubernetes_min: '1.34'", "leave kubernetes_min out"),
    ],
)
def test_rules_that_name_no_known_feature_are_refused_with_their_place(tmp_path: Path, rule: str, message: str) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yaml").write_text(f"id: own\nwhen: rt_userns\nwhy: a test\n{rule}\n")
    with pytest.raises(CatalogueError, match=r"own\.yaml:1") as caught:
        load_catalogue(tmp_path).rules  # noqa: B018 - reading it is the test
    assert message in str(caught.value)
