# SPDX-License-Identifier: GPL-3.0-or-later
"""The button for the provider that can use the server that answered instead of the expected one."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from ... import jobs, preferences
from ...i18n.translate import tr
from ...providers import ImageToMeshError, all_providers

ICON = "CHECKMARK"


class OtherServer(NamedTuple):
    """The provider that can use a server, the server's address, and the text of the button."""

    provider: str
    address: str
    text: str


def other_server(
    context: bpy.types.Context, failure: jobs.Failure | None, provider: str
) -> OtherServer | None:
    """Return what a failure at a provider's server offers instead; None if it offers nothing.

    The address is the one that the user has entered: records may come from others.
    """
    known = all_providers()
    other = known.get(failure.provider) if failure else None
    if other is None or provider not in known or provider == other.id or not other.self_hosted:
        return None
    try:
        address = preferences.address(context, known[provider])
    except ImageToMeshError:
        return None
    return OtherServer(other.id, address, tr("Use {}").format(other.label))


def draw_other_server(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    failure: jobs.Failure | None,
    provider: str,
) -> None:
    """Draw the button below a failure, if another provider can use the server."""
    other = other_server(context, failure, provider)
    if other is not None:
        use = layout.operator(
            "image_to_mesh.use_server", text=other.text, icon=ICON, translate=False
        )
        use.provider, use.address = other.provider, other.address
