# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks and converts a job's images before the order, in the same way for every service.

Images that are sent have no metadata, are within the service's limits, can be decoded, and are not
blank. The user's own files are not changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...providers import (
    BadImage,
    Blank,
    Failed,
    LibraryProblem,
    Message,
    NoBlender,
    Provider,
    Settings,
    blank_png,
    clean_picture,
    copy_profile,
    read_picture_info,
)
from ...providers._shared.images.jpeg import is_jpeg
from ...providers._shared.images.png import has_alpha, is_png
from ...providers._shared.images.values import AGAIN, DAMAGED
from ..disk.plain_files import read_plain
from ..library.live_record import LiveRecord
from ..library.store import Library
from ..resources import Resources
from ..values import InputPicture
from .inputs import ENDINGS, READABLE

ROOM_FOR_A_PROFILE = 64 * 1024
"""Bytes of a converted image that are reserved for its color profile."""
SEE = "Use an image with an opaque subject."
SAVE = "Use another image. If this one looks right elsewhere, save it as a PNG file."


Check = Callable[[], None]


@dataclass(frozen=True)
class ImagePreparer:
    """Prepares a job's images. Used by the job's thread alone; `check` may raise to end the job."""

    live: LiveRecord
    resources: Resources
    provider: Provider[Any]
    check: Check

    def prepare_all(self, settings: Settings) -> None:
        """Prepare all images of the job, and record them; errors as in `prepare`.

        Their background is removed if the service cannot do that with these settings.
        """
        pictures = self.live.record.pictures
        unsent = any(picture.sent is None for picture in pictures)
        # Asked only if needed, since the answer may be that of a server.
        asked = unsent and type(self.provider).cuts_out is not Provider.cuts_out
        http = self.resources.http
        cut = asked and self.resources.call(lambda: self.provider.cuts_out(settings, http))
        ready = tuple(self.prepare(picture, cut_out=cut) for picture in pictures)
        if ready != pictures:
            self.live.save(pictures=ready)

    def prepare(self, picture: InputPicture, *, cut_out: bool = False) -> InputPicture:
        """Return an image, with the file to send added if that differs from the user's own file.

        Images that the service fetches by URL, and those for providers on this computer, are not
        changed. A converted image gets a note that says why. `cut_out` removes the background.
        Raises BadImage for an image that is not worth paying for, LibraryProblem for a missing
        file, and NoBlender if the image must be converted but there is no Blender.
        """
        at_home = not self.provider.is_remote
        data = self._bytes_of(picture)
        if at_home or data is None or picture.info is None or picture.sent is not None:
            return picture
        sent = clean_picture(data, picture.info, picture.name)  # guard: picture-is-cleaned
        reason = needs_fitting(picture, len(data if sent is None else sent), self.provider)
        if sent is None and not reason:
            reason = "its metadata cannot be removed otherwise"
        if reason:
            sent = self._convert(picture, data)
        assert sent is not None
        self._check_content(picture, sent)  # guard: picture-is-looked-at
        if cut_out:
            sent = self._cut_out(picture, sent)
        if not self.provider.takes_alpha and _may_be_transparent(sent):
            sent = self._edit(picture, sent, image_background="white")
        if sent == data:
            return picture
        ready = self._save(picture, sent)
        if reason:
            self._note_conversion(ready, reason)
        return ready

    def _bytes_of(self, picture: InputPicture) -> bytes | None:
        """Return the content of the user's own file; None for an image without a file.

        Raises LibraryProblem if a file in the record cannot be read.
        """
        data = None
        for name in (picture.sent, picture.file):
            if name is None:
                continue
            try:
                data = read_plain(self.live.folder / name, READABLE.max_bytes)
            except OSError as error:
                raise LibraryProblem(  # guard: picture-is-there
                    Message("The job's image {file} is missing from its folder.", file=name),
                    "Restore the file, or delete the job and generate again.",
                ) from error
        return data

    def _convert(self, picture: InputPicture, data: bytes) -> bytes:
        """Have the worker convert an image for the service, and return the converted file's bytes.

        `data` is the original file. The result has its color profile, but no other metadata.
        """
        request = fitting_request(picture, self.live.folder, self.provider)
        done = self.resources.blender.ask(request, self.live.show_progress, self.check)
        path = self.live.folder / done["file"]
        made = read_plain(path, READABLE.max_bytes)
        path.unlink()
        stripped = clean_picture(made, read_picture_info(made, picture.name), picture.name)
        return copy_profile(
            made if stripped is None else stripped, data
        )  # guard: converted-keeps-colors

    def _cut_out(self, picture: InputPicture, data: bytes) -> bytes:
        """Return an image as a PNG without its background.

        `data` is the file that would be sent otherwise. It is returned, and a note added, if the
        subject cannot be separated from the background, or if there is no Blender.
        """
        try:
            return self._edit(picture, data, image_background="remove")
        except (BadImage, Failed, NoBlender) as error:
            self.live.note(
                Message(
                    "{name} was sent with its background: {reason}",
                    name=picture.name,
                    reason=error.message,
                )
            )
            return data

    def _edit(self, picture: InputPicture, data: bytes, *, image_background: str) -> bytes:
        """Have the worker edit an image, and return it as a PNG without metadata.

        `image_background` is the `background` of the worker's request “develop”. Raises the
        worker's errors, and NoBlender.
        """
        folder = self.live.folder
        source, target = folder / f".{picture.view}-whole", folder / f".{picture.view}-cut.png"
        Library(folder.parent).keep(folder.name, source.name, data)
        request = {
            "do": "develop",
            "picture": str(source),
            "orientation": read_picture_info(data, picture.name).orientation,
            "background": image_background,
            "output": str(target),
        }
        try:
            self.resources.blender.ask(request, self.live.show_progress, self.check)
            made = read_plain(target, READABLE.max_bytes)
        finally:
            source.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
        bare = clean_picture(made, read_picture_info(made, picture.name), picture.name)
        return made if bare is None else bare

    def _save(self, picture: InputPicture, sent: bytes) -> InputPicture:
        """Save the file to send beside the user's own file, and return the image with that file."""
        info = read_picture_info(sent, picture.name)
        file = f"{picture.view}-sent" + ENDINGS.get(info.format, "." + info.format)
        Library(self.live.folder.parent).keep(self.live.folder.name, file, sent)
        digest = hashlib.sha256(sent).hexdigest()
        return replace(picture, sent=file, sha256=digest, info=info)

    def _note_conversion(self, picture: InputPicture, reason: str) -> None:
        info = picture.info
        assert info is not None
        self.live.note(
            Message(
                "{name} was converted to {format}, {width} × {height} pixels, because {reason}.",
                name=picture.name,
                format=info.format.upper(),
                width=info.width,
                height=info.height,
                reason=reason,
            )
        )

    def _check_content(self, picture: InputPicture, sent: bytes) -> None:
        """Raise BadImage for an image that cannot be decoded, or is blank."""
        # A PNG is decoded here, in milliseconds; the worker takes seconds to start.
        seen = Blank.MAYBE
        if read_picture_info(sent, picture.name).format == "png":
            try:
                seen = blank_png(sent)
            except DAMAGED as error:
                raise BadImage(
                    Message("{name} cannot be decoded.", name=picture.name), AGAIN
                ) from error
        if seen is Blank.MAYBE:
            seen = self._inspect_in_worker(picture, sent)
        if seen is Blank.TRANSPARENT:  # guard: transparent-is-refused
            raise BadImage(Message("{name} is fully transparent.", name=picture.name), SEE)
        if seen is Blank.ONE_COLOR:  # guard: one-color-is-refused
            raise BadImage(Message("{name} has only one color.", name=picture.name), SAVE)

    def _inspect_in_worker(self, picture: InputPicture, sent: bytes) -> Blank:
        """Return the worker's verdict on whether an image is blank.

        Without a Blender, returns Blank.NO and adds a note. Raises BadImage if the image cannot be
        decoded.
        """
        file = f".{picture.view}-seen"
        Library(self.live.folder.parent).keep(self.live.folder.name, file, sent)
        try:
            request = {"do": "check", "picture": str(self.live.folder / file)}
            return Blank(
                self.resources.blender.ask(request, self.live.show_progress, self.check)["shows"]
            )
        except NoBlender:
            self.live.note(
                Message(
                    "{name} was submitted without a check, because no Blender was found.",
                    name=picture.name,
                )
            )
            return Blank.NO
        except Failed as error:
            raise BadImage(
                Message("Blender stopped unexpectedly while checking {name}.", name=picture.name),
                SAVE,
            ) from error
        finally:
            (self.live.folder / file).unlink(missing_ok=True)


