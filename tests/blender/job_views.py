# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in every state, as the session shows them to the panels."""

from __future__ import annotations

import time
from typing import Any

from blender.addon_modules import addon_module


def show(state: str, **changes: Any) -> None:
    """Let the session show a job."""
    jobs = addon_module("jobs")
    plan = plan_for(addon_module("state.open_file").token())
    values: dict[str, Any] = {
        "job": "20261120-cup-1a2b",
        "provider": "local",
        "name": "cup",
        "state": jobs.State(state),
        "phase": "Shaping",
        "fraction": 0.42,
        "started": time.monotonic() - 75,
        "plan": plan,
    }
    jobs.session().show(jobs.JobView(**{**values, **changes}))


def plan_for(file: str) -> Any:
    """Return the import plan of a job that was started in this file."""
    return addon_module("jobs.import_plan").ImportPlan(file)


def record(**changes: Any) -> Any:
    """Return the record of a job that is ready."""
    jobs = addon_module("jobs")
    values: dict[str, Any] = {
        "id": "20261120-cup-1a2b",
        "state": jobs.State.READY,
        "provider": "local",
        "name": "cup",
        "created": "2026-11-20T10:00:00+00:00",
        "mesh": "mesh.glb",
        "faces": 40012,
        "seconds": 3.21,
    }
    return jobs.Record(**{**values, **changes})
