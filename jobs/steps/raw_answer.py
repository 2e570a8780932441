# SPDX-License-Identifier: GPL-3.0-or-later
"""The raw answer to an order: saved before it is parsed, and kept until its ticket is saved.

It is saved in the job's folder as `answer.http`. If the folder is not writable, others are tried;
as a last resort, the answer stays in memory as long as this process lives.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ...providers import Message
from ..disk.plain_files import sync_folder
from ..library.file_names import ANSWER, ANSWER_SUFFIX

if TYPE_CHECKING:
    from ...providers._shared.http.reply import Reply

NAME, SUFFIX, VERSION = ANSWER, ANSWER_SUFFIX, "HTTP/1.1"
LONGEST_HEAD = 64 * 1024
LONGEST = 512 * 1024 * 1024
"""Maximum size of a saved answer, in bytes; the connection itself accepts less."""
PIECE = 1024 * 1024

_in_memory: dict[str, bytes] = {}
"""Answers that could not be saved on any disk, by the path of their job's folder."""


class RawAnswer:
    """Records the raw answer to one job's order; `Http.submit` calls it on the order's thread.

    `sent`: the order was handed to the connection. `status`: the HTTP status, None without an
    answer. `whole`: the answer is complete. `place`: the answer's file, None if it is in memory.
    """

    def __init__(self, folder: Path, job: str) -> None:
        self._folder = folder
        self._job = job
        self._places = self._open_places()
        self._file: BinaryIO | None = None
        self._size = 0
        self.sent = False
        self.status: int | None = None
        self.whole = False
        self.place: Path | None = None
        self._start = b""

    # -- recording -------------------------------------------------------------------------------

    def sending(self) -> None:
        """Record that the order is about to be handed to the connection."""
        self.sent = True

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Start saving an answer, which replaces the answer to an earlier attempt."""
        self.drop()
        self.status, self.whole, self._start = status, False, b""
        self._places, self._size = self._open_places(), 0
        self._next_place()
        lines = [f"{VERSION} {status}", *(f"{name}: {value}" for name, value in headers.items())]
        # Truncated, so that `read` finds the blank line within `LONGEST_HEAD`.
        head = "\r\n".join(lines).encode("utf-8", "replace")[: LONGEST_HEAD - 4]
        self._write(head + b"\r\n\r\n")

    def add(self, piece: bytes) -> None:
        """Save the next piece of the body."""
        self._start = self._start or piece.lstrip()[:1]
        self._write(piece)

    def end(self, *, whole: bool) -> None:
        """Flush the answer to disk, and close its file. `whole`: the answer is complete."""
        self.whole = whole
        while self._file is not None:
            try:
                _sync_file(self._file, self.place)
            except OSError:
                self._next_place()
            else:
                break
        self._close()

    @property
    def is_object(self) -> bool:
        """Whether the body begins like a JSON object: services send those, gateways do not."""
        return self._start == b"{"

    # -- reading ---------------------------------------------------------------------------------

    def find(self) -> bool:
        """Find an answer that an earlier attempt or process saved; return whether there is one."""
        if str(self._folder) in _in_memory:
            return True
        places = [*_files(self._folder, f"{NAME}*{SUFFIX}")]
        for other in _elsewhere():
            places += _files(other, f"{_prefix(self._job)}*{SUFFIX}")
        # The newest, in case the answer to an earlier attempt could not be deleted.
        self.place = max(places, key=lambda path: path.stat().st_mtime_ns, default=None)
        return self.place is not None

    def read(self) -> Reply | None:
        """Return the saved answer as a `Reply`; None if it is not an HTTP response."""
        from ...providers._shared.http.reply import reply_of

        data = bytearray(self._bytes())
        end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
        lines = bytes(data[: max(end, 0)]).decode("utf-8", "replace").split("\r\n")
        status = lines[0].partition(" ")[2]
        if end < 0 or not status.isdecimal() or len(status) != 3:
            return None
        pairs = (line.partition(": ") for line in lines[1:])
        headers = {name.lower(): value for name, _, value in pairs}
        del data[: end + 4]
        self.status = int(status)
        return reply_of(int(status), headers, data)

    def drop(self) -> bool:
        """Delete the answer, and return whether it is gone.

        Call this once the answer's ticket is saved, or if it has none.
        """
        self._close()
        _in_memory.pop(str(self._folder), None)
        place, self.place = self.place, None
        try:
            if place is not None:
                place.unlink(missing_ok=True)
        except OSError:
            return False
        return True

    @property
    def sentence(self) -> Message | None:
        """A sentence for the user that says where the answer is saved; None if it is not saved."""
        if self.place is not None and self.place.parent == self._folder:
            return Message(
                "The service's response is saved in the job's folder: {file}.", file=self.place.name
            )
        if self.place is not None:
            return Message("The service's response is saved in {file}.", file=self.place)
        if str(self._folder) in _in_memory:
            return Message(
                "The service's response is kept in memory until this program is closed. Free up "
                "disk space, then resume the job."
            )
        return None

    # -- files -----------------------------------------------------------------------------------

    def _bytes(self) -> bytes:
        if (held := _in_memory.get(str(self._folder))) is not None:
            return held
        if self.place is None:
            return b""
        try:
            with _open_unlinked(self.place) as file:
                return file.read(LONGEST)
        except OSError:
            return b""

    def _write(self, data: bytes) -> None:
        """Write to the current file; if that fails, to the next one that works."""
        remaining = memoryview(data)
        while len(remaining) and self._file is not None:
            try:
                done = self._file.write(remaining)
            except OSError:
                self._next_place()
                continue
            self._size += done
            remaining = remaining[done:]

    def _next_place(self) -> None:
        """Switch to the next file that works, and move the data written so far to it."""
        old, old_place = self._file, self.place
        for file, place in self._places:
            try:
                if old is not None:
                    _copy(old, self._size, file)
            except OSError:
                _remove(file, place)
                continue
            self._file, self.place = file, place
            break
        if old is not None:
            _remove(old, old_place)

    def _open_places(self) -> Iterator[tuple[BinaryIO, Path | None]]:
        """Yield new files and their paths in order of preference; the last is in memory."""
        # "x" creates a new file: no other answer, and no planted link, is ever written to.
        numbered = (f"{NAME}-{number}{SUFFIX}" for number in range(2, 100))
        for name in (f"{NAME}{SUFFIX}", *numbered):
            try:
                # Unbuffered, so that a full disk shows in `write` and not later, in `close`.
                yield (self._folder / name).open("xb+", buffering=0), self._folder / name
            except FileExistsError:
                continue
            except OSError:
                pass
            break
        for other in _elsewhere():
            with contextlib.suppress(OSError):
                handle, path = tempfile.mkstemp(SUFFIX, _prefix(self._job), other)
                yield os.fdopen(handle, "wb+", buffering=0), Path(path)
        yield io.BytesIO(), None

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        if isinstance(file, io.BytesIO):
            _in_memory[str(self._folder)] = file.getvalue()
        with contextlib.suppress(OSError):
            file.close()


def _prefix(job: str) -> str:
    return f"image-to-mesh-{job}-"


def _elsewhere() -> Iterator[Path]:
    """Yield folders that may have free space if the library has none left."""
    candidates: tuple[Callable[[], str | Path], ...] = (
        tempfile.gettempdir,
        lambda: "/var/tmp",  # often on another disk than /tmp, and kept across restarts
        Path.home,
    )
    seen = set()
    for candidate in candidates:
        with contextlib.suppress(OSError, RuntimeError):
            folder = Path(candidate())
            if folder.is_dir() and folder not in seen:
                seen.add(folder)
                yield folder


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return this user's plain files that match a pattern, of at most `LONGEST` bytes.

    Other users' files are left out, because anybody may have put them into a shared folder.
    """
    found = []
    with contextlib.suppress(OSError):
        for path in folder.glob(pattern):
            status = path.lstat()
            mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
            if mine and stat.S_ISREG(status.st_mode) and status.st_size <= LONGEST:
                found.append(path)
    return found


def _open_unlinked(path: Path) -> BinaryIO:
    """Open a file for reading. Raises OSError if it is a link, or cannot be opened."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags), "rb")


def _copy(source: BinaryIO, size: int, target: BinaryIO) -> None:
    source.seek(0)
    while size > 0 and (piece := source.read(min(size, PIECE))):
        size -= len(piece)
        remaining = memoryview(piece)
        while len(remaining):  # unbuffered files may write less than they are given
            remaining = remaining[target.write(remaining) :]


def _remove(file: BinaryIO, place: Path | None) -> None:
    with contextlib.suppress(OSError):
        file.close()
    if place is not None:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)


def _sync_file(file: BinaryIO, place: Path | None) -> None:
    if place is None:
        return
    # The file, then its entry in the folder: after a power cut, both must be there.
    os.fsync(file.fileno())  # guard: answer-reaches-the-disk
    sync_folder(place.parent.resolve())
