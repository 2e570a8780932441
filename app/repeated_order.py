# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect a click that repeats an order immediately, while the window can still ask.

The job's thread checks again, comparing image bytes across processes. If it refuses an order that
was not detected here, the next click asks.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any, NamedTuple

import bpy

from .. import jobs
from ..providers import Repeated
from ..state.scene_properties import provider_of, read_settings

# Bounds memory only; older clicks are found by the job's own check.
KEPT = 50


class Click(NamedTuple):
    """An order that was clicked, as `order_of` returns it, and its job's spec.

    `at` is the time of the click in seconds of the monotonic clock.
    """

    order: tuple[Any, ...]
    spec: jobs.JobSpec
    at: float


_clicks: deque[Click] = deque(maxlen=KEPT)
_begun: dict[int, str] = {}
"""Ids of started jobs, by the identity of the click's spec."""


def order_of(context: bpy.types.Context, pictures: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what identifies an order: the scene's provider and settings, and `pictures`."""
    provider = provider_of(context.scene)
    return provider.id, read_settings(context.scene, provider), pictures


def note(order: tuple[Any, ...], spec: jobs.JobSpec) -> None:
    """Remember an order that was just clicked; only the last KEPT are remembered."""
    _clicks.append(Click(order, spec, time.monotonic()))
    # A spec is identified by id() while _clicks keeps it alive; an id is reused afterwards.
    known = {id(click.spec) for click in _clicks}
    for stale in [spec_id for spec_id in _begun if spec_id not in known]:
        del _begun[stale]


def note_job(spec: jobs.JobSpec, job: str) -> None:
    """Remember which job was started for a clicked order, if the click is still remembered."""
    if any(click.spec is spec for click in _clicks):
        _begun[id(spec)] = job


def is_there(context: bpy.types.Context, order: tuple[Any, ...]) -> bool:
    """Return whether the same order is queued or running, is recent, or was refused as repeated.

    Always False for a provider that is not remote: its jobs are free.
    """
    # Local jobs cost nothing, so repeating one needs no question.
    if not provider_of(context.scene).is_remote:
        return False
    shown = {view.job: view for view in jobs.session().views()}
    return any(_counts(click, shown) for click in _clicks if click.order == order)


def forget() -> None:
    """Forget all clicks."""
    _clicks.clear()
    _begun.clear()


def _counts(click: Click, shown: dict[str, jobs.JobView]) -> bool:
    is_new = time.monotonic() - click.at < jobs.SOON
    job = _begun.get(id(click.spec))
    view = shown.get(job) if job else None
    # Without a view, the job still waits for a slot, or its entry was dismissed.
    if view is None:
        return is_new or (job is None and jobs.session().queued > 0)
    # The job's own check refused it as a repetition, so only a confirmed click can start it.
    if view.failure is not None and view.failure.kind == Repeated.kind:
        return True
    if not view.over:
        return True
    # Without a ticket the service took no order, so trying again costs nothing extra.
    return is_new and view.record is not None and view.record.ticket is not None
