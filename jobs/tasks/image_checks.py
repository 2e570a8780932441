# SPDX-License-Identifier: GPL-3.0-or-later
"""Image checks before an order, and image edits: done by the worker, each on its own thread.

Reports are cached by image, so that drawing a panel only reads them. Nothing here imports bpy.
"""

from __future__ import annotations

import functools
import hashlib
import queue
import tempfile
import threading
import time
from array import array
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...providers import (
    Failed,
    ImageToMeshError,
    Message,
    PictureInfo,
    TimedOut,
    read_picture_info,
)
from ..process.pool import BackgroundBlender
from ..steps.system_decoders import decode_if_needed
from ..values import PictureSource
from .image_reports import (
    EditedImage,
    ImageReport,
    SmallCopy,
    SubjectDetection,
    Thumbnail,
    box_request,
    read_facts,
)

LIMIT = 60.0
"""Maximum seconds for a check or an edit."""
KEPT = 50
"""Maximum number of cached reports."""
THUMBNAILS = 12
"""Number of the newest reports that keep their thumbnails."""


class ImageChecks:
    """This process's image reports and pending edits."""

    def __init__(self) -> None:
        self._reports: dict[Hashable, ImageReport] = {}
        self._edited: queue.SimpleQueue[EditedImage] = queue.SimpleQueue()
        # The cache is trimmed on the main thread while other threads add their reports.
        self._lock = threading.Lock()
        # Changed on the main thread only, by `start_edit` and `take`, so it needs no lock.
        self.at_work = 0
        """How many images are being edited."""

    def check(self, key: Hashable, source: PictureSource, detection: SubjectDetection) -> None:
        """Check an image on a thread; `report` returns the result for this key when it is ready.

        Until then, `report` returns an earlier report with an error, or one that is `waiting`.
        """
        with self._lock:
            for old in list(self._reports)[:-KEPT]:
                del self._reports[old]
            # An earlier error stays visible while the image is checked again.
            if (known := self._reports.get(key)) is None or known.error is None:
                self._reports[key] = ImageReport(waiting=True)
        # On a thread, because the worker takes a second or more, and this is the main thread.
        threading.Thread(target=self._check, args=(key, source, detection), daemon=True).start()

    def skip(self, key: Hashable, error: ImageToMeshError | None = None) -> None:
        """Store a report without checking the image.

        The report has only the `error`. If that is None, the report is empty: this is for an image
        whose check would stall Blender.
        """
        with self._lock:
            self._reports[key] = ImageReport(error=error)

    def report(self, key: Hashable) -> ImageReport | None:
        """Return the latest report on an image; None if there was no check, or it was dropped."""
        return self._reports.get(key)

    def start_edit(
        self,
        source: PictureSource,
        original: str,
        detection: SubjectDetection,
        recipe: Mapping[str, Any],
    ) -> None:
        """Make a new image from another one on a thread; `take` returns the new image.

        `original` is the name of the other image in the .blend file. `recipe` has the worker's
        options.
        """
        self.at_work += 1
        arguments = (source, original, detection, recipe)
        # On a thread for the same reason as in `check`.
        threading.Thread(target=self._edit, args=arguments, daemon=True).start()

    def take(self, timeout: float = 0.0) -> EditedImage | None:
        """Return the next edit that has ended; None if none ends within `timeout` seconds."""
        try:
            done = self._edited.get(timeout=timeout) if timeout else self._edited.get_nowait()
        except queue.Empty:
            return None
        self.at_work -= 1
        return done

    def _trim_thumbnails(self) -> None:
        """Remove the images from all but the newest reports, as they are up to a megabyte each."""
        for key, report in list(self._reports.items())[:-THUMBNAILS]:
            if report.thumbnail is not None:
                self._reports[key] = replace(report, thumbnail=None, copy=None)

    def _check(self, key: Hashable, source: PictureSource, detection: SubjectDetection) -> None:
        try:
            found = _inspect(source, detection)
        except ImageToMeshError as error:
            found = ImageReport(error=error)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            found = ImageReport(
                error=Failed(
                    Message("The image could not be checked: {error}.", error=error),
                    "Use another image.",
                )
            )
        with self._lock:
            # Moved to the end, since the reports at the start are trimmed first.
            self._reports.pop(key, None)
            self._reports[key] = found
            self._trim_thumbnails()

    def _edit(
        self,
        source: PictureSource,
        original: str,
        detection: SubjectDetection,
        recipe: Mapping[str, Any],
    ) -> None:
        try:
            done = EditedImage(source.name, original, _edit_image(source, detection, recipe))
        except ImageToMeshError as error:
            done = EditedImage(source.name, original, error=error)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            failed = Failed(
                Message("The image could not be edited: {error}.", error=error),
                "Use another image.",
            )
            done = EditedImage(source.name, original, error=failed)
        self._edited.put(done)


