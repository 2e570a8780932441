# SPDX-License-Identifier: GPL-3.0-or-later
"""Save a zip for bug reports, without keys, images, or meshes."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import jobs, preferences
from ..i18n.translate import tr
from ..providers import Secret, all_providers, parts_to_hide
from ..providers._shared.untrusted_text import clean

NAME = "image-to-mesh-diagnostics.zip"


class IMAGE_TO_MESH_OT_save_diagnostics(bpy.types.Operator):
    """Write a zip file for a bug report."""

    bl_idname = "image_to_mesh.save_diagnostics"
    bl_label = "Save Diagnostics..."
    bl_description = (
        "Save a zip file for a bug report: versions, preferences, and the newest job records; "
        "no keys, images, or meshes"
    )

    filepath: StringProperty(
        name="File",
        description="Path of the zip file to save",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_glob: StringProperty(default="*.zip", options={"HIDDEN", "SKIP_SAVE"})
    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = self.filepath or NAME
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        target = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath or f"//{NAME}"), ".zip"))
        shown = clean(str(target))
        try:
            jobs.write_diagnostics(
                target,
                versions={"blender": bpy.app.version_string, "hash": bpy.app.build_hash.decode()},
                preferences=dict(preferences.get(context)),
                library=preferences.library(context),
                secrets=_secrets(context),
            )
        except OSError as error:
            self.report(
                {"ERROR"},
                tr("{} cannot be written: {}. Choose another folder.").format(
                    shown, error.strerror or error
                ),
            )
            return {"CANCELLED"}
        self.report({"INFO"}, tr("Saved {}").format(shown))
        return {"FINISHED"}


def _secrets(context: bpy.types.Context) -> list[Secret]:
    """Return all keys in preferences and environment, valid or not, to redact them."""
    kept = preferences.get(context)
    fields = [field for provider in all_providers().values() for field in provider.keys]
    values = [
        (field, value)
        for field in fields
        for value in (kept[field.preference], os.environ.get(field.environment, ""))
    ]
    found = {part for field, value in values for part in parts_to_hide(field, value)}
    # Keys are used without surrounding spaces, so texts may contain either spelling.
    spelled = found | {value.strip() for value in found}
    return [Secret(value) for value in spelled if value]


classes = (IMAGE_TO_MESH_OT_save_diagnostics,)
