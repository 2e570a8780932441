# SPDX-License-Identifier: GPL-3.0-or-later
"""Image checks before an order, and image edits: done by the worker, on threads of their own.

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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...providers import (
    Failed,
    ImageToMeshError,
    Message,
    PictureInfo,
    Provider,
    TimedOut,
    read_picture_info,
)
from ..process.pool import BackgroundBlender
from ..steps.system_decoders import decode_if_needed
from ..values import PictureSource

LIMIT = 60.0
"""Seconds that a check or an edit may take."""
KEPT = 50
"""How many reports are cached."""
THUMBNAILS = 12
"""How many of them keep their thumbnail."""


@dataclass(frozen=True, slots=True)
class ImageReport:
    """The properties of an image; `error` if it cannot be used at all.

    `size` is the file's in bytes. `box` is the subject's left, top, right and bottom, as shares of
    the sides. `cut` names the borders that it crosses. `clear`: the subject could be separated from
    the image background. `subjects` is the number of separate ones, `brightness` the subject's mean
    from 0 to 1. `sha256` is of the file. `waiting`: the check is still running.
    """

    info: PictureInfo | None = None
    size: int = 0
    transparent: bool = False
    clear: bool = True
    box: tuple[float, ...] = (0.0, 0.0, 1.0, 1.0)
    cut: tuple[str, ...] = ()
    subjects: int = 1
    brightness: float = 1.0
    error: ImageToMeshError | None = None
    thumbnail: Thumbnail | None = None
    sha256: str = ""
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small copy of an image's subject: RGBA from 0 to 1, the bottom row first."""

    width: int
    height: int
    pixels: array[float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EditedImage:
    """A new image that was made from another one, or the error."""

    name: str
    original: str
    data: bytes = field(default=b"", repr=False)
    error: ImageToMeshError | None = None


@dataclass(frozen=True, slots=True)
class SubjectDetection:
    """How the subject is separated from the image background, and the worker's command.

    `mode` and `tolerance` are the built-in provider's settings Foreground and Tolerance.
    """

    blender: tuple[str, ...]
    mode: str = "auto"
    tolerance: float = 0.5


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
        """Check an image on a thread; `report` then returns the result for this key."""
        with self._lock:
            for old in list(self._reports)[:-KEPT]:
                del self._reports[old]
            self._reports[key] = ImageReport(waiting=True)
        # On a thread, because the worker takes a second or more, and this is the main thread.
        threading.Thread(target=self._check, args=(key, source, detection), daemon=True).start()

    def skip(self, key: Hashable) -> None:
        """Store an empty report for an image whose check would stall Blender."""
        with self._lock:
            self._reports[key] = ImageReport()

    def report(self, key: Hashable) -> ImageReport | None:
        """Return the latest report on an image; None if it was never checked."""
        return self._reports.get(key)

    def start_edit(
        self,
        source: PictureSource,
        original: str,
        detection: SubjectDetection,
        recipe: Mapping[str, Any],
    ) -> None:
        """Make a new image on a thread; `take` returns it."""
        self.at_work += 1
        arguments = (source, original, detection, recipe)
        threading.Thread(target=self._edit, args=arguments, daemon=True).start()

    def take(self, timeout: float = 0.0) -> EditedImage | None:
        """Return the next finished image, or None."""
        try:
            done = self._edited.get(timeout=timeout) if timeout else self._edited.get_nowait()
        except queue.Empty:
            return None
        self.at_work -= 1
        return done

    def _trim_thumbnails(self) -> None:
        """Drop the thumbnails of older reports, which are a megabyte each."""
        for key, report in list(self._reports.items())[:-THUMBNAILS]:
            if report.thumbnail is not None:
                self._reports[key] = replace(report, thumbnail=None)

    def _check(self, key: Hashable, source: PictureSource, detection: SubjectDetection) -> None:
        try:
            found = _inspect(source, detection)
        except ImageToMeshError as error:
            found = ImageReport(error=error)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            found = ImageReport(
                error=Failed(Message("The image could not be checked: {error}", error=error))
            )
        with self._lock:
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
            failed = Failed(Message("The image could not be edited: {error}", error=error))
            done = EditedImage(source.name, original, error=failed)
        self._edited.put(done)


def sent_form(report: ImageReport, provider: Provider[Any]) -> tuple[int, int, str, bool]:
    """Return width, height and format of what the provider gets, and whether it is converted."""
    if report.info is None:
        return 0, 0, "", False
    info, limits = report.info, provider.limits
    width, height = info.width, info.height
    if not provider.is_remote:
        return width, height, info.format, False
    # The Exif orientations that swap width and height.
    if info.orientation in (5, 6, 7, 8):
        width, height = height, width
    factor = min(1.0, limits.max_side / max(width, height))
    is_kept = factor == 1.0 and info.format in provider.formats and report.size <= limits.max_bytes
    format_ = info.format if is_kept else "png" if "png" in provider.formats else "jpeg"
    return round(width * factor), round(height * factor), format_, not is_kept


def _inspect(source: PictureSource, detection: SubjectDetection) -> ImageReport:
    def ask(path: Path, data: bytes, info: PictureInfo, blender: BackgroundBlender) -> ImageReport:
        copy = path.with_name("thumbnail")
        request = {"do": "look", "thumbnail": str(copy), **_common(path, info, detection)}
        report = blender.ask(request, _ignore, _deadline())
        return ImageReport(
            info=info,
            size=len(data),
            transparent=bool(report.get("transparent")),
            clear=bool(report.get("clear")),
            box=tuple(report.get("box", (0.0, 0.0, 1.0, 1.0))),
            cut=tuple(report.get("cut", ())),
            subjects=int(report.get("parts", 1)),
            brightness=float(report.get("brightness", 1.0)),
            thumbnail=_read_thumbnail(copy, report.get("thumbnail")),
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
        blender.ask(request, _ignore, _deadline())
        return output.read_bytes()

    data: bytes = _with_file(source, detection, ask)
    return data


def _with_file(source: PictureSource, detection: SubjectDetection, ask: Callable[..., Any]) -> Any:
    data = decode_if_needed(source.read(), source.name, _deadline())
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
    }


def _ignore(phase: str, fraction: float | None) -> None:
    """Ignore the progress: this work is too short to show it."""


def _deadline() -> Callable[[], None]:
    end = time.monotonic() + LIMIT

    def check() -> None:
        if time.monotonic() > end:
            raise TimedOut(
                Message(
                    "Processing the image took more than {seconds} seconds.", seconds=f"{LIMIT:.0f}"
                )
            )

    return check


@functools.cache
def image_checks() -> ImageChecks:
    """Return this process's image checks."""
    return ImageChecks()
