# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the same jobs and providers without a window. Nothing here imports bpy.

`image-to-mesh …` after `pip install .`, and `blender --background --command image_to_mesh …`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from .jobs import (
    Ended,
    Failure,
    JobSpec,
    JobView,
    Library,
    PictureSource,
    Record,
    Session,
    State,
    find_blender,
    library_folder,
    picture_from,
    session,
)
from .providers import (
    ImageToMeshError,
    InvalidSettings,
    LibraryProblem,
    MissingKey,
    NoBlender,
    Provider,
    all_providers,
    base_url,
    get_provider,
    keys_for,
    settings_of,
)

DONE, NOTHING_SENT, RESUMABLE, INTERRUPTED = 0, 2, 7, 130
EXIT_CODES = {
    "failed": 1,
    "rejected": 1,
    "banned": 1,
    "expired": 1,
    "bad_reply": 1,
    "invalid_settings": 2,
    "bad_image": 2,
    "no_blender": 2,
    "library": 2,
    "missing_key": 3,
    "bad_key": 3,
    "no_credits": 4,
    "unreachable": 5,
    "rate_limited": 5,
    "timed_out": 5,
    "uncertain": 6,
    "bad_mesh": 7,
}
SETTLE = 10.0


@dataclass(frozen=True)
class BlenderHost:
    """What a Blender that runs the command line brings along."""

    blender: tuple[str, ...]
    online: bool
    preferences: Mapping[str, str] = field(default_factory=dict)


def main(argv: Sequence[str] | None = None, host: BlenderHost | None = None) -> int:
    """Run one command and return its exit code, as the public surface lists them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        arguments = _parser(host).parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    command: Callable[[argparse.Namespace, BlenderHost | None], int] = arguments.run
    try:
        return command(arguments, host)
    except ImageToMeshError as error:
        failure = Failure(error.kind, error.message, error.hint, error.link)
        return _report(arguments, None, failure, None)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:  # standard output is full or closed
        with contextlib.suppress(OSError):
            print(f"The answer cannot be written: {error.strerror or error}.", file=sys.stderr)
        return 1


def _parser(host: BlenderHost | None) -> argparse.ArgumentParser:
    name = "blender --background --command image_to_mesh" if host else "image-to-mesh"
    parser = argparse.ArgumentParser(prog=name, description="Turn a picture into a mesh.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_generate(commands)
    importlib.import_module(".cli_batch", __package__).add(commands)
    listed = commands.add_parser("providers", help="list the services and their settings")
    listed.add_argument("--json", action="store_true", help="settings as JSON Schema")
    listed.set_defaults(run=_providers)
    jobs = commands.add_parser("jobs", help="list what is in the library")
    _add_common(jobs)
    jobs.set_defaults(run=_jobs)
    resume = commands.add_parser("resume", help="go on with unfinished jobs; orders nothing")
    resume.add_argument("job", nargs="?", default="", metavar="JOB", help="default: all")
    resume.add_argument("--timeout", type=seconds, metavar="SECONDS", help="give up waiting")
    resume.add_argument("--quiet", action="store_true", help="no progress")
    _add_common(resume)
    resume.set_defaults(run=_resume, output=None)
    return parser


def _add_generate(commands: Any) -> None:
    generate = commands.add_parser(
        "generate", help="turn a picture into a mesh", description="Turn a picture into a mesh."
    )
    generate.add_argument("image", metavar="IMAGE", help="a picture file or an https address")
    generate.add_argument("--provider", default="local", metavar="ID", help="default: local")
    generate.add_argument(
        "--view", action="append", default=[], metavar="SIDE=FILE", help="e.g. left=side.png"
    )
    generate.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a provider's setting"
    )
    generate.add_argument("--output", type=Path, metavar="FILE", help="also put the mesh here")
    generate.add_argument("--timeout", type=seconds, metavar="SECONDS", help="give up waiting")
    generate.add_argument("--quiet", action="store_true", help="no progress")
    _add_common(generate)
    generate.set_defaults(run=_generate)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--library", default="", metavar="DIR", help="the library's folder")
    command.add_argument("--json", action="store_true", help="one JSON object as the last line")


def seconds(text: str) -> float:
    """Read a number of seconds; its name is what argparse shows of it."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


# -- generate ------------------------------------------------------------------------------------


def _generate(arguments: argparse.Namespace, host: BlenderHost | None) -> int:
    _check_output(arguments.output)
    return _carry_out(_new_job(arguments, host), arguments)


