# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model put together from parts, one at each tick, and in no scene until it is whole.

Until then its meshes have no users and hidden names: a file saved now does not hold them. Undo and
redo, another file, and whoever purges what is unused may take them away or set them back; then they
are given up, and the model comes in at once.
"""

from __future__ import annotations

import json
import logging
import mmap
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy

from ..jobs.library.versions import PARTS
from ..worker.atomic_files import FRAME, LIST
from .append import append

log = logging.getLogger(__name__)

TOGETHER = 64 << 20
"""Bytes of the small parts that one tick takes; a single larger one has a tick of its own."""
_FAILURES = (AttributeError, LookupError, OSError, ReferenceError, RuntimeError, TypeError,
             ValueError)  # fmt: skip
_SELECTED = ".select_"
"""What points and edges that are added bring along, and nobody needs."""
_FILLED = "image_to_mesh_filled"

_begun: dict[str, _Assembly] = {}


def advance(blend_path: str) -> bool:
    """Take the next parts of a model, if it came in any; say whether it can be appended now."""
    folder = Path(blend_path).with_name(PARTS)
    try:
        if blend_path not in _begun:
            if not (folder / LIST).is_file():
                return True
            _begun[blend_path] = _Assembly(folder)
        return _begun[blend_path].advance()
    except _FAILURES as error:
        log.info("%s comes in at once: %r", blend_path, error)
        give_up(blend_path)
        return True


def take(blend_path: str) -> list[bpy.types.Object] | None:
    """Return the model's objects, or None if they are not here or not whole."""
    if blend_path not in _begun:
        return None
    try:
        objects = _begun[blend_path].finish(blend_path)
    except _FAILURES as error:
        log.info("%s comes in at once: %r", blend_path, error)
        give_up(blend_path)
        return None
    del _begun[blend_path]
    return objects


def give_up(blend_path: str) -> None:
    """Remove what was put together of a model so far, and let nobody begin with its parts again."""
    begun = _begun.pop(blend_path, None)
    if begun is not None:
        begun.remove()
    with suppress(OSError):
        Path(blend_path).with_name(PARTS).joinpath(LIST).unlink(missing_ok=True)


class _Assembly:
    """A model of which so many parts were taken. It keeps no data-block, since undo frees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: list[dict[str, Any]] = json.loads((folder / LIST).read_text("utf-8"))
        self._parts = [(one["frame"], part) for one in self._listed for part in one["values"]]
        self._filled = 0
        self._uids: dict[str, int] = {}

    def advance(self) -> bool:
        """Take the frame, then so many parts as fit into a tick; say whether none was left."""
        if self._filled == len(self._parts):
            return True
        if not self._uids:
            frames = append(str(self._folder / FRAME), "meshes", [f["frame"] for f in self._listed])
            self._uids = {name: mesh.session_uid for name, mesh in frames.items()}
        else:
            frames, room = self._frames(), TOGETHER
            while self._filled < len(self._parts):
                name, part = self._parts[self._filled]
                if part["bytes"] > room and room < TOGETHER:
                    break
                _fill(frames[name], part, self._folder)
                self._filled += 1
                room -= part["bytes"]
        for mesh in frames.values():
            mesh[_FILLED] = self._filled
        return False

    def finish(self, blend_path: str) -> list[bpy.types.Object]:
        """Give the whole meshes their objects, materials and names."""
        frames = self._frames()
        if self._filled < len(self._parts):
            raise LookupError("parts are missing")
        used = {name for one in self._listed for name in one["materials"] if name}
        materials = append(blend_path, "materials", sorted(used)) if used else {}
        objects = append(str(self._folder / FRAME), "objects")
        nothing = objects[self._listed[0]["objects"][0]].data
        try:
            self._join(frames, objects, materials)
        except _FAILURES:
            bpy.data.batch_remove(list(objects.values()))
            raise
        finally:
            bpy.data.meshes.remove(nothing)
        return list(objects.values())

    def _join(
        self,
        frames: dict[str, bpy.types.Mesh],
        objects: dict[str, bpy.types.Object],
        materials: dict[str, bpy.types.Material],
    ) -> None:
        for one in self._listed:
            mesh = frames[one["frame"]]
            del mesh[_FILLED]
            names = [one.name for one in mesh.attributes if one.name.startswith(_SELECTED)]
            for name in names:
                mesh.attributes.remove(mesh.attributes[name])
            for name in one["materials"]:
                mesh.materials.append(materials.get(name))
            for name in one["objects"]:
                objects[name].data = mesh
            mesh.name = one["mesh"]
            mesh.update()

    def remove(self) -> None:
        """Remove what is still there."""
        uids = set(self._uids.values())
        there = [mesh for mesh in bpy.data.meshes if mesh.session_uid in uids and not mesh.users]
        bpy.data.batch_remove(there)

    def _frames(self) -> dict[str, bpy.types.Mesh]:
        """Find the meshes anew; raise LookupError if they are not as they were left."""
        found = {mesh.session_uid: mesh for mesh in bpy.data.meshes}
        frames = {name: found[uid] for name, uid in self._uids.items()}
        if any(mesh.get(_FILLED) != self._filled for mesh in frames.values()):
            raise LookupError("not as it was left")
        return frames


def _fill(mesh: bpy.types.Mesh, part: dict[str, Any], folder: Path) -> None:
    """Copy one attribute's values, which make room for themselves."""
    items = {"POINT": mesh.vertices, "EDGE": mesh.edges}.get(part["domain"])
    if items is not None and len(items) < part["count"]:
        items.add(part["count"] - len(items))
    attribute = mesh.attributes.get(part["name"])
    if attribute is None:
        attribute = mesh.attributes.new(part["name"], part["type"], part["domain"])
    with (
        (folder / part["file"]).open("rb") as file,
        # A file that is not whole is a ValueError.
        mmap.mmap(file.fileno(), part["bytes"], access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as raw,
        raw.cast(part["format"]) as values,
    ):
        attribute.data.foreach_set(part["property"], values)
