# SPDX-License-Identifier: GPL-3.0-or-later
"""Save the settings of a provider as a JSON file to share, and load such a file."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ... import jobs
from ...app.redraw import redraw
from ...i18n.translate import tr, translate_error
from ...providers import ImageToMeshError
from ...providers._shared.untrusted_text import clean
from ...state.preset_baseline import keep_baseline
from ...state.scene_properties import choices_of, provider_of, read_settings, write_settings
from ...state.subject_box import ENDS, box_of, set_box
from ..arguments import HIDDEN
from ..running import Refuses

ENDING = ".json"


class IMAGE_TO_MESH_OT_export_settings(Refuses, bpy.types.Operator):
    """Write the settings of the scene's provider as JSON."""

    bl_idname = "image_to_mesh.export_settings"
    bl_label = "Export Settings..."
    bl_description = (
        "Save the settings of this provider as a file to share; it contains neither keys nor "
        "addresses"
    )

    filepath: StringProperty(
        name="File", description="File to save", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: StringProperty(default="*.json", options=HIDDEN)
    check_existing: BoolProperty(default=True, options=HIDDEN)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        self.filepath = self.filepath or f"{provider_of(context.scene).id}{ENDING}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        provider = provider_of(context.scene)
        name = self.filepath or f"//{provider.id}"
        target = Path(bpy.path.ensure_ext(bpy.path.abspath(name), ENDING))
        data = jobs.encode_settings(provider, read_settings(context.scene, provider), ENDS)
        try:
            target.write_bytes(data)
        except OSError as error:
            text = tr("{} cannot be written: {}. Choose another folder.")
            return self.refuse(text.format(clean(str(target)), error.strerror or error))
        self.report({"INFO"}, tr("Saved {}").format(clean(str(target))))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_import_settings(Refuses, bpy.types.Operator):
    """Load settings from a JSON file, and choose the provider that they are for."""

    bl_idname = "image_to_mesh.import_settings"
    bl_label = "Import Settings..."
    bl_description = (
        "Load settings that were exported, and choose the provider that they are for. Your keys "
        "and addresses stay as they are"
    )
    bl_options = {"UNDO"}

    filepath: StringProperty(
        name="File", description="File to load", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: StringProperty(default="*.json", options=HIDDEN)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        try:
            found = jobs.read_shared_settings(path)
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        chosen = choices_of(context.scene)
        box = box_of(chosen)
        chosen.provider = found.provider.id
        write_settings(context.scene, found.provider, found.settings)
        set_box(chosen, box)  # it belongs to the image, not to the settings
        keep_baseline(context.scene, found.provider, "")
        self.report({"INFO"}, tr("Loaded the settings of {}").format(found.provider.label))
        redraw(context)
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_export_settings, IMAGE_TO_MESH_OT_import_settings)
