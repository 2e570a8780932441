# SPDX-License-Identifier: GPL-3.0-or-later
"""The draw handlers of placeholders: boxes and pictures in the view, texts on top of it.

Handlers run at every redraw of a viewport, so shapes and textures are built once, when a
placeholder has changed, and only drawn here.
"""

from __future__ import annotations

from typing import Any

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

from . import box
from .placeholders import Picture, Placeholder, current, picture_of

LINE = (1.0, 1.0, 1.0, 0.4)
HIDDEN_LINE = (1.0, 1.0, 1.0, 0.1)
BOTTOM = (1.0, 1.0, 1.0, 0.07)
BEFORE, AFTER, UNKNOWN = 0.3, 0.95, 0.6
"""Opacity of a picture above and below the progress level, and if the progress is unknown."""
LINE_WIDTH = 1.5
TEXT_SIZE, GAP = 15, 9
NARROWEST = 0.8
"""Minimum width of a box, relative to its text's, for the text to be drawn without overlaps."""

_VERTEX = """
void main()
{
  coordinate = texture_place;
  height = level_place;
  gl_Position = view * vec4(position, 1.0);
}
"""
_FRAGMENT = """
void main()
{
  vec4 shown = texture(image, coordinate);
  float opacity = height < levels.x ? levels.y : levels.z;
  color = vec4(pow(shown.rgb, vec3(2.2)), shown.a * opacity);
}
"""

_shader: list[Any] = []
_built: dict[str, Any] = {}
"""By scene: the location, rotation, and size of its placeholders, and the batches made from them.
"""
_textures: dict[str, tuple[Picture, Any]] = {}
_tops: dict[str, tuple[Any, list[Vector]]] = {}


def draw_boxes() -> None:
    """Draw the boxes and pictures of the placeholders; registered as the POST_VIEW handler."""
    context = bpy.context
    items = _in_view(context)
    if not items:
        return
    batches = _batches(context.scene.name, items)
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_mask_set(False)
    try:
        _draw_plain(batches)
        _draw_lines(batches["lines"])
        # Last: a picture covers the edges behind it.
        _draw_pictures(context, items, batches["pictures"])
    finally:
        gpu.state.depth_test_set("NONE")
        gpu.state.depth_mask_set(True)
        gpu.state.blend_set("NONE")


def draw_texts() -> None:
    """Draw the text of each placeholder above its box; registered as the POST_PIXEL handler."""
    context = bpy.context
    items = _in_view(context)
    if not items:
        return
    scale = context.preferences.system.ui_scale
    matrix = context.region_data.perspective_matrix
    half = context.region.width / 2, context.region.height / 2
    blf.size(0, TEXT_SIZE * scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 5, 0.0, 0.0, 0.0, 0.8)
    blf.shadow_offset(0, 0, -1)
    blf.color(0, 1.0, 1.0, 1.0, 1.0)
    try:
        for item in items:
            _draw_text(item, matrix, half, GAP * scale)
    finally:
        blf.disable(0, blf.SHADOW)


def free() -> None:
    """Release shaders, batches, and textures."""
    _shader.clear()
    _built.clear()
    _textures.clear()
    _tops.clear()


def _in_view(context: bpy.types.Context) -> tuple[Placeholder, ...]:
    """Return the placeholders of the viewport's scene; empty if its overlays are hidden."""
    space = context.space_data
    if space is None or not space.overlay.show_overlays:
        return ()
    scene = context.scene.name
    return tuple(item for item in current() if item.scene == scene)


def _batches(scene: str, items: tuple[Placeholder, ...]) -> dict[str, Any]:
    places = tuple((item.job, item.location, item.rotation, item.size) for item in items)
    kept = _built.get(scene)
    if kept is None or kept["places"] != places:
        kept = _built[scene] = {"places": places, **_build(items)}
    return kept


def _build(items: tuple[Placeholder, ...]) -> dict[str, Any]:
    lines = [point for item in items for point in box.edges(item)]
    bottoms = [point for item in items for point in box.bottom(item)]
    plain = gpu.shader.from_builtin("UNIFORM_COLOR")
    wide = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    return {
        "lines": batch_for_shader(wide, "LINES", {"pos": lines}),
        "hidden": batch_for_shader(plain, "LINES", {"pos": lines}),
        "bottoms": batch_for_shader(plain, "TRIS", {"pos": bottoms}),
        "pictures": {},
    }


def _draw_lines(batch: Any) -> None:
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", LINE_WIDTH)
    shader.uniform_float("color", LINE)
    batch.draw(shader)


