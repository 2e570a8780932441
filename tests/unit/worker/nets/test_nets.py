# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks in numpy: their layers, their weights' file, and what onnxruntime answers."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import places
import pytest
from PIL import Image
from unit.worker_package import load

layers = load("nets.layers")
salient = load("local.subject.salient")
u2netp = load("nets.u2netp")
weights = load("nets.weights")
FILE = places.ROOT / "worker" / "nets" / "u2netp.safetensors"
SHA256 = "b6dd248ee556c8faed90ec243ad55fc7cfd37964c03a00b03d7243ba0d5679d0"
DATA = places.ROOT / "tests" / "data"


def naive_convolution(image: Any, weight: Any, bias: Any, dilation: int) -> Any:
    """Return a convolution, pixel by pixel."""
    side, (_, height, width) = weight.shape[2], image.shape
    pad = dilation * (side // 2)
    padded = np.pad(image.astype(np.float64), ((0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((len(weight), height, width))
    for y in range(height):
        for x in range(width):
            window = padded[:, y : y + 2 * pad + 1 : dilation, x : x + 2 * pad + 1 : dilation]
            out[:, y, x] = np.tensordot(weight, window, 3) + bias
    return out


@pytest.mark.parametrize("dilation", [1, 2, 4])
@pytest.mark.parametrize("strip", [1, 2000, 10**9])
def test_a_convolution_is_that_of_the_definition(
    dilation: int, strip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "_STRIP_BYTES", strip)
    random = np.random.default_rng(1)
    image = random.normal(size=(3, 9, 11)).astype(np.float32)
    weight, bias = random.normal(size=(4, 3, 3, 3)), random.normal(size=4)
    found = layers.convolve(image, weight.astype(np.float32), bias.astype(np.float32), dilation)
    assert np.allclose(found, naive_convolution(image, weight, bias, dilation), atol=1e-5)


@pytest.mark.parametrize("is_slow", [True, False])
def test_a_product_is_the_same_where_matmul_is_slow(
    is_slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "is_matmul_slow", lambda: is_slow)
    random = np.random.default_rng(2)
    left = random.normal(size=(5, 27)).astype(np.float32)
    right = random.normal(size=(27, 2500)).astype(np.float32)
    found = layers.multiply(left, right)
    assert found.dtype == np.float32
    assert np.allclose(found, left.astype(np.float64) @ right, atol=1e-4)


@pytest.mark.parametrize(("taken", "is_slow"), [((5.0, 1.0), True), ((1.0, 5.0), False)])
def test_the_faster_product_is_chosen(
    taken: tuple[float, float], is_slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter(taken)
    monkeypatch.setattr(layers, "_shortest", lambda _: next(left))
    assert layers.is_matmul_slow.__wrapped__() is is_slow


def test_the_network_is_asked_once_about_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(rgb: Any, _: Any) -> Any:
        asked.append(rgb)
        return np.zeros((8, 8), np.float32)

    monkeypatch.setattr(salient, "find_salient", answer)
    monkeypatch.setattr(salient, "_answers", {})
    images = [np.full((4, 4, 3), value, np.float32) for value in range(6)]
    for image in (*images, images[-1], images[0]):
        assert salient.find_subject(image) is None
    assert len(asked) == 7  # the first image was forgotten
    assert len(salient._answers) == 4


def test_halving_keeps_the_largest_of_four_and_odd_edges() -> None:
    image = np.arange(15, dtype=np.float32).reshape(1, 3, 5)
    assert layers.halve(image).tolist() == [[[6, 8, 9], [11, 13, 14]]]


def test_resizing_is_linear_between_pixel_centers() -> None:
    image = np.array([[[0.0, 4.0]]], np.float32)
    assert layers.resize(image, 1, 4).ravel().tolist() == [0.0, 1.0, 3.0, 4.0]
    assert layers.resize(image, 1, 1).ravel().tolist() == [2.0]
    assert layers.resize(image, 2, 2).tolist() == [[[0.0, 4.0], [0.0, 4.0]]]


def test_the_weights_are_the_converted_ones() -> None:
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256
    assert FILE.stat().st_size < 2_500_000
    tensors = weights.open_weights(FILE)
    assert len(tensors) == 3 * 119
    assert isinstance(tensors["outconv.weight"].base, np.ndarray), "a view of the file"


def write_weights(path: Path, header: dict[str, Any], body: bytes = b"\0" * 8) -> Path:
    """Write a file of weights with this header."""
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


GOOD = {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]}


def test_a_tensor_is_read(tmp_path: Path) -> None:
    body = np.arange(4, dtype="<f2").tobytes()
    path = write_weights(tmp_path / "a", {"__metadata__": {"format": "np"}, "x": GOOD}, body)
    assert weights.open_weights(path)["x"].tolist() == [[0.0, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize(
    "entry",
    [
        {**GOOD, "data_offsets": [0, 16]},
        {**GOOD, "data_offsets": [8, 0]},
        {**GOOD, "data_offsets": [-8, 0]},
        {**GOOD, "shape": [2, 3]},
        {**GOOD, "shape": [-2, -2]},
        {**GOOD, "dtype": "U8"},
        {"dtype": "F16"},
        None,
    ],
)
def test_a_damaged_entry_is_refused(tmp_path: Path, entry: Any) -> None:
    with pytest.raises(weights.DamagedWeights):
        weights.open_weights(write_weights(tmp_path / "a", {"x": entry}))


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 9, b"\xff" * 64, b"\x02" + b"\0" * 7 + b"[]", FILE.read_bytes()[:-100]]
)
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(weights.DamagedWeights):
        weights.open_weights(path)


ANSWERS = DATA / "nets" / "u2netp-onnxruntime.npz"
NAMES = tuple(name.removesuffix(".npy") for name in zipfile.ZipFile(ANSWERS).namelist())


def test_ten_answers_of_all_kinds_are_kept() -> None:
    assert len(NAMES) == 10
    assert {name.partition("_")[0] for name in NAMES} == {"busy", "drawing", "plain", "white"}


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_it_answers_as_onnxruntime_does(name: str) -> None:
    """The file holds onnxruntime's answers with the original weights, at every second pixel.

    Ours are integers of 16 bits. `make compare-subject` compares all pixels, and with the same
    weights on both sides.
    """
    with Image.open(DATA / "subjects" / f"{name}.jpg") as image:
        rgb = np.asarray(image.convert("RGB"), np.float32) / 255.0
    found = u2netp.find_salient(rgb, weights.open_weights(FILE))[::2, ::2]
    original = np.load(ANSWERS)[name].astype(np.float32) / 65535.0
    difference = np.abs(found - original)
    print(f"\n{name}: differs by {difference.mean():.5f}, at most {difference.max():.4f}")
    assert difference.mean() < 1e-3
    assert difference.max() < 0.1
    both, either = (found > 0.5) & (original > 0.5), (found > 0.5) | (original > 0.5)
    assert both.sum() > 0.99 * either.sum()
