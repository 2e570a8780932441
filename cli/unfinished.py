# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands for unfinished jobs: resume, cancel, and settle."""

from __future__ import annotations

import argparse
import time
from typing import Any

from ..jobs import Failure, JobSpec, Library, Record, State, session
from ..jobs.disk.trust import HINT, check_author, is_trusted
from ..jobs.library.recovery import is_unsent
from ..jobs.library.uncertain import describe_uncertain, give_up
from ..jobs.state_after_error import can_resume
from ..providers import ImageToMeshError, InvalidSettings, LibraryProblem, get_provider
from . import own_servers
from .exit_codes import DONE, INTERRUPTED, UNCERTAIN
from .hints import hint_here
from .output import print_line, print_notice
from .running import BlenderHost, library_of, report, run_job, spec_for
from .server_settings import OPTION as ADDRESS
from .server_settings import add_address, at_address

PLAIN = own_servers.OPTION
WAIT_FOR_OTHER = 15.0
"""Maximum seconds to wait for another process to stop a job, or for a service to be notified."""


def add_commands(commands: Any, add_common: Any, seconds: Any) -> None:
    """Add the three commands to `commands`, the parser's subparsers.

    `add_common` adds the options that all commands share. `seconds` parses a number of seconds.
    """
    resume = commands.add_parser(
        "resume", help="resume interrupted jobs; never submits a job twice"
    )
    resume.add_argument("job", nargs="?", default="", metavar="JOB", help="default: all")
    resume.set_defaults(run=_resume)
    cancel = commands.add_parser("cancel", help="cancel a job, also on the service if possible")
    cancel.add_argument("job", metavar="JOB")
    cancel.set_defaults(run=_cancel)
    settle = commands.add_parser("settle", help="resolve a job that the service never confirmed")
    settle.add_argument("job", metavar="JOB")
    how = settle.add_mutually_exclusive_group()
    how.add_argument(
        "--attach",
        default="",
        metavar="TASK",
        help="continue with this task of the service",
    )
    how.add_argument(
        "--submit-again",
        action="store_true",
        help="submit the job again, which costs again",
    )
    how.add_argument("--forget", action="store_true", help="discard the job")
    settle.set_defaults(run=_resolve)
    for command in (resume, cancel, settle):
        command.add_argument(
            "--timeout", type=seconds, metavar="SECONDS", help="stop waiting after this time"
        )
        command.add_argument("--quiet", action="store_true", help="do not print progress")
        add_address(command)
        own_servers.add_options(command)
        add_common(command)
        # `run_job` reads it; these commands leave the mesh in the library.
        command.set_defaults(output=None)


def _resume(arguments: argparse.Namespace, host: BlenderHost) -> int:
    """Resume one job or all unfinished ones, and return the exit code.

    The code is that of the first job that fails, or DONE. If all jobs are to be resumed, those that
    are uncertain, untrusted, or running in another process are only reported. After an interrupt,
    no further job is resumed, and the code is INTERRUPTED.
    """
    library = library_of(arguments, host)
    if arguments.job:
        record = library.load(arguments.job)
        if not can_resume(record, library.folder(record.id)):
            return report(arguments, record, record.failure, None)
        return run_job(_spec(arguments, host, record), arguments)
    _check_no_address(arguments)
    codes, untrusted = [DONE], 0
    for record in library.all()[0]:
        if not (record.own or is_trusted(library.root)):
            untrusted += 0 if record.state.over else 1
        elif record.state is State.UNCERTAIN:
            print_notice(f"{record.id} is uncertain. Run “settle {record.id}” for details.")
        elif library.is_held(record.id) and not record.state.over:
            print_notice(
                f"{record.id} is already running in another Blender instance or on the command "
                "line."
            )
        elif not record.state.over:
            codes.append(_resume_one(arguments, host, record))
        # Ctrl-C is meant for the command, not only for the job that was running.
        if codes[-1] == INTERRUPTED:
            return INTERRUPTED
    if untrusted:
        count = f"Untrusted unfinished jobs in {library.root}: {untrusted}"
        print_notice(f"{count}. {hint_here(HINT)}")
    return next(filter(None, codes), DONE)


