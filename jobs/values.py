# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that are passed between threads, and between `jobs` and its callers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..providers import PictureInfo, RemoteFile, Secret, Settings
from ..providers._shared.untrusted_text import clean, clean_json
from .import_plan import ImportPlan
from .library.migrations import SCHEMA

if TYPE_CHECKING:
    from .slots import Slots

JSON = Any
LONGEST_NAME = 255
"""Maximum number of characters of an image's name; a path may have more."""


class State(StrEnum):
    """The state of a job; the last four are final."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    RUNNING = "running"
    DOWNLOADING = "downloading"
    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"

    @property
    def over(self) -> bool:
        """Whether the state is final."""
        return self in _FINAL

    @property
    def shown(self) -> str:
        """The state's name in messages."""
        return STATES[self]


_FINAL = (State.READY, State.FAILED, State.CANCELLED, State.UNCERTAIN)

STATES = {
    State.QUEUED: "Queued",
    State.SUBMITTING: "Submitting",
    State.RUNNING: "Running",
    State.DOWNLOADING: "Downloading",
    State.PREPARING: "Preparing",
    State.READY: "Ready",
    State.FAILED: "Failed",
    State.CANCELLED: "Canceled",
    State.UNCERTAIN: "Uncertain",
}


@dataclass(frozen=True, slots=True)
class PictureSource:
    """An image to be read: `read` returns the file's bytes, and is called on the job's thread.

    For an image that is given as a URL, `url` is set, and used instead of `read`.
    """

    name: str
    view: str
    read: Callable[[], bytes]
    url: str | None = None


@dataclass(frozen=True)
class JobSpec:
    """Everything that a job needs, collected before its thread starts."""

    provider: str
    settings: Settings
    pictures: tuple[PictureSource, ...]
    library: Path
    keys: Mapping[str, Secret] = field(default_factory=dict)
    base_url: str = ""
    online: bool = True
    blender: tuple[str, ...] | None = None
    plan: ImportPlan = field(default_factory=ImportPlan)
    timeout: float | None = None
    record: Record | None = None
    """Set to resume a job of an earlier process."""
    slots: Slots | None = None
    """Shared by jobs that must not all have tasks at the service at the same time."""
    again: bool = False
    """For an uncertain job: the user says that the order did not arrive, and submits it again."""
    repeated: bool = False
    """For a new job: submit it even if the same order exists already."""
    attach: str = ""
    """For an uncertain job: the id of its task, which the user has found at the service."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """For a new job: the contents of the files that settings name, by setting."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a value: its kind, its message, what to do next, and a link for that.

    `provider` is the id of another provider that can use the server that answered; it may be empty.
    """

    kind: str
    message: str
    hint: str = ""
    link: str = ""
    provider: str = ""

    # Cleaned here for all errors, because some contain text from a service or a file.
    def __post_init__(self) -> None:
        for name in ("message", "hint", "link", "provider"):
            object.__setattr__(self, name, clean(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class InputPicture:
    """An image in the job's folder; file names are relative to that folder.

    `file` is the user's own file, unchanged, or decoded if it was a HEIC or AVIF photo; `original`
    is the SHA-256 of the user's own file. `sent` is set if the provider gets another file, without
    metadata or converted; `sha256` and `info` describe the file that the provider gets. An image
    that the service fetches itself has a `url` and no `file`.
    """

    view: str
    name: str
    file: str | None
    url: str | None = None
    sent: str | None = None
    sha256: str | None = None
    info: PictureInfo | None = None
    original: str | None = None


@dataclass(frozen=True, slots=True)
class SettingFile:
    """A file of the user's that a setting names, such as a workflow, in the job's folder.

    `name` is the file's own name, `file` its name in the folder, and `sha256` that of its content.
    """

    setting: str
    name: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Record:
    """A job's complete record, as in `job.json`. File names are relative to the job's folder.

    `created` and `submitted` are times in UTC, in ISO 8601. `seconds` is the job's duration so far.
    `uploaded` has what the provider needs to refer to uploaded images, and `ticket` what it needs
    to refer to the task. `facts` are further details from the service, and `notes` are sentences
    for the user. Control characters are removed from text that the user sees. `dismissed`: the user
    has seen that the mesh is ready, and is not reminded again. `own`: written by this user's own
    processes; this is determined when the record is read, and not stored.
    """

    id: str
    state: State
    provider: str
    name: str
    created: str
    schema: int = SCHEMA
    pictures: tuple[InputPicture, ...] = ()
    settings: Mapping[str, JSON] = field(default_factory=dict)
    plan: ImportPlan = field(default_factory=ImportPlan)
    uploaded: Mapping[str, JSON] | None = None
    submitted: str | None = None
    request_hash: str | None = None
    ticket: Mapping[str, JSON] | None = None
    files: tuple[RemoteFile, ...] = ()
    mesh: str | None = None
    format: str | None = None
    blend: str | None = None
    preview: str | None = None
    faces: int | None = None
    credits: float | None = None
    seconds: float = 0.0
    facts: Mapping[str, JSON] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    dismissed: bool = False
    setting_files: tuple[SettingFile, ...] = ()
    own: bool = True

    def __post_init__(self) -> None:
        for name in ("provider", "name", "created"):
            object.__setattr__(self, name, clean(getattr(self, name), LONGEST_NAME))
        if not isfinite(self.seconds):
            object.__setattr__(self, "seconds", 0.0)
        if self.credits is not None and not isfinite(self.credits):  # JSON has no such numbers
            object.__setattr__(self, "credits", None)  # guard: finite-numbers
        object.__setattr__(self, "facts", clean_json(self.facts))
        object.__setattr__(self, "notes", tuple(map(clean, self.notes)))

    @property
    def offered(self) -> bool:
        """Whether the mesh is ready, was made for a scene, and is not marked as seen."""
        has_scene = bool(self.plan.file)
        return self.state is State.READY and has_scene and not self.dismissed

    def names(self) -> Iterator[str]:
        """Yield the names of all files that the record refers to."""
        own = (self.mesh, self.blend, self.preview)
        pictures = (name for picture in self.pictures for name in (picture.file, picture.sent))
        remote = (file.file for file in self.files)
        given = (file.file for file in self.setting_files)
        yield from (name for name in (*own, *pictures, *remote, *given) if name is not None)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as panels show it.

    `fraction` is the progress from 0 to 1, None if unknown. `started` is when this process started
    the job (`time.monotonic`). `record`, which has the duration, is None until the job is on disk.
    `collected`: the job was canceled before, and the attempt to collect its mesh has ended.
    """

    job: str
    provider: str
    name: str
    state: State
    phase: str
    fraction: float | None
    started: float
    record: Record | None = None
    failure: Failure | None = None
    plan: ImportPlan = field(default_factory=ImportPlan)
    collected: bool = False

    @property
    def over(self) -> bool:
        """Whether the job has ended in this process: in a final state, or with a failure."""
        # A job that failed but can be resumed keeps its state, such as `running`.
        return self.failure is not None or self.state in _FINAL


@dataclass(frozen=True, slots=True)
class Progressed:
    """Event: a job's progress or phase has changed."""

    job: str
    view: JobView


@dataclass(frozen=True, slots=True)
class Ended:
    """Event: a job has ended for the user.

    Emitted once per start, unless the process exits first.
    """

    job: str
    view: JobView


@dataclass(frozen=True, slots=True)
class Collected:
    """Event: the attempt to fetch the mesh of a canceled job has succeeded or failed.

    The service may charge for that mesh.
    """

    job: str
    view: JobView


Event = Progressed | Ended | Collected
