# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews while a setting is dragged: quick, small, and with the texture in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.local_shapes import DEFAULTS, build, disc, paint
from unit.worker_package import load

preview = load("local.preview")
raster = load("local.shape.raster")
FULL, SMALL = 1200, 600


@pytest.fixture(scope="module")
def picture() -> Any:
    """A disc off the middle, larger than previews read images."""
    return paint(disc(FULL, 400.0, (500.0, 640.0)))


@pytest.fixture
def builder(picture: Any) -> Any:
    """A builder for the picture at half its size."""
    return preview.PreviewBuilder(raster.downscale(picture, SMALL, SMALL), FULL)


def settings(**changed: Any) -> dict[str, Any]:
    """Return all settings."""
    return {**DEFAULTS, "foreground": "alpha", "face_count": 8000, **changed}


def fit(model: Any) -> Any:
    """Return scale and shift of U along X and of V along Z on the front."""
    corners = model.vertices[model.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    front = normals[:, 1] < -0.3 * np.linalg.norm(normals, axis=1)
    places, uv = corners[front].reshape(-1, 3), model.uv[front].reshape(-1, 2)
    return [np.polyfit(places[:, axis], uv[:, k], 1) for k, axis in ((0, 0), (1, 2))]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"shape": "relief"},
        {"shape": "cutout"},
        {"shape": "spin"},
        {"back": "mirror"},
        {"texture_size": 512},
    ],
)
def test_it_is_the_full_mesh_with_fewer_faces(
    picture: Any, builder: Any, changed: dict[str, Any]
) -> None:
    asked = settings(**changed)
    full, small = build(picture, **asked), builder.build({**asked, "face_count": 2000}, asked)
    assert len(small.triangles) == pytest.approx(2000, rel=0.1)
    assert small.vertices.min(axis=0) == pytest.approx(full.vertices.min(axis=0), abs=0.02)
    assert small.vertices.max(axis=0) == pytest.approx(full.vertices.max(axis=0), abs=0.02)
    assert np.allclose(fit(small), fit(full), atol=0.01)


def test_other_settings_show_the_texture_of_the_mesh_before(picture: Any, builder: Any) -> None:
    before = settings(back="color")
    full = build(picture, **before)
    changed = builder.build(settings(shape="relief", thickness=2.0, back="mirror"), before)
    assert np.allclose(fit(changed), fit(full), atol=0.01)


def test_a_pixel_does_not_swap_the_sides_of_a_square_texture(picture: Any) -> None:
    small = raster.downscale(picture, SMALL, SMALL)
    asked = settings(back="mirror")
    builders = [preview.PreviewBuilder(small, FULL, size) for size in ((808, 1616), (1616, 808))]
    fits = [fit(builder.build(asked, asked)) for builder in builders]
    slopes = [(across[0], up[0]) for across, up in fits]
    assert slopes[0] == pytest.approx((0.5, 1.0), abs=0.02)
    assert slopes[1] == pytest.approx((1.0, 0.5), abs=0.02)


def test_the_subject_is_found_once(builder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    find = preview.SubjectFinder.find

    def count_call(finder: Any, *asked: Any) -> Any:
        calls.append(asked)
        return find(finder, *asked)

    monkeypatch.setattr(preview.SubjectFinder, "find", count_call)
    before = settings()
    for step in range(10):
        shape = ("inflate", "relief", "cutout", "spin")[step % 4]
        changed = settings(shape=shape, thickness=1.0 + step / 10, face_count=1000 * (step + 1))
        builder.build(changed, before)
    assert len(calls) == 1
    for step in range(20):
        builder.build(settings(foreground="border", tolerance=step / 40), before)
    assert len(builder._kept) <= preview._KEPT


def test_it_never_has_more_faces_than_a_frame_allows(
    builder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = settings(face_count=1_000_000)
    assert len(builder.build(many, many).triangles) < preview.MOST_FACES
    monkeypatch.setattr(preview, "MOST_FACES", 5000)
    assert builder.build(many, many) is None
