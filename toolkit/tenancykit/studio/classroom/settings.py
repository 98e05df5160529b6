"""What the class's hub is started with: one file, written by the command and read by the hub and its services."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import read_bytes
from tenancykit.scenario.fields import Model
from tenancykit.studio.classroom.roster import TRAINER, Account

SETTINGS: Final = "TENANCYKIT_CLASS"
"""Environment variable that names the file."""

_LARGEST: Final = 1024 * 1024


class ClassSettings(Model):
    """A class."""

    folder: Path
    """Where participants' copies, the group's designs and the hub's own files stand."""
    notebooks: Path
    """What every participant gets a copy of."""
    address: str
    """Address the proxy listens on."""
    port: int
    """Its port."""
    inner: tuple[int, int, int] = Field()
    """Ports on loopback of the hub, the proxy's interface and the progress board."""
    proxy: tuple[str, ...]
    """Command that starts the proxy."""
    certificate: Path | None = None
    """TLS certificate (PEM); none on loopback."""
    key: Path | None = None
    """Its key."""
    idle: int = Field(default=3600, ge=60)
    """Seconds after which a server nobody uses stops."""
    accounts: dict[str, Account]
    """Accounts by name, the trainer's among them."""

    def home(self, name: str) -> Path:
        """Return the folder of one account."""
        return self.folder / "participants" / name

    @property
    def group(self) -> Path:
        """The folder that designs are handed in to."""
        return self.folder / "group"

    @property
    def progress(self) -> Path:
        """The folder that passed checks are noted in."""
        return self.folder / "progress"

    @property
    def own(self) -> Path:
        """The folder of the hub's own files."""
        return self.folder / "hub"

    @property
    def log(self) -> Path:
        """The file of what the hub, its proxy, the board and everybody's servers say."""
        return self.own / "hub.log"

    @property
    def participants(self) -> tuple[str, ...]:
        """Names of all accounts but the trainer's."""
        return tuple(name for name in self.accounts if name != TRAINER)


def read_settings() -> ClassSettings:
    """Return the settings of the class this process belongs to.

    Raises:
        InputError: it belongs to none, or the file is not as we write it.
    """
    name = os.environ.get(SETTINGS, "")
    if not name:
        raise InputError(Fault(SETTINGS, "is not set", cure="start the hub with tenancykit lab --class"))
    try:
        return ClassSettings.model_validate_json(read_bytes(Path(name), _LARGEST))
    except ValidationError as error:
        raise InputError(Fault(name, error.errors()[0]["msg"])) from None
