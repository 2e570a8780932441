# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: jobs that exist as views alone, and what the viewport draws of them."""

from __future__ import annotations

import importlib
import time
from typing import Any

import bpy

_ADDON = "bl_ext.user_default.image_to_mesh"


def part(name: str) -> Any:
    """Return one of the add-on's modules."""
    return importlib.import_module(f"{_ADDON}.{name}")


def stand(job: str, fraction: float | None, **placement: Any) -> None:
    """Add a running job of the scene's image, at this progress, to the session."""
    jobs, choices = part("jobs"), bpy.context.scene.image_to_mesh
    info = part("providers").PictureInfo("png", *(choices.image.size or (1, 1)))
    picture = jobs.InputPicture(view="front", name=job, file=None, info=info)
    plan = part("jobs.import_plan").ImportPlan(
        file=part("state.open_file").token(),
        scene=bpy.context.scene.name,
        placement=jobs.Placement(**placement),
    )
    known = next((view for view in jobs.session().views() if view.job == job), None)
    record = jobs.Record(
        id=job, state=jobs.State.RUNNING, provider="local", name=job,
        created="2026-11-20T10:00:00+00:00", pictures=(picture,), plan=plan,
    )  # fmt: skip
    view = jobs.JobView(
        job=job, provider="local", name=job, state=jobs.State.RUNNING, phase="Shaping",
        fraction=fraction, started=time.monotonic(), record=record,
        plan=known.plan if known else plan,
    )  # fmt: skip
    jobs.session().show(view)
    part("app.periodic.job_placeholders").note_image(job, choices.image)
    part("app.periodic.placeholders").follow()


def end(job: str, state: str = "cancelled") -> None:
    """Have a job end."""
    from dataclasses import replace

    jobs = part("jobs")
    view = next(view for view in jobs.session().views() if view.job == job)
    jobs.session().show(replace(view, state=jobs.State(state)))


def end_all() -> None:
    """Have all jobs end."""
    for view in part("jobs").session().views():
        end(view.job)
        part("jobs").session().dismiss(view.job)


def report_of_image() -> bool:
    """Return whether the worker has inspected the scene's image."""
    image = bpy.context.scene.image_to_mesh.image
    report = part("jobs").image_checks().report(part("state.preflight").picture_key(image))
    return bool(report and report.thumbnail)


def preferences() -> Any:
    """Return the add-on's preferences."""
    return bpy.context.preferences.addons[_ADDON].preferences


def standing() -> list[dict[str, Any]]:
    """Return the placeholders that the viewport draws, and whether they have their pictures."""
    module = part("viewport.placeholders")
    return [
        {"job": item.job, "location": list(item.location), "size": list(item.size),
         "text": item.text, "pictured": module.picture_of(item.job) is not None}
        for item in module.current()
    ]  # fmt: skip


def handlers() -> int:
    """Return the number of draw handlers."""
    return int(part("viewport.placeholders").handler_count())


def _tag_views() -> None:
    for area in bpy.context.window_manager.windows[0].screen.areas:
        if area.type == "VIEW_3D":
            area.tag_redraw()


def time_handlers(count: int) -> dict[str, float]:
    """Draw the window repeatedly; return the CPU milliseconds of each handler at best."""
    drawing = part("viewport.drawing")
    taken: dict[str, list[float]] = {"boxes": [], "texts": []}

    def measure(name: str, draw: Any) -> Any:
        def run() -> None:
            started = time.thread_time()
            draw()
            taken[name].append((time.thread_time() - started) * 1e3)

        return run

    add = bpy.types.SpaceView3D.draw_handler_add
    extra = [
        add(measure("boxes", drawing.draw_boxes), (), "WINDOW", "POST_VIEW"),
        add(measure("texts", drawing.draw_texts), (), "WINDOW", "POST_PIXEL"),
    ]
    for _ in range(count):
        _tag_views()
        bpy.ops.wm.redraw_timer(type="DRAW_WIN", iterations=1)
    for handler in extra:
        bpy.types.SpaceView3D.draw_handler_remove(handler, "WINDOW")
    return {name: min(times) for name, times in taken.items()}
