# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at real Gradio servers, with apps of the shape of well-known ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.glb import triangle_glb
from fakes.gradio_apps import RealApp, interpreter, running_all, versions
from fakes.running import end_of, reach, spec_for, wait_until

from image_to_mesh.cli.entry import main
from image_to_mesh.jobs import JobView, Library, PictureSource, Session, State
from image_to_mesh.providers import get_provider
from image_to_mesh.providers._shared.server_settings import settings_of_record

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]
MESH = triangle_glb(5)
QUOTA, SILENT, SLOW = 13, 17, 60
"""Seeds that the apps act upon."""

Apps = dict[str, RealApp]


@pytest.fixture(scope="module", params=versions())
def version(request: pytest.FixtureRequest) -> str:
    """A version of Gradio, whose environment is set up."""
    interpreter(request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def apps(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    """Apps of all shapes, which run for all tests of this file."""
    folder = tmp_path_factory.mktemp("apps")
    with running_all(version, ("trellis", "trellis2", "hunyuan3d", "other"), folder, MESH) as all_:
        yield all_


@pytest.fixture(autouse=True)
def forget_calls(apps: Apps) -> None:
    """Let each test see its own calls only."""
    for app in apps.values():
        for path in (app.folder / "received").iterdir():
            path.unlink()


def spec(app: RealApp, library: Path, png: bytes, **values: Any) -> Any:
    """Return an order at an app, with values of the app's settings."""
    how = {name: values.pop(name) for name in ("pictures",) if name in values}
    settings = settings_of_record(get_provider("gradio"), values)
    return spec_for(library, png, "gradio", base_url=app.url, settings=settings, **how)


def run(session: Session, *order: Any, **values: Any) -> JobView:
    """Run a job to its end."""
    return end_of(session, session.start(spec(*order, **values)), limit=60.0)


@pytest.mark.parametrize(
    ("shape", "calls"),
    [
        ("trellis", ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]),
        ("trellis2", ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]),
        ("hunyuan3d", ["generation_all"]),
        ("other", ["make_it"]),
    ],
)
def test_a_job_calls_what_the_app_needs(
    apps: Apps, running: Session, tmp_path: Path, png: bytes, shape: str, calls: list[str]
) -> None:
    served = apps[shape]
    view = run(running, served, tmp_path, png)
    assert view.state is State.READY, view.failure
    assert [call for call, _ in served.received] == calls
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == MESH
