# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to an order as it came: on disk before anybody reads it, until its ticket is safe.

It lies in the job's folder as `answer.http`. Where that cannot be written to, it goes to another
folder of the user's, and at last it stays in memory for as long as this process lives.
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
"""Bytes of a file that can be such an answer; the connection takes less."""
PIECE = 1024 * 1024

_in_memory: dict[str, bytes] = {}
"""Answers that no disk had room for, by their job's folder."""


class RawAnswer:
    """The answers to one job's order. `Http.submit` hands on what comes, on the thread that orders.

    `sent`: the order was handed to the connection. `status`: what was answered, None without an
    answer. `place`: the file it is kept in, None while there is none, or only memory has it.
    """

    def __init__(self, folder: Path, job: str) -> None:
        self._folder = folder
        self._job = job
        self._places = self._rooms()
        self._file: BinaryIO | None = None
        self._size = 0
        self.sent = False
        self.status: int | None = None
        self.whole = False
        self.place: Path | None = None
        self._start = b""

    # -- what comes ------------------------------------------------------------------------------

    def sending(self) -> None:
        """Note that the order is handed to the connection now."""
        self.sent = True

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Start with an answer; an earlier one, after which the order was sent again, goes."""
        self.drop()
        self.status, self.whole, self._start = status, False, b""
        self._places, self._size = self._rooms(), 0
        self._next_place()
        lines = [f"{VERSION} {status}", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join(lines).encode("utf-8", "replace")[: LONGEST_HEAD - 4]
        self._write(head + b"\r\n\r\n")

    def add(self, piece: bytes) -> None:
        """Take what came next of its body."""
        self._start = self._start or piece.lstrip()[:1]
        self._write(piece)

    def end(self, *, whole: bool) -> None:
        """Bring what came to the disk itself."""
        self.whole = whole
        while self._file is not None:
            try:
                _settle_file(self._file, self.place)
            except OSError:
                self._next_place()
            else:
                break
        self._close()

    @property
    def is_object(self) -> bool:
        """Whether a JSON object came, as services send and gateways do not."""
        return self._start == b"{"

    # -- what was kept ---------------------------------------------------------------------------

    def find(self) -> bool:
        """Look for an answer that an earlier attempt, or an earlier process, has kept."""
        if str(self._folder) in _in_memory:
            return True
        places = [*_files(self._folder, f"{NAME}*{SUFFIX}")]
        for other in _elsewhere():
            places += _files(other, f"{_prefix(self._job)}*{SUFFIX}")
        self.place = max(places, key=lambda one: one.stat().st_mtime_ns, default=None)
        return self.place is not None

    def read(self) -> Reply | None:
        """Read it as the connection would have; None for a file that is no such answer."""
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
        """Forget the answer, whose ticket is safe or which brought none; say whether it went."""
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
        """Say where it is; None where nothing is kept."""
        if self.place is not None and self.place.parent == self._folder:
            return Message(
                "The service's answer is kept in the job's folder: {file}.", file=self.place.name
            )
        if self.place is not None:
            return Message("The service's answer is kept in {file}.", file=self.place)
        if str(self._folder) in _in_memory:
            return Message(
                "The service's answer is kept in memory until this program ends: make room, then "
                "resume the job."
            )
        return None

    # -- inside ----------------------------------------------------------------------------------

    def _bytes(self) -> bytes:
        if (held := _in_memory.get(str(self._folder))) is not None:
            return held
        if self.place is None:
            return b""
        try:
            with _opened(self.place) as file:
                return file.read(LONGEST)
        except OSError:
            return b""

    def _write(self, data: bytes) -> None:
        """Write to the present place, or to the next that takes it; memory always does."""
        left = memoryview(data)
        while len(left) and self._file is not None:
            try:
                done = self._file.write(left)
            except OSError:
                self._next_place()
                continue
            self._size += done
            left = left[done:]

    def _next_place(self) -> None:
        """Go on in the next place, with what the one before has taken."""
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

    def _rooms(self) -> Iterator[tuple[BinaryIO, Path | None]]:
        numbered = (f"{NAME}-{number}{SUFFIX}" for number in range(2, 100))
        for name in (f"{NAME}{SUFFIX}", *numbered):
            try:
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
    """Yield the folders that may have room when the library has none."""
    candidates: tuple[Callable[[], str | Path], ...] = (
        tempfile.gettempdir,
        lambda: "/var/tmp",
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
    """Return the plain files of this user; others may write to a folder for all."""
    found = []
    with contextlib.suppress(OSError):
        for path in folder.glob(pattern):
            told = path.lstat()
            mine = not hasattr(os, "getuid") or told.st_uid == os.getuid()
            if mine and stat.S_ISREG(told.st_mode) and told.st_size <= LONGEST:
                found.append(path)
    return found


def _opened(path: Path) -> BinaryIO:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags), "rb")


def _copy(source: BinaryIO, size: int, target: BinaryIO) -> None:
    source.seek(0)
    while size > 0 and (piece := source.read(min(size, PIECE))):
        size -= len(piece)
        left = memoryview(piece)
        while len(left):
            left = left[target.write(left) :]


def _remove(file: BinaryIO, place: Path | None) -> None:
    with contextlib.suppress(OSError):
        file.close()
    if place is not None:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)


def _settle_file(file: BinaryIO, place: Path | None) -> None:
    if place is None:
        return
    os.fsync(file.fileno())  # guard: answer-reaches-the-disk
    sync_folder(place.parent.resolve())
