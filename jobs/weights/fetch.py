# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads a file of weights, which is checked by its hash; resumes interrupted downloads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...providers import BadMesh, Failed, LibraryProblem, Message
from ..disk.lock import JobLock
from . import store
from .store import SHA256, Check, ReportProgress
from .table import Weights

if TYPE_CHECKING:
    from ...providers._shared.http.client import Http
    from ...providers._shared.http.download_stream import Interrupted

SPARE = 100 * 1000 * 1000
"""Bytes that a download leaves free on the disk."""
WAIT = 0.5
"""Seconds between two checks of whether another Blender has finished its download."""
ATTEMPTS = 4
"""Maximum number of calls that ask the host for a hash."""
AGAIN = "Click Download again to continue."


def fetch(
    weights: Weights,
    http: Http,
    *,
    progress: ReportProgress,
    check: Check,
    wait: Callable[[float], None],
) -> None:
    """Download a file of weights, unless it exists already.

    If another Blender is downloading the file, wait for that download to end first. `progress` is
    called with the bytes done and their total, which is None if unknown. `check` may raise
    Cancelled. `wait` sleeps for a number of seconds. Raises ImageToMeshError if the download fails.
    The bytes that have arrived are kept, and the next call continues after them.
    """
    store.make_folder()
    lock = JobLock(store.folder(), weights.name)
    try:
        while not lock.take():
            check()
            wait(WAIT)
            progress(0, None)
    except OSError as error:
        raise store.unwritable(error) from error
    try:
        if not store.is_there(weights):
            _download(weights, http, progress, check)
    finally:
        lock.release()


def _download(weights: Weights, http: Http, progress: ReportProgress, check: Check) -> None:
    from ...providers._shared.http.downloads import DownloadRequest, download

    _check_room(weights)
    try:
        expected = _expected_hash(weights, http)
        request = DownloadRequest(
            url=weights.url,
            target=store.path_of(weights),
            limit=weights.size,
            accept=lambda path: _accept(path, weights, expected, check),
            progress=progress,
            check=check,
        )
        download(request, http)
    except BadMesh as error:
        raise _clear_failure(error) from error
    except LibraryProblem as error:
        if isinstance(error.__cause__, OSError):
            raise store.unwritable(error.__cause__) from error
        raise


def _check_room(weights: Weights) -> None:
    """Raise LibraryProblem if the disk has too little space for the rest of the file."""
    part = store.path_of(weights).with_name(f".{weights.file_name}.part")
    done = part.stat().st_size if part.is_file() else 0
    with suppress(OSError):
        free = shutil.disk_usage(store.folder()).free
        if free < weights.size - done + SPARE:
            raise LibraryProblem(
                Message(
                    "The depth model needs {size} MB, but {folder} has only {free} MB of free "
                    "space.",
                    size=round((weights.size - done + SPARE) / 1e6),
                    folder=store.folder(),
                    free=free // 1_000_000,
                ),
                "Free up disk space, then try again.",
            )


def _expected_hash(weights: Weights, http: Http) -> str:
    """Return the SHA-256 that the file must have.

    If it is not known yet, ask the host for it and save the answer.
    """
    known = store.kept_hash(weights)
    if known is not None:
        return known
    stated = stated_hash(weights, http)
    store.keep_hash(weights, stated)
    return stated


def stated_hash(weights: Weights, http: Http) -> str:
    """Return the SHA-256 that the host states for the file.

    Raises Failed if the host states no hash or cannot be asked, and another ImageToMeshError if a
    retry cannot help. Hugging Face states the hash in the response that redirects to the file's
    storage.
    """
    from ...providers._shared.http.download_stream import Interrupted

    for attempt in range(ATTEMPTS):
        try:
            return _ask_for_hash(weights, http)
        except Interrupted as error:
            if error.lasting is not None:
                raise error.lasting from error
            if attempt == ATTEMPTS - 1:
                raise _unreachable(error) from error
            http.pause(attempt)
    raise AssertionError("unreachable")


def _ask_for_hash(weights: Weights, http: Http) -> str:
    """Return the hash that the host states, asking only once.

    Raises Interrupted if the host does not answer or reports an error, and Failed if its answer has
    no hash.
    """
    from ...providers._shared.http.download_stream import Interrupted

    with http.open_download(weights.url, {"Range": "bytes=0-0"}) as stream:
        stated, status = http.linked_etag.strip('"').lower(), stream.status
    if SHA256.fullmatch(stated):
        return stated
    if status >= 400:
        raise Interrupted(Message("the server returned status {status}", status=status))
    raise Failed(
        "The server provided no hash for the depth model, so it cannot be verified.",
        "Try again later, or use Depth Model from File.",
        weights.page,
    )


def _accept(path: Path, weights: Weights, expected: str, check: Check) -> None:
    """Raise Failed if a complete file is not the expected one; the caller then deletes the file."""
    if path.stat().st_size != weights.size or store.hash_of(path, check) != expected:
        raise Failed(
            "The downloaded depth model is not the expected file and was deleted.",
            "Try again later, or use Depth Model from File.",
            weights.page,
        )


def _clear_failure(error: BadMesh) -> Failed:
    """Return the error of a failed download, worded for a model and not for a job's result."""
    from ...providers._shared.http.download_stream import Interrupted

    cause = error.__cause__
    if isinstance(cause, Interrupted):
        return _unreachable(cause)
    return Failed(
        Message("The depth model cannot be downloaded: {reason}", reason=error.message), AGAIN
    )


def _unreachable(error: Interrupted) -> Failed:
    return Failed(
        Message("The depth model cannot be downloaded: {reason}.", reason=error.args[0]), AGAIN
    )
