"""Saved sessions of the studio: a versioned JSON file, checked like every other input."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from kubeanswers.errors import Fault, InputError
from kubeanswers.source import MAX_BYTES, parse_yaml, read_text
from kubeanswers.writing import write_text
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import Design, choose
from tenancykit.examples import EXAMPLES, example
from tenancykit.report.payload import to_json
from tenancykit.scenario.fields import CriterionId, Model
from tenancykit.scenario.model import Weights
from tenancykit.studio.state import State
from tenancykit.validation import validate
from tenancykit.version import __version__

SCHEMA: Final = "tenancykit/session/v1"
_SHOWN: Final = 60
"""Characters of a wrong value that a message repeats."""


class OwnDesign(Model):
    """A design that is neither a reference architecture nor a variant of one."""

    id: str = Field(min_length=1)
    """Its id."""
    name: str
    """Its title."""
    options: dict[str, tuple[str, ...]]
    """Option ids per tenant class."""
    origin: str = "own"
    """Where it comes from: ``own`` or ``explored``."""

    @classmethod
    def of(cls, design: Design) -> OwnDesign:
        """Return a design as it is saved."""
        options = {class_id: choice.options for class_id, choice in design.choices.items()}
        return cls(id=design.id, name=design.name, options=options, origin=design.origin)

    def read(self, catalogue: Catalogue) -> Design:
        """Return the design.

        Raises:
            InputError: an option is unknown, or a layer is empty or taken twice.
        """
        choices = {class_id: choose(catalogue, options) for class_id, options in self.options.items()}
        return Design(self.id, self.name, choices, self.origin)


class SessionFile(Model):
    """What the studio remembers between two visits."""

    schema_version: Literal["tenancykit/session/v1"] = Field(alias="schema")
    """Version of this format."""
    tenancykit: str = ""
    """Version of the toolkit that wrote the file."""
    scenario: str = Field(min_length=1)
    """The scenario as YAML text, as it was edited; it may hold faults."""
    valid_scenario: str = ""
    """The last text without faults, where ``scenario`` holds some."""
    example: str = ""
    """Name of the shipped example the scenario's files come from, if any."""
    folder: str = ""
    """Folder of the scenario's files (traces), relative to this file."""
    weights: Weights
    """Weights of the criteria."""
    candidates: tuple[str, ...] | None = None
    """Designs that are compared; all where absent."""
    variants: tuple[str, ...] = ()
    """Further designs as text, such as ``RA01 +node_dedicated_tenant``."""
    own: tuple[OwnDesign, ...] = ()
    """Further designs, option by option."""
    opened: str = ""
    """Design that is open; the first in rank where empty."""
    beside: str = ""
    """Design compared with it; the runner-up where empty."""
    criterion: CriterionId = "isolation"
    """Criterion that is open."""
    writer: str = ""
    """The page that keeps the file after every step; empty for a file saved once."""

    def place(self, beside: Path) -> Path | None:
        """Return the folder of the scenario's files.

        Args:
            beside: the session's file.

        Raises:
            InputError: the folder does not exist any more.
        """
        if self.example:
            if self.example not in EXAMPLES:
                raise InputError(Fault(f"{beside}: example", f"unknown example {self.example!r}", ", ".join(EXAMPLES)))
            return example(self.example).parent
        if not self.folder:
            return None
        with contextlib.suppress(ValueError):  # a path that holds a NUL
            folder = (beside.parent / self.folder).resolve()
            if folder.is_dir():
                return folder
        raise InputError(
            Fault(f"{beside}: folder", f"no such folder {self.folder!r}", cure="put the scenario's files there")
        )


def read_session(path: str | os.PathLike[str]) -> SessionFile:
    """Return a saved session.

    Raises:
        InputError: the file is missing, is no session, or is of another version; every fault at once.
    """
    return parse_session(read_text(path), str(path))


def parse_session(text: str, name: str) -> SessionFile:
    """Return the session written in JSON text.

    Raises:
        InputError: as :func:`read_session`.
    """
    if len(text) > MAX_BYTES:
        raise InputError(Fault(name, f"is {len(text) / 2**20:.0f} MiB large", f"at most {MAX_BYTES / 2**20:.0f} MiB"))
    document = parse_yaml(text, name)
    if isinstance(document.data, dict) and document.data.get("schema", SCHEMA) != SCHEMA:
        found = str(document.data["schema"])[:_SHOWN]
        raise InputError(
            Fault(
                document.where(("schema",)), f"{found!r} is not a session this version reads", SCHEMA, "save it again"
            )
        )
    return validate(SessionFile, document)


def write_session(session: SessionFile, path: str | os.PathLike[str]) -> Path:
    """Write a session and return its path; a reader sees the old file or the new one.

    Raises:
        OutputError: the file cannot be written.
    """
    file = Path(path)
    data = session.model_dump(mode="json", by_alias=True)
    write_text(file, to_json({**data, "tenancykit": __version__}) + "\n", ours=SCHEMA)
    return file


def session_file(state: State, weights: Weights, beside: Path, writer: str = "") -> SessionFile:
    """Return a state as it is saved.

    Args:
        state: the state.
        weights: its weights, normalised.
        beside: the file it will be written to; the scenario's folder is kept relative to it.
        writer: the page that keeps the file, if one does.
    """
    folder = state.question.scenario.folder
    shipped = example_of(folder)
    return SessionFile(
        schema_version=SCHEMA,
        scenario=state.text,
        valid_scenario=state.question.text if state.draft else "",
        example=shipped,
        folder=os.path.relpath(folder, beside.parent.resolve()) if folder and not shipped else "",
        weights=weights,
        candidates=state.candidates,
        variants=state.variants,
        own=tuple(OwnDesign.of(design) for design in state.own),
        opened=state.opened,
        beside=state.beside,
        criterion=state.criterion,
        writer=writer,
    )


def example_of(folder: Path | None) -> str:
    """Return the name of the shipped example a folder belongs to, or an empty text."""
    if folder is None:
        return ""
    return next((name for name in EXAMPLES if example(name).parent.resolve() == folder.resolve()), "")
