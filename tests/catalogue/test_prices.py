from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from kubeanswers.errors import CatalogueError
from kubeanswers.quantities import GIB
from tenancykit.catalogue.price_entries import Price, gpu_memory
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import load_catalogue

BOOK = load_prices(load_catalogue())

ENTRY = """entries:
  - id: my_node
    kind: node
    amount: 2.50
    per: hour
    currency: EUR
    node: {cpu: 64, memory: 256Gi, gpus: 4, gpu_model: L40S-48GB}
    source: https://example.org/offer
    as_of: 2026-11-01
    confidence: A
"""


@pytest.mark.parametrize("price", BOOK.prices.values(), ids=BOOK.prices.keys())
def test_every_price_says_where_and_when_it_was_read(price: Price) -> None:
    assert price.source.startswith("https://") or price.assumption
    assert price.as_of[:2] == "20"
    assert price.region
    assert price.currency or price.kind == "factor"
    assert BOOK.places[price.id].startswith("catalogue/prices/")


def test_estimates_are_marked_as_assumptions() -> None:
    assert all(price.assumption for price in BOOK.prices.values() if not price.source)
    assert all(price.assumption or price.confidence != "C" for price in BOOK.prices.values())


CORRECTED = {
    "nebius_h100",
    "nebius_h200",
    "nebius_b200",
    "lambda_h100_sxm_1x",
    "lambda_h100_pcie_1x",
    "lambda_a100_40_1x",
}
"""Machines whose amounts of early 2026 were replaced by those of September."""


def test_machines_carry_the_published_prices_and_shapes(shared: Path) -> None:
    facts = yaml.safe_load((shared / "facts" / "prices.yaml").read_text())
    for fact in [*facts["gpu_nodes"], *facts["cpu_nodes"]]:
        price = BOOK[fact["id"]]
        assert price.amount == Decimal(str(fact["per_hour"])) or fact["id"] in CORRECTED
        assert price.node is not None
        assert price.node.gpus == fact.get("gpus", 0)
        assert price.node.gpu_model.split("-288GB")[0] == fact.get("gpu", "")
        if "vcpu" in fact:
            assert (price.node.cpu, price.node.memory) == (fact["vcpu"] * 1000, fact["memory_gib"] * GIB)
        else:
            assert price.node.assumption
        if fact.get("spec_assumption") or fact.get("assumption"):
            assert price.node.assumption


def test_the_large_clouds_gpu_clouds_and_own_hardware_are_on_offer() -> None:
    offered = {p.provider for p in BOOK.of_kind("node")}
    assert {"aws", "azure", "gcp", "oci", "coreweave", "nebius", "lambda", "crusoe", "own"} <= offered


@pytest.mark.parametrize(
    ("identifier", "amount"),
    [
        ("nebius_h100", "30.8"),
        ("nebius_h200", "36"),
        ("nebius_b200", "57.2"),
        ("nebius_b300", "62.8"),
        ("lambda_h100_8x", "31.92"),
        ("lambda_h100_pcie_1x", "3.29"),
        ("lambda_a100_40_1x", "1.99"),
        ("coreweave_b200", "68.8"),
        ("oci_gb300_4", "72"),
        ("oci_mi300x_8", "48"),
        ("oci_mi355x_8", "68.8"),
        ("gcp_a3_ultragpu_8g", "84.81"),
        ("gcp_tpu_v6e_8", "21.6"),
        ("az_nd96is_mi300x", "48"),
        ("aws_inf2_48xlarge", "12.98127"),
        ("aws_trn1_32xlarge", "21.5"),
        ("do_mi325x", "30.4"),
        ("vultr_mi355x", "20.72"),
        ("gke_extended", "0.6"),
        ("aks_premium", "0.6"),
        ("eks_pcp_4xl", "6.9"),
        ("eks_pcp_8xl", "13.9"),
        ("colocation_na", "195.94"),
    ],
)
def test_prices_of_autumn_2026_are_those_of_their_source(identifier: str, amount: str) -> None:
    price = BOOK[identifier]
    assert price.amount == Decimal(amount)
    assert price.as_of >= "2026"


