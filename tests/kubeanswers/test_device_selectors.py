"""Selectors of device classes and claims mean the devices they mean to the scheduler."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.device_selectors import selects_device

DEVICE: dict[str, Any] = {
    "driver": "gpu.example",
    "allowMultipleAllocations": False,
    "attributes": {
        "gpu.example": {
            "model": {"string": "A100"},
            "index": {"int": 3},
            "ready": {"bool": True},
            "driverVersion": {"version": "550.1.0"},
        }
    },
    "capacity": {"gpu.example": {"memory": "40Gi"}},
}


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ('device.driver == "gpu.example"', True),
        ("device.allowMultipleAllocations", False),
        ('device.attributes["gpu.example"].model.lowerAscii().matches("^a100$")', True),
        ('device.attributes["gpu.example"].index < 3', False),
        ('device.attributes["gpu.example"].driverVersion.isGreaterThan(semver("500.0.0"))', True),
        ('device.capacity["gpu.example"].memory.compareTo(quantity("80Gi")) >= 0', False),
        ('cel.bind(gpu, device.attributes["gpu.example"], gpu.ready && gpu.index == 3)', True),
        ('has(device.attributes["other.example"].model)', False),
        ('"model" in device.attributes["other.example"]', False),
        ('"other.example" in device.attributes', False),
    ],
)
def test_an_expression_selects_the_devices_it_means(expression: str, selected: bool) -> None:
    assert selects_device(expression, DEVICE) is selected


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("device.(", "CEL compile error"),
        ('device.attributes["gpu.example"].nosuch == 1', "CEL runtime error: no such key: nosuch"),
        ('device.attributes["gpu.example"].index', "could not be converted to bool"),
    ],
)
def test_an_expression_that_gives_no_answer_is_an_error(expression: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        selects_device(expression, DEVICE)
