# SPDX-License-Identifier: GPL-3.0-or-later
"""Bases for operators: refuse with a reason, and wait for the job that was started."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bpy

from .. import jobs
from ..app import job_events
from ..i18n.translate import tr, translate_error
from ..providers import ImageToMeshError

WAIT = 0.1
"""Seconds after which a waiting script notices Ctrl-C."""
CANCEL_WAIT = 1.0
"""Seconds in which an interrupted job may end by itself before the script goes on."""


class Refuses:
    """An operator that can say why it did nothing."""

    # `self` is Any: an annotated `report` would be taken by Blender for a property's declaration.
    def refuse(self: Any, message: str) -> set[str]:
        """Report an error and cancel."""
        self.report({"ERROR"}, message)
        return {"CANCELLED"}


class StartsJob(Refuses):
    """An operator that starts a job, for which a script waits."""

    def run_job(
        self: Any, context: bpy.types.Context, start: Callable[[bpy.types.Context], str]
    ) -> set[str]:
        """Start a job, wait until it has ended, and report how."""
        try:
            ended = wait_for(context, start(context))
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        except KeyboardInterrupt:
            return self.refuse(tr("Interrupted."))
        if ended.level == "ERROR":
            return self.refuse(ended.message)
        self.report({ended.level}, ended.message)
        return {"FINISHED"}


def wait_for(context: bpy.types.Context, job: str) -> job_events.Outcome:
    """Handle the events of all jobs, as the watcher does, until this one has ended."""
    session = jobs.session()
    try:
        while True:
            event = session.wait(WAIT)
            outcome = job_events.handle(context, event) if event else None
            if event and outcome and event.job == job:
                return outcome
    except KeyboardInterrupt:
        session.cancel(job)
        _wait_for_end(job)
        raise


def _wait_for_end(job: str) -> None:
    deadline = time.monotonic() + CANCEL_WAIT
    while time.monotonic() < deadline:
        event = jobs.session().wait(WAIT)
        if isinstance(event, jobs.Ended) and event.job == job:
            return
