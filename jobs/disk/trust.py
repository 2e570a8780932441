# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that the user trusts although others may write to them.

Trust is stored in the user's own settings folder, by the library's path. In a trusted library, jobs
that others wrote can be resumed and imported. Even then, nothing in their files is executed (models
are rebuilt from the mesh file), and none of their addresses is called (the service is asked).
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...providers import LibraryProblem, Message
from ..library.file_names import ORIGINAL
from .plain_files import copy_plain, is_plain_folder, read_plain, write_whole
from .signatures import is_marked, is_older_than_secret, settings_folder

if TYPE_CHECKING:
    from ..library.store import Library
    from ..values import JSON, Record

FILE = "trusted.json"
"""The list of trusted libraries, in the user's settings folder."""
MOST = 1 << 20
"""Maximum size of the list of trusted libraries, in bytes."""
HINT = (
    "Check who can write to this library. To trust it, use Trust This Library in the preferences."
)
"""The hint that Blender shows; `cli/hints.py` has the command line's version."""
_ID = r"[A-Za-z0-9_][A-Za-z0-9_.=+~-]{0,299}"
"""A valid id in a ticket: one path segment that needs no quoting."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class NotTrusted(LibraryProblem):
    """The job was not written by this user, and its library is not trusted."""


def is_trusted(root: Path) -> bool:
    """Return whether the user trusts other people's files in a library."""
    return str(root.resolve()) in _trusted_libraries()


def trust_library(root: Path, *, trusted: bool = True) -> None:
    """Trust other people's files in a library; if `trusted` is False, stop trusting them.

    Raises LibraryProblem if the decision cannot be saved.
    """
    others = [path for path in _trusted_libraries() if path != str(root.resolve())]
    folder = settings_folder()
    libraries = sorted([*others, str(root.resolve())] if trusted else others)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Resolved: the settings folder may be a link, since only its user can write there.
        write_whole(folder.resolve() / FILE, json.dumps(libraries, indent=1).encode())
    except OSError as error:
        raise LibraryProblem(
            Message("{path} cannot be written: {reason}.", path=folder / FILE,
                    reason=error.strerror or error),
            "Free up disk space, or check whether you can write to that folder. Then try again.",
        ) from error  # fmt: skip


def check_author(record: Record, root: Path) -> None:
    """Raise NotTrusted for a job that somebody else wrote, unless its library is trusted."""
    if not (record.own or is_trusted(root)):  # guard: strangers-are-asked-about
        raise NotTrusted(
            Message("“{job}” was not created by you on this computer.", job=record.id), HINT
        )


def check_ticket(record: Record) -> None:
    """Raise LibraryProblem if resuming somebody else's job needs an address from its record."""
    if record.own:
        return
    # An address from such a record would let its author see this computer's requests, or direct
    # them to a server in the user's own network.
    has_address = any(picture.url for picture in record.pictures)
    has_address = has_address or any("//" in text for text in _texts(record.uploaded))
    has_ids = all(re.fullmatch(_ID, text) for text in _texts(record.ticket))
    if has_address or not has_ids:  # guard: addresses-of-strangers
        raise LibraryProblem(
            Message("“{job}” was created by someone else and contains a URL.", job=record.id),
            "Only the person who created it can resume it.",
        )


def has_strangers_models(library: Library) -> bool:
    """Return whether others have written to a library, or could have. May read every record."""
    if not _is_private(library.root.resolve()):
        return library.root.exists()
    for job in library.jobs():
        with suppress(LibraryProblem):
            if not library.load(job).own:
                return True
        blend = library.folder(job) / ORIGINAL
        if os.path.lexists(blend) and not (is_marked(blend) or is_own_legacy(blend)):
            return True
    return False


