# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes with known depth: the answer of a perfect network, and the errors of normals."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import places
from PIL import Image
from unit.local_shapes import build
from unit.worker_package import load

depth = load("local.depth")
raster = load("local.shape.raster")
FOLDER = places.ROOT / "tests" / "data" / "depth"
NET_SIDE = 392
"""Side in pixels of the map that replaces the network's answer."""
MODELS = {depth.NAME: "not read"}


class Truth(NamedTuple):
    """A shape's picture with its mask as alpha, its depth, and its normals in the camera's axes.

    `core` marks pixels whose neighbors belong to it as well, so that their normals are known.
    """

    picture: Any
    depth: Any
    normals: Any
    core: Any


def load_truth(name: str) -> Truth:
    """Return a shape of the folder."""
    facts = json.loads((FOLDER / "facts.json").read_text("utf-8"))
    raw = np.asarray(Image.open(FOLDER / f"{name}_depth.png")).astype(np.float64)
    inside, span = raw > 0, facts["depth"][name]
    far = span["near"] + (raw - 1.0) / 65534.0 * (span["far"] - span["near"])
    across = ((np.arange(len(raw)) + 0.5) / len(raw) - 0.5) * facts["sensor"] / facts["lens"]
    place = np.stack([across[None] * far, -across[:, None] * far, -far], axis=2)
    along, up = np.zeros_like(place), np.zeros_like(place)
    along[:, 1:-1] = place[:, 2:] - place[:, :-2]
    up[1:-1] = place[:-2] - place[2:]
    normals = np.cross(along, up)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True) + 1e-12
    core = np.zeros_like(inside)
    windows = np.lib.stride_tricks.sliding_window_view(inside, (3, 3))
    core[1:-1, 1:-1] = windows.all(axis=(2, 3))
    with Image.open(FOLDER / f"{name}_plain.jpg") as image:
        rgb = np.asarray(image.convert("RGB"), np.float32) / 255.0
    picture = np.concatenate([rgb, inside[:, :, None]], axis=2).astype(np.float32)
    return Truth(picture, far, normals, core)


def perfect_answer(truth: Truth) -> Any:
    """Return what a perfect network would answer: soft, affine, inverse, the ground far away."""
    inside = truth.picture[:, :, 3] > 0.5
    near = np.where(inside, 1.0 / truth.depth, 0.0)
    low, high = near[inside].min(), near[inside].max()
    answer = np.where(inside, (near - low) / (high - low) * 5.0 + 2.0, 0.5).astype(np.float32)
    return raster.blur(raster.upscale(answer, NET_SIDE, NET_SIDE), 0.8)


def normal_errors(model: Any, truth: Truth) -> tuple[float, float]:
    """Return mean and median of the angles in degrees between a model's front and the truth.

    Weighted by the area in the picture.
    """
    rows, columns = np.nonzero(truth.picture[:, :, 3] > 0.5)
    points = model.vertices.astype(np.float64)
    front = model.triangles[: len(model.triangles) // 2]
    scale = (rows.max() + 1 - rows.min()) / np.ptp(points[:, 2])
    x = points[:, 0] * scale + (columns.min() + columns.max() + 1) / 2.0
    y = rows.max() + 1 - points[:, 2] * scale
    corners = points[front]
    made = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.maximum(-made[:, 1], 0.0)
    made = np.stack([made[:, 0], made[:, 2], -made[:, 1]], axis=1)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    last = len(truth.core) - 1
    at = (
        np.clip(y[front].mean(axis=1).astype(int), 0, last),
        np.clip(x[front].mean(axis=1).astype(int), 0, last),
    )
    cosine = np.einsum("ij,ij->i", made, truth.normals[at])
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    weight = area * truth.core[at]
    order = np.argsort(angle)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2.0)
    return float((angle * weight).sum() / weight.sum()), float(angle[order][middle])


def build_body(truth: Truth, monkeypatch: Any, **settings: Any) -> Any:
    """Return the body that is made of a truth's picture and its degraded depth."""
    answer = perfect_answer(truth)
    monkeypatch.setattr(depth, "_ask", lambda *_: answer)
    return build(truth.picture, models=MODELS, **{"shape": "body", **settings})
