# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders: the checkout, its build folders, and the cache that all checkouts share."""

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
    """Return the extension's manifest."""
    return tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))


def cache() -> Path:
    """Return the folder for what takes long to set up: environments, wheels, the sandboxes.

    It is IMAGE_TO_MESH_CACHE if set, else in the user's cache folder.
    """
    own = os.environ.get("IMAGE_TO_MESH_CACHE")
    if own:
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "image-to-mesh"


def fingerprint(*inputs: str) -> str:
    """Return a short hash of everything that a cached folder depends on, for its name."""
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:12]


def is_root() -> bool:
    """Return whether this process is root, and so may install packages; never on Windows."""
    return sys.platform != "win32" and os.geteuid() == 0


@contextmanager
def hold_lock(name: str) -> Iterator[None]:
    """Wait for the named lock in the cache, and hold it while the block runs."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as handle:
        _lock(handle)
        yield


def _lock(handle: IO[str]) -> None:
    """Wait for the lock on a file, and hold it until the file is closed.

    filelock may not be installed yet, so this does without it.
    """
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
    """Return the cached folder of that name; have `make` fill it first if it is not complete.

    `make` writes to the final folder, because environments contain their own path. A marker file,
    written last, shows that the folder is complete.
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
    """Link the checkout under its package's name, `image_to_mesh`; return the link's folder.

    With that folder on `sys.path` the package can be imported, no matter what the checkout's folder
    is called.
    """
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
        # Replaced in one step: another process may import through the link at this moment.
        side = link.with_name(f".link-{os.getpid()}")
        side.symlink_to(target, target_is_directory=True)
        side.replace(link)
