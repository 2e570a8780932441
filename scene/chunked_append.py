# SPDX-License-Identifier: GPL-3.0-or-later
"""Append a large model in chunks, one batch per tick, outside of any scene until it is complete.

Until then its meshes have no users and hidden names, so a file saved meanwhile does not contain
them. Undo, redo, loading a file, or purging unused data may remove or revert them; the chunks are
then discarded, and the model is appended in one step.
"""

from __future__ import annotations

import json
import logging
import mmap
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy

from ..jobs.library.file_names import CHUNKS_FOLDER
from ..worker.atomic_files import CHUNKS_FILE, FRAMES_FILE
from .append import append

log = logging.getLogger(__name__)

BYTES_PER_TICK = 64 << 20
"""Bytes of small chunks appended per tick; a larger chunk gets a tick of its own."""
_FAILURES = (AttributeError, LookupError, OSError, ReferenceError, RuntimeError, TypeError,
             ValueError)  # fmt: skip
"""Errors that Blender and Python raise if data-blocks were removed or files are incomplete."""
_SELECTED = ".select_"
"""Prefix of selection attributes, which Blender adds with new vertices and edges."""
_FILLED = "image_to_mesh_filled"
"""Custom property that counts the chunks in a mesh: an undo reverts it together with the mesh."""

_assemblies: dict[str, _Assembly] = {}


def advance(blend_path: str) -> bool:
    """Append the model's next chunks; return whether the model can now be placed.

    Return True once all chunks are appended, and at once for a model without chunks. Also return
    True if appending fails: the chunks are then discarded, and the model will be appended in one
    step.
    """
    chunk_folder = Path(blend_path).with_name(CHUNKS_FOLDER)
    try:
        if blend_path not in _assemblies:
            if not (chunk_folder / CHUNKS_FILE).is_file():
                return True
            _assemblies[blend_path] = _Assembly(chunk_folder)
        return _assemblies[blend_path].advance()
    except _FAILURES as error:
        log.info("appending %s in one step: %r", blend_path, error)
        discard(blend_path)
        return True


def take_objects(blend_path: str) -> list[bpy.types.Object] | None:
    """Return the objects of a model that was appended in chunks, or None if it was not.

    If chunks are missing or have been changed meanwhile, discard them all and return None.
    """
    if blend_path not in _assemblies:
        return None
    try:
        objects = _assemblies[blend_path].finish(blend_path)
    except _FAILURES as error:
        log.info("appending %s in one step: %r", blend_path, error)
        discard(blend_path)
        return None
    del _assemblies[blend_path]
    return objects


def discard(blend_path: str) -> None:
    """Remove a partly appended model, and delete its list of chunks so that they are not reused."""
    assembly = _assemblies.pop(blend_path, None)
    if assembly is not None:
        assembly.remove()
    with suppress(OSError):
        Path(blend_path).with_name(CHUNKS_FOLDER).joinpath(CHUNKS_FILE).unlink(missing_ok=True)


class _Assembly:
    """A partly appended model. It stores session UIDs, not data-blocks, which undo may free."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: list[dict[str, Any]] = json.loads((folder / CHUNKS_FILE).read_text("utf-8"))
        self._chunks = [
            (entry["frame"], chunk) for entry in self._listed for chunk in entry["values"]
        ]
        self._filled = 0
        self._uids: dict[str, int] = {}

    def advance(self) -> bool:
        """Append the meshes without geometry on the first tick; fill in chunks on later ones.

        Return True, and do nothing, if all chunks were filled in already.
        """
        if self._filled == len(self._chunks):
            return True
        if not self._uids:
            frames = append(
                str(self._folder / FRAMES_FILE), "meshes", [f["frame"] for f in self._listed]
            )
            self._uids = {name: mesh.session_uid for name, mesh in frames.items()}
        else:
            frames, room = self._frames(), BYTES_PER_TICK
            while self._filled < len(self._chunks):
                name, chunk = self._chunks[self._filled]
                if chunk["bytes"] > room and room < BYTES_PER_TICK:
                    break
                _fill(frames[name], chunk, self._folder)
                self._filled += 1
                room -= chunk["bytes"]
        for mesh in frames.values():
            mesh[_FILLED] = self._filled
        return False

    def finish(self, blend_path: str) -> list[bpy.types.Object]:
        """Append the objects and materials, join them with the meshes, and return the objects.

        Raise LookupError if chunks are missing, or the meshes were removed or changed.
        """
        frames = self._frames()
        if self._filled < len(self._chunks):
            raise LookupError("chunks are missing")
        used = {name for entry in self._listed for name in entry["materials"] if name}
        materials = append(blend_path, "materials", sorted(used)) if used else {}
        objects = append(str(self._folder / FRAMES_FILE), "objects")
        placeholder = objects[self._listed[0]["objects"][0]].data
        try:
            self._join(frames, objects, materials)
        except _FAILURES:
            bpy.data.batch_remove(list(objects.values()))
            raise
        finally:
            bpy.data.meshes.remove(placeholder)
        return list(objects.values())

    def _join(
        self,
        frames: dict[str, bpy.types.Mesh],
        objects: dict[str, bpy.types.Object],
        materials: dict[str, bpy.types.Material],
    ) -> None:
        for entry in self._listed:
            mesh = frames[entry["frame"]]
            del mesh[_FILLED]
            # Names first: removing an attribute invalidates the others' references.
            names = [item.name for item in mesh.attributes if item.name.startswith(_SELECTED)]
            for name in names:
                mesh.attributes.remove(mesh.attributes[name])
            for name in entry["materials"]:
                mesh.materials.append(materials.get(name))
            for name in entry["objects"]:
                objects[name].data = mesh
            mesh.name = entry["mesh"]
            mesh.update()

    def remove(self) -> None:
        """Remove those of the model's meshes that still exist and have no users."""
        uids = set(self._uids.values())
        leftovers = [
            mesh for mesh in bpy.data.meshes if mesh.session_uid in uids and not mesh.users
        ]
        bpy.data.batch_remove(leftovers)

    def _frames(self) -> dict[str, bpy.types.Mesh]:
        """Return the meshes by their names in the file.

        They are looked up again, since an undo may have replaced them. Raise LookupError if one was
        removed or changed.
        """
        found = {mesh.session_uid: mesh for mesh in bpy.data.meshes}
        frames = {name: found[uid] for name, uid in self._uids.items()}
        if any(mesh.get(_FILLED) != self._filled for mesh in frames.values()):
            raise LookupError("the meshes have changed")
        return frames


def _fill(mesh: bpy.types.Mesh, chunk: dict[str, Any], folder: Path) -> None:
    """Copy a chunk, the values of one attribute, into a mesh.

    Add the attribute, vertices, and edges as needed. Raise ValueError if the file is incomplete.
    """
    items = {"POINT": mesh.vertices, "EDGE": mesh.edges}.get(chunk["domain"])
    if items is not None and len(items) < chunk["count"]:
        items.add(chunk["count"] - len(items))
    attribute = mesh.attributes.get(chunk["name"])
    if attribute is None:
        attribute = mesh.attributes.new(chunk["name"], chunk["type"], chunk["domain"])
    with (
        (folder / chunk["file"]).open("rb") as file,
        # An incomplete file raises ValueError.
        mmap.mmap(file.fileno(), chunk["bytes"], access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as raw,
        raw.cast(chunk["format"]) as values,
    ):
        attribute.data.foreach_set(chunk["property"], values)
