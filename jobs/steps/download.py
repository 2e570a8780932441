# SPDX-License-Identifier: GPL-3.0-or-later
"""From a result's addresses to a whole, checked mesh file in the job's folder; free, repeatable."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...providers import (
    BadMesh,
    BadReply,
    Cancelled,
    Failed,
    ImageToMeshError,
    Message,
    Progress,
    Provider,
    RemoteFile,
    Result,
    Ticket,
    Uncertain,
)
from ..abandonable_call import Call
from ..disk.plain_files import is_plain, open_plain
from ..library.file_names import DOWNLOAD, PREVIEW
from ..library.live_record import LiveRecord
from ..resources import Resources
from ..values import State
from .mesh_header import AGAIN, FORMATS, MeshFile, read_mesh_file
from .prepare import MAX_PREVIEW

log = logging.getLogger(__name__)

FRESH_ADDRESSES = 3
"""How often a result's addresses are asked for again when they have expired."""
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")
SUFFIXES = (*FORMATS, "zip")


class MeshDownload:
    """One job's download. Used by the job's thread alone; `check` raises what ends the job."""

    def __init__(
        self,
        live: LiveRecord,
        resources: Resources,
        provider: Provider[Any],
        check: Callable[[], None],
    ) -> None:
        self._live = live
        self._resources = resources
        self._provider = provider
        self._check = check

    def run(self, *, later: bool) -> None:
        """Download what the result names; addresses that have expired are asked for again.

        `later`: the record is of an earlier process, so they surely have.
        """
        if self.take_whole():
            return None
        if not self._live.record.own:
            self._ask_for_addresses()  # guard: addresses-come-from-the-service
        elif later:
            self._refresh_if_possible()
        if not any(one.role == "mesh" for one in self._live.record.files):
            self._refresh()
        for attempt in range(FRESH_ADDRESSES):
            try:
                return self._all()
            except BadMesh:
                if attempt == FRESH_ADDRESSES - 1 or not self._refresh():
                    raise

    def take_whole(self) -> bool:
        """Go on with a mesh file that is in the folder already: only whole ones get their name."""
        for suffix in SUFFIXES:
            path = self._live.folder / f"mesh.{suffix}"
            try:
                found = read_mesh_file(path)
            except (OSError, BadMesh):
                continue
            if found.suffix == suffix:
                self._keep(found)
                return True
        return False

    def finish(self, name: str, *notes: str) -> None:
        """Give a whole mesh file its name, and note what it is."""
        found = read_mesh_file(self._live.folder / name)
        (self._live.folder / name).replace(self._live.folder / f"mesh.{found.suffix}")
        self._live.note(*notes)
        self._keep(found)

    def _keep(self, found: MeshFile) -> None:
        self._live.save(
            state=State.PREPARING,
            mesh=f"mesh.{found.suffix}",
            format=found.format,
            faces=found.faces,
        )

    def _all(self) -> None:
        mesh = DOWNLOAD
        for remote in self._live.record.files:
            if remote.file is not None:
                mesh = self._came_along(remote.file)
                continue
            try:
                self._one(remote)
            except ImageToMeshError as error:
                if remote.role == "mesh":
                    raise
                log.info("no preview: %s", error)
        self.finish(mesh)

    def _came_along(self, name: str) -> str:
        """Return the name of a mesh that came with the answer; nobody can be asked for it again."""
        if not (self._live.folder / name).is_file():  # guard: mesh-of-the-answer-is-there
            raise Uncertain(
                Message(
                    "The mesh that came with the answer to the order is missing from the job's "
                    "folder: {file}.",
                    file=name,
                ),
                "Put the file back and resume the job, or ask the service for the mesh's address.",
            )
        return name

    def _one(self, remote: RemoteFile) -> None:
        from ...providers._shared.http.downloads import MAX_DOWNLOAD, DownloadRequest, download

        http = self._resources.http
        if http is None:
            raise BadMesh("There is nothing to download from.")
        left_behind = threading.Event()

        def check() -> None:
            """End a download that was left behind: another may go on with the same bytes."""
            if left_behind.is_set():
                raise Cancelled
            self._check()

        is_mesh = remote.role == "mesh"
        want = DownloadRequest(
            url=remote.url,
            target=self._live.folder / (DOWNLOAD if is_mesh else PREVIEW),
            limit=MAX_DOWNLOAD if is_mesh else MAX_PREVIEW,
            accept=_check_mesh if is_mesh else _check_preview,
            progress=self._tell,
            check=check,
        )
        if is_plain(want.target):
            return
        try:
            Call(lambda: download(want, http)).wait(self._check)
        except BaseException:
            left_behind.set()
            raise

    def _ask_for_addresses(self) -> None:
        """Take the addresses that the service itself tells, and none that others wrote down."""
        answer = self._poll()
        if not isinstance(answer, Result):
            raise BadMesh("The service tells of no result any more.", AGAIN)
        self._live.save(files=answer.files)

    def _refresh(self) -> bool:
        """Ask the task for fresh addresses; say whether there are any."""
        answer = self._poll()
        if not isinstance(answer, Result) or answer.files == self._live.record.files:
            return False
        self._live.save(files=answer.files)
        return True

    def _refresh_if_possible(self) -> None:
        """Ask for fresh addresses; those on record may do where the task is told of no more."""
        try:
            self._refresh()
        except (Failed, BadMesh, BadReply, Uncertain) as error:
            log.info("no fresh addresses: %s", error)

    def _poll(self) -> Progress | Result:
        return poll(self._live, self._resources, self._provider)

    def _tell(self, done: int, total: int | None) -> None:
        self._live.show_progress("Downloading", done / total if total else None)


def poll(live: LiveRecord, resources: Resources, provider: Provider[Any]) -> Progress | Result:
    """Ask how far a job's task is; raises Uncertain where its record names none."""
    record = live.record
    if not record.ticket and provider.is_remote:  # guard: no-ticket-is-uncertain
        raise Uncertain(
            "The job's record names no task that could be asked for.",
            Message("Look at {provider} whether the task is there.", provider=provider.label),
            provider.key_url,
        )
    ticket = Ticket(record.ticket or {})
    return resources.call(lambda: provider.poll(ticket, resources.http))


def _check_mesh(path: Path) -> None:
    read_mesh_file(path)


def _check_preview(path: Path) -> None:
    with open_plain(path) as file:
        if not file.read(16).startswith(PICTURES):
            raise BadMesh("The preview is no picture.")
