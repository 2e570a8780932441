# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw a box around the subject of the scene's image, in the Image Editor."""

from __future__ import annotations

from typing import Any

import bpy
import gpu
from bpy.props import FloatProperty

from ... import jobs
from ...app.redraw import redraw
from ...i18n.translate import tr
from ...state import subject_box
from ...state.preflight import image_problem, picture_key
from ...state.scene_properties import choices_of

HOW = "Drag a box around the subject, or press Esc to cancel"
LEAST = 0.01
"""Minimum side of a box, as a share of the image's side; shorter drags are accidental clicks."""
NAVIGATION = frozenset({
    "MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE", "TRACKPADPAN", "TRACKPADZOOM", "MOUSEROTATE",
    "HOME", "NUMPAD_PLUS", "NUMPAD_MINUS", "TIMER",
})  # fmt: skip
"""Events that still move the view while a box is drawn."""
LINE_COLOR = (1.0, 1.0, 1.0, 0.9)


def _edge(title: str, description: str, default: float) -> Any:
    return FloatProperty(
        name=title,
        description=description,
        default=default,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"SKIP_SAVE"},
    )


def _orientation(image: bpy.types.Image) -> int:
    """Return the Exif orientation (1 to 8) of an image's file; 1 if it is not known."""
    report = jobs.image_checks().report(picture_key(image))
    return report.info.orientation if report and report.info else 1


