# SPDX-License-Identifier: GPL-3.0-or-later
"""The textures that an FBX file names, led to its own files before an importer follows them.

Every FBX names its textures by where they were on its maker's disk. An importer would look there,
on the user's disk, or call at the machine of a network path. In a copy of the file such a name
becomes that of the mesh's own file of that name, which stands beside the copy, or of none. Names
keep their length, so that everything else stays where it is. Nothing here imports bpy.
"""

from __future__ import annotations

import mmap
import re
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .companion_files import OwnFiles, Stage, leads_into
from .image_headers import Pictures

LONGEST = 4096
_NAMED = re.compile(rb"(?:Relative|RELATIVE_)?F(?:ile[Nn]ame|ILENAME)S(?=.{4})", re.DOTALL)
_LINKED = re.compile(rb"S\x07\0\0\0XRefUrlS(?=.{4})", re.DOTALL)
_IN_TEXT = re.compile(rb'(?:(?:Relative)?File[Nn]ame:|"XRefUrl",\s*"[^"]*",)\s*"([^"\n]{1,4096})"')


@contextmanager
def without_outside_textures(path: str, home: Path) -> Iterator[tuple[str, bool]]:
    """Give the FBX file to import while the block lasts, and whether it is a copy.

    It is the file itself, or one on a stage that names no file but its own. Raise Refusal where
    the textures that it names would take too much memory.
    """
    place, stage = Path(path), Stage()
    with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        spans = set(_in_binary(data) if data[:6] == b"Kaydar" else _in_text(data))
        names = {start: data[start:end] for start, end in spans if end > start}
    try:
        meant = _meant(set(names.values()), OwnFiles(place.parent, home))
        pictures = Pictures()
        for own in {own for own in meant.values() if own is not None}:
            pictures.add_file(own)  # guard: fbx-textures-are-counted
        if all(_is_as_it_should_be(name, own, place.parent, home) for name, own in meant.items()):
            yield path, False
            return
        yield _staged(place, names, meant, stage), True
    finally:
        stage.clear()


def _in_binary(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Yield where names of files stand: strings behind the words that announce them."""
    for found in _NAMED.finditer(data):
        yield from _string(data, found.end())
    for found in _LINKED.finditer(data):
        for _, flags_end in _string(data, found.end()):
            if data[flags_end : flags_end + 1] == b"S":
                yield from _string(data, flags_end + 1)


def _string(data: mmap.mmap, at: int) -> Iterator[tuple[int, int]]:
    """Yield the span of the string whose length stands at `at`, if it can be one."""
    if at + 4 <= len(data):
        length = struct.unpack_from("<I", data, at)[0]
        if length <= LONGEST and at + 4 + length <= len(data):
            yield at + 4, at + 4 + length


def _in_text(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    return (found.span(1) for found in _IN_TEXT.finditer(data))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _meant(names: set[bytes], files: OwnFiles) -> dict[bytes, Path | None]:
    """Return which of the mesh's own files each name means."""
    return {name: files.found(_text(name)) for name in sorted(names)}


def _is_as_it_should_be(name: bytes, own: Path | None, folder: Path, home: Path) -> bool:
    """Say whether an importer finds that file, or none, by the name as it stands."""
    text = _text(name)
    if not leads_into(text, folder, home):
        return False
    return own is None or (folder / text.replace("\\", "/")).is_file()


def _staged(
    place: Path, names: dict[int, bytes], meant: dict[bytes, Path | None], stage: Stage
) -> str:
    """Copy the file to the stage, with names that fit; return where it is."""
    copy = stage.folder / "mesh.fbx"
    shutil.copyfile(place, copy)
    changed = {
        name: _as_long(stage.put(own), len(name)) if own else _nothing(number, len(name))
        for number, (name, own) in enumerate(meant.items())
    }
    with copy.open("r+b") as file:
        for start, name in names.items():
            file.seek(start)
            file.write(changed[name])
    return str(copy)


def _nothing(number: int, length: int) -> bytes:
    """Return a name of no file, another one for each name: what is embedded goes by it."""
    return f"{number}".encode().ljust(length, b"-")[:length]


def _as_long(name: str, length: int) -> bytes:
    """Return a path of exactly this length to a file beside the mesh, or to none at all."""
    plain = name.encode()
    spare = length - len(plain)
    if spare < 0 or spare == 1:
        return b"-" * length
    if spare % 2:
        return b".//" + b"./" * (spare // 2 - 1) + plain
    return b"./" * (spare // 2) + plain
