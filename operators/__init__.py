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
    delete,
    generate,
    import_result,
    prepared,
    resume,
    settle,
    shown,
    turn,
    waking,
    watch,
)

_classes = (
    *generate.classes,
    *cancel.classes,
    *account.classes,
    *import_result.classes,
    *delete.classes,
    *turn.classes,
    *care.classes,
    *resume.classes,
    *arrivals.classes,
    *settle.classes,
    *shown.classes,
    *watch.classes,
)


def register() -> None:
    """Register the operators, watching again after a file was opened, and asking for prices."""
    for one in _classes:
        bpy.utils.register_class(one)
    watch.register()
    account.register()
    waking.register()


def unregister() -> None:
    """Stop watching and put running jobs aside: their records go on with the next start."""
    waking.unregister()
    account.unregister()
    care.unregister()
    watch.unregister()
    jobs.session().close()
    jobs.session.cache_clear()
    prepared.unregister()
    for one in reversed(_classes):
        bpy.utils.unregister_class(one)
