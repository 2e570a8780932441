# SPDX-License-Identifier: GPL-3.0-or-later
"""The renders with known depth in `tests/data/depth`, as arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import places
from PIL import Image

FOLDER = places.ROOT / "tests" / "data" / "depth"
FACTS: dict[str, Any] = json.loads((FOLDER / "facts.json").read_text("utf-8"))
SHAPES = tuple(FACTS["depth"])


@dataclass(frozen=True)
class KnownShape:
    """A render (h, w, 3) from 0 to 1, the subject's mask (h, w), and its depth (h, w) in meters.

    The depth is along the camera's axis, and NaN outside of the mask.
    """

    rgb: Any
    mask: Any
    depth: Any

    def points(self) -> Any:
        """Return the places of the pixels (h, w, 3) in the camera's space: X right, Y up."""
        side, spread = FACTS["side"], FACTS["sensor"] / FACTS["lens"]
        step = ((np.arange(side) + 0.5) / side - 0.5) * spread
        across, up = np.meshgrid(step, -step)
        return np.stack([across, up, -np.ones_like(up)], axis=2) * self.depth[..., None]


def known_shape(name: str, ground: str = "plain") -> KnownShape:
    """Return a shape on its plain or busy ground."""
    with Image.open(FOLDER / f"{name}_{ground}.jpg") as image:
        rgb = np.asarray(image.convert("RGB"), np.float32) / 255.0
    with Image.open(FOLDER / f"{name}_depth.png") as image:
        steps = np.asarray(image).astype(np.float64)
    near, far = FACTS["depth"][name]["near"], FACTS["depth"][name]["far"]
    depth = near + (steps - 1.0) / 65534.0 * (far - near)
    return KnownShape(rgb, steps > 0, np.where(steps > 0, depth, np.nan))
