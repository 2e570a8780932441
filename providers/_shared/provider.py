# SPDX-License-Identifier: GPL-3.0-or-later
"""What a provider is: one class that declares a service and makes its calls.

A provider knows nothing of threads, files of a job, polling intervals or Blender. The runner in
`jobs` calls its methods in the order of this file and keeps what they return.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from .errors import BadMesh, Failed, InvalidSettings, Uncertain
from .exact_ids import require_exact, require_exact_values
from .images import PictureInfo, PictureLimits
from .settings import Settings
from .untrusted_text import clean, clean_json

if TYPE_CHECKING:
    from .http.client import Http

S = TypeVar("S", bound=Settings)
JSON = Any
Need = Literal["network", "blender"]

PICTURE_FORMATS = frozenset({"png", "jpeg", "webp", "bmp", "tiff"})


@dataclass(frozen=True, slots=True)
class KeyField:
    """A secret that the person gets from the service.

    `preference` is the add-on preference that holds it, `environment` the variable it falls back
    to. Providers that share a key declare the same field.
    """

    preference: str
    environment: str
    title: str = "API Key"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service lives: the preference, the variable it falls back to, and the default."""

    preference: str
    environment: str
    default: str


class Secret:
    """A key that cannot be shown by accident: only `reveal()` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself, for the one header that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __reduce__(self) -> Any:
        raise TypeError("a key is never written anywhere")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as the provider gets it: a file in the job's folder, or an https address."""

    view: str
    name: str
    path: Path | None = None
    url: str | None = None
    info: PictureInfo | None = None

    def data(self) -> bytes:
        """Return the file's bytes; raises ValueError where there is only an address."""
        if self.path is None:
            raise ValueError("the picture is an address")
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class Request(Generic[S]):
    """All that a submit depends on, besides what was uploaded."""

    settings: S
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What the service gave for the pictures: plain JSON by view, e.g. file tokens.

    Raises BadReply for a token that cannot go back as it came.
    """

    data: Mapping[str, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", require_exact_values(self.data, "token"))


class _Named(dict[str, JSON]):
    """What a record names of a task; raises Uncertain for what it lacks."""

    def __missing__(self, name: str) -> JSON:
        raise Uncertain(  # guard: tickets-without-a-task
            "The job's record names no task that could be asked for.",
            "Look at the service whether the task is there.",
        )


@dataclass(frozen=True, slots=True)
class Ticket:
    """What any later process needs, with the key, to ask for the task: plain JSON, no secrets.

    `files` is what the answer itself brought, by file name (`mesh.glb`): too big for the record,
    so it is written into the job's folder before the ticket counts; `RemoteFile.file` names it.
    Raises BadReply for an id that cannot go back as it came.
    """

    data: Mapping[str, JSON] = field(default_factory=dict)
    files: Mapping[str, bytes | bytearray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "data", _Named(require_exact_values(self.data, "id"))
        )  # guard: ids-are-exact


@dataclass(frozen=True, slots=True)
class Progress:
    """The task is not over. `fraction` is 0 to 1, `wait` the service's estimate in seconds."""

    phase: str
    fraction: float | None = None
    wait: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase", clean(self.phase, 100))
        if self.fraction is not None and not isfinite(self.fraction):
            object.__setattr__(self, "fraction", None)  # guard: progress-is-a-number


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download: an address without the key, what it is for, and its format if known.

    `file` is set instead of the address for a mesh that came with the ticket (`Ticket.files`).
    """

    url: str
    role: Literal["mesh", "preview"] = "mesh"
    format: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A mesh that the background Blender makes itself, by the recipe of this name."""

    name: str
    settings: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Result:
    """The task succeeded: what to download, or the recipe to carry out, and what it cost.

    `facts` are worth keeping in the record (seeds used, request ids), `notes` worth telling.
    Raises BadMesh for an address that cannot be asked for as it came.
    """

    files: tuple[RemoteFile, ...] = ()
    recipe: Recipe | None = None
    credits: float | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in self.files:
            require_exact(one.url, "address", BadMesh)
        object.__setattr__(self, "facts", clean_json(self.facts))
        object.__setattr__(self, "notes", tuple(clean(note) for note in self.notes))


class CancelOutcome(StrEnum):
    """What is known after the service was told to stop."""

    FREE = "free"
    CHARGED = "charged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cost:
    """A price in the service's own unit, e.g. 30 credits."""

    amount: float
    unit: str = "credits"


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account holds, in the service's own unit."""

    amount: float
    unit: str = "credits"

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", clean(self.unit, 40))


