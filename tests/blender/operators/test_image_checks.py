# SPDX-License-Identifier: GPL-3.0-or-later
"""Images are checked before they are sent, and can be cropped and cut out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import places
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import read_picture, write_picture
from blender.recording import draw

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

OPS = bpy.ops.image_to_mesh
GREEN, RED, WHITE, BLACK = (60, 160, 60), (200, 40, 40), (245, 245, 245), (4, 4, 4)


def disc(
    side: int = 512, *spots: tuple[float, float, float], color: Any = RED, back: Any = WHITE
) -> NDArray[np.uint8]:
    """Paint discs (center across and down, radius: shares of the side) on a plain background."""
    y, x = np.mgrid[:side, :side] / side
    picture = np.full((side, side, 3), back, np.uint8)
    for across, down, radius in spots or ((0.5, 0.5, 0.3),):
        picture[(x - across) ** 2 + (y - down) ** 2 < radius**2] = color
    return picture


@pytest.fixture
def chosen(addon: ModuleType) -> Any:
    """The scene's properties, before any image was checked."""
    addon_module("jobs.tasks.image_checks").image_checks.cache_clear()
    return bpy.context.scene.image_to_mesh


def open_picture(chosen: Any, path: Path, pixels: NDArray[np.uint8]) -> Any:
    """Write a picture file and choose it as the scene's image."""
    chosen.image = bpy.data.images.load(str(write_picture(path, pixels)))
    return chosen.image


def check_image(chosen: Any, seconds: float = 60.0) -> Any:
    """Check the scene's image, as the timer does, and wait for the report."""
    steps = addon_module("app.periodic.image_checks")
    key = addon_module("state.preflight").picture_key(chosen.image)
    image_checks = addon_module("jobs.tasks.image_checks").image_checks()
    source = addon_module("scene.image_source").picture_source(chosen.image)
    image_checks.check(key, source, steps.subject_detection(bpy.context))
    deadline = time.monotonic() + seconds
    while image_checks.report(key).waiting:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return image_checks.report(key)


def test_a_good_picture_has_no_warning_and_says_what_is_sent(chosen: Any, tmp_path: Path) -> None:
    open_picture(chosen, tmp_path / "cup.png", disc(1024))
    report = check_image(chosen)
    assert list(addon_module("panels.image_checks").warnings(report)) == []
    assert report.box == pytest.approx((0.2, 0.2, 0.8, 0.8), abs=0.02)
    assert "1024 × 1024 PNG" in draw(width=900).text()
    assert "not sent" not in draw(width=900).text()
    chosen.provider = "tripo"
    assert "Sends 1024 × 1024 PNG" in draw(width=900).text()
    chosen.provider = "aiml_magic"
    limits = addon_module("providers").get_provider("aiml_magic").limits
    provider = addon_module("providers").get_provider("aiml_magic")
    assert addon_module("jobs.tasks.image_reports").sent_form(report, provider)[:2] <= (
        limits.max_side, limits.max_side)  # fmt: skip


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (disc(128), "Small subject"),
        (disc(512, (0.0, 0.5, 0.4)), "cut off"),
        (disc(512, (0.25, 0.5, 0.18), (0.75, 0.5, 0.18)), "2 separate subjects"),
        (disc(512, color=BLACK), "Very dark subject"),
        (disc(512, color=WHITE), "No clear subject"),
    ],
    ids=["small", "cut", "several", "dark", "nothing"],
)
def test_image_problems_are_reported_as_warnings(
    chosen: Any, tmp_path: Path, pixels: NDArray[np.uint8], words: str
) -> None:
    open_picture(chosen, tmp_path / "cup.png", pixels)
    check_image(chosen)
    assert words in draw(width=900).text()


def test_crop_and_cut_out_make_new_pictures(chosen: Any, tmp_path: Path) -> None:
    file = tmp_path / "cup.png"
    original = open_picture(chosen, file, disc(512, (0.3, 0.4, 0.2)))
    before = file.read_bytes()
    OPS.develop(crop=True, padding=0.0)
    assert chosen.image != original
    assert max(chosen.image.size) == pytest.approx(0.4 * 512, abs=6)
    OPS.develop(background="remove")
    pixels = np.empty(4 * chosen.image.size[0] * chosen.image.size[1], np.float32)
    chosen.image.pixels.foreach_get(pixels)
    assert pixels.reshape(-1, 4)[0, 3] < 0.1 < 0.9 < pixels[3::4].max()
    OPS.develop(background="white")
    chosen.image.pixels.foreach_get(pixels)
    assert pixels[3::4].min() == 1.0
    assert pixels[:3].min() > 0.9
    OPS.use_original()
    assert chosen.image == original
    assert file.read_bytes() == before
    assert read_picture(file).shape == (512, 512, 4)


def test_without_a_subject_nothing_is_cropped(chosen: Any, tmp_path: Path) -> None:
    open_picture(chosen, tmp_path / "cup.png", disc(256, color=WHITE))
    with pytest.raises(RuntimeError, match="stands out"):
        OPS.develop(crop=True)
    chosen.image = None
    assert not OPS.develop.poll()
    assert not OPS.use_original.poll()


def test_drawing_starts_no_image_check(chosen: Any, tmp_path: Path) -> None:
    open_picture(chosen, tmp_path / "cup.png", disc(256))
    draw()
    assert (
        addon_module("jobs.tasks.image_checks")
        .image_checks()
        .report(addon_module("state.preflight").picture_key(chosen.image))
        is None
    )


def test_the_image_is_checked_once_it_stops_changing(
    chosen: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, checked = addon_module("app.periodic.image_checks"), []
    image_checks = addon_module("jobs.tasks.image_checks").image_checks()
    monkeypatch.setattr(image_checks, "check", lambda key, *_: checked.append(key))
    open_picture(chosen, tmp_path / "cup.png", disc(64))
    for now in (0.0, 0.1, 0.3):
        steps.poll(bpy.context, now)
    assert checked == []
    steps.poll(bpy.context, 0.8)
    assert checked == [addon_module("state.preflight").picture_key(chosen.image)]


def read_true_mask(name: str) -> NDArray[np.bool_]:
    """Return the true mask (h, w) of a test image."""
    return np.asarray(read_picture(places.ROOT / f"tests/data/subjects/{name}.png")[..., 0] > 127)


def overlap(first: Any, second: Any) -> float:
    """Return the intersection of two masks over their union."""
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.timeout(240)
def test_what_a_paid_service_gets_is_cut_out_by_the_network(chosen: Any, tmp_path: Path) -> None:
    """Border colors alone find less than half of this subject before its busy background."""
    name = "busy_ram_china"
    chosen.provider = "tripo"
    chosen.image = bpy.data.images.load(str(places.ROOT / f"tests/data/subjects/{name}.jpg"))
    OPS.develop(background="remove")
    source = addon_module("scene.image_source").picture_source(chosen.image)
    data = source.read()
    providers = addon_module("providers")
    info = providers.read_picture_info(data, source.name)
    assert info.format in providers.all_providers()["tripo"].formats
    sent = providers.clean_picture(data, info, source.name) or data
    (tmp_path / "sent.png").write_bytes(sent)
    opaque = read_picture(tmp_path / "sent.png")[..., 3] > 127
    assert overlap(opaque, read_true_mask(name)) > 0.93
