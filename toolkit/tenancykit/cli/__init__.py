"""The command line.

Exit codes, the same for every command: 0 fine; 1 findings, or a question its input does not decide; 2 bad input, or no
answer from a server; 3 our own fault (please report it). 130 and 143 say that somebody stopped it.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NoReturn, TextIO, cast

from kubeanswers.collector import returned_collector
from kubeanswers.errors import Fault, InputError, TenancyKitError, UndecidedError
from kubeanswers.inputs import set_patience
from kubeanswers.terminal import Escaping, one_line
from kubeanswers.writing import refuse_same
from tenancykit.cli.arguments import COMMANDS, common_arguments
from tenancykit.version import __version__

OK, FINDINGS, BAD_INPUT, OWN_FAULT, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143

_ALLOCATED: Final = 300_000
"""Objects made between two looks for circles of references: a command makes many that live until it ends, and looking
every 700, as Python does by itself, took a tenth of a comparison's time."""

_NO_VALUE: Final = re.compile(r"--?[a-zA-Z][\w-]*=--|-[a-zA-Z]--")
"""An option whose value is two hyphens, for which Python's own parser gives an empty list instead of a text."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a caller that goes on afterwards has its collector as it was.

    Called without arguments it ends the process with that code.
    """
    if arguments is None:
        code = _command(sys.argv[1:])
        with contextlib.suppress(OSError, ValueError):  # what cannot be written is told as Python leaves
            sys.stdout.flush()
            sys.stderr.flush()
            if threading.active_count() == 1:
                os._exit(code)  # taking apart all that the process holds took a thirtieth of a comparison's time
        return code
    with returned_collector():
        return _command(arguments)


def _command(words: Sequence[str]) -> int:
    gc.set_threshold(_ALLOCATED)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them reads every installed package
    _prepare_streams()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    out, err = (cast("TextIO", Escaping(stream)) for stream in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        asked = next((word for word in words if not word.startswith("-")), "")
        if nothing := next(filter(_NO_VALUE.fullmatch, words), ""):
            return _failed(InputError(Fault(nothing, "two hyphens are no value", "a value, or no such option")))
        options = command_line(asked).parse_args(words)
        try:
            return _run(options)
        except BrokenPipeError:
            _drop_output()
            return OK
        except (TenancyKitError, OSError) as error:
            return _failed(error)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line and by its own exit code
            return _own_fault(error, trace=options.debug)


def _run(options: argparse.Namespace) -> int:
    set_patience(options.patience)
    read = () if _continues(options) else _named(options, _READ)
    refuse_same(_named(options, _WRITTEN), read, force=getattr(options, "force", False))
    module, function = options.run.split(":")
    code = int(getattr(importlib.import_module(f"tenancykit.cli.{module}"), function)(options))
    sys.stdout.flush()
    return code


_READ: Final = (
    *("paths", "files", "scenario", "folder", "record", "evidence", "resume", "before", "read", "calibration"),
    *("catalogue", "quotas", "tenants", "crds", "against", "node_type", "kubeconfig", "roster", "certificate"),
    *("key", "store"),
)
_WRITTEN: Final = ("to", "sarif", "junit", "save", "applied", "front", "picture")
"""Options that name what a command reads and what it writes, in every command."""


def _named(options: argparse.Namespace, names: Sequence[str]) -> list[str]:
    found = [getattr(options, name, None) for name in names]
    return [text for one in found for text in (one if isinstance(one, list) else [one]) if text is not None]


def _continues(options: argparse.Namespace) -> bool:
    """Return whether a command goes on with the file it writes: a sweep that is resumed and saved."""
    save, resume = getattr(options, "save", None), getattr(options, "resume", None)
    return bool(save and resume and Path(save).absolute() == Path(resume).absolute())


def _own_fault(error: Exception, *, trace: bool) -> int:
    """Say where the toolkit itself went wrong, without the values it was working on, which may be secret."""
    import traceback  # noqa: PLC0415 - not before something went wrong

    frames = [(Path(frame.filename).parts, frame) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(parts, frame) for parts, frame in frames if _PACKAGES.intersection(parts)]
    parts, place = (ours or frames)[-1]
    file = "/".join(parts[max(parts.index(name) for name in _PACKAGES.intersection(parts)) :] if ours else parts[-1:])
    print(
        f"error: our own fault: {type(error).__name__} at {file}:{place.lineno} in {place.name} "
        f"(tenancykit {__version__}); please report this line and the command, as "
        "SECURITY.md says; --debug shows the trace, which may quote what you gave it",
        file=sys.stderr,
    )
    if trace:
        traceback.print_exception(error)
    return OWN_FAULT


_PACKAGES: Final = frozenset({"tenancykit", "kubeanswers"})


def _terminated(_number: int, _frame: object) -> NoReturn:
    """Leave through every clean-up, so that nothing half-written stays behind."""
    raise SystemExit(TERMINATED)


def _prepare_streams() -> None:
    """Let a closed output swallow what is printed, and a terminal that lacks a character show its number."""
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _failed(error: TenancyKitError | OSError) -> int:
    """Say what went wrong, a line per fault, and return the exit code."""
    if isinstance(error, InputError):
        told = [str(fault) for fault in error.faults]
    elif isinstance(error, OSError):
        _drop_output()
        told = [f"{error.filename or 'output'}: {error.strerror or error}"]
    else:
        told = [str(error)]
    undecided = isinstance(error, UndecidedError)
    for line in told:
        print(f"{'undecided' if undecided else 'error'}: {one_line(line)}", file=sys.stderr)
    return FINDINGS if undecided else BAD_INPUT


def _drop_output() -> None:
    """Let what is still buffered go nowhere, so that leaving does not fail a second time."""
    with contextlib.suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Help(argparse.HelpFormatter):
    """Asks for the terminal's width once, not for every argument it is told of."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns(os.environ.get("COLUMNS")))


@cache
def _columns(_stated: str | None) -> int:
    return shutil.get_terminal_size().columns - 2


def command_line(asked: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of every command; where one is asked for, the arguments of that one alone are told to it."""
    parser = argparse.ArgumentParser(
        prog="tenancykit",
        formatter_class=_Help,
        description="Compare, explain and export Kubernetes tenancy designs for AI platforms.",
        epilog="Exit codes: 0 fine, 1 findings (nobody admitted, a check failed, not decided), "
        "2 bad input or no answer from a server, 3 our own fault.",
    )
    parser.add_argument("--version", action="version", version=f"tenancykit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        described = f"{command.text[0].upper()}{command.text[1:]}."
        added = commands.add_parser(command.name, help=command.text, description=described, formatter_class=_Help)
        if asked in (None, command.name):
            common_arguments(added)
            command.arguments(added)
            added.set_defaults(run=command.run)
    return parser
