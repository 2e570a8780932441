# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model put together from parts, one at each tick, and in no scene until it is whole.

Meanwhile nothing uses it and it has a hidden name: a file saved now does not hold it. Undo and
redo, another file, and whoever purges what is unused may take it away or set it back; then it is
given up, and comes in at once.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..jobs.versions import PARTS
from .appending import append
from .background.mesh_arrays import LAYOUTS, drop_selections
from .background.parts import FRAME, LIST

log = logging.getLogger(__name__)

TOGETHER = 64 << 20
"""Bytes of the small parts that one tick takes; a single larger one has a tick of its own."""
_FAILURES = (OSError, LookupError, RuntimeError, TypeError, ValueError)
_FILLED = "image_to_mesh_filled"

_begun: dict[str, _Assembly] = {}


def advance(blend_path: str) -> bool:
    """Take the next parts of a model, if it came in any; say whether it can be appended now."""
    folder = Path(blend_path).with_name(PARTS)
    try:
        if blend_path not in _begun and not (folder / LIST).is_file():
            return True
        return _begun.setdefault(blend_path, _Assembly(folder)).advance()
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
    """Remove what was put together of a model so far."""
    begun = _begun.pop(blend_path, None)
    if begun is not None:
        begun.remove()


class _Assembly:
    """A model of which so many parts were taken. It keeps no data-block, since undo frees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._meshes: list[dict[str, Any]] = json.loads((folder / LIST).read_text("utf-8"))
        self._parts = [(one["object"], part) for one in self._meshes for part in one["values"]]
        self._filled = 0
        self._uids: dict[str, int] = {}

    def advance(self) -> bool:
        """Take the frame, then so many parts as fit into a tick; say whether that was the last."""
        if not self._uids:
            self._take_frame()
            return False
        things, room = self._things(), TOGETHER
        while self._filled < len(self._parts):
            owner, part = self._parts[self._filled]
            room -= part["bytes"]
            if room < 0 and room + part["bytes"] < TOGETHER:
                break
            _fill(things[owner].data, part, self._folder)
            self._filled += 1
        for thing in things.values():
            thing[_FILLED] = self._filled
        return self._filled == len(self._parts)

    def finish(self, blend_path: str) -> list[bpy.types.Object]:
        """Give the whole model its materials and names."""
        things = self._things()
        if self._filled < len(self._parts):
            raise LookupError("parts are missing")
        names = {name for one in self._meshes for name in one["materials"] if name}
        materials = append(blend_path, "materials", sorted(names)) if names else {}
        for one in self._meshes:
            mesh = things[one["object"]].data
            for name in one["materials"]:
                mesh.materials.append(materials.get(name))
            drop_selections(mesh)
            _show(mesh, one["shown"])
            mesh.name = one["mesh"]
            mesh.update()
        for name, thing in things.items():
            thing.name = name
            del thing[_FILLED]
        return list(things.values())

    def remove(self) -> None:
        """Remove what is still there."""
        uids = set(self._uids.values())
        objects = [thing for thing in bpy.data.objects if thing.session_uid in uids]
        meshes = {thing.data for thing in objects if thing.type == "MESH"}
        bpy.data.batch_remove([*objects, *meshes])

    def _take_frame(self) -> None:
        things = append(str(self._folder / FRAME), "objects")
        self._uids = {name: thing.session_uid for name, thing in things.items()}
        for thing in things.values():
            thing[_FILLED] = 0
            thing.name = f".{thing.name}"
            if thing.type == "MESH":
                thing.data.name = f".{thing.data.name}"

    def _things(self) -> dict[str, bpy.types.Object]:
        """Find the objects anew; raise LookupError if they are not as they were left."""
        found = {thing.session_uid: thing for thing in bpy.data.objects}
        things = {name: found[uid] for name, uid in self._uids.items()}
        if any(thing.get(_FILLED) != self._filled for thing in things.values()):
            raise LookupError("not as it was left")
        return things


def _show(mesh: bpy.types.Mesh, shown: dict[str, int]) -> None:
    if mesh.uv_layers:
        mesh.uv_layers.active_index = shown["uv"]
        mesh.uv_layers[shown["uv_rendered"]].active_render = True
    if mesh.color_attributes:
        mesh.color_attributes.active_color_index = shown["color"]
        mesh.color_attributes.render_color_index = shown["color_rendered"]


def _fill(mesh: bpy.types.Mesh, part: dict[str, Any], folder: Path) -> None:
    """Copy one attribute's values, which make room for themselves."""
    values = np.load(folder / part["file"], mmap_mode="r")
    items = {"POINT": mesh.vertices, "EDGE": mesh.edges}.get(part["domain"])
    if items is not None and len(items) < len(values):
        items.add(len(values) - len(items))
    attribute = mesh.attributes.get(part["name"])
    if attribute is None:
        attribute = mesh.attributes.new(part["name"], part["type"], part["domain"])
    attribute.data.foreach_set(LAYOUTS[part["type"]][0], values.reshape(-1))