@pytest.mark.parametrize(
    ("identifier", "term", "amount"),
    [
        ("aws_p5_48xlarge", "reserved-3y", "23.776"),
        ("aws_p5_48xlarge", "capacity-block", "41.53"),
        ("aws_p6_b300_48xlarge", "capacity-block", "112.32"),
        ("aws_p5e_48xlarge", "capacity-block", "47.76"),
        ("az_nd128isr_gb200", "reserved", "69.224"),
        ("az_nd128isr_gb200", "reserved-3y", "47.592"),
        ("gcp_a4_highgpu_8g", "reserved", "88.928"),
        ("coreweave_h100", "spot", "19.712"),
        ("hyperstack_h200", "reserved", "22.32"),
    ],
)
def test_commitments_spot_and_capacity_blocks_are_terms(identifier: str, term: str, amount: str) -> None:
    assert BOOK[identifier].terms[term] == Decimal(amount)  # type: ignore[index]


NEWER = {
    **{
        f"{name}_0926": name
        for name in ("nebius_h100", "nebius_h200", "nebius_b200", "lambda_a100_40", "coreweave_h100")
    },
    **{f"{name}_0926": name for name in ("coreweave_h200", "coreweave_b200")},
    "lambda_a100_40_0926": "lambda_a100_40_1x",
    "lambda_h100_pcie_0926": "lambda_h100_pcie_1x",
    "colo_us_h2_2025": "colocation_na",
    "colo_gpu_liquid": "colocation_na_liquid",
}
"""Facts of autumn 2026 that stand in the book under the id of the entry they replace."""
LEFT_OUT = {
    "gke_enterprise_core": "the tier is gone; its price is nothing",
    "az_ncv6_rtxpro": "its source says not to use it unchecked",
    "colo_retail": "a range without a likely value",
    "colo_wholesale_mw": "a range without a likely value",
}
"""Facts with an amount that the book does not hold, and why."""


def test_every_price_published_this_autumn_agrees_with_its_source(shared: Path) -> None:
    """All 113 facts: those that state no amount of one thing (terms, blocks, ranges) are looked at below."""
    facts = yaml.load((shared / "facts" / "refresh-2026-11.yaml").read_text(), yaml.CSafeLoader)["prices"]
    every = [fact for entries in facts.values() if isinstance(entries, list) for fact in entries]
    assert len(every) == 113
    compared = 0
    for fact in every:
        amount = fact.get("amount", fact.get("per_hour"))
        if amount is None or fact["id"].startswith("cb_") or fact["id"] in LEFT_OUT:
            continue
        price = BOOK[NEWER.get(fact["id"], fact["id"])]
        region = {"any": "global", "all": "global"}.get(fact["region"], fact["region"])
        stated = (Decimal(str(amount)), region, str(fact["as_of"]), fact["confidence"], fact["currency"])
        assert (price.amount, price.region, price.as_of, price.confidence, price.currency) == stated, fact["id"]
        compared += 1
    assert compared >= 65


TERMS = {"one_year": "reserved", "reserved": "reserved", "three_year": "reserved-3y", "spot": "spot"}
MACHINES = {
    "aws_p5_terms": "aws_p5_48xlarge",
    "aws_p5en_spot": "aws_p5en_48xlarge",
    "gcp_a3_terms": "gcp_a3_highgpu_8g",
    "az_h100_terms": "az_nd96isr_h100",
    "az_h200_terms": "az_nd96isr_h200",
    "az_gb200_terms": "az_nd128isr_gb200",
}
BLOCKS = {
    "cb_p5": "aws_p5_48xlarge",
    "cb_p5e": "aws_p5e_48xlarge",
    "cb_p5en_us": "aws_p5en_48xlarge",
    "cb_p6_b200": "aws_p6_b200_48xlarge",
    "cb_p6_b300": "aws_p6_b300_48xlarge",
}


def test_every_commitment_spot_price_and_block_of_this_autumn_agrees_with_its_source(shared: Path) -> None:
    facts = yaml.load((shared / "facts" / "refresh-2026-11.yaml").read_text(), yaml.CSafeLoader)["prices"]
    stated: list[tuple[str, str, Decimal]] = []
    for fact in facts["gpu_nodes"]:
        rates = fact.get("terms", {})
        each = fact["gpus"] if rates.get("unit") == "per GPU" else 1
        found = ((TERMS[name], rate) for name, rate in rates.items() if name in TERMS)
        stated += [(NEWER.get(fact["id"], fact["id"]), term, Decimal(str(rate)) * each) for term, rate in found]
    for fact in facts["terms"]:
        machine = MACHINES.get(fact["id"])
        node = BOOK[machine].node if machine else None
        rates = fact["per_gpu"].items() if node else ()
        stated += [(machine or "", TERMS[n], Decimal(str(r)) * node.gpus) for n, r in rates if n in TERMS and node]
    blocks = {fact["id"]: fact for fact in facts["capacity_blocks"]}
    stated += [(name, "capacity-block", Decimal(str(blocks[fact]["per_hour"]))) for fact, name in BLOCKS.items()]
    held = {(price.id, str(term)): rate for price in BOOK.prices.values() for term, rate in price.terms.items()}
    wrong = [
        (name, term, rate, held.get((name, term))) for name, term, rate in stated if held.get((name, term)) != rate
    ]
    assert not wrong
    assert len(stated) >= 45


