"""Reads price files as providers publish them: AWS offer files, Azure retail prices, Google Cloud SKU lists (JSON).

Each yields entries of the price book's own format. A feed prices machines the book knows, by the type its ``sku``
names, in the region the book lists them for, or in the file's only one; AWS' file, which states shapes, adds machines
without GPUs that the book does not know. Google prices cores, memory and GPUs of a series; a machine is their sum.

Formats: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html,
https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices,
https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import CatalogueError, Fault
from kubeanswers.quantities import GIB
from kubeanswers.scalars import whole_number
from kubeanswers.source import read_text
from tenancykit.catalogue.price_entries import HOURS_PER_YEAR, NodeShape, OtherTerm, Price

AWS_PAGE: Final = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/index.json"
AZURE_PAGE: Final = "https://prices.azure.com/api/retail/prices"
GCP_PAGE: Final = "https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list"
_YEARS: Final[Mapping[str, tuple[OtherTerm, int]]] = {
    "1yr": ("reserved", 1),
    "3yr": ("reserved-3y", 3),
    "1 Year": ("reserved", 1),
    "3 Years": ("reserved-3y", 3),
}


def is_feed(file: Path) -> bool:
    """Return whether a price file is a provider's, by its name."""
    return file.suffix == ".json"


_LARGEST: Final = 1024 * 1024 * 1024
"""Largest file of prices read, in bytes. Assumption: a provider's offers for one region stay below."""


