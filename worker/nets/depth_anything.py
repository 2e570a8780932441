# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth Anything V2 Small, a network that estimates how near each pixel of an image is.

Yang et al., "Depth Anything V2", 2024; github.com/DepthAnything/Depth-Anything-V2, Apache-2.0 for
the code and for the weights of this size. The file of the weights may be the authors' own, or one
in the layout of Hugging Face's transformers, which uses other names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from .dinov2 import PATCH, encode
from .dpt import decode
from .layers import Singles
from .weights import DamagedWeights, Numbers, Weights, open_weights

_SIDE = 37
"""Patches along each side of the square images that the network was trained on."""
_NARROWEST = 8
"""Minimum number of patches along the shorter side: longer images are squeezed."""
# Of the colors of ImageNet, as in the authors' dpt.py.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def input_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width that an image must be resized to.

    Both are multiples of the patches' side. For any proportions, the area is about the same as that
    of the images that the network was trained on: time and memory grow with the square of the area.
    """
    rows = _SIDE * (height / width) ** 0.5
    rows = float(np.clip(rows, _NARROWEST, _SIDE**2 / _NARROWEST))
    return max(1, round(rows)) * PATCH, max(1, round(_SIDE**2 / rows)) * PATCH


def estimate_nearness(rgb: Numbers, weights: Weights) -> Singles:
    """Return how near each pixel is: the inverse of its depth, with unknown scale and offset.

    `rgb` (h, w, 3) is sRGB from 0 to 1, at a size that `input_size` returns. The result (h, w) has
    the same size. The call takes seconds and up to 400 MB of memory.
    """
    image = (np.asarray(rgb, np.float32) - _MEAN) / _DEVIATION
    image = np.ascontiguousarray(image.transpose(2, 0, 1))
    _, height, width = image.shape
    return decode(encode(image, weights), height // PATCH, width // PATCH, weights)


def open_depth_weights(path: Path) -> Weights:
    """Return the tensors of a file, looked up by their names in the code of the network's authors.

    Raise DamagedWeights if the file has another layout, or OSError if it cannot be read.
    """
    found = open_weights(path)
    weights = found if "pretrained.pos_embed" in found else AuthorsNames(found)
    for name, shape in _LANDMARKS.items():
        if name not in weights or weights[name].shape != shape:
            raise DamagedWeights(f"{path.name}: {name} is missing or has the wrong shape")
    return weights


_LANDMARKS = {
    "pretrained.pos_embed": (1, 1 + _SIDE**2, 384),
    "pretrained.blocks.11.attn.qkv.weight": (1152, 384),
    "depth_head.projects.0.weight": (48, 384, 1, 1),
    "depth_head.scratch.output_conv2.2.weight": (1, 32, 1, 1),
}
"""Tensors whose shapes distinguish this network from larger ones and from others."""

_ENCODER = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
}
_BLOCK = {
    "attn.proj": "attention.output.dense",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
}
_HEAD = {
    "output_conv1": "head.conv1",
    "output_conv2.0": "head.conv2",
    "output_conv2.2": "head.conv3",
}
_UNITS = {
    "out_conv": "projection",
    "resConfUnit1.conv1": "residual_layer1.convolution1",
    "resConfUnit1.conv2": "residual_layer1.convolution2",
    "resConfUnit2.conv1": "residual_layer2.convolution1",
    "resConfUnit2.conv2": "residual_layer2.convolution2",
}


class AuthorsNames(Mapping[str, Numbers]):
    """The tensors of a file in the layout of Hugging Face's `transformers` library.

    They are looked up by their names in the code of the network's authors. Iteration yields the
    file's own names, which cannot be looked up.
    """

    def __init__(self, tensors: Weights) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> Numbers:
        """Return a tensor by its name in the authors' code; raise KeyError if it is missing."""
        stem, _, kind = name.rpartition(".")
        if stem.endswith(".attn.qkv"):
            block = transformers_name(stem.removesuffix(".attn.qkv"))
            roles = ("query", "key", "value")
            names = [f"{block}.attention.attention.{role}.{kind}" for role in roles]
            return np.concatenate([self._tensors[tensor] for tensor in names])
        return self._tensors[transformers_name(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


def transformers_name(name: str) -> str:
    """Convert a tensor's name in the authors' code to its name in the layout of `transformers`."""
    room, _, rest = name.partition(".")
    if room == "pretrained":
        return f"backbone.{_encoder_name(rest)}"
    rest = rest.removeprefix("scratch.")
    level = rest.split(".")[1] if "." in rest else ""
    if rest.startswith("projects."):
        return rest.replace(f"projects.{level}", f"neck.reassemble_stage.layers.{level}.projection")
    if rest.startswith("resize_layers."):
        return rest.replace(
            f"resize_layers.{level}", f"neck.reassemble_stage.layers.{level}.resize"
        )
    if rest.startswith("layer"):
        return f"neck.convs.{int(rest[5]) - 1}.{rest.rpartition('.')[2]}"
    if rest.startswith("refinenet"):
        # The coarsest level is the first one there.
        unit = _replace_start(rest.partition(".")[2], _UNITS)
        return f"neck.fusion_stage.layers.{4 - int(rest[9])}.{unit}"
    return _replace_start(rest, _HEAD)


def _encoder_name(rest: str) -> str:
    if not rest.startswith("blocks."):
        return _replace_start(rest, _ENCODER)
    _, number, *inner = rest.split(".")
    stem = f"encoder.layer.{number}"
    return f"{stem}.{_replace_start('.'.join(inner), _BLOCK)}" if inner else stem


def _replace_start(name: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        if name == old or name.startswith(f"{old}."):
            return new + name[len(old) :]
    return name
