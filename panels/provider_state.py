# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider menu, with one line for its state: its key, its balance, or that it is free."""

from __future__ import annotations

from typing import Any

import bpy

from .. import preferences
from ..i18n.translate import tr, translate
from ..providers import Provider
from .account_text import balance_text, link_text


def draw_provider(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: Any,
    provider: Provider[Any],
) -> None:
    """Draw the provider menu and the line below it."""
    column = layout.column(align=True)
    column.prop(chosen, "provider", text="")
    if provider.keys and not preferences.has_keys(context, provider):
        column.operator("image_to_mesh.open_preferences", text="Add Key", icon="PREFERENCES")
        if provider.key_url:
            column.operator("wm.url_open", text="Get a Key", icon="URL").url = provider.key_url
    elif preferences.is_offline(context, provider):
        # One click leads to the switch: the System preferences hold it.
        column.operator("image_to_mesh.open_preferences", icon="PREFERENCES").system = True
    elif preferences.has_account(provider):
        _draw_balance(column, context, provider)
    else:
        _draw_state(column, "Free, works offline" if not provider.is_remote else "Key set")


def account_failure(context: bpy.types.Context, provider: Provider[Any]) -> str:
    """Return the sentence about a balance that could not be read, or an empty text."""
    if not provider.keys or not preferences.has_account(provider):
        return ""
    reply = preferences.answer(context, provider)
    if reply is None or not reply.failure:
        return ""
    return translate(reply.failure.message, reply.failure.hint)


def _draw_state(layout: bpy.types.UILayout, text: str) -> None:
    row = layout.row()
    row.active = False
    row.label(text=tr(text), translate=False)


def _draw_balance(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any]
) -> None:
    """Draw the account's last known balance, and the button that asks for it again."""
    reply = preferences.answer(context, provider)
    row = layout.row(align=True)
    _draw_state(row, balance_text(reply) or "Balance")
    if reply and reply.failure and reply.failure.link:
        row.operator(
            "wm.url_open", text=link_text(reply.failure.kind), icon="URL"
        ).url = reply.failure.link
    button = row.row()
    button.enabled = not (reply and reply.waiting)
    button.operator("image_to_mesh.test_key", text="", icon="FILE_REFRESH").provider = provider.id
