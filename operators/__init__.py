# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can press or script; the one place where the events of jobs meet Blender."""

from __future__ import annotations

import bpy

from .. import jobs
from . import (
    account,
    arrivals,
    cancel,
    care,
    defaults,
    delete,
    developing,
    diagnostics,
    gallery,
    generate,
    import_result,
    library,
    looking,
    made,
    make_here,
    pictures,
    prepared,
    queue,
    repeats,
    resume,
    settings,
    settle,
    shown,
    turn,
    waking,
    watch,
)

_classes = (
    *generate.classes,
    *make_here.classes,
    *pictures.classes,
    *developing.classes,
    *diagnostics.classes,
    *defaults.classes,
    *gallery.classes,
    *settings.classes,
    *cancel.classes,
    *account.classes,
    *import_result.classes,
    *delete.classes,
    *library.classes,
    *made.classes,
    *resume.classes,
    *arrivals.classes,
    *settle.classes,
    *turn.classes,
    *care.classes,
    *shown.classes,
    *watch.classes,
)


def register() -> None:
    """Register the operators, watching again after a file was opened, and asking for prices."""
    for one in _classes:
        bpy.utils.register_class(one)
    settings.register()
    defaults.register()
    watch.register()
    account.register()
    developing.register()
    gallery.register()
    looking.register()
    waking.register()


def unregister() -> None:
    """Stop watching and put running jobs aside: their records go on with the next start."""
    gallery.unregister()
    developing.unregister()
    looking.unregister()
    waking.unregister()
    account.unregister()
    care.unregister()
    watch.unregister()
    defaults.unregister()
    settings.unregister()
    pictures.unregister()
    queue.clear()
    repeats.forget()
    jobs.session().close()
    jobs.session.cache_clear()
    prepared.unregister()
    for one in reversed(_classes):
        bpy.utils.unregister_class(one)
