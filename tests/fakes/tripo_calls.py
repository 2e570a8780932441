# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of both versions of Tripo's API (v3 and v2, 2026-11)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_to_mesh.jobs import JobSpec, PictureSource
from image_to_mesh.providers import (
    Picture,
    PictureInfo,
    Provider,
    Request,
    Secret,
    Ticket,
    get_provider,
    settings_of,
)
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.client import Http

from .png import png_of
from .running import end_of as end_of
from .tripo import TripoV3
from .tripo_server import KEY, FakeTripo
from .tripo_v2 import TripoV2

VIEWS = ("front", "left", "back", "right")
FOUR = ("quad", "smart_low_poly", "generate_parts", "geometry_quality")
UNTEXTURED: dict[str, Any] = {"texture": False, "pbr": False}


@dataclass(frozen=True)
class Version:
    """One version of Tripo: its provider, its fake, and patterns of its calls."""

    provider: Provider[Any]
    fake: type[FakeTripo]
    model: str
    upload: str
    create: str
    poll: str
    balance: str

    def settings(self, **values: Any) -> Any:
        """Return settings as the command line makes them; raises if a rule is broken."""
        return parse_settings(self.provider.settings, values)


V3 = Version(
    provider=get_provider("tripo"),
    fake=TripoV3,
    model="model",
    upload="POST /v3/files",
    create="POST /v3/generation/",
    poll="GET /v3/tasks/",
    balance="GET /v3/account/balance",
)
V2 = Version(
    provider=get_provider("tripo_v2"),
    fake=TripoV2,
    model="model_version",
    upload="POST /v2/openapi/upload",
    create="POST /v2/openapi/task",
    poll="GET /v2/openapi/task/",
    balance="GET /v2/openapi/user/balance",
)


@contextlib.contextmanager
def connection(fake: FakeTripo, pause: Callable[[float], None], key: str = KEY) -> Iterator[Http]:
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


def order(
    version: Version, http: Http, folder: Path, views: tuple[str, ...] = ("front",), **values: Any
) -> Ticket:
    """Order a mesh as the runner does: check, upload, submit."""
    pictures = tuple(picture(folder, view) for view in views)
    return order_of(version, http, pictures, **values)


def order_of(version: Version, http: Http, pictures: tuple[Picture, ...], **values: Any) -> Ticket:
    """Order a mesh of these pictures."""
    settings = version.settings(**values)
    uploaded = version.provider.upload(pictures, http)
    return version.provider.submit(Request(settings, pictures), uploaded, http)


def legal_choices(version: Version) -> Iterator[tuple[str, Any]]:
    """Return every setting with each of its legal values; for numbers, both ends."""
    for setting in settings_of(version.provider.settings):
        values: list[Any] = [choice.value for choice in setting.choices]
        values += [True, False] if setting.kind == "bool" else []
        values += [int(end) for end in (setting.minimum, setting.maximum) if end is not None]
        for value in values:
            yield setting.name, value


def default_of(version: Version, name: str) -> Any:
    """Return a setting's default."""
    return next(
        setting.default
        for setting in settings_of(version.provider.settings)
        if setting.name == name
    )


def job_for(version: Version, fake: FakeTripo, library: Path, **how: Any) -> JobSpec:
    """Return a job of one picture, or of `views`, without a Blender."""
    views = how.pop("views", ("front",))
    data = how.pop("data", png_of(64, 48))
    sources = tuple(PictureSource("cup", view, lambda: data) for view in views)
    return JobSpec(
        provider=version.provider.id,
        settings=version.settings(**how.pop("settings", {})),
        pictures=how.pop("pictures", sources),
        library=library,
        keys={"tripo_api_key": Secret(how.pop("key", KEY))},
        base_url=fake.base,
        blender=how.pop("blender", None),
        repeated=how.pop("repeated", True),
        **how,
    )
