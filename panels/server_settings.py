# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons that get the settings of a server, or test it, and what the server answered."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs, preferences
from ..i18n.translate import tr, translate
from ..providers import Provider
from ..state.results.texts import when_text
from ..state.server.kept import Kept, kept_settings
from ..state.server.query import query_of, server_test_of
from .keys.other_server import draw_other_server
from .text_layout import draw_text


def draw_server(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any]
) -> None:
    """Draw *Get Settings*, and above it the source of the settings or why they were not read."""
    column = layout.column()
    column.use_property_split = False
    kept, answer = kept_settings(context.scene, provider), _answer(context, provider)
    if answer is not None and answer.failure is not None:
        text = translate(answer.failure.message, answer.failure.hint)
        draw_text(column, context, text, icon="ERROR")
        draw_other_server(column, context, answer.failure, provider.id)
    elif kept.settings:
        draw_text(column, context, _source(kept), active=False)
    if answer is not None and answer.found is not None and answer.found.unusable:
        names = ", ".join(answer.found.unusable[:3])
        draw_text(column, context, tr("Not shown: {}").format(names), active=False)
    # Not disabled meanwhile: Blender keeps a button as it is while the pointer is on it.
    is_pending = answer is not None and answer.is_pending
    text = tr("Asking the Server...") if is_pending else tr("Get Settings")
    column.operator("image_to_mesh.get_settings", text=text, icon="FILE_REFRESH", translate=False)


def draw_server_test(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any]
) -> None:
    """Draw *Test Server*, and below it what is known about the server with the present settings."""
    column = layout.column()
    column.use_property_split = False
    reply = _test_answer(context, provider)
    is_pending = reply is not None and reply.waiting
    text = tr("Asking the Server...") if is_pending else tr("Test Server")
    column.operator("image_to_mesh.test_server", text=text, icon="CHECKMARK", translate=False)
    if reply is None or is_pending:
        return
    if reply.failure is not None:
        text = translate(reply.failure.message, reply.failure.hint)
        draw_text(column, context, text, icon="ERROR")
        draw_other_server(column, context, reply.failure, provider.id)
    elif reply.note:
        draw_text(column, context, translate(reply.note), active=False)


def _test_answer(context: bpy.types.Context, provider: Provider[Any]) -> jobs.AccountAnswer | None:
    """Return the answer to the last test of these settings; None if they were not tested."""
    if preferences.key_problem(context, provider) or preferences.address_problem(context, provider):
        return None
    return jobs.session().account_queries.answer(server_test_of(context, provider))


def _answer(context: bpy.types.Context, provider: Provider[Any]) -> jobs.SettingsAnswer | None:
    """Return the last answer of the server in this session; None if it was not asked."""
    if preferences.key_problem(context, provider) or preferences.address_problem(context, provider):
        return None
    return jobs.server_settings().answer(query_of(context, provider))


def _source(kept: Kept) -> str:
    host = kept.address.partition("://")[2]
    when = when_text(kept.date, short=True)
    return tr("From {}, {}").format(host, when) if when else tr("From {}").format(host)
