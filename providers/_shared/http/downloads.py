# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads of results: gone on with where they broke off, checked before they count.

What has come lies beside the target as `.<name>.part`, and in `.<name>.from` what tells whether the
rest of it may be asked for: a later process, at another address, goes on with the same bytes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import BadMesh, ImageToMeshError, LibraryProblem, Message
from .client import Check, Http, Interrupted, Stream
from .verdicts import AGAIN

log = logging.getLogger(__name__)

MAX_DOWNLOAD = 2 * 1024**3
ROOM_LEFT = 64 * 1024 * 1024
"""Bytes that stay free on the disk: the record must be written all the same."""
ATTEMPTS = 5
"""How often in a row a download may break off without having got anywhere."""
STEP = 256 * 1024
"""Bytes after which it has got somewhere."""
STALL = 60.0
"""Seconds within which so much must come; a slow connection may take as long as it wants."""
STALL_BYTES = 1024
TOLD_EVERY = 0.1
LONGEST_NOTE = 64 * 1024
_UNFOLLOWED = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

GONE = frozenset({400, 401, 403, 404, 410})
"""What addresses answer that have expired: asking the same one again leads nowhere."""

RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
LENGTH = re.compile(r"[0-9]{1,18}")
"""What a server says of a part, and of a length: what has more digits is no file's."""

Told = Callable[[int, int | None], None]
Accept = Callable[[Path], None]


def _no_check() -> None:
    return None


def _untold(_done: int, _total: int | None) -> None:
    return None


