# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be sent, and the ways to change it, under the picture; what speaks against it.

That comes a moment after the picture was chosen, so it stands below Generate: no button moves away
from under a pointer that is on its way to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from .. import jobs
from ..i18n.translate import tr, translate
from ..jobs.custom_properties import EDITED_FROM
from ..providers import Provider
from ..state.preflight import picture_key, picture_problem
from .text_layout import draw_text

SMALL = 256
"""Pixels of the subject's longer side under which services make poor meshes."""
DARK = 0.16


def draw_checks(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    image: bpy.types.Image | None,
    provider: Provider[Any],
) -> None:
    """Lay what is known of the picture; nothing where there is none."""
    if image is None or picture_problem(image):
        return
    _draw_ways(layout, image)
    if jobs.image_checks().at_work:
        draw_text(layout, context, "Preparing the image...", icon="TIME")
    look = jobs.image_checks().seen(picture_key(image))
    draw_text(layout, context, _line(look, provider), active=False)


def draw_warnings(
    layout: bpy.types.UILayout, context: bpy.types.Context, image: bpy.types.Image | None
) -> None:
    """Lay what speaks against the picture, a sentence each."""
    look = (
        None
        if image is None or picture_problem(image)
        else jobs.image_checks().seen(picture_key(image))
    )
    if look is None or look.waiting:
        return
    if look.error is not None:
        draw_text(layout, context, translate(look.error.message, look.error.hint), icon="ERROR")
        return
    for warning in warnings(look):
        draw_text(layout, context, warning, icon="ERROR")


def _line(look: jobs.ImageReport | None, provider: Provider[Any]) -> str:
    """Say what is known in one line that keeps its place: what is below does not jump."""
    if look is None or look.waiting:
        return tr("Checking the image...")
    return tr("Cannot be used") if look.error is not None else sent_text(look, provider)


def sent_text(look: jobs.ImageReport, provider: Provider[Any]) -> str:
    """Say what the provider gets: 1024 × 768 PNG, 0.4 MB."""
    if look.info is None:
        return tr("Checked when it is used")
    width, height, format_, converted = jobs.sent_form(look, provider)
    shown = f"{width} × {height} {format_.upper()}"
    if not provider.is_remote:
        return tr("{}, not sent").format(shown)
    what = tr("converted") if converted else megabytes(look.size)
    return tr("Sends {}, {}").format(shown, what)


def megabytes(size: int) -> str:
    """Say a size in bytes as people do."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, size // 1000)} kB"


def warnings(look: jobs.ImageReport) -> Iterator[str]:
    """Yield what will make a poor mesh."""
    if not look.clear:
        yield tr("No clear subject: use one thing on a plain background")
        return
    if look.info is not None:
        width = (look.box[2] - look.box[0]) * look.info.width
        height = (look.box[3] - look.box[1]) * look.info.height
        if max(width, height) < SMALL:
            yield tr("The subject is small: {} × {} pixels").format(round(width), round(height))
    if look.cut:
        yield tr("The subject is cut off at the edge")
    if look.parts > 1:
        yield tr("{} separate subjects: crop to one").format(look.parts)
    if look.brightness < DARK:
        yield tr("The subject is very dark")


def _draw_ways(layout: bpy.types.UILayout, image: bpy.types.Image) -> None:
    row = layout.row(align=True)
    row.operator("image_to_mesh.develop", text="Crop").crop = True
    row.operator("image_to_mesh.develop", text="Cut Out").background = "remove"
    if image.get(EDITED_FROM):
        row.operator("image_to_mesh.use_original", text="", icon="LOOP_BACK")
