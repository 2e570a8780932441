# SPDX-License-Identifier: GPL-3.0-or-later
"""Safe file access in folders that others may write to: only plain files, and never through links.

Data is written to a new file with a random name, which then replaces the target. If the target is a
link, the link is replaced, and the file it points to is untouched.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ...providers import Message

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS  # a pipe must not wait for a writer
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
_REPARSE_POINT = 0x400
"""FILE_ATTRIBUTE_REPARSE_POINT, which Windows sets for links and junctions."""

SIDE = re.compile(r"\.[0-9a-f]{12}\.new")
"""Matches the names of files that are still being written; see `side_name`."""


def side_name() -> str:
    """Return a random hidden name for a file that is about to be renamed or removed."""
    return f".{secrets.token_hex(6)}.new"


def read_plain(path: Path, limit: int) -> bytes:
    """Return the content of a plain file of at most `limit` bytes.

    Raises OSError if the file is larger, or if `open_plain` cannot open it.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(limit + 1) if size <= limit else b""
    if max(size, len(data)) > limit:  # guard: size-of-plain-files
        raise OSError(
            errno.EFBIG,
            Message("it is too large ({size} MB)", size=f"{max(size, len(data)) / 1e6:.3g}"),
        )
    return data


def open_plain(path: Path) -> io.BufferedReader:
    """Open a plain file for reading; neither it nor its folder may be a link.

    Raises OSError for links, pipes, devices, and folders, without waiting for any of them.
    """
    with _open_folder(path.parent) as (handle, prefix):
        try:
            descriptor = os.open(prefix + path.name, _READ, dir_fd=handle)
        except OSError as error:
            raise _with_clear_reason(path, error) from error
    try:
        # Checked on the open file: a path could be replaced between its check and its opening.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # guard: only-plain-files
            raise OSError(errno.EINVAL, "it is not a file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def is_plain(path: Path) -> bool:
    """Return whether a path is a regular file, not a link to one."""
    try:
        return stat.S_ISREG(_mode_of(path))
    except OSError:
        return False


def is_plain_up_to(path: Path, limit: int) -> bool:
    """Return whether a path is a regular file of at most `limit` bytes, not a link to one."""
    try:
        return is_plain(path) and path.lstat().st_size <= limit
    except OSError:
        return False


def is_plain_folder(path: Path) -> bool:
    """Return whether a path is a folder, not a link to one."""
    try:
        return stat.S_ISDIR(_mode_of(path))
    except OSError:
        return False


def write_whole(path: Path, data: bytes | bytearray) -> None:
    """Write a file atomically: after a crash it has its old or its new content, never a mix.

    Raises OSError, for example if the folder is a link.
    """
    with new_file(path) as file:
        file.write(data)


def copy_plain(source: Path, target: Path, limit: int | None = None) -> None:
    """Copy a plain file atomically.

    Raises OSError if that fails, or if the file has more than `limit` bytes.
    """
    import shutil

    with open_plain(source) as original:
        if limit is not None and os.fstat(original.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, "it is too large")
        with new_file(target) as file:
            shutil.copyfileobj(original, file, 1 << 20)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[io.BufferedWriter]:
    """Yield a new file to write to, which replaces `path` if the block succeeds.

    If the block fails, the new file is deleted. Raises OSError if the file cannot be written, or
    the folder is a link.
    """
    with _open_folder(path.parent) as (handle, prefix):
        side = prefix + side_name()
        descriptor = os.open(side, _NEW, 0o666, dir_fd=handle)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                # Synced before the rename: ext4 and XFS may write the new name to disk first, and a
                # power cut would then leave an empty file.
                os.fsync(file.fileno())  # guard: record-synced
            _replace(side, prefix + path.name, handle)  # guard: record-renamed
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(side, dir_fd=handle)
            raise
        # A rename changes the folder, not the file: without this a power cut can undo it.
        _sync_handle(handle)  # guard: record-folder-synced


def create_marker(path: Path) -> None:
    """Create an empty file, unless something of that name exists. Raises OSError if that fails."""
    with _open_folder(path.parent) as (handle, prefix), contextlib.suppress(FileExistsError):
        os.close(os.open(prefix + path.name, _NEW, 0o666, dir_fd=handle))


def _sync_handle(handle: int | None) -> None:
    """Flush the entries of an open folder to disk; do nothing if `handle` is None.

    Raises OSError if the disk is full or broken. Other errors are ignored, because some file
    systems cannot sync a folder.
    """
    if handle is None:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk, so that a rename in it survives a power cut.

    Does nothing for a folder that is missing or unreadable. Raises OSError for a disk error, or if
    the folder is a link.
    """
    gone = contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError)
    with gone, _open_folder(folder) as (handle, _):
        _sync_handle(handle)


@contextlib.contextmanager
def _open_folder(folder: Path) -> Iterator[tuple[int | None, str]]:
    """Yield a handle of a folder, and a prefix for file names in it.

    With the handle, file access is not affected if the folder's path is replaced by a link. Windows
    has no such handles: there, the handle is None, and the prefix is the folder's path. Raises
    OSError for a link, or if the folder cannot be opened.
    """
    if sys.platform == "win32" or os.open not in os.supports_dir_fd:
        if not is_plain_folder(folder):
            folder.stat()  # raises FileNotFoundError if it is missing
            raise OSError(errno.ELOOP, "it is a symbolic link")
        yield None, f"{folder}{os.sep}"
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
    except OSError as error:
        raise _with_clear_reason(folder, error) from error
    try:
        yield handle, ""
    finally:
        os.close(handle)


def _mode_of(path: Path) -> int:
    """Return a path's own file mode; 0 for a link or junction. Raises OSError if it is missing."""
    found = path.lstat()
    is_point = getattr(found, "st_file_attributes", 0) & _REPARSE_POINT
    return 0 if is_point or stat.S_ISLNK(found.st_mode) else found.st_mode


def _with_clear_reason(path: Path, error: OSError) -> OSError:
    """Return an OSError that says “it is a symbolic link” if `path` is one, else `error` itself.

    The systems' own messages for this case differ.
    """
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK) and path.is_symlink():
        return OSError(errno.ELOOP, "it is a symbolic link")
    return error


def _replace(side: str, path: str, handle: int | None) -> None:
    """Rename `side` to `path`, replacing an existing file. Raises OSError if that fails.

    On Windows, retries for a second while another process keeps the file open.
    """
    # For a second in all: virus scanners and backup programs open each new file for a moment.
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
