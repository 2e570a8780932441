# SPDX-License-Identifier: GPL-3.0-or-later
"""JPEG (ITU T.81, JFIF, Exif): reads the header and removes metadata.

Files are read as libjpeg reads them, which Blender and the services use: bytes between two segments
are skipped, and the image ends at its first EOI marker.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .exif import PREFIX, block_of, orientation_in
from .values import PictureInfo

APP0, APP1, APP2, APP14, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
SCAN, END = 0xDA, 0xD9
SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
NOTES = frozenset({*range(0xE0, 0xF0), COMMENT})
"""Markers of metadata: APP0 to APP15 and comments."""
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length field."""
JFIF, ADOBE, PROFILE = b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"
ADOBE_SIZE = 12
"""Bytes of the Adobe segment; the last one is the color transform."""
# A segment has at most 65,535 bytes, including its length, the profile's name and piece numbers.
LARGEST_PIECE = 65_519
EMPTY_COMMENT = b"\xff\xfe\0\x02"

_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_BEHIND_SCAN = re.compile(rb"\xff[\xc0-\xc7\xc9-\xcf\xd8-\xef\xfe]")
"""Matches a marker that ends a scan. Restart markers and stuffed bytes belong to the scan."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its marker, and where its contents start and end, including a scan's data.

    `loose`: bytes that are not a marker follow it.
    """

    marker: int
    start: int
    end: int
    loose: bool = False


def is_jpeg(data: bytes) -> bool:
    """Return whether a file starts like a JPEG."""
    return data.startswith(b"\xff\xd8\xff")


def read_jpeg(data: bytes) -> PictureInfo:
    """Read the header of a JPEG. Raises an error in `DAMAGED` for a damaged or truncated file."""
    width = height = 0
    orientation, scanned = 0, False
    for part in segments(data):
        if part.marker in SIZES and not width:
            height, width = struct.unpack(">HH", data[part.start + 1 : part.start + 5])
        elif part.marker == APP1 and data[part.start : part.start + 6] == PREFIX and not scanned:
            # Exif data too long for one segment continues in others, which begin the same way.
            orientation = orientation or orientation_in(
                data[part.start + 6 : part.end]
            )  # guard: first-orientation-counts
        elif part.marker == SCAN:
            scanned = True
            if not width:
                raise ValueError("the size is missing")
    return PictureInfo("jpeg", width, height, orientation or 1)


def segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments up to the end marker.

    Raises an error in `DAMAGED` for a damaged file, or a truncated one, in which no end marker
    follows a scan. The end marker of a thumbnail, inside a segment, does not count.
    """
    at, scanned = 2, False
    while True:
        found = _MARKER.search(data, at)
        if found is None:
            raise ValueError("the end marker is missing")
        marker, at = found[1][0], found.end()
        if marker in ALONE:
            continue
        if marker == END:
            if not scanned:
                raise ValueError("the scan is missing")
            return
        (length,) = struct.unpack(">H", data[at : at + 2])
        start, at = at + 2, at + length
        if length < 2 or at > len(data):
            raise ValueError("a segment is truncated")
        if marker == SCAN:
            scanned = True
            behind = _BEHIND_SCAN.search(data, at)
            if behind is None:
                raise ValueError("the end marker is missing")
            at = behind.start()
        yield Segment(marker, start, at, loose=not _MARKER.match(data, at))


def clean_jpeg(data: bytes, info: PictureInfo) -> bytes:
    """Return the file without metadata segments, except for profile and orientation.

    Of the JFIF and Adobe segments, only what decoders need is kept. Bytes after the end marker are
    removed.
    """
    whole = memoryview(data)
    head, pieces = [b"\xff\xd8"], list[bytes | memoryview]()
    scanned = False
    for part in segments(data):
        scanned = scanned or part.marker == SCAN
        contents = data[part.start : part.end] if part.marker in NOTES else b""
        if part.marker == APP0 and contents.startswith(JFIF) and len(head) == 1:
            head.append(_segment(APP0, contents[:12].ljust(12, b"\0") + b"\0\0"))
        elif part.marker == APP14 and _is_adobe(contents):
            # Decoders accept a longer segment as well, but read only these bytes of it.
            pieces.append(_segment(APP14, contents[:ADOBE_SIZE]))  # guard: jpeg-adobe-mark-stays
        elif _goes(part.marker, contents):  # guard: jpeg-notes-go
            if scanned and part.loose:
                # A decoder ends the scan at this marker and skips the bytes after it: a marker must
                # remain, so that it does the same with the cleaned file.
                pieces.append(EMPTY_COMMENT)
        else:
            pieces += [bytes((0xFF, part.marker)), whole[part.start - 2 : part.end]]
    if info.orientation != 1:  # guard: jpeg-orientation-stays
        head.append(_segment(APP1, PREFIX + block_of(info.orientation)))
    return b"".join([*head, *pieces, b"\xff\xd9"])


def _goes(marker: int, contents: bytes) -> bool:
    """Return whether a segment is metadata to remove; a color profile is to be kept."""
    if marker == APP2:
        return not contents.startswith(PROFILE)
    return marker in NOTES


def _is_adobe(contents: bytes) -> bool:
    """Return whether these are the contents of Adobe's segment, which defines the channels."""
    return contents.startswith(ADOBE) and len(contents) >= ADOBE_SIZE


def _segment(marker: int, contents: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(contents) + 2) + contents


def profile_of_jpeg(data: bytes) -> bytes:
    """Return the color profile, joined from its segments.

    Return empty bytes without a profile, or if a piece of it is missing.
    """
    pieces: dict[int, bytes] = {}
    count = 0
    for part in segments(data):
        contents = data[part.start : part.end] if part.marker == APP2 else b""
        if contents.startswith(PROFILE) and len(contents) > len(PROFILE) + 2:
            number, count = contents[len(PROFILE) : len(PROFILE) + 2]
            pieces[number] = contents[len(PROFILE) + 2 :]
    if sorted(pieces) != list(range(1, count + 1)):
        return b""
    return b"".join(pieces[number] for number in sorted(pieces))


def jpeg_with_profile(data: bytes, profile: bytes) -> bytes:
    """Return a JPEG with a color profile added. The JPEG must not have one yet."""
    pieces = [
        profile[at : at + LARGEST_PIECE - 2] for at in range(0, len(profile), LARGEST_PIECE - 2)
    ]
    profile_segments = b"".join(
        _segment(APP2, PROFILE + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, 1)
    )
    # After the JFIF segment, which has to be the first; without one, right after the SOI marker.
    (at,) = struct.unpack(">H", data[4:6]) if data[3] == APP0 else (-2,)
    return data[: at + 4] + profile_segments + data[at + 4 :]
