from collections.abc import Mapping
from typing import Any


def is_custom(api_version: str, kind: str) -> bool:
    group = api_version.rpartition("/")[0]
    return "." in group and not (
        group.endswith(".k8s.io")
        and not group.endswith(".x-k8s.io")
        and group not in ("gateway.networking.k8s.io", "policy.networking.k8s.io")
    )


def faults(obj: Mapping[str, Any]) -> list[str]:
    return []
