# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures looked at before they are sent, and developed anew: on threads, in the background.

What was seen is kept by picture, so that drawing only looks it up. Nothing here imports bpy.
"""

from __future__ import annotations

import functools
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
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
from ..values import PictureSource

LIMIT = 60.0
KEPT = 50


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What is known of a picture; `error` where it cannot be used at all.

    `box` is the subject's left, top, right and bottom as shares of the sides; `cut` names the
    borders that it runs over; `clear`: it could be told from its background.
    """

    info: PictureInfo | None = None
    size: int = 0
    transparent: bool = False
    clear: bool = True
    box: tuple[float, ...] = (0.0, 0.0, 1.0, 1.0)
    cut: tuple[str, ...] = ()
    parts: int = 1
    brightness: float = 1.0
    error: ImageToMeshError | None = None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class EditedImage:
    """A new picture made of another one, or why there is none."""

    name: str
    original: str
    data: bytes = field(default=b"", repr=False)
    error: ImageToMeshError | None = None


@dataclass(frozen=True, slots=True)
class SubjectDetection:
    """How the subject is told from its background, and by which background Blender."""

    blender: tuple[str, ...]
    mode: str = "auto"
    tolerance: float = 0.5


class ImageChecks:
    """The pictures of this process that were looked at, and those being developed."""

    def __init__(self) -> None:
        self._looks: dict[Hashable, ImageReport] = {}
        self._developed: queue.SimpleQueue[EditedImage] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.at_work = 0
        """How many pictures are being developed."""

    def look(self, key: Hashable, source: PictureSource, detection: SubjectDetection) -> None:
        """Look at a picture in the background; the answer is found under the key."""
        with self._lock:
            for old in list(self._looks)[:-KEPT]:
                del self._looks[old]
            self._looks[key] = ImageReport(waiting=True)
        threading.Thread(target=self._look, args=(key, source, detection), daemon=True).start()

    def leave(self, key: Hashable) -> None:
        """Note that a picture is not looked at, because that would stop the artist."""
        with self._lock:
            self._looks[key] = ImageReport()

    def seen(self, key: Hashable) -> ImageReport | None:
        """Return what is known of a picture by now; None if nobody looked."""
        return self._looks.get(key)

    def start_edit(
        self,
        source: PictureSource,
        original: str,
        detection: SubjectDetection,
        recipe: Mapping[str, Any],
    ) -> None:
        """Make a new picture in the background; `take` gives it."""
        self.at_work += 1
        arguments = (source, original, detection, recipe)
        threading.Thread(target=self._edit, args=arguments, daemon=True).start()

    def take(self, timeout: float = 0.0) -> EditedImage | None:
        """Return the next picture that is ready, or None."""
        try:
            done = self._developed.get(timeout=timeout) if timeout else self._developed.get_nowait()
        except queue.Empty:
            return None
        self.at_work -= 1
        return done

    def _look(self, key: Hashable, source: PictureSource, detection: SubjectDetection) -> None:
        try:
            found = _looked_at(source, detection)
        except ImageToMeshError as error:
            found = ImageReport(error=error)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the person
            found = ImageReport(
                error=Failed(Message("The picture could not be looked at: {error}", error=error))
            )
        with self._lock:
            self._looks[key] = found

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
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the person
            failed = Failed(Message("The picture could not be developed: {error}", error=error))
            done = EditedImage(source.name, original, error=failed)
        self._developed.put(done)


def sent_form(look: ImageReport, provider: Provider[Any]) -> tuple[int, int, str, bool]:
    """Return width, height and format of what this provider gets, and whether it is converted."""
    if look.info is None:
        return 0, 0, "", False
    info, limits = look.info, provider.limits
    width, height = info.width, info.height
    if not provider.is_remote:
        return width, height, info.format, False
    if info.orientation in (5, 6, 7, 8):
        width, height = height, width
    factor = min(1.0, limits.max_side / max(width, height))
    is_kept = factor == 1.0 and info.format in provider.formats and look.size <= limits.max_bytes
    format_ = info.format if is_kept else "png" if "png" in provider.formats else "jpeg"
    return round(width * factor), round(height * factor), format_, not is_kept


def _looked_at(source: PictureSource, detection: SubjectDetection) -> ImageReport:
    def ask(path: Path, data: bytes, info: PictureInfo, blender: BackgroundBlender) -> ImageReport:
        request = {"do": "look", **_common(path, info, detection)}
        seen = blender.ask(request, _ignore, _deadline())
        return ImageReport(
            info=info,
            size=len(data),
            transparent=bool(seen.get("transparent")),
            clear=bool(seen.get("clear")),
            box=tuple(seen.get("box", (0.0, 0.0, 1.0, 1.0))),
            cut=tuple(seen.get("cut", ())),
            parts=int(seen.get("parts", 1)),
            brightness=float(seen.get("brightness", 1.0)),
        )

    look: ImageReport = _with_file(source, detection, ask)
    return look


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
    data = source.read()
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
    """Nobody watches the progress of so short a work."""


def _deadline() -> Callable[[], None]:
    end = time.monotonic() + LIMIT

    def check() -> None:
        if time.monotonic() > end:
            raise TimedOut(
                Message("The picture took more than {seconds} seconds.", seconds=f"{LIMIT:.0f}")
            )

    return check


@functools.cache
def image_checks() -> ImageChecks:
    """Return the one darkroom of this process."""
    return ImageChecks()
