# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a placeholder in the viewport for each job whose mesh will be placed in this file.

A placeholder stands where the mesh will: its location is settled when it first appears, next to
those of other jobs, and the mesh is placed there. Moving it moves the mesh.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import bpy
from bpy.app.handlers import persistent

from ... import jobs, preferences
from ...i18n.translate import translate
from ...state import open_file
from ...state.preflight import picture_key
from ...viewport import placeholders
from ...viewport.placeholders import Placeholder
from .. import event_queue, heartbeat

INTERVAL = 0.25
"""Seconds between two updates: the viewport is redrawn at most this often for progress."""
OWN_HEIGHT = 1.0
"""Height in meters of a model whose size is not chosen: services scale theirs to about that."""
WHOLE = (0.0, 0.0, 1.0, 1.0)

Point = tuple[float, float, float]


class Source(NamedTuple):
    """The Image that a job was started from, and where its subject is in it.

    `uid` is its `session_uid`. `box` is left, bottom, right and top of the subject as shares of the
    sides.
    """

    uid: int
    box: tuple[float, float, float, float] = WHOLE
    orientation: int = 1


_followed: list[bool] = []
"""Not empty from the start of a job until none is left."""
_sources: dict[str, Source] = {}
_requested: set[str] = set()
"""Jobs for whose images Blender was asked to make a preview."""
_settled: set[str] = set()
"""Jobs whose location has been settled."""
_dragged: dict[str, Point] = {}
"""Where the pointer holds a placeholder right now."""


def note_image(job: str, image: bpy.types.Image) -> None:
    """Note the image that a job was started from, for the picture on its placeholder."""
    report = jobs.image_checks().report(picture_key(image))
    source = Source(image.session_uid)
    if report is not None and report.info is not None:
        source = source._replace(orientation=report.info.orientation)
        if report.clear and not report.waiting:
            left, top, right, bottom = report.box
            source = source._replace(box=(left, 1.0 - bottom, right, 1.0 - top))
    _sources[job] = source


def is_placed(job: str) -> bool:
    """Return whether a job has a placeholder, which can be moved."""
    return any(view.job == job for view in _views())


def newest() -> str:
    """Return the newest job with a placeholder; empty without one."""
    return next((view.job for view in _views()), "")


def move(context: bpy.types.Context, job: str, location: Point) -> None:
    """Move a placeholder, and with it the place of the job's mesh."""
    _dragged.pop(job, None)
    view = next((view for view in _views() if view.job == job), None)
    if view is not None:
        _settled.add(job)
        _set_location(view, location)
    update(context)


def drag(context: bpy.types.Context, job: str, location: Point | None) -> None:
    """Show a placeholder somewhere else for now; None shows it at its place again."""
    if location is None:
        _dragged.pop(job, None)
    else:
        _dragged[job] = location
    update(context)


def update(context: bpy.types.Context) -> None:
    """Show the placeholders of all jobs as they are now."""
    views = list(_views()) if preferences.shows_placeholders(context) else []
    found: list[Placeholder] = []
    for view in reversed(views):  # the oldest first: later ones stand beside it
        found.append(_placeholder(context, view, found))
    placeholders.show(found)
    _load_pictures(context, views)


def follow() -> None:
    """Show placeholders until no job is left."""
    if not bpy.app.background:
        _followed[:] = [True]
        heartbeat.wake()


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether a placeholder is shown or due."""
    return bool(_followed)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Update the placeholders."""
    update(context)
    if not jobs.session().running() and not event_queue.waiting:
        _followed.clear()


STEP = heartbeat.Step("placeholders", INTERVAL, is_needed, poll)


@persistent  # Blender drops other handlers when it opens a file, which is when this one acts.
def _on_load(*_: object) -> None:
    # At once: the next redraw comes before the next tick.
    update(bpy.context)


