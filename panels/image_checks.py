# SPDX-License-Identifier: GPL-3.0-or-later
"""The image as the provider receives it, edits of the image, and warnings about it.

Warnings arrive a moment after the image was chosen. They are shown above Generate, and the preview
above them shrinks to make room, so that no button moves away from under the pointer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bpy

from .. import jobs
from ..i18n.translate import tr, translate
from ..jobs.custom_properties import EDITED_FROM
from ..providers import BadImage, Provider
from ..state import subject_box
from ..state.preflight import picture_key, picture_problem, unreadable_problem
from ..state.scene_properties import choices_of, taken_views
from ..state.views import SIDE_VIEWS, images_of
from .text_layout import ICON, LINE, UNIT, draw_text, first_share, text_height

SMALL = 256
"""Pixels of the subject's longer side below which services make poor meshes."""
# Mean brightness of the subject, 0 to 1, below which its shape is hard to see.
DARK = 0.16
REMOVE, CROP, MARK = "Remove Background", "Crop to Subject", "Mark Subject"
DOWNLOADING = "Downloading the image..."


def draw_checks(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    image: bpy.types.Image | None,
    provider: Provider[Any],
) -> None:
    """Draw the edit buttons and the line about what will be sent, if the image can be used."""
    if image is None or picture_problem(image):
        return
    _draw_ways(layout, context, image)
    draw_text(layout, context, _line(context, image, provider), active=False)


def checks_height(
    context: bpy.types.Context, image: bpy.types.Image | None, provider: Provider[Any]
) -> float:
    """Return how much taller `draw_checks` is than one row of buttons and one line, in rows.

    It is 0 if `draw_checks` draws nothing.
    """
    if image is None or picture_problem(image):
        return 0.0
    stacked = 0.0 if _share_of_remove(context, image) else 1.0
    return stacked + text_height(context, _line(context, image, provider)) - LINE


def problems(image: bpy.types.Image | None) -> Iterator[str]:
    """Yield a sentence for each reason to expect a poor mesh, or why the check failed.

    Yield nothing before the check has ended, or if the image cannot be used at all: that is a
    reason why Generate is disabled, which stands in the same place.
    """
    if image is None or picture_problem(image):
        return
    report = _newest_report(image)
    if report is None or report.waiting or isinstance(report.error, BadImage):
        return
    if report.error is not None:
        yield translate(report.error.message, report.error.hint)
        return
    yield from warnings(report)


def _newest_report(image: bpy.types.Image) -> jobs.ImageReport | None:
    """Return the newest report on an image: the subject preview's, else the check's, else None."""
    key, latest = picture_key(image), jobs.subject_previews().latest
    # While a setting is dragged, the report on the last value stays: without it, rows would jump.
    if latest is not None and latest.request.key == key:
        return latest.report
    return jobs.image_checks().report(key)


def is_downloading() -> bool:
    """Return whether an image is being downloaded or decoded."""
    return bool(jobs.image_downloads().waiting())


def _line(context: bpy.types.Context, image: bpy.types.Image, provider: Provider[Any]) -> str:
    """Return what is known about the image as one line, so that rows below it keep their place."""
    if is_downloading():
        return tr(DOWNLOADING)
    if jobs.image_checks().at_work:
        return tr("Editing the image...")
    report = jobs.image_checks().report(picture_key(image))
    if report is None or report.waiting:
        return tr("Checking the image...")
    if report.error is None:
        chosen = choices_of(context.scene)
        # The provider's views depend on all settings, which are read only if a view is chosen.
        several = images_of(chosen, SIDE_VIEWS) and images_of(chosen, taken_views(context.scene))
        return images_text(several, provider) if len(several) > 1 else sent_text(report, provider)
    # The reason is below the preview; an empty line keeps the place of the rows below.
    return " " if unreadable_problem(image) else tr("Image cannot be used")


def sent_text(report: jobs.ImageReport, provider: Provider[Any]) -> str:
    """Return what the provider receives, such as "Sends 1024 × 768 PNG, 0.4 MB".

    A local provider is sent nothing: the text is only about the image. For an image that has not
    been read, it says that it is checked later.
    """
    if report.info is None:
        return tr("Checked when you click Generate")
    width, height, format_, converted = jobs.sent_form(report, provider)
    shown = f"{width} × {height} {format_.upper()}"
    if not provider.is_remote:
        return shown
    if converted:
        return tr("Sends {}, converted").format(shown)
    return tr("Sends {}, {}").format(shown, megabytes(report.size))


