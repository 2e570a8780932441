# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by all tiers: `image_to_mesh` is this checkout, and no socket leaves the machine."""

from __future__ import annotations

import atexit
import functools
import ipaddress
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import types
from typing import TYPE_CHECKING, Any

import places
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.promised import Promised

ROOT = places.ROOT
_NAMES = ("BLENDER", "IMAGE_TO_MESH_LIBRARY")


def _make_importable() -> None:
    importable = str(places.link_checkout())
    sys.path.insert(0, importable)
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [importable, inherited]))


def _move_home() -> str:
    """Move the user's files elsewhere: the secret, trust, the default library, the trash.

    Send2Trash reads its folder when it is imported, Blender when it starts.
    """
    home = tempfile.mkdtemp(prefix="image_to_mesh-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA"):
        os.environ[name] = str(pathlib.Path(home, name.lower()))
    return home


# At import, not in a fixture: the tiers' own conftest.py files import the product, and numpy reads
# the number of its threads once. More threads than tests on a machine only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
_make_importable()
_move_home()


class Trash(types.ModuleType):
    """Stands in for the system's trash, so that tests do not fill the real one."""

    def __init__(self, place: Path) -> None:
        super().__init__("send2trash")
        self.place = place

    def send2trash(self, path: Path) -> None:
        """Move a folder to the trash."""
        self.place.mkdir(exist_ok=True)
        shutil.move(path, self.place / path.name)


@pytest.fixture(autouse=True)
def trash_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give each test a trash of its own; return its folder."""
    place = tmp_path.with_name(f"{tmp_path.name}-trash")
    monkeypatch.setitem(sys.modules, "send2trash", Trash(place))
    return place


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@functools.cache
def _names_of_services() -> frozenset[str]:
    """Return the variables from which the providers take keys and addresses."""
    from image_to_mesh.providers import all_providers

    known = all_providers().values()
    keys = {key.environment for provider in known for key in provider.keys}
    return frozenset(keys | {item.address.environment for item in known if item.address})


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the developer's keys, library and network settings from the test."""
    for name in list(os.environ):
        of_network = name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE")
        if of_network or name in _NAMES or name in _names_of_services():
            monkeypatch.delenv(name)
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))


@pytest.fixture
def promised(capsys: pytest.CaptureFixture[str]) -> Promised:
    """Return a `Promised`, which limits the calls and, in a benchmark, the time of work."""

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}")

    from fakes.promised import Promised

    return Promised(tell)


class SocketRefused(BaseException):
    """A test tried to reach another machine. Not an `Exception`, so that no handler swallows it."""


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _refusing(
    real: Callable[..., Any],
    host_of: Callable[[tuple[Any, ...]], object],
    refused: list[str],
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        host = host_of(args)
        if not _is_loopback(host):
            refused.append(str(host))
            raise SocketRefused(f"a test tried to reach {host}")
        return real(*args, **kwargs)

    return call


def _host_of_address(args: tuple[Any, ...]) -> object:
    here, address = args[0], args[-1]
    return None if here.family == getattr(socket, "AF_UNIX", None) else address[0]


def _host_of_name(args: tuple[Any, ...]) -> object:
    return args[0] if args else None


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every connection and every name lookup that is not for this machine."""
    refused: list[str] = []
    for name in ("connect", "connect_ex", "sendto"):
        real = getattr(socket.socket, name)
        monkeypatch.setattr(socket.socket, name, _refusing(real, _host_of_address, refused))
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", _refusing(real, _host_of_name, refused))
    yield
    assert not refused, f"the test tried to reach {', '.join(refused)}"