OWN = {
    "own_hgx_h100_0926": ("own_hgx_h100", 1),
    "own_hgx_h200": ("own_hgx_h200", 1),
    "own_dgx_b200_0926": ("own_hgx_b200", 1),
    "own_hgx_b300": ("own_hgx_b300", 1),
    "own_gb200_nvl72": ("own_gb200_nvl72_tray", 18),
    "own_gb300_nvl72": ("own_gb300_nvl72_tray", 18),
    "own_rtxpro_8": ("own_rtxpro_8", 1),
    "own_mi355x_8": ("own_mi355x_8", 1),
    "own_mi300x_8": ("own_mi300x_8", 1),
}
"""Machines of one's own: the entry that holds them, and how many of it the fact speaks of (trays of a rack)."""
BY_CARD = ("together_b200", "tensorwave_mi355x", "vultr_mi355x")
"""Facts that state a price for one card."""
UNPRICED = {
    **dict.fromkeys(
        ("gcp_tpu7x", "az_nd_gb300", "aws_trn2_48xlarge", "aws_trn3", "gaudi3", "h20"), "no readable price"
    ),
    **dict.fromkeys(("tco_inferencex", "tco_inferencex_sep"), "an owner's cost, which the bill works out itself"),
    "cb_history": "how blocks rose; the blocks themselves are compared",
    "gpu_power": "power of boards; that of machines is compared",
    "billing_kw": "racks are billed at peak power, which the tray of a GB300 rack states",
    **LEFT_OUT,
}
"""Facts that state no price the book could hold, and why."""


def test_own_machines_cards_and_ratios_of_this_autumn_agree_with_their_source_and_nothing_is_passed_over(
    shared: Path,
) -> None:
    groups = yaml.load((shared / "facts" / "refresh-2026-11.yaml").read_text(), yaml.CSafeLoader)["prices"]
    facts = {fact["id"]: fact for entries in groups.values() if isinstance(entries, list) for fact in entries}
    for name, (identifier, parts) in OWN.items():
        own, fact = BOOK[identifier].own, facts[name]
        assert own is not None
        assert float(own.capex) * parts == pytest.approx(fact["capex"]["mode"], rel=1e-4)
        assert float(own.power_kw) * parts == pytest.approx(fact.get("peak_kw", fact["power_kw"]), rel=1e-2)
    for name in BY_CARD:
        node = BOOK[name].node
        assert node is not None
        assert BOOK[name].amount == Decimal(str(facts[name]["per_gpu"])) * node.gpus, name
    cards = facts["aws_p6_spot"]["per_gpu"]
    for card, machine in (("b200", "aws_p6_b200_48xlarge"), ("b300", "aws_p6_b300_48xlarge")):
        amount, spot = BOOK[machine].amount, BOOK[machine].terms["spot"]
        assert float(amount or 0) == pytest.approx(8 * cards[card], rel=1e-4)
        assert float(spot) == pytest.approx(8 * cards[f"{card}_spot"], rel=1e-4)
    rack = facts["cb_p6e_gb200x72"]
    assert BOOK["aws_p6e_gb200_72"].terms["capacity-block"] * 18 == Decimal(str(rack["per_hour"]))
    for term, seen in (("term_reserved", "observed_reserved"), ("term_spot", "observed_spot")):
        ratios = [Decimal(text) for text in re.findall(r"0\.\d+", facts[seen]["fact"])]
        price = BOOK[term]
        assert min(ratios) <= price.amount <= max(ratios)  # type: ignore[operator]
        assert (price.high, min(ratios) <= price.low) == (max(ratios), True)  # type: ignore[operator]
    above = {name for name, fact in facts.items() if fact.get("amount", fact.get("per_hour")) is not None}
    above |= {fact["id"] for fact in groups["gpu_nodes"] if fact.get("terms")} | {*MACHINES, *BLOCKS}
    here = {*OWN, *BY_CARD, "aws_p6_spot", "cb_p6e_gb200x72", "observed_reserved", "observed_spot"}
    assert {*above, *here, *UNPRICED} == set(facts)


