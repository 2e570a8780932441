# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's key: the popover behind the line below the provider menu, and its rows.

The add-on's preferences draw the same rows.
"""

from __future__ import annotations

from typing import Any

import bpy

from ... import preferences
from ...i18n.translate import tr, translate
from ...providers import CONSENT_HINT, Address, BadKey, KeyField, MissingKey, Provider
from ...state.scene_properties import provider_of
from ...state.visibility import note_popover
from ..account_text import OFFLINE_ICON, KeyState, link_text, state_of
from ..text_layout import wrap_text
from .found_servers import draw_search
from .other_server import draw_other_server

WIDTH = 16
"""Width of the popover, in units of a row's height."""
ANYBODY = "Anybody in the same network could read it."
ROOM = 290.0
"""Pixels of a line in the popover, at a UI scale of 1."""


class IMAGE_TO_MESH_PT_key(bpy.types.Panel):
    """The key of the scene's provider, in a popover."""

    bl_idname = "IMAGE_TO_MESH_PT_key"
    bl_label = "API Key"
    bl_description = "Add, test, or change the API key for this service, and see the balance"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"
    # Shown by `layout.popover` alone, not in the header.
    bl_options = {"INSTANCED"}
    bl_ui_units_x = WIDTH

    def draw(self, context: bpy.types.Context) -> None:
        note_popover(context.region_popup)
        provider = provider_of(context.scene)
        layout = self.layout
        row = layout.row()
        row.label(text=service_name([provider]))
        state = state_of(context, provider, none="No Key")
        row.label(text=state.text, icon=state.icon)
        draw_key(layout, context, provider, ROOM)
        draw_key_page(layout, provider)
        if preferences.is_offline(context, provider):
            draw_offline(layout)


def draw_key_state(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any]
) -> None:
    """Draw one line about a provider's key and balance, with the button that opens the popover.

    If Blender is offline, the line also has a button that allows online access. Nothing is drawn
    for a provider without keys.
    """
    if provider.keys:
        state = state_of(context, provider, none="Add Key")
        row = layout.row(align=True)
        row.alert = state.icon == "ERROR"
        if state.icon == OFFLINE_ICON:  # one click, and the key stays within reach
            row.operator("image_to_mesh.allow_online", icon=OFFLINE_ICON)
            state = KeyState("", "KEYINGSET")
        row.popover(IMAGE_TO_MESH_PT_key.bl_idname, text=state.text, icon=state.icon)


def draw_key_page(layout: bpy.types.UILayout, provider: Provider[Any]) -> None:
    """Draw the button that opens the service's page for creating keys, if that is known."""
    if provider.key_url:
        field = provider.keys[0]
        text = tr("Get {}").format(tr(field.title)) if field.optional else tr("Get a Key")
        button = layout.operator("wm.url_open", text=text, icon="URL", translate=False)
        button.url = provider.key_url


def draw_key(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    provider: Provider[Any],
    room: float,
) -> None:
    """Draw the fields of a provider's keys, and why a key is invalid.

    If the provider has an account, also draw the button that tests the key, and the last answer.
    `room` is the width of a line, in pixels at a UI scale of 1.
    """
    fields = layout.column()
    fields.use_property_split = len(provider.keys) > 1 or provider.self_hosted
    fields.use_property_decorate = False
    stored = preferences.addon_preferences(context)
    if provider.self_hosted and provider.address:
        name = provider.address.preference
        fields.prop(stored, name, text="Address", placeholder=_usual_address(provider.address))
    for field in provider.keys:
        text = field.title if fields.use_property_split else ""
        fields.prop(stored, field.preference, text=text, placeholder=_placeholder(field))
    problem = preferences.key_problem(context, provider)
    if isinstance(problem, BadKey) and not isinstance(problem, MissingKey):
        _draw_lines(layout, translate(problem.message, problem.hint), room, "ERROR")
    if provider.self_hosted:
        _draw_address_problem(layout, context, provider, room)
    if preferences.has_account(provider):
        _draw_test(layout, context, provider, room)
    if provider.self_hosted:
        draw_search(layout, room)


def draw_offline(layout: bpy.types.UILayout) -> None:
    """Draw a note that Blender is offline, and the button that allows online access."""
    layout.label(text="Blender is offline", icon=OFFLINE_ICON)
    layout.operator("image_to_mesh.allow_online", icon="INTERNET")


def service_name(users: list[Provider[Any]]) -> str:
    """Return the name of the service that these providers share.

    It consists of the words that their labels have in common at the same positions. If there are no
    such words, it is the first label.
    """
    labels = [provider.label.split() for provider in users]
    # Not strict: the labels differ in length, as “Acme” and “Acme v2 (Gateways)” do.
    same = [words[0] for words in zip(*labels, strict=False) if len(set(words)) == 1]
    return " ".join(same) or users[0].label


def _draw_address_problem(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any], room: float
) -> None:
    """Draw why a server cannot be called. For a secret that is not encrypted, draw a consent."""
    problem = preferences.address_problem(context, provider)
    if problem is None:
        return
    if problem.hint != CONSENT_HINT:
        _draw_lines(layout, translate(problem.message, problem.hint), room, "ERROR")
        return
    _draw_lines(layout, translate(problem.message, ANYBODY), room, "ERROR")
    layout.operator("image_to_mesh.send_unencrypted").provider = provider.id


def _usual_address(address: Address) -> str:
    """Return the placeholder of an empty address: the environment variable in use, or a URL."""
    if preferences.is_from_environment(address):
        return tr("From {}").format(address.environment)
    return address.default


def _draw_test(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any], room: float
) -> None:
    """Draw the button that tests the key, and the service's last answer."""
    reply = preferences.answer(context, provider)
    button = layout.row()
    is_known = preferences.has_keys(context, provider)
    offline = preferences.is_offline(context, provider)
    button.enabled = is_known and not offline and not (reply and reply.waiting)
    button.operator("image_to_mesh.test_key", text="Test").provider = provider.id
    if reply and reply.failure:
        failure = reply.failure
        _draw_lines(layout, translate(failure.message, failure.hint), room)
        draw_other_server(layout, context, failure, provider.id)
        if failure.link:
            text = link_text(failure.kind)
            layout.operator("wm.url_open", text=text, icon="URL").url = failure.link


def _placeholder(field: KeyField) -> str:
    """Return the placeholder of an empty field: the environment variable in use, or what to do."""
    if preferences.is_from_environment(field):
        return tr("From {}").format(field.environment)
    return tr("Not needed") if field.optional else tr("Paste your key")


def _draw_lines(layout: bpy.types.UILayout, text: str, room: float, icon: str = "NONE") -> None:
    column = layout.column(align=True)
    for number, line in enumerate(wrap_text(text, room)):
        blank = "NONE" if icon == "NONE" else "BLANK1"
        column.label(text=line, icon=blank if number else icon, translate=False)


classes = (IMAGE_TO_MESH_PT_key,)
