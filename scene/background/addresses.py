# SPDX-License-Identifier: GPL-3.0-or-later
"""The other files that a mesh file names: none outside of its own folder is ever read.

Blender's importers follow any address. A downloaded mesh could pull the person's own pictures into
the model, or make Windows call at another machine, so addresses are judged before the importers
see them. Textures of OBJ and FBX files are only named by them and judged by `materials.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
