from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from kubeanswers.errors import CatalogueError
from kubeanswers.quantities import GIB
from tenancykit.catalogue.prices import Price, gpu_memory, load_prices
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


def test_machines_carry_the_published_prices_and_shapes(shared: Path) -> None:
    facts = yaml.safe_load((shared / "facts" / "prices.yaml").read_text())
    for fact in [*facts["gpu_nodes"], *facts["cpu_nodes"]]:
        price = BOOK[fact["id"]]
        assert price.amount == Decimal(str(fact["per_hour"]))
        assert price.node is not None
        assert price.node.gpus == fact.get("gpus", 0)
        assert price.node.gpu_model == fact.get("gpu", "")
        if "vcpu" in fact:
            assert (price.node.cpu, price.node.memory) == (fact["vcpu"] * 1000, fact["memory_gib"] * GIB)
        else:
            assert price.node.assumption
        if fact.get("spec_assumption") or fact.get("assumption"):
            assert price.node.assumption


def test_the_large_clouds_gpu_clouds_and_own_hardware_are_on_offer() -> None:
    assert {"aws", "azure", "gcp", "coreweave", "nebius", "lambda", "own"} == {p.provider for p in BOOK.of_kind("node")}


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
