# SPDX-License-Identifier: GPL-3.0-or-later
"""Resume jobs: find them, and collect the keys, addresses, and worker command that they need."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs, preferences
from ..jobs.disk.trust import check_author, is_trusted
from ..providers import LibraryProblem, Message, Unreachable, all_providers, get_provider
from . import bring_in


def find(context: bpy.types.Context, job: str) -> jobs.Record:
    """Return the record of `job`, or of the newest job that can be resumed if `job` is empty.

    The search for the newest skips jobs that are running or locked by another process. It also
    skips other users' jobs unless the library is trusted. Raise LibraryProblem if no job qualifies,
    or if `job` cannot be resumed.
    """
    library = bring_in.library_of(context, job)
    if job:
        record = library.load(job)
        if not jobs.can_resume(record, library.folder(job)):
            raise LibraryProblem(
                Message(
                    "There is nothing to resume for “{name}” (state: {state}).",
                    name=record.name,
                    state=Message.of(record.state.shown),
                )
            )
        return record
    running = {view.job for view in jobs.session().running()}
    found = [
        record
        for record in library.open_jobs()
        if not record.state.over and record.id not in running
    ]
    trusted = is_trusted(library.root)
    # The newest first. A lock means that another process is already working on the job.
    for record in reversed(found):
        if (record.own or trusted) and not library.is_held(record.id):
            return record
    raise LibraryProblem("There is no job to resume.")


def start_again(context: bpy.types.Context, record: jobs.Record, **decided: Any) -> str:
    """Resume a job on its thread and return its id.

    `decided` are the user's decisions about an uncertain order: keyword arguments of
    `ResumeContext.spec_of`. Raise ImageToMeshError if a key or address is missing or invalid, if
    Blender is offline, or if somebody else wrote the job and the library is not trusted.
    """
    library = bring_in.library_of(context, record.id).root
    check_author(record, library)
    provider = get_provider(record.provider)
    if preferences.is_offline(context, provider):
        raise Unreachable(preferences.OFFLINE)
    resume_context = jobs.ResumeContext(
        library=library,
        keys={provider.id: preferences.keys(context, provider)},
        addresses={provider.id: preferences.address(context, provider)},
        online=bpy.app.online_access,
        blender=_worker_command(),
    )
    job = jobs.session().start(resume_context.spec_of(record, **decided))
    bring_in.remember(job, library)
    return job


def resume_context(context: bpy.types.Context) -> jobs.ResumeContext:
    """Return what jobs need to be resumed: the library, the worker command, keys, and addresses.

    A service whose key or address is missing or invalid, or that Blender may not reach, is left
    out.
    """
    keys, addresses = {}, {}
    for provider in all_providers().values():
        usable = preferences.has_keys(context, provider)
        usable = usable and preferences.address_problem(context, provider) is None
        if usable and not preferences.is_offline(context, provider):
            keys[provider.id] = preferences.keys(context, provider)
            addresses[provider.id] = preferences.address(context, provider)
    return jobs.ResumeContext(
        library=preferences.library(context),
        keys=keys,
        addresses=addresses,
        online=bpy.app.online_access,
        blender=_worker_command(),
    )


def _worker_command() -> tuple[str, ...]:
    from ..scene import background_command

    return background_command()
