# SPDX-License-Identifier: GPL-3.0-or-later
"""The `batch` command: many images, with as many concurrent jobs as each service allows."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..jobs import JobView, Library, Record, State, session
from ..jobs.batch.plan import Batch, Item, match, plan_item, refused_item
from ..jobs.batch.sources import Line, read_sources
from ..jobs.disk.file_names import distinct_names
from ..jobs.disk.trust import check_author
from ..jobs.library.index import library_index
from ..jobs.steps.inputs import picture_from
from ..providers import BadImage, ImageToMeshError, InvalidSettings, LibraryProblem, get_provider
from . import own_servers, shared_settings
from .batch_report import COSTS, report_row, write_costs
from .exit_codes import DONE, INTERRUPTED, exit_code_for
from .hints import hint_here
from .interrupts import graceful_stop, suspend
from .output import print_json, print_line, print_notice, write_line
from .running import JOIN_SECONDS, BlenderHost, deliver, library_of, spec_for
from .server_settings import add_address, at_address, settings_for
from .shared_settings import given_settings

log = logging.getLogger(__name__)


def add_command(commands: Any, add_common: Any, seconds: Any) -> None:
    """Add the command to `commands`, the parser's subparsers.

    `add_common` adds the options that all commands share. `seconds` parses a number of seconds.
    """
    batch = commands.add_parser(
        "batch",
        help="generate meshes from many images",
        description="Generate meshes from many images. If you run the same command again, it "
        "resumes interrupted jobs and submits only the missing ones.",
    )
    batch.add_argument(
        "source", nargs="+", metavar="SOURCE",
        help="image files, folders, or CSV tables (image,provider,<setting>…)",
    )  # fmt: skip
    batch.add_argument("--jobs", type=count, metavar="N", help="run at most N jobs at once")
    batch.add_argument("--provider", default="local", metavar="ID", help="default: local")
    shared_settings.add_options(batch)
    batch.add_argument(
        "--output", type=Path, metavar="DIR", help="also save the meshes in this folder"
    )
    batch.add_argument(
        "--csv", type=Path, metavar="FILE", help="save the table of costs as this file"
    )
    batch.add_argument(
        "--retry-failed", action="store_true", help="submit failed jobs again, which may cost again"
    )
    batch.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="stop waiting for an image after this time",
    )
    batch.add_argument("--quiet", action="store_true", help="do not print progress")
    own_servers.add_options(batch)
    add_address(batch)
    add_common(batch)
    batch.set_defaults(run=run)


def count(text: str) -> int:
    """Parse a number of jobs, which must be 1 or more.

    Raises ValueError or ArgumentTypeError for any other text. For a ValueError, argparse prints the
    name of this function: "invalid count value".
    """
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def run(arguments: argparse.Namespace, host: BlenderHost) -> int:
    """Run the command and return its exit code.

    The code is INTERRUPTED if a signal stopped the batch. Otherwise, it is that of the first item
    without a usable mesh, or DONE if every item has one. Raises LibraryProblem, BadImage, or
    InvalidSettings before anything is sent.
    """
    library = library_of(arguments, host)
    # Checked once here: otherwise a misspelled provider would be reported for each image.
    get_provider(arguments.provider)
    _check_folders(arguments)
    with _exclusive(library):
        library.sweep()
        return _run(arguments, host, library)


def _run(arguments: argparse.Namespace, host: BlenderHost, library: Library) -> int:
    items = [_plan_item(line, arguments, host) for line in read_sources(arguments.source)]
    listed = library_index(library.root)
    # Without this, jobs that ended since the index was saved would be ordered again.
    listed.refresh()
    match(items, listed.entries, retry=arguments.retry_failed)

    def load(job: str) -> Record:
        """Load a job's record.

        Raises LibraryProblem if it cannot be read, or if another user wrote it and the library is
        not trusted.
        """
        record = library.load(job)
        check_author(record, library.root)  # guard: batch-takes-no-strangers
        return record

    progress = Progress(items, None if arguments.quiet else sys.stderr)
    batch = Batch(items, session(), load, most=arguments.jobs, report=progress.show)
    interrupted = _run_batch(batch)
    targets = _targets(items, arguments)
    files = [_deliver(item, library, target) for item, target in targets]
    # Threads of ended jobs may still be canceling at the service; Ctrl-C does not wait for them.
    session().join(0.0 if interrupted else JOIN_SECONDS)
    rows = [report_row(item, file) for item, file in zip(items, files, strict=True)]
    table = write_costs(arguments.csv or library.root / COSTS, rows)
    _report(arguments, items, rows, table)
    return INTERRUPTED if interrupted else _code(items)


def _run_batch(batch: Batch) -> bool:
    """Run all items, and return whether a signal interrupted them.

    An unexpected error ends the batch, but is not raised, so that the report is still written.
    """
    with graceful_stop() as signals:
        try:
            batch.run(stop=lambda: bool(signals))
        except Exception as error:
            log.debug("the batch broke off", exc_info=True)
            batch.break_off(error)
        interrupted = bool(signals) and not batch.done
        if interrupted:
            suspend(batch.close, ordering=batch.ordering)
    return interrupted


@contextlib.contextmanager
def _exclusive(library: Library) -> Iterator[None]:
    """Hold the library's batch lock, because two batches at once could order the same mesh twice.

    Raises LibraryProblem if another batch holds it, or the library is not writable.
    """
    lock = library.lock("batch")
    try:
        if not lock.take():
            raise lock.problem("Another batch is using this library.", "Wait until it is done.")
    except OSError as error:
        raise LibraryProblem(
            f"Cannot write to the library: {error.strerror or error}.", "Choose another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


# -- planning ------------------------------------------------------------------------------------


def _plan_item(line: Line, arguments: argparse.Namespace, host: BlenderHost) -> Item:
    """Return the item for a source line. Any error becomes the item's failure, for the report."""
    name = line.provider or arguments.provider
    if line.problem is not None:
        return refused_item(line.image, name, line.problem)
    try:
        provider = get_provider(name)
        given = {**given_settings(arguments, provider), **line.settings}
        # The address is that of the command's own provider, not of others in a table.
        if name == arguments.provider:
            host = at_address(arguments, host, provider)
        settings, contents = settings_for(host, provider, given)
        views = {"front": line.image, **line.views}
        pictures = tuple(picture_from(file, view) for view, file in views.items())
        # Repeated orders are allowed here, because `match` finds them in the library later.
        spec = spec_for(
            arguments, host, provider,
            settings=settings, files=contents, pictures=pictures, repeated=True,
        )  # fmt: skip
        files = {view: Path(file) for view, file in views.items()}
        return plan_item(line.image, provider, settings, pictures, files, spec)
    except OSError as error:
        why = BadImage(
            f"{line.image} cannot be read: {error.strerror or error}.", "Check the path."
        )
        return refused_item(line.image, name, why)
    except Exception as error:  # noqa: BLE001 - a bad line must not end the batch
        return refused_item(line.image, name, error)  # guard: one-item-is-one-failure


