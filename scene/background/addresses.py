# SPDX-License-Identifier: GPL-3.0-or-later
"""The other files that a mesh file names: none outside of its own folder is ever opened.

Blender's importers follow any address. A downloaded mesh could pull the person's own pictures into
the model, or make Windows call at another machine, so addresses are judged before the importers
see them. Nothing here imports bpy.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_MATERIALS = 16 * 1024 * 1024
_NOWHERE = b"a texture that is not there"
_TEXTURES = (b"map_", b"bump", b"disp", b"decal", b"refl", b"norm")
# Blender looks for drives on other systems as well, below the root.
_DRIVE = re.compile(r"[A-Za-z]:")
# To Blender's readers every byte but the visible ASCII, and the backslash, is a space.
_BREAK = re.compile(rb"[^\x21-\x7e]|\\")


def is_inside(path: str, folder: Path) -> bool:
    """Say whether `path`, as an importer takes it from `folder`, lies in there."""
    return leads_into(path, folder, folder)


def leads_into(path: str, folder: Path, home: Path) -> bool:
    """Say whether `path`, as an importer takes it from `folder`, lies in `home`."""
    # By its words first: asking Windows for a path can make it call at the machine named in it.
    base = Path(os.path.normpath(home.absolute()))
    place = Path(os.path.normpath(folder.absolute() / path.replace("\\", "/")))
    if "\0" in path or _DRIVE.match(path) or not place.is_relative_to(base):
        return False
    return place.resolve().is_relative_to(base.resolve())


@contextmanager
def without_outside_materials(path: str, home: Path) -> Iterator[tuple[str, int]]:
    """Give the OBJ file to import, and how many of its material files were left out.

    That is the file itself, or a copy that names no material file outside of `home`, and no
    material file that names a texture outside. Copies stand beside what they are copies of, so
    that what is inside is still found.
    """
    names = _Names(Path(path), home)
    try:
        changed = {line: names.judged(line) for line in _library_lines(Path(path))}
        if all(line == judged for line, judged in changed.items()):
            yield path, 0
            return
        copy = names.beside(Path(path))
        with Path(path).open("rb") as file, copy.open("wb") as out:
            out.writelines(changed.get(line, line) for line in file)
        yield str(copy), sum(not judged for judged in changed.values())
    finally:
        names.clear()


class _Names:
    """Judges what an OBJ file names, and remembers the copies that it made."""

    def __init__(self, mesh: Path, home: Path) -> None:
        self._folder = mesh.parent
        self._home = home
        self._copies: list[Path] = []
        self._files = OwnFiles(home)

    def judged(self, line: bytes) -> bytes:
        """Return a line of the OBJ file as it may stay; empty where it may not."""
        before, word, behind = line.partition(b"mtllib")
        if not word or any(0x20 < byte < 0x80 and byte != 0x5C for byte in before):
            return line
        # As the system names files: one that is no UTF-8 is opened by the importer all the same.
        name = behind.decode("utf-8", "surrogateescape").strip()  # guard: odd-material-names
        # After a backslash it reads on in the next line, which is not seen here.
        parts = (name, name.strip(' "'))
        if name.endswith("\\") or not all(
            leads_into(part, self._folder, self._home) for part in parts
        ):
            return b""
        material = self._folder / name.strip(' "')
        copy = self._safe_copy(material) if material.is_file() else None
        return line if copy is None else before + word + b" " + os.fsencode(copy) + b"\n"

    def beside(self, path: Path) -> Path:
        """Return the name for a copy of a file."""
        copy = path.with_name(f".{path.stem}.{len(self._copies)}.safe{path.suffix}")
        self._copies.append(copy)
        return copy

    def clear(self) -> None:
        """Take the copies away again."""
        for copy in self._copies:
            copy.unlink(missing_ok=True)

    def _safe_copy(self, material: Path) -> str | None:
        """Copy a material file without addresses that lead out; None where it names none."""
        with material.open("rb") as file:
            lines = file.read(MAX_MATERIALS).splitlines(keepends=True)
        judged = [self._judged_texture(line, material.parent) for line in lines]
        if judged == lines:
            return None
        copy = self.beside(material)
        copy.write_bytes(b"".join(judged))
        return os.path.relpath(copy, self._folder)

    def _judged_texture(self, line: bytes, folder: Path) -> bytes:
        """Return a line of a material file as it may stay: options may stand before its name."""
        words = _BREAK.sub(b" ", line).split()
        if not words or not words[0].lower().startswith(_TEXTURES):
            return line
        starts = [0, *(found.end() for found in _BREAK.finditer(line))]
        rests = [
            line[start:].decode("utf-8", "surrogateescape").strip(' "\r\n\t') for start in starts
        ]
        leads = [leads_into(rest, folder, self._home) for rest in rests]
        if all(leads) and any((folder / rest).is_file() for rest in rests if rest):
            return line
        found = self._files.named(rests[0])
        if found is None:
            return line if all(leads) else words[0] + b" " + _NOWHERE + b"\n"
        name = os.path.relpath(found, folder).replace("\\", "/")
        return words[0] + b" " + os.fsencode(name) + b"\n"


class OwnFiles:
    """A mesh's own files by name, for textures named as where they once were."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: dict[str, Path] | None = None

    def named(self, address: str) -> Path | None:
        """Return the file of the name that an address ends with."""
        if self._known is None:
            files = (path for path in self._home.rglob("*") if path.is_file())
            self._known = {path.name.lower(): path for path in files if not path.is_symlink()}
        return self._known.get(re.split(r"[/\\]", address)[-1].strip(' "').lower())


def _library_lines(path: Path) -> set[bytes]:
    """Return the lines that may name a material file, without going through all the others."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        lines = set()
        at = data.find(b"mtllib")
        while at >= 0:
            start = data.rfind(b"\n", 0, at) + 1
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end + 1
            lines.add(data[start:end])
            at = data.find(b"mtllib", end)
        return lines
