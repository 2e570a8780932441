# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads, names, and checks a job's images before anything is sent."""

from __future__ import annotations

import contextlib
import hashlib
import urllib.parse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from ...providers import (
    BadAddress,
    BadImage,
    InvalidSettings,
    LibraryProblem,
    Message,
    Picture,
    PictureInfo,
    PictureLimits,
    Provider,
    Settings,
    check_picture,
    os_reason,
    read_address,
)
from ...providers import read_picture_info as read_info
from ...providers._shared.http.addresses import NOT_ENCRYPTED
from ...providers._shared.untrusted_text import clean
from ..disk.file_names import expand_user
from ..disk.signatures import digest_of_plain
from ..values import LONGEST_NAME, InputPicture, PictureSource
from .system_decoders import decode_if_needed

ENDINGS = {"jpeg": ".jpg", "tiff": ".tif"}
READABLE = PictureLimits(max_side=16_384, max_bytes=256 * 1024 * 1024)
"""Limits of the images that the worker can open and convert."""

Fetch = Callable[[str], bytes]
Check = Callable[[], None]


def picture_from(argument: str, view: str = "front") -> PictureSource:
    """Return the source for an argument that the user typed: a file's path or an https URL.

    Raises BadImage if the URL is not allowed, or the path is not that of an existing file. The file
    is read later, on the job's thread.
    """
    if "://" in argument:
        _check_address(argument)
        return PictureSource(name_of(argument), view, _nothing, argument)
    path = expand_user(argument)
    if path.is_dir():
        raise BadImage(Message("{path} is a folder.", path=path), "Choose an image file.")
    if not path.is_file():
        raise BadImage(Message("The file {path} does not exist.", path=path), "Check the path.")
    return PictureSource(name_of(argument), view, path.read_bytes)


def _check_address(argument: str) -> None:
    """Raise BadImage for a URL that is not valid, or neither https nor on this computer."""
    try:
        address = read_address(argument)
        if address.scheme != "https" and not address.is_loopback:
            raise BadAddress(NOT_ENCRYPTED)
    except BadAddress as error:
        raise BadImage(
            Message(
                "The URL “{address}” cannot be used: {reason}.",
                address=argument[:60],
                reason=error.reason,
            ),
            "Use a file or an https URL.",
        ) from error


def name_of(argument: str) -> str:
    """Return the display name of the image at a path or URL: the file name without its suffix."""
    if "://" in argument:
        with contextlib.suppress(BadAddress):
            address = read_address(argument)
            path = PurePosixPath(urllib.parse.unquote(address.rest.partition("?")[0]))
            return clean(path.stem or address.host, LONGEST_NAME)
    return clean(Path(argument).stem, LONGEST_NAME).strip() or "picture"


def check_views(
    sources: tuple[PictureSource, ...], provider: Provider[Any], settings: Settings
) -> None:
    """Raise InvalidSettings for views that the provider does not accept with these settings.

    Also raise it if two images have the same view, or none has the provider's first view.
    """
    taken = provider.views_for(settings)
    for source in sources:
        if source.view not in taken:
            message = Message(
                "{provider} does not support the “{view}” view.",
                provider=provider.label,
                view=source.view,
            )
            if source.view in provider.views:
                message = Message(
                    "{provider} does not support the “{view}” view with these settings.",
                    provider=provider.label,
                    view=source.view,
                )
            raise InvalidSettings(
                message, Message("Supported views: {views}.", views=", ".join(taken))
            )
    views = [source.view for source in sources]
    if len(views) > len(set(views)):
        raise InvalidSettings(
            "Two images are set for the same view.", "Use one image for each view."
        )
    if not any(source.view == provider.views[0] for source in sources):
        raise InvalidSettings("There is no image.", "Choose an image.")


