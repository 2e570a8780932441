# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers that the networks are made of, on single images (channels, height, width)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .weights import Numbers

Singles: TypeAlias = NDArray[np.float32]

_STRIP_BYTES = 24_000_000
"""Maximum bytes of a convolution's unfolded pixels: larger images are processed in strips."""


_BLOCK = 1024
"""Columns that `einsum` multiplies at a time, so that they stay in the processor's cache."""
_MUCH_SLOWER = 1.4
"""How many times longer NumPy's own product must take for `einsum` to be used instead."""


def convolve(image: Singles, weight: Numbers, bias: Numbers, dilation: int = 1) -> Singles:
    """Return a convolution (out, h, w) of an image (in, h, w), padded with zeros to the same size.

    `weight` is (out, in, k, k) with an odd k; `dilation` is the distance between its taps.
    """
    channels, height, width = image.shape
    side = weight.shape[2]
    pad = dilation * (side // 2)
    padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
    # Tap by tap, as the pixels are unfolded below.
    kernel = np.ascontiguousarray(weight.transpose(0, 2, 3, 1), np.float32).reshape(len(weight), -1)
    out = np.empty((len(weight), height, width), np.float32)
    rows = max(1, _STRIP_BYTES // (4 * kernel.shape[1] * width))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        unfolded = np.empty((side * side, channels, count, width), np.float32)
        for tap in range(side * side):
            y, x = top + tap // side * dilation, tap % side * dilation
            unfolded[tap] = padded[:, y : y + count, x : x + width]
        flat = unfolded.reshape(kernel.shape[1], count * width)
        out[:, top : top + count] = multiply(kernel, flat).reshape(-1, count, width)
    out += bias.astype(np.float32)[:, None, None]
    return out


def multiply(left: Singles, right: Singles) -> Singles:
    """Return the product of two matrices, by whichever method is faster with this NumPy."""
    return _multiply_by_einsum(left, right) if is_matmul_slow() else left @ right


@cache
def is_matmul_slow() -> bool:
    """Return whether `einsum` multiplies matrices much faster than NumPy's own product.

    That is so with Debian's NumPy, which uses the reference BLAS without SIMD.
    """
    left, right = np.ones((32, 288), np.float32), np.ones((288, 2 * _BLOCK), np.float32)
    product = _shortest(lambda: left @ right)
    return product > _MUCH_SLOWER * _shortest(lambda: _multiply_by_einsum(left, right))


def _shortest(work: Callable[[], object]) -> float:
    """Return the time in seconds of the fastest of several runs, which was disturbed least."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def _multiply_by_einsum(left: Singles, right: Singles) -> Singles:
    out = np.empty((len(left), right.shape[1]), np.float32)
    for start in range(0, right.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        np.einsum("ok,kn->on", left, right[:, block], out=out[:, block])
    return out


def relu(image: Singles) -> Singles:
    """Set an image's negative values to zero in place, and return the image."""
    return np.maximum(image, 0.0, out=image)


def sigmoid(image: Singles) -> Singles:
    """Return the logistic function of each value."""
    return np.asarray(1.0 / (1.0 + np.exp(-image)), np.float32)


def halve(image: Singles) -> Singles:
    """Return the maximum of each block of 2 × 2 pixels; odd sides are rounded up."""
    _, height, width = image.shape
    if height % 2 or width % 2:
        image = np.pad(image, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    rows = np.maximum(image[:, ::2], image[:, 1::2])
    return np.maximum(rows[:, :, ::2], rows[:, :, 1::2])


def resize(image: Singles, height: int, width: int, *, aligned: bool = False) -> Singles:
    """Resize an image (channels, h, w) by linear interpolation between pixel centers.

    `aligned`: the centers of the corner pixels stay in place; otherwise, the image's edges do.
    """
    rows = _resize_axis(image, height, 1, aligned)
    return _resize_axis(rows, width, 2, aligned)


def _resize_axis(image: Singles, size: int, axis: int, aligned: bool) -> Singles:
    old = image.shape[axis]
    if size == old:
        return image
    if aligned:
        at = np.linspace(0.0, old - 1.0, size)
    else:
        at = np.clip((np.arange(size) + 0.5) * (old / size) - 0.5, 0.0, old - 1.0)
    low = np.minimum(at.astype(np.int64), max(0, old - 2))
    share = (at - low).astype(np.float32)
    shape = [-1 if k == axis else 1 for k in range(3)]
    first = image.take(low, axis=axis)
    step = image.take(np.minimum(low + 1, old - 1), axis=axis) - first
    step *= share.reshape(shape)
    return np.asarray(first + step, np.float32)
