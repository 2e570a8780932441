# SPDX-License-Identifier: GPL-3.0-or-later
"""The question to a server for its settings, as the scene's choices have it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import bpy

from ... import jobs, preferences
from ...providers import Provider
from ..scene_properties import read_settings

NO_FILES: Mapping[str, bytes] = MappingProxyType({})


def query_of(
    context: bpy.types.Context, provider: Provider[Any], files: Mapping[str, bytes] = NO_FILES
) -> jobs.SettingsQuery:
    """Return the query for the settings of a provider's server.

    `files` are the contents of the files that settings name; queries are equal without them. Raises
    MissingKey or BadKey, and InvalidSettings for an address that cannot be used.
    """
    settings = read_settings(context.scene, provider)
    return jobs.SettingsQuery(
        provider.id,
        provider.server_settings_key(settings),
        preferences.address(context, provider),
        settings=settings,
        files=files,
        keys=preferences.keys(context, provider),
        online=bpy.app.online_access,
    )
