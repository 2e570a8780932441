# SPDX-License-Identifier: GPL-3.0-or-later
"""Get the depth model: by a download, or from a file on this computer."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ... import jobs, preferences
from ...app.models import depth_model
from ...app.redraw import redraw
from ...i18n.translate import tr, translate_error
from ..arguments import HIDDEN


def _begin(operator: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
    """Follow the download or copy; without a window, wait for it. Return the operator's result."""
    if not bpy.app.background:
        depth_model.follow()
        redraw(context)
        return {"FINISHED"}
    error = depth_model.wait()
    if error is not None:
        operator.report({"ERROR"}, translate_error(error))
        return {"CANCELLED"}
    return {"FINISHED"}


class IMAGE_TO_MESH_OT_get_depth_model(bpy.types.Operator):
    """Download the depth model; a script without a window waits for it."""

    bl_idname = "image_to_mesh.get_depth_model"
    bl_label = "Download Depth Model"
    bl_description = (
        "Download Depth Anything V2 Small from Hugging Face (Apache License 2.0): an optional "
        "model that sees depth in images. Body needs it, and Relief uses it. It runs on this "
        "computer. Experimental"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not preferences.may_reach(jobs.DEPTH.url):
            self.report({"ERROR"}, tr(preferences.OFFLINE))
            return {"CANCELLED"}
        jobs.weights_downloads().download(jobs.DEPTH, online=True)
        return _begin(self, context)


class IMAGE_TO_MESH_OT_depth_model_from_file(bpy.types.Operator):
    """Copy and check the depth model from a file, for computers without a network."""

    bl_idname = "image_to_mesh.depth_model_from_file"
    bl_label = "Depth Model from File"
    bl_description = (
        "Use a copy of Depth Anything V2 Small that was downloaded elsewhere: model.safetensors "
        "from depth-anything/Depth-Anything-V2-Small-hf. The file is copied and verified"
    )

    filepath: StringProperty(
        name="File",
        description="Path of model.safetensors",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_glob: StringProperty(default="*.safetensors", options=HIDDEN)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        jobs.weights_downloads().take_file(path, jobs.DEPTH)
        return _begin(self, context)


class IMAGE_TO_MESH_OT_cancel_depth_model(bpy.types.Operator):
    """Cancel the download of the depth model."""

    bl_idname = "image_to_mesh.cancel_depth_model"
    bl_label = "Cancel Download"
    bl_description = "Cancel the download. The next one continues where it stopped"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.weights_downloads().cancel(jobs.DEPTH)
        redraw(context)
        return {"FINISHED"}


classes = (
    IMAGE_TO_MESH_OT_get_depth_model,
    IMAGE_TO_MESH_OT_depth_model_from_file,
    IMAGE_TO_MESH_OT_cancel_depth_model,
)
