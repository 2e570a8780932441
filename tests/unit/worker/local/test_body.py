# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies and reliefs by depth: near the truth, closed, and without a seam."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from unit import known_depth
from unit.known_depth import build_body, load_truth, normal_errors
from unit.local_shapes import Refusal, assert_sound, build, disc, grid, paint
from unit.worker_package import load

body = load("local.shape.body")
depth = load("local.depth")
preview = load("local.preview")
SHAPES = ("monkey", "toy", "jug", "chair")
LIMITS = {"monkey": (8.0, 4.2), "toy": (8.0, 2.9), "jug": (8.0, 4.9), "chair": (20.0, 13.5)}
"""Mean and median in degrees."""


@pytest.mark.parametrize("name", SHAPES)
def test_normals_are_near_the_true_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = load_truth(name)
    model = build_body(truth, monkeypatch)
    assert_sound(model)
    mean, median = normal_errors(model, truth)
    inflated = normal_errors(build(truth.picture), truth)
    print(f"\n{name}: off by {mean:.1f} on average, {median:.1f} at the median; {inflated}")
    assert mean <= LIMITS[name][0]
    assert median <= LIMITS[name][1]
    assert mean < 0.6 * inflated[0]


@pytest.mark.parametrize("change", [(0.1, 0.0), (40.0, 0.0), (1.0, -1.5), (1.0, 30.0)])
def test_neither_unit_nor_zero_of_the_map_matter(
    change: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = load_truth("jug")
    answer = known_depth.perfect_answer(truth) * change[0] + change[1]
    model = build_body(truth, monkeypatch, face_count=12_000)
    monkeypatch.setattr(depth, "_ask", lambda *_: answer)
    same = build(truth.picture, models=known_depth.MODELS, shape="body", face_count=12_000)
    assert np.abs(model.vertices - same.vertices).max() < 0.002


def notches(model: Any) -> float:
    """Return how far most of the rim's vertices are from the line between their neighbors."""
    half = len(model.triangles) // 2
    front, back = model.triangles[:half], model.triangles[half:]
    following = np.roll(front, -1, axis=1)
    sides = np.stack([front, following], axis=2).reshape(-1, 2)
    sides = sides[np.isin(sides, np.intersect1d(front, back)).all(axis=1)]
    after = np.zeros(len(model.vertices), np.int64)
    after[sides[:, 0]] = sides[:, 1]
    x, away, z = model.vertices.astype(np.float64).T
    first, middle = sides.T
    last = after[middle]
    # The neighbors are not equally far.
    before, beyond = (np.hypot(x[k] - x[middle], z[k] - z[middle]) for k in (first, last))
    line = (away[first] * beyond + away[last] * before) / (before + beyond)
    return float(np.percentile(np.abs(away[middle] - line), 95))


@pytest.mark.parametrize("name", ["monkey", "toy", "jug"])
def test_the_rim_is_no_seam(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The depth of the rim changes smoothly along it: notches would be seen from the side."""
    calm = notches(build_body(load_truth(name), monkeypatch))
    monkeypatch.setattr(body, "_calm_flank", lambda _flat, _bump, seen, _size: seen)
    rough = notches(build_body(load_truth(name), monkeypatch))
    print(f"\n{name}: {calm:.5f} instead of {rough:.5f} of the height")
    assert calm < 0.0002
    assert calm < 0.5 * rough


def sphere_map(size: int, radius: float) -> Any:
    """Return the nearness of a ball before a ground far away."""
    x, y = grid(size, size)
    inside = radius**2 - (x - size / 2) ** 2 - (y - size / 2) ** 2
    return np.where(inside > 0.0, 2.0 + np.sqrt(np.maximum(inside, 0.0)) / radius, 0.5).astype(
        np.float32
    )


def ball(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Any:
    """Return the body of a disc that a network sees as a ball."""
    answer = sphere_map(256, 100.0)
    monkeypatch.setattr(depth, "_ask", lambda *_: answer)
    given = {"shape": "body", "face_count": 8000, **settings}
    return build(paint(disc()), models=known_depth.MODELS, **given)


def test_a_ball_is_about_as_deep_as_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ball(monkeypatch)
    assert_sound(model)
    assert np.ptp(model.vertices, axis=0) == pytest.approx([1.0, 1.0, 1.0], abs=0.12)


def test_thickness_scales_front_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    full, half = (np.ptp(ball(monkeypatch, thickness=t).vertices[:, 1]) for t in (1.0, 0.5))
    assert half == pytest.approx(0.5 * full, rel=0.12)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_map_without_depth_stays_sound(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    answer = np.full((98, 98), value, np.float32)
    monkeypatch.setattr(depth, "_ask", lambda *_: answer)
    model = build(paint(disc()), models=known_depth.MODELS, shape="body", face_count=4000)
    assert_sound(model)


def test_a_hollow_front_does_not_cut_the_back(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = 10.0 - sphere_map(256, 100.0)
    monkeypatch.setattr(depth, "_ask", lambda *_: answer)
    model = build(paint(disc()), models=known_depth.MODELS, shape="body", face_count=4000)
    assert_sound(model)
    half = len(model.triangles) // 2
    middle = model.vertices[np.hypot(model.vertices[:, 0], model.vertices[:, 2] - 0.5) < 0.1]
    assert np.ptp(middle[:, 1]) > 0.05, "front and back keep a distance"
    assert len(model.triangles) == 2 * half


def test_a_relief_is_raised_by_depth_once_the_model_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def middle(model: Any) -> float:
        """Return how far the middle is in front of the edge."""
        away = np.hypot(model.vertices[:, 0], model.vertices[:, 2] - 0.5)
        near = -model.vertices[:, 1]
        return float(near[away < 0.1].max() - near[(away > 0.35) & (away < 0.4)].max())

    with_model = ball(monkeypatch, shape="relief")
    assert_sound(with_model)
    without = build(paint(disc()), shape="relief", face_count=8000)
    assert middle(with_model) > 0.02
    assert middle(with_model) > middle(without) + 0.01


def test_body_without_the_model_is_refused() -> None:
    with pytest.raises(Refusal, match="needs the depth model"):
        build(paint(disc()), shape="body")


def test_a_damaged_model_is_refused(tmp_path: Any) -> None:
    (tmp_path / "file").write_bytes(b"\0" * 64)
    with pytest.raises(Refusal, match="cannot be read"):
        build(paint(disc()), shape="body", models={depth.NAME: str(tmp_path / "file")})


def test_the_network_is_asked_once_about_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(rgb: Any, _: Any) -> Any:
        asked.append(rgb.shape)
        return sphere_map(518, 200.0)

    monkeypatch.setattr(depth, "estimate_nearness", answer)
    monkeypatch.setattr(depth, "_weights", lambda *_: None)
    monkeypatch.setattr(depth, "_answers", {})
    builder = preview.PreviewBuilder(paint(disc()), 256)
    settings = {**load_settings(), "shape": "body"}
    for thickness in (0.5, 1.0, 1.5):
        found = builder.build({**settings, "thickness": thickness}, settings)
        assert found is not None
    assert asked == [(518, 518, 3)]


def test_the_answer_is_kept_for_other_processes_and_sizes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    asked = []

    def answer(rgb: Any, _: Any) -> Any:
        asked.append(rgb.shape)
        return 7.0 * sphere_map(392, 150.0)

    monkeypatch.setattr(depth, "estimate_nearness", answer)
    monkeypatch.setattr(depth, "_weights", lambda *_: None)
    kept = load("local.subject.answers").AnswerFile(tmp_path, "0" * 64, 320)
    maps = []
    for size in (64, 96):
        monkeypatch.setattr(depth, "_answers", {})  # as in another process
        maps.append(depth.find_nearness(paint(disc(size)), known_depth.MODELS, kept))
    assert len(asked) == 1
    assert maps[0].shape == (depth.SIDE, depth.SIDE)
    assert maps[0].max() == pytest.approx(1.0, abs=1e-4)
    assert np.array_equal(*maps)


def test_a_replaced_model_is_asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    asked = []

    def answer(rgb: Any, _: Any) -> Any:
        asked.append(rgb.shape)
        return sphere_map(392, 150.0)

    monkeypatch.setattr(depth, "estimate_nearness", answer)
    monkeypatch.setattr(depth, "_weights", lambda *_: None)
    monkeypatch.setattr(depth, "_answers", {})
    kept = load("local.subject.answers").AnswerFile(tmp_path / "kept", "0" * 64, 320)
    file = tmp_path / "model.safetensors"
    for content in (b"first", b"first", b"another"):
        file.write_bytes(content)
        os.utime(file, ns=(0, len(content)))
        depth.find_nearness(paint(disc()), {depth.NAME: str(file)}, kept)
    assert len(asked) == 2


def load_settings() -> dict[str, Any]:
    """Return the default settings with the model."""
    from unit.local_shapes import DEFAULTS

    return {**DEFAULTS, "models": known_depth.MODELS}


def test_transparent_pixels_are_gray_for_the_network() -> None:
    picture = np.zeros((60, 90, 4), np.float32)
    picture[:, :, 0] = 1.0
    picture[:30, :, 3] = 1.0
    seen = depth._opaque(picture)
    assert seen.shape == (*load("nets.depth_anything").input_size(60, 90), 3)
    assert seen[10, 10].tolist() == [1.0, 0.0, 0.0]
    assert seen[-10, -10].tolist() == [0.5, 0.5, 0.5]
