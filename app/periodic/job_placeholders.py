# SPDX-License-Identifier: GPL-3.0-or-later
"""The placeholders of running jobs: their locations, sizes, and pictures.

A placeholder stands where the mesh will: its location is reserved when it first appears, next to
those of other jobs, and the mesh is placed there. Moving it moves the mesh.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import NamedTuple

import bpy
from mathutils import Vector

from ... import jobs, preferences
from ...i18n.translate import translate
from ...state import open_file
from ...state.preflight import picture_key
from ...state.updates import job_targets
from ...viewport import placeholders
from ...viewport.placeholders import Placeholder
from .. import bring_in, event_queue
from .image_checks import subject_detection

OWN_SIDE = 1.0
"""Longest side in meters of a model: services scale theirs to about that."""
DEPTH = 0.5
"""Expected depth, as a share of the smaller of width and height; a front view does not show it."""
WHOLE = (0.0, 0.0, 1.0, 1.0)

Point = tuple[float, float, float]


class Reservation(NamedTuple):
    """A location reserved for a job's model.

    `wanted` is the placement that the location was found for, `own` are the model's expected width,
    depth, and height in meters, and `sides` are those after scaling, in the scene's units.
    """

    wanted: jobs.Placement
    own: Point
    sides: Point


_keys: dict[str, Hashable] = {}
"""The key of each job's image among the image reports."""
_reserved: dict[str, Reservation] = {}
_moved: set[str] = set()
"""Jobs whose location the user has chosen."""
_dragged: dict[str, Point] = {}
"""Location of each placeholder that the pointer drags right now, by job."""


def note_image(job: str, image: bpy.types.Image) -> None:
    """Remember the image that a job was started from, whose picture the placeholder shows."""
    _keys[job] = picture_key(image)


def is_placed(job: str) -> bool:
    """Return whether a job has a placeholder, which can be moved."""
    return any(view.job == job for view in _views())


def newest() -> str:
    """Return the id of the newest job that has a placeholder, or ""."""
    return next((view.job for view in _views()), "")


def move(context: bpy.types.Context, job: str, location: Point) -> None:
    """Move a job's placeholder, if it has one; the job's mesh will be placed there."""
    _dragged.pop(job, None)
    view = next((view for view in _views() if view.job == job), None)
    if view is not None:
        _moved.add(job)
        _set_location(view, location)
    update(context)


def drag(context: bpy.types.Context, job: str, location: Point | None) -> None:
    """Show a placeholder at `location` while it is dragged; None restores its own location."""
    if location is None:
        _dragged.pop(job, None)
    else:
        _dragged[job] = location
    update(context)


def update(context: bpy.types.Context) -> None:
    """Update all placeholders and load their pictures; show none if the preference is off."""
    views = list(_views()) if preferences.is_on(context, "show_placeholders") else []
    found: list[Placeholder] = []
    for view in reversed(views):  # the oldest first: later ones stand beside it
        found.append(_placeholder(context, view, found))
    placeholders.show(found)
    _load_pictures(context, views)


def forget() -> None:
    """Forget all jobs, after the last one has ended."""
    for table in (_keys, _reserved, _moved, _dragged):
        table.clear()


def _views() -> Iterator[jobs.JobView]:
    """Yield the views of jobs whose meshes will be added to the open file, the newest first."""
    # The watcher may be paused with a job's end undelivered: that job's mesh still arrives, too.
    events = {event.job for event in event_queue.waiting} | jobs.session().jobs_with_events()
    for view in jobs.session().views():
        is_due = not view.over or view.job in events
        is_coming = is_due and not view.failure and not event_queue.is_imported(view.job)
        # An update has its object already.
        is_new = not job_targets.uid_of(view.job)
        if is_coming and is_new and view.record is not None and open_file.made_here(view.plan.file):
            yield view


def _placeholder(
    context: bpy.types.Context, view: jobs.JobView, others: list[Placeholder]
) -> Placeholder:
    place, sides = _reserve(context, view, others)
    percent = None if view.fraction is None else round(view.fraction * 100)
    return Placeholder(
        job=view.job,
        scene=_scene_of(context, view).name,
        location=_dragged.get(view.job, place.location),
        rotation=place.rotation,
        size=sides,
        fraction=None if percent is None else percent / 100,
        text=translate(view.phase) if percent is None else f"{percent}%",
    )


