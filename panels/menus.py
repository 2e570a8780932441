# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries in Blender's own menus, and the add-on's tab in the Image Editor."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs
from ..state.orders.price import with_images, with_price, with_provider
from ..state.scene_properties import choices_of, provider_of
from ..state.visibility import TAB, note_drawn
from . import generate, image_checks, provider_state, views
from .job_list.running import draw_running
from .text_layout import draw_text

ICON = "MESH_DATA"


class IMAGE_TO_MESH_MT_pictures(bpy.types.Menu):
    """Sources of an image: file, clipboard, reference, viewport, render, URL, or sample"""

    bl_idname = "IMAGE_TO_MESH_MT_pictures"
    bl_label = "Image From"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        # Menus may execute operators directly; dialogs open only on invoke.
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("image_to_mesh.open_image", text="File...", icon="FILEBROWSER")
        layout.operator("image_to_mesh.paste", text="Clipboard", icon="PASTEDOWN")
        layout.operator("image_to_mesh.use_selected", text="Selected Reference", icon="EMPTY_DATA")
        layout.operator("image_to_mesh.use_view", text="Viewport", icon="VIEW3D")
        layout.operator("image_to_mesh.use_render", text="Render Result", icon="RENDER_RESULT")
        layout.operator("image_to_mesh.use_address", text="URL...", icon="URL")
        layout.operator("image_to_mesh.use_sample", text="Sample Image", icon="IMAGE_DATA")
        layout.separator()
        several = ("Generate from Multiple Files with {}...", "Generate from Multiple Files...")
        _several(layout, with_provider(context, *several), "FILE_FOLDER")


class IMAGE_TO_MESH_MT_edit_image(bpy.types.Menu):
    """Ways to prepare the scene's image"""

    bl_idname = "IMAGE_TO_MESH_MT_edit_image"
    bl_label = "Edit Image"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        develop = "image_to_mesh.develop"
        layout.operator(develop, text="Remove Background").background = "remove"
        layout.operator(develop, text="Crop to Subject").crop = True
        layout.operator(develop, text="Fill Background with White").background = "white"
        layout.separator()
        layout.operator_context = "INVOKE_DEFAULT"  # the box is drawn
        layout.operator("image_to_mesh.mark_subject")
        layout.operator("image_to_mesh.clear_subject")
        layout.separator()
        layout.operator("image_to_mesh.use_original")
        layout.separator()
        layout.operator("image_to_mesh.keep_views")
        layout.operator("image_to_mesh.clear_views")


class IMAGE_TO_MESH_MT_settings(bpy.types.Menu):
    """Presets, defaults, and the depth model, for Blender's search"""

    bl_idname = "IMAGE_TO_MESH_MT_settings"
    bl_label = "Settings"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        # Menus may execute operators directly; dialogs open only on invoke.
        layout.operator_context = "INVOKE_DEFAULT"
        layout.menu("IMAGE_TO_MESH_MT_presets")
        layout.operator("image_to_mesh.get_settings")
        layout.separator()
        layout.operator("image_to_mesh.leave_reference")
        layout.operator("image_to_mesh.keep_defaults")
        layout.operator("image_to_mesh.forget_defaults")
        layout.separator()
        state = jobs.weights_downloads().state(jobs.DEPTH)
        row = layout.row()
        row.enabled = not (state.is_there or state.is_running)
        row.operator("image_to_mesh.get_depth_model")
        layout.operator("image_to_mesh.depth_model_from_file", text="Depth Model from File...")


class IMAGE_TO_MESH_MT_object(bpy.types.Menu):
    """The add-on's submenu in the Object menu"""

    bl_idname = "IMAGE_TO_MESH_MT_object"
    bl_label = "Image to Mesh"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        # Menus may execute operators directly; paid orders ask on invoke only.
        layout.operator_context = "INVOKE_DEFAULT"
        _order(layout, context, "generate", ("Generate with {}", "Generate"))
        _order(layout, context, "update", ("Update with {}", "Update"))
        layout.separator()
        layout.menu("IMAGE_TO_MESH_MT_pictures")
        layout.menu("IMAGE_TO_MESH_MT_edit_image")
        layout.menu("IMAGE_TO_MESH_MT_settings")
        layout.separator()
        layout.operator("image_to_mesh.import_result")
        layout.operator("image_to_mesh.frame_results")
        layout.operator("image_to_mesh.show_texture")
        layout.operator("image_to_mesh.select_made")
        layout.operator("image_to_mesh.replace")
        layout.operator("image_to_mesh.bring_back")
        layout.separator()
        layout.menu("IMAGE_TO_MESH_MT_rotate")
        layout.menu("IMAGE_TO_MESH_MT_mesh_tools", text="Mesh Tools")
        layout.separator()
        layout.menu("IMAGE_TO_MESH_MT_library")
        layout.operator("image_to_mesh.cancel")


