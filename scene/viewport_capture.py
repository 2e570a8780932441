# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture the 3D viewport as an image: no overlays, transparent background."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..providers import BadImage

NAME = "Viewport"


def capture_viewport(context: bpy.types.Context) -> bpy.types.Image:
    """Return a packed image of the context's 3D viewport, or of the screen's largest.

    Raise BadImage without a 3D viewport, or if Blender runs without a window.
    """
    area = _view_area(context)
    if bpy.app.background or area is None:
        raise BadImage("There is no 3D Viewport to capture.", "Open a 3D Viewport.")
    space = area.spaces.active
    region = next(region for region in area.regions if region.type == "WINDOW")
    with _without_overlays(space):
        values = _draw_view(context, space, region)
    return _image(values, region.width, region.height)


def _view_area(context: bpy.types.Context) -> Any:
    """Return the context's 3D viewport, or the largest one of the screen, or None."""
    if context.area and context.area.type == "VIEW_3D":
        return context.area
    areas = (
        [area for area in context.screen.areas if area.type == "VIEW_3D"] if context.screen else []
    )
    return max(areas, key=lambda area: area.width * area.height, default=None)


def _draw_view(context: bpy.types.Context, space: Any, region: bpy.types.Region) -> Any:
    # Imported here, since it is of use only with a window.
    import gpu

    view = space.region_3d
    offscreen = gpu.types.GPUOffScreen(region.width, region.height)
    try:
        offscreen.draw_view3d(
            context.scene, context.view_layer, space, region,
            view.view_matrix, view.window_matrix,
            do_color_management=True, draw_background=False,
        )  # fmt: skip
        with offscreen.bind():
            buffer = gpu.state.active_framebuffer_get().read_color(
                0, 0, region.width, region.height, 4, 0, "FLOAT"
            )
        # foreach_set takes a flat buffer; the framebuffer's has three dimensions.
        buffer.dimensions = region.width * region.height * 4
        return buffer
    finally:
        offscreen.free()


def _image(values: Any, width: int, height: int) -> bpy.types.Image:
    image = bpy.data.images.new(NAME, width, height, alpha=True)
    image.pixels.foreach_set(values)
    image.pack()
    image.preview_ensure()
    return image


@contextmanager
def _without_overlays(space: Any) -> Iterator[None]:
    before = space.overlay.show_overlays
    space.overlay.show_overlays = False
    try:
        yield
    finally:
        space.overlay.show_overlays = before
