# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in folders that others may write to: only plain ones are opened, and no link is followed.

What is written goes to a new file of a random name, which then takes its place: whatever lies at
that place, a link to a file elsewhere as well, is replaced and never written through.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from ...providers import Message

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS  # a pipe must not wait for a writer
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
_REPARSE_POINT = 0x400
"""What Windows marks links and junctions with."""

SIDE = re.compile(r"\.[0-9a-f]{12}\.new")
"""Names of files that are being written."""


def side_name() -> str:
    """Return a name that nobody has for a file that is gone, or another, in a moment."""
    return f".{secrets.token_hex(6)}.new"


def read_plain(path: Path, limit: int) -> bytes:
    """Return what a plain file of at most `limit` bytes holds; raises OSError for all else."""
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(limit + 1) if size <= limit else b""
    if max(size, len(data)) > limit:  # guard: size-of-plain-files
        raise OSError(
            errno.EFBIG, Message("it has {size} MB", size=f"{max(size, len(data)) / 1e6:.3g}")
        )
    return data


def open_plain(path: Path) -> io.BufferedReader:
    """Open a file to read it, in a folder that is no link.

    Raises OSError for a link, a pipe, a device, a folder: none is followed or waited for.
    """
    with _held(path.parent) as (handle, place):
        try:
            descriptor = os.open(place + path.name, _READ, dir_fd=handle)
        except OSError as error:
            raise _what_it_is(path, error) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # guard: only-plain-files
            raise OSError(errno.EINVAL, "it is no file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def is_plain(path: Path) -> bool:
    """Say whether a path is a file itself, and no link to one."""
    try:
        return stat.S_ISREG(_unfollowed(path))
    except OSError:
        return False


def is_plain_up_to(path: Path, limit: int) -> bool:
    """Say whether a path is a file itself, with at most so many bytes."""
    try:
        return is_plain(path) and path.lstat().st_size <= limit
    except OSError:
        return False


def is_plain_folder(path: Path) -> bool:
    """Say whether a path is a folder itself, and no link to one."""
    try:
        return stat.S_ISDIR(_unfollowed(path))
    except OSError:
        return False


def write_whole(path: Path, data: bytes | bytearray) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part.

    Raises OSError, also where its folder is a link.
    """
    with new_file(path) as file:
        file.write(data)


def copy_plain(source: Path, target: Path, limit: int | None = None) -> None:
    """Copy a plain file, of at most `limit` bytes, whole or not at all; raises OSError."""
    import shutil

    with open_plain(source) as original:
        if limit is not None and os.fstat(original.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, "it has too many bytes")
        with new_file(target) as file:
            shutil.copyfileobj(original, file, 1 << 20)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[io.BufferedWriter]:
    """Give a new file to write to; it takes its place when the block ends well.

    Raises OSError.
    """
    with _held(path.parent) as (handle, place):
        side = place + side_name()
        descriptor = os.open(side, _NEW, 0o666, dir_fd=handle)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                # Before the rename: ext4 and XFS may write the name first and lose the content.
                os.fsync(file.fileno())  # guard: record-synced
            _replace(side, place + path.name, handle)  # guard: record-renamed
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(side, dir_fd=handle)
            raise
        # A rename is in the folder, not in the file: without this a power cut can undo it.
        settle(handle)  # guard: record-folder-synced


def create_marker(path: Path) -> None:
    """Make an empty file if nothing of that name is there; raises OSError."""
    with _held(path.parent) as (handle, place), contextlib.suppress(FileExistsError):
        os.close(os.open(place + path.name, _NEW, 0o666, dir_fd=handle))


def settle(handle: int | None) -> None:
    """See to it that a rename in an open folder outlives a power cut.

    Not every file system can be asked to; raises OSError where the disk is full or broken.
    """
    if handle is None:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise


def sync_folder(folder: Path) -> None:
    """See to it that a rename in a folder outlives a power cut; raises as `settle` does."""
    gone = contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError)
    with gone, _held(folder) as (handle, _):
        settle(handle)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[tuple[int | None, str]]:
    """Hold a folder that is no link, so that none can take its place meanwhile.

    Give its handle, and what names are put behind: systems without handles take whole paths.
    """
    if os.open not in os.supports_dir_fd:
        if not is_plain_folder(folder):
            folder.stat()  # one that is not there says so
            raise OSError(errno.ELOOP, "it is a link")
        yield None, f"{folder}{os.sep}"
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
    except OSError as error:
        raise _what_it_is(folder, error) from error
    try:
        yield handle, ""
    finally:
        os.close(handle)


def _unfollowed(path: Path) -> int:
    """Return a path's mode; 0 for a link."""
    found = path.lstat()
    is_point = getattr(found, "st_file_attributes", 0) & _REPARSE_POINT
    return 0 if is_point or stat.S_ISLNK(found.st_mode) else found.st_mode


def _what_it_is(path: Path, error: OSError) -> OSError:
    """Say of a link that it is one, instead of how the system words it."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK) and path.is_symlink():
        return OSError(errno.ELOOP, "it is a link")
    return error


def _replace(side: str, path: str, handle: int | None) -> None:
    """Rename; on Windows that waits until whoever reads the old file has closed it."""
    for _ in range(20):
        try:
            os.replace(side, path, src_dir_fd=handle, dst_dir_fd=handle)
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(0.05)
        else:
            return
    os.replace(side, path, src_dir_fd=handle, dst_dir_fd=handle)
