# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place that decides which error a failed call becomes, by how much of it was sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from ..errors import (
    BadImage,
    BadMesh,
    ImageToMeshError,
    InvalidSettings,
    Sent,
    Uncertain,
    Unreachable,
)
from ..messages import Message, as_message
from .addresses import CONSENT_HINT, OWN_HINT, WebAddress

if TYPE_CHECKING:
    from .transport import CallFailed

E = TypeVar("E", bound=ImageToMeshError)
AGAIN = "Resume the job to download the mesh again at no extra cost."
OWN_NETWORK = "it points to the local network"


def submit_error(error: CallFailed) -> ImageToMeshError:
    """Return the error for an order without an answer.

    It is Unreachable if not a byte was sent, else Uncertain, since the order may be charged.
    """
    if error.sent is Sent.NO:  # guard: unsent-is-unreachable
        return unreachable_error(error)
    uncertain = Uncertain(
        Message(
            "The request was sent, but no response was received ({reason}).",
            reason=error.problem.reason,
        ),
        "Check the service for the task. It will not be resubmitted automatically.",
    )
    return with_sent(uncertain, error.sent)


def unreachable_error(error: CallFailed) -> Unreachable:
    """Return the error for a free call that failed, or for an order that was never sent."""
    return with_sent(Unreachable(error.problem.message, error.problem.hint), error.sent)


def unusable_address(kind: type[ImageToMeshError], reason: str) -> ImageToMeshError:
    """Return the error, of class `kind`, for a URL that must not be called.

    `reason` is a clause, such as "it points to the local network".
    """
    message = Message("The URL cannot be used: {reason}.", reason=as_message(reason))
    return with_sent(kind(message, _NEXT.get(kind, "Try again later.")), Sent.NO)


_NEXT: Mapping[type[ImageToMeshError], str] = {BadImage: "Use another URL.", BadMesh: AGAIN}


def offline_error() -> Unreachable:
    """Return the error for a call to another computer while Blender's online access is off."""
    return with_sent(
        Unreachable(
            "Online access is turned off in Blender.",
            "Enable Allow Online Access in Preferences › System, or start "
            "Blender with --online-mode.",
        ),
        Sent.NO,
    )


def public_error(host: str) -> InvalidSettings:
    """Return the error for a name that leads out of the user's own network."""
    message = Message("{host} leads to an address outside of your own network.", host=host)
    return with_sent(InvalidSettings(message, OWN_HINT), Sent.NO)


def unencrypted_error(address: WebAddress) -> InvalidSettings:
    """Return the error for a secret that would be sent unencrypted to another computer."""
    message = Message(
        "The header for {host} is a secret, and would be sent unencrypted.", host=address.host
    )
    return with_sent(InvalidSettings(message, CONSENT_HINT), Sent.NO)


def with_sent(error: E, sent: Sent) -> E:
    """Set an error's `sent`, and return the error."""
    error.sent = sent
    return error


def pieces_until(end: float, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a stream. Raises Unreachable at a time on the monotonic clock."""
    for piece in pieces:
        # Checked here as well, because a call's deadline is extended for the bytes that arrive.
        if time.monotonic() >= end:
            raise with_sent(Unreachable("The service's messages did not end in time."), Sent.YES)
        yield piece
