# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a .gltf names, found where Blender's importer would not find them.

Nothing here imports bpy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from ..companion_files import OwnFiles, Stage
from .buffers import is_data, read_gltf


@contextmanager
def with_own_files(path: str, home: Path) -> Iterator[tuple[str, bool]]:
    """Give the file to import while the block lasts, and whether it is a copy on a stage.

    It is a copy where a name in it is in other letters than the file, or has backslashes.
    """
    with Path(path).open("rb") as opened:
        if opened.read(4) == b"glTF":  # A GLB names no files.
            yield path, False
            return
    file = read_gltf(path)
    files, stage = OwnFiles(file.path.parent, home), Stage()
    named = [one for one in (*file.all("images"), *file.all("buffers")) if one.get("uri")]
    named = [one for one in named if not is_data(one["uri"])]
    meant = [(one, files.found(unquote(one["uri"]))) for one in named]
    if all(own is None or files.exact(unquote(one["uri"])) == own for one, own in meant):
        yield path, False
        return
    try:
        for one, own in meant:
            one["uri"] = stage.put(own) if own else "missing"
        copy = stage.folder / "mesh.gltf"
        copy.write_text(json.dumps(file.head), "utf-8")
        yield str(copy), True
    finally:
        stage.clear()
