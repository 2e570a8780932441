# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of fal: a connection, settings, pictures and whole jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from image_to_mesh.jobs import JobSpec, PictureSource
from image_to_mesh.providers import Picture, Request, Secret, Ticket, get_provider
from image_to_mesh.providers import read_picture_info as read_info
from image_to_mesh.providers._fal.models import known_models, shape_of
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.server_settings import settings_with, usable_rows

from . import WORKER
from .fal import KEY, Fal
from .png import png_of
from .running import end_of as end_of

PROVIDER = get_provider("fal")
KEYS = {"fal_api_key": Secret(KEY)}
MODELS = tuple(known_models())


@contextlib.contextmanager
def connection(fake: Fal, pause: Callable[[float], None]) -> Iterator[Http]:
    """Open a connection like that of a job; its pauses are passed to `pause`."""
    assert PROVIDER.address is not None
    beside = PROVIDER.address.beside
    http = Http(fake.url, PROVIDER.headers(KEYS), beside=beside, replaced=True, pause=pause)
    yield http
    http.close()


def settings_of(http: Http | None, values: Mapping[str, Any]) -> Any:
    """Make settings as the command line does: with the inputs of the model."""
    declared = {name: value for name, value in values.items()
                if name in PROVIDER.settings.__dataclass_fields__}  # fmt: skip
    settings = parse_settings(PROVIDER.settings, declared)
    rows = PROVIDER.read_server_settings(Request(settings, ()), http or dead_line())
    model = settings_with(PROVIDER.settings, usable_rows(PROVIDER.settings, rows)[0])
    return parse_settings(model, {name: str(value) for name, value in values.items()})


def dead_line() -> Http:
    """Return a connection that leads nowhere."""
    return Http("http://127.0.0.1:9", {}, pause=lambda _: None)


def picture(folder: Path, view: str = "front", data: bytes = b"") -> Picture:
    """Return a picture in a file of the job's folder."""
    data = data or png_of(160, 140)
    path = folder / f"{view}.png"
    path.write_bytes(data)
    return Picture(view, view, path, info=read_info(data, view))


def views_for(model: str) -> tuple[str, ...]:
    """Return the views with which a model is tested: all that it needs, and a second one."""
    needed = shape_of(model).needs or known_models()[model].views[:2]
    return tuple(needed)


def required_values(model: str) -> dict[str, Any]:
    """Return a value for each setting that a model requires."""
    rows = shape_of(model).settings
    return {name: "mug" for name, row in rows.items() if row.get("required")}


def order(http: Http, folder: Path, views: tuple[str, ...] = ("front",), **values: Any) -> Ticket:
    """Upload pictures and submit them."""
    pictures = tuple(picture(folder, view) for view in views)
    uploaded = PROVIDER.upload(pictures, http)
    return PROVIDER.submit(Request(settings_of(http, values), pictures), uploaded, http)


def job_for(fake: Fal, library: Path, **how: Any) -> JobSpec:
    """Return a whole job for the fake, prepared by the fake worker."""
    data, views = png_of(160, 140), how.pop("views", ("front",))
    pictures = tuple(PictureSource(view, view, lambda: data) for view in views)
    settings = how.pop("settings", None) or PROVIDER.settings()
    how = {"keys": KEYS, "base_url": fake.url, "blender": WORKER, "pictures": pictures, **how}
    how = {"repeated": True, **how}
    return JobSpec(provider="fal", settings=settings, library=library, **how)
