# SPDX-License-Identifier: GPL-3.0-or-later
"""Check an FBX file's records before an importer reads them: each must lie within its parent.

The binary layout follows Blender's notes: nested records with an end, properties, and a name;
arrays are compressed with zlib. No bpy.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from ..refusal import OTHER_FORMAT, Message, Refusal
from .gltf.buffers import damaged_file
from .gltf.check import MAX_MATERIALS, too_many_materials
from .gltf.nodes import MAX_NODES, too_many_objects
from .image_headers import ImageBudget

MAGIC = b"Kaydara FBX Binary  \0"
# Real files have far fewer.
MAX_LEVELS = 64
MAX_RECORDS = 3_000_000
MAX_UNPACKED = 8 * 1024**3
MAX_EXPANSION = 1040
"""Highest expansion ratio of zlib's deflate: 1032 according to its documentation, plus a margin."""
MAX_TEXT = 1024**3
LONG_VERSION = 7500
"""FBX version from which lengths are 64-bit."""
SHORT, LONG = "<IIIB", "<QQQB"
"""A record's header, before LONG_VERSION and since: its end, the number and the length in bytes of
its properties, and its name's length."""

SCALARS = {b"C": 1, b"B": 1, b"Y": 2, b"I": 4, b"F": 4, b"L": 8, b"D": 8}
"""Property types and their sizes in bytes."""
ARRAYS = {b"b": 1, b"c": 1, b"i": 4, b"f": 4, b"l": 8, b"d": 8}
COUNT = re.compile(rb":\s*\*(\d+)\s*\{")
"""Matches the length of an array in ASCII FBX."""


@dataclass(frozen=True)
class _Record:
    name: bytes
    values: int
    """Offset of its properties."""
    begin: int
    """Offset of its child records, after the properties."""
    end: int
    unpacked: int


def read_fbx_version(path: str) -> int | None:
    """Return the version of a binary FBX file (7400 for 7.4), or None if it is not binary."""
    with Path(path).open("rb") as file:
        head = file.read(27)
    if len(head) < 27 or not head.startswith(MAGIC):
        return None
    version: int = struct.unpack_from("<I", head, 23)[0]
    return version


def check_fbx(path: str) -> None:
    """Raise Refusal if the file is truncated or inconsistent, or exceeds a limit."""
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        try:
            _check_binary(data) if data[: len(MAGIC)] == MAGIC else _check_text(data)
        except struct.error as error:
            raise damaged_file("it is truncated", "FBX") from error


def _check_text(data: mmap.mmap) -> None:
    size = len(data)
    if size > MAX_TEXT:
        message = Message(
            "The mesh file is too large: {size} GB of text.", size=f"{size / 1e9:.1f}"
        )
        raise Refusal("bad_mesh", message, OTHER_FORMAT)
    for found in COUNT.finditer(data):
        # The length first: int() refuses thousands of digits, and is slow before that.
        if len(found[1]) > 12 or int(found[1]) > size:
            raise damaged_file(
                Message(
                    "an array of {values} values does not fit in {size} bytes",
                    values=f"{int(found[1][:12]):,}",
                    size=f"{size:,}",
                ),
                "FBX",
            )


