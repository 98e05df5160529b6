"""Labels and annotations by which our objects are known: one name for who writes them and who reads them."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "tenancykit.dev"
TENANT_LABEL: Final = f"{PREFIX}/tenant"
CLASS_LABEL: Final = f"{PREFIX}/class"
POOL_LABEL: Final = f"{PREFIX}/pool"
"""Label and taint of nodes: the class or the tenant whose pods they take."""
EXPOSED_LABEL: Final = f"{PREFIX}/exposed"
WORKLOAD_LABEL: Final = f"{PREFIX}/workload"
SYSTEM_LABEL: Final = f"{PREFIX}/system"
SERVES: Final = f"{PREFIX}/serves"
"""Tenant that objects of the platform's own serve, where their namespace does not say it."""