def read_feed(file: Path, book: Mapping[str, Price]) -> list[Price]:
    """Return the prices a provider's file states for machines of the book, under the ids the book knows them by.

    Raises:
        CatalogueError: the file is no JSON, is of no format known, or states prices without date or currency.
    """
    try:
        data = json.loads(read_text(file, limit=_LARGEST), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise CatalogueError(
            Fault(f"{file}:1", f"cannot be read as JSON: {error}", cure="give the file as downloaded")
        ) from error
    readers = {"products": _aws, "Items": _azure, "skus": _gcp}
    data = _joined(data)
    key = next((key for key in readers if key in data), None)
    if key is None:
        known = "an AWS offer file (products, terms), Azure retail prices (Items), a Google SKU list (skus)"
        raise CatalogueError(Fault(f"{file}:1", "is no price file we know", known, "or write entries in YAML"))
    machines = {price.sku.lower(): price for price in book.values() if price.node and price.sku}
    try:
        found = list(readers[key](data, machines, str(file)))
    except (AttributeError, LookupError, TypeError) as error:
        text = f"is not laid out as the provider's format is: {type(error).__name__} {error}"
        raise CatalogueError(Fault(f"{file}:1", text, cure="give the file as downloaded")) from error
    if not found:
        raise CatalogueError(Fault(f"{file}:1", "prices no machine of the price book", cure="see its sku fields"))
    return found


def _joined(data: Any) -> Mapping[str, Any]:
    """Return one file of what is a list of pages, or of a page's rows: Azure and Google answer page by page."""
    if not isinstance(data, list):
        return data if isinstance(data, dict) else {}
    rows: dict[str, list[Any]] = {}
    for each in (each for each in data if isinstance(each, dict)):
        for key, own in (("Items", "retailPrice"), ("skus", "pricingInfo")):
            if isinstance(each.get(key), list) or own in each:
                rows.setdefault(key, []).extend(each.get(key, [each]))
    return rows


def _amount(value: Any, where: str, what: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        cure = "give the file as downloaded"
        raise CatalogueError(Fault(where, f"{what}: {value!r} is no amount", "a number such as 55.04", cure))
    return amount


def _dated(value: Any, where: str, what: str) -> str:
    if not isinstance(value, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise CatalogueError(Fault(where, f"{what} has no date", "a date such as 2026-11-01", f"state {what}"))
    return value[:10]


def _currency(value: Any, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise CatalogueError(Fault(where, f"{value!r} is no currency", "three letters, as in USD"))
    return value


def _made(known: Price | None, **more: Any) -> Price:
    """Return a price of the book anew with what a feed says, or a new one."""
    if known is not None:
        kept = {"id": known.id, "name": known.name, "provider": known.provider, "sku": known.sku, "node": known.node}
        more = {**kept, **more, "note": "from the provider's own file"}
    return Price(kind="node", per="hour", confidence="A", **more)


def _aws(data: Mapping[str, Any], machines: Mapping[str, Price], where: str) -> Iterator[Price]:
    date = _dated(data.get("publicationDate"), where, "publicationDate")
    products = [(sku, item["attributes"]) for sku, item in data["products"].items() if _is_plain(item)]
    regions = {a.get("regionCode", "") for _, a in products}
    for sku, attributes in products:
        known = machines.get(attributes["instanceType"].lower())
        region = attributes.get("regionCode", "")
        if known is not None and region != known.region and len(regions) > 1:
            continue
        on_demand = _aws_rate(data["terms"].get("OnDemand", {}).get(sku, {}), where)
        node = known.node if known else _aws_shape(attributes)
        if on_demand is None or node is None:
            continue
        amount, currency = on_demand
        identifier = "aws_" + re.sub(r"[^a-z0-9]+", "_", attributes["instanceType"].lower())
        own = {} if known else {"id": identifier, "provider": "aws", "sku": attributes["instanceType"], "node": node}
        terms = dict(_aws_reserved(data["terms"].get("Reserved", {}).get(sku, {}), where))
        yield _made(
            known, **own, region=region, amount=amount, currency=currency, terms=terms, as_of=date, source=AWS_PAGE
        )


def _is_plain(item: Mapping[str, Any]) -> bool:
    """Return whether a product is a shared Linux machine with nothing preinstalled, as on-demand prices list it."""
    a = item.get("attributes", {})
    plain = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
    return "instanceType" in a and all(a.get(key, value) == value for key, value in plain.items())


def _aws_rate(offers: Mapping[str, Any], where: str) -> tuple[Decimal, str] | None:
    for offer in offers.values():
        for rate in offer["priceDimensions"].values():
            if rate.get("unit") == "Hrs":
                currency, amount = next(iter(rate["pricePerUnit"].items()))
                return _amount(amount, where, "pricePerUnit"), _currency(currency, where)
    return None


def _aws_reserved(offers: Mapping[str, Any], where: str) -> Iterator[tuple[OtherTerm, Decimal]]:
    """Yield commitments without upfront payment, standard class: what compares with an hourly price."""
    for offer in offers.values():
        stated = offer.get("termAttributes", {})
        if stated.get("PurchaseOption") != "No Upfront" or stated.get("OfferingClass", "standard") != "standard":
            continue
        term = _YEARS.get(stated.get("LeaseContractLength", ""))
        for rate in offer["priceDimensions"].values():
            if term and rate.get("unit") == "Hrs":
                yield term[0], _amount(next(iter(rate["pricePerUnit"].values())), where, "pricePerUnit")


def _aws_shape(attributes: Mapping[str, Any]) -> NodeShape | None:
    memory = re.fullmatch(r"([0-9.,]+) GiB", attributes.get("memory", ""))
    cores = whole_number(attributes.get("vcpu", ""))
    if memory is None or cores is None or attributes.get("gpu", "0") != "0":
        return None
    size = int(Decimal(memory[1].replace(",", "")) * GIB)
    return NodeShape.model_validate({"cpu": cores, "memory": size})


def _azure(data: Mapping[str, Any], machines: Mapping[str, Price], where: str) -> Iterator[Price]:
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in data["Items"]:
        known = machines.get(str(row.get("armSkuName", "")).lower())
        if known is not None and "Windows" not in row.get("productName", ""):
            rows.setdefault(known.sku.lower(), []).append(row)
    for sku, items in rows.items():
        known = machines[sku]
        regions = {row.get("armRegionName", "") for row in items}
        region = known.region if known.region in regions or len(regions) > 1 else next(iter(regions))
        amount, terms, date, currency = None, {}, "", ""
        for row in (row for row in items if row.get("armRegionName") == region):
            price, meter = _amount(row["retailPrice"], where, f"retailPrice of {sku}"), row.get("meterName", "")
            if "Low Priority" in meter:
                continue
            date = max(date, _dated(row.get("effectiveStartDate"), where, f"effectiveStartDate of {sku}"))
            currency = _currency(row.get("currencyCode") or data.get("BillingCurrency"), where)
            if row.get("type") == "Reservation" and row.get("reservationTerm") in _YEARS:
                term, years = _YEARS[row["reservationTerm"]]
                terms[term] = round(price / (years * HOURS_PER_YEAR), 6)
            elif "Spot" in meter:
                terms["spot"] = price
            elif row.get("type") == "Consumption":
                amount = price
        if amount is not None or terms:
            yield _made(
                known, region=region, amount=amount, currency=currency, terms=terms, as_of=date, source=AZURE_PAGE
            )


_USAGES: Final[Mapping[str, OtherTerm]] = {
    "Preemptible": "spot",
    "Commit1Yr": "reserved",
    "Commit3Yr": "reserved-3y",
}
_PARTS: Final = re.compile(
    r"(?:Spot Preemptible )?(?P<series>[A-Z][0-9][A-Z]?)\b.* Instance (?P<part>Core|Ram) running in", re.IGNORECASE
)
_GPU_PART: Final = re.compile(r".*?\b(?P<gpu>[A-Z]+[0-9]+)\b(?: (?P<size>[0-9]+GB))?.* GPU .*running in", re.IGNORECASE)


def _gcp(data: Mapping[str, Any], machines: Mapping[str, Price], where: str) -> Iterator[Price]:
    rates: dict[tuple[str, str, str, str], tuple[Decimal, str, str]] = {}
    for sku in data["skus"]:
        usage = sku.get("category", {}).get("usageType", "OnDemand")
        part = _gcp_part(str(sku.get("description", "")))
        if part is None or usage not in ("OnDemand", *_USAGES):
            continue
        info = sku["pricingInfo"][-1]
        unit = info["pricingExpression"]["tieredRates"][-1]["unitPrice"]
        named = f"unitPrice of {sku.get('skuId')}"
        whole, nanos = (_amount(unit.get(key) or 0, where, named) for key in ("units", "nanos"))
        amount = whole + nanos / 10**9
        date = _dated(info.get("effectiveTime"), where, f"effectiveTime of {sku.get('skuId')}")
        for region in sku.get("serviceRegions", ()):
            rates[*part, region, usage] = (amount, _currency(unit.get("currencyCode"), where), date)
    for known in machines.values():
        if known.provider != "gcp" or known.node is None:
            continue
        listed = _gcp_machine(known, "OnDemand", rates)
        if listed is None:
            continue
        amount, currency, date = listed
        found = {term: _gcp_machine(known, usage, rates) for usage, term in _USAGES.items()}
        terms = {term: one[0] for term, one in found.items() if one is not None}
        yield _made(
            known, region=known.region, amount=amount, currency=currency, terms=terms, as_of=date, source=GCP_PAGE
        )


def _gcp_part(description: str) -> tuple[str, str] | None:
    match = _PARTS.match(description)
    if match:
        return match["series"].lower(), match["part"].lower()
    match = _GPU_PART.match(description)
    return ("gpu", f"{match['gpu']}{'-' + match['size'] if match['size'] else ''}".lower()) if match else None


def _gcp_machine(
    price: Price, usage: str, rates: Mapping[tuple[str, str, str, str], tuple[Decimal, str, str]]
) -> tuple[Decimal, str, str] | None:
    """Return what a machine costs by its cores, memory and GPUs; None where a part is not priced."""
    node = price.node
    if node is None:
        return None
    series = price.sku.split("-")[0].lower()
    gpu = node.gpu_model.lower()
    parts = [([(series, "core")], Decimal(node.cpu) / 1000), ([(series, "ram")], Decimal(node.memory) / GIB)]
    if node.gpus:
        parts.append(([("gpu", gpu), ("gpu", gpu.split("-")[0])], Decimal(node.gpus)))
    total, currency, newest = Decimal(0), "", ""
    for keys, count in parts:
        rate = next((rates[*key, price.region, usage] for key in keys if (*key, price.region, usage) in rates), None)
        if rate is None:
            return None
        total, currency, newest = total + rate[0] * count, rate[1], max(newest, rate[2])
    return round(total, 6), currency, newest
