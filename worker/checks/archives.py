# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a ZIP of a mesh and its textures into a temporary folder, and clear it up again.

An archive is a stranger's: its names, sizes and kinds of entries are judged before a byte of it is
written, and the bytes are counted while they are. Files get names that are harmless everywhere;
only what would lead out of the folder is refused. The folder is in the background Blender's own
one, which is taken away with it even if it is killed. Nothing here imports bpy.
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
from .companion_files import PREFIX, harmless
from .mesh_format import BEGIN, format_of

MAX_ENTRIES = 2000
MAX_BYTES = 4 * 1024**3
MAX_RATIO = 250
SMALL = 16 * 1024 * 1024
"""Below this many bytes nobody asks how well an entry is packed."""
PIECE = 1024 * 1024
FORMATS = ("glb", "gltf", "fbx", "obj", "ply", "stl")
"""What an archive's mesh is, where it holds several: the first that is there."""

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
"""What the standard library raises for an archive that is not what its list says."""

LEVELS = 12
"""So many folders at most stand in each other; of a deeper path the end counts."""
_DRIVE = re.compile(r"\A[A-Za-z]:")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_UTF_8 = 0x800


@contextmanager
def unpacked(path: str) -> Iterator[tuple[str, str]]:
    """Give the mesh file in an archive, and the folder that is its own, while the block lasts.

    What is no archive is given as it is, with the folder it is in. Raise Refusal for an archive
    that wants out of its folder, or that would fill the disk, or that holds no mesh.
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
            entries = [entry for entry in archive.infolist() if not _is_idle(entry)]
            _check_entries(entries)
            _check_room(folder, sum(entry.file_size for entry in entries))
            left = MAX_BYTES
            for entry in entries:
                left -= _write(archive, entry, folder.joinpath(*_parts(_name(entry))), left)
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise _no_room() from error
        raise _refused("The archive is damaged or of a kind that is not read.") from error


def _check_room(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed:  # guard: room-to-unpack
        raise _no_room()


def _no_room() -> Refusal:
    what = Message(
        "There is no room to unpack the archive in “{folder}”.",
        folder=tempfile.gettempdir(),
    )
    return Refusal("failed", what, "Make room on that disk, and try again.")


def _name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name with slashes: many programs write UTF-8 and do not say so."""
    name = entry.filename
    if not entry.flag_bits & _UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_idle(entry: zipfile.ZipInfo) -> bool:
    """Say whether an entry is a folder, or what macOS adds to archives."""
    name = _name(entry)
    return name.endswith("/") or name.startswith("__MACOSX/")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _refused(
            Message(
                "The archive holds {count} files, more than {limit}.",
                count=f"{len(entries):,}",
                limit=f"{MAX_ENTRIES:,}",
            )
        )
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise _refused(
            Message("The archive unpacks to more than {size} GB.", size=MAX_BYTES // 1024**3)
        )
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _refused("The archive holds a link or a device, and not only files.")
        if entry.flag_bits & 1:
            raise _refused("The archive is locked with a password.")
        if entry.file_size > SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
            raise _refused("The archive unpacks to far more than any mesh or texture does.")
        _parts(_name(entry))


def _parts(name: str) -> tuple[str, ...]:
    """Return a name in harmless parts; raise Refusal if it leads out of the folder.

    Drives and roots are left out, as all programs do that unpack archives.
    """
    parts: list[str] = []
    for part in _DRIVE.sub("", name, count=1).split("/"):
        if part.strip() == "..":
            if not parts:  # guard: archive-stays-in-its-folder
                raise _refused(
                    "The archive holds a file that would be written outside of its folder."
                )
            parts.pop()
        elif part not in ("", "."):
            parts.append(harmless(part))
    return tuple(parts[-LEVELS:]) or ("_",)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Unpack one entry, of two with the same name the first; return how many bytes it took."""
    if target.exists() or any(above.is_file() for above in target.parents):
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as packed, target.open("xb") as file:
        while piece := packed.read(PIECE):
            written += len(piece)
            if written > left:
                raise _refused(
                    Message(
                        "The archive unpacks to more than {size} GB.", size=MAX_BYTES // 1024**3
                    )
                )
            file.write(piece)
    return written


def _mesh_in(folder: Path) -> Path:
    """Return the archive's mesh, told by content; of several in one format the largest."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.setdefault(_format(path), []).append(path)
    for format_ in FORMATS:
        if format_ in found:
            return max(found[format_], key=lambda path: path.stat().st_size)
    raise _refused("The archive holds no mesh that Blender reads.")


def _format(path: Path) -> str:
    if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".mtl"):
        return ""
    with path.open("rb") as file:
        return format_of(file.read(BEGIN), path.stat().st_size) or ""


def _refused(message: str) -> Refusal:
    return Refusal("bad_mesh", message, OTHER_FORMAT)
