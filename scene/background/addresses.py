# SPDX-License-Identifier: GPL-3.0-or-later
"""The other files that a mesh file names: none outside of its own folder is ever read.

Blender's importers follow any address. A downloaded mesh could pull the person's own pictures into
the model, or make Windows call at another machine, so addresses are judged before the importers
see them. Textures of OBJ and FBX files are only named by them and judged by `materials.py`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .refusal import OTHER_FORMAT, Refusal


def check_gltf(path: str) -> None:
    """Raise Refusal if the glTF or GLB file names files that it has no claim to.

    A GLB holds all that it needs; a .gltf may name files in its own folder.
    """
    try:
        is_binary, text = _document(Path(path))
        addresses = _addresses(text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, struct.error):
        raise Refusal("bad_mesh", "The mesh file's head is damaged.", OTHER_FORMAT) from None
    for address in addresses:
        if is_binary or not is_inside(unquote(address), Path(path).parent):
            what = f"The mesh file names a file outside of it: {_shown(address)}"
            raise Refusal("bad_mesh", what, OTHER_FORMAT)


def is_inside(path: str, folder: Path) -> bool:
    """Say whether `path`, as an importer takes it from `folder`, lies in there."""
    # By its words first: asking Windows for a path can make it call at the machine named in it.
    home = Path(os.path.normpath(folder.absolute()))
    place = Path(os.path.normpath(home / path.replace("\\", "/")))
    if "\0" in path or not place.is_relative_to(home):
        return False
    return place.resolve().is_relative_to(home.resolve())


@contextmanager
def without_outside_materials(path: str) -> Iterator[tuple[str, int]]:
    """Give the OBJ file to import, and how many of its material files were left out.

    That is the file itself, or a copy without the material files outside of its folder. The copy
    stands beside it, so that those inside are still found.
    """
    folder = Path(path).parent
    with Path(path).open("rb") as file:
        lost = sum(not _may_stay(line, folder) for line in file)
    if not lost:
        yield path, 0
        return
    side = Path(path).with_name(f".{Path(path).stem}.safe.obj")
    try:
        with Path(path).open("rb") as file, side.open("wb") as copy:
            copy.writelines(line for line in file if _may_stay(line, folder))
        yield str(side), lost
    finally:
        side.unlink(missing_ok=True)


def _document(path: Path) -> tuple[bool, bytes]:
    """Say whether it is a GLB, and return its JSON, cut out as Blender's importer does."""
    with path.open("rb") as file:
        head = file.read(20)
        if not head.startswith(b"glTF"):
            return False, head + file.read()
        length, kind = struct.unpack_from("<I4s", head, 12)
        if kind != b"JSON":
            raise ValueError("no JSON")
        return True, file.read(length)


def _addresses(text: bytes) -> list[str]:
    """Return the addresses of images and buffers that are not data in themselves."""
    gltf: dict[str, Any] = json.loads(str(text, "utf-8"))
    named = [*(gltf.get("images") or ()), *(gltf.get("buffers") or ())]
    found = [one["uri"] for one in named if one.get("uri") is not None]
    return [address for address in found if not _is_data(address)]


def _is_data(address: str) -> bool:
    # Blender's importer takes data in another encoding than this for the name of a file.
    return address.startswith("data:") and ";base64," in address


def _shown(address: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in address)
    return plain if len(plain) <= 80 else f"{plain[:79]}…"


def _may_stay(line: bytes, folder: Path) -> bool:
    """Say whether a line of an OBJ file names no material file, or one inside of the folder."""
    before, word, behind = line.partition(b"mtllib")
    # To Blender's reader every byte but the visible ASCII, and the backslash, is a space.
    if not word or any(0x20 < byte < 0x80 and byte != 0x5C for byte in before):
        return True
    name = behind.decode("utf-8", "replace").strip()
    # After a backslash it reads on in the next line, which is not seen here.
    is_whole = not name.endswith("\\")
    return is_whole and all(is_inside(one, folder) for one in (name, name.strip(' "')))
