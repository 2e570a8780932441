# SPDX-License-Identifier: GPL-3.0-or-later
"""The subject that the local provider finds, and the images that it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from unit.local_shapes import (
    DEFAULTS,
    Refusal,
    annulus,
    assert_sound,
    build,
    disc,
    grid,
    local,
    overlap,
    paint,
)
from unit.worker_package import load

find_foreground = load("local.subject.foreground").find_foreground
salient = load("local.subject.salient")


def _find(picture: Any, mode: str = "auto", tolerance: float = 0.5) -> Any:
    return find_foreground(picture, mode, tolerance).matte > 0.5


def _paste(inside: Any, subject: Any, backdrop: Any, noise: float = 0.01) -> Any:
    """Paint a subject over a background, colors (3,) or (h, w, 3), under photographic noise."""
    share = inside[:, :, None]
    colors = share * np.asarray(subject) + (1.0 - share) * np.asarray(backdrop)
    colors = colors + np.random.default_rng(5).normal(0.0, noise, colors.shape)
    opaque = np.ones((*inside.shape, 1))
    return np.concatenate([np.clip(colors, 0, 1), opaque], axis=2).astype(np.float32)


RED = np.array([0.8, 0.2, 0.15])
WALL = np.array([0.75, 0.75, 0.7])


@pytest.mark.parametrize("mode", ["auto", "border"])
def test_a_subject_on_a_plain_wall(mode: str) -> None:
    inside = disc(300, 90)
    assert overlap(_find(_paste(inside, RED, WALL), mode), inside > 0.5) > 0.99


@pytest.mark.parametrize(
    "middle", [(150, 260), (150, 300), (40, 150), (0, 300)], ids=["low", "cut", "left", "corner"]
)
def test_a_subject_touching_the_border(middle: tuple[int, int]) -> None:
    inside = disc(300, 90, middle)
    assert overlap(_find(_paste(inside, RED, WALL)), inside > 0.5) > 0.98


def test_a_gradient_behind_the_subject() -> None:
    x, y = grid(300, 300)
    wall = WALL * (0.6 + 0.5 * (x / 300) * (y / 300))[:, :, None]
    inside = disc(300, 90)
    assert overlap(_find(_paste(inside, RED, wall)), inside > 0.5) > 0.98


def test_two_colors_behind_the_subject() -> None:
    _, y = grid(300, 300)
    floor = np.where((y < 170)[:, :, None], WALL, [0.25, 0.2, 0.3])
    inside = disc(300, 80)
    assert overlap(_find(_paste(inside, RED, floor)), inside > 0.5) > 0.97


def test_a_real_hole_stays_and_pinholes_close() -> None:
    inside = annulus(300, 100, 40) * (1.0 - disc(300, 2, (150, 80)))
    found = _find(_paste(inside, RED, WALL))
    assert not found[150, 150]
    assert found[80, 150]
    assert overlap(found, annulus(300, 100, 40) > 0.5) > 0.98


def test_a_light_patch_unlike_the_wall_is_no_hole() -> None:
    subject = np.where(disc(300, 25)[:, :, None] > 0.5, [0.95, 0.9, 0.55], RED)
    found = _find(_paste(disc(300, 100), subject, WALL))
    assert found[150, 150]


def test_specks_are_dropped() -> None:
    dust = np.random.default_rng(2).random((300, 300)) < 0.002
    inside = np.maximum(disc(300, 90), dust)
    assert overlap(_find(_paste(inside, RED, WALL)), disc(300, 90) > 0.5) > 0.98


def test_tolerance_decides_about_faint_subjects() -> None:
    faint = WALL + [-0.07, -0.05, -0.02]
    shadow = disc(300, 120)[:, :, None]
    wall = shadow * faint + (1 - shadow) * WALL
    picture = _paste(disc(300, 60), RED, wall, noise=0.004)
    areas = [_find(picture, "border", tolerance).sum() for tolerance in (0.0, 0.5, 1.0)]
    assert areas[0] > 1.5 * areas[1] >= 1.5 * areas[2]


def test_a_cast_shadow_that_the_network_leaves_out_is_no_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = grid(300, 300)
    inside = disc(300, 90)
    below = np.exp(-(((x - 170) / 45) ** 4) - ((y - 238) / 9) ** 4)[:, :, None]
    picture = _paste(inside, RED, WALL * (1.0 - 0.4 * below))
    answer = np.asarray(Image.fromarray(inside.astype(np.float32)).resize((320, 320)))
    monkeypatch.setattr(salient, "_ask", lambda *_: answer)
    by_color = _find(picture, "border")
    assert 0.95 < overlap(by_color, inside > 0.5) < 0.98, "the border's color takes the shadow"
    assert overlap(_find(picture), inside > 0.5) > 0.985


def test_the_edge_is_finer_than_a_pixel() -> None:
    radius = 60.3
    picture = _paste(disc(200, radius), RED, WALL, noise=0.002)
    flat_area = find_foreground(picture, "border", 0.5).matte.sum()
    assert np.sqrt(flat_area / np.pi) == pytest.approx(radius, abs=0.5)


def test_alpha_is_preferred_where_there_is_any() -> None:
    picture = _paste(disc(200, 70), RED, WALL)
    picture[:, :, 3] = disc(200, 40)
    assert overlap(_find(picture), disc(200, 40) > 0.5) > 0.999


def _perforated_image(size: int, period: int = 20) -> Any:
    alpha = np.zeros((300, 300))
    alpha[20:280, 20:280] = 1.0
    for row, column in np.ndindex(12, 12):
        y, x = 30 + period * row, 30 + period * column
        alpha[y : y + size, x : x + size] = 0.0
    return paint(alpha)


def test_transparent_holes_stay_but_for_specks() -> None:
    found = find_foreground(_perforated_image(3), "auto", 0.5)
    assert (found.matte > 0.5).sum() == 260**2 - 144 * 9
    assert not found.notes, "there are notes"
    found = find_foreground(_perforated_image(2), "alpha", 0.5)
    assert (found.matte > 0.5).sum() == 260**2
    assert found.notes == ("144 transparent specks of up to 4 pixels were filled.",)


def test_holes_too_small_for_the_face_count_are_reported() -> None:
    (note,) = build(_perforated_image(3), face_count=500).notes
    assert "small holes were closed: raise Faces" in note
    assert build(_perforated_image(7)).notes == ()


def test_no_subject_detection_uses_the_whole_image() -> None:
    assert _find(paint(np.zeros((50, 60))), "none").all()


def test_a_picture_full_of_detail_is_used_whole_and_says_so() -> None:
    picture = _detail()
    found = find_foreground(picture, "auto", 0.5)
    assert (found.matte > 0.5).all()
    assert "whole image" in found.notes[0]
    model = build(picture, face_count=1000)
    assert model.notes[0] == found.notes[0]


def _detail() -> Any:
    random = np.random.default_rng(7)
    detail = np.kron(random.random((30, 40, 3)), np.ones((8, 8, 1)))
    return np.concatenate([detail, np.ones((240, 320, 1))], axis=2).astype(np.float32)


@pytest.mark.parametrize("thickness", [1.0, 0.4])
def test_a_picture_used_whole_is_not_inflated_deeply(thickness: float) -> None:
    model = build(_detail(), face_count=2000, thickness=thickness)
    assert_sound(model)
    assert np.ptp(model.vertices[:, 1]) == pytest.approx(0.25 * thickness, rel=0.01)
    assert "Relief or Cutout" in model.notes[1]
    asked = build(_detail(), face_count=2000, foreground="none", thickness=thickness)
    # A rectangle is taken for something flat, and is still twice as deep.
    assert np.ptp(asked.vertices[:, 1]) > 0.5 * thickness
    assert not asked.notes, "there are notes"


def test_a_raised_tolerance_never_takes_the_whole_picture() -> None:
    x, y = grid(300, 300)
    shading = 0.9 * np.hypot(x - 150, y - 150)[:, :, None] / 110
    subject = RED + (WALL - RED) * np.clip(shading, 0, 0.9)
    picture = _paste(disc(300, 110), subject, WALL, noise=0.02)
    shares = [_find(picture, "border", tolerance).mean() for tolerance in (0.5, 0.7, 0.85, 1.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.6 * shares[0] < 0.3


@pytest.mark.parametrize("mode", ["auto", "border"])
def test_a_tolerance_that_leaves_nothing_is_reported(mode: str) -> None:
    picture = _paste(disc(300, 60), 0.75 * WALL + 0.25 * RED, WALL, noise=0.004)
    assert _find(picture, mode).any()
    with pytest.raises(Refusal, match="enough from its border color for this Tolerance") as caught:
        find_foreground(picture, mode, 1.0)
    assert caught.value.hint.startswith("Lower Tolerance")


@pytest.mark.parametrize("mode", ["auto", "border"])
def test_a_small_subject_on_a_plain_wall(mode: str) -> None:
    inside = disc(800, 16)
    assert overlap(_find(_paste(inside, RED, WALL), mode), inside > 0.5) > 0.9


@pytest.mark.parametrize("mode", ["auto", "border"])
def test_a_faint_subject_is_found(mode: str) -> None:
    inside = disc(300, 60)
    picture = _paste(inside, 0.85 * WALL + 0.15 * RED, WALL, noise=0.004)
    assert overlap(_find(picture, mode), inside > 0.5) > 0.95


@pytest.mark.parametrize("mode", ["auto", "border"])
def test_a_chessboard_is_not_called_plain(mode: str) -> None:
    board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((40, 40)))
    picture = np.stack([board, board, board, np.ones_like(board)], axis=2).astype(np.float32)
    with pytest.raises(Refusal, match="Nothing in the image stands out") as caught:
        find_foreground(picture, mode, 0.5)
    assert "Whole Image" in caught.value.hint


def _plain(kind: str) -> Any:
    x, y = grid(120, 160)
    picture = np.ones((120, 160, 4), np.float32)
    match kind:
        case "gray":
            picture[:, :, :3] = 0.5
        case "gradient":
            picture[:, :, :3] = ((x / 160 + y / 120) / 2)[:, :, None]
        case "noise":
            picture[:, :, :3] -= np.random.default_rng(0).random((120, 160, 3)) * 0.02
    return picture


@pytest.mark.parametrize("mode", ["auto", "border"])
@pytest.mark.parametrize("kind", ["white", "gray", "gradient", "noise"])
def test_plain_pictures_are_refused(kind: str, mode: str) -> None:
    with pytest.raises(Refusal) as caught:
        build(_plain(kind), foreground=mode)
    assert caught.value.kind == "bad_image"
    assert caught.value.message.endswith(".")
    assert "background" in caught.value.hint


@pytest.mark.parametrize("mode", ["auto", "alpha"])
def test_transparent_pictures_are_refused(mode: str) -> None:
    with pytest.raises(Refusal, match="fully transparent") as caught:
        build(paint(np.zeros((50, 60))), foreground=mode)
    assert caught.value.hint, "the error has no hint"


def test_alpha_without_transparency_is_refused() -> None:
    with pytest.raises(Refusal, match="no transparent background") as caught:
        build(paint(np.ones((50, 60))), foreground="alpha")
    assert "Border" in caught.value.hint


def test_a_single_pixel_does_not_crash() -> None:
    for size in ((1, 1), (1, 30), (2, 2)):
        picture = np.ones((*size, 4), np.float32)
        with pytest.raises(Refusal):
            build(picture)
        assert len(build(picture, foreground="none", face_count=300).triangles) > 50


def test_an_exception_in_the_progress_callback_ends_the_work() -> None:
    class Stop(Exception):
        pass

    def report(fraction: float, phase: str) -> None:
        if fraction > 0.3:
            raise Stop

    with pytest.raises(Stop):
        local.build(paint(disc()), DEFAULTS, report)


def portrait(seed: int = 5) -> Any:
    """Return a cropped portrait before a flag and a wall, and the mask of the dark suit."""
    height, width = 300, 260
    x, y = grid(height, width)
    rgb = np.empty((height, width, 3), np.float32)
    rgb[:] = (0.45 + 0.45 * y / height)[:, :, None] * np.array([0.32, 0.46, 0.80])
    stripes = (x // 22).astype(np.int64) % 3
    for number, color in enumerate(((0.10, 0.11, 0.24), (0.85, 0.82, 0.80), (0.62, 0.13, 0.16))):
        rgb[(x < 95) & (stripes == number)] = color
    head = np.hypot((x - 135) / 45, (y - 110) / 58) < 1.0
    suit = y > 160 + np.where(x < 135, 1.35, 0.45) * np.maximum(np.abs(x - 135) - 40.0, 0.0)
    rgb[suit] = (0.05, 0.05, 0.06)
    rgb[head] = (0.80, 0.62, 0.52)
    rgb += np.random.default_rng(seed).normal(0.0, 0.012, rgb.shape).astype(np.float32)
    return np.dstack([np.clip(rgb, 0, 1), np.ones((height, width), np.float32)]), suit, head


def test_the_clothes_of_a_portrait_that_the_frame_cuts_are_the_subject() -> None:
    picture, suit, head = portrait()
    matte = find_foreground(picture, "border", 0.5).matte > 0.5
    assert matte[suit].mean() > 0.95
    assert matte[head].mean() > 0.95
    assert matte[:, 195:][~suit[:, 195:]].mean() < 0.05


@pytest.mark.parametrize("horizon", [120, 200, 280])
def test_an_object_on_a_table_before_a_wall_is_found(horizon: int) -> None:
    x, y = grid(300, 240)
    inside = np.clip((1.0 - np.hypot((x - 120) / 50, (y - 180) / 80)) * 50, 0.0, 1.0)
    shade = (1.05 - 0.25 * y / 300 - 0.1 * x / 240)[:, :, None]
    behind = np.where((y < horizon)[:, :, None], WALL, np.array([0.35, 0.22, 0.14])) * shade
    assert overlap(_find(_paste(inside, RED, behind)), inside > 0.5) > 0.95


def test_a_scene_without_a_subject_is_used_whole_with_a_note() -> None:
    x, y = grid(320, 240)
    rng = np.random.default_rng(11)
    rgb = np.stack([0.45 + 0.1 * (y > 200), 0.45 + 0 * x, 0.42 + 0 * x], axis=2)
    for _ in range(60):
        cx, cy, radius = rng.uniform(0, 240), rng.uniform(0, 320), rng.uniform(4, 26)
        soft = np.clip((radius - np.hypot(x - cx, y - cy)) / radius, 0.0, 1.0)[:, :, None]
        rgb = rgb * (1 - soft) + soft * rng.uniform(0.25, 0.75, 3)
    rgb += rng.normal(0.0, 0.02, rgb.shape)
    picture = np.dstack([np.clip(rgb, 0, 1), np.ones((320, 240))]).astype(np.float32)
    found = find_foreground(picture, "auto", 0.5)
    assert found.fallback, "no fallback was used"
    assert "whole image" in found.notes[0]
