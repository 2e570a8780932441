# SPDX-License-Identifier: GPL-3.0-or-later
"""U²-Net-p, a small network that finds what stands out in an image.

Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", 2020;
github.com/xuebinqin/U-2-Net, Apache-2.0. Layers are named as in the authors' code; batch
normalization is folded into the convolutions, and weights are integers with a scale for each output
channel (`tools/convert_u2netp.py`).
"""

from __future__ import annotations

import numpy as np

from .layers import Singles, convolve, halve, relu, resize, sigmoid
from .weights import Numbers, Weights

SIDE = 320
"""Side of the square image that the network was trained on, in pixels."""
VERSION = "u2netp-1"
"""Must change with the network or its weights, so that answers cached earlier are not used."""
# Of the colors of ImageNet, as in the authors' data_loader.py.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_DEPTHS = {"stage1": 7, "stage2": 6, "stage3": 5, "stage4": 4}
"""Levels of the nested networks that halve their image; the others dilate instead."""
_DILATIONS = (1, 2, 4, 8)


def find_salient(rgb: Numbers, weights: Weights) -> Singles:
    """Return a map of how likely each point is to belong to the subject, from 0 to 1.

    `rgb` (h, w, 3) is sRGB from 0 to 1. The map is always (SIDE, SIDE) and covers the whole image,
    so the caller has to resize it to (h, w).
    """
    return sigmoid(_Net(weights).run(prepare(rgb)))[0]


def prepare(rgb: Numbers) -> Singles:
    """Return an image (h, w, 3) as input for the network: (3, SIDE, SIDE), normalized."""
    small = resize(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32), SIDE, SIDE)
    # As in the authors' RescaleT and ToTensorLab: the brightest value becomes 1.
    small /= max(float(small.max()), 1e-6)
    return np.asarray((small - _MEAN[:, None, None]) / _DEVIATION[:, None, None], np.float32)


class _Net:
    """The network's layers, with their weights."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def run(self, image: Singles) -> Singles:
        """Return the fused evidence (1, SIDE, SIDE) before the logistic function."""
        levels: list[Singles] = []
        for number in range(1, 7):
            levels.append(self._stage(f"stage{number}", image))
            image = halve(levels[-1])
        evidence = [self._convolve("side6", levels[-1])]
        deeper = levels.pop()
        for number in range(5, 0, -1):
            level = levels.pop()
            joined = np.concatenate([resize(deeper, *level.shape[1:]), level])
            deeper = self._stage(f"stage{number}d", joined)
            evidence.append(self._convolve(f"side{number}", deeper))
        sides = [resize(side, SIDE, SIDE) for side in reversed(evidence)]
        return self._convolve("outconv", np.concatenate(sides))

    def _stage(self, name: str, image: Singles) -> Singles:
        depth = _DEPTHS.get(name.removesuffix("d"))
        first = self._block(f"{name}.rebnconvin", image)
        inner = (
            self._run_dilated(name, first)
            if depth is None
            else self._run_nested(name, first, depth)
        )
        inner += first
        return inner

    def _run_nested(self, name: str, image: Singles, depth: int) -> Singles:
        """Return the output of a small U-shaped network: down to a small image, and up again."""
        levels: list[Singles] = []
        for level in range(1, depth):
            levels.append(self._block(f"{name}.rebnconv{level}", image))
            image = halve(levels[-1]) if level < depth - 1 else levels[-1]
        image = self._block(f"{name}.rebnconv{depth}", image, 2)
        for level in range(depth - 1, 0, -1):
            across = levels.pop()
            joined = np.concatenate([resize(image, *across.shape[1:]), across])
            image = self._block(f"{name}.rebnconv{level}d", joined)
        return image

    def _run_dilated(self, name: str, image: Singles) -> Singles:
        """Return the output of a stage for small images.

        Instead of halving the image, its convolutions are dilated to reach farther.
        """
        levels: list[Singles] = []
        for level, dilation in enumerate(_DILATIONS, 1):
            image = self._block(f"{name}.rebnconv{level}", image, dilation)
            levels.append(image)
        levels.pop()
        for level in range(3, 0, -1):
            joined = np.concatenate([image, levels.pop()])
            image = self._block(f"{name}.rebnconv{level}d", joined, _DILATIONS[level - 1])
        return image

    def _block(self, name: str, image: Singles, dilation: int = 1) -> Singles:
        return relu(self._convolve(name, image, dilation))

    def _convolve(self, name: str, image: Singles, dilation: int = 1) -> Singles:
        stored, scale, bias = (
            self._weights[f"{name}.{part}"] for part in ("weight", "scale", "bias")
        )
        weight = stored.astype(np.float32) * scale[:, None, None, None]
        return convolve(image, weight, bias, dilation)
