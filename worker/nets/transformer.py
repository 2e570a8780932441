# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of vision transformers, on the tokens (n, channels) of single images."""

from __future__ import annotations

import numpy as np

from .layers import Singles, multiply
from .weights import Numbers

# Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26: exact to 1.5e-7.
_ERF_SCALE = 0.3275911
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


def linear(tokens: Singles, weight: Numbers, bias: Numbers) -> Singles:
    """Return tokens (n, in) times a weight (out, in), plus a bias (out,)."""
    out = multiply(tokens, np.asarray(weight, np.float32).T)
    out += bias
    return out


def normalize(tokens: Singles, weight: Numbers, bias: Numbers, epsilon: float = 1e-6) -> Singles:
    """Return each token with mean 0 and standard deviation 1, then scaled and shifted per channel.

    The scale is `weight` (channels,), and the shift is `bias` (channels,).
    """
    centered = tokens - tokens.mean(axis=1, keepdims=True)
    variance = np.einsum("nc,nc->n", centered, centered) / np.float32(tokens.shape[1])
    centered /= np.sqrt(variance + np.float32(epsilon))[:, None]
    centered *= weight
    centered += bias
    return centered


def gelu(values: Singles) -> Singles:
    """Apply the GELU function to the values in place, and return the array.

    It multiplies each value by the share of a standard normal distribution that is below the value.
    """
    size = np.abs(values)
    size *= np.float32(np.sqrt(0.5))
    step = 1.0 / (1.0 + np.float32(_ERF_SCALE) * size)
    tail = np.full_like(step, _ERF[-1])
    for factor in _ERF[-2::-1]:
        tail *= step
        tail += np.float32(factor)
    tail *= step
    np.square(size, out=size)
    np.negative(size, out=size)
    # Half of the distribution beyond the value, on the value's side.
    tail *= np.exp(size, out=size)
    tail *= np.float32(0.5)
    values *= np.where(values < 0.0, tail, 1.0 - tail)
    return values


def attend(queries_keys_values: Singles, heads: int) -> Singles:
    """Return each token's mean of all values, weighted by how well their keys match its query.

    The argument (n, 3 × channels) holds queries, keys, and values of all heads side by side; the
    result is (n, channels).
    """
    count, channels = len(queries_keys_values), queries_keys_values.shape[1] // 3
    size = channels // heads
    split = queries_keys_values.reshape(count, 3, heads, size)
    out = np.empty((count, heads, size), np.float32)
    for head in range(heads):
        query, key, value = (np.ascontiguousarray(split[:, role, head]) for role in range(3))
        query *= np.float32(size**-0.5)
        out[:, head] = multiply(_softmax(multiply(query, key.T)), value)
    return out.reshape(count, channels)


def _softmax(scores: Singles) -> Singles:
    """Replace each row of scores with weights that sum to 1, and return the array."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def resize_cubic(grid: Numbers, rows: int, columns: int, offset: float) -> Singles:
    """Return a grid (h, w, channels) at another size, by cubic convolution (A = -0.75).

    Samples are spaced as if the result were larger by `offset`, as PyTorch does when it is given a
    scale factor instead of a size.
    """
    down = _cubic_weights(grid.shape[0], rows, offset)
    along = _cubic_weights(grid.shape[1], columns, offset)
    narrow = np.tensordot(down, np.asarray(grid, np.float32), (1, 0))
    wide = np.tensordot(narrow, along, (1, 1))
    return np.ascontiguousarray(wide.transpose(0, 2, 1), np.float32)


def _cubic_weights(old: int, new: int, offset: float) -> Singles:
    """Return the weight (new, old) that each old value has in each new one."""
    at = (np.arange(new) + 0.5) * (old / (new + offset)) - 0.5
    first = np.floor(at).astype(np.int64)
    weights = np.zeros((new, old), np.float32)
    for tap in range(-1, 3):
        near = np.clip(first + tap, 0, old - 1)
        np.add.at(weights, (np.arange(new), near), _cubic(np.abs(at - first - tap)))
    return weights


def _cubic(distance: Numbers) -> Numbers:
    """Return the weights of values at these distances, from 0 to 2, by cubic convolution.

    The kernel is from Keys, "Cubic Convolution Interpolation", 1981, with A = -0.75.
    """
    a = -0.75
    near = ((a + 2.0) * distance - (a + 3.0)) * distance**2 + 1.0
    far = a * (((distance - 5.0) * distance + 8.0) * distance - 4.0)
    return np.where(distance <= 1.0, near, far)
