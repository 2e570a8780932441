# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of untrusted libraries: a user, a private file, and libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import WORKER
from fakes.png import png_of
from fakes.strangers import PRIVATE, ready_record

from image_to_mesh.cli import entry
from image_to_mesh.jobs import Library, session
from image_to_mesh.jobs.disk import signatures


@pytest.fixture
def a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with their own settings, a new session and the fake worker; returns the settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(entry, "find_blender", lambda _: WORKER)
    session.cache_clear()
    signatures._secret.cache_clear()
    return tmp_path / "settings" / "image_to_mesh"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a library."""
    return tmp_path / "library"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A file of the user that nobody else may read."""
    path = tmp_path / "private.txt"
    path.write_bytes(PRIVATE)
    return path


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with one finished job named cup."""
    made = Library(tmp_path / "library")
    made.create(ready_record("cup"), {"front.png": png_of(8, 8)})
    return made
