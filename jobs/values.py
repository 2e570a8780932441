# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that cross between threads, and between this room and the ones above it."""

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
"""Letters of a picture's name, at most: a path may end in more."""


class State(StrEnum):
    """Where a job stands; the last four are its ends."""

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
        """Whether nothing more happens by itself."""
        return self in (State.READY, State.FAILED, State.CANCELLED, State.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class PictureSource:
    """A picture on its way in: `read` gives the file's bytes, on the job's thread.

    `url` is set instead for a picture that is given as an https address.
    """

    name: str
    view: str
    read: Callable[[], bytes]
    url: str | None = None


@dataclass(frozen=True)
class JobSpec:
    """Everything a job needs, taken before its thread starts."""

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
    """Set for a job of an earlier process that goes on."""
    slots: Slots | None = None
    """Shared by jobs that must not all be at the service at once."""
    again: bool = False
    """For an uncertain one: the person says that it did not arrive, and to order it again."""
    repeated: bool = False
    """For a new one: it is wanted, also if the same order is there already."""
    attach: str = ""
    """For an uncertain one: the task's id at the service, which the person has found there."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a value: what happened, what to do next, where to go for it."""

    kind: str
    message: str
    hint: str = ""
    link: str = ""

    def __post_init__(self) -> None:
        for name in ("message", "hint", "link"):
            object.__setattr__(self, name, clean(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class InputPicture:
    """A picture as the job's folder keeps it; file names are relative to the folder.

    `file` is the user's own, untouched, and `original` its SHA-256. `sent` is set where the
    provider gets another one, without metadata or converted; `sha256` and `info` describe what is
    sent.
    """

    view: str
    name: str
    file: str | None
    url: str | None = None
    sent: str | None = None
    sha256: str | None = None
    info: PictureInfo | None = None
    original: str | None = None


@dataclass(frozen=True)
class Record:
    """A job's whole story, as `job.json` keeps it. File names are relative to the job's folder.

    `created` and `submitted` are ISO 8601 in UTC, `seconds` counts from the start to the end.
    What people are shown of it is clean.
    `dismissed`: the person was told that the mesh is there, and wants to hear of it no more.
    `own`: written by this user's own processes; found out where it is read, and not kept in it.
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
    own: bool = True

    def __post_init__(self) -> None:
        for name in ("provider", "name", "created"):
            object.__setattr__(self, name, clean(getattr(self, name), LONGEST_NAME))
        if not isfinite(self.seconds):
            object.__setattr__(self, "seconds", 0.0)
        if self.credits is not None and not isfinite(self.credits):  # JSON knows no such numbers
            object.__setattr__(self, "credits", None)  # guard: finite-numbers
        object.__setattr__(self, "facts", clean_json(self.facts))
        object.__setattr__(self, "notes", tuple(map(clean, self.notes)))

    @property
    def offered(self) -> bool:
        """Whether its mesh was made for a scene, and its person has not put the offer away."""
        made_for_one = bool(self.plan.file)
        return self.state is State.READY and made_for_one and not self.dismissed

    def names(self) -> Iterator[str]:
        """Yield the files that it names: all lie in its own folder."""
        own = (self.mesh, self.blend, self.preview)
        pictures = (name for one in self.pictures for name in (one.file, one.sent))
        remote = (one.file for one in self.files)
        yield from (name for name in (*own, *pictures, *remote) if name is not None)


@dataclass(frozen=True, slots=True)
class JobView:
    """What people see of a job now. `started` is `time.monotonic()`; ended ones keep `seconds`.

    `collected`: it was cancelled, and what became of it came later, because it is charged.
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
        """Whether the job's thread has nothing more to do."""
        return self.state.over or self.failure is not None


@dataclass(frozen=True, slots=True)
class Progressed:
    """The job went on."""

    job: str
    view: JobView


@dataclass(frozen=True, slots=True)
class Ended:
    """The job's thread is done with it; comes exactly once per start."""

    job: str
    view: JobView


@dataclass(frozen=True, slots=True)
class Collected:
    """A cancelled job that the service charges for all the same has been put into the library."""

    job: str
    view: JobView


Event = Progressed | Ended | Collected
