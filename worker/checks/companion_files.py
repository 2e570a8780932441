# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the files that belong to a mesh even if the mesh refers to them by another path.

The paths in a mesh are those of its author's disk: with backslashes, in a different letter case, or
in folders that do not exist here. If an importer would not find the files, a copy of the
mesh is put in a temporary folder, the stage, with its files under plain names beside it. This
module writes nothing beside the original. No bpy.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

# Blender looks for drive letters on other systems, too, below the root folder.
_DRIVE = re.compile(r"[A-Za-z]:")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
FORBIDDEN = frozenset('<>:"|?*\\/')
# Bytes: half of what file systems allow, since Windows limits the whole path.
LONGEST_NAME = 120
RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}) | frozenset(
    f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"
)
"""Device names on Windows, with any extension."""
PREFIX = "image_to_mesh-"
"""Prefix of temporary folders; `jobs/process` sweeps any that are left behind."""


def is_inside(path: str, folder: Path, home: Path) -> bool:
    """Return whether `path`, which an importer resolves relative to `folder`, lies in `home`.

    Return False for a path that has a drive letter or a null character, or cannot be resolved.
    """
    # Lexically first: on Windows, resolving a UNC path can contact the machine it names.
    base = Path(os.path.normpath(home.absolute()))
    place = Path(os.path.normpath(folder.absolute() / path.replace("\\", "/")))
    if "\0" in path or _DRIVE.match(path) or not place.is_relative_to(base):
        return False
    try:
        return place.resolve().is_relative_to(base.resolve())
    except OSError:  # The name is too long.
        return False


def portable_name(part: str) -> str:
    """Return the name of a file or folder in a form that every system allows.

    Forbidden and unprintable characters become underscores, and dots and spaces at the end are
    removed. A name longer than LONGEST_NAME bytes is shortened, but keeps its suffix, of up to 8
    characters. A device name of Windows gets an underscore as a prefix. If nothing remains, the
    name is an underscore. Do not pass "." or "..".
    """
    plain = "".join(
        letter if letter.isprintable() and letter not in FORBIDDEN else "_" for letter in part
    ).rstrip(". ")
    stem, dot, suffix = plain.rpartition(".")
    # Cut by bytes, as most file systems count, and before the suffix, which names the format.
    if len(plain.encode()) > LONGEST_NAME:
        kept = (stem or plain).encode()[: LONGEST_NAME - 16].decode(errors="ignore")
        plain = f"{kept}{dot}{suffix[:8]}"
    # Windows opens the device for such a name even with an extension or trailing spaces.
    if plain.partition(".")[0].rstrip().upper() in RESERVED:  # guard: reserved-names-are-mapped
        plain = f"_{plain}"
    return plain or "_"


def _key(text: str) -> str:
    """Return a key by which names are compared, regardless of case and Unicode composition."""
    return unicodedata.normalize("NFC", text).casefold()


class OwnFiles:
    """Finds the files in `home` that a mesh in `folder`, inside `home`, refers to.

    Symbolic links that lead out of `home` are not followed.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._home = home
        self._by_path: dict[str, Path] | None = None
        self._by_name: dict[str, Path] = {}

    def find_exact(self, address: str) -> Path | None:
        """Return the file in `home` that an importer would find at the path `address`, or None."""
        if not address or not is_inside(address, self._folder, self._home):
            return None
        path = self._folder / address
        try:
            return path if path.is_file() else None
        except (OSError, ValueError):
            return None

    def find(self, address: str) -> Path | None:
        """Return the file in `home` that the path `address` refers to, or None.

        It is the first of these that exists:
        1. the file at exactly this path
        2. the file at this path, regardless of case
        3. the first file of this name in any folder, regardless of case
        4. the first file whose name is the portable form of this name
        """
        exact = self.find_exact(address)
        if exact is not None:
            return exact
        if self._by_path is None:
            self._build_index()
        assert self._by_path is not None
        plain = address.strip(' "').replace("\\", "/")
        place = os.path.normpath(self._folder.absolute() / plain)
        name = plain.rpartition("/")[2]
        match = self._by_path.get(_key(place)) or self._by_name.get(_key(name))
        # Unpacking an archive gives files portable names.
        return match or self._by_name.get(_key(portable_name(name)))

    def _build_index(self) -> None:
        """Index the files below `home` by path and by name, without symbolic links.

        The files are sorted, so that the result is the same on every file system.
        """
        self._by_path = {}
        for path in sorted(self._home.absolute().rglob("*")):
            if path.is_file() and not path.is_symlink():
                self._by_path.setdefault(_key(os.path.normpath(path)), path)
                self._by_name.setdefault(_key(path.name), path)


class Stage:
    """A temporary folder for a copy of a mesh and its files, created on first use."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._names: dict[Path, str] = {}

    @property
    def folder(self) -> Path:
        """The path of the folder, which the first access creates."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}stage-"))
        return self._folder

    def put(self, path: Path) -> str:
        """Link or copy a file into the folder, unless it is there already, and return its name.

        The name is a number, followed by the file's suffix unless that is unusual.
        """
        if path not in self._names:
            suffix = path.suffix.lower() if _SUFFIX.fullmatch(path.suffix) else ""
            name = f"{len(self._names)}{suffix}"
            try:
                # A hard link is instant; symbolic links need a privilege on Windows.
                os.link(path, self.folder / name)
            except OSError:  # Another file system, or one without hard links.
                shutil.copyfile(path, self.folder / name)
            self._names[path] = name
        return self._names[path]

    def clear(self) -> None:
        """Remove the folder, if it has been created."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)  # guard: stage-is-cleared
            self._folder = None
