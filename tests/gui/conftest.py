# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact zip, installed once into an empty profile; each window starts on a copy of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import blenders
import places
import pytest
from fakes import FAKES
from gui import pictures
from gui.artist import Artist
from gui.harness import Session, run_once

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT = 240

# No splash screen, no auto-save: nothing that a user would have to click away first.
_SETTINGS = """
import bpy
preferences = bpy.context.preferences
preferences.view.show_splash = False
preferences.view.ui_scale = 1.0
preferences.filepaths.use_auto_save_temporary_files = False
bpy.ops.wm.save_userpref()
"""


class StartBlender(Protocol):
    """Starts a Blender with a window, with more providers and more in its environment."""

    def __call__(self, *providers: Path, **environment: str) -> Session: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Extend the timeout: a window takes long to open on a busy machine."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and not item.get_closest_marker(
            "timeout"
        ):
            item.add_marker(pytest.mark.timeout(_TIMEOUT))


@pytest.fixture(scope="session")
def place() -> blenders.Place:
    """The place where Blender runs: the sandbox of SANDBOX_SUITE, else this machine."""
    found = blenders.find_sandbox(os.environ.get("SANDBOX_SUITE", "trixie")) or blenders.on_host()
    assert found, "no Blender with a window: `python3 tools/blenders.py` builds one"
    return found


@pytest.fixture(scope="session")
def zip_file() -> Path:
    """The zip as `make package` built it."""
    manifest = places.manifest()
    file = places.DIST / f"{manifest['id']}-{manifest['version']}-linux-x64.zip"
    assert file.exists(), "no zip: `make package` first"
    return file


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A temporary folder that Blender can also see."""
    places.BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gui-", dir=places.BUILD) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def installed_profile(place: blenders.Place, workshop: Path, zip_file: Path) -> Path:
    """A profile that was empty before the zip was installed and enabled in it."""
    profile = workshop / "installed"
    profile.mkdir(mode=0o700)
    run_once(place, profile, "--background", "--python-expr", _SETTINGS)
    run_once(place, profile, "--command", "extension", "install-file", "-r", "user_default", "-e",
             str(zip_file))  # fmt: skip
    return profile


@pytest.fixture(scope="session")
def open_blender(place: blenders.Place, workshop: Path, installed_profile: Path) -> StartBlender:
    """Return a function that starts Blender on a copy of the profile; the caller closes it."""
    numbers = itertools.count(1)

    def start(*providers: Path, **environment: str) -> Session:
        profile = workshop / f"profile-{next(numbers)}"
        shutil.copytree(installed_profile, profile, symlinks=True)
        for file in providers:
            shutil.copy(file, profile / "extensions/user_default/image_to_mesh/providers")
        return Session(place, profile, **environment)

    return start


@pytest.fixture
def start_blender(open_blender: StartBlender) -> Iterator[StartBlender]:
    """Return a function that starts Blenders, which are closed after the test."""
    with contextlib.ExitStack() as opened:
        yield lambda *providers, **environment: opened.enter_context(
            open_blender(*providers, **environment)
        )


@pytest.fixture
def blender(start_blender: StartBlender) -> Session:
    """One Blender with the add-on, its sidebar open at the add-on's tab."""
    session = start_blender()
    session.open_tab()
    return session


@pytest.fixture(scope="module")
def shared_blender(open_blender: StartBlender) -> Iterator[Session]:
    """One Blender for all tests of a file that leave it as they found it."""
    with open_blender() as session:
        session.open_tab()
        yield session


@pytest.fixture(scope="module")
def artist(shared_blender: Session) -> Artist:
    """The artist in the Blender shared by a file's tests."""
    return Artist(shared_blender)


@pytest.fixture(scope="session")
def photograph(workshop: Path) -> Path:
    """A real photograph of 1024 × 1024 pixels."""
    return pictures.photograph(workshop)


@pytest.fixture(scope="session")
def rehearsal() -> Path:
    """The provider that orders from the fake service on this machine."""
    return FAKES / "services" / "rehearsal.py"
