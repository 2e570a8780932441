# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the commands: builds a job from arguments, runs it, and reports how it ended."""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from ..jobs import Ended, Failure, JobSpec, JobView, Library, Record, Session, State, session
from ..jobs.disk.file_names import is_reserved
from ..jobs.disk.plain_files import copy_plain
from ..jobs.disk.signatures import is_marked
from ..jobs.disk.trust import trust_library
from ..jobs.library.file_names import ORIGINAL
from ..jobs.library.store import library_folder
from ..jobs.slots import ANSWER_LIMIT, Slots
from ..providers import (
    InvalidSettings,
    LibraryProblem,
    NoBlender,
    Provider,
    base_url,
    keys_for,
    unencrypted_problem,
)
from .exit_codes import INTERRUPTED, exit_code_for
from .hints import hint_here
from .interrupts import graceful_stop, suspend
from .output import is_terminal, print_json, print_line, print_notice, write_line
from .own_servers import preferences_for

JOIN_SECONDS = 10.0
"""Maximum seconds to wait for the threads of a finished job."""
LONGEST_OUTPUT = 255
"""Maximum length of a file name on most file systems, in bytes."""


@dataclass(frozen=True)
class BlenderHost:
    """The environment of the command line: a Blender, its preferences, and online access.

    `blender` is the command that starts a worker, None if no Blender was found. `online` is whether
    anything beyond loopback may be called. `preferences` are the add-on's, empty outside Blender.
    """

    blender: tuple[str, ...] | None
    online: bool
    preferences: Mapping[str, str] = field(default_factory=dict)


def library_of(arguments: argparse.Namespace, host: BlenderHost) -> Library:
    """Return the library that a command uses, and apply `--trust-library` to it.

    Raises LibraryProblem if the user's trust cannot be saved.
    """
    preference = arguments.library or host.preferences.get("library", "")
    root = library_folder(preference, os.environ).resolve()
    if arguments.trust_library is not None:
        trust_library(root, trusted=arguments.trust_library)
    return Library(root)


def spec_for(
    arguments: argparse.Namespace, host: BlenderHost, provider: Provider[Any], **fields: Any
) -> JobSpec:
    """Return the spec of a job: `fields`, plus what the command's arguments and `host` determine.

    Raises NoBlender, MissingKey, BadKey, InvalidSettings, or LibraryProblem.
    """
    if host.blender is None and "blender" in provider.needs:
        raise NoBlender(
            f"{provider.label} needs Blender, but none was found.",
            "Install the bpy module (“pip install bpy”), or set BLENDER to the path of Blender.",
        )
    preferences = preferences_for(arguments, provider, host.preferences)
    keys = keys_for(provider, preferences, os.environ)
    base = base_url(provider, preferences, os.environ)
    is_sent = provider.sends_keys_to(base)
    if host_name := provider.public_host(base):
        _print_owner(host_name, token=is_sent and bool(keys))
    if is_sent and provider.self_hosted and (problem := unencrypted_problem(base, keys)):
        raise problem
    return JobSpec(
        provider=provider.id,
        **{"pictures": (), **fields},
        library=library_of(arguments, host).root,
        keys=keys,
        base_url=base,
        online=host.online,
        blender=host.blender,
        timeout=arguments.timeout,
    )


@functools.cache
def _print_owner(host: str, *, token: bool) -> None:
    """Print once that a server is somebody else's; `token`: whether it gets the user's token."""
    seen = "your images and your token" if token else "your images"
    print_notice(f"{host} is somebody else's server. Its owner can see {seen}.")