def _accepted(_path: Path) -> None:
    return None


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """What to download to where, and what it may be.

    `accept` looks at the whole file before it counts, and raises what is wrong with it.
    `progress` is told bytes and total, `check` raises what ends the job.
    """

    url: str
    target: Path
    limit: int = MAX_DOWNLOAD
    accept: Accept = _accepted
    progress: Told = _untold
    check: Check = _no_check

    @property
    def part(self) -> Path:
        """Where the bytes lie until all are there."""
        return self.target.with_name(f".{self.target.name}.part")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the first bytes of a part file are from: validators, and the total."""

    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def may_go_on(self) -> bool:
        """Whether the rest can be asked for: only what names its version proves to be the same."""
        return bool(self.etag or self.modified)

    def is_same(self, headers: Mapping[str, str]) -> bool:
        """Say whether an answer is of the very file that the first bytes are from."""
        if self.etag:
            return headers.get("etag", "") == self.etag
        return headers.get("last-modified", "") == self.modified

    @property
    def condition(self) -> dict[str, str]:
        """The header that asks for the rest of exactly this file, or else for the whole."""
        validator = self.etag or self.modified
        return {"If-Range": validator} if validator else {}


def download(want: DownloadRequest, http: Http) -> None:
    """Download a result; no key is sent. What has come stays if it breaks off.

    Raises BadMesh if it cannot be had whole, LibraryProblem if it cannot be written, Unreachable
    where Blender is offline, or settings of this computer are in the way.
    """
    attempt, before = 0, _size(want.part)
    while True:
        try:
            _once(want, http)
            return _finish(want)
        except Interrupted as error:
            log.info("download interrupted: %s", error)
            if error.lasting is not None:
                raise error.lasting from error
            if isinstance(error, _Restart):
                forget(want.target)
            now = _size(want.part)
            attempt = 0 if now - before >= STEP else attempt + 1
            before = now
            if attempt >= ATTEMPTS:
                message = Message(
                    "The result cannot be downloaded: {reason}.", reason=error.args[0]
                )
                raise BadMesh(message, AGAIN) from error
        except OSError as error:
            raise _unwritable(error) from error
        http.pause(max(attempt - 1, 0))


def forget(target: Path) -> None:
    """Remove what has come of a file."""
    for path in (target.with_name(f".{target.name}.part"), _beside(target)):
        path.unlink(missing_ok=True)


def _once(want: DownloadRequest, http: Http) -> None:
    have, origin = _size(want.part), _load(want.target)
    if have and not origin.may_go_on:
        have = 0
    if have and have == origin.total:
        return
    asked = {"Range": f"bytes={have}-", **origin.condition} if have else {}
    with http.opened(want.url, asked) as answer:
        have, total = _agreed(answer, have, origin)
        if total is not None and total > want.limit:
            raise BadMesh(f"The result has {total / 1e6:.0f} MB, which is over the limit.")
        _check_room(want.target.parent, total, have)
        if have == 0:
            _keep(want.target, _origin(answer, total))
        _write(want, answer, have, total)
    done = _size(want.part)
    if total is not None and done != total:
        raise Interrupted(f"{done} of {total} bytes came")


def _agreed(answer: Stream, have: int, origin: Origin) -> tuple[int, int | None]:
    """Return from which byte on the answer goes, and how many the whole file has."""
    if answer.status == 416:
        raise _Restart("the rest is not there")
    if answer.status in GONE:
        raise BadMesh(f"The result's address answered {answer.status}.", AGAIN)
    if answer.status not in (200, 206):
        raise Interrupted(f"the server answered {answer.status}")
    if answer.status == 200:
        return 0, _number(answer.headers.get("content-length"), answer)
    told = RANGE.fullmatch(answer.headers.get("content-range", ""))
    if told is None or int(told[2]) != int(told[3]) - 1:
        raise _Restart("it went on elsewhere")
    if int(told[1]) != have:  # guard: rest-from-there
        raise _Restart("it went on elsewhere")
    total = int(told[3])
    if have and not origin.is_same(answer.headers):  # guard: rest-of-the-same-file
        raise _Restart("it is another file now")
    if origin.total not in (None, total):  # guard: rest-of-the-same-length
        raise _Restart("it is another file now")
    return have, total


class _Restart(Interrupted):
    """What has come is of no use."""


def _write(want: DownloadRequest, answer: Stream, have: int, total: int | None) -> None:
    done, seen, since, told = have, have, time.monotonic(), 0.0
    flags = os.O_RDWR if have else os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(_opened(want.part, flags), "r+b" if have else "wb") as file:
        file.seek(have)
        file.truncate()
        try:
            for piece in answer.pieces:
                want.check()
                file.write(piece)
                done += len(piece)
                if done > want.limit:
                    raise BadMesh(f"The result has more than {want.limit / 1e6:.0f} MB.")
                now = time.monotonic()
                if now - told > TOLD_EVERY or done == total:
                    told = now
                    want.progress(done, total)
                if done - seen >= STALL_BYTES:
                    seen, since = done, now
                elif now - since > STALL:
                    raise Interrupted("nothing came for a while")
        finally:
            file.flush()
            os.fsync(file.fileno())


def _finish(want: DownloadRequest) -> None:
    """Let the file count, if it is what it should be; else nothing stays of it."""
    try:
        want.accept(want.part)
    except ImageToMeshError:
        forget(want.target)
        raise
    want.part.replace(want.target)
    forget(want.target)


def _check_room(folder: Path, total: int | None, have: int) -> None:
    if total is None:
        return
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(folder).free
        if total - have + ROOM_LEFT > free:
            raise LibraryProblem(
                f"The result has {total / 1e6:.0f} MB, and {folder} has room for "
                f"{max(free - ROOM_LEFT, 0) / 1e6:.0f} MB.",
                "Make room, then resume the job: it goes on without paying.",
            )


def _unwritable(error: OSError) -> LibraryProblem:
    return LibraryProblem(
        f"The result cannot be written: {error.strerror or error}.",
        "Make room, then resume the job: it goes on without paying.",
    )


# -- where a part file is from -------------------------------------------------------------------


def _origin(answer: Stream, total: int | None) -> Origin:
    etag = answer.headers.get("etag", "")
    strong = "" if etag.startswith("W/") else etag
    return Origin(strong, answer.headers.get("last-modified", ""), total)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.from")


def _keep(target: Path, origin: Origin) -> None:
    target.with_name(f".{target.name}.part").unlink(missing_ok=True)
    _beside(target).unlink(missing_ok=True)
    new = _opened(_beside(target), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with os.fdopen(new, "w", encoding="utf-8") as file:
        json.dump(asdict(origin), file)


def _load(target: Path) -> Origin:
    try:
        with os.fdopen(_opened(_beside(target), os.O_RDONLY), "rb") as file:
            record_answer = json.loads(file.read(LONGEST_NOTE))
        total = record_answer["total"]
        return Origin(
            str(record_answer["etag"]),
            str(record_answer["modified"]),
            total if type(total) is int else None,
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Origin()


def _opened(path: Path, flags: int) -> int:
    """Open a file of a job's folder, which others may write to: no link is followed, no pipe
    waited for, and nothing written that has another name elsewhere.
    """
    descriptor = os.open(path, flags | _UNFOLLOWED, 0o666)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:  # guard: parts-are-plain-files
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file")
    return descriptor


def _size(path: Path) -> int:
    try:
        found = path.lstat()
        return found.st_size if stat.S_ISREG(found.st_mode) else 0
    except OSError:
        return 0


def _number(text: str | None, answer: Stream) -> int | None:
    """Return a length, which counts for nothing where the body came compressed."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        return None
    return int(text) if text is not None and LENGTH.fullmatch(text) else None
