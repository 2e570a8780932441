# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs for tests: local ones, and orders at the fake service, prepared by the fake worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from image_to_mesh.jobs import (
    Collected,
    Ended,
    JobSpec,
    JobView,
    Library,
    PictureSource,
    Session,
    State,
)
from image_to_mesh.providers import Secret, get_provider

from . import WORKER
from .service import KEY, Service


def spec_for(folder: Path, png: bytes, provider: str = "local", **how: Any) -> JobSpec:
    """Return a job of one picture, prepared by the fake worker.

    The same order can be made twice by default: few tests are about repeated orders.
    """
    how.setdefault("repeated", True)
    return JobSpec(
        provider=provider,
        settings=how.pop("settings", None) or get_provider(provider).settings(),
        pictures=how.pop("pictures", (PictureSource("cup", "front", lambda: png),)),
        library=folder,
        blender=how.pop("blender", WORKER),
        **how,
    )


def order_for(folder: Path, png: bytes, service: Service, **how: Any) -> JobSpec:
    """Return a job for the fake service."""
    keys = {"rehearsal_api_key": Secret(how.pop("key", KEY))}
    return spec_for(folder, png, "rehearsal", keys=keys, base_url=service.url, **how)


def end_of(
    running: Session, job: str, kind: type[Ended | Collected] = Ended, limit: float = 20.0
) -> JobView:
    """Wait for the job's one event of this kind; return the job as the event shows it."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        event = running.wait(0.1)
        if isinstance(event, kind) and event.job == job:
            return event.view
    raise AssertionError(f"no {kind.__name__} of the job came within {limit:g} s")


def wait_until(condition: Callable[[], bool], limit: float = 20.0) -> None:
    """Wait until a condition is true; fail after `limit` seconds."""
    until = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < until, f"the condition is still false after {limit:g} s"
        time.sleep(0.01)


def resume_all(running: Session, root: Path, spec: JobSpec) -> list[State]:
    """Resume the unfinished jobs of a library one by one; return the states of all jobs."""
    records, problems = Library(root).all()
    assert not problems, "the library reports problems"
    for record in records:
        if not record.state.over:
            end_of(running, running.start(replace(spec, pictures=(), record=record)))
    running.join(30.0)
    states = [record.state for record in Library(root).all()[0]]
    assert len(states) == len(records), "a job was lost while the jobs were resumed"
    return states


def reach(running: Session, state: State, limit: float = 20.0) -> None:
    """Wait until the newest job is in this state."""
    until = time.monotonic() + limit
    while running.views()[0].state is not state:
        assert time.monotonic() < until, f"the job is not {state}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Orders:
    """Orders of one picture at the fake service, by one session into one library."""

    session: Session
    library: Path
    png: bytes
    service: Service

    def spec(self, **how: Any) -> JobSpec:
        """Return an order that has not been started."""
        return order_for(self.library, self.png, self.service, **how)

    def start(self, **how: Any) -> str:
        """Start an order; return its job."""
        return self.session.start(self.spec(**how))

    def end(self, **how: Any) -> JobView:
        """Start an order and wait for its end."""
        return end_of(self.session, self.start(**how))


def is_gone(number: int) -> bool:
    """Return whether a process has ended, even if its parent has not waited for it."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # it may end while its file is read
        return True
    return state == "Z"
