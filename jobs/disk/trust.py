# SPDX-License-Identifier: GPL-3.0-or-later
"""Which libraries this user trusts with what others wrote, and which ones others can write to.

Trust is kept in the user's own settings folder, by the library's path. It lets jobs of others be
gone on with and brought in. It lets nothing of theirs be executed: models are made from the mesh
file again; and no address of theirs be called: the service itself is asked.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
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
MOST = 1 << 20
HINT = (
    "Look at who can write to the library; then trust it: Trust This Library in the preferences, "
    "or “--trust-library”."
)
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=+~-]{0,299}")
"""What an id in a ticket can be: one part of a path, as it stands."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class NotTrusted(LibraryProblem):
    """A job that this user did not write, in a library that was not said to be trusted."""


def is_trusted(root: Path) -> bool:
    """Say whether this user trusts what others wrote into a library."""
    return str(root.resolve()) in _trusted()


def trust_library(root: Path, *, trusted: bool = True) -> None:
    """Trust what others wrote into a library, or no longer; raises LibraryProblem."""
    others = [one for one in _trusted() if one != str(root.resolve())]
    folder = settings_folder()
    listed = sorted([*others, str(root.resolve())] if trusted else others)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(folder.resolve() / FILE, json.dumps(listed, indent=1).encode())
    except OSError as error:
        raise LibraryProblem(
            Message("{path} cannot be written: {reason}.", path=folder / FILE,
                    reason=error.strerror or error)
        ) from error  # fmt: skip


def check_origin(record: Record, root: Path) -> None:
    """Raise NotTrusted for a job of somebody else, unless its library is trusted."""
    if not (record.own or is_trusted(root)):  # guard: strangers-are-asked-about
        raise NotTrusted(
            Message("“{job}” was not written by you on this computer.", job=record.id), HINT
        )


def check_ticket(record: Record) -> None:
    """Raise LibraryProblem for a job of somebody else that can only go on by an address in it."""
    if record.own:
        return
    named = any(one.url for one in record.pictures)
    named = named or any("//" in one for one in _texts(record.uploaded))
    if named or not all(map(_ID.fullmatch, _texts(record.ticket))):  # guard: addresses-of-strangers
        raise LibraryProblem(
            Message("“{job}” was written elsewhere and names an address.", job=record.id),
            "No address of others is called: let whoever wrote it go on with it.",
        )


def has_strangers_models(library: Library) -> bool:
    """Say whether others can write to a library, or wrote into it; reads every record."""
    if not _is_private(library.root.resolve()):
        return library.root.exists()
    for job in library.jobs():
        with suppress(LibraryProblem):
            if not library.load(job).own:
                return True
        blend = library.folder(job) / ORIGINAL
        if os.path.lexists(blend) and not (is_marked(blend) or is_old_own(blend)):
            return True
    return False


def is_private(folder: Path) -> bool:
    """Say whether nobody else can write to a job's folder and the library around it.

    Of Windows' rights only the drive is known: what lies on a network is not private.
    """
    return all(_is_private(one) for one in (folder, folder.parent.resolve()))


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """Give the folder to make a job's model in: its own where it is private, else another one.

    What was made elsewhere is copied to the job's folder when the block ends well.
    """
    if is_private(folder):
        yield folder
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="image_to_mesh-") as place:
        yield Path(place)
        for made in sorted(Path(place).iterdir()):
            if made.is_file():
                with suppress(OSError):  # made again when it is needed
                    copy_plain(made, folder / made.name)


@contextmanager
def model_to_read(blend: Path) -> Iterator[Path]:
    """Give a model that this user's Blender made, as nobody else can change it meanwhile.

    Raises LibraryProblem for any other.
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
    """Return the error for a model that others made or changed."""
    return LibraryProblem(
        Message("{file} was not made by your Blender.", file=blend.name),
        "Import the original: it is made from the mesh file again.",
    )


def make_root(root: Path) -> None:
    """Make the library's folder; the default one is for its user alone, also if it was not yet.

    Raises OSError.
    """
    from ..library.store import default_folder

    is_default = root.resolve() == default_folder(os.environ).resolve()
    root.mkdir(parents=True, exist_ok=True, mode=0o700 if is_default else 0o777)
    if is_default and os.name == "posix":
        found = root.stat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:  # guard: private-by-default
            root.chmod(0o700)


def is_old_own(record: Path) -> bool:
    """Say whether a record without a mark is one of this user's from before there were marks.

    Such are in the user's own default library alone, where nobody else can write, and older than
    the user's secret: what was put there later is asked about.
    """
    from ..library.store import default_folder

    if not is_older_than_secret(record):
        return False
    root = record.parent.parent.resolve()
    return root == default_folder(os.environ).resolve() and is_private(record.parent)


def remove_tree(folder: Path) -> None:
    """Delete a folder and what is in it; a link is never followed. Raises OSError."""
    if not is_plain_folder(folder):
        folder.stat()  # one that is not there says so
        raise OSError(errno.ELOOP, "it is a link")
    import shutil

    shutil.rmtree(folder)


def _is_private(folder: Path) -> bool:
    if not is_plain_folder(folder):
        return False
    if os.name != "posix":
        from .trash import is_fixed_drive

        return is_fixed_drive(folder)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        return False
    others = found.st_mode & _OTHERS_WRITE
    return not others or (others == stat.S_IWGRP and _is_own_group(found.st_gid))


def _is_own_group(group: int) -> bool:
    """Say whether a group is its user's alone, as many systems have it."""
    import grp
    import pwd

    with suppress(KeyError):
        user, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
        return found.gr_name == user.pw_name and set(found.gr_mem) <= {user.pw_name}
    return False


def _texts(value: JSON) -> Iterator[str]:
    """Yield all texts in a value of a record, names in its objects as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from _texts(pair)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _trusted() -> list[str]:
    try:
        kept = json.loads(read_plain((settings_folder() / FILE).resolve(), MOST))
    except (OSError, ValueError, RecursionError):
        return []
    return [one for one in kept if isinstance(one, str)] if isinstance(kept, list) else []
