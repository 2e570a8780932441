# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions to a server as the scene's choices have them: for its settings, and a test."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import bpy

from ... import jobs, preferences
from ...providers import Provider
from ..scene_properties import read_settings

NO_FILES: Mapping[str, bytes] = MappingProxyType({})


def server_test_of(context: bpy.types.Context, provider: Provider[Any]) -> jobs.AccountQuery:
    """Return the query that tests the scene's settings at a provider's server. Errors as below."""
    return jobs.AccountQuery(
        provider.id,
        read_settings(context.scene, provider),
        preferences.keys(context, provider),
        preferences.address(context, provider),
        bpy.app.online_access,
        tests=True,
    )


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