def test_a_price_is_stale_by_the_last_day_its_date_may_mean() -> None:
    today = date(2026, 11, 30)
    ages = {price.id: age for price, age in BOOK.stale(0, today)}
    assert ages["eks_extended_support"] == (today - date(2024, 4, 1)).days
    assert ages["colocation"] == (today - date(2025, 12, 31)).days
    assert "aks_standard" not in ages  # of 2026, which is not over
    assert all(age > 400 for _, age in BOOK.stale(400, today))


def test_a_provider_of_its_own_entry_beats_the_one_for_any_provider() -> None:
    found = BOOK.find("storage", "aws")
    assert found is not None
    assert found.id == "aws_gp3"
    other = BOOK.find("storage", "nebius")
    assert other is not None
    assert other.id == "any_storage"


def test_memory_of_a_gpu_follows_from_its_name() -> None:
    assert gpu_memory("A100-80GB") == 80 * GIB
    assert gpu_memory("RTX-PRO-6000-BSE-96GB") == 96 * GIB
    assert gpu_memory("B300") == 0


def _override(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    return file


def test_a_users_file_adds_prices(tmp_path: Path) -> None:
    book = load_prices(load_catalogue(), _override(tmp_path, ENTRY))
    assert book["my_node"].amount == Decimal("2.50")
    assert "aws_gp3" in book
    assert "my_node" not in BOOK


def test_a_users_price_replaces_the_catalogues_and_says_so(tmp_path: Path) -> None:
    book = load_prices(load_catalogue(), _override(tmp_path, ENTRY.replace("my_node", "nebius_l40s")))
    assert book["nebius_l40s"].currency == "EUR"
    assert book.replaced["nebius_l40s"].startswith("catalogue/prices/gpu_nodes.yaml:")
    assert book.places["nebius_l40s"].endswith("prices.yaml:2")


def test_an_overlay_folder_of_the_catalogue_holds_prices_too(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "mine.yaml").write_text(ENTRY)
    assert "my_node" in load_prices(load_catalogue(tmp_path))


def _fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(CatalogueError) as caught:
        load_prices(load_catalogue(), _override(tmp_path, text))
    return str(caught.value)


def test_a_price_without_currency_is_refused_with_its_line(tmp_path: Path) -> None:
    message = _fault(tmp_path, ENTRY.replace("    currency: EUR\n", ""))
    assert "prices.yaml:2: entries[0]: price 'my_node' has no currency" in message
    assert "currency: USD" in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("amount: 2.50", "amount: -1", "prices.yaml:4"),
        ("amount: 2.50", "amount: .nan", "prices.yaml:4"),
        ("currency: EUR", "currency: euro", "prices.yaml:6"),
        ("per: hour", "per: hours", "did you mean hour?"),
        ("as_of: 2026-11-01", "as_of: last week", "prices.yaml:9"),
        ("    source: https://example.org/offer\n", "", "has no source; name one, or write assumption: true"),
        ("cpu: 64", "cpu: 0", "is no CPU capacity"),
        ("memory: 256Gi", "memory: 256Gx", "is not a quantity"),
        (", gpu_model: L40S-48GB", "", "gpus and gpu_model go together"),
        ("kind: node", "kind: storage", "kind node and the section node go together"),
        ("    amount: 2.50\n", "", "needs either an amount or own hardware"),
        ("amount: 2.50", "amount: 2.50\n    low: 3", "low <= amount <= high does not hold"),
        ("confidence: A", "confidence: A\n    colour: red", "unknown key 'colour'"),
        ("entries:", "prices:", "holds 'entries: [...]' and nothing else"),
    ],
)
def test_a_wrong_price_file_names_place_and_cure(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ENTRY
    assert said in _fault(tmp_path, ENTRY.replace(old, new))


def test_all_faults_of_a_price_file_come_at_once(tmp_path: Path) -> None:
    both = ENTRY + ENTRY.removeprefix("entries:\n").replace("per: hour", "per: day").replace("my_node", "other")
    message = _fault(tmp_path, both.replace("confidence: A", "confidence: D"))
    assert len(message.splitlines()) == 3


def test_an_id_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    assert "already at" in _fault(tmp_path, ENTRY + ENTRY.removeprefix("entries:\n"))


def test_an_unknown_price_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(Exception, match="did you mean aws_gp3"):
        _ = BOOK["aws_gp4"]
