# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that came with a mesh, found by whatever name it has for them.

A mesh names its files as they were called on its maker's disk: with backslashes, in other letters,
by a path that is nowhere here. Where an importer would not find them by that, a copy of the mesh
is put on a stage, a temporary folder in which its files stand beside it by plain names: nothing is
ever written beside the original. Nothing here imports bpy.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

# Blender looks for drives on other systems as well, below the root.
_DRIVE = re.compile(r"[A-Za-z]:")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
FORBIDDEN = frozenset('<>:"|?*\\/')
LONGEST_NAME = 120
RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}) | frozenset(
    f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"
)
"""What Windows takes for a device, whatever stands behind a dot."""
PREFIX = "image_to_mesh-"
"""What the near end sweeps, should a folder be left behind: also in `jobs/process`."""


def leads_into(path: str, folder: Path, home: Path) -> bool:
    """Say whether `path`, as an importer takes it from `folder`, lies in `home`."""
    # By its words first: asking Windows for a path can make it call at the machine named in it.
    base = Path(os.path.normpath(home.absolute()))
    place = Path(os.path.normpath(folder.absolute() / path.replace("\\", "/")))
    if "\0" in path or _DRIVE.match(path) or not place.is_relative_to(base):
        return False
    try:
        return place.resolve().is_relative_to(base.resolve())
    except OSError:  # A name that is too long is no file's.
        return False


def harmless(part: str) -> str:
    """Return a stranger's name for a file or folder as one that every system takes for just that.

    Not for "." and "..", which are no names.
    """
    plain = "".join(
        letter if letter.isprintable() and letter not in FORBIDDEN else "_" for letter in part
    ).rstrip(". ")
    stem, dot, suffix = plain.rpartition(".")
    if len(plain.encode()) > LONGEST_NAME:
        kept = (stem or plain).encode()[: LONGEST_NAME - 16].decode(errors="ignore")
        plain = f"{kept}{dot}{suffix[:8]}"
    if plain.partition(".")[0].rstrip().upper() in RESERVED:  # guard: reserved-names-are-mapped
        plain = f"_{plain}"
    return plain or "_"


def _key(text: str) -> str:
    """Return what is the same for names that differ in case, or in how accents are put on."""
    return unicodedata.normalize("NFC", text).casefold()


class OwnFiles:
    """A mesh's own files: those in its folder, and in `home` around that. No links are followed."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._home = home
        self._by_path: dict[str, Path] | None = None
        self._by_name: dict[str, Path] = {}

    def exact(self, address: str) -> Path | None:
        """Return the file that an importer finds by an address, unless it lies elsewhere."""
        if not address or not leads_into(address, self._folder, self._home):
            return None
        path = self._folder / address
        try:
            return path if path.is_file() else None
        except (OSError, ValueError):
            return None

    def found(self, address: str) -> Path | None:
        """Return the file that an address means, also in other letters or from another disk."""
        exact = self.exact(address)
        if exact is not None:
            return exact
        if self._by_path is None:
            self._look()
        assert self._by_path is not None
        plain = address.strip(' "').replace("\\", "/")
        place = os.path.normpath(self._folder.absolute() / plain)
        name = plain.rpartition("/")[2]
        found = self._by_path.get(_key(place)) or self._by_name.get(_key(name))
        return found or self._by_name.get(_key(harmless(name)))

    def _look(self) -> None:
        self._by_path = {}
        for path in sorted(self._home.absolute().rglob("*")):
            if path.is_file() and not path.is_symlink():
                self._by_path.setdefault(_key(os.path.normpath(path)), path)
                self._by_name.setdefault(_key(path.name), path)


class Stage:
    """A temporary folder for a copy of a mesh, made when first needed."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._names: dict[Path, str] = {}

    @property
    def folder(self) -> Path:
        """The folder itself."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}stage-"))
        return self._folder

    def put(self, path: Path) -> str:
        """Put a file there; return its plain name, the same for the same file."""
        if path not in self._names:
            suffix = path.suffix.lower() if _SUFFIX.fullmatch(path.suffix) else ""
            name = f"{len(self._names)}{suffix}"
            try:
                os.link(path, self.folder / name)
            except OSError:  # Another file system, or one that knows no links.
                shutil.copyfile(path, self.folder / name)
            self._names[path] = name
        return self._names[path]

    def clear(self) -> None:
        """Take it away again."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)  # guard: stage-is-cleared
            self._folder = None
