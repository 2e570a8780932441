# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the picture before it is paid for, and make a better one of it: the original stays.

A timer looks at what the person has chosen, once it has been left alone for a moment; drawing only
shows what is known.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ...app import account_watch
from ...i18n.translate import tr
from ...jobs.custom_properties import EDITED_FROM
from ...jobs.tasks.image_checks import EditedImage, SubjectDetection, image_checks
from ...providers import BadImage, ImageToMeshError
from ...providers._shared.untrusted_text import readable_name
from ...state.preflight import picture_key, picture_problem
from ...state.scene_properties import choices_of
from .. import messages
from . import choose

SETTLED = 0.5
LOOK_EVERY = 0.25
MOST_PIXELS = 4_300_000
"""Up to so many pixels are copied out of Blender only to be looked at; a file is read elsewhere."""

_settling: list[tuple[Hashable, float]] = []
"""The picture in sight, and since when it is the same; at most one."""
_drawn: set[Hashable] = set()


class IMAGE_TO_MESH_OT_develop(bpy.types.Operator):
    """Make a new picture of the scene's: cropped, without background, or on white."""

    bl_idname = "image_to_mesh.develop"
    bl_label = "Prepare Picture"
    bl_options = {"REGISTER"}

    crop: BoolProperty(
        name="Crop", description="Cut the picture to its subject", options={"SKIP_SAVE"}
    )
    background: EnumProperty(
        name="Background",
        description="What becomes of the background",
        items=(
            ("keep", "Keep", "Leave it as it is"),
            ("remove", "Remove", "Make it transparent"),
            ("white", "White", "Put what is transparent onto white"),
        ),
        options={"SKIP_SAVE"},
    )
    padding: FloatProperty(
        name="Padding",
        description="Room around the subject, as a part of its longer side",
        default=0.05,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: Any) -> str:
        """Say what this button does; the original stays as it is."""
        if properties.background == "remove":
            return tr("Make a new picture without the background; the original stays as it is")
        if properties.background == "white":
            return tr("Make a new picture on white; the original stays as it is")
        return tr("Make a new picture that is cropped to the subject; the original stays as it is")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = picture_problem(choices_of(context.scene).image)
        if not reason and image_checks().at_work:
            reason = tr("Wait for the picture that is being prepared")
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.image_source import picture_source

        image = choices_of(context.scene).image
        recipe = {"crop": self.crop, "background": self.background, "padding": self.padding}
        try:
            source = picture_source(image)
        except ImageToMeshError as error:
            return choose.refused(self, context, error)
        original = str(image.get(EDITED_FROM) or readable_name(image))
        image_checks().start_edit(source, original, _lens(context), recipe)
        if not bpy.app.background:
            account_watch.redraw(context)
            return {"FINISHED"}
        while (done := image_checks().take(timeout=LOOK_EVERY)) is None:
            pass
        try:
            _use(context, done)
        except ImageToMeshError as error:
            return choose.refused(self, context, error)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_use_original(bpy.types.Operator):
    """Go back to the picture that this one was made of."""

    bl_idname = "image_to_mesh.use_original"
    bl_label = "Use Original"
    bl_description = "Go back to the picture that this one was made of"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        image = choices_of(context.scene).image
        if image is None or image.get(EDITED_FROM, "") not in bpy.data.images:
            cls.poll_message_set("This picture was not made of another one of this file")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        image = choices_of(context.scene).image
        choose.choose(context, bpy.data.images[image[EDITED_FROM]], same_subject=True)
        return {"FINISHED"}


def look(context: bpy.types.Context, now: float) -> None:
    """Look at the picture in sight once it has been left alone, and take in what was developed."""
    done = image_checks().take()
    if done is not None:
        _take_in(context, done)
    if not account_watch.is_shown(context):
        return None
    image = choices_of(context.scene).image
    if picture_problem(image):
        return _settling.clear()
    key = picture_key(image)
    seen = image_checks().seen(key)
    if seen is None:
        _ask(context, image, key, now)
    elif not seen.waiting and key not in _drawn:
        _drawn.add(key)
        account_watch.redraw(context)


def register() -> None:
    """Begin to look; without a window nobody sees what is seen."""
    if not bpy.app.background:
        bpy.app.timers.register(_look, first_interval=LOOK_EVERY, persistent=True)


def unregister() -> None:
    """Look no longer."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    _settling.clear()
    _drawn.clear()
    image_checks.cache_clear()


def _look() -> float:
    look(bpy.context, time.monotonic())
    return LOOK_EVERY


def _ask(context: bpy.types.Context, image: bpy.types.Image, key: Hashable, now: float) -> None:
    from ...scene.image_source import picture_source

    if not _settling or _settling[0][0] != key:
        _settling[:] = [(key, now)]
        return
    if now - _settling[0][1] < SETTLED:
        return
    if _is_costly(image):
        image_checks().leave(key)
        return
    try:
        source = picture_source(image)
    except BadImage:
        image_checks().leave(key)  # Said where the picture is used.
        return
    image_checks().look(key, source, _lens(context))


def _is_costly(image: bpy.types.Image) -> bool:
    """Say whether looking would stop the artist: a render, or a large picture without a file."""
    if image.source == "VIEWER":
        return True
    is_file = (image.packed_file or image.source == "FILE") and not image.is_dirty
    return not is_file and image.size[0] * image.size[1] > MOST_PIXELS


def _lens(context: bpy.types.Context) -> SubjectDetection:
    from ...scene import background_command

    local = choices_of(context.scene).local
    mode = "auto" if local.foreground == "none" else local.foreground
    return SubjectDetection(background_command(), mode, round(local.tolerance, 6))


def _take_in(context: bpy.types.Context, done: EditedImage) -> None:
    try:
        _use(context, done)
        bpy.ops.ed.undo_push(message="Prepare Picture")
    except ImageToMeshError as error:
        messages.show_refusal(context, error)
    account_watch.redraw(context)


def _use(context: bpy.types.Context, done: EditedImage) -> None:
    from ...scene.clipboard import image_of_bytes

    if done.error is not None:
        raise done.error
    image = image_of_bytes(done.data, f"{done.name} prepared")
    image[EDITED_FROM] = done.original
    before = choices_of(context.scene).image
    is_of_it = before is not None and done.original in (before.name, before.get(EDITED_FROM))
    choose.choose(context, image, same_subject=is_of_it)


classes = (IMAGE_TO_MESH_OT_develop, IMAGE_TO_MESH_OT_use_original)
