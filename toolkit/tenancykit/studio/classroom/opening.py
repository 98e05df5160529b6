"""Starts the hub of a class: JupyterHub and its proxy on loopback, or on an address with TLS."""

from __future__ import annotations

import http.client
import importlib.util
import ipaddress
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from kubeanswers.errors import Fault, InputError, MissingExtraError, OutputError
from kubeanswers.source import read_text
from tenancykit.report.lab import ended_with_parent, notebooks
from tenancykit.studio.classroom.holding import held
from tenancykit.studio.classroom.roster import Seat, seats
from tenancykit.studio.classroom.settings import SETTINGS, ClassSettings

PER_PARTICIPANT_MIB: Final = 450
"""Memory to hold ready for one participant. Measured: 244 MiB for a server and a kernel that has passed exercise 1
(benchmarks/class_hub.py, twenty participants); the rest is for a second open notebook (assumption)."""

_PATIENCE: Final = 180.0
_END_OF_LOG: Final = 65_536
_PRIVATE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
_PROXY: Final = "configurable-http-proxy"
_PROXY_VERSION: Final = "5"
_CONFIG: Final = Path(__file__).with_name("hub_config.py")
_MEMORY: Final = Path("/proc/meminfo")


def open_class(
    count: int,
    *,
    folder: Path,
    port: int,
    address: str = "127.0.0.1",
    roster: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> int:
    """Serve a class until it is stopped, and return the hub's exit code.

    Args:
        count: number of participants.
        folder: where copies, results and the hub's own files go; what stands there from before is kept.
        port: port that browsers ask.
        address: address that browsers ask; other than loopback only with a certificate.
        roster: file with a name a line.
        certificate: TLS certificate (PEM).
        key: its key.

    Raises:
        InputError: a number, a name or a file is wrong, or an address is to be served without TLS.
        MissingExtraError: JupyterHub or JupyterLab is not installed.
        OutputError: a port is taken, the folder cannot be written, or the proxy cannot be installed.
    """
    seated = seats(count, roster)
    _check_safe(address, certificate, key)
    for module, name, extra in (("jupyterhub", "JupyterHub", "class"), ("jupyterlab", "JupyterLab", "class")):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(name, extra)
    _check_free(address, port)
    place = folder.resolve()
    with held(place) as lock:
        settings = ClassSettings(
            folder=place,
            notebooks=notebooks().resolve(),
            address=address,
            port=port,
            inner=_free_ports(),
            proxy=proxy_command(place / "hub"),
            certificate=certificate and certificate.resolve(),
            key=key and key.resolve(),
            accounts={seat.name: seat.account() for seat in seated},
        )
        return _serve(settings, seated, lock)


def _serve(settings: ClassSettings, seated: tuple[Seat, ...], lock: int) -> int:
    """Run the hub until it is stopped; what it and everybody's servers say goes to a file, not between passwords."""
    file = _written(settings)
    with os.fdopen(os.open(settings.log, _PRIVATE, 0o600), "wb") as log:
        hub = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "jupyterhub", "-f", str(_CONFIG), "--log-level=ERROR"],
            cwd=settings.own,
            env={**os.environ, SETTINGS: str(file), "PYTHONWARNINGS": "ignore"},
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            preexec_fn=ended_with_parent,  # noqa: PLW1509 - one system call, before any thread of the child
        )
    try:
        _wait_for(settings, hub)
        print(_told(settings, seated), flush=True)  # noqa: T201 - the passwords are said once, and kept nowhere
        return hub.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        hub.terminate()
        hub.wait()


