# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads a result's files into the job's folder and checks the mesh; free and repeatable."""

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
from ..disk.file_names import is_portable
from ..disk.gltf_extras import strip_asset_extras
from ..disk.plain_files import is_plain, open_plain
from ..library.file_names import DOWNLOAD, PREVIEW
from ..library.live_record import LiveRecord
from ..resources import Resources
from ..values import State
from .mesh_header import FORMATS, MeshFile, read_mesh_file
from .prepare import MAX_PREVIEW

log = logging.getLogger(__name__)

LATER = "Resume the job later to check again at no extra cost."
FRESH_ADDRESSES = 3
"""Maximum number of download attempts; all but the first use fresh addresses."""
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")
"""First bytes of PNG, JPEG, WebP, and GIF files."""
SUFFIXES = (*FORMATS, "zip")


class MeshDownload:
    """One job's download. Used by the job's thread alone; `check` may raise to end the job."""

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
        """Download the result's files, unless a complete mesh file is in the folder already.

        `later`: the record is from an earlier process. Fresh addresses are requested in these
        cases:
        - Others wrote the record.
        - With `later`, because the old addresses have probably expired.
        - The record lists no mesh.
        - An attempt has failed.

        Raises BadMesh if all attempts fail, and Uncertain if a mesh that was in the answer to the
        order is missing.
        """
        if self.take_whole():
            return None
        if not self._live.record.own:
            self._fetch_addresses()  # guard: addresses-come-from-the-service
        elif later:
            # Asking first avoids a download that would probably fail.
            self._refresh_if_possible()
        if not any(file.role == "mesh" for file in self._live.record.files):
            self._refresh()
        for attempt in range(FRESH_ADDRESSES):
            try:
                return self._download_all()
            except BadMesh:
                if attempt == FRESH_ADDRESSES - 1 or not self._refresh():
                    raise

    def take_whole(self) -> bool:
        """Record a complete mesh file found in the folder; return False if none is there."""
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
        """Rename a mesh file to its final name, and record its format, its faces, and the notes.

        Raises BadMesh if the file is not a complete mesh file.
        """
        found = read_mesh_file(self._live.folder / name)
        # Renamed before the record is saved: `take_whole` finds the file if the process dies here.
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

    def _download_all(self) -> None:
        mesh = DOWNLOAD
        for remote in self._live.record.files:
            if remote.file is not None:
                mesh = self._embedded_mesh(remote.file)
                continue
            try:
                self._download(remote)
            except ImageToMeshError as error:
                if remote.role == "mesh":
                    raise
                log.info("no preview: %s", error)
        if self._provider.writes_orders:
            strip_asset_extras(self._live.folder / mesh)  # guard: orders-leave-the-mesh
        self.finish(mesh)

    def _embedded_mesh(self, name: str) -> str:
        """Return `name`, the file of a mesh that was in the answer to the order.

        Raises Uncertain if the file is missing, because such a mesh cannot be requested again, and
        for a path or a link: a stranger's record must not move a file from elsewhere.
        """
        is_own = is_portable(name) and is_plain(self._live.folder / name)
        if not is_own:  # guard: mesh-of-the-answer-is-there
            raise Uncertain(
                Message(
                    "The mesh file is missing from the job's folder: {file}.",
                    file=name,
                ),
                "Restore the file and resume the job, or contact the service.",
            )
        return name

    def _download(self, remote: RemoteFile) -> None:
        from ...providers._shared.http.downloads import MAX_DOWNLOAD, DownloadRequest, download

        http = self._resources.http
        if http is None:
            raise BadMesh(
                "The mesh cannot be downloaded: its provider is not an online service.",
                "Generate it again.",
            )
        # An event, because this thread sets it and the call's thread reads it.
        abandoned = threading.Event()

        def check() -> None:
            # An abandoned download must stop writing: a resumed one continues the same file.
            if abandoned.is_set():
                raise Cancelled
            self._check()

        is_mesh = remote.role == "mesh"
        want = DownloadRequest(
            url=remote.url,
            target=self._live.folder / (DOWNLOAD if is_mesh else PREVIEW),
            limit=MAX_DOWNLOAD if is_mesh else MAX_PREVIEW,
            accept=_check_mesh if is_mesh else _check_preview,
            progress=self._show_progress,
            check=check,
            field=remote.field,
        )
        # A download gets this name once it is complete, so an earlier attempt has finished it.
        if is_plain(want.target):
            return
        # On its own thread, because a stalled connection must not delay a cancel.
        try:
            Call(lambda: download(want, http)).wait(self._check)
        except BaseException:
            abandoned.set()
            raise

    def _fetch_addresses(self) -> None:
        """Replace the addresses in the record with those that the service returns.

        Raises BadMesh if the task has no result.
        """
        answer = self._poll()
        if not isinstance(answer, Result):
            raise BadMesh("The service has no result for this job yet.", LATER)
        self._live.save(files=answer.files)

    def _refresh(self) -> bool:
        """Request the addresses again, save them, and return whether they have changed.

        Nothing is saved if they are the same, or the task has no result.
        """
        answer = self._poll()
        if not isinstance(answer, Result) or answer.files == self._live.record.files:
            return False
        self._live.save(files=answer.files)
        return True

    def _refresh_if_possible(self) -> None:
        """Request fresh addresses; if that fails, keep the old ones, which may still work."""
        try:
            self._refresh()
        except (Failed, BadMesh, BadReply, Uncertain) as error:
            log.info("no fresh addresses: %s", error)

    def _poll(self) -> Progress | Result:
        return poll(self._live, self._resources, self._provider)

    def _show_progress(self, done: int, total: int | None) -> None:
        self._live.show_progress("Downloading", done / total if total else None)


def poll(live: LiveRecord, resources: Resources, provider: Provider[Any]) -> Progress | Result:
    """Return the progress or the result of a job's task, as its provider reports it.

    Raises Uncertain if there is no ticket for a task at a service.
    """
    record = live.record
    if not record.ticket and provider.is_remote:  # guard: no-ticket-is-uncertain
        raise Uncertain(
            "The job's record has no task ID.",
            Message(
                "Check {provider} for the task, then attach it. Submit the job again only if the "
                "task is not there.",
                provider=provider.label,
            ),
            provider.key_url,
        )
    ticket = Ticket(record.ticket or {})
    http = resources.http_of(live.folder)
    return resources.call(lambda: provider.poll(ticket, http))


def _check_mesh(path: Path) -> None:
    read_mesh_file(path)


def _check_preview(path: Path) -> None:
    with open_plain(path) as file:
        if not file.read(16).startswith(PICTURES):
            raise BadMesh("The preview is not an image.")