def _check_folders(arguments: argparse.Namespace) -> None:
    """Create the output folders before anything is sent. Raises InvalidSettings if that fails."""
    for folder in (arguments.output, arguments.csv and arguments.csv.parent):
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidSettings(
                f"{folder} cannot be used: {error.strerror or error}.", "Choose another folder."
            ) from error


# -- reporting -----------------------------------------------------------------------------------


class Progress:
    """Prints a line for each job that ends, with its number, image, and outcome."""

    def __init__(self, items: Sequence[Item], out: Any) -> None:
        self._items = items
        self._out = out

    def show(self, item: Item, view: JobView) -> None:
        """Print the outcome of a job; do nothing while it runs, or without an output stream."""
        if self._out is None or not view.over:
            return
        # The item itself is marked as ended only after this call, hence `done + 1` below.
        done = sum(1 for other in self._items if other.ended)
        outcome = view.failure.message if view.failure else str(view.state)
        line = f"{min(done + 1, len(self._items))}/{len(self._items)}  {item.image}: {outcome}"
        write_line(self._out, line)


def _targets(
    items: Sequence[Item], arguments: argparse.Namespace
) -> list[tuple[Item, Path | None]]:
    """Return a pair of each item and the path of its output file, which is None without `--output`.

    The names of the files are distinct even on case-insensitive file systems.
    """
    if arguments.output is None:
        return [(item, None) for item in items]
    names = distinct_names(item.name for item in items)
    # `_deliver` replaces the suffix with that of the actual mesh.
    files = [arguments.output / f"{name}.glb" for name in names]
    return list(zip(items, files, strict=True))