def _may_be_transparent(data: bytes) -> bool:
    return not is_jpeg(data) and (not is_png(data) or has_alpha(data))


def needs_fitting(picture: InputPicture, size: int, provider: Provider[Any]) -> str:
    """Return why an image must be converted to be sent, as a clause such as “it is 30 MB”.

    Returns "" if the image can be sent as it is. `size` is the size of the file without metadata,
    in bytes.
    """
    info, limits = picture.info, provider.limits
    if info is None or not provider.is_remote:
        return ""
    if info.format not in provider.formats:
        return Message("its format is {format}", format=info.format.upper())
    if max(info.width, info.height) > limits.max_side:
        return Message("it is {width} × {height} pixels", width=info.width, height=info.height)
    return Message("it is {size} MB", size=f"{size / 1e6:.1f}") if size > limits.max_bytes else ""


def fitting_request(
    picture: InputPicture, folder: Path, provider: Provider[Any]
) -> dict[str, object]:
    """Return the worker request that converts an image to one that can be sent."""
    return {
        "do": "fit",
        "picture": str(folder / (picture.file or "")),
        "orientation": picture.info.orientation if picture.info else 1,
        "output": str(folder / f".{picture.view}-made.png"),
        "max_side": provider.limits.max_side,
        "max_bytes": provider.limits.max_bytes - ROOM_FOR_A_PROFILE,
        "formats": sorted(provider.formats),
    }
