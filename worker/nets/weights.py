# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a network's weights from a safetensors file.

The layout (huggingface.co/docs/safetensors, format of 2023) is: eight bytes with the length of a
JSON header; the header with the type, shape, and byte range of each tensor; the tensors. Nothing in
the file is executed, unlike in a pickle.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[Any]
Weights: TypeAlias = Mapping[str, Numbers]
"""Tensors by name; each is a read-only view of the file."""

_LONGEST_HEADER = 10_000_000
_TYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "I16": np.dtype("<i2"),
}


class DamagedWeights(Exception):
    """A file of weights does not have the expected layout."""


def open_weights(path: Path) -> Weights:
    """Return the tensors of a file by name.

    Raise DamagedWeights if its layout is wrong, or OSError if it cannot be read.
    """
    try:
        header, body = _split(path)
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        return {name: _tensor(entry, body) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedWeights(f"{path.name}: {error}") from error


def _split(path: Path) -> tuple[dict[str, Any], Numbers]:
    """Return a file's header, and a view of what follows.

    Raise ValueError if the header is missing or invalid.
    """
    if path.stat().st_size < 10:
        raise ValueError("the file is too short")
    data = np.memmap(path, np.uint8, "r")
    length = int.from_bytes(data[:8].tobytes(), "little")
    if not 2 <= length <= min(_LONGEST_HEADER, len(data) - 8):
        raise ValueError(f"the header has an invalid length: {length} bytes")
    return json.loads(data[8 : 8 + length].tobytes()), data[8 + length :]


def _tensor(entry: Mapping[str, Any], body: Numbers) -> Numbers:
    """Return a tensor as a view of the file's body; raise ValueError if it does not fit."""
    kind, shape = _TYPES[entry["dtype"]], tuple(map(int, entry["shape"]))
    begin, end = map(int, entry["data_offsets"])
    if not 0 <= begin <= end <= len(body) or min(shape, default=0) < 0:
        raise ValueError("a tensor lies outside of the file")
    if end - begin != math.prod(shape) * kind.itemsize:
        raise ValueError("a tensor's size does not match its shape")
    return body[begin:end].view(kind).reshape(shape)