def _deliver(item: Item, library: Library, target: Path | None) -> Path | None:
    record = item.record
    if record is None or record.state is not State.READY or record.mesh is None:
        return None
    try:
        own = target.with_suffix(Path(record.mesh).suffix) if target else None
        return deliver(record, library.root, own)
    except (ImageToMeshError, OSError, ValueError) as problem:
        # A failed copy does not fail the item: its mesh is in the library.
        print_notice(f"{item.image}: {problem}")
        return library.root / record.id / record.mesh


def _report(
    arguments: argparse.Namespace, items: Sequence[Item], rows: Sequence[Mapping[str, Any]],
    table: Path | None,
) -> None:  # fmt: skip
    counts = _counts(items)
    if arguments.json:
        print_json({"jobs": rows, **counts, "csv": str(table) if table else None})
        return
    for item in items:
        if item.failure is not None:
            failure = item.failure
            why = f"{failure.message} {hint_here(failure.hint)} {failure.link}".strip()
            print_line(f"{item.image}: {why}")
    print_line(_summary(counts))
    if table:
        print_line(f"Table of costs: {table}")


def _counts(items: Sequence[Item]) -> dict[str, Any]:
    kinds = Counter(_kind(item) for item in items)
    new = [item.record for item in items if item.record is not None and not item.was_there]
    counts = {name: kinds[name] for name in ("done", "failed", "uncertain", "unfinished")}
    return {"pictures": len(items), **counts, "ordered": len(_submitted_records(new)),
            "credits": sum(record.credits or 0.0 for record in new)}  # fmt: skip


def _submitted_records(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.ticket is not None]


def _is_done(item: Item) -> bool:
    """Return whether an item's mesh is ready and may be used.

    A mesh of another user may only be used in a trusted library.
    """
    return item.state is State.READY and item.failure is None  # guard: strangers-mesh-is-not-done


def _kind(item: Item) -> str:
    if _is_done(item):
        return "done"
    if item.state in (State.UNCERTAIN, State.SUBMITTING):
        return "uncertain"
    can_resume = item.state is not None and not item.state.over
    return "unfinished" if can_resume or (item.state is None and item.failure is None) else "failed"


def _summary(counts: Mapping[str, Any]) -> str:
    problems = [
        f"{counts[name]} {name}" for name in ("failed", "uncertain", "unfinished") if counts[name]
    ]
    line = f"{counts['pictures']} images: {counts['done']} done"
    cost = f"{counts['ordered']} submitted now, {counts['credits']:g} credits"
    return f"{', '.join([line, *problems])} ({cost})"


def _code(items: Sequence[Item]) -> int:
    """Return the exit code of the first item that is not done, or DONE if all items are.

    The code of an item without a failure is INTERRUPTED.
    """
    unfinished = (item for item in items if not _is_done(item))
    for item in unfinished:
        return exit_code_for(item.failure, item.record) if item.failure else INTERRUPTED
    return DONE
