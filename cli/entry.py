# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point of the command line: parses the arguments and runs a command.

It is called as `image-to-mesh …` after `pip install .`, and as `blender --background --command
image_to_mesh …`. Nothing here imports bpy.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..jobs import JobSpec, PictureSource, State
from ..jobs.batch.plan import failure_of
from ..jobs.library.index import library_index
from ..jobs.library.index_entry import Entry
from ..jobs.process.find_blender import find_blender
from ..jobs.steps.inputs import picture_from
from ..providers import (
    BadKey,
    ImageToMeshError,
    MissingKey,
    Provider,
    Settings,
    all_providers,
    get_provider,
    keys_for,
    parts_to_hide,
    settings_of,
)
from . import batch, own_servers, shared_settings, unfinished
from .exit_codes import DONE, FAILED, INTERRUPTED
from .output import flush_answer, print_json, print_line, print_notice, redact_keys
from .running import BlenderHost as BlenderHost
from .running import check_output, library_of, pairs, report, run_job, spec_for
from .server_settings import (
    OPTION,
    add_address,
    at_address,
    model_at,
    provider_to_ask,
    settings_for,
)
from .shared_settings import given_settings

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None, host: BlenderHost | None = None) -> int:
    """Run a command and return its exit code; errors are printed, not raised.

    `argv` defaults to `sys.argv[1:]`. `host` is only given in Blender; without it, the command line
    finds a Blender itself.
    """
    # argparse prints its help itself, and the “…” in it cannot be encoded on some terminals.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser(host).parse_args(argv)
        # Before the command runs, so that nothing it prints can contain a key.
        redact_keys(_secrets(host))
    except SystemExit as end:
        # argparse exits on its own: with 0 after --help, with 2 for wrong usage.
        return int(end.code or 0)
    except KeyboardInterrupt:
        return INTERRUPTED
    code = _run_command(arguments, host)
    return code if flush_answer() else code or FAILED  # guard: unwritten-answers-are-reported


def _run_command(arguments: argparse.Namespace, host: BlenderHost | None) -> int:
    command: Callable[[argparse.Namespace, BlenderHost], int] = arguments.run
    try:
        return command(arguments, host or BlenderHost(find_blender(os.environ), online=True))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        # The message of an expected error is enough; only a bug needs its traceback.
        log.debug("unexpected", exc_info=not isinstance(error, ImageToMeshError))
        return report(arguments, None, failure_of(error), None)  # guard: sentences-not-tracebacks


def _secrets(host: BlenderHost | None) -> list[str]:
    """Return all keys from the preferences and the environment, to redact them in the output."""
    fields = [field for provider in all_providers().values() for field in provider.keys]
    own = host.preferences if host else {}
    return [
        part
        for field in fields
        for value in (own.get(field.preference, ""), os.environ.get(field.environment, ""))
        for part in parts_to_hide(field, value)
    ]


def _parser(host: BlenderHost | None) -> argparse.ArgumentParser:
    name = "blender --background --command image_to_mesh" if host else "image-to-mesh"
    parser = argparse.ArgumentParser(prog=name, description="Generate meshes from images.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_generate(commands)
    batch.add_command(commands, _add_common, seconds)
    listed = commands.add_parser("providers", help="list the providers and their settings")
    listed.add_argument("--json", action="store_true", help="print the settings as JSON Schema")
    listed.add_argument("--provider", default="", metavar="ID", help="only this provider")
    listed.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="a setting on which those of the server depend",
    )  # fmt: skip
    add_address(listed)
    listed.set_defaults(run=_providers)
    jobs = commands.add_parser("jobs", help="list the jobs in the library")
    states = [str(state) for state in State]
    jobs.add_argument("--state", choices=states, default="", help="only jobs in this state")
    jobs.add_argument("--provider", default="", metavar="ID", help="only jobs of this provider")
    jobs.add_argument(
        "--text", default="", metavar="WORDS", help="only jobs with all of these words"
    )
    _add_common(jobs)
    jobs.set_defaults(run=_jobs)
    unfinished.add_commands(commands, _add_common, seconds)
    return parser


def _add_generate(commands: Any) -> None:
    generate = commands.add_parser(
        "generate",
        help="generate a mesh from an image",
        description="Generate a mesh from an image.",
    )
    generate.add_argument("image", metavar="IMAGE", help="an image file or an https URL")
    generate.add_argument("--provider", default="local", metavar="ID", help="default: local")
    generate.add_argument(
        "--view",
        action="append",
        default=[],
        metavar="SIDE=FILE",
        help="another side, for example left=side.png",
    )
    shared_settings.add_options(generate)
    generate.add_argument(
        "--again",
        action="store_true",
        help="submit it even if the same job is running or was just submitted",
    )
    generate.add_argument(
        "--output", type=Path, metavar="FILE", help="also save the mesh as this file"
    )
    generate.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help="stop waiting after this time"
    )
    generate.add_argument("--quiet", action="store_true", help="do not print progress")
    own_servers.add_options(generate)
    add_address(generate)
    _add_common(generate)
    generate.set_defaults(run=_generate)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--library", default="", metavar="DIR", help="the library folder")
    command.add_argument(
        "--trust-library",
        action=argparse.BooleanOptionalAction,
        help="from now on, trust jobs in this library that others created",
    )
    command.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line"
    )


