# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a ZIP of a mesh and its textures into the mesh file's own folder, and clear it up again.

An archive is a stranger's: its names, sizes and kinds of entries are judged before a byte of it is
written, and the bytes are counted while they are. Nothing here imports bpy.
"""

from __future__ import annotations

import lzma
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from .refusal import OTHER_FORMAT, Refusal
from .sniffing import BEGIN, format_of

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

_FORBIDDEN = frozenset('<>:"|?*\\')


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
    folder = Path(tempfile.mkdtemp(prefix=".unpacked-", dir=Path(path).parent))
    try:
        _unpack(path, folder)
        yield str(_mesh_in(folder)), str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(path: str, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not _is_idle(entry)]
            _check_entries(entries)
            left = MAX_BYTES
            for entry in entries:
                left -= _write(archive, entry, folder.joinpath(*_parts(entry.filename)), left)
    except DAMAGED as error:
        raise _refused("is damaged or of a kind that is not read") from error


def _is_idle(entry: zipfile.ZipInfo) -> bool:
    """Say whether an entry is a folder, or what macOS adds to archives."""
    return entry.is_dir() or entry.filename.startswith("__MACOSX/")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _refused(f"holds {len(entries):,} files, more than {MAX_ENTRIES:,}")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise _refused(f"unpacks to more than {MAX_BYTES // 1024**3} GB")
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _refused("holds a link or a device, and not only files")
        if entry.flag_bits & 1:
            raise _refused("is locked with a password")
        if entry.file_size > SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
            raise _refused("unpacks to far more than any mesh or texture does")
        _parts(entry.filename)


def _parts(name: str) -> tuple[str, ...]:
    """Return an entry's name in parts; raise Refusal if it leads anywhere but down."""
    path = PurePosixPath(name)
    is_plain = not path.is_absolute() and len(path.parts) <= 16 and len(name) <= 512
    if not is_plain or not path.parts or any(not _is_plain(part) for part in path.parts):
        raise _refused("holds a file that would be written outside of its folder")
    return path.parts


def _is_plain(part: str) -> bool:
    """Say whether a name is a file's on every system, and no way up or elsewhere."""
    if part != part.rstrip(". ") or not part.isprintable() or _FORBIDDEN & set(part):
        return False
    return len(part.encode("utf-8", "replace")) <= 200


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Unpack one entry, of two with the same name the first; return how many bytes it took."""
    if target.exists():
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as packed, target.open("xb") as file:
        while piece := packed.read(PIECE):
            written += len(piece)
            if written > left:
                raise _refused(f"unpacks to more than {MAX_BYTES // 1024**3} GB")
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
    raise _refused("holds no mesh that Blender reads")


def _format(path: Path) -> str:
    if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".mtl"):
        return ""
    with path.open("rb") as file:
        return format_of(file.read(BEGIN), path.stat().st_size) or ""


def _refused(what: str) -> Refusal:
    return Refusal("bad_mesh", f"The archive {what}.", OTHER_FORMAT)
