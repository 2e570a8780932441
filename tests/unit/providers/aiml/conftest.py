# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of AI/ML API: its fake, and an image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.aiml import Aiml, serving
from fakes.aiml_cases import picture_at

from image_to_mesh.providers import Picture


@pytest.fixture
def aiml() -> Iterator[Aiml]:
    """The fake, quick and without faults."""
    with serving(Aiml()) as running:
        yield running


@pytest.fixture
def cup(tmp_path: Path, png: bytes) -> Picture:
    """A picture in a folder."""
    return picture_at(tmp_path, png)
