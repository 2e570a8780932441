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
    """Return the rotation about Z of a job's model on import, in degrees.

    The user's last rotation for this provider's model has priority, then the ordered axis, then the
    provider's usual one. It is 0 for an unknown provider.
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
    """Return the name of the service's model that made a mesh, or "".

    Each model has its own front axis.
    """
    return str(settings.get("model_version") or settings.get("model") or "")
