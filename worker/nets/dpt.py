# SPDX-License-Identifier: GPL-3.0-or-later
"""The decoder of Depth Anything V2: from tokens at four depths of the encoder to an image.

Ranftl et al., "Vision Transformers for Dense Prediction", 2021. Layers are named as in the code of
github.com/DepthAnything/Depth-Anything-V2, Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .dinov2 import PATCH
from .layers import Singles, convolve, multiply, relu, resize
from .weights import Weights

_HEAD = "depth_head"
_SCRATCH = f"{_HEAD}.scratch"
_GROWTH = {0: 4, 1: 2}
"""Factors that enlarge the first two levels; the third keeps its size, the last is halved."""


def decode(taken: Sequence[Singles], rows: int, columns: int, weights: Weights) -> Singles:
    """Return the image (h, w) decoded from four arrays of tokens of `rows` × `columns` patches.

    Its sides are PATCH times `rows` and `columns`.
    """
    levels = [
        refine_level(number, tokens.T.reshape(-1, rows, columns), weights)
        for number, tokens in enumerate(taken)
    ]
    path: Singles | None = None
    for number in range(4, 0, -1):
        level = levels.pop()
        height, width = levels[-1].shape[1:] if levels else (2 * side for side in level.shape[1:])
        path = fuse(number, path, level, (height, width), weights)
    assert path is not None
    path = _convolve(f"{_SCRATCH}.output_conv1", path, weights)
    path = resize(path, rows * PATCH, columns * PATCH, aligned=True)
    path = relu(_convolve(f"{_SCRATCH}.output_conv2.0", path, weights))
    return relu(_convolve(f"{_SCRATCH}.output_conv2.2", path, weights))[0]


def refine_level(number: int, image: Singles, weights: Weights) -> Singles:
    """Return the image (64, h, w) of one level from its tokens (384, rows, columns)."""
    image = _convolve(f"{_HEAD}.projects.{number}", image, weights)
    name = f"{_HEAD}.resize_layers.{number}"
    if number in _GROWTH:
        image = _enlarge(name, image, _GROWTH[number], weights)
    elif number == 3:
        image = np.ascontiguousarray(_convolve(name, image, weights)[:, ::2, ::2])
    return _convolve(f"{_SCRATCH}.layer{number + 1}_rn", image, weights)


def fuse(
    number: int, path: Singles | None, level: Singles, size: tuple[int, int], weights: Weights
) -> Singles:
    """Return the image of level `number` at `size` (height, width), fused with the coarser `path`.

    At the coarsest level, `path` is None.
    """
    name = f"{_SCRATCH}.refinenet{number}"
    if path is not None:
        level = path + _residual(f"{name}.resConfUnit1", level, weights)
    level = _residual(f"{name}.resConfUnit2", level, weights)
    # Convolving before resizing gives the same result, since this convolution mixes no pixels.
    return resize(_convolve(f"{name}.out_conv", level, weights), *size, aligned=True)


def _residual(name: str, image: Singles, weights: Weights) -> Singles:
    inner = relu(_convolve(f"{name}.conv1", relu(image.copy()), weights))
    inner = _convolve(f"{name}.conv2", inner, weights)
    inner += image
    return inner


def _enlarge(name: str, image: Singles, factor: int, weights: Weights) -> Singles:
    """Return the image enlarged by a transposed convolution.

    Each pixel becomes a square with sides of `factor` pixels.
    """
    channels, height, width = image.shape
    weight = weights[f"{name}.weight"].astype(np.float32)  # (in, out, factor, factor)
    squares = multiply(weight.reshape(channels, -1).T, image.reshape(channels, -1))
    split = squares.reshape(-1, factor, factor, height, width).transpose(0, 3, 1, 4, 2)
    large = np.ascontiguousarray(split).reshape(-1, height * factor, width * factor)
    large += weights[f"{name}.bias"].astype(np.float32)[:, None, None]
    return large


def _convolve(name: str, image: Singles, weights: Weights) -> Singles:
    weight = weights[f"{name}.weight"]
    bias = weights.get(f"{name}.bias", np.zeros(len(weight), np.float32))
    return convolve(image, weight, bias)
