# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of Scenario: a connection, keys, pictures and whole jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from image_to_mesh.jobs import JobSpec, PictureSource
from image_to_mesh.providers import Picture, Request, Secret, Ticket, get_provider
from image_to_mesh.providers import read_picture_info as read_info
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.client import Http

from . import WORKER
from .png import png_of
from .running import end_of as end_of
from .scenario_state import KEY, SECRET, ScenarioFake

PROVIDER = get_provider("scenario")
KEYS = {"scenario_api_key": Secret(KEY), "scenario_api_secret": Secret(SECRET)}


@contextlib.contextmanager
def connection(fake: ScenarioFake, pause: Callable[[float], None]) -> Iterator[Http]:
    """Open a connection like that of a job; its pauses are passed to `pause`."""
    http = Http(fake.url, PROVIDER.headers(KEYS), pause=pause)
    yield http
    http.close()


def settings_of(**values: Any) -> Any:
    """Make settings as the command line does."""
    return parse_settings(PROVIDER.settings, {name: str(item) for name, item in values.items()})


def picture(folder: Path, data: bytes = b"") -> Picture:
    """Return a picture in a file of the job's folder."""
    data = data or png_of(64, 48)
    path = folder / "front.picture"
    path.write_bytes(data)
    return Picture("front", "cup", path, info=read_info(data, "cup"))


def order(fake: ScenarioFake, http: Http, folder: Path, **values: Any) -> Ticket:
    """Upload a picture and submit it."""
    pictures = (picture(folder),)
    uploaded = PROVIDER.upload(pictures, http)
    return PROVIDER.submit(Request(settings_of(**values), pictures), uploaded, http)


def job_for(fake: ScenarioFake, library: Path, data: bytes = b"", **how: Any) -> JobSpec:
    """Return a whole job for the fake, prepared by the fake worker."""
    data = data or png_of(64, 48)
    pictures = (PictureSource("cup", "front", lambda: data),)
    settings = how.pop("settings", None) or PROVIDER.settings()
    how = {"keys": KEYS, "base_url": fake.url, "blender": WORKER, "pictures": pictures, **how}
    how = {"repeated": True, **how}
    return JobSpec(provider="scenario", settings=settings, library=library, **how)
