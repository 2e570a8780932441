# SPDX-License-Identifier: GPL-3.0-or-later
"""A glTF file's accessors, each held against the bytes that it says it reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...refusal import Message
from .buffers import Bytes, GltfFile, damaged

COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
PARTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
INDICES = (5121, 5123, 5125)
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")

MAX_UNPACKED = 8 * 1024**3
PACKED = 1000
"""How many bytes a compressed byte may stand for at most."""
MAX_ZEROS = 100_000_000
"""How many values may be there without a byte for them."""


class Views:
    """Reads accessors and the views below them; raises Refusal where one cannot be true."""

    def __init__(self, file: GltfFile) -> None:
        self._file = file
        self._buffers = [self._buffer_length(index) for index in range(len(file.all("buffers")))]
        self._views = file.all("bufferViews")
        self._lengths = [self._view_length(view) for view in self._views]
        self._accessors = file.all("accessors")
        self._packable = PACKED * (sum(self._buffers) + 1)
        self._unpacked = 0
        for accessor in self._accessors:
            self._check(accessor)

    def count(self, accessor: object, *, is_packed: bool = False) -> int:
        """Return how many values an accessor gives."""
        found = self._accessors[self._known(accessor, len(self._accessors), "accessor")]
        if found.get("bufferView") is None and "sparse" not in found and not is_packed:
            size = found["count"] * PARTS[found["type"]]
            if size > MAX_ZEROS:
                raise damaged(
                    Message("an accessor has {size} values and no data", size=f"{size:,}")
                )
        return int(found["count"])

    def check_packed(self, view: object) -> None:
        """Check that a primitive's compressed data is there."""
        self._known(view, len(self._views), "view")

    def check_indices(self, index: int, vertices: int) -> None:
        """Check that every index is one of a vertex."""
        accessor = self._accessors[index]
        if accessor["componentType"] not in INDICES or accessor["type"] != "SCALAR":
            raise damaged("its indices are no whole numbers")
        values = self._values(accessor)
        if values is not None and values.size and int(values.max()) >= vertices:
            raise damaged(
                Message(
                    "a face names point {index} of {count}",
                    index=int(values.max()),
                    count=vertices,
                )
            )

    def check_positions(self, index: int) -> None:
        """Check that every point has a place."""
        accessor = self._accessors[index]
        if accessor["type"] != "VEC3":
            raise damaged("its points have no three coordinates")
        if accessor["componentType"] == 5126:
            values = self._values(accessor)
            if values is not None and not np.isfinite(values).all():
                raise damaged("it has points without a place")

    def bytes_of(self, view: object) -> Bytes:
        """Return a view's bytes; empty where they are compressed."""
        found = self._views[self._known(view, len(self._views), "view")]
        if _meshopt(found) is not None:
            return np.zeros(0, np.uint8)
        start, length = found.get("byteOffset", 0), found["byteLength"]
        return self._file.buffer(found["buffer"])[start : start + length]

    def _buffer_length(self, index: int) -> int:
        """Return a buffer's length, which may be less than the bytes that are there."""
        buffer = self._file.all("buffers")[index]
        said = _whole(buffer.get("byteLength"), "a buffer's length")
        if any((buffer.get("extensions") or {}).get(name, {}).get("fallback") for name in MESHOPT):
            return 0 if buffer.get("uri") is None else said
        there = len(self._file.buffer(index))
        if said > there:
            raise damaged(
                Message(
                    "a buffer says {length} bytes and has {size}",
                    length=f"{said:,}",
                    size=f"{there:,}",
                )
            )
        return said

    def _view_length(self, view: dict[str, Any]) -> int:
        length = _whole(view.get("byteLength"), "a view's length")
        packed = _meshopt(view)
        if packed is None:
            self._check_inside(view)
        else:
            self._check_inside(packed)
            size = _whole(packed["count"], "a count") * _whole(packed["byteStride"], "a stride")
            if size != length or size > PACKED * packed["byteLength"] + 4096:
                raise damaged("what is compressed in it cannot be so large")
        stride = view.get("byteStride")
        if stride is not None and not 1 <= _whole(stride, "a stride") <= 4096:
            raise damaged(Message("a view has a stride of {stride}", stride=stride))
        return length

    def _check_inside(self, view: dict[str, Any]) -> None:
        """Check that a view, or the compressed one behind it, lies in its buffer."""
        buffer = self._known(view.get("buffer"), len(self._buffers), "buffer")
        start = _whole(view.get("byteOffset", 0), "a view's offset")
        if start + _whole(view["byteLength"], "a view's length") > self._buffers[buffer]:
            raise damaged("a view reaches beyond its buffer")

    def _check(self, accessor: dict[str, Any]) -> None:
        """Check one accessor's layout against its view."""
        count = _whole(accessor.get("count"), "a count")
        size = np.dtype(COMPONENTS[accessor["componentType"]]).itemsize * PARTS[accessor["type"]]
        view = accessor.get("bufferView")
        if view is None:
            # Zeros, or what a primitive has compressed: neither is in the file byte by byte.
            self._unpacked += count * size
            if self._unpacked > min(MAX_UNPACKED, self._packable + MAX_ZEROS * 4):
                raise damaged("it says more values than it can hold")
        else:
            self._check_reach(accessor, self._known(view, len(self._views), "view"), count, size)
        if accessor.get("sparse") is not None:
            self._check_sparse(accessor["sparse"], count, size)

    def _check_reach(self, accessor: dict[str, Any], view: int, count: int, size: int) -> None:
        stride = self._views[view].get("byteStride") or size
        start = _whole(accessor.get("byteOffset", 0), "an accessor's offset")
        if count and (stride < size or start + stride * (count - 1) + size > self._lengths[view]):
            raise damaged(
                Message("an accessor of {count} values reaches beyond its data", count=f"{count:,}")
            )

    def _check_sparse(self, sparse: dict[str, Any], count: int, size: int) -> None:
        """Check the values that replace some of an accessor's, and which."""
        replaced, indices, values = sparse["count"], sparse["indices"], sparse["values"]
        if _whole(replaced, "a count") > count or indices["componentType"] not in INDICES:
            raise damaged("it replaces more values than there are")
        index_size = np.dtype(COMPONENTS[indices["componentType"]]).itemsize
        for part, width in ((indices, index_size), (values, size)):
            view = self._known(part["bufferView"], len(self._views), "view")
            self._check_reach(part, view, replaced, width)
        places = self._values({**indices, "count": replaced, "type": "SCALAR"})
        if places is not None and places.size and int(places.max()) >= count:
            raise damaged("it replaces values that are not there")

    def _values(self, accessor: dict[str, Any]) -> Any:
        """Return an accessor's values (count, parts), or None where they are compressed."""
        view = accessor.get("bufferView")
        if view is None or accessor.get("sparse") or not accessor["count"]:
            return None
        found = self.bytes_of(view)
        if not len(found):
            return None
        kind, parts = np.dtype(COMPONENTS[accessor["componentType"]]), PARTS[accessor["type"]]
        stride = self._views[view].get("byteStride") or kind.itemsize * parts
        start = accessor.get("byteOffset", 0)
        shape, strides = (accessor["count"], parts), (stride, kind.itemsize)
        return np.ndarray(shape, kind, found, start, strides)

    def _known(self, index: object, end: int, what: str) -> int:
        if type(index) is not int or not 0 <= index < end:
            raise damaged(Message("there is no {kind} {index}", kind=what, index=f"{index!r}"))
        return index


def _meshopt(view: dict[str, Any]) -> dict[str, Any] | None:
    extensions = view.get("extensions") or {}
    return next((extensions[name] for name in MESHOPT if name in extensions), None)


def _whole(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise damaged(Message("{subject} is {value}", subject=what, value=f"{value!r}"[:40]))
    return value
