# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders: their images, uploads, and tickets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from ..errors import Uncertain
from ..exact_ids import require_exact_values
from ..settings import Settings

if TYPE_CHECKING:
    from ..images import PictureInfo

S = TypeVar("S", bound=Settings)
JSON = Any


class Picture(NamedTuple):
    """An input image: a file in the job's folder, or an https URL if the provider takes URLs.

    Exactly one of `path` and `url` is set. `view` is the side of the subject, such as "front", and
    `name` is for messages. `info` is None for a URL.
    """

    view: str
    name: str
    path: Path | None = None
    url: str | None = None
    info: PictureInfo | None = None

    def data(self) -> bytes:
        """Return the bytes of the file. Raises ValueError for an image that is a URL."""
        if self.path is None:
            raise ValueError("the image is a URL")
        return self.path.read_bytes()


class Request(NamedTuple, Generic[S]):
    """The settings and images of a job, which together with the uploads determine the order.

    `files` has the contents of the files that settings name, by setting; a quote has none.
    """

    settings: S
    pictures: tuple[Picture, ...]
    files: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The result of `upload`: usually a reference for each view, such as a file token.

    `data` is plain JSON. Raises BadReply for a token that cannot be sent back unchanged.
    """

    data: Mapping[str, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The dataclass is frozen; its documentation recommends this for __post_init__.
        object.__setattr__(self, "data", require_exact_values(self.data, "token"))


class _TicketData(dict[str, JSON]):
    """The data of a ticket. Reading a missing name, as in a damaged record, raises Uncertain."""

    def __missing__(self, name: str) -> JSON:
        raise Uncertain(  # guard: tickets-without-a-task
            "The job's record has no task ID.",
            "Check the service for the task.",
        )


@dataclass(frozen=True, slots=True)
class Ticket:
    """Identifies a submitted task: all that a later process needs to poll it, except for the key.

    `data` is plain JSON without secrets; it is saved in `job.json`. `files` are mesh files that the
    answer itself contained, by name (`mesh.glb`). They are written to the job's folder before the
    ticket is saved; `RemoteFile.file` refers to them. Raises BadReply for an id that cannot be sent
    back unchanged.
    """

    data: Mapping[str, JSON] = field(default_factory=dict)
    files: Mapping[str, bytes | bytearray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "data", _TicketData(require_exact_values(self.data, "id"))
        )  # guard: ids-are-exact