class IMAGE_TO_MESH_OT_mark_subject(bpy.types.Operator):
    """Draw a box around the subject in an Image Editor; open one if the window has none."""

    bl_idname = "image_to_mesh.mark_subject"
    bl_label = "Mark Subject"
    bl_description = "Draw a box around the subject: nothing outside of it is part of the subject"
    bl_options = {"REGISTER", "UNDO"}

    left: _edge(
        title="Left",
        description="Left edge of the box around the subject, as a fraction of the image's width, "
        "from the left",
        default=0.0,
    )
    top: _edge(
        title="Top",
        description="Upper edge of the box around the subject, as a fraction of the image's "
        "height, from the top",
        default=0.0,
    )
    right: _edge(
        title="Right",
        description="Right edge of the box around the subject, as a fraction of the image's "
        "width, from the left",
        default=1.0,
    )
    bottom: _edge(
        title="Bottom",
        description="Lower edge of the box around the subject, as a fraction of the image's "
        "height, from the top",
        default=1.0,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = image_problem(choices_of(context.scene).image)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        box = (self.left, self.top, self.right, self.bottom)
        if box[0] >= box[2] or box[1] >= box[3]:
            self.report(
                {"ERROR"},
                tr("The box is empty: Left must be less than Right, and Top less than Bottom"),
            )
            return {"CANCELLED"}
        chosen = choices_of(context.scene)
        subject_box.set_box(chosen, () if box == subject_box.WHOLE else box)
        redraw(context)
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        area = context.area
        if area is None or area.type != "IMAGE_EDITOR":
            return _mark_in_editor(context)
        area.spaces.active.image = choices_of(context.scene).image
        self._region = next(region for region in area.regions if region.type == "WINDOW")
        self._from: tuple[int, int] | None = None
        self._to = (0, 0)
        self._orientation = _orientation(choices_of(context.scene).image)
        self._handler = bpy.types.SpaceImageEditor.draw_handler_add(
            self._draw, (self._region,), "WINDOW", "POST_PIXEL"
        )
        context.workspace.status_text_set(tr(HOW))
        context.window.cursor_modal_set("CROSSHAIR")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type in {"ESC", "RIGHTMOUSE"}:
            return self._stop(context, {"CANCELLED"})
        if event.type == "LEFTMOUSE":
            return self._press(context, event)
        if event.type == "MOUSEMOVE" and self._from is not None:
            self._to = self._place(event)
            self._region.tag_redraw()
            return {"RUNNING_MODAL"}
        return {"PASS_THROUGH"} if event.type in NAVIGATION else {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """End the drawing when Blender closes the window or opens another file."""
        self._stop(context, set())

    def _press(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._to = self._place(event)
        if event.value == "PRESS":
            x, y = self._to
            # A click outside of the image's region belongs to another part of the window.
            if not (0 <= x < self._region.width and 0 <= y < self._region.height):
                return self._stop(context, {"CANCELLED", "PASS_THROUGH"})
            self._from = self._to
            return {"RUNNING_MODAL"}
        if self._from is None or not self._set_box():
            self._from = None
            self._region.tag_redraw()
            return {"RUNNING_MODAL"}
        self._stop(context, set())
        return self.execute(context)

    def _set_box(self) -> bool:
        """Set the box to the dragged rectangle; return False if it is too small to count."""
        view = self._region.view2d
        ends = [view.region_to_view(*place) for place in (self._from or self._to, self._to)]
        (left, right), (bottom, top) = (sorted(values) for values in zip(*ends, strict=True))
        # The view's origin is at the bottom.
        stored = max(left, 0.0), max(1.0 - top, 0.0), min(right, 1.0), min(1.0 - bottom, 1.0)
        upright = subject_box.upright_box(stored, self._orientation)
        self.left, self.top, self.right, self.bottom = upright
        return min(self.right - self.left, self.bottom - self.top) >= LEAST

    def _place(self, event: bpy.types.Event) -> tuple[int, int]:
        """Return the pointer's location in the region, in pixels.

        The event's own region coordinates may refer to another region.
        """
        return event.mouse_x - self._region.x, event.mouse_y - self._region.y

    def _draw(self, region: bpy.types.Region) -> None:
        if self._from is not None and bpy.context.region == region:
            draw_frame(self._from, self._to)

    def _stop(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        if self._handler is not None:
            bpy.types.SpaceImageEditor.draw_handler_remove(self._handler, "WINDOW")
            self._handler = None
            context.workspace.status_text_set(None)
            context.window.cursor_modal_restore()
            self._region.tag_redraw()
        return result


class IMAGE_TO_MESH_OT_clear_subject(bpy.types.Operator):
    """Remove the box around the subject."""

    bl_idname = "image_to_mesh.clear_subject"
    bl_label = "Clear Subject"
    bl_description = "Remove the box around the subject, so that it is found automatically"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not subject_box.box_of(choices_of(context.scene)):
            cls.poll_message_set("There is no box around the subject")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        subject_box.set_box(choices_of(context.scene), ())
        redraw(context)
        return {"FINISHED"}


def _mark_in_editor(context: bpy.types.Context) -> set[str]:
    """Start drawing in the largest Image Editor of this window, or in a new window.

    Return CANCELLED, since the operator called here adds the undo step.
    """
    window, area = context.window, find_editor(context.window)
    if area is None:
        bpy.ops.wm.window_new()
        window = context.window_manager.windows[-1]
        area = window.screen.areas[0]
        area.type = "IMAGE_EDITOR"
    region = next(region for region in area.regions if region.type == "WINDOW")
    with context.temp_override(window=window, screen=window.screen, area=area, region=region):
        bpy.ops.image_to_mesh.mark_subject("INVOKE_DEFAULT")
    return {"CANCELLED"}


def find_editor(window: bpy.types.Window) -> bpy.types.Area | None:
    """Return the largest Image Editor of a window, or None."""
    areas = [area for area in window.screen.areas if area.ui_type == "IMAGE_EDITOR"]
    return max(areas, key=lambda area: area.width * area.height, default=None)


def draw_frame(first: tuple[int, int], second: tuple[int, int]) -> None:
    """Draw a rectangle between two opposite corners, in pixels of the region."""
    (left, low), (right, high) = first, second
    corners = [(left, low), (right, low), (right, high), (left, high), (left, low)]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    vertices = gpu.types.GPUVertBuf(shader.format_calc(), len(corners))
    vertices.attr_fill("pos", [(x, y, 0.0) for x, y in corners])
    gpu.state.line_width_set(2.0)
    shader.bind()
    shader.uniform_float("color", LINE_COLOR)
    gpu.types.GPUBatch(type="LINE_STRIP", buf=vertices).draw(shader)
    gpu.state.line_width_set(1.0)


classes = (IMAGE_TO_MESH_OT_mark_subject, IMAGE_TO_MESH_OT_clear_subject)