def _check_binary(data: mmap.mmap) -> None:
    """Raise Refusal if a record is inconsistent, or a limit is exceeded.

    Raise struct.error if the file is truncated. The records' ends are kept in a stack, since
    recursion would overflow on deep nesting.
    """
    is_long = struct.unpack_from("<I", data, 23)[0] >= LONG_VERSION
    amounts = _Counts(data)
    # The header has 27 bytes: the signature, two more, and the version.
    at, ends, unpacked = 27, [len(data)], 0
    for _ in range(MAX_RECORDS):
        while len(ends) > 1 and at == ends[-1]:
            ends.pop()
        record = _record(data, at, ends[-1], is_long)
        if record is None:
            if len(ends) == 1:
                return
            # A list ends with an empty record, which is exactly one header long.
            if at + struct.calcsize(LONG if is_long else SHORT) != ends[-1]:
                raise damaged_file("a list of records ends too early", "FBX")
            at = ends.pop()
            continue
        amounts.add(record, len(ends))
        unpacked += record.unpacked
        if unpacked > MAX_UNPACKED:
            raise damaged_file(
                Message(
                    "it expands to more than {size} GB",
                    size=f"{MAX_UNPACKED / 1e9:.0f}",
                ),
                "FBX",
            )
        if len(ends) > MAX_LEVELS:
            raise damaged_file("its records are nested too deeply", "FBX")
        at = record.begin
        if record.begin < record.end:
            ends.append(record.end)
    raise damaged_file(Message("it has more than {limit} records", limit=f"{MAX_RECORDS:,}"), "FBX")


class _Counts:
    """Counts what is expensive to import: objects, materials, and embedded images."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._budget = ImageBudget()
        self._models = self._materials = 0

    def add(self, record: _Record, level: int) -> None:
        """Count a record; raise Refusal if a limit is exceeded. Top-level records have level 1."""
        if level == 2 and record.name == b"Model":
            self._models += 1
            if self._models > MAX_NODES:
                raise too_many_objects(self._models)
        elif level == 2 and record.name == b"Material":
            self._materials += 1
            if self._materials > MAX_MATERIALS:  # guard: fbx-materials-are-bounded
                raise too_many_materials(self._materials)
        elif record.name == b"Content" and self._data[record.values] in b"RS":
            # One byte for the type, four for the length.
            start = record.values + 5
            length = struct.unpack_from("<I", self._data, record.values + 1)[0]
            picture = self._data[start : min(start + length, record.begin)]
            if picture:
                self._budget.add(picture)  # guard: fbx-pictures-are-counted


def _record(data: mmap.mmap, at: int, limit: int, is_long: bool) -> _Record | None:
    """Return the record at offset `at`, or None for the empty record that ends a list.

    Raise Refusal if the record is inconsistent or ends after `limit`. Raise struct.error if the
    file is truncated.
    """
    layout = LONG if is_long else SHORT
    end, count, length, name = struct.unpack_from(layout, data, at)
    if end == 0:
        return None
    properties = at + struct.calcsize(layout) + name
    begin = properties + length
    if not begin <= end <= limit:
        raise damaged_file("a record extends past the end of its parent", "FBX")
    # Every value takes at least one byte.
    if count > length:
        raise damaged_file("a record specifies more values than it has bytes", "FBX")
    word = data[properties - name : properties]
    return _Record(word, properties, begin, end, _expanded_size(data, properties, begin, count))


def _expanded_size(data: mmap.mmap, at: int, end: int, count: int) -> int:
    """Return how many bytes the arrays among a record's properties expand to.

    Raise Refusal if a type is unknown, or if lengths do not match the data.
    """
    total = 0
    for _ in range(count):
        kind = data[at : at + 1]
        if kind in SCALARS:
            at += 1 + SCALARS[kind]
        elif kind in (b"S", b"R"):
            at += 5 + struct.unpack_from("<I", data, at + 1)[0]
        elif kind in ARRAYS:
            values, encoding, length = struct.unpack_from("<III", data, at + 1)
            size = values * ARRAYS[kind]
            if encoding not in (0, 1) or size > (
                MAX_EXPANSION * length + 64 if encoding else length
            ):
                raise damaged_file(
                    Message(
                        "an array of {values} values does not fit in {length} bytes",
                        values=f"{values:,}",
                        length=f"{length:,}",
                    ),
                    "FBX",
                )
            total += size
            at += 13 + length
        else:
            raise damaged_file("a record has a property of an unknown type", "FBX")
    if at != end:
        # Blender's Python importer trusts the values and would parse the rest as records.
        raise damaged_file("the properties of a record do not match its length", "FBX")
    return total