def is_private(folder: Path) -> bool:
    """Return whether nobody else can write to a job's folder or to the library that contains it.

    On Windows, access rights are not checked: only folders on a fixed drive count as private.
    """
    return all(_is_private(path) for path in (folder, folder.parent.resolve()))


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """Yield the folder to make a job's model in: `folder` if it is private, else a temporary one.

    Files from a temporary folder are copied to `folder` if the block succeeds. Errors of the copies
    are ignored.
    """
    if is_private(folder):
        yield folder
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="image_to_mesh-") as place:
        yield Path(place)
        for path in sorted(Path(place).iterdir()):
            if path.is_file():
                with suppress(OSError):  # made again when it is needed
                    copy_plain(path, folder / path.name)


@contextmanager
def model_to_read(blend: Path) -> Iterator[Path]:
    """Yield the path of a model that nobody else can change while it is read.

    In a private folder, that is `blend` itself. Elsewhere, it is a temporary copy; LibraryProblem
    is raised if the copy fails, or if the model does not have this user's mark.
    """
    if is_private(blend.parent):
        yield blend
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="image_to_mesh-") as place:
        copy = Path(place, blend.name)
        mark = f".{blend.name}.mark"
        try:
            copy_plain(blend, copy)
            copy_plain(blend.with_name(mark), copy.with_name(mark))
        except OSError as error:
            raise not_made_here(blend) from error
        if not is_marked(copy):
            raise not_made_here(blend)
        yield copy


def not_made_here(blend: Path) -> LibraryProblem:
    """Return the error for a model that this user's Blender did not make, or that was changed."""
    return LibraryProblem(
        Message(
            "{file} was not created by you on this computer, or was changed since.", file=blend.name
        ),
        "Import the original. It is rebuilt from the mesh file.",
    )


def make_root(root: Path) -> None:
    """Create the library's folder if it is missing. The default folder is made private to its user.

    Raises OSError if that fails.
    """
    from ..library.store import default_folder

    is_default = root.resolve() == default_folder(os.environ).resolve()
    root.mkdir(parents=True, exist_ok=True, mode=0o700 if is_default else 0o777)
    if is_default and sys.platform != "win32":
        # A default folder made by an older version, or unpacked from a backup, may be public.
        status = root.stat()
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:  # guard: private-by-default
            root.chmod(0o700)


def is_own_legacy(record: Path) -> bool:
    """Return whether an unmarked record or model is this user's, from before marks existed.

    It must be older than the user's secret, and in the user's own default library, to which nobody
    else can write. All other unmarked files need the user's trust.
    """
    from ..library.store import default_folder

    if not is_older_than_secret(record):
        return False
    root = record.parent.parent.resolve()
    return root == default_folder(os.environ).resolve() and is_private(record.parent)


def remove_tree(folder: Path) -> None:
    """Delete a folder and its content without following links.

    Raises OSError if that fails, or if the folder is a link.
    """
    if not is_plain_folder(folder):
        folder.stat()  # raises FileNotFoundError if it is missing
        raise OSError(errno.ELOOP, "it is a symbolic link")
    import shutil

    shutil.rmtree(folder)


def _is_private(folder: Path) -> bool:
    if not is_plain_folder(folder):
        return False
    if sys.platform == "win32":
        from .trash import is_fixed_drive

        return is_fixed_drive(folder)
    status = folder.stat()
    if status.st_uid != os.geteuid():
        return False
    others = status.st_mode & _OTHERS_WRITE
    return not others or (others == stat.S_IWGRP and _is_own_group(status.st_gid))


def _is_own_group(group: int) -> bool:
    """Return whether a group has this user's name and no other members; False on Windows.

    Some systems create such a group for each user.
    """
    if sys.platform == "win32":
        return False
    import grp
    import pwd

    with suppress(KeyError):
        user, entry = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
        return entry.gr_name == user.pw_name and set(entry.gr_mem) <= {user.pw_name}
    return False


def _texts(value: JSON) -> Iterator[str]:
    """Yield all strings in a JSON value, including the keys of its objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from _texts(pair)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _trusted_libraries() -> list[str]:
    try:
        paths = json.loads(read_plain((settings_folder() / FILE).resolve(), MOST))
    except (OSError, ValueError, RecursionError):
        return []
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
