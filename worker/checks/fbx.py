# SPDX-License-Identifier: GPL-3.0-or-later
"""Walk through an FBX file's records before any importer does: every length within the one above.

The layout of the binary form is that of Blender's own notes on it: records within records, each
with its end, its properties and its name; arrays packed by zlib. Nothing here imports bpy.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from ..refusal import OTHER_FORMAT, Message, Refusal
from .gltf.buffers import damaged
from .gltf.check import MAX_MATERIALS, too_many_materials
from .gltf.nodes import MAX_NODES, too_many_objects
from .image_headers import Pictures

MAGIC = b"Kaydara FBX Binary  \0"
MAX_LEVELS = 64
MAX_RECORDS = 3_000_000
MAX_UNPACKED = 8 * 1024**3
INFLATED = 1040
"""How many bytes a byte of zlib's can stand for at most."""
MAX_TEXT = 1024**3
LONG_FROM = 7500
"""The version from which lengths take 64 bits."""
SHORT, LONG = "<IIIB", "<QQQB"
"""A record's head: its end, how many properties it has and their length, its name's length."""

SCALARS = {b"C": 1, b"B": 1, b"Y": 2, b"I": 4, b"F": 4, b"L": 8, b"D": 8}
ARRAYS = {b"b": 1, b"c": 1, b"i": 4, b"f": 4, b"l": 8, b"d": 8}
COUNT = re.compile(rb":\s*\*(\d+)\s*\{")


@dataclass(frozen=True)
class _Record:
    name: bytes
    values: int
    """Where its properties begin."""
    begin: int
    """Where what stands below it begins, behind its properties."""
    end: int
    unpacked: int


def version_of(path: str) -> int | None:
    """Return the version that a file in the binary form says, 7400 for 7.4; None for ASCII."""
    with Path(path).open("rb") as file:
        head = file.read(27)
    if len(head) < 27 or not head.startswith(MAGIC):
        return None
    version: int = struct.unpack_from("<I", head, 23)[0]
    return version


def check_fbx(path: str) -> None:
    """Raise Refusal if the file's lengths cannot be true."""
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        try:
            _check_binary(data) if data[: len(MAGIC)] == MAGIC else _check_text(data)
        except struct.error as error:
            raise damaged("it is cut short") from error


def _check_text(data: mmap.mmap) -> None:
    size = len(data)
    if size > MAX_TEXT:
        what = Message(
            "The mesh file is a text of {size} GB, which is not read.", size=f"{size / 1e9:.1f}"
        )
        raise Refusal("bad_mesh", what, OTHER_FORMAT)
    for found in COUNT.finditer(data):
        if len(found[1]) > 12 or int(found[1]) > size:
            raise damaged(
                Message(
                    "it says {values} values and has {size} bytes",
                    values=f"{int(found[1][:12]):,}",
                    size=f"{size:,}",
                )
            )


def _check_binary(data: mmap.mmap) -> None:
    """Go through the records with a stack of ends, and not by calling itself."""
    is_long = struct.unpack_from("<I", data, 23)[0] >= LONG_FROM
    amounts = _Amounts(data)
    at, ends, unpacked = 27, [len(data)], 0
    for _ in range(MAX_RECORDS):
        while len(ends) > 1 and at == ends[-1]:
            ends.pop()
        record = _record(data, at, ends[-1], is_long)
        if record is None:
            if len(ends) == 1:
                return
            if at + struct.calcsize(LONG if is_long else SHORT) != ends[-1]:
                raise damaged("a list of records ends before it should")
            at = ends.pop()
            continue
        amounts.add(record, len(ends))
        unpacked += record.unpacked
        if unpacked > MAX_UNPACKED:
            raise damaged(
                Message(
                    "it unpacks to more than {size} GB",
                    size=f"{MAX_UNPACKED / 1e9:.0f}",
                )
            )
        if len(ends) > MAX_LEVELS:
            raise damaged("its records are nested too deeply")
        at = record.begin
        if record.begin < record.end:
            ends.append(record.end)
    raise damaged(Message("it has more than {limit} records", limit=f"{MAX_RECORDS:,}"))


class _Amounts:
    """Counts what a file has of what costs most: objects, materials, and pictures in it."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._pictures = Pictures()
        self._models = self._materials = 0

    def add(self, record: _Record, level: int) -> None:
        """Count a record; raise Refusal where there are more than are read."""
        if level == 2 and record.name == b"Model":
            self._models += 1
            if self._models > MAX_NODES:
                raise too_many_objects(self._models)
        elif level == 2 and record.name == b"Material":
            self._materials += 1
            if self._materials > MAX_MATERIALS:  # guard: fbx-materials-are-bounded
                raise too_many_materials(self._materials)
        elif record.name == b"Content" and self._data[record.values] in b"RS":
            start = record.values + 5
            length = struct.unpack_from("<I", self._data, record.values + 1)[0]
            picture = self._data[start : min(start + length, record.begin)]
            if picture:
                self._pictures.add(picture)  # guard: fbx-pictures-are-counted


def _record(data: mmap.mmap, at: int, limit: int, is_long: bool) -> _Record | None:
    """Read the record there; None is the empty one that ends a list."""
    layout = LONG if is_long else SHORT
    end, count, length, name = struct.unpack_from(layout, data, at)
    if end == 0:
        return None
    properties = at + struct.calcsize(layout) + name
    begin = properties + length
    if not begin <= end <= limit:
        raise damaged("a record reaches beyond the one around it")
    if count > length:
        raise damaged("a record says more values than it has bytes")
    word = data[properties - name : properties]
    return _Record(word, properties, begin, end, _unpacked(data, properties, begin, count))


def _unpacked(data: mmap.mmap, at: int, end: int, count: int) -> int:
    """Go through a record's properties; return how many bytes they unpack to."""
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
            if encoding not in (0, 1) or size > (INFLATED * length + 64 if encoding else length):
                raise damaged(
                    Message(
                        "{values} values cannot be in {length} bytes",
                        values=f"{values:,}",
                        length=f"{length:,}",
                    )
                )
            total += size
            at += 13 + length
        else:
            raise damaged("a record holds what FBX does not know")
    if at != end:
        # Blender's older importer goes by the values, and would take what follows for records.
        raise damaged("a record's values are not as long as it says")
    return total
