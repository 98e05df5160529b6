"""Cards cut by another maker's means, options newer than Kubernetes, lists in another currency: told with a cure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenancykit.cli import BAD_INPUT, FINDINGS, main

SCENARIO = """schema: tenancykit/scenario/v1
name: x
kubernetes: "{kubernetes}"
tenants:
  classes:
  - {{id: a, kind: team, count: 4, workloads: [{{template: t}}], requirements: {{require_options: [{option}]}}}}
workloads: [{{id: t, kind: training, cpu: "1", memory: 1Gi, gpu: {{count: 1}}}}]
infrastructure:
  sites: [{{id: a, provider: {provider}}}]
  nodes: [{{type: {machine}}}]
  price_book: {book}
"""
H100, MI300X, TPU = ("azure", "az_nd96isr_h100"), ("oci", "oci_mi300x_8"), ("gcp", "gcp_tpu_v6e_8")


def said(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    option: str = "",
    cards: tuple[str, str] = H100,
    kubernetes: str = "1.37",
    book: str = "''",
) -> str:
    """Return what ``check`` says of a scenario it has to refuse."""
    provider, machine = cards
    stated = {"option": option, "kubernetes": kubernetes, "provider": provider, "machine": machine, "book": book}
    (folder / "x.yaml").write_text(SCENARIO.format(**stated))
    assert main(["check", str(folder / "x.yaml")]) == BAD_INPUT
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "cards", "what", "cure"),
    [
        ("gpu_mig", MI300X, "none of them is on offer (MI300X-192GB)", "require gpu_amd_partition instead, drop it"),
        ("gpu_mig", TPU, "none of them is on offer (TPU-v6e-32GB)", "drop it, or offer nodes whose cards it cuts"),
        ("gpu_timeslice", MI300X, "cuts cards of nvidia", "require gpu_amd_partition instead"),
        ("gpu_amd_partition", H100, "none of them is on offer (H100-80GB)", "require gpu_"),
        ("gpu_amd_partition", TPU, "none of them is on offer (TPU-v6e-32GB)", "drop it"),
        (
            "gpu_tpu_slice",
            MI300X,
            "needs TPU-v6e/TPU7x, on offer MI300X-192GB",
            "drop a need, or a required or forbidden option",
        ),
    ],
)
def test_a_way_to_cut_another_makers_cards_is_refused_where_it_is_required(
    option: str, cards: tuple[str, str], what: str, cure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, tmp_path, option, cards)
    assert "x.yaml:6: tenants.classes[0].requirements" in text
    assert what in text
    assert cure in text


@pytest.mark.parametrize(
    ("option", "kubernetes", "wanted"),
    [("sch_native_gang", "1.36", "1.37"), ("pol_map", "1.35", "1.36"), ("rt_kata_single_gpu", "1.33", "1.34")],
)
def test_an_option_newer_than_the_scenarios_kubernetes_names_the_version_that_has_it(
    option: str, kubernetes: str, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, tmp_path, option, kubernetes=kubernetes)
    assert f"Kubernetes {wanted}, have {kubernetes}" in text


def test_a_design_that_breaks_a_rule_is_exported_as_asked_and_told_as_not_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = {"option": "", "kubernetes": "1.34", "provider": H100[0], "machine": H100[1], "book": "''"}
    (tmp_path / "x.yaml").write_text(SCENARIO.format(**stated))
    asked = ["export", str(tmp_path / "x.yaml"), "--design", "RA01 +pol_map", "--to", str(tmp_path / "out")]
    assert main(asked) == FINDINGS
    told = capsys.readouterr().err
    assert "is not valid for this scenario" in told
    assert "Kubernetes 1.36, have 1.34" in told
    assert "Kubernetes 1.36, have 1.34" in (tmp_path / "out" / "README.md").read_text()


ENTRY = (
    "{id: az_nd96isr_h100, kind: node, provider: azure, amount: 80, per: hour, source: 'https://example.com',"
    " node: {cpu: 96, memory: 1900Gi, gpus: 8, gpu_model: H100-80GB}, %s}"
)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "currency: CHF, as_of: '2026-11-01', confidence: A",
            ["prices are in CHF", "add an entry of kind exchange-rate with currency CHF: its amount for one USD"],
        ),
        ("currency: CHF, as_of: '2026-11-01'", ["prices are in CHF", "key 'confidence' is missing; allowed: A, B, C"]),
        ("currency: USD, confidence: A", ["key 'as_of' is missing", "'2026-11-01'"]),
        ("currency: USD, as_of: soon, confidence: A", ["'soon' is written otherwise", "'2026-11-01'"]),
        ("as_of: '2026-11-01', confidence: A", ["has no currency; write one, such as currency: USD"]),
        ("currency: dollars, as_of: '2026-11-01', confidence: A", ["'dollars' is written otherwise", "USD"]),
    ],
)
def test_a_price_list_without_date_or_in_a_currency_without_rate_is_refused_with_line_and_cure(
    entry: str, told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prices.yaml").write_text(f"entries:\n- {ENTRY % entry}\n")
    text = said(capsys, tmp_path, book="prices.yaml")
    assert "prices.yaml:2: entries[0]" in text
    for each in told:
        assert each in text


def test_a_price_list_in_a_currency_of_its_own_holds_once_its_rate_is_stated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = (
        "{id: rate_usd_chf, kind: exchange-rate, amount: 0.8, per: ratio, currency: CHF, as_of: '2026-11', "
        "confidence: A, source: 'https://example.com'}"
    )
    stated = {"option": "", "kubernetes": "1.37", "provider": H100[0], "machine": H100[1], "book": "prices.yaml"}
    entry = ENTRY % "currency: CHF, as_of: '2026-11-01', confidence: A"
    (tmp_path / "prices.yaml").write_text(f"entries:\n- {entry}\n- {rate}\n")
    (tmp_path / "x.yaml").write_text(SCENARIO.format(**stated))
    assert main(["check", str(tmp_path / "x.yaml")]) == 0
    assert "no faults" in capsys.readouterr().out


def test_a_providers_own_list_in_a_currency_without_rate_says_where_the_rate_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "currencyCode": "CHF",
        "retailPrice": 90.5,
        "armRegionName": "eastus",
        "armSkuName": "Standard_ND96isr_H100_v5",
        "productName": "Virtual Machines NDsrH100v5 Series",
        "meterName": "ND96isr H100 v5",
        "type": "Consumption",
        "effectiveStartDate": "2026-10-01T00:00:00Z",
    }
    (tmp_path / "azure.json").write_text(json.dumps({"Items": [row]}))
    text = said(capsys, tmp_path, book="azure.json")
    assert "azure.json: prices are in CHF" in text
    assert "prices/ of a folder given with --catalogue, or give the list in USD" in text


@pytest.mark.parametrize(("model", "meant"), [("MI300-192GB", "MI300X-192GB"), ("GB30-288GB", "GB300-288GB")])
def test_a_misspelt_accelerator_is_one_sentence_with_one_cure(
    model: str, meant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = f"mine, spec: {{cpu: 64, memory: 512Gi, gpus: 8, gpu_model: {model}, price_per_hour: 10}}"
    text = said(capsys, tmp_path, cards=("own", spec))
    assert f"unknown accelerator '{model}'; did you mean {meant}? tenancykit catalogue accelerators lists all" in text


def test_machines_of_a_provider_who_has_no_site_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for provider, told in (("coreweave", True), ("azure", False)):
        stated = {"option": "", "kubernetes": "1.37", "provider": provider, "machine": H100[1], "book": "''"}
        (tmp_path / "x.yaml").write_text(SCENARIO.format(**stated))
        assert main(["check", str(tmp_path / "x.yaml")]) == 0
        out = capsys.readouterr().out
        assert (f"warning: {H100[1]} is a machine of azure, and the sites are of coreweave" in out) is told
