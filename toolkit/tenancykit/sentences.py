"""How sentences list and count things."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """Return names as people list them: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def with_and_without(more: Sequence[str], less: Sequence[str]) -> list[str]:
    """Return what something has and lacks as parts of a sentence: ``with a and b``, ``without c``; none where empty."""
    return [f"{word} {listed(names)}" for word, names in (("with", more), ("without", less)) if names]


def three_digits(number: float) -> str:
    """Return a number with three significant digits and thousands separated."""
    if number == 0:
        return "0"
    if abs(number) >= 100:
        digits = len(str(int(abs(number)))) - 3
        return f"{round(number, -digits):,.0f}"
    return f"{number:.3g}"


def number_of(count: int) -> str:
    """Return a number of designs: in full below a million, then in words, then in powers of ten."""
    if count < 1_000_000:
        return f"{count:,}"
    for size, word in ((10**15, "quadrillion"), (10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if size <= count < 1000 * size:
            return f"{count / size:.3g} {word}"
    return f"{count:.3g}"