def _draw_plain(batches: dict[str, Any]) -> None:
    """Draw the bottoms of the boxes and, faintly, those edges that something else hides."""
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.bind()
    gpu.state.depth_test_set("GREATER")
    shader.uniform_float("color", HIDDEN_LINE)
    batches["hidden"].draw(shader)
    gpu.state.depth_test_set("LESS_EQUAL")
    shader.uniform_float("color", BOTTOM)
    batches["bottoms"].draw(shader)


def _draw_pictures(
    context: bpy.types.Context, items: tuple[Placeholder, ...], batches: dict[str, Any]
) -> None:
    shader = _picture_shader()
    shader.bind()
    shader.uniform_float("view", context.region_data.perspective_matrix)
    for item in items:
        found = _texture(item.job)
        if found is None:
            continue
        picture, texture = found
        kept, batch = batches.get(item.job, (None, None))
        if kept is not picture:
            batch = _picture_batch(shader, item, picture)
            batches[item.job] = picture, batch
        is_known = item.fraction is not None
        levels = (item.fraction, AFTER, BEFORE) if is_known else (0.0, UNKNOWN, UNKNOWN)
        shader.uniform_float("levels", levels)
        shader.uniform_sampler("image", texture)
        batch.draw(shader)


def _texture(job: str) -> tuple[Picture, Any] | None:
    """Return a job's picture and its texture, or None without a picture.

    The texture is created when the picture is first drawn. At the same time, the textures of jobs
    without a placeholder are dropped.
    """
    picture = picture_of(job)
    if picture is None:
        return None
    kept = _textures.get(job)
    if kept is None or kept[0] is not picture:
        values = gpu.types.Buffer("FLOAT", len(picture.pixels), picture.pixels)
        size = (picture.width, picture.height)
        kept = _textures[job] = (picture, gpu.types.GPUTexture(size, format="RGBA8", data=values))
        for gone in _textures.keys() - {item.job for item in current()}:
            del _textures[gone]
    return kept


def _picture_batch(shader: Any, item: Placeholder, picture: Picture) -> Any:
    return batch_for_shader(
        shader,
        "TRIS",
        {
            "position": box.front(item),
            "texture_place": box.coordinates(picture),
            "level_place": [v for _, v in box.UNIT],
        },
        indices=((0, 1, 2), (0, 2, 3)),
    )


def _picture_shader() -> Any:
    """Return the shader of pictures, which are more opaque below the progress level."""
    if not _shader:
        between = gpu.types.GPUStageInterfaceInfo("image_to_mesh_picture")
        between.smooth("VEC2", "coordinate")
        between.smooth("FLOAT", "height")
        info = gpu.types.GPUShaderCreateInfo()
        info.push_constant("MAT4", "view")
        info.push_constant("VEC3", "levels")
        info.sampler(0, "FLOAT_2D", "image")
        info.vertex_in(0, "VEC3", "position")
        info.vertex_in(1, "VEC2", "texture_place")
        info.vertex_in(2, "FLOAT", "level_place")
        info.vertex_out(between)
        info.fragment_out(0, "VEC4", "color")
        info.vertex_source(_VERTEX)
        info.fragment_source(_FRAGMENT)
        _shader.append(gpu.shader.create_from_info(info))
    return _shader[0]


def _draw_text(item: Placeholder, matrix: Matrix, half: tuple[float, float], gap: float) -> None:
    """Draw the placeholder's text on the screen, centered above its box, at a distance of `gap`.

    `half` is half of the region's width and height; all lengths are in pixels. Nothing is drawn if
    the box is partly behind the viewer, beyond the left or right edge of the view, or too narrow
    for the text.
    """
    seen = [matrix @ point for point in _top(item)]
    if min(point.w for point in seen) <= 0.0:
        return  # It is partly behind the view.
    across = [point.x / point.w for point in seen]
    up = [point.y / point.w for point in seen]
    left, right, high = min(across), max(across), max(up)
    width, _ = blf.dimensions(0, item.text)
    if (right - left) * half[0] < NARROWEST * width or left > 1.0 or right < -1.0:
        return
    middle = (1.0 + (left + right) / 2) * half[0]
    blf.position(0, middle - width / 2, (1.0 + high) * half[1] + gap, 0)
    blf.draw(0, item.text)


def _top(item: Placeholder) -> list[Vector]:
    """Return the corners of a box's top as (x, y, z, 1), cached until the box changes."""
    place = (item.location, item.rotation, item.size)
    kept = _tops.get(item.job)
    if kept is None or kept[0] != place:
        points = [Vector((*corner, 1.0)) for corner in box.corners(item)[4:]]
        kept = _tops[item.job] = (place, points)
    return kept[1]