def _inspect(source: PictureSource, detection: SubjectDetection) -> ImageReport:
    def ask(path: Path, data: bytes, info: PictureInfo, blender: BackgroundBlender) -> ImageReport:
        thumbnail, copy = path.with_name("thumbnail"), path.with_name("copy")
        files = {"thumbnail": str(thumbnail), "copy": str(copy)}
        request = {"do": "look", **files, **_common(path, info, detection)}
        report = blender.ask(request, ignore_progress, deadline())
        return ImageReport(
            info=info,
            size=len(data),
            transparent=bool(report.get("transparent")),
            thumbnail=_read_thumbnail(thumbnail, report.get("thumbnail")),
            copy=_read_copy(copy, report.get("copy")),
            answer=str(report.get("answer", "")),
            **read_facts(report),
        )

    data = source.read()
    report: ImageReport = _with_file(replace(source, read=lambda: data), detection, ask)
    return replace(report, sha256=hashlib.sha256(data).hexdigest())


def _read_thumbnail(path: Path, size: Any) -> Thumbnail | None:
    if not size or not path.is_file():
        return None
    pixels = array("f")
    pixels.frombytes(path.read_bytes())
    width, height = size
    return Thumbnail(width, height, pixels) if len(pixels) == 4 * width * height else None


def _read_copy(path: Path, size: Any) -> SmallCopy | None:
    if not size or not path.is_file():
        return None
    width, height = size
    pixels = path.read_bytes()
    return SmallCopy(width, height, pixels) if len(pixels) == 4 * width * height else None


def _edit_image(
    source: PictureSource, detection: SubjectDetection, recipe: Mapping[str, Any]
) -> bytes:
    def ask(path: Path, _: bytes, info: PictureInfo, blender: BackgroundBlender) -> bytes:
        output = path.with_name("developed.png")
        request = {
            "do": "develop",
            "output": str(output),
            **_common(path, info, detection),
            **recipe,
        }
        blender.ask(request, ignore_progress, deadline())
        return output.read_bytes()

    data: bytes = _with_file(source, detection, ask)
    return data


def _with_file(source: PictureSource, detection: SubjectDetection, ask: Callable[..., Any]) -> Any:
    data = decode_if_needed(source.read(), source.name, deadline())
    info = read_picture_info(data, source.name)
    blender = BackgroundBlender(detection.blender)
    with tempfile.TemporaryDirectory(prefix="image-to-mesh-") as folder:
        path = Path(folder, f"picture.{info.format}")
        path.write_bytes(data)
        try:
            return ask(path, data, info, blender)
        finally:
            blender.close()


def _common(path: Path, info: PictureInfo, detection: SubjectDetection) -> dict[str, Any]:
    return {
        "picture": str(path),
        "orientation": info.orientation,
        "mode": detection.mode,
        "tolerance": detection.tolerance,
        **box_request(detection.box),
    }


def ignore_progress(phase: str, fraction: float | None) -> None:
    """Ignore the progress, since this work is too short to show any."""


def deadline() -> Callable[[], None]:
    """Return a function that raises TimedOut if called more than `LIMIT` seconds from now."""
    end = time.monotonic() + LIMIT

    def check() -> None:
        if time.monotonic() > end:
            raise TimedOut(
                Message(
                    "Processing the image took more than {seconds} seconds.", seconds=f"{LIMIT:.0f}"
                ),
                "Use a smaller image.",
            )

    return check


@functools.cache
def image_checks() -> ImageChecks:
    """Return this process's image checks."""
    return ImageChecks()
