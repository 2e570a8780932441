# SPDX-License-Identifier: GPL-3.0-or-later
"""Redirect an FBX file's texture paths to the mesh's own files before an importer follows them.

FBX files store texture paths as they were on the author's computer. An importer would follow them
on the user's disk, or connect to the server that a network path names. Therefore, it gets a copy of
the file with other paths. Each leads to the mesh's own file of the same name, which is placed
beside the copy, or to no file. Paths keep their length, so that all offsets in the file stay valid.
No bpy.
"""

from __future__ import annotations

import mmap
import re
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .companion_files import OwnFiles, Stage, is_inside
from .image_headers import ImageBudget

LONGEST = 4096
"""Longest path in bytes, as on Linux."""
_NAMED = re.compile(rb"(?:Relative|RELATIVE_)?F(?:ile[Nn]ame|ILENAME)S(?=.{4})", re.DOTALL)
"""Matches a keyword before a path in binary FBX; the path's length follows the match."""
_LINKED = re.compile(rb"S\x07\0\0\0XRefUrlS(?=.{4})", re.DOTALL)
_IN_TEXT = re.compile(rb'(?:(?:Relative)?File[Nn]ame:|"XRefUrl",\s*"[^"]*",)\s*"([^"\n]{1,4096})"')


@contextmanager
def redirect_textures(path: str, home: Path) -> Iterator[tuple[str, bool]]:
    """Yield the FBX file to import, and whether it is a temporary copy.

    A copy is made if a path must change. The copy refers only to the mesh's own files, and exists
    while the block runs. Raise Refusal if a texture's format is not supported, or if the textures
    would take too much memory.
    """
    mesh, stage = Path(path), Stage()
    with mesh.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # A set: both keyword patterns may find the same path.
        spans = set(_in_binary(data) if data[:6] == b"Kaydar" else _in_text(data))
        names = {start: data[start:end] for start, end in spans if end > start}
    try:
        textures = _find_texture(set(names.values()), OwnFiles(mesh.parent, home))
        budget = ImageBudget()
        for texture in {texture for texture in textures.values() if texture is not None}:
            budget.add_file(texture)  # guard: fbx-textures-are-counted
        if all(
            _needs_no_change(name, texture, mesh.parent, home) for name, texture in textures.items()
        ):
            yield path, False
            return
        yield _write_stage(mesh, names, textures, stage), True
    finally:
        stage.clear()


def _in_binary(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Yield the spans (start, end) of file paths, found by the keywords before them."""
    for match in _NAMED.finditer(data):
        yield from _string(data, match.end())
    for match in _LINKED.finditer(data):
        for _, flags_end in _string(data, match.end()):
            if data[flags_end : flags_end + 1] == b"S":
                yield from _string(data, flags_end + 1)


def _string(data: mmap.mmap, at: int) -> Iterator[tuple[int, int]]:
    """Yield the span of the string whose length is stored at offset `at`.

    Yield nothing if the length is not plausible.
    """
    if at + 4 <= len(data):
        length = struct.unpack_from("<I", data, at)[0]
        if length <= LONGEST and at + 4 + length <= len(data):
            yield at + 4, at + 4 + length


def _in_text(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    return (match.span(1) for match in _IN_TEXT.finditer(data))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _find_texture(names: set[bytes], files: OwnFiles) -> dict[bytes, Path | None]:
    """Return which of the mesh's own files each path refers to; None for paths to other files."""
    return {name: files.find(_text(name)) for name in sorted(names)}


def _needs_no_change(name: bytes, own: Path | None, folder: Path, home: Path) -> bool:
    """Return whether the path `name` can stay as it is in the file.

    Return False if it leads out of `home`. Otherwise, return whether it leads to `own`, the mesh's
    own file that it refers to. If `own` is None, it refers to no file of the mesh, and can stay.
    """
    text = _text(name)
    if not is_inside(text, folder, home):
        return False
    return own is None or (folder / text.replace("\\", "/")).is_file()


def _write_stage(
    place: Path, names: dict[int, bytes], meant: dict[bytes, Path | None], stage: Stage
) -> str:
    """Copy the file to the stage, redirect its paths, and return the copy's path.

    `names` are the paths in the file by their offsets. `meant` maps each path to the mesh's own
    file that it refers to, or to None.
    """
    copy = stage.folder / "mesh.fbx"
    shutil.copyfile(place, copy)
    changed = {
        name: _padded_path(stage.put(own), len(name)) if own else _missing_path(number, len(name))
        for number, (name, own) in enumerate(meant.items())
    }
    with copy.open("r+b") as file:
        for start, name in names.items():
            file.seek(start)
            file.write(changed[name])
    return str(copy)


def _missing_path(number: int, length: int) -> bytes:
    """Return a path of `length` bytes at which there is no file.

    It begins with `number`, because Blender tells embedded textures apart by path.
    """
    return f"{number}".encode().ljust(length, b"-")[:length]


def _padded_path(name: str, length: int) -> bytes:
    """Return a path of exactly `length` bytes that leads to the file `name` beside the mesh.

    If the name cannot be padded to that length, the path leads to no file.
    """
    plain = name.encode()
    spare = length - len(plain)
    # Only “./” and “.//” pad a path without changing where it leads, so one byte cannot be filled.
    if spare < 0 or spare == 1:
        return b"-" * length
    if spare % 2:
        return b".//" + b"./" * (spare // 2 - 1) + plain
    return b"./" * (spare // 2) + plain
