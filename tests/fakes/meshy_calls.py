# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of Meshy: orders as the runner makes them, and jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from image_to_mesh.jobs import JobSpec, PictureSource
from image_to_mesh.providers import (
    Picture,
    PictureInfo,
    Request,
    Secret,
    Ticket,
    Uploaded,
    get_provider,
    settings_of,
)
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.client import Http

from .meshy import KEY, SEVERAL, SINGLE, Meshy
from .png import png_of
from .running import end_of as end_of

PROVIDER = get_provider("meshy")
VIEWS = ("front", "left", "back", "right")
CREATE = rf"POST /openapi/v1/({SINGLE}|{SEVERAL})$"
POLL = rf"GET /openapi/v1/({SINGLE}|{SEVERAL})/"
LIST = rf"GET /openapi/v1/({SINGLE}|{SEVERAL})\?"
BALANCE = "GET /openapi/v1/balance"
DELETE = "DELETE /openapi/v1/"


def settings(**values: Any) -> Any:
    """Return settings as the command line makes them; raises if a rule is broken."""
    return parse_settings(PROVIDER.settings, values)


@contextlib.contextmanager
def connection(fake: Meshy, pause: Callable[[float], None], key: str = KEY) -> Iterator[Http]:
    """Open a connection; its pauses are passed to `pause`."""
    http = Http(fake.base, {"Authorization": f"Bearer {key}"}, pause=pause)
    try:
        yield http
    finally:
        http.close()


def picture(folder: Path, view: str = "front", data: bytes = b"", kind: str = "png") -> Picture:
    """Return a picture as the runner gives it."""
    path = folder / f"{view}.{kind}"
    path.write_bytes(data or png_of(64, 48))
    return Picture(view, "cup (żółty)", path, info=PictureInfo(kind, 64, 48))


def request_of(pictures: tuple[Picture, ...], files: Any = None, **values: Any) -> Request[Any]:
    """Return a request for these pictures, with the files that settings name."""
    return Request(settings(**values), pictures, files or {})


def order(
    http: Http, folder: Path, views: tuple[str, ...] = ("front",), files: Any = None, **values: Any
) -> Ticket:
    """Order a mesh as the runner does."""
    pictures = tuple(picture(folder, view) for view in views)
    return PROVIDER.submit(request_of(pictures, files, **values), Uploaded(), http)


def legal_choices() -> Iterator[tuple[str, Any]]:
    """Return every setting with each of its legal values; for numbers, both ends."""
    for setting in settings_of(PROVIDER.settings):
        values: list[Any] = [choice.value for choice in setting.choices]
        values += [True, False] if setting.kind == "bool" else []
        values += [int(end) for end in (setting.minimum, setting.maximum) if end is not None]
        values += ["old bronze"] if setting.kind == "str" else []
        for value in values:
            yield setting.name, value


def job_for(fake: Meshy, library: Path, **how: Any) -> JobSpec:
    """Return a job of one picture, or of `views`, without a Blender."""
    data = how.pop("data", png_of(64, 48))
    sources = tuple(
        PictureSource("cup", view, lambda: data) for view in how.pop("views", ("front",))
    )
    return JobSpec(
        provider="meshy",
        settings=settings(**how.pop("settings", {})),
        pictures=how.pop("pictures", sources),
        library=library,
        keys={"meshy_api_key": Secret(how.pop("key", KEY))},
        base_url=how.pop("base_url", fake.base),
        blender=how.pop("blender", None),
        repeated=how.pop("repeated", True),
        **how,
    )
