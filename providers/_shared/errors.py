# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors: one class for each different action that the user can take.

    ImageToMeshError
    +-- InvalidSettings    a setting or an argument is wrong           nothing was sent
    +-- Repeated           the same job exists already                 nothing was sent
    +-- BadImage           the image cannot be used                    nothing was sent
    +-- NoBlender          a step needs a Blender and none was found   nothing was sent
    +-- WrongModule        a module is missing or another add-on's     nothing was sent
    +-- LibraryProblem     the library folder cannot be read or written
    +-- MissingKey         the service needs a key and none is set     nothing was sent
    +-- BadKey             the key is malformed, or the service refused it
    +-- NoCredits          the account has too few credits
    +-- RateLimited        too many requests, for longer than a call waits
    +-- Unreachable        no connection, or the service is down
    +-- TimedOut           the service did not finish in the time allowed
    +-- BadReply           the service sent an undocumented response
    +-- Rejected           the service refused the content
    +-- Failed             the service tried and could not
    |   +-- Banned, Expired
    +-- BadMesh            the result cannot be downloaded or read
    +-- Uncertain          the service may have accepted the order

`Cancelled` is not an error: it unwinds a job that the user stopped.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from .untrusted_text import clean


class Sent(StrEnum):
    """How much of a failed call's request may have reached the service.

    NO: none of the request was handed to the socket. MAYBE: some of the request was, but no answer
    came. YES: an answer came.
    """

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class ImageToMeshError(Exception):
    """A problem, with a message for the user and a hint on what to do next.

    `link` is the URL of a page that helps; it may be empty, and so may `hint`. `kind` is the stable
    name that scripts see (`error.kind` in the command line's JSON). `sent` is how much of a failed
    call's request was sent; it is None for errors that are not from a call.
    """

    kind: ClassVar[str] = "error"
    sent: Sent | None = None

    def __init__(self, message: str, hint: str = "", link: str = "") -> None:
        self.message = clean(message)  # guard: errors-are-printable
        self.hint = clean(hint)
        self.link = clean(link)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidSettings(ImageToMeshError):
    """A setting or an argument is unknown or invalid, or conflicts with another one."""

    kind = "invalid_settings"


class Repeated(ImageToMeshError):
    """The same job exists already, and a second one was not requested."""

    kind = "repeated"


class BadImage(ImageToMeshError):
    """The image cannot be read, or exceeds the limits of the provider."""

    kind = "bad_image"


class NoBlender(ImageToMeshError):
    """A step needs Blender, which was not found or did not start."""

    kind = "no_blender"


class WrongModule(ImageToMeshError):
    """A Python module that the add-on needs is missing, too old, or another add-on's."""

    kind = "wrong_module"


class LibraryProblem(ImageToMeshError):
    """The library folder cannot be read or written, or holds no such job."""

    kind = "library"


class MissingKey(ImageToMeshError):
    """The service needs an API key, but none is set."""

    kind = "missing_key"


class BadKey(ImageToMeshError):
    """The service refused the key or its account, or the key has characters that cannot be sent."""

    kind = "bad_key"


class NoCredits(ImageToMeshError):
    """The account has too few credits for the order."""

    kind = "no_credits"


class RateLimited(ImageToMeshError):
    """The service refused the call because of a rate limit, for longer than a call waits."""

    kind = "rate_limited"


class Unreachable(ImageToMeshError):
    """There is no connection to the service, or the service is down."""

    kind = "unreachable"


class TimedOut(ImageToMeshError):
    """The service did not finish in the time allowed; the job can be resumed later."""

    kind = "timed_out"


class BadReply(ImageToMeshError):
    """The service sent an undocumented response."""

    kind = "bad_reply"


class Rejected(ImageToMeshError):
    """The service refused the order because of the image's content."""

    kind = "rejected"


class Failed(ImageToMeshError):
    """The service or the worker process tried to make the mesh, and failed."""

    kind = "failed"


class Banned(Failed):
    """The service stopped the task because of its content policy."""

    kind = "banned"


class Expired(Failed):
    """The service gave up on the task, or no longer knows it."""

    kind = "expired"


class BadMesh(ImageToMeshError):
    """The result could not be downloaded, or is not a mesh file that can be read."""

    kind = "bad_mesh"


class Uncertain(ImageToMeshError):
    """It is unknown whether the service accepted the order, so it may have been charged."""

    kind = "uncertain"


class Cancelled(Exception):
    """Unwinds a job that the user stopped."""


def error_of_kind(kind: str, message: str, hint: str = "", link: str = "") -> ImageToMeshError:
    """Return an error of the class with this `kind`; an unknown kind becomes `Failed`."""
    return _by_kind(ImageToMeshError).get(kind, Failed)(message, hint, link)


def _by_kind(base: type[ImageToMeshError]) -> dict[str, type[ImageToMeshError]]:
    found: dict[str, type[ImageToMeshError]] = {}
    for child in base.__subclasses__():
        found[child.kind] = child
        found.update(_by_kind(child))
    return found
