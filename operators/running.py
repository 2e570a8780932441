# SPDX-License-Identifier: GPL-3.0-or-later
"""Mix-ins for operators: refuse with a message, and wait for a job."""

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
"""Seconds between checks for Ctrl-C while a script waits."""
CANCEL_WAIT = 1.0
"""Seconds that an interrupted job gets to end by itself."""


class Refuses:
    """Mix-in for operators that can report why they did nothing."""

    # `self` is Any: an annotated `report` would be taken by Blender for a property's declaration.
    def refuse(self: Any, message: str) -> set[str]:
        """Report an error and return the operator's result, CANCELLED."""
        self.report({"ERROR"}, message)
        return {"CANCELLED"}


class StartsJob(Refuses):
    """Mix-in for operators that start a job, and wait for its end when a script calls them."""

    def run_job(
        self: Any, context: bpy.types.Context, start: Callable[[bpy.types.Context], str]
    ) -> set[str]:
        """Start a job, wait for its end, report the outcome, and return the operator's result."""
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
    """Handle events of all jobs, as the watcher does, until this job has ended; return its outcome.

    On Ctrl-C, cancel the job, and raise KeyboardInterrupt.
    """
    session = jobs.session()
    try:
        while True:
            # A timeout, because Python delivers Ctrl-C only between two waits on some platforms.
            event = session.wait(WAIT)
            outcome = job_events.handle(context, event) if event else None
            if event and outcome and event.job == job:
                return outcome
    except KeyboardInterrupt:
        # The job's thread needs a moment to record that it was canceled.
        session.cancel(job)
        _wait_for_end(job)
        raise


def _wait_for_end(job: str) -> None:
    deadline = time.monotonic() + CANCEL_WAIT
    while time.monotonic() < deadline:
        event = jobs.session().wait(WAIT)
        if isinstance(event, jobs.Ended) and event.job == job:
            return
