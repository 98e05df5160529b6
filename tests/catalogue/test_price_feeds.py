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
            sku("Nvidia Tesla A100 Virtual Workstation GPU running in Americas", 9.0),
            sku("A2 Sole Tenancy Instance Core running in Americas", 9.0),
            sku("Network Internet Egress", 0.1),
            sku("Commitment v1: A2 Cpu in Americas for 1 Year", 0.02, "Commit1Yr"),
            sku("Commitment v1: A2 Ram in Americas for 1 Year", 0.003, "Commit1Yr"),
            sku("Commitment v1: Nvidia Tesla A100 GPU running in Americas for 1 Year", 2.0, "Commit1Yr"),
            sku("Spot Preemptible A2 Instance Core running in Americas", 0.01, "Preemptible"),
            sku("Spot Preemptible A2 Instance Ram running in Americas", 0.001, "Preemptible"),
            sku("Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running in Americas", 1.0, "Preemptible"),
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


def test_google_commitments_and_spot_add_up_as_terms(tmp_path: Path) -> None:
    found = book(tmp_path, gcp())["gcp_a2_highgpu_8g"]
    assert found.node is not None
    cores, memory = Decimal(found.node.cpu) / 1000, Decimal(found.node.memory) / 2**30
    assert found.terms["reserved"] == round(cores * Decimal("0.02") + memory * Decimal("0.003") + 16, 6)
    assert found.terms["spot"] == round(cores * Decimal("0.01") + memory * Decimal("0.001") + 8, 6)


def test_a_list_of_one_other_region_prices_the_machines_there(tmp_path: Path) -> None:
    data = gcp()
    for sku in data["skus"]:
        sku["serviceRegions"] = ["europe-west4"]
    assert book(tmp_path, data)["gcp_a2_highgpu_8g"].region == "europe-west4"


@pytest.mark.parametrize(
    "changes", [{"marketoption": "CapacityBlock"}, {"capacitystatus": "UnusedCapacityReservation"}, {}]
)
def test_what_aws_lists_at_zero_makes_no_machine_free(tmp_path: Path, changes: dict[str, str]) -> None:
    data = aws()
    shown = data["products"]["A"]
    data["products"]["E"] = {**shown, "attributes": {**shown["attributes"], **changes}}
    rate = {"unit": "Hrs", "pricePerUnit": {"USD": "0.0000000000"}}
    data["terms"]["OnDemand"]["E"] = {"E.T": {"priceDimensions": {"E.T.R": rate}}}
    assert book(tmp_path, data)["aws_p5_48xlarge"].amount == Decimal("54.00")


@pytest.mark.parametrize("turned", [False, True])
def test_of_azure_rows_that_replaced_one_another_the_last_to_begin_holds(tmp_path: Path, *, turned: bool) -> None:
    data = azure()
    data["Items"].insert(0, {**data["Items"][0], "retailPrice": 70.0, "effectiveStartDate": "2025-01-01T00:00:00Z"})
    if turned:
        data["Items"].reverse()
    found = book(tmp_path, data)["az_nd96isr_h100"]
    assert (found.amount, found.as_of) == (Decimal("90.5"), "2026-10-01")


def test_an_azure_row_by_the_month_is_no_hourly_price(tmp_path: Path) -> None:
    data = azure()
    data["Items"].append({**data["Items"][0], "unitOfMeasure": "1 Month", "retailPrice": 60000.0})
    assert book(tmp_path, data)["az_nd96isr_h100"].amount == Decimal("90.5")


def in_two_currencies(kind: str) -> dict[str, Any]:
    if kind == "azure":
        data = azure()
        data["Items"][1]["currencyCode"] = "EUR"
    elif kind == "gcp":
        data = gcp()
        data["skus"][0]["pricingInfo"][0]["pricingExpression"]["tieredRates"][0]["unitPrice"]["currencyCode"] = "EUR"
    else:
        data = aws()
        data["terms"]["Reserved"]["A"]["X.T"]["priceDimensions"]["X.T.R"]["pricePerUnit"] = {"EUR": "30"}
    return data


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
        (gcp(units="-3"), "'-3' is no amount"),
        (azure(retailPrice=-1), "-1 is no amount"),
        (azure(effectiveStartDate="2026-13-41T00:00:00Z"), "has no date"),
        (in_two_currencies("aws"), "are in EUR and USD; allowed: one currency a machine"),
        (in_two_currencies("azure"), "are in EUR and USD; allowed: one currency a machine"),
        (in_two_currencies("gcp"), "are in EUR and USD; allowed: one currency a machine"),
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
