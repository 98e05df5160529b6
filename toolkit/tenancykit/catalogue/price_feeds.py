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
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
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
        cure = "ask the provider for Linux machines by the hour, of a sku and region 'catalogue prices --json' lists"
        raise CatalogueError(Fault(f"{file}:1", "prices no machine of the price book", cure=cure))
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
    if not amount.is_finite() or amount < 0:
        cure = "give the file as downloaded"
        raise CatalogueError(Fault(where, f"{what}: {value!r} is no amount", "a number such as 55.04", cure))
    return amount


def _dated(value: Any, where: str, what: str) -> str:
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except (TypeError, ValueError):
        fault = Fault(where, f"{what} has no date", "a date such as 2026-11-01", f"state {what}")
        raise CatalogueError(fault) from None


def _currency(value: Any, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise CatalogueError(Fault(where, f"{value!r} is no currency", "three letters, as in USD"))
    return value


def _one_currency(stated: Iterable[str], where: str, what: str) -> str:
    """Return the currency all parts and terms of a machine are stated in: one price holds no two."""
    found = sorted(set(stated))
    if len(found) > 1:
        text = f"prices of {what} are in {' and '.join(found)}"
        raise CatalogueError(Fault(where, text, "one currency a machine", "ask the provider for one currency only"))
    return found[0]


def _made(known: Price | None, **more: Any) -> Price:
    """Return a price of the book anew with what a feed says, or a new one."""
    if known is not None:
        kept = {"id": known.id, "name": known.name, "provider": known.provider, "sku": known.sku, "node": known.node}
        more = {**kept, **more, "note": "from the provider's own file"}
    return Price(kind="node", per="hour", confidence="A", **more)


def _aws(data: Mapping[str, Any], machines: Mapping[str, Price], where: str) -> Iterator[Price]:
    day = _dated(data.get("publicationDate"), where, "publicationDate")
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
        reserved = list(_aws_reserved(data["terms"].get("Reserved", {}).get(sku, {}), where))
        currency = _one_currency((currency, *(each for _, _, each in reserved)), where, attributes["instanceType"])
        terms = {term: rate for term, rate, _ in reserved}
        yield _made(
            known, **own, region=region, amount=amount, currency=currency, terms=terms, as_of=day, source=AWS_PAGE
        )


def _is_plain(item: Mapping[str, Any]) -> bool:
    """Return whether a product is a shared Linux machine with nothing preinstalled, as on-demand prices list it."""
    a = item.get("attributes", {})
    plain = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
    plain["marketoption"] = "OnDemand"  # a machine within a capacity block is listed at zero, the block elsewhere
    return "instanceType" in a and all(a.get(key, value) == value for key, value in plain.items())


def _aws_rate(offers: Mapping[str, Any], where: str) -> tuple[Decimal, str] | None:
    """Return an offer's hourly rate and currency; None where it has none, or nothing is charged by the hour."""
    for offer in offers.values():
        for rate in offer["priceDimensions"].values():
            if rate.get("unit") == "Hrs":
                currency, amount = next(iter(rate["pricePerUnit"].items()))
                stated = _amount(amount, where, "pricePerUnit")
                return (stated, _currency(currency, where)) if stated else None
    return None


def _aws_reserved(offers: Mapping[str, Any], where: str) -> Iterator[tuple[OtherTerm, Decimal, str]]:
    """Yield commitments without upfront payment, standard class: what compares with an hourly price."""
    for name, offer in offers.items():
        stated = offer.get("termAttributes", {})
        if stated.get("PurchaseOption") != "No Upfront" or stated.get("OfferingClass", "standard") != "standard":
            continue
        term = _YEARS.get(stated.get("LeaseContractLength", ""))
        rate = _aws_rate({name: offer}, where)
        if term and rate:
            yield term[0], *rate


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
        if known is not None and _by_the_hour(row):
            rows.setdefault(known.sku.lower(), []).append(row)
    for sku, items in rows.items():
        known = machines[sku]
        regions = {row.get("armRegionName", "") for row in items}
        region = known.region if known.region in regions or len(regions) > 1 else next(iter(regions))
        here = [row for row in items if row.get("armRegionName") == region]
        dated = [(_dated(row.get("effectiveStartDate"), where, f"effectiveStartDate of {sku}"), row) for row in here]
        found: dict[str, Decimal] = {}
        for _, row in sorted(dated, key=lambda one: one[0]):  # what began last holds
            term, hours = _azure_term(row)
            amount = _amount(row["retailPrice"], where, f"retailPrice of {sku}")
            if term:
                found[term] = round(amount / hours, 6) if hours > 1 else amount
        if found:
            stated = [_currency(row.get("currencyCode") or data.get("BillingCurrency"), where) for row in here]
            yield _made(
                known,
                region=region,
                amount=found.pop("on-demand", None),
                currency=_one_currency(stated, where, sku),
                terms=found,
                as_of=max(day for day, _ in dated),
                source=AZURE_PAGE,
            )


def _by_the_hour(row: Mapping[str, Any]) -> bool:
    """Return whether a row prices a Linux machine by the hour; a commitment's whole sum is stated so, too."""
    other = "Windows" in row.get("productName", "") or "Low Priority" in row.get("meterName", "")
    return not other and row.get("unitOfMeasure", "1 Hour") == "1 Hour"


def _azure_term(row: Mapping[str, Any]) -> tuple[str, int]:
    """Return the term a row prices, none where it is none of ours, and for how many hours."""
    if row.get("type") == "Reservation":
        term, years = _YEARS.get(row.get("reservationTerm", ""), ("", 0))
        return term, years * HOURS_PER_YEAR
    if row.get("type") != "Consumption":
        return "", 1
    return ("spot" if "Spot" in row.get("meterName", "") else "on-demand"), 1


_USAGES: Final[Mapping[str, OtherTerm]] = {
    "Preemptible": "spot",
    "Commit1Yr": "reserved",
    "Commit3Yr": "reserved-3y",
}
_COMMITTED: Final = r"(?:Commitment(?: v[0-9])?: )?"
_PARTS: Final = re.compile(
    r"(?:Spot Preemptible )?" + _COMMITTED + r"(?P<series>[A-Z][0-9][A-Z]?)(?: AMD| Arm| Predefined)?(?: Instance)?"
    r" (?P<part>Core|Cpu|Ram) (?:running )?in ",
    re.IGNORECASE,
)
"""Cores and memory of a series as machines of its own shapes pay for them, not custom shapes or sole tenants."""
_GPU_PART: Final = re.compile(
    _COMMITTED + r"Nvidia (?:Tesla )?(?P<gpu>[A-Z]+[0-9]+)(?: (?P<size>[0-9]+GB))? GPU"
    r"(?: attached to (?:Spot Preemptible )?VMs)? (?:running )?in ",
    re.IGNORECASE,
)
"""A GPU alone; virtual workstations, whose licence is in the price, are other machines."""
_Rates = dict[tuple[str, str, str, str], tuple[Decimal, str, str]]


def _gcp(data: Mapping[str, Any], machines: Mapping[str, Price], where: str) -> Iterator[Price]:
    rates: _Rates = {}
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
        day = _dated(info.get("effectiveTime"), where, f"effectiveTime of {sku.get('skuId')}")
        for region in sku.get("serviceRegions", ()):
            rates[*part, region, usage] = (amount, _currency(unit.get("currencyCode"), where), day)
    regions = {region for _, _, region, _ in rates}
    for known in machines.values():
        if known.provider != "gcp" or known.node is None:
            continue
        region = known.region if known.region in regions or len(regions) != 1 else next(iter(regions))
        found = {usage: _gcp_machine(known, region, usage, rates) for usage in ("OnDemand", *_USAGES)}
        listed = found.pop("OnDemand")
        if listed is None:
            continue
        priced = {_USAGES[usage]: one for usage, one in found.items() if one is not None}
        currencies = (each for one in (listed, *priced.values()) for each in one[1])
        yield _made(
            known,
            region=region,
            amount=listed[0],
            currency=_one_currency(currencies, where, known.sku),
            terms={term: one[0] for term, one in priced.items()},
            as_of=listed[2],
            source=GCP_PAGE,
        )


def _gcp_part(description: str) -> tuple[str, str] | None:
    match = _PARTS.match(description)
    if match:
        return match["series"].lower(), "ram" if match["part"].lower() == "ram" else "core"
    match = _GPU_PART.match(description)
    return ("gpu", f"{match['gpu']}{'-' + match['size'] if match['size'] else ''}".lower()) if match else None


def _gcp_machine(price: Price, region: str, usage: str, rates: _Rates) -> tuple[Decimal, frozenset[str], str] | None:
    """Return what a machine costs by its parts, in which currencies, as of when; None where a part is not priced."""
    node = price.node
    if node is None:
        return None
    series = price.sku.split("-")[0].lower()
    gpu = node.gpu_model.lower()
    parts = [([(series, "core")], Decimal(node.cpu) / 1000), ([(series, "ram")], Decimal(node.memory) / GIB)]
    if node.gpus:
        parts.append(([("gpu", gpu), ("gpu", gpu.split("-")[0])], Decimal(node.gpus)))
    total, currencies, newest = Decimal(0), set(), ""
    for keys, count in parts:
        rate = next((rates[*key, region, usage] for key in keys if (*key, region, usage) in rates), None)
        if rate is None:
            return None
        total, newest = total + rate[0] * count, max(newest, rate[2])
        currencies.add(rate[1])
    return round(total, 6), frozenset(currencies), newest
