"""Kubernetes features by minor version: the stage each reached, and whether it is on by default there."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from tenancykit.catalogue.model import Entry, Id, SourceKey

Stage = Literal["absent", "alpha", "beta", "stable"]
Demand = Literal["alpha", "beta", "on", "stable"]

SHOWN: Final = ("1.34", "1.35", "1.36", "1.37")
"""Minor versions a listing shows, those that are maintained somewhere."""


class Feature(Entry):
    """A feature of Kubernetes, with the minor version in which each stage began; empty where it has not."""

    id: Id
    title: str
    """What it is."""
    gates: tuple[str, ...] = ()
    """Feature gates that switch it."""
    alpha: str = ""
    """Minor version of its first alpha."""
    beta: str = ""
    """Minor version of its beta."""
    on: str = ""
    """Minor version from which it is on by default."""
    stable: str = ""
    """Minor version in which it became stable."""
    api: dict[str, str] = Field(default_factory=dict)
    """API version it is used by, from each minor version on."""
    effect: str = ""
    """What it changes for tenants."""
    source: SourceKey
    assumption: bool = False
    """Whether a minor version is our reading where the source names a stage only."""

    def stage(self, version: str) -> Stage:
        """Return the stage it has in a minor version."""
        reached: Stage = "absent"
        for stage, since in (("alpha", self.alpha), ("beta", self.beta), ("stable", self.stable)):
            if since and minor(version) >= minor(since):
                reached = stage  # type: ignore[assignment]
        return reached

    def enabled(self, version: str) -> bool:
        """Return whether it is on by default in a minor version."""
        return bool(self.on) and minor(version) >= minor(self.on)

    def since(self, demand: Demand) -> str:
        """Return the first minor version that meets a demand; empty where none we know does."""
        order: tuple[Demand, ...] = ("alpha", "beta", "stable")
        later = ("on",) if demand == "on" else order[order.index(demand) :]
        return min(filter(None, (str(getattr(self, name)) for name in later)), key=minor, default="")

    def api_version(self, version: str) -> str:
        """Return the API version to use in a minor version; empty where it serves none."""
        served = [since for since in self.api if minor(since) <= minor(version)]
        return self.api[max(served, key=minor)] if served else ""


def minor(version: str) -> int:
    """Return the number of a minor version ``1.N``."""
    return int(version.split(".")[1])
