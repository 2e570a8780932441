# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews of an image as the provider will get it, drawn by the worker on a thread.

While the user drags a setting, only the newest request counts: one that is replaced before it has
started is dropped. Nothing here imports bpy.
"""

from __future__ import annotations

import functools
import logging
import tempfile
import threading
from array import array
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..process.answers import text_of
from ..process.pool import BackgroundBlender
from .image_checks import deadline, ignore_progress
from .image_reports import ImageReport, SmallCopy, box_request, read_facts

log = logging.getLogger(__name__)


class PreviewRequest(NamedTuple):
    """A request for a preview of the image with this key; with a `mode`, its subject is outlined.

    `mode` and `tolerance` are the built-in provider's settings Foreground and Tolerance. `box` is
    drawn around the subject: left, top, right, and bottom, as fractions of the image's width and
    height; empty without a box.
    """

    key: Hashable
    mode: str = ""
    tolerance: float = 0.0
    box: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectPreview:
    """A finished preview; without pixels if it could not be made.

    `pixels` has the RGBA bytes of each pixel in a 32-bit integer, the bottom row first. `report` is
    the image's report, with the subject as the request's settings detect it.
    """

    request: PreviewRequest
    report: ImageReport
    width: int = 0
    height: int = 0
    pixels: array[int] = field(default_factory=lambda: array("i"), repr=False)


class SubjectPreviews:
    """This process's newest preview, and the next one that is requested."""

    def __init__(self) -> None:
        self.latest: SubjectPreview | None = None
        # Guards the fields below: the main thread may make a request while the thread takes one.
        self._lock = threading.Lock()
        self._wanted: tuple[PreviewRequest, ImageReport, tuple[str, ...]] | None = None
        self._asked: PreviewRequest | None = None
        self._is_running = False

    def want(self, request: PreviewRequest, report: ImageReport, blender: tuple[str, ...]) -> None:
        """Make a preview on a thread, and store it in `latest`.

        Does nothing if the last request was the same.
        """
        with self._lock:
            if request == self._asked:
                return
            self._asked, self._wanted = request, (request, report, blender)
            if self._is_running:
                return
            self._is_running = True
        # On a thread, because the worker takes longer than a frame, and this is the main thread.
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                wanted, self._wanted = self._wanted, None
                if wanted is None:
                    self._is_running = False
                    return
            self.latest = _make(*wanted)


def _make(request: PreviewRequest, report: ImageReport, blender: tuple[str, ...]) -> SubjectPreview:
    if report.copy is None:
        return SubjectPreview(request, report)
    try:
        answer, pixels = _draw(request, report, report.copy, blender)
    except Exception:
        # The check of the image needs the same worker and has reported the reason to the user.
        log.exception("preview of an image")
        return SubjectPreview(request, report)
    if request.mode:
        why, hint = text_of(answer.get("why", "")), text_of(answer.get("hint", ""))
        report = replace(report, **read_facts(answer), why=why, hint=hint)
    return SubjectPreview(request, report, int(answer["width"]), int(answer["height"]), pixels)


def _draw(
    request: PreviewRequest, report: ImageReport, copy: SmallCopy, blender: tuple[str, ...]
) -> tuple[dict[str, Any], array[int]]:
    """Return the worker's answer, and the preview's pixels as in `SubjectPreview`."""
    # at_once: the user is dragging a setting, while a job may keep the other worker busy.
    worker = BackgroundBlender(blender, at_once=True)
    with tempfile.TemporaryDirectory(prefix="image-to-mesh-") as folder:
        source, preview = Path(folder, "copy"), Path(folder, "preview")
        source.write_bytes(copy.pixels)
        asked: dict[str, Any] = {
            "do": "outline",
            "copy": str(source),
            "size": [copy.width, copy.height],
            "mode": request.mode,
            "tolerance": request.tolerance,
            "preview": str(preview),
            "answer": report.answer,
            **box_request(request.box),
        }
        answer = worker.ask(asked, ignore_progress, deadline())
        pixels = array("i")
        pixels.frombytes(preview.read_bytes())
    return answer, pixels


@functools.cache
def subject_previews() -> SubjectPreviews:
    """Return this process's previews."""
    return SubjectPreviews()
