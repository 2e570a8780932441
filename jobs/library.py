# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on disk: one folder per job, readable by people.

A folder holds `job.json`, the input pictures, the untouched mesh file, `model.blend` and
`preview.png`. Nothing else depends on a folder: deleting it deletes the job.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..providers import BadReply, LibraryProblem
from ..providers._adapters import parse_reply, to_json
from ._values import Record

RECORD = "job.json"
SCHEMA = 1


def library_folder(preference: str, environment: Mapping[str, str]) -> Path:
    """Return the library's folder: the preference, else the variable, else the user's data."""
    chosen = preference.strip() or environment.get("IMAGE_TO_MESH_LIBRARY", "").strip()
    return Path(chosen).expanduser() if chosen else _user_data(environment) / "image_to_mesh"


def _user_data(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def new_job_id(name: str) -> str:
    """Return an id that sorts by time and that people recognise: time, picture, four digits."""
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-") or "picture"
    return f"{time}-{plain}-{secrets.token_hex(2)}"


class Library:
    """The jobs in a folder. Every method may raise LibraryProblem."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, job: str) -> Path:
        """Return the job's folder; raises LibraryProblem for a name that is no job's."""
        if not job or job in (".", "..") or Path(job).name != job:
            raise LibraryProblem(f"There is no job “{job}”.", "List them with “jobs”.")
        return self.root / job

    def create(self, record: Record, pictures: Mapping[str, bytes]) -> None:
        """Make the job's folder, whole or not at all."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            side = self.root / f".new-{secrets.token_hex(6)}"
            side.mkdir()
            try:
                for name, data in pictures.items():
                    (side / name).write_bytes(data)
                write_whole(side / RECORD, _encode(record))
                side.rename(self.folder(record.id))
            except BaseException:
                shutil.rmtree(side, ignore_errors=True)
                raise
        except OSError as error:
            raise _problem(error, self.root) from error

    def save(self, record: Record) -> None:
        """Replace the job's record atomically."""
        try:
            write_whole(self.folder(record.id) / RECORD, _encode(record))
        except OSError as error:
            raise _problem(error, self.root) from error

    def keep(self, job: str, name: str, data: bytes) -> None:
        """Put a file into the job's folder, whole or not at all."""
        try:
            write_whole(self.folder(job) / Path(name).name, data)
        except OSError as error:
            raise _problem(error, self.root) from error

    def load(self, job: str) -> Record:
        """Read one job's record."""
        path = self.folder(job) / RECORD
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LibraryProblem(f"There is no job “{job}”.", "List them with “jobs”.") from error
        except (OSError, ValueError, RecursionError) as error:
            raise LibraryProblem(f"The record of job “{job}” cannot be read: {error}.") from error
        return _decode(data, job)

    def all(self) -> tuple[list[Record], list[str]]:
        """Return the records, oldest first, and a sentence for each that cannot be read."""
        records: list[Record] = []
        problems: list[str] = []
        if self.root.exists() and not self.root.is_dir():
            raise LibraryProblem(f"{self.root} is no folder.", "Choose another library folder.")
        for path in sorted(self.root.glob(f"*/{RECORD}")) if self.root.is_dir() else ():
            if path.parent.name.startswith("."):
                continue
            try:
                records.append(self.load(path.parent.name))
            except LibraryProblem as problem:
                problems.append(str(problem))
        return records, problems

    def delete(self, job: str) -> None:
        """Delete the job's folder with all that is in it."""
        folder = self.folder(job)
        if not (folder / RECORD).is_file():
            raise LibraryProblem(f"There is no job “{job}”.", "List them with “jobs”.")
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise _problem(error, self.root) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part."""
    side = path.with_name(f".{path.name}.new")
    with side.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _replace(side, path)


def _replace(side: Path, path: Path) -> None:
    """Rename; on Windows that waits until whoever reads the old file has closed it."""
    for _ in range(20):
        try:
            side.replace(path)
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(0.05)
        else:
            return
    side.replace(path)


def _encode(record: Record) -> bytes:
    return json.dumps(to_json(record), ensure_ascii=False, indent=2).encode()


def _decode(data: Any, job: str) -> Record:
    newest = data.get("schema", SCHEMA) if isinstance(data, dict) else SCHEMA
    if isinstance(newest, int) and newest > SCHEMA:
        raise LibraryProblem(
            f"Job “{job}” was written by a newer version of Image to Mesh.", "Update the add-on."
        )
    try:
        record = parse_reply(Record, data, f"The record of job “{job}”")
    except BadReply as error:
        raise LibraryProblem(error.message, "Delete its folder, or mend the file.") from error
    if record.id != job:
        raise LibraryProblem(f"The record in “{job}” is another job's ({record.id}).")
    return record


def _problem(error: OSError, root: Path) -> LibraryProblem:
    return LibraryProblem(
        f"The library folder {root} cannot be used: {error.strerror or error}.",
        "Choose another folder (preference “Library Folder” or IMAGE_TO_MESH_LIBRARY).",
    )