def collect(
    sources: tuple[PictureSource, ...],
    provider: Provider[Any],
    fetch: Fetch,
    check: Check = lambda: None,
) -> tuple[tuple[InputPicture, ...], dict[str, bytes]]:
    """Read the images, and return their entries for the record, and the files' contents by name.

    `fetch` downloads an image; URLs that the service fetches itself are not read. A HEIC or AVIF
    photo is converted to PNG. `check` is called meanwhile, and may raise to end the conversion.
    Raises BadImage for data that cannot be read or is not an image, and for an image that could not
    be sent even if it were converted and scaled down.
    """
    pictures: list[InputPicture] = []
    files: dict[str, bytes] = {}
    for source in sources:
        # The service fetches this image itself: there is no file to check or convert.
        if source.url is not None and provider.takes_urls:
            pictures.append(InputPicture(source.view, source.name, None, source.url))
            continue
        original = _read(source, fetch)
        data = decode_if_needed(original, source.name, check)
        info = read_info(data, source.name)
        check_picture(info, len(data), _readable(provider), source.name)
        _check_narrowness(info, provider.limits, source.name)
        file = source.view + ENDINGS.get(info.format, "." + info.format)
        files[file] = data
        # Digests of the bytes in memory, because the file on disk may change before it is sent.
        digest = hashlib.sha256(data).hexdigest()
        picture = InputPicture(source.view, source.name, file, source.url)
        # By the digest of the original file, a batch finds its job again without decoding it.
        found = digest if data is original else hashlib.sha256(original).hexdigest()
        pictures.append(replace(picture, sha256=digest, info=info, original=found))
    return tuple(pictures), files


def _readable(provider: Provider[Any]) -> PictureLimits:
    """Return the limits of an image that can be used, or converted to one that can be used.

    For a service, only the minimum side is the service's own. The other limits are those in
    `READABLE`, because larger images are converted later.
    """
    if not provider.is_remote:
        return provider.limits
    return READABLE._replace(min_side=provider.limits.min_side)


def _check_narrowness(info: PictureInfo, limits: PictureLimits, name: str) -> None:
    """Raise BadImage if an image scaled to fit would have a short side below the minimum."""
    short, long = sorted((info.width, info.height))
    if long > limits.max_side and short * limits.max_side < limits.min_side * long:
        raise BadImage(
            Message(
                "{name} is too narrow: {width} × {height} pixels. Scaled down to {max_side} "
                "pixels, its shorter side would be less than {min_side} pixels.",
                name=name,
                width=info.width,
                height=info.height,
                max_side=limits.max_side,
                min_side=limits.min_side,
            ),
            "Crop it to the subject.",
        )


def check_unchanged(pictures: tuple[InputPicture, ...], folder: Path) -> None:
    """Raise LibraryProblem if an image is missing, or was changed since it was recorded.

    Without this check, anybody who can write to the folder could change what is uploaded.
    """
    for picture in pictures:
        name = picture.sent or picture.file
        if name is None or picture.sha256 is None:
            continue
        try:
            found = digest_of_plain(folder / name)
        except OSError:
            found = ""
        if found != picture.sha256:  # guard: pictures-are-unchanged
            raise LibraryProblem(
                Message("The job's image {file} is missing or was changed. Nothing was submitted.",
                        file=name),
                "Delete the job and generate again.",
            )  # fmt: skip


def as_sent(pictures: tuple[InputPicture, ...], folder: Path) -> tuple[Picture, ...]:
    """Return the images as providers take them: with the path of the file to send, or the URL."""
    return tuple(
        Picture(
            view=picture.view,
            name=picture.name,
            path=folder / (picture.sent or picture.file or "") if picture.file else None,
            url=None if picture.file else picture.url,
            info=picture.info,
        )
        for picture in pictures
    )


def _read(source: PictureSource, fetch: Fetch) -> bytes:
    if source.url is not None:
        return fetch(source.url)
    try:
        return source.read()
    except OSError as error:
        raise BadImage(
            Message(
                "{name} cannot be read: {reason}.",
                name=source.name,
                reason=os_reason(error),
            ),
            "Use another image.",
        ) from error


def _nothing() -> bytes:
    return b""
