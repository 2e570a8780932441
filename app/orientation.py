# SPDX-License-Identifier: GPL-3.0-or-later
"""By how much a model is rotated about Z on import, so that its front faces -Y."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from .. import jobs, preferences
from ..providers import all_providers

FRONTS = {"-y": 0, "+x": 270, "+y": 180, "-x": 90}
"""Degrees that rotate a model's front to -Y, by the axis that the front faces."""


def turn_for(context: bpy.types.Context, record: jobs.Record) -> int:
    """Return by how many degrees a job's model is rotated on import.

    The last rotation that the user chose for this provider's model counts, then the axis that was
    ordered, then what is known of the service.
    """
    kept = preferences.turns(context)
    key = f"{record.provider}/{model_of(record.settings)}"
    if key in kept:
        return kept[key]
    ordered = FRONTS.get(str(record.settings.get("export_orientation")))
    if ordered is not None:
        return ordered
    provider = all_providers().get(record.provider)
    return provider.front_rotation % 360 if provider else 0


def model_of(settings: Mapping[str, object]) -> str:
    """Return which of a service's models made it: they differ in the axis of their front."""
    return str(settings.get("model_version") or settings.get("model") or "")
