# SPDX-License-Identifier: GPL-3.0-or-later
"""The lower part: Generate or why it is grey, what runs, and what became of it."""

from __future__ import annotations

import time

import bpy

from .. import current_file
from ..jobs import JobView, known_of, session
from ..preferences import OFFLINE, amount_text, answer
from ..properties import provider_of
from ..providers import all_providers
from ..readiness import priced, why_not
from .arrivals import draw_arrivals, draw_ways
from .text import draw_text, duration

ENDED_SHOWN = 3
ABOUT_KEYS = frozenset({"missing_key", "bad_key"})


def draw_action(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Lay the button or the progress in its place, and under it the newest endings."""
    views = session().views()
    running = [view for view in views if not view.over]
    layout.separator()
    for view in running:
        _draw_running(layout, view)
    _draw_generate(layout, context, again=bool(running))
    for view in [view for view in views if view.over][:ENDED_SHOWN]:
        _draw_ended(layout, context, view)
    draw_arrivals(layout, context)


def _draw_generate(layout: bpy.types.UILayout, context: bpy.types.Context, *, again: bool) -> None:
    reason = why_not(context)
    row = layout.row()
    row.scale_y = 1.0 if again else 1.5
    row.enabled = not reason
    price, why_none = _price(context)
    text = "Generate Another" if again else "Generate"
    text = f"{text} ({price})" if price else text
    row.operator("image_to_mesh.generate", text=text, icon="NONE" if again else "MESH_DATA")
    if why_none:
        draw_text(layout, context, f"Price unknown: {why_none}", active=False)
    if reason:
        draw_text(layout, context, reason, icon="INFO")
        if reason == OFFLINE:
            row = layout.row()
            row.operator("image_to_mesh.open_preferences", icon="PREFERENCES").system = True


def _price(context: bpy.types.Context) -> tuple[str, str]:
    """Return the price of exactly these settings, or why the service named none."""
    settings = priced(context)
    said = answer(context, provider_of(context.scene), settings) if settings else None
    if said is None or said.waiting:
        return "", ""
    if said.failure:
        return "", said.failure.message
    return "" if said.amount is None else amount_text(said), ""


def _draw_running(layout: bpy.types.UILayout, view: JobView) -> None:
    # In a box as the endings are, so that `_draw_nothing` is what comes in the bar's place.
    column = layout.box().column(align=True)
    row = column.row(align=True)
    row.scale_y = 1.5
    percent = "" if view.fraction is None else f" {view.fraction:.0%}"
    row.progress(factor=view.fraction or 0.0, text=f"{view.phase}{percent}")
    row.operator("image_to_mesh.cancel", text="", icon="X").job = view.job
    line = column.row()
    line.active = False
    line.label(text=f"{view.name}, {duration(time.monotonic() - view.started, exact=False)}")


def _draw_ended(layout: bpy.types.UILayout, context: bpy.types.Context, view: JobView) -> None:
    box = layout.box()
    if view.failure:
        _draw_failure(box, context, view)
    elif view.state == "cancelled":
        _draw_cancelled(box, context, view)
    else:
        _draw_result(box, context, view)


def _draw_title(box: bpy.types.UILayout, view: JobView, text: str, icon: str) -> None:
    _draw_nothing(box)
    row = box.row()
    row.label(text=text, icon=icon)
    row.operator("image_to_mesh.dismiss", text="", icon="X", emboss=False).job = view.job


def _draw_nothing(box: bpy.types.UILayout) -> None:
    """Take the place of the progress bar, in a line without height.

    Blender gives the state of the item under the pointer to the item that comes in its place, and
    paints that as a bar until the pointer moves (seen in 4.3).
    """
    line = box.column()
    line.scale_y = 0.01
    line.label(text=" ")


def _draw_cancelled(box: bpy.types.UILayout, context: bpy.types.Context, view: JobView) -> None:
    _draw_title(box, view, f"{view.name}: cancelled", "CANCEL")
    if view.job not in session().collecting():
        return
    provider = all_providers().get(view.provider)
    who = provider.label if provider else "The service"
    sentence = f"{who} may charge for it all the same: what it makes comes into the library."
    draw_text(box, context, sentence, active=False)
    button = box.operator("image_to_mesh.cancel", text="Do Not Collect")
    button.job = view.job
    button.collect = False


def _draw_result(box: bpy.types.UILayout, context: bpy.types.Context, view: JobView) -> None:
    came = f"{view.name} came into the library" if view.collected else view.name
    _draw_title(box, view, came, "CHECKMARK")
    record = view.record
    if record:
        faces = f"{record.faces:,} faces, " if record.faces else ""
        draw_text(box, context, f"{faces}{duration(record.seconds)}", active=False)
        for note in record.notes:
            draw_text(box, context, note, icon="INFO")
    here = current_file.made_here(view.place)
    if not here:
        draw_text(box, context, "Made for another file", active=False)
    text = "Import Again" if here and not view.collected else "Import"
    box.operator("image_to_mesh.import_result", text=text, icon="IMPORT").job = view.job


def _draw_failure(box: bpy.types.UILayout, context: bpy.types.Context, view: JobView) -> None:
    failure = view.failure
    if failure is None:
        return
    _draw_title(box, view, view.name, "ERROR")
    draw_text(box, context, failure.message)
    if failure.hint:
        draw_text(box, context, failure.hint, active=False)
    if view.record and view.state == "uncertain":
        draw_text(box, context, known_of(view.record)[0], active=False)
        draw_ways(box, view.record)
    row = box.row(align=True)
    if view.record and not view.record.state.over:
        row.operator("image_to_mesh.resume", icon="PLAY").job = view.job
    if view.record and view.record.mesh:
        row.operator("image_to_mesh.import_result", text="Import", icon="IMPORT").job = view.job
    if failure.kind in ABOUT_KEYS:
        row.operator("image_to_mesh.open_preferences", text="Keys", icon="PREFERENCES")
    if failure.link:
        row.operator("wm.url_open", text="Help", icon="URL").url = failure.link
    row.operator("image_to_mesh.copy_error", text="Copy", icon="COPYDOWN").job = view.job
