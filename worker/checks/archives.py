# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a ZIP with a mesh and its textures to a temporary folder.

Names, sizes, and kinds of entries are checked before anything is written, and bytes are counted
while unpacking. Names that a system does not allow are changed; a path that leads out of the folder
is refused. The folder lies in the worker's own temporary folder, which is removed even if the
process is killed. No bpy.
"""

from __future__ import annotations

import errno
import lzma
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..refusal import OTHER_FORMAT, Message, Refusal
from .companion_files import PREFIX, portable_name
from .mesh_format import BEGIN, format_of

# A model has dozens of files; more only cost time.
MAX_ENTRIES = 2000
MAX_BYTES = 4 * 1024**3
MAX_RATIO = 250
"""Highest compression ratio of an entry: meshes and textures stay far below, bombs far above."""
SMALL_ENTRY = 16 * 1024 * 1024
"""Entries below this many bytes may have any compression ratio."""
CHUNK_SIZE = 1024 * 1024
FORMATS = ("glb", "gltf", "fbx", "obj", "ply", "stl")
"""The formats in order of preference, for archives with several meshes."""

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
)
"""Exceptions that the standard library raises for damaged archives."""

MAX_DEPTH = 12
"""Maximum number of components of a path; of a longer path, only the last ones are kept."""
_DRIVE = re.compile(r"\A[A-Za-z]:")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_UTF_8 = 0x800
"""General purpose flag: the name is UTF-8 instead of cp437."""


@contextmanager
def unpack_archive(path: str) -> Iterator[tuple[str, str]]:
    """Yield the mesh file in an archive, and the temporary folder to which it is unpacked.

    The folder exists while the block runs. If the file is not an archive, the file and its own
    folder are yielded. Raise Refusal for an archive that is damaged, exceeds a limit, does not fit
    on the disk, contains no mesh, or has an entry that is encrypted, is a link, or lies outside its
    folder.
    """
    with Path(path).open("rb") as file:
        is_archive = file.read(4) == b"PK\x03\x04"
    if not is_archive:
        yield path, str(Path(path).parent)
        return
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}zip-"))
    try:
        _unpack(path, folder)
        yield str(_mesh_in(folder)), str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # guard: unpacked-files-go


def _unpack(path: str, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not _is_ignored(entry)]
            _check_entries(entries)
            _check_room(folder, sum(entry.file_size for entry in entries))
            remaining = MAX_BYTES
            for entry in entries:
                remaining -= _write(
                    archive, entry, folder.joinpath(*_components(_name(entry))), remaining
                )
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            raise _disk_full() from error
        raise _refusal("The archive is damaged, or its compression is not supported.") from error


def _check_room(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed:  # guard: room-to-unpack
        raise _disk_full()


def _disk_full() -> Refusal:
    message = Message(
        "There is not enough disk space in “{folder}” to unpack the archive.",
        folder=tempfile.gettempdir(),
    )
    return Refusal("failed", message, "Free up disk space, then try again.")


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the entry's name, decoded as UTF-8 if possible, with forward slashes.

    Many programs write UTF-8 without setting the flag for it.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_ignored(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a folder, or metadata that macOS adds to archives."""
    name = _name(entry)
    return name.endswith("/") or name.startswith("__MACOSX/")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _refusal(
            Message(
                "The archive contains {count} files; the limit is {limit}.",
                count=f"{len(entries):,}",
                limit=f"{MAX_ENTRIES:,}",
            )
        )
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise _refusal(
            Message("The archive unpacks to more than {size} GB.", size=MAX_BYTES // 1024**3)
        )
    for entry in entries:
        # The upper half holds the Unix mode; it is 0 if the program wrote none.
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _refusal("The archive contains a link or a device instead of a file.")
        if entry.flag_bits & 1:
            raise _refusal("The archive is password-protected.")
        if entry.file_size > SMALL_ENTRY and entry.file_size > MAX_RATIO * entry.compress_size:
            raise _refusal("The archive contains a file with an extreme compression ratio.")
        _components(_name(entry))


def _components(name: str) -> tuple[str, ...]:
    """Return the components of an entry's path, as names that are valid on every system.

    Drives and leading slashes are dropped, as unpacking programs do, and only the last MAX_DEPTH
    components are kept. If none remain, the path is a single underscore. Raise Refusal if “..”
    leads out of the folder.
    """
    components: list[str] = []
    for component in _DRIVE.sub("", name, count=1).split("/"):
        if component.strip() == "..":
            if not components:  # guard: archive-stays-in-its-folder
                raise _refusal("The archive contains a file path that leads out of its folder.")
            components.pop()
        elif component not in ("", "."):
            components.append(portable_name(component))
    return tuple(components[-MAX_DEPTH:]) or ("_",)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, remaining: int) -> int:
    """Unpack an entry and return the number of bytes written.

    If another entry's file is already at the path, or in place of one of its folders, write nothing
    and return 0. Raise Refusal if the entry unpacks to more than `remaining` bytes.
    """
    # Two entries may map to the same name: the first one counts.
    if target.exists() or any(parent.is_file() for parent in target.parents):
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as packed, target.open("xb") as file:
        while piece := packed.read(CHUNK_SIZE):
            # Counted here, since the size that the entry states may be a lie.
            written += len(piece)
            if written > remaining:
                raise _refusal(
                    Message(
                        "The archive unpacks to more than {size} GB.", size=MAX_BYTES // 1024**3
                    )
                )
            file.write(piece)
    return written


def _mesh_in(folder: Path) -> Path:
    """Return the largest file of the preferred format, the first in FORMATS that is in the folder.

    Formats are recognized by content. Raise Refusal if the folder contains no mesh.
    """
    found: dict[str, list[Path]] = {}
    # Sorted, so that of several equal files every system picks the same.
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.setdefault(_format(path), []).append(path)
    for format_ in FORMATS:
        if format_ in found:
            return max(found[format_], key=lambda path: path.stat().st_size)
    raise _refusal("The archive contains no mesh that Blender can read.")


def _format(path: Path) -> str:
    # Skipped unopened: an archive may hold hundreds of these, and none is a mesh.
    if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".mtl"):
        return ""
    with path.open("rb") as file:
        return format_of(file.read(BEGIN), path.stat().st_size) or ""


def _refusal(message: str) -> Refusal:
    return Refusal("bad_mesh", message, OTHER_FORMAT)
