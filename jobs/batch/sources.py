# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources of a batch: image files, URLs, patterns, folders, and CSV tables of images."""

from __future__ import annotations

import csv
import errno
import glob
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...providers import BadImage, ImageToMeshError, InvalidSettings, Message
from ..disk.file_names import PHOTO_SUFFIXES, expand_user

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff",
                      *PHOTO_SUFFIXES})  # fmt: skip
"""Suffixes of the files in a folder that count as images."""
MAX_TABLE = 64_000_000
"""Maximum size of a table, in bytes."""
VIEWS = ("left", "back", "right")
IMAGE, PROVIDER = "image", "provider"


@dataclass(frozen=True)
class Line:
    """One requested mesh: its image, provider, and settings, as text.

    `image` is a path or URL, and so are the values of `views`, the images of the other views. An
    empty `provider` is the default one. `problem` is set for a source that cannot be read; it is
    reported with the other outcomes.
    """

    image: str
    provider: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    problem: ImageToMeshError | None = None


def read_sources(sources: Sequence[str]) -> list[Line]:
    """Return a line for each image in the sources, without duplicates.

    Relative paths in a table start from its folder. A missing file or unreadable folder becomes a
    line, too. Raises BadImage if there is no line at all, and InvalidSettings for a table that
    cannot be read or is not valid.
    """
    lines = [line for source in sources for line in _read(source)]
    if not lines:
        named = ", ".join(sources)
        raise BadImage(
            f"There is no image in {named}.", "Specify image files, folders, or a CSV table."
        )
    seen = {repr(line): line for line in lines}
    return list(seen.values())


def _read(source: str) -> Iterator[Line]:
    path = expand_user(source)
    if "://" in source:
        yield Line(source)
    elif "\0" in source:
        yield Line(source, problem=BadImage("A file name cannot contain a null character."))
    # An existing file may have these characters in its name: then it is not a pattern.
    elif set("*?[") & set(source) and not os.path.lexists(path):
        yield from _matching(source, path)
    elif path.suffix.lower() == ".csv" and not path.is_dir():
        yield from _table(path)
    elif path.is_dir():
        yield from _folder(path)
    else:
        yield Line(_whole(path))


def _whole(path: Path) -> str:
    """Return the absolute path, with its links resolved if that is possible."""
    try:
        return str(path.resolve())
    except (OSError, RuntimeError, ValueError):
        return str(path.absolute())


def _matching(source: str, pattern: Path) -> Iterator[Line]:
    """Yield the lines of all paths that match a pattern, or a line with a `problem` if none does.

    Patterns arrive here because shells on Windows do not expand them.
    """
    found = sorted(glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - a whole path
    if not found:
        message = Message("No file matches “{source}”.", source=source)
        yield Line(source, problem=BadImage(message, "Check the path."))
    for name in found:
        yield from _read(name)


def _folder(path: Path) -> Iterator[Line]:
    try:
        for file in sorted(path.iterdir(), key=lambda child: child.name):
            # No hidden files: macOS adds a `._photo.jpg` to each photo on other systems' disks.
            if file.suffix.lower() in PICTURES and file.name[0] != "." and file.is_file():
                yield Line(_whole(file))
    except OSError as error:
        why = error.strerror or str(error)
        message = Message("The folder {path} cannot be read: {why}.", path=path, why=why)
        problem = BadImage(message, "Check its permissions.")
        yield Line(str(path), problem=problem)  # guard: unreadable-folders


def _text_of(path: Path) -> str:
    """Return a table's text. Raises InvalidSettings if it is not a readable file in UTF-8."""
    try:
        # Reading a pipe or device might never end.
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is not a file")
        with path.open("rb") as file:
            data = file.read(MAX_TABLE + 1)
        if len(data) > MAX_TABLE:
            raise OSError(errno.EFBIG, f"it is larger than {MAX_TABLE // 10**6} MB")
        # Excel writes a byte order mark, which would become part of the first column's name.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidSettings(
            f"{path} cannot be read: it is not UTF-8.", "Save it as a CSV file in UTF-8."
        ) from error
    except OSError as error:
        raise InvalidSettings(
            f"{path} cannot be read: {error.strerror or error}.",
            "Check the path, or use another file.",
        ) from error


def _table(path: Path) -> Iterator[Line]:
    """Yield the lines of a table with commas, semicolons, or tabs between its columns.

    Skips empty rows. Raises InvalidSettings for a table that cannot be read or is not valid.
    """
    text = _text_of(path)
    head = text.partition("\n")[0]
    # Excel separates columns by semicolons in locales where the comma is the decimal separator.
    between = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    try:
        rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
        _check_head(path, rows.fieldnames)
        if "\0" in text:  # guard: tables-without-null
            raise InvalidSettings(
                f"{path} contains null characters.", "Save it as a CSV file in UTF-8."
            )
        for row in rows:
            if None in row or None in row.values():
                raise InvalidSettings(
                    f"{path}, line {rows.line_num}: the line has too many or too few columns.",
                    "Give it as many columns as the first line; quote text with separators.",
                )
            cells = {name: value.strip() for name, value in row.items() if value.strip()}
            if cells:
                yield _line(path, rows.line_num, cells)
    except csv.Error as error:
        raise InvalidSettings(
            f"{path}, line {rows.line_num}: the line is not valid CSV ({error}).",
            "Correct the line.",
        ) from error


def _check_head(path: Path, names: Sequence[str]) -> None:
    if IMAGE not in names:
        raise InvalidSettings(
            f"{path} has no column “{IMAGE}”.",
            "The first line must name the columns: image, provider…",
        )
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InvalidSettings(
            f"{path} has more than one column “{min(twice)}”.", "Use each column name only once."
        )


def _line(path: Path, number: int, cells: dict[str, str]) -> Line:
    if IMAGE not in cells:
        raise InvalidSettings(
            f"{path}, line {number}: the image column is empty.", "Fill in the row, or remove it."
        )
    views = {view: _beside_table(path, cells.pop(view)) for view in VIEWS if view in cells}
    image, provider = _beside_table(path, cells.pop(IMAGE)), cells.pop(PROVIDER, "")
    return Line(image, provider, cells, views)


def _beside_table(table: Path, image: str) -> str:
    return image if "://" in image else _whole(table.parent / expand_user(image))
