# SPDX-License-Identifier: GPL-3.0-or-later
"""The first directory of a TIFF file or an Exif block, classic or big (TIFF 6, BigTIFF)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8,
         13: 4, 16: 8, 17: 8, 18: 8}  # fmt: skip
"""Size of a value in bytes, by type."""
WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""`struct` formats of the integer types."""
MOST = 4096
"""Maximum number of entries; a directory with more counts as damaged."""


@dataclass(frozen=True, slots=True)
class Field:
    """An entry: its type, the number of its values, and their offset in the data, in bytes."""

    kind: int
    count: int
    start: int

    @property
    def size(self) -> int:
        """The size of the entry's values, in bytes."""
        return SIZES[self.kind] * self.count


@dataclass(frozen=True, slots=True)
class Directory:
    """The entries of a directory by tag. `data` is the whole file or block.

    `order` is the byte order for `struct`: `<` (little-endian) or `>` (big-endian).
    """

    data: bytes
    order: str
    fields: dict[int, Field] = field(default_factory=dict)

    def raw(self, tag: int) -> bytes:
        """Return the bytes of an entry's values.

        Raises KeyError if there is no such entry, ValueError if the file is too short.
        """
        found = self.fields[tag]
        if found.start + found.size > len(self.data):
            raise ValueError("the directory is truncated")
        return self.data[found.start : found.start + found.size]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return an entry's integers; empty if there is no such entry, or it has no integers.

        Raises ValueError if the file is too short.
        """
        found = self.fields.get(tag)
        if found is None or found.kind not in WHOLE:
            return ()
        return struct.unpack(f"{self.order}{found.count}{WHOLE[found.kind]}", self.raw(tag))

    def first(self, tag: int, otherwise: int) -> int:
        """Return the first integer of an entry, or `otherwise` if `numbers` finds no integer."""
        return next(iter(self.numbers(tag)), otherwise)


def read_directory(data: bytes) -> Directory:
    """Read the first directory. Entries of unknown types are left out.

    Raises an error in `DAMAGED` if the directory is missing or damaged.
    """
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    (version,) = struct.unpack_from(order + "H", data, 2)
    # 43 is BigTIFF, whose offsets have 8 bytes; the classic version is 42.
    if version == 43:
        (at,) = struct.unpack_from(order + "Q", data, 8)
        (count,) = struct.unpack_from(order + "Q", data, at)
        return _read(data, order, at + 8, count, big=True)
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    return _read(data, order, at + 2, count, big=False)


def _read(data: bytes, order: str, at: int, entries: int, *, big: bool) -> Directory:
    if entries > MOST:
        raise ValueError("too many entries")
    layout, room, wide = (order + "HHQ", 8, "Q") if big else (order + "HHI", 4, "I")
    found = Directory(data, order)
    step = struct.calcsize(layout) + room
    for entry in range(at, at + step * entries, step):
        tag, kind, count = struct.unpack_from(layout, data, entry)
        # If a tag occurs several times, its first entry counts.
        if kind not in SIZES or tag in found.fields:
            continue
        start = entry + step - room
        if SIZES[kind] * count > room:
            (start,) = struct.unpack_from(order + wide, data, start)
        found.fields[tag] = Field(kind, count, start)
    return found
