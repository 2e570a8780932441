# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on disk: one folder per job, which users can read and delete.

A folder holds `job.json`, the input images, the mesh file as downloaded, `model.blend`, and
`preview.png`. Nothing else depends on it: deleting the folder deletes the job.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...providers import (
    LibraryProblem,
    Message,
    os_reason,
)
from ...providers._shared.exact_ids import is_sendable_unchanged
from ..disk import signatures
from ..disk.file_names import expand_user, is_portable
from ..disk.lock import JobLock, is_held
from ..disk.plain_files import (
    SIDE,
    create_marker,
    is_plain,
    is_plain_folder,
    read_plain,
    sync_folder,
    write_whole,
)
from ..disk.trust import is_own_legacy, make_root, remove_tree
from ..values import Record, State
from .file_names import CANCEL, CHUNKS_FOLDER, IMPORTED, RECORD
from .migrations import REPAIR
from .record_json import decode_record, encode_record

MAX_RECORD = 1024 * 1024
"""Maximum size of a record, in bytes; a typical record has a few thousand."""
JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""Valid job ids. They have no dots: macOS treats a folder called x.app as a program to run."""
STALE_AFTER = 24 * 3600.0
"""Seconds after which an incomplete folder certainly belongs to no running process."""


def library_folder(preference: str, environment: Mapping[str, str]) -> Path:
    """Return the library's folder: the preference, else IMAGE_TO_MESH_LIBRARY, else the default."""
    chosen = preference.strip() or environment.get("IMAGE_TO_MESH_LIBRARY", "").strip()
    return expand_user(chosen) if chosen else default_folder(environment)


def default_folder(environment: Mapping[str, str]) -> Path:
    """Return the default folder of the library, which is private to the user."""
    return _user_data(environment) / "image_to_mesh"


