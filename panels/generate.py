# SPDX-License-Identifier: GPL-3.0-or-later
"""The lower part of the sidebar: the Generate button, running jobs, new results and errors."""

from __future__ import annotations

import time

import bpy

from .. import jobs
from ..i18n.translate import tr, translate
from ..preferences import OFFLINE, library
from ..providers import all_providers
from ..state import open_file, thumbnails, viewport_shading
from ..state.preflight import why_not
from ..state.scene_properties import choices_of
from .account_text import cost_text, link_text, price_of, with_price
from .image_checks import draw_warnings
from .recovered import draw_arrivals, draw_ways
from .text_layout import draw_text, duration

# More would push Generate out of a sidebar of usual height.
RUNNING_SHOWN = 4
ENDED_SHOWN = 3
PLACES = (
    ("place_at_cursor", "To 3D Cursor", "PIVOT_CURSOR"),
    ("place_by_click", "Place by Click", "RESTRICT_SELECT_OFF"),
)
"""Operators that move a placeholder, with the texts and icons of their buttons."""
ABOUT_KEYS = frozenset({"missing_key", "bad_key"})


def draw_action(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw running jobs, the Generate button, the newest ended jobs, and recovered ones."""
    views = jobs.session().views()
    running = [view for view in views if not view.over]
    layout.separator()
    for view in running[:RUNNING_SHOWN]:
        _draw_running(layout, context, view, alone=len(running) == 1)
    _draw_more(layout, running[RUNNING_SHOWN:])
    _draw_queue(layout)
    _draw_generate(layout, context, again=bool(running))
    ended = [view for view in views if view.over][:ENDED_SHOWN]
    newest = next((view.job for view in ended if not view.failure), "")
    for view in ended:
        _draw_ended(layout, context, view, newest=view.job == newest)
    draw_arrivals(layout, context)


def _draw_queue(layout: bpy.types.UILayout) -> None:
    waiting = jobs.session().queued
    if waiting:
        row = layout.row()
        row.label(text=tr("Images in queue: {}").format(waiting), icon="TIME")
        row.operator("image_to_mesh.clear_queue", text="", icon="X")


def _draw_generate(layout: bpy.types.UILayout, context: bpy.types.Context, *, again: bool) -> None:
    reason = why_not(context)
    row = layout.row()
    row.scale_y = 1.0 if again else 1.5
    row.enabled = not reason
    price = price_of(context)
    text = with_price("Generate Another" if again else "Generate", price)
    row.operator("image_to_mesh.generate", text=text, icon="NONE" if again else "MESH_DATA")
    if price.problem:
        unknown = tr("Price unknown: {reason}").format(reason=translate(price.problem))
        draw_text(layout, context, unknown, active=False)
    if reason:
        draw_text(layout, context, reason, icon="INFO")
        # One click can fix this: the button opens the System preferences, which hold the switch.
        if reason == tr(OFFLINE):
            row = layout.row()
            row.operator("image_to_mesh.open_preferences", icon="PREFERENCES").system = True
    draw_warnings(layout, context, choices_of(context.scene).image)


def _draw_running(
    layout: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView, *, alone: bool
) -> None:
    # In a box like ended jobs, so that `_draw_nothing` is what replaces the progress bar.
    column = layout.box().column(align=True)
    row = column.row(align=True)
    row.scale_y = 1.5 if alone else 1.0
    percent = "" if view.fraction is None else f" {view.fraction:.0%}"
    row.progress(factor=view.fraction or 0.0, text=f"{translate(view.phase)}{percent}")
    row.operator("image_to_mesh.cancel", text="", icon="X").job = view.job
    number = thumbnails.number_of(f"{view.job}/picture")
    row = column.row(align=True)
    row.label(text=f"{view.name}, {_time_of(context, view)}", icon_value=number)
    if open_file.made_here(view.plan.file):
        _draw_place(column if alone else row, view, alone=alone)


def _draw_place(layout: bpy.types.UILayout, view: jobs.JobView, *, alone: bool) -> None:
    """Draw the two buttons that move the placeholder; for several jobs as icons only."""
    row = layout.row(align=True)
    for name, text, icon in PLACES:
        shown = text if alone else ""
        row.operator(f"image_to_mesh.{name}", text=shown, icon=icon).job = view.job


def _draw_more(layout: bpy.types.UILayout, views: list[jobs.JobView]) -> None:
    """Draw the running jobs beyond the first few in a closed subpanel, one row each."""
    if not views:
        return
    header, body = layout.panel("image_to_mesh_running", default_closed=True)
    # Already translated; Blender would look the result up again.
    header.label(text=tr("{} more running").format(len(views)), translate=False)
    for view in views if body else ():
        row = body.row(align=True)
        row.progress(factor=view.fraction or 0.0, text=view.name)
        row.operator("image_to_mesh.cancel", text="", icon="X").job = view.job


def _time_of(context: bpy.types.Context, view: jobs.JobView) -> str:
    """Return the elapsed time, with the usual total if earlier jobs give one."""
    gone = duration(time.monotonic() - view.started, exact=False)
    usual = jobs.library_index(library(context)).usual_seconds(view.provider)
    return tr("{} of about {}").format(gone, duration(usual, exact=False)) if usual else gone


def _draw_ended(
    layout: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView, *, newest: bool
) -> None:
    box = layout.box()
    if view.failure:
        _draw_failure(box, context, view)
    elif view.state == "cancelled":
        _draw_cancelled(box, context, view)
    else:
        _draw_result(box, context, view)
        if newest:
            _draw_shading(box, context)


def _draw_title(box: bpy.types.UILayout, view: jobs.JobView, text: str, icon: str) -> None:
    _draw_nothing(box)
    row = box.row()
    row.label(text=text, icon=icon)
    row.operator("image_to_mesh.dismiss", text="", icon="X", emboss=False).job = view.job


def _draw_nothing(box: bpy.types.UILayout) -> None:
    """Draw an invisible line where the progress bar was.

    Blender hands the state of the item under the pointer to the item that replaces it, and would
    draw that one as a progress bar until the pointer moves (seen in 4.3).
    """
    line = box.column()
    line.scale_y = 0.01
    line.label(text=" ")


def _draw_cancelled(
    box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView
) -> None:
    _draw_title(box, view, tr("{}: cancelled").format(view.name), "CANCEL")
    if view.job not in jobs.session().collecting():
        return
    provider = all_providers().get(view.provider)
    who = tr(provider.label if provider else "The service")
    sentence = tr("{} may still charge for this job. Its result will be added to the library.")
    draw_text(box, context, sentence.format(who))
    button = box.operator("image_to_mesh.cancel", text="Stop Waiting")
    button.job = view.job
    button.collect = False


def _draw_result(box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView) -> None:
    came = tr("{} was added to the library").format(view.name) if view.collected else view.name
    _draw_title(box, view, came, "CHECKMARK")
    record = view.record
    if record:
        facts = [tr("{} faces").format(f"{record.faces:,}")] if record.faces else []
        if record.credits:
            facts.append(cost_text(record.provider, record.credits))
        draw_text(box, context, ", ".join([*facts, duration(record.seconds)]))
        for note in record.notes:
            draw_text(box, context, translate(note), icon="INFO")
    here = open_file.made_here(view.plan.file)
    if not here:
        draw_text(box, context, "Generated for another file")
    text = "Import Again" if here and not view.collected else "Import"
    box.operator("image_to_mesh.import_result", text=text, icon="IMPORT").job = view.job


def _draw_shading(box: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the button that shows or hides textures in this viewport, if it is in Solid View."""
    space = getattr(context, "space_data", None)  # tests draw without an area
    if space is None or space.type != "VIEW_3D":
        return
    if viewport_shading.is_plain(space):
        box.operator("image_to_mesh.show_texture", text="Show Texture", icon="TEXTURE")
    elif viewport_shading.can_hide(space):
        box.operator("image_to_mesh.show_texture", text="Hide Texture", icon="TEXTURE")


def _draw_failure(box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView) -> None:
    failure = view.failure
    if failure is None:
        return
    _draw_title(box, view, view.name, "ERROR")
    draw_text(box, context, translate(failure.message))
    if failure.hint:
        draw_text(box, context, translate(failure.hint))
    if view.record and view.state == "uncertain":
        draw_text(box, context, translate(jobs.describe_uncertain(view.record)[0]))
        draw_ways(box, view.record)
    row = box.row(align=True)
    if view.record and not view.record.state.over:
        row.operator("image_to_mesh.resume", icon="PLAY").job = view.job
    if view.record and view.record.mesh:
        row.operator("image_to_mesh.import_result", text="Import", icon="IMPORT").job = view.job
    if failure.kind in ABOUT_KEYS:
        row.operator("image_to_mesh.open_preferences", text="Keys", icon="PREFERENCES")
    if failure.link:
        text = link_text(failure.kind)
        row.operator("wm.url_open", text=text, icon="URL").url = failure.link
    row.operator("image_to_mesh.copy_error", text="Copy", icon="COPYDOWN").job = view.job