def register() -> None:
    """Show placeholders from now on; never without a window."""
    if bpy.app.background:
        return
    bpy.app.handlers.load_post.append(_on_load)
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove all placeholders."""
    if _on_load in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_on_load)
    heartbeat.remove(STEP)
    placeholders.unregister()
    for table in (_followed, _sources, _requested, _settled, _dragged):
        table.clear()


def _views() -> Iterator[jobs.JobView]:
    """Yield the jobs whose meshes will be placed in the open file, newest first."""
    for view in jobs.session().views():
        is_due = not view.over or any(event.job == view.job for event in event_queue.waiting)
        is_coming = is_due and not view.failure and not event_queue.is_imported(view.job)
        if is_coming and view.record is not None and open_file.made_here(view.plan.file):
            yield view


def _placeholder(
    context: bpy.types.Context, view: jobs.JobView, others: list[Placeholder]
) -> Placeholder:
    place, size = jobs.session().placement_of(view), _size(context, view)
    if view.job not in _settled:
        _settled.add(view.job)
        place = _settle(context, view, size, others)
    percent = None if view.fraction is None else round(view.fraction * 100)
    return Placeholder(
        job=view.job,
        scene=_scene_of(context, view).name,
        location=_dragged.get(view.job, place.location),
        rotation=place.rotation,
        size=size,
        fraction=None if percent is None else percent / 100,
        text=translate(view.phase) if percent is None else f"{percent}%",
    )


def _settle(
    context: bpy.types.Context, view: jobs.JobView, size: Point, others: list[Placeholder]
) -> jobs.Placement:
    """Fix a job's location, so that its mesh will stand exactly where its placeholder does."""
    from ...scene.expected_box import free_location, span_of

    place = view.plan.placement
    scene = _scene_of(context, view)
    taken = [span_of(other.location, other.rotation, other.size)
             for other in others if other.scene == scene.name]  # fmt: skip
    with context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        return _set_location(view, free_location(context, place, size, taken))


def _set_location(view: jobs.JobView, location: Point) -> jobs.Placement:
    place = jobs.session().placement_of(view)
    # Without spacing: the mesh is not moved again when it arrives.
    moved = replace(place, location=location, spacing=None)
    if moved != place:
        jobs.session().move(view.job, moved)
    return moved


def _size(context: bpy.types.Context, view: jobs.JobView) -> Point:
    from ...scene.expected_box import expected_size
    from ...scene.placement import unit_factor

    record = view.record
    own = OWN_HEIGHT
    if record is not None and view.provider == "local":
        own = float(record.settings.get("height", own))
    own *= unit_factor(_scene_of(context, view))
    return expected_size(view.plan.placement, _aspect(view), own)


def _aspect(view: jobs.JobView) -> float:
    """Return the ratio of width to height of a job's subject, as far as it is known."""
    info = view.record.pictures[0].info if view.record and view.record.pictures else None
    if info is None or not info.width or not info.height:
        return 1.0
    is_turned = info.orientation in (5, 6, 7, 8)
    ratio = info.height / info.width if is_turned else info.width / info.height
    left, bottom, right, top = _sources[view.job].box if view.job in _sources else WHOLE
    return ratio * (right - left) / max(top - bottom, 1e-3)


def _scene_of(context: bpy.types.Context, view: jobs.JobView) -> bpy.types.Scene:
    """Return the scene that a job was started in, or the present one if that is gone."""
    return bpy.data.scenes.get(view.plan.scene) or context.scene


def _load_pictures(context: bpy.types.Context, views: list[jobs.JobView]) -> None:
    """Put the images on the placeholders that have none yet, as soon as Blender has previews."""
    for view in views:
        source = _sources.get(view.job)
        if source is None or placeholders.picture_of(view.job):
            continue
        image = next((image for image in bpy.data.images if image.session_uid == source.uid), None)
        if image is None:
            del _sources[view.job]
        elif (found := _read_preview(image)) is not None:
            picture = replace(found, box=source.box, orientation=source.orientation)
            placeholders.set_picture(view.job, picture)
        elif view.job not in _requested:
            _requested.add(view.job)
            _request_preview(context, image)


def _read_preview(image: bpy.types.Image) -> placeholders.Picture | None:
    """Return the preview that Blender made of an image; None if there is none."""
    preview = image.preview
    width, height = preview.image_size if preview else (0, 0)
    if not width or not height:
        return None
    pixels = array("f", bytes(16 * width * height))
    preview.image_pixels_float.foreach_get(pixels)
    return placeholders.Picture(width, height, pixels)


def _request_preview(context: bpy.types.Context, image: bpy.types.Image) -> None:
    """Have Blender make an image's preview on a thread of its own."""
    with context.temp_override(id=image), suppress(RuntimeError):
        bpy.ops.ed.lib_id_generate_preview()
