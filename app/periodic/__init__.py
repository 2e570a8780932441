# SPDX-License-Identifier: GPL-3.0-or-later
"""The heartbeat's steps."""

from __future__ import annotations

from ..live import live_preview
from ..models import depth_model
from ..results import asset_browser, deleted_results
from ..server import settings as server_settings
from . import (
    account,
    downloaded_images,
    edited_images,
    entered_keys,
    image_checks,
    library,
    mesh_edits,
    new_scenes,
    placeholders,
    recovery,
    subject_preview,
    thumbnails,
    view_images,
)

_MODULES = (
    account,
    asset_browser,
    deleted_results,
    depth_model,
    entered_keys,
    image_checks,
    subject_preview,
    edited_images,
    downloaded_images,
    thumbnails,
    view_images,
    library,
    live_preview,
    mesh_edits,
    new_scenes,
    placeholders,
    recovery,
    server_settings,
)


def register() -> None:
    """Add all steps to the heartbeat."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Remove the steps in reverse order, with their state."""
    for module in reversed(_MODULES):
        module.unregister()
