# SPDX-License-Identifier: GPL-3.0-or-later
"""DINOv2's smallest vision transformer (ViT-S/14), the encoder of Depth Anything V2.

Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", 2023;
github.com/facebookresearch/dinov2, Apache-2.0. Layers are named as in the authors' code.
"""

from __future__ import annotations

import numpy as np

from .layers import Singles
from .transformer import attend, gelu, linear, normalize, resize_cubic
from .weights import Numbers, Weights

PATCH = 14
"""Side of the squares that an image is cut into, in pixels."""
_HEADS = 6
_BLOCKS = 12
_TAKEN = (2, 5, 8, 11)
"""The blocks whose tokens the decoder gets."""
_OFFSET = 0.1
"""Added to the grid's size when the position embedding is resized, as in the authors' code."""


def encode(image: Singles, weights: Weights) -> list[Singles]:
    """Return the tokens (patches, 384) after each of the blocks in _TAKEN, without the class token.

    The sides of the image (3, h, w) must be multiples of PATCH.
    """
    tokens = embed_patches(image, weights)
    taken = []
    for number in range(_BLOCKS):
        tokens = run_block(tokens, f"pretrained.blocks.{number}", weights)
        if number in _TAKEN:
            norm = normalize(tokens, *_weight_and_bias("pretrained.norm", weights))
            taken.append(norm[1:])  # without the class token
    return taken


def embed_patches(image: Singles, weights: Weights) -> Singles:
    """Return the input (1 + patches, 384) of the first block: class token, then patches by row."""
    channels, height, width = image.shape
    rows, columns = height // PATCH, width // PATCH
    cut = image.reshape(channels, rows, PATCH, columns, PATCH).transpose(1, 3, 0, 2, 4)
    weight, bias = _weight_and_bias("pretrained.patch_embed.proj", weights)
    flat = np.ascontiguousarray(cut).reshape(rows * columns, -1)
    patches = linear(flat, weight.reshape(len(weight), -1), bias)
    tokens = np.concatenate([weights["pretrained.cls_token"][0].astype(np.float32), patches])
    tokens += _position(weights["pretrained.pos_embed"][0], rows, columns)
    return tokens


def _position(embedding: Numbers, rows: int, columns: int) -> Singles:
    """Return the embedding of each token's position (1 + rows·columns, channels).

    `embedding` holds that of the class token, then those of a square grid, which is resized if
    necessary.
    """
    side = round((len(embedding) - 1) ** 0.5)
    if (rows, columns) == (side, side):
        return embedding.astype(np.float32)
    grid = resize_cubic(embedding[1:].reshape(side, side, -1), rows, columns, _OFFSET)
    first = embedding[:1].astype(np.float32)
    return np.concatenate([first, grid.reshape(rows * columns, -1)])


def run_block(tokens: Singles, name: str, weights: Weights) -> Singles:
    """Return the tokens after a block: attention among all tokens, then a small network on each."""
    norm = normalize(tokens, *_weight_and_bias(f"{name}.norm1", weights))
    mixed = attend(linear(norm, *_weight_and_bias(f"{name}.attn.qkv", weights)), _HEADS)
    change = linear(mixed, *_weight_and_bias(f"{name}.attn.proj", weights))
    tokens = tokens + change * weights[f"{name}.ls1.gamma"].astype(np.float32)
    norm = normalize(tokens, *_weight_and_bias(f"{name}.norm2", weights))
    wide = gelu(linear(norm, *_weight_and_bias(f"{name}.mlp.fc1", weights)))
    change = linear(wide, *_weight_and_bias(f"{name}.mlp.fc2", weights))
    return tokens + change * weights[f"{name}.ls2.gamma"].astype(np.float32)


def _weight_and_bias(name: str, weights: Weights) -> tuple[Numbers, Numbers]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]
