# SPDX-License-Identifier: GPL-3.0-or-later
"""The colors that Solid shading shows: the mean of each material's base color."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np
from numpy.typing import NDArray

from ..images.pixels import buffer_of
from ..mesh.arrays import corners_of, read
from .principled import find_principled, find_sources

Color = NDArray[np.float64]
"""Red, green, and blue, linear."""
LARGEST = 2048
"""Side in pixels to which a larger image is scaled down before its pixels are read."""
MOST_PIXELS = 8192 * 8192
"""Maximum number of 8-bit pixels of an image that is read: half a gigabyte with its copy."""


def set_viewport_colors(objects: Iterable[bpy.types.Object]) -> None:
    """Set the viewport color of the objects' materials to their mean base color, if it is known.

    Objects get the color of their first material.
    """
    meshes = [obj for obj in objects if obj.type == "MESH"]
    done: dict[bpy.types.Material, bool] = {}
    for obj in meshes:
        for material in (slot.material for slot in obj.material_slots):
            if material and material.library is None and material not in done:
                color = mean_base_color(material, meshes)
                done[material] = color is not None
                if color is not None:
                    material.diffuse_color = (*color, 1.0)
        first = next((slot.material for slot in obj.material_slots if slot.material), None)
        if first is not None and done.get(first):
            obj.color = first.diffuse_color


def mean_base_color(
    material: bpy.types.Material, meshes: Iterable[bpy.types.Object]
) -> Color | None:
    """Return the mean base color, linear, or None if it is not known.

    Color attributes are averaged over the meshes of the objects `meshes`.
    """
    surface = find_principled(material)
    if surface is None:
        return None
    socket = surface.inputs["Base Color"]
    if not socket.is_linked:
        return np.clip(np.array(socket.default_value[:3], np.float64), 0.0, 1.0)
    color = np.ones(3)
    sources = find_sources(socket)
    for node in sources:
        if node.type == "TEX_IMAGE":
            found = mean_image_color(node.image)
        else:
            found = _mean_attribute_color(material, node.layer_name, meshes)
        if found is None:
            return None
        color = color * found
    return np.clip(color * _factor(socket), 0.0, 1.0) if sources else None


def mean_image_color(image: bpy.types.Image) -> Color | None:
    """Return an image's mean color, linear, weighted by its opacity.

    Return None if it has no pixels, or would take too much memory.
    """
    width, height = image.size
    is_huge = width * height * (4 if image.is_float else 1) > MOST_PIXELS
    if is_huge and not image.is_dirty:
        image.buffers_free()  # Once decoded, the pixels stay in memory.
    if is_huge or not width * height:
        return None
    # Pixels that were changed exist in the image alone; a copy would not have them.
    if max(width, height) <= LARGEST or image.is_dirty:
        return _mean(buffer_of(image), is_encoded=_is_encoded(image))
    copy = image.copy()
    try:
        ratio = LARGEST / max(width, height)
        copy.scale(max(1, round(width * ratio)), max(1, round(height * ratio)))
        return _mean(buffer_of(copy), is_encoded=_is_encoded(copy))
    finally:
        bpy.data.images.remove(copy)


def _is_encoded(image: bpy.types.Image) -> bool:
    return not image.is_float and image.colorspace_settings.name == "sRGB"


def _mean(pixels: NDArray[np.float32], *, is_encoded: bool) -> Color | None:
    channels = pixels.shape[2]
    alpha = pixels[..., channels - 1].ravel() if channels in (2, 4) else None
    if alpha is not None and (alpha.min() >= 1.0 or alpha.max() <= 0.0):
        alpha = None
    values = [
        _mean_channel(pixels[..., number].ravel(), alpha, is_encoded=is_encoded)
        for number in range(3 if channels >= 3 else 1)
    ]
    return np.array(values if len(values) == 3 else values * 3)


def _mean_channel(
    values: NDArray[np.float32], alpha: NDArray[np.float32] | None, *, is_encoded: bool
) -> float:
    if not is_encoded:
        return float(np.average(np.nan_to_num(values), weights=alpha))
    # Counting the 256 levels of a byte is much cheaper than decoding every pixel.
    levels = np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
    counts = np.bincount(levels, weights=alpha, minlength=256)
    return float(np.dot(counts, _to_linear(np.arange(256) / 255.0)) / counts.sum())


def _to_linear(encoded: Color) -> Color:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _mean_attribute_color(
    material: bpy.types.Material, name: str, meshes: Iterable[bpy.types.Object]
) -> Color | None:
    """Return the mean of a color attribute over all meshes that show it with the material.

    Without a name, it is the attribute that each mesh renders by default. Return None if no mesh
    shows it.
    """
    colors = []
    for mesh in {obj.data for obj in meshes}:
        attribute = mesh.color_attributes.get(name or mesh.attributes.default_color_name or "")
        if attribute is None or material not in list(mesh.materials):
            continue
        values = read(attribute.data, "color", np.float32, 4)[:, :3]
        colors.append(values[corners_of(mesh)] if attribute.domain == "POINT" else values)
    if not colors or not sum(map(len, colors)):
        return None
    return np.nan_to_num(np.concatenate(colors)).mean(axis=0, dtype=np.float64)


def _factor(socket: bpy.types.NodeSocket, depth: int = 4) -> Color:
    """Return the product of the constant colors that Multiply nodes apply to a socket's input."""
    factor = np.ones(3)
    if not socket.is_linked or not depth:
        return factor
    node = socket.links[0].from_node
    if node.type == "MIX" and node.data_type == "RGBA" and node.blend_type == "MULTIPLY":
        for color in (item for item in node.inputs if item.enabled and item.type == "RGBA"):
            if color.is_linked:
                factor = factor * _factor(color, depth - 1)
            else:
                factor = factor * np.array(color.default_value[:3])
    return factor