def _check_safe(address: str, certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        missing = "--key" if key is None else "--certificate"
        raise InputError(Fault(missing, "is missing", "a certificate and its key, both or none"))
    for option, file in (("--certificate", certificate), ("--key", key)):
        if file is not None and not file.is_file():
            raise InputError(Fault(option, f"{file} is no file"))
    try:
        inside = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise InputError(Fault("--address", f"is {address!r}", "an IP address, such as 127.0.0.1")) from None
    if not inside and certificate is None:
        cure = "give --certificate and --key, or let participants come through an SSH tunnel to 127.0.0.1"
        raise InputError(Fault("--address", f"passwords would cross {address} in the clear", cure=cure))


def _check_free(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((address, port))
        except OSError as error:
            told = f"port {port} on {address} cannot be served ({error.strerror}); choose another with --port"
            raise OutputError(told) from None


def _free_ports() -> tuple[int, int, int]:
    """Return three ports nobody listens on, for what only the hub itself talks to."""
    held = [socket.socket() for _ in range(3)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        first, second, third = (int(one.getsockname()[1]) for one in held)
    finally:
        for one in held:
            one.close()
    return first, second, third


def proxy_command(folder: Path) -> tuple[str, ...]:
    """Return the command of JupyterHub's proxy: the one on the path, else one that npm installs into a folder.

    Raises:
        OutputError: there is no Node.js or npm, or the registry cannot be reached; told with what to do.
    """
    found = shutil.which(_PROXY)
    if found:
        return (found,)
    installed = folder / "node_modules" / ".bin" / _PROXY
    if installed.exists():
        return (str(installed),)
    npm = shutil.which("npm")
    cure = "install Node.js with npm and run npm install -g configurable-http-proxy, or use the container file"
    if npm is None or shutil.which("node") is None:
        raise OutputError(f"JupyterHub needs {_PROXY}, a Node.js program, and there is no Node.js here: {cure}")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = f"{_PROXY}@{_PROXY_VERSION}"
    done = subprocess.run(  # noqa: S603 - a fixed package
        [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", f"--prefix={folder}", wanted],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode or not installed.exists():
        last = next((line for line in reversed(done.stderr.splitlines()) if "error" in line.lower()), "no reason given")
        raise OutputError(f"npm could not install {wanted} ({last.strip()[:200]}): {cure}")
    return (str(installed),)


def _wait_for(settings: ClassSettings, hub: subprocess.Popen[bytes]) -> None:
    """Wait until the hub answers and the proxy leads to it.

    Raises:
        OutputError: it ends before, or does not answer for minutes.
    """
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and hub.poll() is None:
        if _answers(settings):
            return
        time.sleep(0.5)
    with settings.log.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - _END_OF_LOG))
        said = log.read(_END_OF_LOG).decode(errors="replace").split("\n")
    last = next((line.strip()[:300] for line in reversed(said) if line.strip()), "nothing")
    where = f"{settings.address}:{settings.port}"
    raise OutputError(f"the class's hub does not start on {where}; {settings.log} ends with: {last}")


def _answers(settings: ClassSettings) -> bool:
    """Return whether the hub answers through the proxy: the proxy listens some seconds before it knows the hub."""
    here = "127.0.0.1" if settings.address in {"0.0.0.0", "::"} else settings.address  # noqa: S104 - compared
    if settings.certificate is None:
        connection = http.client.HTTPConnection(here, settings.port, timeout=5)
    else:
        context = ssl.create_default_context(cafile=str(settings.certificate))
        context.check_hostname = False  # it is our own server, asked for by its address
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        connection = http.client.HTTPSConnection(here, settings.port, timeout=5, context=context)
    try:
        connection.request("GET", "/hub/health")
        return connection.getresponse().status == http.client.OK
    except ssl.SSLError:
        return True  # it listens with a certificate of somebody we do not know; browsers may
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _written(settings: ClassSettings) -> Path:
    """Write the settings for the hub, readable by oneself alone, and return the file."""
    file = settings.own / "class.json"
    try:
        with os.fdopen(os.open(file, _PRIVATE, 0o600), "w", encoding="utf-8") as opened:
            opened.write(settings.model_dump_json())
    except OSError as error:
        raise OutputError(f"{error.filename or file}: {error.strerror}") from None
    return file


def _told(settings: ClassSettings, seated: tuple[Seat, ...]) -> str:
    scheme = "https" if settings.certificate else "http"
    where = f"[{settings.address}]" if ":" in settings.address else settings.address
    address = f"{scheme}://{where}:{settings.port}"
    lines = [
        f"Class: {address}   progress: {address}/services/progress/ (trainer)",
        f"Copies, designs handed in and progress stay in {settings.folder}; what the hub says goes to {settings.log}.",
        "Stop it with Ctrl-C; started again with the same folder, everybody goes on where they were.",
        "Everybody's notebooks run as you: participants could read each other's files. Give seats to people you trust.",
        *_tight(len(settings.participants)),
        "",
        f"{'account':<24}password (said once)",
        *(f"{seat.name:<24}{seat.password}" for seat in seated),
    ]
    return "\n".join(lines)


def _tight(count: int) -> list[str]:
    """Return a warning where the machine's free memory does not hold the class."""
    found = re.search(r"MemAvailable:\s+([0-9]+) kB", read_text(_MEMORY)) if _MEMORY.exists() else None
    if found is None:
        return []
    room = int(found[1]) // 1024 // PER_PARTICIPANT_MIB
    told = f"{PER_PARTICIPANT_MIB} MiB each, {int(found[1]) // 1024:,} MiB are free"
    return [f"Memory holds about {room} participants at once, not {count} ({told})."] if room < count else []
