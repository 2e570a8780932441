# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews of a result while its settings are dragged: one warm worker process, on its own thread.

The process is not in the pool: there, a job could take it, and its cached data about the image
would be lost. Only the newest request is answered; older ones are dropped. Nothing here imports
bpy.
"""

from __future__ import annotations

import atexit
import functools
import logging
import threading
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...providers import Cancelled, ImageToMeshError, LibraryProblem, Message, NoBlender
from ..disk.plain_files import is_plain
from ..library.store import Library
from ..process.worker_process import WorkerProcess
from ..values import Record
from ..weights.store import paths_there
from ..weights.table import DEPTH

log = logging.getLogger(__name__)

IDLE_LIMIT = 60.0
"""Seconds without a request after which the process ends."""
# A fixed name, by which tests and stack dumps recognize the thread.
_NAME = "image_to_mesh live previews"
EXIT_LIMIT = 2.0
"""Maximum seconds that an exiting Blender waits for the process to end."""


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """A request for a preview: a finished job's mesh with other settings.

    `number` is chosen by the caller, to recognize the answer. `command` starts the worker. Vertices
    are scaled by `scale` and rotated about Z by `rotation` radians, like the shown mesh on import.
    """

    number: int
    command: tuple[str, ...]
    library: Path
    job: str
    settings: Mapping[str, Any]
    scale: float = 1.0
    rotation: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveArrays:
    """A preview's geometry, as flat arrays.

    `vertices` has three coordinates per vertex, `corners` three vertex indices per triangle, and
    `uvs` two values per corner. `number` is that of the request.
    """

    number: int
    vertices: array[float] = field(repr=False)
    corners: array[int] = field(repr=False)
    uvs: array[float] = field(repr=False)

    @property
    def faces(self) -> int:
        """The number of triangles."""
        return len(self.corners) // 3


class LivePreviews:
    """This process's previews. `ask`, `take`, and `close` are for the main thread."""

    def __init__(self, idle_limit: float = IDLE_LIMIT) -> None:
        self._idle_limit = idle_limit
        # Guards the fields below, which the main thread and the serving thread share.
        self._change = threading.Condition()
        self._wanted: LiveRequest | None = None
        self._answer: LiveArrays | None = None
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._unusable: tuple[str, ...] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread that serves requests with its own worker process is running."""
        return self._thread is not None

    def ask(self, request: LiveRequest) -> None:
        """Request a preview, in place of any pending request; start the thread if necessary.

        Does nothing if this command has failed to start a worker before.
        """
        with self._change:
            if request.command == self._unusable:
                return
            self._wanted = request
            if self._thread is None:
                # A new event for each thread, because the last thread may still be ending.
                self._stopped = threading.Event()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._stopped,), name=_NAME, daemon=True
                )
                self._thread.start()
            self._change.notify()

    def take(self) -> LiveArrays | None:
        """Return the newest preview; None if there is no preview since the last call."""
        with self._change:
            answer, self._answer = self._answer, None
            return answer

    def close(self, seconds: float = 0.0) -> None:
        """End the process, drop requests and previews, and wait up to `seconds` for the thread."""
        with self._change:
            thread, self._thread = self._thread, None
            self._wanted = self._answer = self._unusable = None
            self._stopped.set()
            self._change.notify()
        if thread is not None and seconds:
            thread.join(seconds)

    def _serve(self, stopped: threading.Event) -> None:
        """Answer requests until none arrives for `idle_limit` seconds, or `stopped` is set."""
        source = _Source()
        try:
            while (request := self._next(stopped)) is not None:
                self._keep(self._preview(source, request, stopped), stopped)
        finally:
            source.worker.kill()

    def _next(self, stopped: threading.Event) -> LiveRequest | None:
        """Wait for a request and return it; None once this thread has to end."""
        with self._change:
            self._change.wait_for(lambda: self._wanted or stopped.is_set(), self._idle_limit)
            if stopped.is_set():  # another thread may serve by now
                return None
            request, self._wanted = self._wanted, None
            if request is None:
                self._thread = None
            return request

    def _keep(self, answer: LiveArrays | None, stopped: threading.Event) -> None:
        with self._change:
            if answer is not None and not stopped.is_set():
                self._answer = answer

    def _preview(
        self, source: _Source, request: LiveRequest, stopped: threading.Event
    ) -> LiveArrays | None:
        """Return the preview; None if it has no faces, or after an error.

        Errors are only logged, because a click on Update will show the same error. A command that
        does not start a worker is not used again.
        """
        try:
            return source.ask(request, stopped)
        except NoBlender as error:
            self._unusable = request.command
            log.warning("live preview: %s", error)
        except Cancelled:
            pass
        except (ImageToMeshError, OSError, ValueError) as error:
            log.info("no live preview: %s", error)
        except Exception:
            log.exception("live preview")
        return None


class _Source:
    """The worker process, and the record of the job that was last previewed."""

    def __init__(self) -> None:
        self.worker = WorkerProcess(())
        self._record: Record | None = None

    def ask(self, request: LiveRequest, stopped: threading.Event) -> LiveArrays | None:
        """Have the process make the preview, and return it; None if it has no faces.

        Raises Cancelled once `stopped` is set, or the error that prevents the preview.
        """

        def check() -> None:
            if stopped.is_set():
                raise Cancelled

        message = self._message(request)
        if self.worker.command != request.command:
            self.worker.kill()
            self.worker = WorkerProcess(request.command)
        self.worker.start()
        folder = self.worker.folder
        done = self.worker.ask({**message, "output": str(folder)}, _ignore, check)
        return _read_arrays(request.number, folder, done)

    def _message(self, request: LiveRequest) -> dict[str, Any]:
        library = Library(request.library)
        if self._record is None or self._record.id != request.job:
            self._record = library.load(request.job)
        picture = self._record.pictures[0]
        path = library.folder(request.job) / (picture.file or "")
        if not is_plain(path):  # guard: preview-of-plain-files
            raise LibraryProblem(
                Message("The image of “{job}” is missing.", job=request.job),
                "Restore the file, or delete the job and generate again.",
            )
        info = picture.info
        return {
            "do": "preview",
            "picture": str(path),
            "mesh": str(library.folder(request.job) / (self._record.mesh or "")),
            "orientation": info.orientation if info else 1,
            "size": [info.width, info.height] if info else [0, 0],
            "settings": dict(request.settings),
            "shown": dict(self._record.settings),
            "models": paths_there(DEPTH),
            "scale": request.scale,
            "rotation": request.rotation,
        }


def _read_arrays(number: int, folder: Path, done: Mapping[str, Any]) -> LiveArrays | None:
    """Return the arrays that the process wrote; None without faces.

    Raises ValueError if the arrays do not fit together, and OSError if one cannot be read.
    """
    if not done["faces"]:
        return None
    vertices, corners, uvs = array("f"), array("i"), array("f")
    for values, name in ((vertices, "vertices"), (corners, "corners"), (uvs, "uvs")):
        values.frombytes((folder / name).read_bytes())
    count, faces = int(done["vertices"]), int(done["faces"])
    fits = (len(vertices), len(corners), len(uvs)) == (3 * count, 3 * faces, 6 * faces)
    # With an index that is too large, Blender would read memory beyond the vertices.
    if not (fits and min(corners) >= 0 and max(corners) < count):  # guard: preview-arrays-fit
        raise ValueError("the preview's arrays do not match")
    return LiveArrays(number, vertices, corners, uvs)


def _ignore(phase: str, fraction: float | None) -> None:
    """Ignore the progress, since a preview is ready before anybody could read the text."""


@functools.cache
def live_previews() -> LivePreviews:
    """Return this process's previews; their worker ends when Blender does."""
    previews = LivePreviews()
    atexit.register(previews.close, EXIT_LIMIT)
    return previews
