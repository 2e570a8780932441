# SPDX-License-Identifier: GPL-3.0-or-later
"""Detects blank PNGs, quickly even without NumPy, because most row filters need not be undone.

Each row of a PNG is stored as differences from the values that its filter predicts. An image of one
color has the same few differences everywhere, so rows are compared as stored, at memory speed. Only
palettes and pixels smaller than a byte are decoded, until two colors are found.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .png import chunks
from .png_unfilter import average, paeth, unfilter_row

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PALETTE, GRAY_ALPHA, COLOR_ALPHA = 3, 4, 6
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip
"""For each pass of an interlaced image: its first column and row, and the steps between pixels."""
# Levels by which the compression noise of a one-color JPEG changes pixels at most.
NEAR = 8
AROUND = [bytes((value + step) % 256 for step in range(-NEAR, NEAR + 1)) for value in range(256)]
"""For each difference, the differences within `NEAR` of it."""
# Bytes decompressed at a time: a PNG of 1 MB can decompress to 1 GB.
BLOCK = 1 << 18


class Blank(StrEnum):
    """Whether an image is blank, that is, fully transparent or of one color.

    MAYBE: the colors differ by no more than compression noise; only decoding the image can tell.
    """

    NO = "no"
    MAYBE = "maybe"
    TRANSPARENT = "transparent"
    ONE_COLOR = "one_color"


@dataclass(frozen=True, slots=True)
class Layout:
    """The pixel layout of a PNG: sides in pixels, bits per channel, and the color type as `kind`.

    `colors` is the palette (PLTE) and `opacity` the alpha of its colors (tRNS), as stored.
    """

    width: int
    height: int
    depth: int
    kind: int
    interlaced: bool
    colors: bytes
    opacity: bytes

    @property
    def step(self) -> int:
        """Bytes from one pixel to the next; 1 if several pixels share a byte."""
        return max(1, self.depth * CHANNELS[self.kind] // 8)

    def passes(self) -> Iterator[tuple[int, int]]:
        """Yield (bytes per row, number of rows) for each pass that has pixels.

        The bytes do not include the filter type. An image that is not interlaced has one pass.
        """
        steps = PASSES if self.interlaced else ((0, 0, 1, 1),)
        for x, y, across, down in steps:
            columns = (self.width - x + across - 1) // across
            rows = (self.height - y + down - 1) // down
            if columns > 0 and rows > 0:
                yield (columns * self.depth * CHANNELS[self.kind] + 7) // 8, rows


def blank_png(data: bytes) -> Blank:
    """Return whether a PNG is fully transparent, or has only one color or almost one.

    Raises ValueError, or another error in `DAMAGED`, if the file is damaged.
    """
    layout = _layout(data)
    by_pixel = layout.kind == PALETTE or layout.depth < 8
    watched: _Rows = _Pixels(layout) if by_pixel else _Differences(layout)
    stored = _unpack_rows(data)
    held = bytearray()
    for length, rows in layout.passes():
        watched.start(length)
        for _ in range(rows):
            while len(held) <= length:
                held += next(stored, b"") or _too_short()
            if not watched.decided:
                watched.row(bytes(held[: length + 1]))
            del held[: length + 1]
    return watched.verdict()


def _layout(data: bytes) -> Layout:
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    tables = {name: data[at : at + length] for name, at, length in chunks(data) if name != b"IDAT"}
    if kind not in CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise ValueError("unknown pixel format")
    colors, opacity = tables.get(b"PLTE", b""), tables.get(b"tRNS", b"")
    return Layout(width, height, depth, kind, bool(interlaced), colors, opacity)


def _unpack_rows(data: bytes) -> Iterator[bytes]:
    """Yield the decompressed rows in chunks of at most `BLOCK` bytes.

    Raises ValueError if they cannot be decompressed.
    """
    unpacker, whole = zlib.decompressobj(), memoryview(data)
    try:
        for name, at, length in chunks(data):
            packed: bytes | memoryview = whole[at : at + length] if name == b"IDAT" else b""
            while packed and not unpacker.eof:
                piece = unpacker.decompress(packed, BLOCK)
                if piece:
                    yield piece
                packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise ValueError("pixels") from error


def _too_short() -> bytes:
    raise ValueError("too few pixels")


class _Rows:
    """Observes an image's rows. `decided` is True once the image is certainly not blank."""

    decided = False

    def start(self, length: int) -> None:
        """Start a pass whose rows have `length` bytes."""

    def row(self, stored: bytes) -> None:
        """Observe a row: its filter type and the filtered bytes."""

    def verdict(self) -> Blank:
        """Return the result for the whole image."""
        return Blank.NO


