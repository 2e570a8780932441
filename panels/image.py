# SPDX-License-Identifier: GPL-3.0-or-later
"""The upper part of the sidebar: the image, its side views, and the provider."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs, preferences
from ..i18n.translate import tr, translate
from ..providers import Provider
from ..state.scene_properties import read_settings
from ..state.views import SIDE_VIEWS, foreign, view_of
from .account_text import balance_text
from .image_checks import draw_checks
from .text_layout import draw_text


def draw_pictures(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: Any,
    provider: Provider[Any],
) -> None:
    """Draw the image with its preview, and the side views that the provider accepts."""
    layout.template_ID_preview(chosen, "image", open="image_to_mesh.open_image")
    row = layout.row(align=True)
    row.operator("image_to_mesh.paste", text="Paste", icon="PASTEDOWN")
    row.menu("IMAGE_TO_MESH_MT_pictures", text="", icon="DOWNARROW_HLT")
    if jobs.image_downloads().waiting():
        draw_text(layout, context, "Downloading the image...", icon="TIME")
    draw_checks(layout, context, chosen.image, provider)
    # Reading the settings at each draw is of no use to providers that take the front view only.
    taken = provider.views_for(read_settings(context.scene, provider)) if provider.views[1:] else ()
    sides = [view for view in SIDE_VIEWS if view in taken]
    if not sides:
        return
    header, body = layout.panel("image_to_mesh_views", default_closed=True)
    header.label(text=_views_title(chosen, sides))
    if foreign(chosen, tuple(sides)):
        draw_text(layout, context, "These views belong to another image", icon="ERROR")
        ways = layout.row(align=True)
        ways.operator("image_to_mesh.keep_views", text="Keep")
        ways.operator("image_to_mesh.clear_views", text="Clear")
    if body:
        for view in sides:
            _draw_view(body, chosen, view)


def _draw_view(layout: bpy.types.UILayout, chosen: Any, view: str) -> None:
    """Draw the field of a side view."""
    row = layout.row(align=True)
    row.template_ID(chosen, f"view_{view}", text=view.capitalize())
    # An operator that template_ID opens gets no properties, and could not tell the views apart.
    row.operator("image_to_mesh.open_image", text="", icon="FILE_FOLDER").view = view


def _views_title(chosen: Any, sides: list[str]) -> str:
    """Return the subpanel's title, which names the views in use even while it is closed."""
    there = [tr(view.capitalize()) for view in sides if view_of(chosen, view) is not None]
    return tr("Other Views: {}").format(", ".join(there)) if there else tr("Other Views")


def draw_provider(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: Any,
    provider: Provider[Any],
) -> None:
    """Draw the provider menu, its description, and the buttons for its key or balance."""
    layout.prop(chosen, "provider", text="")
    has_keys = preferences.has_keys(context, provider)
    if not (provider.keys and has_keys):  # With a key it is known; the menu's tooltip has it, too.
        draw_text(layout, context, provider.description, active=False)
    if provider.keys and not has_keys:
        ways = layout.column(align=True)  # side by side, the German labels would be cut off
        ways.operator("image_to_mesh.open_preferences", text="Add Key", icon="PREFERENCES")
        if provider.key_url:
            ways.operator("wm.url_open", text="Get a Key", icon="URL").url = provider.key_url
    elif preferences.has_account(provider):
        _draw_balance(layout, context, provider)


def _draw_balance(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any]
) -> None:
    """Draw the account's last known balance, and the button that asks for it again."""
    reply = preferences.answer(context, provider)
    offline = preferences.is_offline(context, provider)
    if reply is None and offline:
        return
    row = layout.row(align=True)
    label = row.row()
    label.active = False
    label.label(text=balance_text(reply) or "Balance")
    if not offline:
        button = row.row()
        button.enabled = not (reply and reply.waiting)
        button.operator(
            "image_to_mesh.test_key", text="", icon="FILE_REFRESH"
        ).provider = provider.id
    if reply and reply.failure:
        draw_text(layout, context, translate(reply.failure.message, reply.failure.hint))
        if reply.failure.link:
            layout.operator("wm.url_open", text="Help", icon="URL").url = reply.failure.link
