# SPDX-License-Identifier: GPL-3.0-or-later
"""The placeholders of running jobs: where they stand, how large they are, what they show.

A placeholder stands where the mesh will: its location is reserved when it first appears, next to
those of other jobs, and the mesh is placed there. Moving it moves the mesh.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import NamedTuple

import bpy

from ... import jobs, preferences
from ...i18n.translate import translate
from ...state import open_file
from ...state.preflight import picture_key
from ...viewport import placeholders
from ...viewport.placeholders import Placeholder
from .. import bring_in, event_queue
from .image_checks import subject_detection

OWN_HEIGHT = 1.0
"""Height in meters of a model whose size is not chosen: services scale theirs to about that."""
WHOLE = (0.0, 0.0, 1.0, 1.0)

Point = tuple[float, float, float]


class Reservation(NamedTuple):
    """A location that is kept for a job: the placement that was wanted, and the expected size.

    `size` is None once the user has chosen the location.
    """

    wanted: jobs.Placement
    size: Point | None


_keys: dict[str, Hashable] = {}
"""The key of each job's image among the image reports."""
_reserved: dict[str, Reservation] = {}
_dragged: dict[str, Point] = {}
"""Where the pointer holds a placeholder right now."""


def note_image(job: str, image: bpy.types.Image) -> None:
    """Note the image that a job was started from: its report has a picture for the placeholder."""
    _keys[job] = picture_key(image)


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
        place = jobs.session().placement_of(view)
        _reserved[job] = Reservation(place, None)
        _set_location(view, replace(place, location=location))
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


def forget() -> None:
    """Forget all jobs: none is left."""
    for table in (_keys, _reserved, _dragged):
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
    size = _size(context, view)
    place = _reserve(context, view, size, others)
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


def _reserve(
    context: bpy.types.Context, view: jobs.JobView, size: Point, others: list[Placeholder]
) -> jobs.Placement:
    """Return a job's placement; its location is fixed first, and again when the size changes.

    So the mesh will stand exactly where its placeholder does.
    """
    from ...viewport.expected_box import free_location, span_of

    place = jobs.session().placement_of(view)
    reserved = _reserved.get(view.job)
    if reserved is not None and reserved.size in (None, size):
        return place
    wanted = reserved.wanted if reserved else place
    _reserved[view.job] = Reservation(wanted, size)
    scene = _scene_of(context, view)
    known = {view.job, *(other.job for other in others)}
    later = [other for other in placeholders.current() if other.job not in known]
    taken = [span_of(other.location, other.rotation, other.size)
             for other in (*others, *later) if other.scene == scene.name]  # fmt: skip
    with context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        location = free_location(context, wanted, size, taken)
    return _set_location(view, replace(place, location=location))


def _set_location(view: jobs.JobView, place: jobs.Placement) -> jobs.Placement:
    # Without spacing: the mesh is not moved again when it arrives.
    moved = replace(place, spacing=None)
    if moved != jobs.session().placement_of(view):
        jobs.session().move(view.job, moved)
    return moved


def _size(context: bpy.types.Context, view: jobs.JobView) -> Point:
    from ...scene.placement import unit_factor
    from ...viewport.expected_box import expected_size

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
    is_sideways = info.orientation in (5, 6, 7, 8)
    ratio = info.height / info.width if is_sideways else info.width / info.height
    left, bottom, right, top = _box(view)
    return ratio * (right - left) / max(top - bottom, 1e-3)


def _scene_of(context: bpy.types.Context, view: jobs.JobView) -> bpy.types.Scene:
    """Return the scene that a job was started in, or the present one if that is gone."""
    return bpy.data.scenes.get(view.plan.scene) or context.scene


def _box(view: jobs.JobView) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of the subject as shares of the image's sides."""
    report = jobs.image_checks().report(_keys.get(view.job))
    if report is None or not report.clear or _keeps_background(view):
        return WHOLE
    left, top, right, bottom = report.box
    return (left, 1.0 - bottom, right, 1.0 - top) if left < right and top < bottom else WHOLE


def _keeps_background(view: jobs.JobView) -> bool:
    settings = view.record.settings if view.record else {}
    return view.provider == "local" and settings.get("foreground") == "none"


def _load_pictures(context: bpy.types.Context, views: list[jobs.JobView]) -> None:
    """Put a picture on the placeholders that have none, once the worker has looked at the image."""
    checks = jobs.image_checks()
    for view in views:
        if placeholders.picture_of(view.job):
            continue
        report = checks.report(_keys.get(view.job))
        if report is None or (not report.waiting and not report.thumbnail):
            _check_image(context, view)
        elif report.thumbnail is not None:
            pixels = report.thumbnail.pixels[:]
            if _keeps_background(view):
                pixels[3::4] = array("f", [1.0]) * (len(pixels) // 4)
            size = report.thumbnail.width, report.thumbnail.height
            placeholders.set_picture(view.job, placeholders.Picture(*size, pixels, _box(view)))


def _check_image(context: bpy.types.Context, view: jobs.JobView) -> None:
    """Have the worker look at a job's image, unless it was asked before."""
    picture = view.record.pictures[0] if view.record and view.record.pictures else None
    file = picture.file or picture.sent if picture else None
    if file is None or _keys.get(view.job) == view.job:
        return
    _keys[view.job] = view.job
    path = bring_in.library_of(context, view.job).folder(view.job) / file
    source = jobs.PictureSource(view.name, "front", path.read_bytes)
    jobs.image_checks().check(view.job, source, subject_detection(context))
