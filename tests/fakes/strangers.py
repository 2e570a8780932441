# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and users for tests of libraries that other people can write to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from image_to_mesh.jobs import Record, State

PRIVATE = b'{"private": "letter"}'
"""Contents of a file that no record may expose."""


def ready_record(job: str, **changes: Any) -> Record:
    """Return the record of a finished job."""
    values: dict[str, Any] = {"id": job, "state": State.READY, "provider": "tripo", "name": job}
    return Record(**{**values, "created": "2026-01-01T00:00:00+00:00", **changes})


def running_record(job: str = "cup", **changes: Any) -> Record:
    """Return the record of a job that a service works on."""
    values: dict[str, Any] = {
        "id": job, "state": State.RUNNING, "provider": "tripo", "name": "cup",
        "created": "2026-01-01T00:00:00+00:00", "ticket": {"task": "t"},
    }  # fmt: skip
    return Record(**{**values, **changes})


def become_other_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str = "other") -> None:
    """Continue as another user, or on another computer: with other settings and another secret."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / name))
