# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operator that users click or scripts call."""

from __future__ import annotations

import bpy

from .. import jobs
from ..app import bring_in, heartbeat, periodic, queue, repeated_order, watcher
from ..state import opened_jobs, viewport_shading
from . import (
    cancel,
    diagnostics,
    generate,
    generate_from_files,
    import_defaults,
    messages,
    placeholders,
    presets,
    resume,
    settle,
    test_key,
)
from .images import choose, drop_menu, edit, mark_subject, open_image, sample
from .models import depth_model
from .results import (
    assets,
    delete,
    gallery,
    import_result,
    job_details,
    library,
    mesh_edits,
    mesh_versions,
    recovered,
    replace,
    rotate,
    show_in_viewport,
)
from .server import get_settings, own_servers, test_server

_classes = (
    *generate.classes,
    *generate_from_files.classes,
    *choose.classes,
    *open_image.classes,
    *sample.classes,
    *drop_menu.classes,
    *edit.classes,
    *mark_subject.classes,
    *depth_model.classes,
    *diagnostics.classes,
    *get_settings.classes,
    *import_defaults.classes,
    *gallery.classes,
    *job_details.classes,
    *presets.classes,
    *placeholders.classes,
    *cancel.classes,
    *test_key.classes,
    *own_servers.classes,
    *test_server.classes,
    *import_result.classes,
    *delete.classes,
    *library.classes,
    *assets.classes,
    *replace.classes,
    *resume.classes,
    *recovered.classes,
    *settle.classes,
    *rotate.classes,
    *show_in_viewport.classes,
    *mesh_edits.classes,
    *mesh_versions.classes,
    *messages.classes,
    *watcher.classes,
)


def register() -> None:
    """Register the operators, presets, gallery, and watcher, then the heartbeat and its steps."""
    for cls in _classes:
        bpy.utils.register_class(cls)
    presets.register()
    gallery.register()
    watcher.register()
    heartbeat.register()
    periodic.register()
    drop_menu.register()


def unregister() -> None:
    """Unregister everything, and pause running jobs, which a later start of Blender can resume."""
    # Steps before the heartbeat, and both before the session that they poll.
    drop_menu.unregister()
    periodic.unregister()
    heartbeat.unregister()
    watcher.unregister()
    gallery.unregister()
    presets.unregister()
    queue.clear()
    repeated_order.forget()
    jobs.session().close()
    jobs.weights_downloads().close()
    # Enabling the add-on again creates a new session.
    jobs.session.cache_clear()
    bring_in.unregister()
    viewport_shading.forget()
    opened_jobs.forget()
    for cls in reversed(_classes):
        bpy.utils.unregister_class(cls)
