# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders: the checkout, its build folders, and the cache that checkouts share."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
DIST = BUILD / "dist"
IMPORTABLE = BUILD / "import"
SAMPLE = ROOT / "tests" / "data" / "dahlia.jpg"
LOCK_RETRY = 0.2
"""Seconds between two attempts to take a lock that another process holds, on Windows."""


def manifest() -> dict[str, Any]:
    """Read the manifest, the one place where the version stands."""
    return tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))


def cache() -> Path:
    """Return the folder for what takes long to set up: environments, wheels, the sandbox."""
    own = os.environ.get("IMAGE_TO_MESH_CACHE")
    if own:
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "image-to-mesh"


def fingerprint(*inputs: str) -> str:
    """Hash all that a cached folder depends on into a short part of its name."""
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:12]


def is_root() -> bool:
    """Return whether system packages can be installed without asking; never so on Windows."""
    return sys.platform != "win32" and os.geteuid() == 0


@contextmanager
def hold_lock(name: str) -> Iterator[None]:
    """Hold a lock of the cache; a second process waits until the first has released it."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as handle:
        _lock(handle)
        yield


def _lock(handle: IO[str]) -> None:
    """Lock a file until it is closed, by the standard library: filelock may not be there yet."""
    if sys.platform == "win32":
        import msvcrt

        # LK_LOCK gives up after ten seconds, and setting up an environment takes minutes.
        while True:
            try:
                return msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(LOCK_RETRY)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder of that name, made first where it is not there or not whole.

    It is made in place, because environments know their own path; a file written last says
    that it is whole.
    """
    folder = cache() / name
    whole = folder / ".whole"
    with hold_lock(name):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make(folder)
            whole.touch()
    return folder


def link_checkout() -> Path:
    """Give the checkout, whose folder may be called anything, its package's name by a link."""
    IMPORTABLE.mkdir(parents=True, exist_ok=True)
    link = IMPORTABLE / "image_to_mesh"
    if link.resolve() != ROOT:
        with hold_lock("link"):
            _link_folder(link, ROOT)
    return IMPORTABLE


def _link_folder(link: Path, target: Path) -> None:
    if sys.platform == "win32":
        import _winapi

        # A junction needs no privilege, unlike a symbolic link. It cannot be replaced in one step.
        if link.exists():
            link.rmdir()
        _winapi.CreateJunction(str(target), str(link))
    else:
        side = link.with_name(f".link-{os.getpid()}")
        side.symlink_to(target, target_is_directory=True)
        side.replace(link)