def _check_no_address(arguments: argparse.Namespace) -> None:
    """Raise InvalidSettings for an address, which one server's secret must not reach by another."""
    for option, given in ((ADDRESS, arguments.address), (PLAIN, arguments.send_unencrypted)):
        if given:  # guard: one-address-for-one-job
            raise InvalidSettings(f"{option} is for a single job.", "Name the job, too.")


def _resume_one(arguments: argparse.Namespace, host: BlenderHost, record: Record) -> int:
    """Resume one of several jobs, and return its exit code; errors are printed, not raised."""
    try:
        if is_unsent(record):
            print_notice(f"{record.id}: not submitted yet, submitting now.")
        return run_job(_spec(arguments, host, record), arguments)
    except ImageToMeshError as error:
        failure = Failure(error.kind, error.message, error.hint, error.link)
        return report(arguments, record, failure, None)


def _cancel(arguments: argparse.Namespace, host: BlenderHost) -> int:
    """Cancel a job, or ask the process that works on it to do so, and return the exit code."""
    library = library_of(arguments, host)
    record = library.load(arguments.job)
    if library.is_held(record.id):
        return _cancel_elsewhere(arguments, library, record)
    if record.state.over:
        print_line(f"{record.id}: {record.state}; there is nothing to cancel.")
        return DONE
    running = session()
    # No process works on the job, but the service may: it is started here only to be canceled.
    job = running.start(_spec(arguments, host, record), cancelled=True)
    while (event := running.wait(0.25)) is None or event.job != job:
        continue
    running.join(WAIT_FOR_OTHER)
    return _report_cancel(arguments, library.load(job))


def _cancel_elsewhere(arguments: argparse.Namespace, library: Library, record: Record) -> int:
    library.ask_to_cancel(record.id)
    end = time.monotonic() + WAIT_FOR_OTHER
    while time.monotonic() < end:
        now = library.load(record.id)
        if now.state.over:
            return _report_cancel(arguments, now)
        # The other process answers only through the job's record, so the record is polled.
        time.sleep(0.1)
    print_notice(f"{record.id} was asked to stop, but the other process has not replied yet.")
    return DONE


def _report_cancel(arguments: argparse.Namespace, record: Record) -> int:
    code = report(arguments, record, record.failure, None)
    return DONE if record.state is State.CANCELLED else code


def _resolve(arguments: argparse.Namespace, host: BlenderHost) -> int:
    """Resolve an uncertain order as the user decides, and return the exit code.

    Without a decision, print what is known, and return UNCERTAIN. Raises LibraryProblem if the job
    is not uncertain.
    """
    library = library_of(arguments, host)
    record = library.load(arguments.job)
    if record.state is not State.UNCERTAIN:
        raise LibraryProblem(
            f"Job “{record.id}” is not uncertain (state: {record.state}).",
            "If it is unfinished, use “resume” to continue it.",
        )
    if arguments.forget:
        report(arguments, give_up(library, record.id), None, None)
        return DONE
    if arguments.attach or arguments.submit_again:
        decided = {"attach": arguments.attach, "again": arguments.submit_again}
        return run_job(_spec(arguments, host, record, **decided), arguments)
    for sentence in describe_uncertain(record):
        print_line(sentence)
    print_line("Then run “settle JOB” with --attach TASK, --submit-again, or --forget.")
    return UNCERTAIN


def _spec(
    arguments: argparse.Namespace, host: BlenderHost, record: Record, **decided: Any
) -> JobSpec:
    from ..providers._shared.server_settings import settings_of_record

    check_author(record, library_of(arguments, host).root)
    provider = get_provider(record.provider)
    settings = settings_of_record(provider, record.settings)
    host = at_address(arguments, host, provider)
    return spec_for(arguments, host, provider, settings=settings, record=record, **decided)
