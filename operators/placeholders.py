# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose where the mesh of a running job will stand, by moving its placeholder."""

from __future__ import annotations

import bpy

from ..app import watcher
from ..i18n.translate import tr
from .arguments import argument
from .running import Refuses

OVERLAPPING = frozenset({"UI", "TOOLS", "HEADER", "TOOL_HEADER", "ASSET_SHELF"})
"""Types of regions that may lie over the view."""


class IMAGE_TO_MESH_OT_place_at_cursor(Refuses, bpy.types.Operator):
    """Move a placeholder to the 3D cursor."""

    bl_idname = "image_to_mesh.place_at_cursor"
    bl_label = "Place at 3D Cursor"
    bl_description = "Move the placeholder to the 3D cursor; the mesh will be placed there"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job whose placeholder is moved; if empty, the newest running one")

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ..app.periodic import job_placeholders as placeholders

        job = self.job or placeholders.newest()
        if not placeholders.is_placed(job):
            return self.refuse(tr("No job is running."))
        x, y, z = context.scene.cursor.location
        placeholders.move(context, job, (x, y, z))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_place_by_click(Refuses, bpy.types.Operator):
    """Have a placeholder follow the pointer until a click leaves it there."""

    bl_idname = watcher.PLACING_NAME
    bl_label = "Place by Click"
    bl_description = "Click in the viewport to choose where the mesh will be placed"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job whose placeholder is moved; if empty, the newest running one")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        from ..app.periodic import job_placeholders as placeholders

        self.job = self.job or placeholders.newest()
        if not placeholders.is_placed(self.job):
            return self.refuse(tr("No job is running."))
        text = tr("Left Click: Place the Mesh, Right Click or Esc: Cancel")
        context.workspace.status_text_set(text)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        from ..app.periodic import job_placeholders as placeholders

        if not placeholders.is_placed(self.job):
            self.cancel(context)
            return {"CANCELLED", "PASS_THROUGH"}
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            self.cancel(context)
            return {"CANCELLED"}
        if event.type == "MOUSEMOVE":
            placeholders.drag(context, self.job, _point_under(context, event))
        elif event.type == "LEFTMOUSE" and event.value == "PRESS":
            point = _point_under(context, event)
            if point is not None:
                placeholders.move(context, self.job, point)
                self.cancel(context)
                return {"FINISHED"}
        # Other events pass, so that the user can orbit the view or press buttons meanwhile.
        return {"PASS_THROUGH"}

    # Blender calls this, too, when the window closes or a file is opened.
    def cancel(self, context: bpy.types.Context) -> None:
        """Show the placeholder at its own location, and remove the hint from the status bar."""
        from ..app.periodic import job_placeholders as placeholders

        placeholders.drag(context, self.job, None)
        # Without a window, Blender would crash.
        if context.workspace and context.window:
            context.workspace.status_text_set(None)


def _point_under(
    context: bpy.types.Context, event: bpy.types.Event
) -> tuple[float, float, float] | None:
    """Return the world position under the pointer; None outside of a 3D Viewport's main region."""
    from ..scene.raycast import point_under

    x, y = event.mouse_x, event.mouse_y
    for area in context.screen.areas if context.screen else ():
        if area.type != "VIEW_3D" or not _holds(area, x, y):
            continue
        if any(region.type in OVERLAPPING and _holds(region, x, y) for region in area.regions):
            return None
        for region in area.regions:
            if region.type == "WINDOW" and _holds(region, x, y):
                with context.temp_override(area=area, region=region):
                    return point_under(context, region, (x - region.x, y - region.y))
    return None


def _holds(place: bpy.types.Area | bpy.types.Region, x: int, y: int) -> bool:
    # A hidden region has no size, or one pixel.
    is_visible = place.width > 1 and place.height > 1
    inside = place.x <= x < place.x + place.width and place.y <= y < place.y + place.height
    return is_visible and inside


classes = (IMAGE_TO_MESH_OT_place_at_cursor, IMAGE_TO_MESH_OT_place_by_click)