def pairs(texts: Sequence[str], option: str) -> dict[str, str | None]:
    """Split NAME=VALUE arguments. An empty value becomes None, which means "not sent".

    Raises InvalidSettings for any other argument; its message names `option`, such as `--set`.
    """
    pairs: dict[str, str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidSettings(f"“{option} {text}” is not valid.", f"Use {option} NAME=VALUE.")
        pairs[name.strip()] = value.strip() or None
    return pairs


def run_job(spec: JobSpec, arguments: argparse.Namespace) -> int:
    """Run a job, print its result or error, and return the exit code.

    After a signal, the job is closed so that it can be resumed, and the code is INTERRUPTED.
    """
    running, slots = session(), Slots()
    with graceful_stop() as received:
        job = running.start(replace(spec, slots=slots))
        view = follow(running, job, None if arguments.quiet else sys.stderr, received)
        if view is None:
            # Slots are closed first: once the jobs are closed, a paid answer has only 3 s left.
            suspend(lambda: slots.close(ANSWER_LIMIT), ordering=slots.ordering)
            running.close()
            return _report_interrupt(arguments, spec, job)
        running.join(JOIN_SECONDS)
    record, failure, file = view.record, view.failure, None
    if record is not None:
        try:
            file = deliver(record, spec.library, arguments.output)
        except LibraryProblem as problem:
            file = spec.library / record.id / (record.mesh or "")
            failure = Failure("library", problem.message, problem.hint)
    return report(arguments, record, failure, file)


def _report_interrupt(arguments: argparse.Namespace, spec: JobSpec, job: str) -> int:
    """Print how to resume an interrupted job, and return the exit code."""
    print_notice(f"Interrupted. Run “resume {job}” to continue.")
    if arguments.json:
        with contextlib.suppress(LibraryProblem):
            record = Library(spec.library).load(job)
            print_json(_summary(arguments, record, None, None))
    return INTERRUPTED


def follow(
    running: Session, job: str, out: TextIO | None, received: Sequence[int] = ()
) -> JobView | None:
    """Print the progress of a job until it ends, and return its last view.

    Returns None as soon as `received` contains a signal. Prints nothing if `out` is None.
    """
    shown = ""
    while not received:
        # Short enough to notice a signal without a visible delay.
        event = running.wait(0.25)
        if event is None or event.job != job:
            continue
        if isinstance(event, Ended):
            if is_terminal(out):
                write_line(out, "")
            return event.view
        line = _progress_line(event.view)
        if out is not None and line != shown:
            shown = line
            # Padded, because on a terminal it overwrites the previous line, which may be longer.
            write_line(out, line.ljust(60), end="\r" if is_terminal(out) else "\n")
    return None


def _progress_line(view: JobView) -> str:
    # In steps of 5 %: each change is a new line where the output is a file.
    percent = "" if view.fraction is None else f"{int(view.fraction * 20) * 5:3d} % "
    return f"{percent}{view.phase}"


def check_output(output: Path | None) -> None:
    """Raise InvalidSettings if the output file has an invalid name or cannot be written.

    Called before anything is sent. Nothing is checked if `output` is None.
    """
    if output is None:
        return
    if output.suffix.lower() not in (".glb", ".fbx", ".obj", ".blend"):
        raise InvalidSettings(
            f"{output} is not a mesh file.", "Use the extension .glb, .fbx, .obj, or .blend."
        )
    if is_reserved(output.name) or len(os.fsencode(output.name)) > LONGEST_OUTPUT:
        raise InvalidSettings(
            f"{output.name} is not a valid file name on every system.",
            "Use a different or shorter name.",
        )
    if not output.parent.is_dir():
        raise InvalidSettings(f"The folder {output.parent} does not exist.", "Create it first.")
    if output.is_dir():
        raise InvalidSettings(f"{output} is a folder.", "Enter a file name.")
    try:
        # Writing is the only reliable test; permissions alone do not cover network folders.
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise InvalidSettings(
            f"Cannot write to {output.parent}: {error.strerror or error}.",
            "Choose another folder.",
        ) from error


def deliver(record: Record, library: Path, output: Path | None) -> Path | None:
    """Copy the result to `output`, with the suffix of its actual format, and return the new path.

    The result is the mesh, or the prepared model if `output` ends with .blend and this user made
    the model. If the suffix changes, a note is printed. Without `output`, nothing is copied, and
    the mesh's path in the library is returned. Returns None if the job has no mesh. Raises
    LibraryProblem if the copy fails; the mesh stays in the library.
    """
    if record.state is not State.READY or record.mesh is None:
        return None
    folder = Library(library).folder(record.id)
    if output is None:
        return folder / record.mesh
    wants_blend = output.suffix.lower() == ".blend" and record.blend is not None
    if wants_blend and not is_marked(folder / ORIGINAL):
        wants_blend = False  # Opening another user's .blend file could run its scripts.
    source = folder / (record.blend if wants_blend and record.blend else record.mesh)
    target = output.with_suffix(source.suffix)
    if target.suffix != output.suffix:
        print_notice(f"Note: the result is in {source.suffix[1:].upper()} format: {target}")
    try:
        # Resolved, because `copy_plain` refuses a folder that is a link, and users may have one.
        copy_plain(source, target.parent.resolve() / target.name)
    except OSError as error:
        raise LibraryProblem(
            f"Cannot write {target}: {error.strerror or error}.", f"The mesh is in {source}."
        ) from error
    return target


def report(
    arguments: argparse.Namespace, record: Record | None, failure: Failure | None, file: Path | None
) -> int:
    """Print how a job ended, as text or JSON, and return the exit code."""
    if failure is not None:
        print_notice(f"{failure.message} {hint_here(failure.hint)} {failure.link}".strip())
    elif record is not None and not arguments.json:
        print_line(_ended_line(record, file))
    for note in record.notes if record else ():
        print_notice(f"Note: {note}")
    if getattr(arguments, "json", False):
        print_json(_summary(arguments, record, failure, file))
    return exit_code_for(failure, record)


def _ended_line(record: Record, file: Path | None) -> str:
    if file is None:
        return f"{record.id}: {record.state}"
    faces = f"{record.faces} faces, " if record.faces is not None else ""
    return f"{file} ({faces}{record.seconds:.1f} s)"


def _summary(
    arguments: argparse.Namespace, record: Record | None, failure: Failure | None, file: Path | None
) -> dict[str, Any]:
    error = failure and {
        "kind": failure.kind,
        "message": failure.message,
        "hint": hint_here(failure.hint),
    }
    return {
        "job": record.id if record else "",
        "state": str(record.state) if record else str(State.FAILED),
        "provider": record.provider if record else getattr(arguments, "provider", ""),
        "file": str(file.resolve()) if file else None,
        "format": record.format if record else None,
        "faces": record.faces if record else None,
        "credits": record.credits if record else None,
        "seconds": record.seconds if record else 0.0,
        "error": error,
    }
