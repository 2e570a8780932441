# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry in Blender's menu for files that are dropped on a viewport.

Blender reads an entry's label when its class is registered, so a step of the heartbeat registers it
again when the provider or its price changes.
"""

from __future__ import annotations

import bpy

from ...app import heartbeat
from ...jobs.disk.file_names import PHOTO_SUFFIXES
from ...state.orders.price import with_price, with_provider

LOCAL = "Generate Mesh Here"
EXTENSIONS = ";".join(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".exr", ".hdr", *PHOTO_SUFFIXES)
)
MOST_BYTES = 63
"""Blender's limit for a label (OP_MAX_TYPENAME in DNA_windowmanager_types.h), in UTF-8."""
INTERVAL = 0.1


class IMAGE_TO_MESH_FH_pictures(bpy.types.FileHandler):
    """Menu entry that generates meshes from image files dropped on a 3D viewport."""

    bl_idname = "IMAGE_TO_MESH_FH_pictures"
    bl_label = LOCAL
    bl_import_operator = "image_to_mesh.make_here"
    bl_file_extensions = EXTENSIONS

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        # The tab may be hidden, so that nothing else has noticed another provider.
        if not names_order(context):
            heartbeat.wake()
        return bool(context.area and context.area.type == "VIEW_3D")


def names_order(context: bpy.types.Context) -> bool:
    """Return whether the entry names the scene's provider and price."""
    return _label(context) == IMAGE_TO_MESH_FH_pictures.bl_label


def is_needed(context: bpy.types.Context) -> bool:
    """Return whether the entry's label is out of date."""
    return not names_order(context)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Register the entry again with its new label."""
    bpy.utils.unregister_class(IMAGE_TO_MESH_FH_pictures)
    IMAGE_TO_MESH_FH_pictures.bl_label = _label(context)
    bpy.utils.register_class(IMAGE_TO_MESH_FH_pictures)


STEP = heartbeat.Step("drop_menu", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step from the heartbeat, and reset the entry's label."""
    heartbeat.remove(STEP)
    IMAGE_TO_MESH_FH_pictures.bl_label = LOCAL


def _label(context: bpy.types.Context) -> str:
    text = with_price(context, with_provider(context, "Generate Mesh with {}", LOCAL))
    return text.encode()[:MOST_BYTES].decode(errors="ignore")


classes = (IMAGE_TO_MESH_FH_pictures,)