def _reserve(
    context: bpy.types.Context, view: jobs.JobView, others: list[Placeholder]
) -> tuple[jobs.Placement, Point]:
    """Return a job's placement, and its model's sides in the scene's units.

    The location is reserved at the first call, and again when the expected sides change. The mesh
    will therefore stand exactly where its placeholder does.
    """
    place, own = jobs.session().placement_of(view), _own_sides(view)
    kept = _reserved.get(view.job)
    if kept is not None and kept.own == own:
        return place, kept.sides
    is_moved = view.job in _moved
    wanted = place if kept is None or is_moved else kept.wanted
    scene = _scene_of(context, view)
    known = {view.job, *(other.job for other in others)}
    later = [other for other in placeholders.current() if other.job not in known]
    near = [] if is_moved else [item for item in (*others, *later) if item.scene == scene.name]
    with context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        location, sides = _find_stand(context, wanted, own, near)
    _reserved[view.job] = Reservation(wanted, own, sides)
    return _set_location(view, location), sides


def _find_stand(
    context: bpy.types.Context, wanted: jobs.Placement, own: Point, near: list[Placeholder]
) -> tuple[Point, Point]:
    """Return a future mesh's location and dimensions, clear of the placeholders in `near`.

    Both are in the scene's units.
    """
    from ...scene.placement import GAP, Stand, expected_stand, unit_factor

    boxes = [Stand(Vector(item.location), item.rotation, Vector(item.size)).box() for item in near]
    stand = expected_stand(context, wanted, own, boxes)
    if any(_overlap(stand.box(), box) for box in boxes):
        # A placement without free ground or spacing does not avoid others, so make a row here.
        gap = GAP * unit_factor(context.scene)
        stand = expected_stand(context, replace(wanted, spacing=gap), own, boxes)
    (x, y, z), (width, depth, height) = stand.location, stand.sides
    return (x, y, z), (width, depth, height)


def _overlap(first: tuple[Vector, Vector], second: tuple[Vector, Vector]) -> bool:
    (low, high), (other_low, other_high) = first, second
    return all(low[i] < other_high[i] and other_low[i] < high[i] for i in range(3))


def _set_location(view: jobs.JobView, location: Point) -> jobs.Placement:
    place = jobs.session().placement_of(view)
    # Neither free ground nor a row: the mesh is not moved again when it arrives.
    moved = replace(place, location=location, spacing=None, free=False)
    if moved != place:
        jobs.session().move(view.job, moved)
    return moved


def _own_sides(view: jobs.JobView) -> Point:
    """Return a model's expected width, depth, and height in meters, before any scaling."""
    ratio = _aspect(view)
    height = OWN_SIDE / max(ratio, 1.0)
    if view.record is not None and view.provider == "local":
        height = float(view.record.settings.get("height", height))
    return height * ratio, DEPTH * height * min(ratio, 1.0), height


def _aspect(view: jobs.JobView) -> float:
    """Return the ratio of width to height of a job's subject; 1.0 if it is not known."""
    info = view.record.pictures[0].info if view.record and view.record.pictures else None
    if info is None or not info.width or not info.height:
        return 1.0
    is_sideways = info.orientation in (5, 6, 7, 8)
    ratio = info.height / info.width if is_sideways else info.width / info.height
    left, bottom, right, top = _box(view)
    return ratio * (right - left) / max(top - bottom, 1e-3)


def _scene_of(context: bpy.types.Context, view: jobs.JobView) -> bpy.types.Scene:
    """Return the scene that a job was started in, or the current one if that is gone."""
    return bpy.data.scenes.get(view.plan.scene) or context.scene


def _box(view: jobs.JobView) -> tuple[float, float, float, float]:
    """Return the subject's left, bottom, right, and top as fractions of the image, from 0 to 1.

    Return WHOLE if the subject was not clearly found, or the background is kept.
    """
    report = jobs.image_checks().report(_keys.get(view.job))
    if report is None or not report.clear or _keeps_background(view):
        return WHOLE
    left, top, right, bottom = report.box
    return (left, 1.0 - bottom, right, 1.0 - top) if left < right and top < bottom else WHOLE


def _keeps_background(view: jobs.JobView) -> bool:
    settings = view.record.settings if view.record else {}
    return view.provider == "local" and settings.get("foreground") == "none"


def _load_pictures(context: bpy.types.Context, views: list[jobs.JobView]) -> None:
    """Put a picture on each placeholder that has none.

    The picture comes from the report on the job's image; without a report, have it inspected.
    """
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
    """Have the worker inspect a job's image, if it has one; only once for each job."""
    picture = view.record.pictures[0] if view.record and view.record.pictures else None
    file = picture.file or picture.sent if picture else None
    if file is None or _keys.get(view.job) == view.job:
        return
    _keys[view.job] = view.job
    path = bring_in.library_of(context, view.job).folder(view.job) / file
    source = jobs.PictureSource(view.name, "front", path.read_bytes)
    jobs.image_checks().check(view.job, source, subject_detection(context))
