# SPDX-License-Identifier: GPL-3.0-or-later
"""The textures that an FBX file names, led into its own folder before an importer follows them.

Every FBX names its textures by where they were on its maker's disk. An importer would look there,
on the person's disk, or call at the machine of a network path. In a copy of the file such a name
becomes that of the file of the same name among the mesh's own, or of none. Names keep their
length, so that everything else stays where it is. Nothing here imports bpy.
"""

from __future__ import annotations

import mmap
import os
import re
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .addresses import OwnFiles, leads_into

LONGEST = 4096
_NAMED = re.compile(rb"(?:Relative|RELATIVE_)?F(?:ile[Nn]ame|ILENAME)S(?=.{4})", re.DOTALL)
_LINKED = re.compile(rb"S\x07\0\0\0XRefUrlS(?=.{4})", re.DOTALL)
_IN_TEXT = re.compile(rb'(?:(?:Relative)?File[Nn]ame:|"XRefUrl",\s*"[^"]*",)\s*"([^"\n]{1,4096})"')


@contextmanager
def without_outside_textures(path: str, home: Path) -> Iterator[tuple[str, list[Path]]]:
    """Give the FBX file to import: itself, or a copy that names no file outside `home`.

    And the textures that stand beside it for as long as the block lasts only.
    """
    place = Path(path)
    with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        spans = set(_in_binary(data) if data[:6] == b"Kaydar" else _in_text(data))
        names = {start: data[start:end] for start, end in spans}
    side: list[Path] = []
    try:
        changes = _changes(names, place.parent, home, side)
        if not changes:
            yield path, []
            return
        copy = place.with_name(f".{place.stem}.safe{place.suffix}")
        side.append(copy)
        shutil.copyfile(place, copy)
        with copy.open("r+b") as changed:
            for start, name in changes.items():
                changed.seek(start)
                changed.write(name)
        yield str(copy), side[:-1]
    finally:
        for copy in side:
            copy.unlink(missing_ok=True)


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


def _changes(
    names: dict[int, bytes], folder: Path, home: Path, side: list[Path]
) -> dict[int, bytes]:
    """Return what to write where, for every name that leads out or to nothing.

    `side` gets the copies of textures that were put beside the mesh, where any name fits.
    """
    own, changes = OwnFiles(home), {}
    for start, name in names.items():
        text = name.decode("utf-8", "replace")
        leads_in = leads_into(text, folder, home)
        if not name or (leads_in and (folder / text.replace("\\", "/")).is_file()):
            continue
        found = own.named(text)
        if found is None:
            if not leads_in:
                changes[start] = b"-" * len(name)
            continue
        beside = folder / found.name
        if not beside.exists():
            shutil.copyfile(found, beside)
            side.append(beside)
        changes[start] = _as_long(os.fsencode(beside.name), len(name))
    return changes


def _as_long(name: bytes, length: int) -> bytes:
    """Return a path of exactly this length to a file beside the mesh, or to none at all."""
    spare = length - len(name)
    if spare < 0 or spare == 1:
        return b"-" * length
    if spare % 2:
        return b".//" + b"./" * (spare // 2 - 1) + name
    return b"./" * (spare // 2) + name
