# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth Anything V2 in numpy: its layers, its two layouts, and what the authors' code answers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import places
import pytest
from unit.random_depth_weights import (
    SIZE,
    authors_shapes,
    depth_anything,
    difference,
    random_weights,
    run_network,
    sample,
)
from unit.worker_package import load

layers = load("nets.layers")
transformer = load("nets.transformer")
weights_file = load("nets.weights")
GOLDENS = places.ROOT / "tests" / "data" / "nets" / "depth-anything-torch.npz"
PUBLISHED_BYTES = 99_173_660
"""Size of `model.safetensors` of depth-anything/Depth-Anything-V2-Small-hf."""


def transformers_tensors(weights: dict[str, Any]) -> dict[str, Any]:
    """Return tensors in the layout of transformers, as of the published file."""
    tensors = {}
    for name, tensor in weights.items():
        stem, _, kind = name.rpartition(".")
        block, is_split = stem.removesuffix(".attn.qkv"), stem.endswith(".attn.qkv")
        if is_split:
            inner = f"{depth_anything.transformers_name(block)}.attention.attention"
            for part, values in zip(("query", "key", "value"), np.split(tensor, 3), strict=True):
                tensors[f"{inner}.{part}.{kind}"] = values
        else:
            tensors[depth_anything.transformers_name(name)] = tensor
    return tensors


def safetensors_header(shapes: dict[str, tuple[int, ...]]) -> bytes:
    """Return the header that the library of that name writes for tensors of 32 bits, by name."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in sorted(shapes.items()):
        end = at + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    """Random weights in the authors' layout."""
    return random_weights()


def test_every_layer_answers_as_the_authors_code(weights: dict[str, Any]) -> None:
    """`make compare-nets` compares all values of larger images, too."""
    found = run_network(*SIZE, weights)
    with np.load(GOLDENS) as kept:
        assert found.keys() == set(kept)
        apart = {name: difference(sample(found[name]), kept[name]) for name in kept}
    assert max(apart.values()) < 1e-3, apart
    assert GOLDENS.stat().st_size < 2_000_000


def test_a_wrong_weight_is_noticed(weights: dict[str, Any]) -> None:
    changed = {**weights}
    name = "pretrained.blocks.3.ls2.gamma"
    changed[name] = weights[name] * np.float32(1.02)
    found = run_network(*SIZE, changed)
    with np.load(GOLDENS) as kept:
        good = {part for part in kept if difference(sample(found[part]), kept[part]) < 1e-3}
    before = {f"pretrained.blocks.{number}" for number in range(3)}
    # The first level of the decoder leaves the encoder before that block.
    assert good == {"tokens", *before, "depth_head.scratch.layer1_rn"}


def test_the_layout_has_the_size_of_the_published_file(weights: dict[str, Any]) -> None:
    shapes = {name: tensor.shape for name, tensor in transformers_tensors(weights).items()}
    total = 4 * sum(math.prod(shape) for shape in shapes.values())
    assert len(safetensors_header(shapes)) + total == PUBLISHED_BYTES
    assert sum(math.prod(shape) for shape in authors_shapes().values()) == 24_785_089


def write_tensors(path: Path, tensors: dict[str, Any]) -> Path:
    """Write a safetensors file of 32 bits."""
    head = safetensors_header({name: tensor.shape for name, tensor in tensors.items()})
    body = b"".join(tensors[name].astype("<f4").tobytes() for name in sorted(tensors))
    path.write_bytes(head + body)
    return path


@pytest.mark.once
def test_both_layouts_are_read(tmp_path: Path, weights: dict[str, Any]) -> None:
    for change in (transformers_tensors, dict):
        path = write_tensors(tmp_path / "model.safetensors", change(weights))
        found = depth_anything.open_depth_weights(path)
        for name in weights:
            assert np.array_equal(found[name], weights[name]), name


@pytest.mark.parametrize("broken", ["depth_head.projects.0.weight", "pretrained.pos_embed"])
def test_another_network_is_refused(tmp_path: Path, broken: str) -> None:
    tensors = {
        "pretrained.pos_embed": np.zeros((1, 1370, 384)),
        "pretrained.blocks.11.attn.qkv.weight": np.zeros((1152, 384)),
        "depth_head.projects.0.weight": np.zeros((48, 384, 1, 1)),
        "depth_head.scratch.output_conv2.2.weight": np.zeros((1, 32, 1, 1)),
    }
    depth_anything.open_depth_weights(write_tensors(tmp_path / "good", tensors))
    other = {**tensors, broken: np.zeros((2, *tensors[broken].shape[1:]))}
    with pytest.raises(weights_file.DamagedWeights):
        depth_anything.open_depth_weights(write_tensors(tmp_path / "other", other))
    del other[broken]
    with pytest.raises(weights_file.DamagedWeights):
        depth_anything.open_depth_weights(write_tensors(tmp_path / "missing", other))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((700, 700), (518, 518)),
        ((1080, 1920), (392, 686)),
        ((1920, 1080), (686, 392)),
        ((10, 4000), (112, 2394)),
        ((4000, 10), (2394, 112)),
    ],
)
def test_the_network_sees_about_the_same_area(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert depth_anything.input_size(*size) == expected


def test_gelu_is_that_of_the_definition() -> None:
    values = np.linspace(-8.0, 8.0, 4001).astype(np.float32)
    exact = [x * 0.5 * (1.0 + math.erf(x / math.sqrt(2.0))) for x in values.astype(float)]
    assert np.abs(transformer.gelu(values.copy()) - exact).max() < 2e-6


def test_attention_is_the_mean_of_values_weighted_by_matching_keys() -> None:
    random = np.random.default_rng(3)
    mixed = random.normal(size=(5, 3, 2, 4))
    found = transformer.attend(mixed.reshape(5, -1).astype(np.float32), 2)
    for head in range(2):
        query, key, value = mixed[:, 0, head], mixed[:, 1, head], mixed[:, 2, head]
        weight = np.exp(query @ key.T / 2.0)
        expected = weight @ value / weight.sum(axis=1, keepdims=True)
        assert np.allclose(found[:, 4 * head : 4 * head + 4], expected, atol=1e-5)


def test_cubic_resizing_keeps_values_at_the_same_size() -> None:
    grid = np.random.default_rng(4).normal(size=(6, 7, 3)).astype(np.float32)
    assert np.allclose(transformer.resize_cubic(grid, 6, 7, 0.0), grid, atol=1e-6)


def test_aligned_resizing_keeps_the_corners() -> None:
    image = np.array([[[0.0, 3.0]]], np.float32)
    assert layers.resize(image, 1, 4, aligned=True).ravel().tolist() == [0.0, 1.0, 2.0, 3.0]
