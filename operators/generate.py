# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate a mesh. Everything that a job needs from Blender is read here, on the main thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy

from .. import jobs, preferences
from ..app import provenance, queue, repeated_order, watcher
from ..app.periodic.new_scenes import apply_defaults
from ..app.refusals import hide_refusal, show_refusal
from ..app.server.settings import files_of
from ..i18n.translate import tr, translate_error
from ..providers import ImageToMeshError, Provider
from ..state import import_options, open_file, subject_box
from ..state.active_result import active_result
from ..state.orders.price import known_price, price_in_dollars, sent_images, source_text
from ..state.preflight import picture_key, why_not
from ..state.scene_properties import choices_of, provider_of, read_settings
from ..state.updates import job_targets
from ..state.views import SIDE_VIEWS, images_of, view_of
from . import confirm_order
from .arguments import again_switch, place_of_order
from .running import StartsJob


class OrdersMesh(StartsJob):
    """Mix-in for operators that order a mesh of the scene's image."""

    again: again_switch()
    place: place_of_order()

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        """Return whether a mesh can be ordered; the tooltip says why not."""
        reason = why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    @classmethod
    def description(cls: Any, context: bpy.types.Context, _properties: Any) -> str:
        """Return the tooltip, with the source of a price that is from a price list."""
        price = known_price(context)
        # Blender ends tooltips with a period itself.
        source = source_text(price).removesuffix(".") if price else ""
        dollars = price_in_dollars(price, provider_of(context.scene)) if price else ""
        return "\n".join(filter(None, [tr(cls.bl_description), dollars, source]))

    def target(self, context: bpy.types.Context) -> bpy.types.Object | None:
        """Return the object to update; None to add a new one."""
        return None

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        # Without a window there is no event loop: wait here, as for a script.
        if bpy.app.background:
            return self.execute(context)
        repeated = not self.again and repeated_order.is_there(context, order_shown(context))
        self.place = confirm_order.place_of(context, self.place)
        if repeated or confirm_order.is_needed(context, self.place):  # guard: click-asks
            self._asked = True
            images = sent_images(context)
            return confirm_order.ask(self, context, event, repeated=repeated, images=images)
        return self._start_watched(context)

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        asked = getattr(self, "_asked", False)
        if asked:
            confirm_order.remember(context, self.place)
        if (asked or self.options.is_repeat_last) and not bpy.app.background:
            return self._start_watched(context)  # Repeat Last must not block the interface
        target = self.target(context)
        return self.run_job(context, lambda context: start(context, target, again=self.again))

    def _start_watched(self: Any, context: bpy.types.Context) -> set[str]:
        try:
            # `again` was confirmed for the first click only, so Repeat Last does not inherit it.
            again = self.again and not self.options.is_repeat_last
            start(context, self.target(context), again=again)
        except ImageToMeshError as error:
            show_refusal(context, error)
            return self.refuse(translate_error(error))
        hide_refusal()
        watcher.begin(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_generate(OrdersMesh, bpy.types.Operator):
    """Generate a mesh of the scene's image."""

    bl_idname = "image_to_mesh.generate"
    bl_label = "Generate"
    bl_description = "Turn the image into a mesh and place it in the scene"
    # No UNDO: nothing changes now, and the mesh arrives later with its own undo step.
    bl_options = {"REGISTER"}


class IMAGE_TO_MESH_OT_update(OrdersMesh, bpy.types.Operator):
    """Generate the active result again, into the same object."""

    bl_idname = "image_to_mesh.update"
    bl_label = "Update"
    bl_description = (
        "Generate the active mesh again with the current settings. The object keeps its name, "
        "location, modifiers, and your own materials; the old mesh can be restored"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        result = active_result(context)
        if result is None:
            cls.poll_message_set("Select a mesh that this provider generated from this image")
            return False
        if job_targets.is_updating(result.object):  # guard: one-update-at-a-time
            cls.poll_message_set(job_targets.UPDATING)
            return False
        return super().poll(context)

    def target(self, context: bpy.types.Context) -> bpy.types.Object | None:
        result = active_result(context)
        return result.object if result else None

    def execute(self, context: bpy.types.Context) -> set[str]:
        target = self.target(context)
        if bpy.app.background and target is not None and target.mode != "OBJECT":
            return self.refuse(tr("Switch to Object Mode first"))
        return super().execute(context)


def start(
    context: bpy.types.Context, target: bpy.types.Object | None = None, *, again: bool = False
) -> str:
    """Start a job from the scene's choices and return its ID.

    `target` is the object to update with the mesh; None adds a new one. `again` allows repeating an
    order. Raise ImageToMeshError if something that the job needs is missing.
    """
    spec = replace(specify(context, provider_of(context.scene)), repeated=again)
    repeated_order.note(order_shown(context), spec)
    job = queue.begin(spec)
    if target is not None:
        job_targets.note(job, target)
    image = choices_of(context.scene).image
    if image is not None:
        from ..app.periodic import job_placeholders

        provenance.note_image(job, image)
        job_placeholders.note_image(job, image)
    return job


def order_shown(context: bpy.types.Context) -> tuple[Any, ...]:
    """Return a key by which orders are compared: the scene's provider, settings, and images."""
    chosen = choices_of(context.scene)
    images = [(view, view_of(chosen, view)) for view in ("front", *SIDE_VIEWS)]
    shown_now = tuple((view, picture_key(image)) for view, image in images if image is not None)
    return repeated_order.order_of(context, shown_now)


def specify(
    context: bpy.types.Context,
    provider: Provider[Any],
    pictures: tuple[jobs.PictureSource, ...] | None = None,
    location: tuple[float, float, float] | None = None,
) -> jobs.JobSpec:
    """Return the specification of a job of this provider, with all that it needs from Blender.

    `pictures` replace the scene's own, and the subject's box is then ignored. `location` overrides
    the scene's placement. A scene that is new gets its import defaults first. Raise
    ImageToMeshError for an unusable image, key, or address.
    """
    from ..scene import background_command

    apply_defaults(
        context
    )  # The scene may have been added since the last tick with the tab visible.
    settings = read_settings(context.scene, provider)
    if pictures is not None:
        settings = subject_box.without_box(settings)
    placement = _placement(context)
    if location is not None:
        placement = replace(placement, location=location, free=False)
    return jobs.JobSpec(
        provider=provider.id,
        settings=settings,
        files=files_of(settings),
        pictures=_pictures(context, provider) if pictures is None else pictures,
        library=preferences.library(context),
        keys=preferences.keys(context, provider),
        base_url=preferences.address(context, provider),
        online=bpy.app.online_access,
        blender=background_command(),
        plan=jobs.ImportPlan(
            file=open_file.token(),
            scene=context.scene.name,
            placement=placement,
            # Only the watcher appends chunks, and a linked model stays in its file.
            in_chunks=not (bpy.app.background or placement.linked),
            cleanup=import_options.cleanup_options(context.scene),
        ),
    )


def _placement(context: bpy.types.Context) -> jobs.Placement:
    from ..scene.placement import chosen_placement

    return chosen_placement(context, import_options.placement_of(context.scene))


def _pictures(
    context: bpy.types.Context, provider: Provider[Any]
) -> tuple[jobs.PictureSource, ...]:
    from ..scene.image_source import picture_source

    taken = provider.views_for(read_settings(context.scene, provider))
    sides = tuple(view for view in SIDE_VIEWS if view in taken)
    images = images_of(choices_of(context.scene), ("front", *sides))
    return tuple(picture_source(image, view) for view, image in images.items())


classes = (IMAGE_TO_MESH_OT_generate, IMAGE_TO_MESH_OT_update)
