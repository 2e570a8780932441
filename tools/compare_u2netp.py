# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare U²-Net-p in numpy with onnxruntime, on the test pictures of subjects.

It needs `onnx`, `onnxruntime`, and `pillow` in the environment of PYTHON:
`make compare-subject PYTHON=…`. Two comparisons: with the same weights as ours, which judges the
code, and with the original ones, which also judges how the weights were made smaller. `--write`
keeps the original's answers for the pictures of the unit tests.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import convert_u2netp
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "tests" / "data" / "subjects"
GOLDENS = ROOT / "tests" / "data" / "nets" / "u2netp-onnxruntime.npz"
KEPT = 10
"""Number of pictures whose answers are kept: every second one, in the order of their names."""
SAME_WEIGHTS = 1e-3
"""Largest difference that is allowed between answers with the same weights."""

sys.path.insert(0, str(ROOT / "tests"))
load: Any = import_module("unit.worker_package").load
u2netp, open_weights = load("nets.u2netp"), load("nets.weights").open_weights


def with_our_weights(model: bytes) -> bytes:
    """Return the ONNX file with our weights in place of its own."""
    onnx = import_module("onnx")
    graph = onnx.load(io.BytesIO(model))
    ours = open_weights(ROOT / "worker" / "nets" / "u2netp.safetensors")
    stored = {entry.name: entry for entry in graph.graph.initializer}
    for name, layer in convert_u2netp.layer_inputs(graph.graph):
        scale = ours[f"{name}.scale"][:, None, None, None]
        weight = ours[f"{name}.weight"].astype(np.float32) * scale
        for key, value in zip(layer, (weight, ours[f"{name}.bias"]), strict=True):
            stored[key].CopyFrom(onnx.numpy_helper.from_array(np.array(value, np.float32), key))
    return bytes(graph.SerializeToString())


def session_of(model: bytes) -> Any:
    """Return a function that runs the ONNX file `model` with onnxruntime.

    The function takes an image (h, w, 3) and returns the network's answer (SIDE, SIDE).
    """
    session = import_module("onnxruntime").InferenceSession(model)
    name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    return lambda rgb: session.run([output], {name: u2netp.prepare(rgb)[None]})[0][0, 0]


def read(path: Path) -> Any:
    """Return the image in a file, as RGB (h, w, 3) from 0 to 1."""
    with import_module("PIL.Image").open(path) as image:
        return np.asarray(image.convert("RGB"), np.float32) / 255.0


def compare(name: str, ours: Any, theirs: Any) -> tuple[float, float]:
    """Print how two answers differ.

    Return the largest difference of a pixel, and the IoU of the masks.
    """
    off, both = np.abs(ours - theirs), (ours > 0.5) & (theirs > 0.5)
    overlap = both.sum() / max(1, ((ours > 0.5) | (theirs > 0.5)).sum())
    print(f"  {name:32} mean {off.mean():.6f}, at most {off.max():.5f}, masks {overlap:.4f}")
    return float(off.max()), float(overlap)


def main() -> int:
    model = convert_u2netp.download()
    weights = open_weights(ROOT / "worker" / "nets" / "u2netp.safetensors")
    original, same = session_of(model), session_of(with_our_weights(model))
    files, answers, worst = sorted(PICTURES.glob("*.jpg")), {}, 0.0
    for file in files:
        rgb = read(file)
        ours, answers[file.stem] = u2netp.find_salient(rgb, weights), original(rgb)
        worst = max(worst, compare(f"{file.stem}, same", ours, same(rgb))[0])
        compare(f"{file.stem}, original", ours, answers[file.stem])
    print(f"with the same weights at most {worst:.6f}, {SAME_WEIGHTS} allowed")
    if "--write" in sys.argv:
        # Every second pixel: a quarter of the file, and the same figures.
        chosen = [file.stem for file in files[::2]][:KEPT]
        kept = {name: np.rint(answers[name][::2, ::2] * 65535).astype("u2") for name in chosen}
        np.savez_compressed(GOLDENS, **kept)
    return 0 if worst <= SAME_WEIGHTS else 1


if __name__ == "__main__":
    sys.exit(main())
