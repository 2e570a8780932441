# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the user's that settings name, such as a workflow: read once, kept with the job.

The record has only the file's name, because a library can be shared, and a path tells about the
user's computer.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

from ..providers import (
    InvalidSettings,
    LibraryProblem,
    Message,
    Setting,
    Settings,
    os_reason,
    settings_of,
    values_of,
)
from ..providers._shared.untrusted_text import clean
from .disk.file_names import expand_user
from .disk.plain_files import read_plain
from .values import LONGEST_NAME, JobSpec, SettingFile

MOST = 64 * 1024 * 1024
"""Bytes of a setting's file in a job's folder beyond which it is not read."""
PREFIX = "setting-"
"""What the names of these files in the job's folder begin with, before the setting's name."""


def read_setting_files(
    settings: Settings, resolve: Callable[[str], Path] = expand_user
) -> dict[str, bytes]:
    """Return the contents of the files that settings name, by setting; without empty ones.

    `resolve` makes a path of what the user entered. Raises InvalidSettings for a file that cannot
    be read, has another ending than the setting takes, or is too large.
    """
    return {
        setting.name: _read(setting, resolve(str(getattr(settings, setting.name))))
        for setting in settings_of(type(settings))
        if setting.kind == "file" and getattr(settings, setting.name)
    }


def record_settings(spec: JobSpec) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the fields of a new job's record for its settings, and their files' contents by name.

    The settings have only the names of the files, without their folders.
    """
    values: dict[str, Any] = values_of(spec.settings)
    for setting in settings_of(type(spec.settings)):
        if setting.kind == "file" and values[setting.name]:
            values[setting.name] = _file_name(str(values[setting.name]))
    files = tuple(_entry(name, values[name], data) for name, data in spec.files.items())
    contents = {file.file: spec.files[file.setting] for file in files}
    return {"settings": values, "setting_files": files}, contents


def load_setting_files(files: tuple[SettingFile, ...], folder: Path) -> dict[str, bytes]:
    """Return the contents of a job's setting files, from its folder, by setting.

    Raises LibraryProblem if one is missing or was changed: anybody who can write to the folder
    could change what is ordered.
    """
    contents = intact_files(files, folder)
    for file in files:
        if file.setting not in contents:  # guard: setting-files-are-unchanged
            raise LibraryProblem(
                Message(
                    "The job's file {file} is missing or was changed. Nothing was submitted.",
                    file=file.file,
                ),
                "Delete the job and generate again.",
            )
    return contents


def intact_files(files: tuple[SettingFile, ...], folder: Path) -> dict[str, bytes]:
    """Return the contents of those setting files that are there and unchanged, by setting."""
    contents: dict[str, bytes] = {}
    for file in files:
        with contextlib.suppress(OSError):
            data = read_plain(folder / file.file, MOST)
            if hashlib.sha256(data).hexdigest() == file.sha256:
                contents[file.setting] = data
    return contents


def digests_of(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each content, in hexadecimal, by setting."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def _read(setting: Setting, path: Path) -> bytes:
    limits = setting.file
    if limits is None:
        raise TypeError(f"setting {setting.name} has no limits for its file")
    if path.suffix.lower() not in limits.endings:
        raise _refusal(
            setting,
            path,
            Message("its name does not end in {endings}", endings=", ".join(limits.endings)),
        )
    if not path.is_file():  # a pipe would be waited for
        raise _refusal(setting, path, Message.of("there is no such file"))
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        raise _refusal(setting, path, os_reason(error)) from error
    if len(data) > limits.max_bytes:
        most = Message("it has more than {size} MB", size=f"{limits.max_bytes / 1e6:g}")
        raise _refusal(setting, path, most)
    return data


def _refusal(setting: Setting, path: Path, reason: Message) -> InvalidSettings:
    return InvalidSettings(
        Message(
            "{setting}: the file {path} cannot be used: {reason}.",
            setting=Message.of(setting.title),
            path=path,
            reason=reason,
        ),
        "Choose another file.",
    )


def _entry(setting: str, name: str, data: bytes) -> SettingFile:
    file = f"{PREFIX}{setting}{PurePath(name).suffix.lower()}"
    return SettingFile(setting, name, file, hashlib.sha256(data).hexdigest())


def _file_name(text: str) -> str:
    # Not by `PurePath`, to which Blender's “//graph.json” is a host without a file.
    return clean(re.split(r"[/\\]", text)[-1], LONGEST_NAME)