def seconds(text: str) -> float:
    """Parse a positive number of seconds.

    Raises ValueError or ArgumentTypeError for any other text. For a ValueError, argparse prints the
    name of this function: "invalid seconds value".
    """
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


# -- generate ------------------------------------------------------------------------------------


def _generate(arguments: argparse.Namespace, host: BlenderHost) -> int:
    check_output(arguments.output)
    return run_job(_new_job(arguments, host), arguments)


def _new_job(arguments: argparse.Namespace, host: BlenderHost) -> JobSpec:
    provider = get_provider(arguments.provider)
    host = at_address(arguments, host, provider)
    pictures = _pictures(arguments)
    settings, files = settings_for(host, provider, given_settings(arguments, provider))
    return spec_for(
        arguments, host, provider,
        settings=settings, files=files, pictures=pictures, repeated=arguments.again,
    )  # fmt: skip


def _pictures(arguments: argparse.Namespace) -> tuple[PictureSource, ...]:
    views = pairs(arguments.view, "--view")
    others = (picture_from(file, view) for view, file in views.items() if file)
    return (picture_from(arguments.image), *others)


# -- providers, jobs -----------------------------------------------------------------------------


def _providers(arguments: argparse.Namespace, host: BlenderHost) -> int:
    found: dict[str, tuple[type[Settings], Any]] = {}
    if arguments.address or arguments.set:
        asked = provider_to_ask(arguments)
        host = at_address(arguments, host, asked)
        found[asked.id] = model_at(host, asked, pairs(arguments.set, "--set"))
    chosen = [get_provider(arguments.provider)] if arguments.provider else all_providers().values()
    if arguments.json:
        rows = [_provider_row(item, host.preferences, *found.get(item.id, ())) for item in chosen]
        print_json({"providers": rows})
        return DONE
    for provider in chosen:
        is_set = _key_set(provider, host.preferences)
        key = {None: "no key needed", True: "key set", False: "no key set"}[is_set]
        print_line(f"{provider.id}: {provider.label} ({key})")
        model, _ = found.get(provider.id, (provider.settings, None))
        for setting in settings_of(model):
            print_line(f"    {setting.name} = {setting.default}    {setting.description}")
        if provider.has_server_settings and provider.id not in found:
            print_line(f"    and those of the server: {OPTION} URL")
    return DONE


def _provider_row(
    provider: Provider[Any],
    preferences: Mapping[str, str],
    model: type[Settings] | None = None,
    found: Any = None,
) -> dict[str, Any]:
    """Return what `providers --json` says about a provider, with the settings of its server.

    `model` and `found` are what `model_at` returns, if the server was asked.
    """
    from ..providers._shared.adapters import json_schema

    row = {
        "id": provider.id,
        "name": provider.label,
        "key_set": _key_set(provider, preferences),
        "views": list(provider.views),
        "settings": json_schema(model or provider.settings),
    }
    if found is not None:
        names = [setting.name for setting in found.rows]
        row["server"] = {"address": found.address, "date": found.date, "settings": names}
    return row


def _key_set(provider: Provider[Any], preferences: Mapping[str, str]) -> bool | None:
    """Return whether valid keys are set for a provider; None if it needs no keys."""
    needed = any(not field.optional for field in provider.keys)
    try:
        found = keys_for(provider, preferences, os.environ)
    except (MissingKey, BadKey):
        return False
    return True if found else False if needed else None


def _jobs(arguments: argparse.Namespace, host: BlenderHost) -> int:
    found = library_index(library_of(arguments, host).root)
    found.refresh()
    chosen = found.find(state=arguments.state, provider=arguments.provider, text=arguments.text)
    listed = chosen[::-1]  # Newest last, just above the prompt.
    if arguments.json:
        answer = {"jobs": [_job_row(entry) for entry in listed], "problems": list(found.problems)}
        print_json(answer)
        return DONE
    for entry in listed:
        cost = "" if entry.credits is None else f"{entry.credits:g} credits"
        columns = (entry.state, entry.provider, entry.name, entry.created, cost)
        print_line("  ".join((entry.job, *columns)).rstrip())
    for problem in found.problems:
        print_notice(problem)
    return DONE


def _job_row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.job,
        "state": str(entry.state),
        "provider": entry.provider,
        "image": entry.name,
        "created": entry.created,
        "credits": entry.credits,
        "seconds": entry.seconds,
    }
