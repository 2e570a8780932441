# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a glTF file's accessors against the bytes that they refer to."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ...refusal import Message
from .buffers import Bytes, GltfFile, damaged_file

COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
"""numpy dtypes of glTF's component types."""
COMPONENT_COUNTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
INDICES = (5121, 5123, 5125)
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")

MAX_UNPACKED = 8 * 1024**3
MAX_EXPANSION = 1000
"""Highest expansion ratio of Meshopt and Draco compression."""
MAX_ZEROS = 100_000_000
"""Maximum number of values without stored data: they cost memory without a byte in the file."""


class Views:
    """The file's accessors and buffer views.

    The constructor checks the layout of the whole file. The constructor and all methods raise
    Refusal for invalid data.
    """

    def __init__(self, file: GltfFile) -> None:
        self._file = file
        self._buffers = [self._buffer_length(index) for index in range(len(file.all("buffers")))]
        self._views = file.all("bufferViews")
        self._lengths = [self._view_length(view) for view in self._views]
        self._accessors = file.all("accessors")
        self._packable = MAX_EXPANSION * (sum(self._buffers) + 1)
        self._unpacked = 0
        for accessor in self._accessors:
            self._check(accessor)

    def count(self, accessor: object, *, is_packed: bool = False) -> int:
        """Return an accessor's number of elements.

        Raise Refusal if the accessor has too many values for which the file stores no data. With
        `is_packed`, the values are in a primitive's compressed data, so there is no such limit.
        """
        layout = self._accessors[self._check_index(accessor, len(self._accessors), "accessor")]
        if layout.get("bufferView") is None and "sparse" not in layout and not is_packed:
            size = layout["count"] * COMPONENT_COUNTS[layout["type"]]
            if size > MAX_ZEROS:
                raise damaged_file(
                    Message(
                        "accessor {index} has {size} values but no data",
                        index=accessor,
                        size=f"{size:,}",
                    )
                )
        return int(layout["count"])

    def check_packed(self, view: object) -> None:
        """Raise Refusal if the buffer view of a primitive's compressed data does not exist."""
        self._check_index(view, len(self._views), "bufferView")

    def check_indices(self, index: int, vertices: int) -> None:
        """Raise Refusal if an accessor's values are not indices of existing vertices.

        `vertices` is the number of vertices. Compressed and sparse values are not read.
        """
        accessor = self._accessors[index]
        if accessor["componentType"] not in INDICES or accessor["type"] != "SCALAR":
            raise damaged_file(
                Message(
                    "accessor {index} contains vertex indices that are not unsigned integers",
                    index=index,
                )
            )
        values = self._values(accessor)
        if values is not None and values.size and int(values.max()) >= vertices:
            raise damaged_file(
                Message(
                    "a face uses vertex {index}, but there are only {count} vertices",
                    index=int(values.max()),
                    count=vertices,
                )
            )

    def check_positions(self, index: int) -> None:
        """Raise Refusal if an accessor's values are not 3D vectors of finite numbers.

        Compressed and sparse values are not read.
        """
        accessor = self._accessors[index]
        if accessor["type"] != "VEC3":
            raise damaged_file(
                Message("accessor {index} contains positions that are not 3D vectors", index=index)
            )
        if accessor["componentType"] == 5126:
            values = self._values(accessor)
            if values is not None and not np.isfinite(values).all():
                raise damaged_file(
                    Message(
                        "accessor {index} contains positions that are not finite numbers",
                        index=index,
                    )
                )

    def bytes_of(self, view: object) -> Bytes:
        """Return a buffer view's bytes; empty if they are compressed with Meshopt."""
        layout = self._views[self._check_index(view, len(self._views), "bufferView")]
        if _meshopt(layout) is not None:
            return np.zeros(0, np.uint8)
        start, length = layout.get("byteOffset", 0), layout["byteLength"]
        return self._file.buffer(layout["buffer"])[start : start + length]

    def _buffer_length(self, index: int) -> int:
        """Return a buffer's declared length; raise Refusal if it has fewer bytes.

        The bytes of a fallback for readers without Meshopt are not checked. If the fallback has no
        URI, its length counts as 0.
        """
        buffer = self._file.all("buffers")[index]
        declared = _non_negative(buffer.get("byteLength"), "buffer.byteLength")
        # The fallback for readers without Meshopt need not exist; the compressed data is elsewhere.
        if any((buffer.get("extensions") or {}).get(name, {}).get("fallback") for name in MESHOPT):
            return 0 if buffer.get("uri") is None else declared
        actual = len(self._file.buffer(index))
        if declared > actual:
            raise damaged_file(
                Message(
                    "buffer {index} should have {length} bytes, but has only {size}",
                    index=index,
                    length=f"{declared:,}",
                    size=f"{actual:,}",
                )
            )
        return declared

    def _view_length(self, view: dict[str, Any]) -> int:
        length = _non_negative(view.get("byteLength"), "bufferView.byteLength")
        packed = _meshopt(view)
        if packed is None:
            self._check_inside(view)
        else:
            self._check_inside(packed)
            size = _non_negative(packed["count"], "count") * _non_negative(
                packed["byteStride"], "byteStride"
            )
            if size != length or size > MAX_EXPANSION * packed["byteLength"] + 4096:
                raise damaged_file("the size given for its compressed data is invalid")
        stride = view.get("byteStride")
        if stride is not None and not 1 <= _non_negative(stride, "byteStride") <= 4096:
            raise damaged_file(
                Message("a bufferView has the invalid byteStride {stride}", stride=stride)
            )
        return length

    def _check_inside(self, view: dict[str, Any]) -> None:
        """Raise Refusal if a view, or a Meshopt extension's data, extends past its buffer's end."""
        buffer = self._check_index(view.get("buffer"), len(self._buffers), "buffer")
        start = _non_negative(view.get("byteOffset", 0), "bufferView.byteOffset")
        if (
            start + _non_negative(view["byteLength"], "bufferView.byteLength")
            > self._buffers[buffer]
        ):
            raise damaged_file("a bufferView extends past the end of its buffer")

    def _check(self, accessor: dict[str, Any]) -> None:
        """Raise Refusal if an accessor does not fit its buffer view.

        If it has no view, add its size to the total of such accessors instead, and raise Refusal if
        the total exceeds the limit. Also check the accessor's sparse values, if it has any.
        """
        count = _non_negative(accessor.get("count"), "accessor.count")
        size = (
            np.dtype(COMPONENTS[accessor["componentType"]]).itemsize
            * COMPONENT_COUNTS[accessor["type"]]
        )
        view = accessor.get("bufferView")
        if view is None:
            # Zeros, or data that a primitive has in compressed form: not in the file byte by byte.
            self._unpacked += count * size
            if self._unpacked > min(MAX_UNPACKED, self._packable + MAX_ZEROS * 4):
                raise damaged_file("its accessors have more values than it can contain")
        else:
            self._check_reach(
                accessor, self._check_index(view, len(self._views), "bufferView"), count, size
            )
        if accessor.get("sparse") is not None:
            self._check_sparse(accessor["sparse"], count, size)

    def _check_reach(self, accessor: dict[str, Any], view: int, count: int, size: int) -> None:
        stride = self._views[view].get("byteStride") or size
        start = _non_negative(accessor.get("byteOffset", 0), "accessor.byteOffset")
        if count and (stride < size or start + stride * (count - 1) + size > self._lengths[view]):
            raise damaged_file(
                Message(
                    "an accessor with {count} values extends past the end of its bufferView",
                    count=f"{count:,}",
                )
            )

    def _check_sparse(self, sparse: dict[str, Any], count: int, size: int) -> None:
        """Raise Refusal if an accessor's sparse values or their indices are invalid.

        `count` is the accessor's number of elements, and `size` the bytes of each.
        """
        replaced, indices, values = sparse["count"], sparse["indices"], sparse["values"]
        if _non_negative(replaced, "sparse.count") > count:
            raise damaged_file("a sparse accessor replaces more values than it has")
        if indices["componentType"] not in INDICES:
            raise damaged_file("a sparse accessor has indices that are not unsigned integers")
        index_size = np.dtype(COMPONENTS[indices["componentType"]]).itemsize
        for layout, width in ((indices, index_size), (values, size)):
            view = self._check_index(layout["bufferView"], len(self._views), "bufferView")
            self._check_reach(layout, view, replaced, width)
        positions = self._values({**indices, "count": replaced, "type": "SCALAR"})
        if positions is not None and positions.size and int(positions.max()) >= count:
            raise damaged_file("a sparse accessor replaces values that do not exist")

    def _values(self, accessor: dict[str, Any]) -> Any:
        """Return an accessor's values as an array (count, components).

        Return None if there are no values, or if they are compressed, sparse, or not stored at all.
        """
        view = accessor.get("bufferView")
        if view is None or accessor.get("sparse") or not accessor["count"]:
            return None
        data = self.bytes_of(view)
        if not len(data):
            return None
        kind, components = (
            np.dtype(COMPONENTS[accessor["componentType"]]),
            COMPONENT_COUNTS[accessor["type"]],
        )
        stride = self._views[view].get("byteStride") or kind.itemsize * components
        start = accessor.get("byteOffset", 0)
        shape, strides = (accessor["count"], components), (stride, kind.itemsize)
        return np.ndarray(shape, kind, data, start, strides)

    def _check_index(self, index: object, end: int, kind: str) -> int:
        # Not isinstance: JSON's true is a bool, which is an int in Python.
        if type(index) is not int or not 0 <= index < end:
            raise damaged_file(
                Message("{kind} {index} does not exist", kind=kind, index=f"{index!r}")
            )
        return index


def _meshopt(view: dict[str, Any]) -> dict[str, Any] | None:
    extensions = view.get("extensions") or {}
    return next((extensions[name] for name in MESHOPT if name in extensions), None)


def _non_negative(value: object, kind: str) -> int:
    # No file has 2^48 bytes or values.
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise damaged_file(
            Message(
                "“{subject}” has the invalid value {value}",
                subject=kind,
                value=json.dumps(value)[:40],
            )
        )
    return value
