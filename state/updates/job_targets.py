# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object each running job updates; kept in memory, so another file never gets its mesh."""

from __future__ import annotations

import bpy

from ... import jobs

LEAVE_MODE = "Switch to Object Mode to update the mesh"
UPDATING = "This mesh is being updated"
GONE = "The object to update is no longer in this scene, so the mesh was added as a new object."
_targets: dict[str, int] = {}
"""The session uid of the object that each job updates: it survives undo and renaming."""
held: set[str] = set()
"""Jobs whose meshes are ready but whose objects are not in Object Mode."""


def note(job: str, obj: bpy.types.Object) -> None:
    """Remember the object that a job updates."""
    _targets[job] = obj.session_uid


def uid_of(job: str) -> int:
    """Return the session uid of the object that a job updates; 0 if it adds a new object."""
    return _targets.get(job, 0)


def is_updating(obj: bpy.types.Object) -> bool:
    """Return whether a job will put its mesh into an object: each object has one update at a time.

    It reads only the session's jobs, so it is cheap enough for a draw.
    """
    theirs = {job for job, uid in _targets.items() if uid == obj.session_uid}
    if not theirs:
        return False
    return bool(theirs & held) or any(view.job in theirs for view in jobs.session().running())


def find(scene: bpy.types.Scene, uid: int) -> bpy.types.Object | None:
    """Return the object with a session uid if the scene has it and it is editable, else None."""
    found = (obj for obj in scene.objects if uid and obj.session_uid == uid)
    return next((obj for obj in found if obj.is_editable), None)


def is_in_own_mode(scene: bpy.types.Scene, job: str) -> bool:
    """Return whether the object that a job updates is in a mode other than Object Mode."""
    obj = find(scene, uid_of(job))
    return obj is not None and obj.mode != "OBJECT"


def forget() -> None:
    """Forget all jobs."""
    _targets.clear()
    held.clear()
