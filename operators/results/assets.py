# SPDX-License-Identifier: GPL-3.0-or-later
"""The library in Blender's Asset Browser."""

from __future__ import annotations

from pathlib import Path

import bpy

from ... import jobs, preferences
from ...app.results import asset_browser
from ...i18n.translate import tr, translate_error
from ...jobs.disk.trust import has_strangers_models
from ...providers import ImageToMeshError, LibraryProblem, Message, all_providers
from ...providers._shared.messages import os_reason

OPENED_AS_THEY_ARE = (
    "Not added: this library can contain files from others, and the Asset Browser opens them "
    "unchecked"
)


class IMAGE_TO_MESH_OT_add_asset_library(bpy.types.Operator):
    """Register the library as an asset library."""

    bl_idname = "image_to_mesh.add_asset_library"
    bl_label = "Use as Asset Library"
    bl_description = "Show all generated meshes in the Asset Browser"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            name = _register_library(preferences.library(context))
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        self.report({"INFO"}, tr("Added to the Asset Browser as “{}”").format(name))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_open_asset_browser(bpy.types.Operator):
    """Show the library in all Asset Browsers; open one in a new window if necessary."""

    bl_idname = "image_to_mesh.open_asset_browser"
    bl_label = "Open Asset Browser"
    bl_description = "Show all generated meshes in the Asset Browser, ready to drag into the scene"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.window is None:
            cls.poll_message_set("This requires a window")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = preferences.library(context)
        try:
            name = _name_of(root) or _register_library(root)
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        if not asset_browser.browsers(context):
            bpy.ops.wm.window_new()
            # The new window is the last of the list.
            context.window_manager.windows[-1].screen.areas[0].ui_type = "ASSETS"
        asset_browser.show_soon(name)
        return {"FINISHED"}


def _name_of(root: Path) -> str:
    """Return the library's name in Blender's preferences; empty if it is not registered."""
    from ...scene.asset_library import find_asset_library

    found = find_asset_library(root)
    return found.name if found else ""


def _register_library(root: Path) -> str:
    """Write the catalogs, register the library as an asset library, and return its name there.

    Raise LibraryProblem if the library can contain models from others, or if the catalogs cannot be
    read or written.
    """
    from ...scene.asset_library import register_folder, write_catalogs

    labels = {provider.id: provider.label for provider in all_providers().values()}
    if has_strangers_models(jobs.Library(root)):  # guard: no-asset-library-of-strangers
        raise LibraryProblem(OPENED_AS_THEY_ARE)
    try:
        write_catalogs(root, labels)
    except OSError as error:
        raise LibraryProblem(
            Message(
                "The asset catalogs in {path} could not be written: {reason}.",
                path=root,
                reason=os_reason(error),
            ),
            "Check whether you can write to the library folder.",
        ) from error
    except UnicodeDecodeError as error:
        raise LibraryProblem(
            Message("The asset catalogs in {path} are not UTF-8 text.", path=root),
            "Rename or delete the file blender_assets.cats.txt in that folder.",
        ) from error
    return register_folder(root)


classes = (IMAGE_TO_MESH_OT_add_asset_library, IMAGE_TO_MESH_OT_open_asset_browser)