def _resume(arguments: argparse.Namespace, host: BlenderHost | None) -> int:
    """Go on with one job, or with all that are unfinished; the first that fails gives the code."""
    from .providers._adapters import parse_settings

    library = _library(arguments, host)
    records = [library.load(arguments.job)] if arguments.job else library.all()[0]
    codes = [DONE]
    for record in records:
        if record.state.over:
            codes.append(_report(arguments, record, record.failure, None) if arguments.job else 0)
            continue
        provider = get_provider(record.provider)
        settings = parse_settings(provider.settings, record.settings)
        spec = _spec(arguments, host, provider, settings=settings, record=record)
        codes.append(_carry_out(spec, arguments))
    return next(filter(None, codes), DONE)


def _carry_out(spec: JobSpec, arguments: argparse.Namespace) -> int:
    running = session()
    job = running.start(spec)
    try:
        view = _follow(running, job, None if arguments.quiet else sys.stderr)
        running.settle(SETTLE)
    except KeyboardInterrupt:
        running.close()
        return _interrupted(arguments, spec, job)
    record, failure, file = view.record, view.failure, None
    if record is not None:
        try:
            file = _deliver(record, spec.library, arguments.output)
        except LibraryProblem as problem:
            file = spec.library / record.id / (record.mesh or "")
            failure = Failure("library", problem.message, problem.hint)
    return _report(arguments, record, failure, file)


def _interrupted(arguments: argparse.Namespace, spec: JobSpec, job: str) -> int:
    """Say where an interrupted job stands: it is kept as it is."""
    print(f"Interrupted. The job is kept: {job}", file=sys.stderr)
    if arguments.json:
        with contextlib.suppress(LibraryProblem):
            record = Library(spec.library).load(job)
            print(json.dumps(_summary(arguments, record, None, None), ensure_ascii=False))
    return INTERRUPTED


def _new_job(arguments: argparse.Namespace, host: BlenderHost | None) -> JobSpec:
    from .providers._adapters import parse_settings

    provider = get_provider(arguments.provider)
    pictures = _pictures(arguments)
    settings = parse_settings(provider.settings, _pairs(arguments.set, "--set"))
    return _spec(arguments, host, provider, settings=settings, pictures=pictures)


def _spec(
    arguments: argparse.Namespace, host: BlenderHost | None, provider: Provider[Any], **what: Any
) -> JobSpec:
    """Add what every job needs besides its settings and its pictures or record."""
    preferences = host.preferences if host else {}
    blender = host.blender if host else find_blender(os.environ)
    if blender is None and "blender" in provider.needs:
        raise NoBlender(
            f"{provider.label} needs a Blender to work in, and none was found.",
            "Install the bpy module (“pip install bpy”), or set BLENDER to a Blender's path.",
        )
    return JobSpec(
        provider=provider.id,
        **{"pictures": (), **what},
        library=_library(arguments, host).root,
        keys=keys_for(provider, preferences, os.environ),
        base_url=base_url(provider, preferences, os.environ),
        online=host.online if host else True,
        blender=blender,
        timeout=arguments.timeout,
    )


def _pictures(arguments: argparse.Namespace) -> tuple[PictureSource, ...]:
    views = _pairs(arguments.view, "--view")
    others = (picture_from(file, view) for view, file in views.items() if file)
    return (picture_from(arguments.image), *others)