def _user_data(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def new_job_id(name: str) -> str:
    """Return an id that sorts by time and is recognizable: UTC time, image name, hex digits."""
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-") or "picture"
    return f"{time}-{plain}-{secrets.token_hex(2)}"


class Library:
    """The jobs in a folder. Methods raise LibraryProblem for invalid ids and file errors."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, job: str) -> Path:
        """Return the path of the job's folder, which need not exist.

        Raises LibraryProblem for an invalid id.
        """
        if not JOB_ID.fullmatch(job) or not is_portable(job):  # guard: job-ids
            is_odd = not is_sendable_unchanged(job) or (Path(job).name == job and job.strip("."))
            if is_odd and os.path.lexists(self.root / job):
                raise LibraryProblem(
                    Message("The folder “{job}” in the library does not have a valid job name.",
                            job=job),
                    "Rename the folder, or move it out of the library.",
                )  # fmt: skip
            raise LibraryProblem(
                Message("There is no job “{job}”.", job=job),
                "Check the job ID. The job may have been deleted.",
            )
        return self.root / job

    def create(self, record: Record, pictures: Mapping[str, bytes]) -> None:
        """Create the job's folder atomically, with its record, and its images by file name."""
        try:
            make_root(self.root)
            # Filled under a hidden name and then renamed, so that no process sees half a job.
            side = self.root / f".new-{secrets.token_hex(6)}"
            side.mkdir()
            try:
                for name, data in pictures.items():
                    write_whole(side / name, data)
                write_whole(side / RECORD, encode_record(record))
                side.rename(self.folder(record.id))
                # The new folder is an entry of the library's folder. Unless that is synced too, a
                # power cut could lose a job whose order was already sent.
                sync_folder(self.root.resolve())  # guard: job-folder-synced
            except BaseException:
                shutil.rmtree(side, ignore_errors=True)
                raise
        except OSError as error:
            raise _problem(error, self.root) from error

    def save(self, record: Record) -> None:
        """Replace the job's record atomically."""
        folder = self.folder(record.id)
        try:
            write_whole(folder / RECORD, encode_record(record))
        except OSError as error:
            if not folder.is_dir():
                raise LibraryProblem(
                    Message("The folder of job “{job}” no longer exists.", job=record.id),
                    "Restore the folder, or generate again.",
                ) from error
            raise _problem(error, self.root) from error

    def keep(self, job: str, name: str, data: bytes | bytearray) -> None:
        """Write a file into the job's folder atomically."""
        try:
            write_whole(self.folder(job) / Path(name).name, data)
        except OSError as error:
            raise _problem(error, self.root) from error

    def load(self, job: str) -> Record:
        """Return a job's record. Raises LibraryProblem if it is missing or cannot be read."""
        return self._to_record(self._read(job), job)

    def all(self) -> tuple[list[Record], list[str]]:
        """Return all records, oldest first, and an error sentence for each that cannot be read."""
        records: list[Record] = []
        problems: list[str] = []
        for job in self.jobs():
            try:
                records.append(self.load(job))
            except LibraryProblem as problem:
                problems.append(str(problem))
        return records, problems

    def jobs(self) -> list[str]:
        """Return the ids of all jobs, oldest first, including those with unreadable records.

        Returns an empty list if the library's folder does not exist. Raises LibraryProblem if it is
        not a folder or cannot be read.
        """
        if self.root.exists() and not self.root.is_dir():
            raise LibraryProblem(
                Message("{path} is not a folder.", path=self.root), "Choose another library folder."
            )
        try:
            children = sorted(os.scandir(self.root), key=lambda child: child.name)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _problem(error, self.root) from error
        folders = (child.name for child in children if _is_visible_folder(child))
        # `lexists`, so that a record that is a link is listed, and then reported as unreadable.
        return [job for job in folders if os.path.lexists(self.root / job / RECORD)]

    def open_jobs(self) -> Iterator[Record]:
        """Yield the records of the jobs that need attention, oldest first.

        These are unfinished jobs, uncertain ones, and finished ones whose mesh nobody has seen.
        Records that cannot be read are skipped.
        """
        for job in self.jobs():
            try:
                data = self._read(job)
                # Skipped early: most jobs of a large library are seen, and validation is slow.
                if data.get("state") == State.READY and self._was_seen(job, data):
                    continue
                record = self._to_record(data, job)
            except (LibraryProblem, AttributeError):
                continue
            if not record.state.over or record.state is State.UNCERTAIN or record.offered:
                yield record

    def _was_seen(self, job: str, data: Mapping[str, Any]) -> bool:
        known = bool(data.get("dismissed")) or not data.get("place")
        return known or (self.root / job / IMPORTED).exists()

    def _to_record(self, data: Any, job: str) -> Record:
        """Build a record from parsed JSON, with `own` set to whether this user wrote it.

        The failure of another user's record loses its link.
        """
        record = decode_record(data, job)
        own = signatures.has_mark(data)
        # Only a record without a mark can be older than marks: a wrong mark means it was changed.
        if not own and signatures.MARK not in data:
            own = is_own_legacy(self.folder(job) / RECORD)
        if own or record.failure is None:
            return replace(record, own=own)
        # A link in somebody else's record could lead the user to any page.
        return replace(record, own=False, failure=replace(record.failure, link=""))

    def sweep(self) -> None:
        """Delete what killed processes left in the library, once it is a day old.

        These are unfinished files and jobs, chunks of models, and lock files.
        """
        if not self.root.is_dir():
            return
        sides = (path for path in self.root.glob(".*.new") if SIDE.fullmatch(path.name))
        chunks = self.root.glob(f"*/{CHUNKS_FOLDER}")
        for path in (*self.root.glob(".new-*"), *chunks, *sides):
            try:
                if time.time() - path.lstat().st_mtime > STALE_AFTER:
                    path.unlink() if is_plain(path) else remove_tree(path)
            except OSError:
                continue
        self._sweep_locks()  # a lock's file stays behind on Windows, and after a kill

    def _sweep_locks(self) -> None:
        """Delete day-old lock files that no process holds and whose job does not exist."""
        for path in self.root.glob(".*.lock"):
            job = path.name.removeprefix(".").removesuffix(".lock")
            with suppress(OSError):
                old = time.time() - path.lstat().st_mtime > STALE_AFTER
                if old and not os.path.lexists(self.root / job) and not self.is_held(job):
                    path.unlink(missing_ok=True)

    def sweep_job(self, job: str) -> None:
        """Delete half-written files of a job; call this only while holding the job's lock."""
        for path in self.folder(job).glob(".*.new"):
            if SIDE.fullmatch(path.name):
                with suppress(OSError):
                    path.unlink()

    def lock(self, job: str) -> JobLock:
        """Return the lock of a job, not yet taken."""
        return JobLock(self.root, job)

    def is_held(self, job: str) -> bool:
        """Return whether a process is working on a job now."""
        return is_held(self.root, job)

    def ask_to_cancel(self, job: str) -> None:
        """Ask the process that works on a job to cancel it."""
        try:
            create_marker(self.folder(job) / CANCEL)
        except OSError as error:
            raise _problem(error, self.root) from error

    def _read(self, job: str) -> Any:
        try:
            return json.loads(read_plain(self.folder(job) / RECORD, MAX_RECORD))
        except FileNotFoundError as error:
            raise LibraryProblem(
                Message("There is no job “{job}”.", job=job),
                "Check the job ID. The job may have been deleted.",
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            why, hint = Message.of("it is not valid JSON"), REPAIR
            if isinstance(error, OSError):
                why, hint = os_reason(error), "Check the permissions of the job's folder."
            raise LibraryProblem(
                Message("The record of job “{job}” cannot be read: {reason}.", job=job, reason=why),
                hint,
            ) from error

    def idle_folder(self, job: str, *, mine: bool = False) -> Path:
        """Return the folder of an existing job that no process is working on.

        `mine`: this process itself holds the job's lock, so the lock is not checked. Raises
        LibraryProblem if there is no such job, or a process is working on it.
        """
        folder = self.folder(job)
        is_job = is_plain_folder(folder) and os.path.lexists(folder / RECORD)
        if not is_job:  # guard: links-are-no-jobs
            raise LibraryProblem(
                Message("There is no job “{job}”.", job=job),
                "Check the job ID. The job may have been deleted.",
            )
        if not mine and self.is_held(job):
            raise LibraryProblem(
                Message("Job “{job}” is still running.", job=job), "Cancel it first."
            )
        return folder

    def delete(self, job: str, *, mine: bool = False) -> None:
        """Delete the job's folder and its content; for `mine`, see `idle_folder`."""
        folder = self.idle_folder(job, mine=mine)
        try:
            remove_tree(folder)
        except OSError as error:
            raise _problem(error, self.root) from error


def _is_visible_folder(child: os.DirEntry[str]) -> bool:
    try:
        return child.name[0] != "." and child.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _problem(error: OSError, root: Path) -> LibraryProblem:
    return LibraryProblem(
        Message(
            "The library folder {path} cannot be used: {reason}.",
            path=root,
            reason=os_reason(error),
        ),
        "Choose another library folder in the add-on preferences, or set the environment variable "
        "IMAGE_TO_MESH_LIBRARY.",
    )
