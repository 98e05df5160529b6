"""The kinds of failure, all under one root, and the fault that names a place and a cure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong with an input.

    Attributes:
        where: place, as ``file:line`` and field path where known, e.g. ``acme.yaml:14: tenants.classes[0].kind``.
        what: what is wrong, with the offending value.
        allowed: what would have been accepted; empty when the cure says it all.
        cure: what to do about it.
    """

    where: str
    what: str
    allowed: str = ""
    cure: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}"]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.cure:
            parts.append(self.cure)
        return "; ".join(parts)


class TenancyKitError(Exception):
    """Root of every error this package raises on purpose."""


class InputError(TenancyKitError):
    """An input is wrong; carries every fault found in it.

    Attributes:
        faults: the faults in the order of their places.
    """

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class CatalogueError(InputError):
    """A catalogue file (ours or a user's overlay) is wrong."""


class OutputError(TenancyKitError):
    """A result could not be written; nothing half-written is left behind."""


class UndecidedError(TenancyKitError):
    """A question has no answer from the given input; never answered by a guess."""


class MissingExtraError(TenancyKitError):
    """An optional dependency is needed for this call; names the extra to install."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; install it with: pip install 'tenancykit[{extra}]'")


def did_you_mean(word: str, known: Iterable[str], *, alike: float = 0.6) -> str:
    """Return ``did you mean gvisor?`` for the closest known word whatever its case, or an empty string.

    Args:
        word: what was written.
        known: what may be written.
        alike: least share of letters in common, 0 to 1.
    """
    import difflib  # noqa: PLC0415 - not before a word was wrong: every command imports this module

    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(str(word).casefold(), list(folded), n=1, cutoff=alike)
    return f"did you mean {folded[close[0]]}?" if close else ""
