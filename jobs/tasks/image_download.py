# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads images by their address on a thread; the main thread collects them."""

from __future__ import annotations

import functools
import queue
import threading
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class DownloadedImage:
    """The outcome of a download: the image file's bytes, or the error."""

    address: str
    name: str
    data: bytes = b""
    error: ImageToMeshError | None = None


class ImageDownloads:
    """The pending downloads."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}
        self._done: queue.SimpleQueue[DownloadedImage] = queue.SimpleQueue()

    def start(self, address: str, *, online: bool) -> None:
        """Start a download on a thread; raises BadImage for anything but an https address."""
        source = picture_from(address)
        if source.url is None:
            raise BadImage(
                Message("{address} is not an https address.", address=address),
                "Use an address that starts with https://.",
            )
        self._waiting[address] = self._waiting.get(address, 0) + 1
        arguments = (address, source.name, online)
        threading.Thread(target=self._run, args=arguments, daemon=True).start()

    def waiting(self) -> tuple[str, ...]:
        """Return the addresses of pending downloads."""
        return tuple(self._waiting)

    def take(self, timeout: float = 0.0) -> DownloadedImage | None:
        """Return the next finished download, or None."""
        try:
            done = self._done.get(timeout=timeout) if timeout else self._done.get_nowait()
        except queue.Empty:
            return None
        self._waiting.pop(done.address, None)
        return done

    def _run(self, address: str, name: str, online: bool) -> None:
        try:
            self._done.put(
                DownloadedImage(address, name, download_image(address, name, online=online))
            )
        except ImageToMeshError as error:
            self._done.put(DownloadedImage(address, name, error=error))
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            self._done.put(
                DownloadedImage(
                    address,
                    name,
                    error=Failed(
                        Message("{name} could not be downloaded: {error}", name=name, error=error)
                    ),
                )
            )


def download_image(address: str, name: str, *, online: bool) -> bytes:
    """Return the image file at an address, requested without a key; raises ImageToMeshError."""
    http = open_http(get_provider("local"), None, "", online=online)
    try:
        data = http.fetch(address, READABLE.max_bytes)
    finally:
        http.close()
    read_picture_info(data, name)
    return data


@functools.cache
def image_downloads() -> ImageDownloads:
    """Return this process's image downloads."""
    return ImageDownloads()
