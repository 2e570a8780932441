# SPDX-License-Identifier: GPL-3.0-or-later
"""Resumable downloads of result files, validated before they replace the target.

Received bytes are in `.<name>.part` beside the target, the remote file's HTTP validators (ETag,
Last-Modified, length) in `.<name>.from`: a later process can resume, even from another URL.
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

from ..errors import BadMesh, ImageToMeshError, LibraryProblem
from ..messages import Message, os_reason
from .client import Http
from .download_stream import Check, Interrupted, Stream, no_check
from .verdicts import AGAIN

log = logging.getLogger(__name__)

MAX_DOWNLOAD = 2 * 1024**3
"""Maximum bytes of a download: far more than any service delivers, but not a full disk."""
RESERVED_BYTES = 64 * 1024 * 1024
"""Bytes to leave free on the disk, because the job's record must still be written."""
ATTEMPTS = 5
"""Consecutive interruptions without progress after which a download fails."""
STEP = 256 * 1024
"""Minimum bytes that an attempt must receive to count as progress."""
STALL = 60.0
"""Seconds within which `STALL_BYTES` must arrive. There is no limit on the total time."""
# A server that sends a byte now and then must not keep a download alive forever.
STALL_BYTES = 1024
REPORT_INTERVAL = 0.1
"""Seconds between two reports of progress, each of which redraws the panel."""
LONGEST_NOTE = 64 * 1024
"""Maximum bytes read from the validators' file, which another program may have replaced."""
_UNFOLLOWED = (
    # Windows has no O_NOFOLLOW, O_NONBLOCK and O_CLOEXEC; elsewhere there is no O_BINARY.
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

GONE = frozenset({400, 401, 403, 404, 410})
"""Statuses of expired presigned URLs, for which a retry is useless."""

RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
LENGTH = re.compile(r"[0-9]{1,18}")
"""Content-Range and Content-Length; `int` would also accept signs, spaces and endless digits."""

ReportProgress = Callable[[int, int | None], None]
Validate = Callable[[Path], None]


def _no_report(_done: int, _total: int | None) -> None:
    return None


def _any_file(_path: Path) -> None:
    return None


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """A file to download: its URL, the target, and the limits.

    `accept` inspects the complete file before it replaces the target, and raises if it is not
    usable. `progress` is called with the bytes received and the total, None if that is unknown.
    `check` is called for every chunk, and may raise Cancelled. `limit` is in bytes. For `field`,
    see `open_download`; such a download cannot be resumed.
    """

    url: str
    target: Path
    limit: int = MAX_DOWNLOAD
    accept: Validate = _any_file
    progress: ReportProgress = _no_report
    check: Check = no_check
    field: str | None = None

    @property
    def part(self) -> Path:
        """The file that holds the bytes until the download is complete."""
        return self.target.with_name(f".{self.target.name}.part")


@dataclass(frozen=True, slots=True)
class Validators:
    """Headers that identify the file of a partial download (RFC 9110, section 8.8).

    `etag` and `modified` may be empty; `total` is in bytes, or None. The fields are saved as JSON.
    """

    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def can_resume(self) -> bool:
        """Whether the rest can be requested; without a validator, it could be of another file."""
        return bool(self.etag or self.modified)

    def is_same(self, headers: Mapping[str, str]) -> bool:
        """Return whether a response is about the same file, by ETag or else by Last-Modified."""
        if self.etag:
            return headers.get("etag", "") == self.etag
        return headers.get("last-modified", "") == self.modified

    @property
    def condition(self) -> dict[str, str]:
        """The header that requests the rest of the same file; empty without a validator."""
        validator = self.etag or self.modified
        return {"If-Range": validator} if validator else {}


def download(request: DownloadRequest, http: Http) -> None:
    """Download a file to its target, without sending the API key.

    If the download fails, received bytes are kept, and the next call continues from them; a
    complete file that `accept` refuses is deleted. Raises BadMesh if the file is too large or
    cannot be downloaded completely, LibraryProblem if it cannot be written, Unreachable if Blender
    is offline or a retry would fail again, and what `accept` and `check` raise.
    """
    # Only consecutive interruptions without progress count: even a bad line delivers a file.
    attempt, before = 0, _size(request.part)
    while True:
        try:
            _once(request, http)
            return _finish(request)
        except Interrupted as error:
            log.info("download interrupted: %s", error)
            if error.lasting is not None:
                raise error.lasting from error
            if isinstance(error, _Restart):
                forget(request.target)
            now = _size(request.part)
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
    """Delete the partial download of `target`, if any. Raises OSError if that fails."""
    for path in (target.with_name(f".{target.name}.part"), _validators_path(target)):
        path.unlink(missing_ok=True)


def _once(request: DownloadRequest, http: Http) -> None:
    offset, validators = _size(request.part), _load_validators(request.target)
    if offset and not validators.can_resume:
        offset = 0
    if offset and offset == validators.total:
        return
    range_headers = {"Range": f"bytes={offset}-", **validators.condition} if offset else {}
    with http.open_download(request.url, range_headers, request.field) as answer:
        offset, total = _resume_point(answer, offset, validators)
        if total is not None and total > request.limit:
            raise _too_large(request.limit)
        _check_room(request.target.parent, total, offset)
        if offset == 0:
            _start_part(request.target, _validators_of(answer, total))
        _write(request, answer, offset, total)
    done = _size(request.part)
    if total is not None and done != total:
        raise Interrupted(Message("received {size} of {total} bytes", size=done, total=total))


def _resume_point(answer: Stream, offset: int, validators: Validators) -> tuple[int, int | None]:
    """Return the offset at which a response starts, and the length of the whole file, if known.

    Raises BadMesh for an expired URL, _Restart if resuming failed, Interrupted for other errors.
    """
    if answer.status == 416:
        raise _Restart("the rest of the file is not available")
    if answer.status in GONE:
        raise BadMesh(
            Message("The download URL returned status {status}.", status=answer.status), AGAIN
        )
    if answer.status not in (200, 206):
        raise Interrupted(Message("the server returned status {status}", status=answer.status))
    if answer.status == 200:
        return 0, _number(answer.headers.get("content-length"), answer)
    # A server that ignores If-Range sends the rest of a newer file, and a cache may send another
    # range than the one requested. Appending either would corrupt the file unnoticed.
    span = RANGE.fullmatch(answer.headers.get("content-range", ""))
    if span is None or int(span[2]) != int(span[3]) - 1:
        raise _Restart("the server resumed at the wrong position")
    if int(span[1]) != offset:  # guard: rest-from-there
        raise _Restart("the server resumed at the wrong position")
    total = int(span[3])
    if offset and not validators.is_same(answer.headers):  # guard: rest-of-the-same-file
        raise _Restart("the file has changed on the server")
    if validators.total not in (None, total):  # guard: rest-of-the-same-length
        raise _Restart("the file has changed on the server")
    return offset, total


class _Restart(Interrupted):
    """The bytes received so far are useless: the download must start again from zero."""


def _write(request: DownloadRequest, answer: Stream, offset: int, total: int | None) -> None:
    done, checkpoint, since, reported = offset, offset, time.monotonic(), 0.0
    flags = os.O_RDWR if offset else os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(_open_plain_file(request.part, flags), "r+b" if offset else "wb") as file:
        file.seek(offset)
        file.truncate()
        try:
            for piece in answer.pieces:
                request.check()
                file.write(piece)
                done += len(piece)
                if done > request.limit:
                    raise _too_large(request.limit)
                now = time.monotonic()
                if now - reported > REPORT_INTERVAL or done == total:
                    reported = now
                    request.progress(done, total)
                if done - checkpoint >= STALL_BYTES:
                    checkpoint, since = done, now
                elif now - since > STALL:
                    raise Interrupted("no data was received for a while")
        finally:
            # After a power cut, the file must not be longer than the bytes that reached the disk.
            file.flush()
            os.fsync(file.fileno())


def _finish(request: DownloadRequest) -> None:
    """Move the complete file to its target, or delete it and re-raise if `accept` fails."""
    try:
        request.accept(request.part)
    except ImageToMeshError:
        forget(request.target)
        raise
    request.part.replace(request.target)
    forget(request.target)


def _check_room(folder: Path, total: int | None, offset: int) -> None:
    if total is None:
        return
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(folder).free
        if total - offset + RESERVED_BYTES > free:
            raise LibraryProblem(
                Message(
                    "The result needs {total} MB, but {folder} has only {free} MB of free space.",
                    total=f"{total / 1e6:.0f}",
                    folder=folder,
                    free=f"{max(free - RESERVED_BYTES, 0) / 1e6:.0f}",
                ),
                "Free up disk space, then resume the job at no extra cost.",
            )


def _too_large(limit: int) -> BadMesh:
    return BadMesh(
        Message("The result is larger than {limit} MB.", limit=f"{limit / 1e6:.0f}"),
        "Download it from the service's website, or generate again with fewer faces.",
    )


def _unwritable(error: OSError) -> LibraryProblem:
    return LibraryProblem(
        Message("The result cannot be written: {reason}.", reason=os_reason(error)),
        "Check the disk space and the job's folder, then resume the job at no extra cost.",
    )


# -- partial downloads ---------------------------------------------------------------------------


def _validators_of(answer: Stream, total: int | None) -> Validators:
    etag = answer.headers.get("etag", "")
    # A weak ETag does not guarantee identical bytes (RFC 9110, section 13.1.5).
    strong = "" if etag.startswith("W/") else etag
    return Validators(strong, answer.headers.get("last-modified", ""), total)


def _validators_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.from")


def _start_part(target: Path, validators: Validators) -> None:
    target.with_name(f".{target.name}.part").unlink(missing_ok=True)
    _validators_path(target).unlink(missing_ok=True)
    new = _open_plain_file(_validators_path(target), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with os.fdopen(new, "w", encoding="utf-8") as file:
        json.dump(asdict(validators), file)


def _load_validators(target: Path) -> Validators:
    try:
        with os.fdopen(_open_plain_file(_validators_path(target), os.O_RDONLY), "rb") as file:
            note = json.loads(file.read(LONGEST_NOTE))
        total = note["total"]
        length = total if type(total) is int else None
        return Validators(str(note["etag"]), str(note["modified"]), length)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Validators()


def _open_plain_file(path: Path, flags: int) -> int:
    """Open a plain file in a job's folder, and return its descriptor.

    Others may be able to write to a shared library: symbolic links, pipes, and files with a second
    hard link are refused. Raises OSError, also for these.
    """
    descriptor = os.open(path, flags | _UNFOLLOWED, 0o666)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:  # guard: parts-are-plain-files
        os.close(descriptor)
        raise OSError(errno.EINVAL, "the partial download is not a plain file")
    return descriptor


def _size(path: Path) -> int:
    try:
        status = path.lstat()
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    except OSError:
        return 0


def _number(text: str | None, answer: Stream) -> int | None:
    """Return a body's Content-Length; None if it is missing or invalid, or the body compressed."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        return None
    return int(text) if text is not None and LENGTH.fullmatch(text) else None
