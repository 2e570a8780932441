# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the files that a .gltf refers to, if Blender's importer would not find them. No bpy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from ..companion_files import OwnFiles, Stage
from .buffers import is_data_uri, read_gltf


@contextmanager
def stage_own_files(path: str, home: Path) -> Iterator[tuple[str, bool]]:
    """Yield the file to import, and whether it is a temporary copy.

    A copy is made if a referenced file is found only with different case, slashes, or folders. In
    the copy, all references lead to files that were found, or to no file. The copy exists while the
    block runs. `home` is the folder that the referenced files may lie in. Raise Refusal for a
    damaged file.
    """
    with Path(path).open("rb") as opened:
        if opened.read(4) == b"glTF":  # A GLB is self-contained.
            yield path, False
            return
    file = read_gltf(path)
    files, stage = OwnFiles(file.path.parent, home), Stage()
    items = [item for item in (*file.all("images"), *file.all("buffers")) if item.get("uri")]
    items = [item for item in items if not is_data_uri(item["uri"])]
    references = [(item, files.find(unquote(item["uri"]))) for item in items]
    if all(
        path_found is None or files.find_exact(unquote(item["uri"])) == path_found
        for item, path_found in references
    ):
        yield path, False
        return
    try:
        for item, path_found in references:
            # Files on a stage have numbers for names, so “missing” is never one of them.
            item["uri"] = stage.put(path_found) if path_found else "missing"
        copy = stage.folder / "mesh.gltf"
        copy.write_text(json.dumps(file.head), "utf-8")
        yield str(copy), True
    finally:
        stage.clear()