class _Differences(_Rows):
    """Compares pixels that have whole bytes, in their filtered form."""

    def __init__(self, layout: Layout) -> None:
        self._step = step = layout.step
        wide = layout.depth // 8
        has_alpha = layout.kind in (GRAY_ALPHA, COLOR_ALPHA)
        self._alpha = range(step - wide, step) if has_alpha else range(0)
        # Only for 8 bits: similar colors are compared by bytes, and 16-bit values have two.
        self._is_clear, self._is_one, self._is_near = has_alpha, True, layout.depth == 8
        self._color = b""
        self._is_first, self._pixels = True, 0

    def start(self, length: int) -> None:
        """Start a pass; its first row has no row above."""
        self._is_first, self._pixels = True, length // self._step

    def row(self, stored: bytes) -> None:
        """Compare a row with a row of the first pixel's color, and its alpha with zero."""
        self._color = self._color or stored[1 : 1 + self._step]
        if self._is_clear:
            self._is_clear = not any(any(stored[1 + at :: self._step]) for at in self._alpha)
        if self._is_one or self._is_near:
            start, rest = _differences(stored[0], self._color, is_first=self._is_first)
            self._is_one = self._is_one and stored[1:] == start + rest * (self._pixels - 1)
            self._is_near = self._is_near and (self._is_one or self._near(stored, start, rest))
        self._is_first = False
        self.decided = not (self._is_clear or self._is_one or self._is_near)

    def _near(self, stored: bytes, start: bytes, rest: bytes) -> bool:
        step = self._step
        return all(
            stored[1 + at] in AROUND[start[at]]
            and not stored[1 + step + at :: step].translate(None, AROUND[rest[at]])
            for at in range(step)
        )

    def verdict(self) -> Blank:
        """Return the result for the whole image."""
        if self._is_clear:
            return Blank.TRANSPARENT
        if self._is_one:
            return Blank.ONE_COLOR
        return Blank.MAYBE if self._is_near else Blank.NO


def _differences(filter_: int, color: bytes, *, is_first: bool) -> tuple[bytes, bytes]:
    """Return the filtered bytes of a one-color row: of its first pixel, and of each later pixel.

    `filter_` is the PNG filter type. `is_first`: it is the first row of a pass. Raises ValueError
    for an unknown filter.
    """
    nothing = bytes(len(color))
    above = nothing if is_first else color
    match filter_:
        case 0:
            return color, color
        case 1:
            return color, nothing
        case 2:
            return _less(color, above), _less(color, above)
        case 3:
            halves = bytes(map(average, nothing, above)), bytes(map(average, color, above))
            return _less(color, halves[0]), _less(color, halves[1])
        case 4:
            guesses = bytes(map(paeth, color, above, above))
            return _less(color, bytes(map(paeth, nothing, above, nothing))), _less(color, guesses)
    raise ValueError("unknown filter type")


def _less(color: bytes, guess: bytes) -> bytes:
    return bytes((value - other) % 256 for value, other in zip(color, guess, strict=True))


class _Pixels(_Rows):
    """Decodes palette indices and pixels smaller than a byte, until two colors are found."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._seen: set[int] = set()
        self._above = b""

    def start(self, length: int) -> None:
        """Start a pass; its first row has no row above."""
        self._above = bytes(length)

    def row(self, stored: bytes) -> None:
        """Decode a row, and collect its colors."""
        self._above = unfilter_row(stored, self._above, 1)
        self._seen.update(self._values(self._above))
        shown = {self._color_of(value) for value in self._seen}
        visible = any(opacity for _, opacity in shown)
        self.decided = visible and len(shown) > 1

    def _values(self, row: bytes) -> set[int]:
        depth = self._layout.depth
        if depth == 8:
            return set(row)
        whole = {byte >> shift & (1 << depth) - 1 for byte in set(row[:-1])
                 for shift in range(0, 8, depth)}  # fmt: skip
        # The last byte may end with padding; only its first pixel certainly exists.
        return whole | {row[-1] >> 8 - depth}

    def _color_of(self, value: int) -> tuple[bytes, int]:
        if self._layout.kind != PALETTE:
            return bytes((value,)), 255
        opacity = self._layout.opacity[value : value + 1] or b"\xff"
        return self._layout.colors[3 * value : 3 * value + 3], opacity[0]

    def verdict(self) -> Blank:
        """Return the result for the whole image."""
        shown = {self._color_of(value) for value in self._seen}
        if not any(opacity for _, opacity in shown):
            return Blank.TRANSPARENT
        return Blank.ONE_COLOR if len(shown) == 1 else Blank.NO
