# SPDX-License-Identifier: GPL-3.0-or-later
"""Check, preview, edit, job and live preview of an image ask the network once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import places
import pytest

from image_to_mesh.providers import all_providers, values_of
from image_to_mesh.worker import live_preview, make
from image_to_mesh.worker.images import inspect_and_edit, subject_preview
from image_to_mesh.worker.local.subject import salient
from image_to_mesh.worker.nets.u2netp import find_salient

if TYPE_CHECKING:
    from pathlib import Path

FILE = places.ROOT / "tests" / "data" / "dahlia.jpg"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the images that the network is asked about."""
    images: list[Any] = []

    def count(rgb: Any, weights: Any) -> Any:
        images.append(rgb)
        return find_salient(rgb, weights)

    monkeypatch.setattr(salient, "find_salient", count)
    salient._answers.clear()
    return images


def ignore(_fraction: float, _phase: str) -> None:
    pass


@pytest.mark.timeout(300)
def test_the_network_runs_once_for_an_image(tmp_path: Path, asked: list[Any]) -> None:
    picture, copy = str(FILE), tmp_path / "copy"
    common: dict[str, Any] = {"picture": picture, "cache": str(tmp_path / "cache")}
    seen = inspect_and_edit.inspect_image({**common, "copy": str(copy)}, ignore)
    # Each of the following runs in a process of its own, with an empty memory.
    salient._answers.clear()
    subject_preview._last.clear()
    preview = {"copy": str(copy), "size": seen["copy"], "preview": str(tmp_path / "preview")}
    shown = {"mode": "auto", "tolerance": 0.5, "answer": seen["answer"]}
    drawn = subject_preview.draw_preview({**common, **preview, **shown}, ignore)
    assert drawn["clear"]
    salient._answers.clear()
    edit = {"background": "remove", "output": str(tmp_path / "edited.png")}
    inspect_and_edit.edit_image({**common, **edit}, ignore)
    salient._answers.clear()
    settings = values_of(all_providers()["local"].settings())
    mesh = str(tmp_path / "mesh.glb")
    job = {"recipe": "local", "name": "dahlia", "settings": settings, "output": mesh}
    assert make.make_mesh({**common, **job}, ignore)["faces"] > 1000
    salient._answers.clear()
    live = {"size": [400, 320], "settings": settings, "shown": settings, "mesh": mesh}
    found = live_preview.preview_mesh({**common, **live, "output": str(tmp_path)}, ignore)
    assert found["faces"] > 1000
    assert len(asked) == 1
    assert np.isfinite(asked[0]).all()
