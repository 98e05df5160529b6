"""Who sits in a class: account names with passwords, of which only salted hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import Field

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from kubeanswers.source import read_text
from tenancykit.scenario.fields import Model
from tenancykit.scenario.naming import kubernetes_name

TRAINER: Final = "trainer"
MOST: Final = 200
"""Participants one hub is asked for at most. Assumption: beyond, a hosted hub is the tool."""

_LETTERS: Final = "bcdfghjkmnpqrstvwxz"
"""Letters that are told apart when read aloud and written by hand."""


class Account(Model):
    """What is kept of an account."""

    salt: str = Field(pattern="^[0-9a-f]{32}$")
    """Salt of the hash."""
    hash: str = Field(pattern="^[0-9a-f]{64}$")
    """Hash of the password (scrypt)."""


@dataclass(frozen=True)
class Seat:
    """One account as it is handed out.

    Attributes:
        name: account name.
        password: its password; kept nowhere.
    """

    name: str
    password: str

    def account(self) -> Account:
        """Return what is kept of it."""
        salt = secrets.token_bytes(16)
        return Account(salt=salt.hex(), hash=_hashed(self.password, salt))


def seats(count: int, roster: Path | None = None) -> tuple[Seat, ...]:
    """Return the trainer's account and one for every participant, each with a new password.

    Args:
        count: number of participants.
        roster: file with a name a line; ``participant-01`` and so on unless given.

    Raises:
        InputError: the number is not one a class can have, the roster cannot be read, has another number of names, or
            two of its names make the same account.
    """
    if not 1 <= count <= MOST:
        raise InputError(
            Fault("--class", f"is {count}", f"1 to {MOST}", "serve more from a hosted hub: docs, Run the workshop")
        )
    names = [f"participant-{n:02d}" for n in range(1, count + 1)] if roster is None else _read(roster, count)
    return tuple(Seat(name, _password()) for name in (TRAINER, *names))


def _read(roster: Path, count: int) -> Sequence[str]:
    taken: dict[str, int] = {TRAINER: 0}
    faults = []
    for number, line in enumerate(read_text(roster).splitlines(), start=1):
        if not line.strip():
            continue
        name = kubernetes_name(line.strip())
        if name in taken:
            whose = f"line {taken[name]} has it" if taken[name] else "it is the trainer's"
            faults.append(Fault(f"{roster}:{number}", f"the account {name!r} is taken: {whose}", cure="add an initial"))
        taken.setdefault(name, number)
    names = [name for name in taken if name != TRAINER]
    if not faults and len(names) != count:
        faults.append(Fault(str(roster), f"holds {len(names)} names", f"{count}, as --class says"))
    if faults:
        raise InputError(faults)
    return names


def admits(accounts: Mapping[str, Account], name: str, password: str) -> bool:
    """Return whether a password is that of an account; as slow for a name nobody has."""
    account = accounts.get(name) or Account(salt="0" * 32, hash="0" * 64)
    return hmac.compare_digest(_hashed(password, bytes.fromhex(account.salt)), account.hash)


def _hashed(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()


def _password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
