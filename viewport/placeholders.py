# SPDX-License-Identifier: GPL-3.0-or-later
"""Placeholders of meshes that are being generated, drawn into the 3D Viewport.

They are not objects: nothing is added to the file, rendered, or saved. The draw handlers exist only
while there is a placeholder, so an idle Blender calls nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import bpy

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A box where a mesh will stand: `location` is the middle of its bottom.

    `rotation` is about Z in radians, `size` is width, depth, and height. `fraction` is the job's
    progress from 0 to 1, in whole percents; None if unknown. `job` is the job's ID, `scene` the
    scene's name.
    """

    job: str
    scene: str
    location: Point
    rotation: float
    size: Point
    fraction: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A small image on a placeholder, and the part of it that is shown.

    `pixels` are RGBA values from 0 to 1, in rows from the bottom. `box` is the part that is shown:
    left, bottom, right, and top, as fractions of the image's sides.
    """

    width: int
    height: int
    pixels: array[float] = field(repr=False)
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


_shown: list[Placeholder] = []
_pictures: dict[str, Picture] = {}
_handlers: list[Any] = []


def current() -> tuple[Placeholder, ...]:
    """Return the placeholders that are shown."""
    return tuple(_shown)


def picture_of(job: str) -> Picture | None:
    """Return the picture on a job's placeholder; None if it has no picture."""
    return _pictures.get(job)


def set_picture(job: str, picture: Picture) -> None:
    """Set the picture on a job's placeholder, and redraw the viewports that show it."""
    _pictures[job] = picture
    _redraw(placeholder.scene for placeholder in _shown if placeholder.job == job)


def show(placeholders: Iterable[Placeholder]) -> None:
    """Show exactly these placeholders; redraw only the viewports in which something changes.

    Pictures of other jobs are dropped.
    """
    wanted = list(placeholders)
    if wanted == _shown:
        return
    changed = {item.scene for item in {*wanted} ^ {*_shown}}
    _shown[:] = wanted
    kept = {item.job for item in wanted}
    for job in _pictures.keys() - kept:
        del _pictures[job]
    _add_handlers() if wanted else _remove_handlers()
    _redraw(changed)


def unregister() -> None:
    """Remove all placeholders and the draw handlers."""
    _shown.clear()
    _pictures.clear()
    _remove_handlers()


def handler_count() -> int:
    """Return the number of draw handlers: 0 without placeholders."""
    return len(_handlers)


def _add_handlers() -> None:
    # Without a window there is no gpu module that could draw.
    if _handlers or bpy.app.background:
        return
    from . import drawing

    add = bpy.types.SpaceView3D.draw_handler_add
    _handlers.append(add(drawing.draw_boxes, (), "WINDOW", "POST_VIEW"))
    _handlers.append(add(drawing.draw_texts, (), "WINDOW", "POST_PIXEL"))


def _remove_handlers() -> None:
    if not _handlers:
        return
    from . import drawing

    while _handlers:
        bpy.types.SpaceView3D.draw_handler_remove(_handlers.pop(), "WINDOW")
    drawing.free()


def _redraw(scenes: Iterable[str]) -> None:
    names = set(scenes)
    for window in bpy.context.window_manager.windows if names else ():
        for area in window.screen.areas if window.scene.name in names else ():
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type == "WINDOW":
                    region.tag_redraw()
