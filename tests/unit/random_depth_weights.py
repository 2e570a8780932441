# SPDX-License-Identifier: GPL-3.0-or-later
"""Random weights for Depth Anything V2 Small, in the authors' layout, and what its layers answer.

The bits come from PCG64, whose stream NumPy promises to keep, so that the answers of the authors'
code in `tests/data/nets/depth-anything-torch.npz` belong to the same weights everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from unit.worker_package import load

depth_anything = load("nets.depth_anything")
SEED = 20261129
SIZE = (70, 98)
"""Height and width of the image that the kept answers belong to."""
SAMPLES = 2000
"""Values that are kept of a layer, at most."""

Shapes = dict[str, tuple[int, ...]]


def authors_shapes() -> Shapes:
    """Return the shape of each tensor in `depth_anything_v2_vits`."""
    return {**_encoder_shapes(), **_head_shapes()}


def _encoder_shapes() -> Shapes:
    root = "pretrained"
    shapes: Shapes = {
        f"{root}.cls_token": (1, 1, 384),
        f"{root}.pos_embed": (1, 1370, 384),
        f"{root}.mask_token": (1, 384),
        **_layer(f"{root}.patch_embed.proj", 384, 3, 14, 14),
        **_layer(f"{root}.norm", 384),
    }
    for number in range(12):
        block = f"{root}.blocks.{number}"
        shapes |= {**_layer(f"{block}.norm1", 384), **_layer(f"{block}.norm2", 384)}
        shapes |= {f"{block}.ls1.gamma": (384,), f"{block}.ls2.gamma": (384,)}
        shapes |= {
            **_layer(f"{block}.attn.qkv", 1152, 384),
            **_layer(f"{block}.attn.proj", 384, 384),
        }
        shapes |= {**_layer(f"{block}.mlp.fc1", 1536, 384), **_layer(f"{block}.mlp.fc2", 384, 1536)}
    return shapes


def _head_shapes() -> Shapes:
    root, shapes = "depth_head", Shapes()
    channels = (48, 96, 192, 384)
    for level, count in enumerate(channels):
        shapes |= _layer(f"{root}.projects.{level}", count, 384, 1, 1)
        shapes[f"{root}.scratch.layer{level + 1}_rn.weight"] = (64, count, 3, 3)
    for level, side in ((0, 4), (1, 2), (3, 3)):
        count = channels[level]
        shapes |= _layer(f"{root}.resize_layers.{level}", count, count, side, side)
    for level in range(1, 5):
        unit = f"{root}.scratch.refinenet{level}"
        shapes |= _layer(f"{unit}.out_conv", 64, 64, 1, 1)
        for part in ("resConfUnit1.conv1", "resConfUnit1.conv2", "resConfUnit2.conv1",
                     "resConfUnit2.conv2"):  # fmt: skip
            shapes |= _layer(f"{unit}.{part}", 64, 64, 3, 3)
    shapes |= _layer(f"{root}.scratch.output_conv1", 32, 64, 3, 3)
    shapes |= _layer(f"{root}.scratch.output_conv2.0", 32, 32, 3, 3)
    shapes |= _layer(f"{root}.scratch.output_conv2.2", 1, 32, 1, 1)
    return shapes


def _layer(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def random_weights() -> dict[str, Any]:
    """Return tensors whose sizes keep every layer's values near 1, so that none saturates."""
    bits = np.random.PCG64(SEED)
    weights = {}
    for name, shape in authors_shapes().items():
        # Uniform, with mean 0 and deviation 1.
        values = bits.random_raw(math.prod(shape)).astype(np.float64) / 2.0**64 - 0.5
        values = values.reshape(shape) * math.sqrt(12.0)
        weights[name] = (_center(name, shape) + _spread(name, shape) * values).astype(np.float32)
    return weights


def _center(name: str, shape: tuple[int, ...]) -> float:
    if name.endswith("conv2.2.bias"):
        return 3.0  # the last layer cuts negative values off
    if name.endswith("gamma"):
        return 0.4
    return 1.0 if "norm" in name and name.endswith("weight") else 0.0


def _spread(name: str, shape: tuple[int, ...]) -> float:
    if name.endswith("weight") and len(shape) > 1:
        inputs = shape[0] if "resize_layers.0" in name or "resize_layers.1" in name else 0
        return math.sqrt((2.0 if "depth_head" in name else 1.0) / (inputs or math.prod(shape[1:])))
    return 0.5 if "pos_embed" in name or "token" in name else 0.1


def random_image(height: int, width: int) -> Any:
    """Return a smooth image (h, w, 3) with values from 0 to 1."""
    y, x = np.mgrid[0:height, 0:width] / 14.0
    waves = [np.sin(x * (0.7 + k) + k) * np.cos(y * (1.1 - 0.3 * k)) for k in range(3)]
    return (0.5 + 0.5 * np.stack(waves, axis=2)).astype(np.float32)


@contextmanager
def recorded_layers() -> Iterator[dict[str, Any]]:
    """Record what the layers of the network return, under the names of the authors' modules."""
    found: dict[str, Any] = {}
    dinov2, dpt = load("nets.dinov2"), load("nets.dpt")
    names = {
        (dinov2, "embed_patches"): lambda arguments: "tokens",
        (dinov2, "run_block"): lambda arguments: arguments[1],
        (dpt, "refine_level"): lambda arguments: f"depth_head.scratch.layer{arguments[0] + 1}_rn",
        (dpt, "fuse"): lambda arguments: f"depth_head.scratch.refinenet{arguments[0]}",
    }
    originals = {place: getattr(*place) for place in names}
    for (module, function), name_of in names.items():
        setattr(module, function, _recorder(originals[module, function], name_of, found))
    try:
        yield found
    finally:
        for (module, function), original in originals.items():
            setattr(module, function, original)


def _recorder(function: Any, name_of: Any, found: dict[str, Any]) -> Any:
    def record(*arguments: Any) -> Any:
        result = function(*arguments)
        found[name_of(arguments)] = result.copy()
        return result

    return record


def run_network(height: int, width: int, weights: Any) -> dict[str, Any]:
    """Return what each layer answers for the random image, and the result as `depth`."""
    with recorded_layers() as found:
        depth = depth_anything.estimate_nearness(random_image(height, width), weights)
    return {**found, "depth": depth}


def sample(values: Any) -> Any:
    """Return some of a layer's values, spread over all of it."""
    flat = np.asarray(values, np.float32).reshape(-1)
    return flat[:: max(1, math.ceil(len(flat) / SAMPLES))]


def difference(found: Any, expected: Any) -> float:
    """Return the largest difference, in standard deviations of what is expected."""
    return float(np.abs(found - expected).max() / max(float(np.std(expected)), 1e-9))
