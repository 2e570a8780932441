# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are: the checkout, what is made in it, and the cache that checkouts share."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
DIST = BUILD / "dist"
IMPORTABLE = BUILD / "import"
SAMPLE = ROOT / "tests" / "data" / "dahlia.jpg"


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


def fingerprint(*parts: str) -> str:
    """Shorten whatever a cached thing depends on to a part of its name."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock of the cache; whoever comes second waits until the first is through."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder of that name, made first where it is not there or not whole.

    It is made in place, because environments know their own path; a file written last says
    that it is whole.
    """
    folder = cache() / name
    whole = folder / ".whole"
    with locked(name):
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
    if not (link.is_symlink() and link.resolve() == ROOT):
        side = IMPORTABLE / f".link-{os.getpid()}"
        side.symlink_to(ROOT, target_is_directory=True)
        side.replace(link)
    return IMPORTABLE