class Provider(ABC, Generic[S]):
    """A service: class attributes declare it, methods make its calls.

    Subclass it once per file in `providers/`; the file's name is the `id`. The runner in `jobs`
    calls the methods on a worker thread, in the order in which they stand here. Every method may
    raise the errors of `_shared.errors`. None of them retries, sleeps or touches Blender: retries,
    polling intervals and deadlines are up to the runner and to `Http`.
    """

    id: ClassVar[str]
    """The file's name, used in scripts, presets and `job.json`: never change it."""
    label: ClassVar[str]
    """The service's name in the interface."""
    description: ClassVar[str]
    """One line for the provider menu's tooltip, without a full stop."""
    docs_url: ClassVar[str] = ""
    key_url: ClassVar[str] = ""
    """The page where the user creates an API key."""
    keys: ClassVar[tuple[KeyField, ...]] = ()
    """The secrets to ask for; empty if the service needs none."""
    address: ClassVar[Address | None] = None
    """The base URL and where it can be changed; None if nothing is called."""
    needs: ClassVar[frozenset[Need]] = frozenset({"network"})
    views: ClassVar[tuple[str, ...]] = ("front",)
    """The views that the service takes. The first one is required."""
    formats: ClassVar[frozenset[str]] = PICTURE_FORMATS
    """The formats that the service takes: any other image is converted before `upload`."""
    limits: ClassVar[PictureLimits] = PictureLimits()
    """Sizes that the service takes: larger images are scaled down before `upload`."""
    takes_urls: ClassVar[bool] = False
    """Whether an image given by its https URL is passed on as that URL instead of as a file."""
    token_life: ClassVar[float] = 0.0
    """Seconds for which the result of `upload` can be reused; 0 if it serves one submit only."""
    self_hosted: ClassVar[bool] = False
    """Whether users run the server themselves: plain http is then allowed in private networks."""
    deadline: ClassVar[float] = 1800.0
    """Seconds after which polling ends with `TimedOut`. The job can still be resumed."""
    max_answer_bytes: ClassVar[int] = 0
    """Free disk space in bytes to require before a submit whose answer contains the mesh."""
    lookup_name: ClassVar[str] = ""
    """The name of the value that `attach` takes, such as "Task ID"; empty if it takes none."""
    front_rotation: ClassVar[int] = 0
    """Degrees about Z, counterclockwise from above, that turn the models' front toward -Y."""

    settings: type[S]

    @property
    def is_remote(self) -> bool:
        """Whether the mesh is made by a service on the network, not on this computer."""
        return "network" in self.needs

    def headers(self, keys: Mapping[str, Secret]) -> dict[str, str]:
        """Return the headers that carry the key to the service's own host."""
        if not self.keys:
            return {}
        return {"Authorization": f"Bearer {keys[self.keys[0].preference].reveal()}"}

    def views_for(self, settings: S) -> tuple[str, ...]:
        """Return the views that an order with these settings takes; the first one is required."""
        return self.views

    def upload(self, pictures: tuple[Picture, ...], http: Http | None) -> Uploaded:
        """Bring the pictures to the service; return what it gave for each view.

        Free; may be repeated. Gets only the pictures that have no living token.
        """
        return Uploaded()

    @abstractmethod
    def submit(self, request: Request[S], uploaded: Uploaded, http: Http | None) -> Ticket:
        """Order the mesh. The one call that costs; called once per job, ever."""

    @abstractmethod
    def poll(self, ticket: Ticket, http: Http | None) -> Progress | Result:
        """Ask how far it is. Free."""

    def cancel(self, ticket: Ticket, http: Http | None) -> CancelOutcome:
        """Tell the service to stop, where it can be told."""
        return CancelOutcome.UNKNOWN

    def max_concurrent(self, settings: S) -> int:
        """Return how many tasks like this the service works on at once for an account."""
        return 10

    def license_note(self) -> str:
        """Say who has what rights in a mesh, as far as that is known here."""
        about = f" ({self.docs_url})" if self.docs_url else ""
        return f"See the terms of {self.label}{about}, and the rights in the picture"

    def find_order(
        self, request: Request[S], uploaded: Uploaded, since: datetime, http: Http | None
    ) -> tuple[Ticket, ...]:
        """Look for an order whose answer never came among the account's tasks since then. Free.

        Return all that may be it; none where the service has no list, or says too little.
        """
        return ()

    def attach(self, task: str, settings: S) -> Ticket:
        """Return the ticket of a task that the person has found at the service.

        Raises InvalidSettings for what cannot be one.
        """
        raise InvalidSettings(f"{self.label} has no tasks that could be asked for.")

    def quote(self, request: Request[S], http: Http | None) -> Cost | None:
        """Return the price of a request, where the service says it for free."""
        return None

    def balance(self, http: Http | None) -> Balance | None:
        """Return what the account holds; also the test of a key."""
        return None


def require_http(http: Http | None) -> Http:
    """Return the connection of a provider that needs the network; the runner always gives one."""
    if http is None:
        raise Failed("This provider needs a connection and has none.")
    return http