class IMAGE_TO_MESH_MT_rotate(bpy.types.Menu):
    """Rotations of the active result, which its provider's later results get, too"""

    bl_idname = "IMAGE_TO_MESH_MT_rotate"
    bl_label = "Rotate"

    def draw(self, _context: bpy.types.Context) -> None:
        self.layout.operator_enum("image_to_mesh.turn", "to")


class IMAGE_TO_MESH_MT_library(bpy.types.Menu):
    """The library, jobs of earlier sessions, and diagnostics"""

    bl_idname = "IMAGE_TO_MESH_MT_library"
    bl_label = "Library"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        # Menus may execute operators directly; the file dialog opens only on invoke.
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("image_to_mesh.import_arrivals", text="Import New Results")
        layout.operator("image_to_mesh.resume", text="Resume Newest Unfinished Job")
        layout.separator()
        layout.operator("image_to_mesh.open_asset_browser")
        layout.separator()
        layout.operator("image_to_mesh.save_diagnostics")


class IMAGE_TO_MESH_MT_mesh_tools(bpy.types.Menu):
    """The mesh tools, which work on any mesh"""

    bl_idname = "IMAGE_TO_MESH_MT_mesh_tools"
    bl_label = "Mesh Tools"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        # Menus may execute operators directly, and Blender would wait for the end of the work.
        layout.operator_context = "INVOKE_DEFAULT"
        for name in (
            "health_card", "clean_mesh", "decimate", "quad_remesh", "detail_levels", "print_check"
        ):  # fmt: skip
            layout.operator(f"image_to_mesh.{name}")
        layout.separator()
        layout.menu("IMAGE_TO_MESH_MT_versions")


class IMAGE_TO_MESH_PT_image_editor(bpy.types.Panel):
    """The tab in the Image Editor, which uses the image shown there."""

    bl_idname = "IMAGE_TO_MESH_PT_image_editor"
    bl_label = "Image to Mesh"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = TAB

    def draw(self, context: bpy.types.Context) -> None:
        note_drawn()
        layout = self.layout
        chosen = choices_of(context.scene)
        is_used = chosen.image is not None and chosen.image == context.space_data.image
        if not is_used:
            layout.operator("image_to_mesh.use_image", text="Use This Image", icon="IMAGE_DATA")
            if context.space_data.image is None:
                draw_text(layout, context, "Open an image first", icon="INFO")
            return
        provider = provider_of(context.scene)
        provider_state.draw_provider(layout, context, chosen, provider)
        views.draw_pictures(layout, context)
        image_checks.draw_box_buttons(layout.row(align=True), chosen, text="Mark Subject")
        action = generate.plan_action(context)
        generate.draw_warnings(layout, context, action)
        generate.draw_generate(layout, context, action)
        draw_running(layout, context, jobs.session().running())


def _order(
    layout: bpy.types.UILayout, context: bpy.types.Context, name: str, texts: tuple[str, str]
) -> None:
    """Draw an order's entry with its provider, its number of images, and its price.

    `texts` are two labels: one for services, with {} for the name, and one for local providers.
    """
    text = with_price(context, with_images(context, with_provider(context, *texts)))
    icon = ICON if name == "generate" else "NONE"
    button = layout.operator(f"image_to_mesh.{name}", text=text, icon=icon, translate=False)
    button.place = "menu"


def _several(layout: bpy.types.UILayout, text: str, icon: str) -> None:
    # Menus may execute operators directly; the file dialog opens only on invoke.
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator("image_to_mesh.make_here", text=text, icon=icon, translate=False)


def _in_object_menu(self: Any, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu("IMAGE_TO_MESH_MT_object", icon=ICON)


def _in_add_menu(self: Any, context: bpy.types.Context) -> None:
    self.layout.separator()
    text = with_provider(context, "From Image with {}...", "From Image...")
    _several(self.layout, text, "IMAGE_DATA")


def _in_image_menu(self: Any, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.operator("image_to_mesh.use_image", icon=ICON)


ENTRIES = (
    ("VIEW3D_MT_object", _in_object_menu),
    ("VIEW3D_MT_mesh_add", _in_add_menu),
    ("IMAGE_MT_image", _in_image_menu),
)

classes = (
    IMAGE_TO_MESH_MT_pictures,
    IMAGE_TO_MESH_MT_edit_image,
    IMAGE_TO_MESH_MT_settings,
    IMAGE_TO_MESH_MT_rotate,
    IMAGE_TO_MESH_MT_library,
    IMAGE_TO_MESH_MT_mesh_tools,
    IMAGE_TO_MESH_MT_object,
    IMAGE_TO_MESH_PT_image_editor,
)


def register() -> None:
    """Append the entries to Blender's menus."""
    for menu, entry in ENTRIES:
        getattr(bpy.types, menu).append(entry)


def unregister() -> None:
    """Remove the entries."""
    for menu, entry in ENTRIES:
        getattr(bpy.types, menu).remove(entry)
