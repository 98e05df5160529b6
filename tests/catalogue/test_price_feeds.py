"""Price files as providers publish them, cut down to a few rows of their own layout."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kubeanswers.errors import CatalogueError
from tenancykit.catalogue.prices import PriceBook, load_prices
from tenancykit.catalogue.reading import load_catalogue

CATALOGUE = load_catalogue()


def book(folder: Path, data: Any) -> PriceBook:
    file = folder / "prices.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    return load_prices(CATALOGUE, file)


def aws(**changes: Any) -> dict[str, Any]:
    def product(kind: str, **more: str) -> dict[str, Any]:
        plain = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
        shape = {"regionCode": "us-east-1", "vcpu": "8", "memory": "32 GiB"}
        return {"productFamily": "Compute Instance", "attributes": {"instanceType": kind, **plain, **shape, **more}}

    def offer(amount: str, **terms: str) -> dict[str, Any]:
        rate = {"unit": "Hrs", "pricePerUnit": {"USD": amount}}
        return {"X.T": {"termAttributes": terms, "priceDimensions": {"X.T.R": rate}}}

    year = {"LeaseContractLength": "1yr", "PurchaseOption": "No Upfront", "OfferingClass": "standard"}
    return {
        "formatVersion": "v1.0",
        "offerCode": "AmazonEC2",
        "publicationDate": "2026-11-20T10:00:00Z",
        "products": {
            "A": product("p5.48xlarge", gpu="8"),
            "B": product("c9i.2xlarge"),
            "C": product("p5.48xlarge", gpu="8", operatingSystem="Windows"),
            "D": product("x1.unknown", gpu="4"),
        },
        "terms": {
            "OnDemand": {"A": offer("54.00"), "B": offer("0.40"), "C": offer("99"), "D": offer("9")},
            "Reserved": {"A": offer("31.50", **year)},
        },
        **changes,
    }


def test_an_aws_offer_file_prices_known_machines_and_adds_those_whose_shape_it_states(tmp_path: Path) -> None:
    read = book(tmp_path, aws())
    p5 = read["aws_p5_48xlarge"]
    assert (p5.amount, p5.terms["reserved"], p5.as_of, p5.confidence) == (
        Decimal("54.00"),
        Decimal("31.50"),
        "2026-11-20",
        "A",
    )
    assert p5.node == load_prices(CATALOGUE)["aws_p5_48xlarge"].node
    new = read["aws_c9i_2xlarge"]
    assert new.node is not None
    assert (new.node.cpu, new.amount) == (8000, Decimal("0.40"))
    assert "aws_x1_unknown" not in read  # what its GPUs are the file does not say
    assert read.replaced["aws_p5_48xlarge"].startswith("catalogue/prices/")


def azure(**changes: Any) -> dict[str, Any]:
    row = {
        "currencyCode": "USD",
        "retailPrice": 90.5,
        "armRegionName": "eastus",
        "armSkuName": "Standard_ND96isr_H100_v5",
        "productName": "Virtual Machines NDsrH100v5 Series",
        "meterName": "ND96isr H100 v5",
        "type": "Consumption",
        "unitOfMeasure": "1 Hour",
        "effectiveStartDate": "2026-10-01T00:00:00Z",
    }
    rows = [
        row,
        {**row, "meterName": "ND96isr H100 v5 Spot", "retailPrice": 20.0},
        {**row, "meterName": "ND96isr H100 v5 Low Priority", "retailPrice": 1.0},
        {**row, "productName": "Virtual Machines NDsrH100v5 Series Windows", "retailPrice": 120.0},
        {**row, "type": "Reservation", "reservationTerm": "1 Year", "retailPrice": 525600.0},
        {**row, "armRegionName": "westus", "retailPrice": 99.0},
    ]
    return {"BillingCurrency": "USD", "Items": [{**each, **changes} for each in rows], "NextPageLink": None}


def test_azure_retail_prices_give_on_demand_spot_and_commitments_by_the_hour(tmp_path: Path) -> None:
    found = book(tmp_path, azure())["az_nd96isr_h100"]
    assert (found.amount, found.terms["spot"], found.region) == (Decimal("90.5"), Decimal("20.0"), "eastus")
    assert found.terms["reserved"] == Decimal(60)
    assert found.as_of == "2026-10-01"


def gcp(**changes: Any) -> dict[str, Any]:
    def sku(text: str, amount: float, usage: str = "OnDemand") -> dict[str, Any]:
        unit = {"currencyCode": "USD", "units": str(int(amount)), "nanos": round((amount % 1) * 10**9), **changes}
        info = {"effectiveTime": "2026-11-01T00:00:00Z", "pricingExpression": {"tieredRates": [{"unitPrice": unit}]}}
        category = {"resourceFamily": "Compute", "usageType": usage}
        return {
            "skuId": text,
            "description": text,
            "category": category,
            "serviceRegions": ["us-central1"],
            "pricingInfo": [info],
        }

    return {
        "skus": [
            sku("A2 Instance Core running in Americas", 0.03),
            sku("A2 Instance Ram running in Americas", 0.004),
            sku("Nvidia Tesla A100 GPU running in Americas", 3.0),
            sku("Nvidia Tesla A100 80GB GPU running in Americas", 4.0),
            sku("Network Internet Egress", 0.1),
        ]
    }


def test_google_skus_add_up_to_a_machine(tmp_path: Path) -> None:
    read = book(tmp_path, gcp())
    for name, gpu in (("gcp_a2_highgpu_8g", Decimal(3)), ("gcp_a2_ultragpu_8g", Decimal(4))):
        node = read[name].node
        assert node is not None
        parts = Decimal(node.cpu) / 1000 * Decimal("0.03") + Decimal(node.memory) / 2**30 * Decimal("0.004") + 8 * gpu
        assert read[name].amount == round(parts, 6)
        assert read[name].as_of == "2026-11-01"


def gcp_without_prices() -> dict[str, Any]:
    return {"skus": [{**sku, "pricingInfo": []} for sku in gcp()["skus"]]}


@pytest.mark.parametrize(
    "pages", [[azure()], [{"Items": []}, azure()], azure()["Items"]], ids=["page", "pages", "rows"]
)
def test_answers_saved_page_by_page_are_read_as_one(tmp_path: Path, pages: list[Any]) -> None:
    assert book(tmp_path, pages)["az_nd96isr_h100"].amount == Decimal("90.5")


def test_rows_of_google_skus_are_read_without_what_was_around_them(tmp_path: Path) -> None:
    rows, whole = book(tmp_path, gcp()["skus"]), book(tmp_path, gcp())
    assert rows["gcp_a2_highgpu_8g"].amount == whole["gcp_a2_highgpu_8g"].amount


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (aws(publicationDate=None), "publicationDate has no date"),
        (azure(effectiveStartDate=""), "has no date"),
        (azure(currencyCode="dollars"), "is no currency"),
        (gcp(currencyCode=""), "is no currency"),
        ({"rows": []}, "is no price file we know"),
        ([1], "is no price file we know"),
        ("{", "cannot be read as JSON"),
        ({"Items": 5}, "is not laid out as the provider's format is"),
        ({"products": {}, "terms": {}, "publicationDate": "2026-11-01"}, "prices no machine"),
        (azure(retailPrice="ninety"), "retailPrice of standard_nd96isr_h100_v5: 'ninety' is no amount"),
        (azure(retailPrice=None), "is no amount"),
        (gcp(units="many"), "'many' is no amount"),
        (gcp_without_prices(), "is not laid out"),
        ({"skus": [{"description": "A2 Instance Core running in Americas"}]}, "is not laid out"),
    ],
)
def test_files_that_state_no_price_are_refused_with_their_name(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(CatalogueError, match=r"prices\.json") as caught:
        book(tmp_path, data)
    assert message in str(caught.value)


def test_a_list_in_another_currency_is_kept_in_it(tmp_path: Path) -> None:
    assert book(tmp_path, azure(currencyCode="EUR"))["az_nd96isr_h100"].currency == "EUR"
