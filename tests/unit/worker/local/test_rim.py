# SPDX-License-Identifier: GPL-3.0-or-later
"""Front and back meet at the rim without a step in color and without a ridge."""

from __future__ import annotations

from typing import Any

import numpy as np
import places
import pytest
from PIL import Image
from unit.known_depth import build_body, load_truth
from unit.local_shapes import build, corner_normals, disc, grid, local
from unit.rims import color_differences, rim_folds, rim_steps, rim_wobble, sample
from unit.worker_package import load

FOLDER = places.ROOT / "tests" / "data" / "subjects"
SUBJECTS = ("white_penguin", "white_panda", "plain_bear", "plain_octopus")


def cut_out(name: str) -> Any:
    """Return a picture (h, w, 4) whose alpha is the true subject."""
    rgb = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("RGB"), np.float32)
    alpha = np.asarray(Image.open(FOLDER / f"{name}.png").convert("L"), np.float32)
    return np.dstack([rgb, alpha]) / np.float32(255.0)


def dull_rim() -> Any:
    """Return a green disc that is duller within 15 pixels of its rim, with a bar to the right."""
    x, y = grid(512, 512)
    away = np.hypot(x - 256.0, y - 256.0)
    dull = np.clip((away - 205.0) / 15.0, 0.0, 1.0)[:, :, None]
    colors = np.array([0.1, 0.7, 0.2]) * (1.0 - dull) + np.array([0.2, 0.62, 0.3]) * dull
    bar = (x > 256.0) & (np.abs(y - 256.0) < 12.0)
    colors = np.where(bar[:, :, None], (0.2, 0.2, 0.8), colors)
    return np.dstack([colors, disc(512, 220.0)]).astype(np.float32)


def pictures() -> dict[str, Any]:
    return {"dull rim": dull_rim(), **{name: cut_out(name) for name in SUBJECTS}}


@pytest.mark.parametrize("back", ["rim", "color"])
@pytest.mark.parametrize("shape", ["inflate", "cutout"])
def test_front_and_back_have_the_same_colors_at_the_rim(shape: str, back: str) -> None:
    for name, picture in pictures().items():
        steps = rim_steps(build(picture, shape=shape, back=back, face_count=10_000))
        middle, most = np.percentile(steps, [50, 90])
        print(f"\n{shape}, {back}, {name}: {middle:.1f} at the median, 90 % below {most:.1f}")
        assert middle <= 1.0
        assert most <= 2.0


def test_the_front_changes_at_its_outermost_pixels_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, picture in pictures().items():
        model = build(picture, face_count=20_000)
        with monkeypatch.context() as patch:
            patch.setattr(local, "_fade", lambda *_: 0.0)
            plain = build(picture, face_count=20_000)
        # As seen from the front: each triangle counts by its area in the image.
        area = np.maximum(-corner_normals(model)[:, 1], 0.0)
        area /= area.sum()
        uv = model.uv.mean(axis=1)
        change = color_differences(sample(model, uv), sample(plain, uv))
        mean, seen = float(area @ change), float(area @ (change > 2.0))
        print(f"\n{name}: {mean:.2f} on average, more than 2 on {seen:.1%} of the image")
        assert 0.0 < mean <= 1.0
        assert seen <= 0.1


@pytest.mark.parametrize(
    ("settings", "size"), [({"shape": "relief"}, 512), ({}, 96), ({"back": "mirror"}, 512)]
)
def test_reliefs_pixel_art_and_mirrored_images_do_not_fade(
    settings: dict[str, Any], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, step = dull_rim(), 512 // size
    picture = picture[::step, ::step][:size, :size]
    textures = []
    for share in (0.0, 0.1):
        monkeypatch.setattr(local, "_FADE", share)
        textures.append(build(picture, face_count=4000, **settings).texture)
    assert np.array_equal(*textures)


def test_thin_parts_fade_over_less() -> None:
    matte = np.asarray(disc(320, 60.0, (90.0, 160.0)), np.float32)
    matte[150:170, 90:300] = 1.0
    share = load("local.shape.flank").share_of_front(matte, 10.0)
    column, middle = share[:, 250], share[:, 90]
    assert share[matte == 0.0].max() == 0.0
    # Over 2 pixels of a bar with a half width of 10, over 10 pixels of the disc.
    assert column[150] < 0.1
    assert column[153] > 0.95
    assert middle[103] < 0.75
    assert middle[113] > 0.95


@pytest.mark.parametrize("name", ["monkey", "toy", "jug"])
def test_a_body_has_neither_ridge_nor_ribs_at_the_rim(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build_body(load_truth(name), monkeypatch)
    fold, most = np.percentile(rim_folds(model), [50, 95])
    wobble, worst = np.percentile(rim_wobble(model), [50, 90])
    print(f"\n{name}: folds of {fold:.1f}, 95 % below {most:.1f}; "
          f"normals off by {wobble:.2f}, 90 % below {worst:.2f}")  # fmt: skip
    assert fold <= 7.5
    assert most <= 14.0
    assert wobble <= 2.1
    assert worst <= 5.5
