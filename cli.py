# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the same jobs and providers without a window. Nothing here imports bpy.

`image-to-mesh …` after `pip install .`, and `blender --background --command image_to_mesh …`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .commands import batch, unfinished
from .commands.exits import DONE, INTERRUPTED
from .commands.job import BlenderHost as BlenderHost
from .commands.job import (
    carry_out,
    check_output,
    library_of,
    pairs,
    report,
    spec_for,
)
from .jobs import (
    Entry,
    Failure,
    JobSpec,
    PictureSource,
    State,
    catalogue,
    find_blender,
    picture_from,
)
from .providers import (
    ImageToMeshError,
    MissingKey,
    Provider,
    all_providers,
    get_provider,
    keys_for,
    settings_of,
)


def main(argv: Sequence[str] | None = None, host: BlenderHost | None = None) -> int:
    """Run one command and return its exit code, as the public surface lists them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        arguments = _parser(host).parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    command: Callable[[argparse.Namespace, BlenderHost], int] = arguments.run
    try:
        return command(arguments, host or BlenderHost(find_blender(os.environ), online=True))
    except ImageToMeshError as error:
        failure = Failure(error.kind, error.message, error.hint, error.link)
        return report(arguments, None, failure, None)
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
    batch.add_command(commands, _add_common, seconds)
    listed = commands.add_parser("providers", help="list the services and their settings")
    listed.add_argument("--json", action="store_true", help="settings as JSON Schema")
    listed.set_defaults(run=_providers)
    jobs = commands.add_parser("jobs", help="list what is in the library")
    states = [str(one) for one in State]
    jobs.add_argument("--state", choices=states, default="", help="only jobs that stand there")
    jobs.add_argument("--provider", default="", metavar="ID", help="only this service's jobs")
    jobs.add_argument("--text", default="", metavar="WORDS", help="only jobs with all the words")
    _add_common(jobs)
    jobs.set_defaults(run=_jobs)
    unfinished.add_commands(commands, _add_common, seconds)
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


def _generate(arguments: argparse.Namespace, host: BlenderHost) -> int:
    check_output(arguments.output)
    return carry_out(_new_job(arguments, host), arguments)


def _new_job(arguments: argparse.Namespace, host: BlenderHost) -> JobSpec:
    from .providers._adapters import parse_settings

    provider = get_provider(arguments.provider)
    pictures = _pictures(arguments)
    settings = parse_settings(provider.settings, pairs(arguments.set, "--set"))
    return spec_for(arguments, host, provider, settings=settings, pictures=pictures)


def _pictures(arguments: argparse.Namespace) -> tuple[PictureSource, ...]:
    views = pairs(arguments.view, "--view")
    others = (picture_from(file, view) for view, file in views.items() if file)
    return (picture_from(arguments.image), *others)


# -- providers, jobs -----------------------------------------------------------------------------


def _providers(arguments: argparse.Namespace, host: BlenderHost) -> int:
    rows = [_provider_row(one, host.preferences) for one in all_providers().values()]
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


def _jobs(arguments: argparse.Namespace, host: BlenderHost) -> int:
    found = catalogue(library_of(arguments, host).root)
    found.refresh()
    chosen = found.find(state=arguments.state, provider=arguments.provider, text=arguments.text)
    listed = chosen[::-1]  # the newest last, where the eye is
    if arguments.json:
        answer = {"jobs": [_job_row(one) for one in listed], "problems": list(found.problems)}
        print(json.dumps(answer, ensure_ascii=False))
        return DONE
    for one in listed:
        cost = "" if one.credits is None else f"{one.credits:g} credits"
        columns = (one.state, one.provider, one.name, one.created, cost)
        print("  ".join((one.job, *columns)).rstrip())
    for problem in found.problems:
        print(problem, file=sys.stderr)
    return DONE


def _job_row(one: Entry) -> dict[str, Any]:
    return {
        "id": one.job,
        "state": str(one.state),
        "provider": one.provider,
        "image": one.name,
        "created": one.created,
        "credits": one.credits,
        "seconds": one.seconds,
    }
