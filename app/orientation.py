# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation about Z on import that makes a model's front face -Y."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from .. import jobs, preferences
from ..providers import all_providers

FRONTS = {"-y": 0, "+x": 270, "+y": 180, "-x": 90}
"""Degrees that rotate a model's front to -Y, by the axis that its front faces."""


def rotation_for(context: bpy.types.Context, record: jobs.Record) -> int:
    """Return the rotation about Z, in degrees, that a job's mesh gets on import.

    It is the first of these that is known:

    1. the user's last rotation for this provider and AI model,
    2. the rotation for the job's `export_orientation` setting,
    3. the provider's default rotation.

    If none is known, it is 0.
    """
    kept = preferences.rotations(context)
    key = f"{record.provider}/{model_of(record.settings)}"
    if key in kept:
        return kept[key]
    ordered = FRONTS.get(str(record.settings.get("export_orientation")))
    if ordered is not None:
        return ordered
    provider = all_providers().get(record.provider)
    return provider.front_rotation % 360 if provider else 0


def model_of(settings: Mapping[str, object]) -> str:
    """Return the name of the AI model in a job's settings; "" if they name none."""
    return str(settings.get("model_version") or settings.get("model") or "")
