# SPDX-License-Identifier: GPL-3.0-or-later
"""The *Views* subpanel: images of the front and of the side views that the provider takes."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs
from ..i18n.translate import tr
from ..state.preflight import picture_key
from ..state.scene_properties import choices_of, provider_of, taken_views
from ..state.views import SIDE_VIEWS, foreign, images_of, view_of
from .image_checks import megabytes
from .text_layout import GAP, draw_text, is_narrow

PICTURE = 4.5
"""Height of a view's preview, in units of a row."""
COLUMNS = 2


def side_views(context: bpy.types.Context) -> tuple[str, ...]:
    """Return the side views that the provider takes with its current settings."""
    taken = taken_views(context.scene)
    return tuple(view for view in SIDE_VIEWS if view in taken)


def draw_count(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the number of images in the subpanel's header if there are several.

    An icon warns about side views that were chosen for another image.
    """
    chosen = choices_of(context.scene)
    if not images_of(chosen, SIDE_VIEWS):
        return  # the provider's views depend on all settings, which need not be read for this
    sides = side_views(context)
    count = len(images_of(chosen, ("front", *sides)))
    if foreign(chosen, sides):
        layout.label(icon="ERROR")
    row = layout.row()
    row.active = False
    row.label(text=tr("{} images").format(count) if count > 1 else "", translate=False)


def draw_views(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw a cell for the front and each side view, with a summary of the images below."""
    chosen, views = choices_of(context.scene), ("front", *side_views(context))
    grid = layout.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, align=False)
    for view in views:
        _draw_cell(grid.column(align=True), context, chosen, view)
    draw_text(layout, context, _sum(context, images_of(chosen, views)), active=False)


def draw_pictures(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw an order's images in a grid, with a summary below; nothing if there is only one."""
    images = images_of(choices_of(context.scene), ("front", *side_views(context)))
    if len(images) == 1:
        return
    grid = layout.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, align=False)
    for view, image in images.items():
        cell = grid.column(align=True)
        cell.template_icon(icon_value=_icon_of(image), scale=PICTURE)
        cell.label(text=view.capitalize())
    draw_text(layout, context, _sum(context, images), active=False)


def foreign_height(context: bpy.types.Context) -> float:
    """Return the height of what `draw_foreign` draws, with a gap, in units of a row."""
    return 1.0 + GAP if _has_foreign(context) else 0.0


def draw_foreign(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the buttons that keep or clear side views of another image, if there are any."""
    if _has_foreign(context):
        ways = layout.row(align=True)
        ways.operator("image_to_mesh.keep_views", text="Keep")
        ways.operator("image_to_mesh.clear_views", text="Clear")


def _has_foreign(context: bpy.types.Context) -> bool:
    chosen = choices_of(context.scene)
    # The provider's views depend on all settings, which are read only if a view is foreign.
    return bool(foreign(chosen) and foreign(chosen, side_views(context)))


def _draw_cell(
    layout: bpy.types.UILayout, context: bpy.types.Context, chosen: Any, view: str
) -> None:
    """Draw a view's title, preview, image name, and size.

    Without an image, a button as large as a preview opens one.
    """
    image = view_of(chosen, view)
    title = layout.row(align=True)
    title.label(text=view.capitalize())
    _draw_changes(title, context, view, has_image=image is not None)
    if image is None:
        slot = layout.column(align=True)  # in a row, the button would be as narrow as its icon
        slot.scale_y = PICTURE
        slot.operator("image_to_mesh.open_image", text="", icon="ADD").view = view
        layout.prop(chosen, "image" if view == "front" else f"view_{view}", text="")
    else:
        layout.template_icon(icon_value=_icon_of(image), scale=PICTURE)
        # Not a field: its icon and its X would leave room for a few letters of the name.
        layout.label(text=image.name, translate=False)
    draw_size(layout, image)


def _draw_changes(
    row: bpy.types.UILayout, context: bpy.types.Context, view: str, *, has_image: bool
) -> None:
    """Draw the buttons beside a view's title that open an image, if they fit, and clear it."""
    if view == "front":
        return  # the main panel has them
    if not (has_image and is_narrow(context)):
        # An operator that template_ID opens gets no properties, and could not tell views apart.
        name = "image_to_mesh.open_image"
        row.operator(name, text="", icon="FILE_FOLDER", emboss=False).view = view
    if has_image:
        row.operator("image_to_mesh.clear_views", text="", icon="X", emboss=False).view = view


def draw_size(layout: bpy.types.UILayout, image: bpy.types.Image | None) -> None:
    """Draw an image's size in pixels.

    If it is not known, draw an empty line, so that all cells are equally high.
    """
    report = jobs.image_checks().report(picture_key(image)) if image else None
    info = report.info if report else None
    line = layout.row()
    line.active = False
    line.label(text=f"{info.width} × {info.height}" if info else " ", translate=False)


def _icon_of(image: bpy.types.Image) -> int:
    """Return the icon of an image's preview, which a step of the heartbeat makes; 0 until then."""
    return image.preview.icon_id if image.preview else 0


def _sum(context: bpy.types.Context, images: dict[str, bpy.types.Image]) -> str:
    """Return a summary: the number of images and, if known, the total size of their files.

    For a local provider, it says that the images are not sent.
    """
    count = len(images)
    number = tr("1 image") if count == 1 else tr("{} images").format(count)
    if not provider_of(context.scene).is_remote:
        return tr("{}, not sent").format(number)
    reports = [jobs.image_checks().report(picture_key(image)) for image in images.values()]
    sizes = [report.size for report in reports if report and report.size]
    if len(sizes) < count or not sizes:
        return tr("Sends {}").format(number)
    return tr("Sends {}, {}").format(number, megabytes(sum(sizes)))
