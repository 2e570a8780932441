# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider menu, with one line for its state: its key, its balance, or that it is free."""

from __future__ import annotations

from typing import Any

import bpy

from .. import preferences
from ..i18n.translate import tr, translate
from ..providers import BadKey, Provider
from .keys.popover import draw_key_state
from .text_layout import draw_text


def draw_provider(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: Any,
    provider: Provider[Any],
    *,
    described: bool = False,
) -> None:
    """Draw the provider menu and the line below it; `described` adds what the provider is."""
    column = layout.column(align=True)
    column.prop(chosen, "provider", text="")
    if provider.keys:
        draw_key_state(column, context, provider)
    elif not described:
        _draw_state(column, "Free, works offline" if not provider.is_remote else "No key needed")
    if described:
        draw_text(column, context, provider.description, active=False)
    if provider.notice:
        draw_text(column, context, provider.notice, active=False)


def account_failure(context: bpy.types.Context, provider: Provider[Any]) -> str:
    """Return what went wrong with the last balance request, translated; empty if nothing did.

    For a refused key, the popover has the service's own words.
    """
    if not provider.keys or not preferences.has_account(provider):
        return ""
    reply = preferences.answer(context, provider)
    if reply is None or not reply.failure:
        return ""
    if is_refused(context, provider):
        return tr("{} refused the key").format(tr(provider.label))
    return translate(reply.failure.message)


def is_refused(context: bpy.types.Context, provider: Provider[Any]) -> bool:
    """Return whether the service refused the key when the balance was requested."""
    reply = preferences.answer(context, provider)
    return bool(reply and reply.failure and reply.failure.kind == BadKey.kind)


def _draw_state(layout: bpy.types.UILayout, text: str) -> None:
    row = layout.row()
    row.active = False
    row.label(text=tr(text), translate=False)