def images_text(images: Mapping[str, bpy.types.Image], provider: Provider[Any]) -> str:
    """Return how many images are sent and, if known, the total size of their files."""
    count = len(images)
    number = tr("1 image") if count == 1 else tr("{} images").format(count)
    if not provider.is_remote:
        return number
    reports = [jobs.image_checks().report(picture_key(image)) for image in images.values()]
    sizes = [report.size for report in reports if report and report.size]
    if len(sizes) < count or not sizes:
        return tr("Sends {}").format(number)
    return tr("Sends {}, {}").format(number, megabytes(sum(sizes)))


def megabytes(size: int) -> str:
    """Format a size in bytes as MB, or as kB below 100 kB."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, size // 1000)} kB"


def warnings(report: jobs.ImageReport) -> Iterator[str]:
    """Yield a sentence for each reason to expect a poor mesh.

    If there is no clear subject, yield only a sentence about that.
    """
    # Without a subject, all other figures describe the whole image.
    if not report.clear:
        plain = tr("No clear subject: use a single object on a plain background")
        yield translate(report.why, report.hint) if report.why else plain
        return
    if report.info is not None:
        width = (report.box[2] - report.box[0]) * report.info.width
        height = (report.box[3] - report.box[1]) * report.info.height
        if max(width, height) < SMALL:
            yield tr("Small subject: {} × {} px").format(round(width), round(height))
    if report.cut:
        yield tr("The subject is cut off at the edge")
    if report.subjects > 1:
        yield tr("{} separate subjects: mark one").format(report.subjects)
    if report.brightness < DARK:
        yield tr("Very dark subject")


def _draw_ways(
    layout: bpy.types.UILayout, context: bpy.types.Context, image: bpy.types.Image
) -> None:
    """Draw the edit buttons in one row, or in two with the buttons for the subject in the second.

    In a row of its own, the button that marks the subject has a word, if that fits.
    """
    column, chosen = layout.column(align=True), choices_of(context.scene)
    row = column.row(align=True)
    share = _share_of_remove(context, image)
    if share:
        ways = row.split(factor=share, align=True)
        ways.operator("image_to_mesh.develop", text=REMOVE).background = "remove"
        ways.operator("image_to_mesh.develop", text=CROP).crop = True
        draw_box_buttons(row, chosen)
    else:
        row.operator("image_to_mesh.develop", text=REMOVE).background = "remove"
        _draw_crop(column.row(align=True), context, chosen)
    if image.get(EDITED_FROM):
        row.operator("image_to_mesh.use_original", text="", icon="LOOP_BACK")


def _draw_crop(row: bpy.types.UILayout, context: bpy.types.Context, chosen: Any) -> None:
    """Draw the buttons that crop to the subject and mark it."""
    taken = ICON + UNIT * bool(subject_box.box_of(chosen))
    share = first_share(context, tr(CROP), tr(MARK), taken=taken)
    ways = row.split(factor=share, align=True) if share else row
    ways.operator("image_to_mesh.develop", text=CROP).crop = True
    draw_box_buttons(ways.row(align=True) if share else row, chosen, MARK if share else "")


def draw_box_buttons(row: bpy.types.UILayout, chosen: Any, text: str = "") -> None:
    """Draw the button for marking the subject with a box, and one that removes an existing box."""
    has_box = bool(subject_box.box_of(chosen))
    row.operator("image_to_mesh.mark_subject", text=text, icon="SELECT_SET", depress=has_box)
    if has_box:
        row.operator("image_to_mesh.clear_subject", text="", icon="X")


def _share_of_remove(context: bpy.types.Context, image: bpy.types.Image) -> float:
    """Return the share of the row for Remove Background; 0 if both buttons do not fit into it."""
    icons = 1 + bool(image.get(EDITED_FROM)) + bool(subject_box.box_of(choices_of(context.scene)))
    room = 1.0 - 0.12 * icons
    return first_share(context, tr(REMOVE), tr(CROP), room)