def _pairs(texts: Sequence[str], option: str) -> dict[str, str | None]:
    """Split NAME=VALUE; an empty value means None, which is "not sent"."""
    pairs: dict[str, str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidSettings(f"{option} {text} is not NAME=VALUE.", "For example size=3.")
        pairs[name.strip()] = value.strip() or None
    return pairs


def _follow(running: Session, job: str, out: TextIO | None) -> JobView:
    """Show the job's progress until it ends."""
    shown = ""
    while True:
        event = running.wait(0.25)
        if event is None or event.job != job:
            continue
        if isinstance(event, Ended):
            if out is not None and out.isatty():
                print(file=out)
            return event.view
        line = _progress_line(event.view)
        if out is not None and line != shown:
            shown = line
            end = "\r" if out.isatty() else "\n"
            print(line.ljust(60), end=end, file=out, flush=True)


def _progress_line(view: JobView) -> str:
    percent = "" if view.fraction is None else f"{int(view.fraction * 20) * 5:3d} % "
    return f"{percent}{view.phase}"


def _check_output(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in (".glb", ".fbx", ".obj", ".blend"):
        raise InvalidSettings(
            f"{output} has no ending of a mesh file.", "End it with .glb, .fbx, .obj or .blend."
        )
    if not output.parent.is_dir():
        raise InvalidSettings(f"There is no folder {output.parent}.", "Make it first.")
    if output.is_dir():
        raise InvalidSettings(f"{output} is a folder.", "Give a file's name.")
    try:
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise InvalidSettings(
            f"{output.parent} cannot be written to: {error.strerror or error}.",
            "Choose another folder.",
        ) from error


def _deliver(record: Record, library: Path, output: Path | None) -> Path | None:
    """Copy the result to where it was asked for; a mesh keeps the ending of its real format.

    Raises LibraryProblem where that is not possible; the library has it all the same.
    """
    if record.state is not State.READY or record.mesh is None:
        return None
    folder = Library(library).folder(record.id)
    if output is None:
        return folder / record.mesh
    wants_blend = output.suffix.lower() == ".blend" and record.blend is not None
    source = folder / (record.blend if wants_blend and record.blend else record.mesh)
    target = output.with_suffix(source.suffix)
    if target.suffix != output.suffix:
        print(f"Note: the result is {source.suffix[1:].upper()}: {target}", file=sys.stderr)
    side = target.with_name(f".{target.name}.new")
    try:
        shutil.copyfile(source, side)
        side.replace(target)
    except OSError as error:
        side.unlink(missing_ok=True)
        raise LibraryProblem(
            f"{target} cannot be written: {error.strerror or error}.", f"The mesh is in {source}."
        ) from error
    return target


def _report(
    arguments: argparse.Namespace, record: Record | None, failure: Failure | None, file: Path | None
) -> int:
    """Say how it ended, in words or as the surface's JSON object, and return the exit code."""
    if failure is not None:
        print(f"{failure.message} {failure.hint} {failure.link}".strip(), file=sys.stderr)
    elif record is not None and not arguments.json:
        print(_ended_line(record, file))
    for note in record.notes if record else ():
        print(f"Note: {note}", file=sys.stderr)
    if getattr(arguments, "json", False):
        print(json.dumps(_summary(arguments, record, failure, file), ensure_ascii=False))
    if failure is not None:
        return _exit_code(failure, record)
    return DONE if record is not None and record.state is State.READY else INTERRUPTED


def _exit_code(failure: Failure, record: Record | None) -> int:
    """Return the surface's code; 2 says that nothing was sent, so it needs to be true."""
    code = EXIT_CODES.get(failure.kind, 1)
    sent = record is not None and record.ticket is not None
    return RESUMABLE if code == NOTHING_SENT and sent else code


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
        "hint": failure.hint,
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


# -- providers, jobs -----------------------------------------------------------------------------


def _providers(arguments: argparse.Namespace, host: BlenderHost | None) -> int:
    preferences = host.preferences if host else {}
    rows = [_provider_row(one, preferences) for one in all_providers().values()]
    if arguments.json:
        print(json.dumps({"providers": rows}, ensure_ascii=False))
        return DONE
    for row, provider in zip(rows, all_providers().values(), strict=True):
        key = {None: "no key needed", True: "key set", False: "no key set"}[row["key_set"]]
        print(f"{row['id']}: {row['name']} ({key})")
        for setting in settings_of(provider.settings):
            print(f"    {setting.name} = {setting.default}    {setting.description}")
    return DONE


def _provider_row(provider: Provider[Any], preferences: Mapping[str, str]) -> dict[str, Any]:
    from .providers._adapters import json_schema

    return {
        "id": provider.id,
        "name": provider.label,
        "key_set": _key_set(provider, preferences) if provider.keys else None,
        "views": list(provider.views),
        "settings": json_schema(provider.settings),
    }


def _key_set(provider: Provider[Any], preferences: Mapping[str, str]) -> bool:
    try:
        keys_for(provider, preferences, os.environ)
    except MissingKey:
        return False
    return True


def _jobs(arguments: argparse.Namespace, host: BlenderHost | None) -> int:
    records, problems = _library(arguments, host).all()
    if arguments.json:
        rows = [_job_row(record) for record in records]
        print(json.dumps({"jobs": rows, "problems": problems}, ensure_ascii=False))
        return DONE
    for record in records:
        cost = "" if record.credits is None else f"{record.credits:g} credits"
        columns = (record.state, record.provider, record.name, record.created, cost)
        print("  ".join((record.id, *columns)).rstrip())
    for problem in problems:
        print(problem, file=sys.stderr)
    return DONE


def _job_row(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "state": str(record.state),
        "provider": record.provider,
        "image": record.name,
        "created": record.created,
        "credits": record.credits,
        "seconds": record.seconds,
    }


def _library(arguments: argparse.Namespace, host: BlenderHost | None) -> Library:
    preference = arguments.library or (host.preferences.get("library", "") if host else "")
    return Library(library_folder(preference, os.environ).resolve())
