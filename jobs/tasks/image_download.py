# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads images and decodes photos on threads; the main thread collects the results."""

from __future__ import annotations

import functools
import queue
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...providers import (
    BadImage,
    Failed,
    ImageToMeshError,
    Message,
    get_provider,
    read_picture_info,
)
from ..resources import open_http
from ..steps.inputs import READABLE, picture_from
from ..steps.system_decoders import decode_if_needed


@dataclass(frozen=True, slots=True)
class DownloadedImage:
    """The outcome of a download or of decoding a photo: the file's bytes, or the error.

    `address` is the image's URL, or the photo's path. `view` is the view that the image is for,
    empty for one that is only added to the .blend file.
    """

    address: str
    name: str
    view: str = "front"
    data: bytes = b""
    error: ImageToMeshError | None = None


class ImageDownloads:
    """The pending downloads, and the photos that are being decoded."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        self._done: queue.SimpleQueue[DownloadedImage] = queue.SimpleQueue()

    def start(self, address: str, *, online: bool, view: str = "front") -> None:
        """Start a download on a thread; `take` returns the image.

        `online`: False allows URLs on this computer only. Raises BadImage for text that is not a
        URL, and for a URL that is neither https nor on this computer.
        """
        source = picture_from(address)
        if source.url is None:
            raise BadImage(
                Message("{address} is not an https URL.", address=address),
                "Use a URL that starts with https://.",
            )
        self._begin(
            address,
            source.name,
            view,
            lambda: download_image(address, source.name, online=online),
        )

    def decode(self, path: Path, view: str = "front") -> None:
        """Start decoding a HEIC or AVIF photo on a thread; `take` returns the image.

        Raises BadImage if there is no such file.
        """
        source = picture_from(str(path), view)
        self._begin(str(path), path.name, view, lambda: decode_if_needed(source.read(), path.name))

    def _begin(self, address: str, name: str, view: str, work: Callable[[], bytes]) -> None:
        self._waiting[address] += 1
        arguments = (DownloadedImage(address, name, view), work)
        # On a thread, because downloads and decoders may take seconds, and this is the main thread.
        threading.Thread(target=self._run, args=arguments, daemon=True).start()

    def waiting(self) -> tuple[str, ...]:
        """Return the URLs and paths of pending images, one for each request."""
        return tuple(self._waiting.elements())

    def take(self, timeout: float = 0.0) -> DownloadedImage | None:
        """Return the next outcome; None if there is no outcome within `timeout` seconds."""
        try:
            done = self._done.get(timeout=timeout) if timeout else self._done.get_nowait()
        except queue.Empty:
            return None
        self._waiting -= Counter([done.address])
        return done

    def _run(self, image: DownloadedImage, work: Callable[[], bytes]) -> None:
        try:
            done = replace(image, data=work())
        except ImageToMeshError as error:
            done = replace(image, error=error)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            failed = Message("{name} could not be opened: {error}.", name=image.name, error=error)
            done = replace(image, error=Failed(failed, "Use another image."))
        self._done.put(done)


def download_image(address: str, name: str, *, online: bool) -> bytes:
    """Return the image file at a URL, requested without a key; a HEIC or AVIF photo as PNG.

    Raises ImageToMeshError if the download fails or the file is not an image.
    """
    # `local` is not self-hosted, so plain http is allowed for this computer only.
    http = open_http(get_provider("local"), None, "", online=online)
    try:
        data = http.fetch(address, READABLE.max_bytes)
    finally:
        http.close()
    data = decode_if_needed(data, name)
    # So that a web page is refused here, where the user still knows which address it was.
    read_picture_info(data, name)
    return data


@functools.cache
def image_downloads() -> ImageDownloads:
    """Return this process's image downloads."""
    return ImageDownloads()
