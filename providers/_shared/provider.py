# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of a provider: a class that declares a service and makes its calls.

To add a service, subclass `Provider` in a new file in `providers/`. A provider knows nothing about
threads, polling intervals, the files of a job or Blender: the runner in `jobs` calls its methods
and stores the values that they return.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal

from .credentials import Address as Address
from .credentials import KeyField as KeyField
from .credentials import Secret as Secret
from .credentials import headers_of
from .errors import Failed, InvalidSettings
from .http.addresses import is_near, read_address, service_address
from .images import PictureLimits
from .messages import Message
from .orders import Picture as Picture
from .orders import Request as Request
from .orders import S as S
from .orders import Ticket as Ticket
from .orders import Uploaded as Uploaded
from .results import Recipe as Recipe
from .results import RemoteFile as RemoteFile
from .results import Result as Result
from .results.prices import Balance as Balance
from .results.prices import CancelOutcome as CancelOutcome
from .results.prices import Cost as Cost
from .results.prices import Price as Price
from .settings import Setting
from .untrusted_text import clean, finite_number

if TYPE_CHECKING:
    from .http.client import Http
    from .servers.probe import Answering

Need = Literal["network", "blender"]

PICTURE_FORMATS = frozenset({"png", "jpeg", "webp", "bmp", "tiff"})


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a task that has not ended.

    `phase` is shown to the user. `fraction` is from 0 to 1, and `wait` the service's estimate of
    the remaining seconds; both are None if unknown. What is no finite number becomes None.
    """

    phase: str
    fraction: float | None = None
    wait: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase", clean(self.phase, 100))
        for name in ("fraction", "wait"):
            number = finite_number(getattr(self, name))
            object.__setattr__(self, name, number)  # guard: progress-is-a-number


class Provider(ABC, Generic[S]):
    """A service: class attributes declare it, methods make its calls.

    Subclass it once per file in `providers/`; the file's name is the `id`. Methods that take `http`
    are called on a thread that may wait, such as a job's, and may raise the errors of
    `_shared.errors`. The others make no calls, and return at once. No method may retry, sleep or
    touch Blender: retries, polling intervals and deadlines are up to the runner and to `Http`.
    """

    id: ClassVar[str]
    """The file's name without its suffix. Scripts, presets and records use it: never change it."""
    label: ClassVar[str]
    """The service's name in the interface."""
    description: ClassVar[str]
    """One line for the provider menu's tooltip, without a period."""
    page: ClassVar[str] = ""
    """The name of the page in the manual that providers of one service share; empty for the id."""
    docs_url: ClassVar[str] = ""
    """The URL of the service's documentation, for the license note; empty if there is none."""
    key_url: ClassVar[str] = ""
    """The URL of the page where the user creates an API key; empty if there is none."""
    unit: ClassVar[str] = "Credits"
    """The unit in which the service charges, in title case; that of `Result.credits`."""
    rank: ClassVar[int] = 100
    """Position among the services in the preferences, from 1; equal ranks are sorted by label."""
    keys: ClassVar[tuple[KeyField, ...]] = ()
    """The secrets to ask for; empty if the service needs none."""
    address: ClassVar[Address | None] = None
    """The base URL and where it can be changed; None if the provider makes no calls."""
    needs: ClassVar[frozenset[Need]] = frozenset({"network"})
    """“network” if a service makes the mesh, “blender” if the worker does."""
    views: ClassVar[tuple[str, ...]] = ("front",)
    """The views that the service accepts. The first one is required."""
    formats: ClassVar[frozenset[str]] = PICTURE_FORMATS
    """The formats that the service accepts; any other image is converted before `upload`."""
    limits: ClassVar[PictureLimits] = PictureLimits()
    """Sizes that the service accepts; larger images are scaled down before `upload`."""
    takes_urls: ClassVar[bool] = False
    """Whether an image given by its https URL is passed on as that URL instead of as a file."""
    token_life: ClassVar[float] = 0.0
    """Seconds for which the result of `upload` can be reused; 0 if it is for one order only."""
    self_hosted: ClassVar[bool] = False
    """Whether users run the server themselves, in their own network; see `AddressPolicy`."""
    public_pages: ClassVar[tuple[str, ...]] = ()
    """Paths of pages in JSON by which `recognize` knows a user's own server."""
    more_ports: ClassVar[tuple[int, ...]] = ()
    """Usual ports of such a server, besides the one in the default of `address`."""
    may_be_public: ClassVar[bool] = False
    """Whether a self-hosted server may also be on the internet, called by https only."""
    notice: ClassVar[str] = ""
    """A sentence that is shown below the provider menu, such as a limit of the model's license."""
    deadline: ClassVar[float] = 1800.0
    """Seconds after which polling ends with `TimedOut`. The job can still be resumed."""
    late_hint: ClassVar[str] = "Resume the job to wait longer."
    """What the user can do after the deadline."""
    max_answer_bytes: ClassVar[int] = 0
    """Bytes of free disk space required before an order; 0 unless its answer contains the mesh."""
    lookup_name: ClassVar[str] = ""
    """The name of the id that `attach` takes, such as "Task ID"; empty if `attach` always fails."""
    task_field: ClassVar[str] = "task"
    """The field of a ticket that identifies the task: no two jobs can have the same."""
    front_rotation: ClassVar[int] = 0
    """Degrees about Z, counterclockwise from above, that rotate the models' front to -Y."""
    has_live_preview: ClassVar[bool] = False
    """Whether the worker can preview a result with changed settings, at no cost."""
    takes_alpha: ClassVar[bool] = True
    """Whether transparency is understood; if not, images are put on white before `upload`."""
    writes_orders: ClassVar[bool] = False
    """Whether the server writes the order into `asset.extras` of GLB files; it is removed."""
    models: ClassVar[tuple[str, ...]] = ()
    """Names of the neural networks that the provider can use once their weights are downloaded."""

    prices: ClassVar[tuple[Price, ...]] = ()
    """The service's price list, used where it quotes no price; see `results.prices.find_price`."""

    settings: type[S]
    """The class of the provider's settings."""
    has_server_settings: ClassVar[bool] = False
    """Whether there are settings that only the server knows. Set by itself, and read at each draw.
    """
    has_server_check: ClassVar[bool] = False
    """Whether the settings can be tested at the server. Set by itself, too."""

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        cls.has_server_settings = cls.read_server_settings is not Provider.read_server_settings
        cls.has_server_check = cls.check_server is not Provider.check_server

    @property
    def is_remote(self) -> bool:
        """Whether the mesh is made by a service on the network, not on this computer."""
        return "network" in self.needs

    @property
    def manual_page(self) -> str:
        """The file of the provider's page in the manual, without its suffix."""
        return f"service-{self.page or self.id}"

    def check_address(self, url: str, source: str) -> None:
        """Raise InvalidSettings for a base URL that must not be called; `source` sets it."""
        service_address(
            url, self_hosted=self.self_hosted, may_be_public=self.may_be_public, source=source
        )

    def headers(self, keys: Mapping[str, Secret]) -> dict[str, str]:
        """Return the headers that carry the API key, sent to the service's own host only."""
        return headers_of(self.keys, keys)

    def full_address(self, text: str) -> str:
        """Return the base URL that the user's entry stands for, such as the name of an app."""
        return text

    def public_host(self, base_url: str) -> str:
        """Return the host of a server that may be anybody's, empty for a service or an own server.

        Users choose the address, and nobody vouches for it.
        """
        if not self.may_be_public:
            return ""
        address = read_address(base_url)
        return "" if is_near(address, may_be_public=True) else address.host

    def sends_keys_to(self, base_url: str) -> bool:
        """Return whether the server at a base URL gets the keys."""
        return True

    def cuts_out(self, settings: S, http: Http | None) -> bool:
        """Return whether the add-on removes the background of the images it sends. Free."""
        return False

    def projects_image(self, settings: S) -> bool:
        """Return whether the image is projected onto a mesh that comes without colors."""
        return False

    def views_for(self, settings: S) -> tuple[str, ...]:
        """Return the views that can be used with these settings. The first one is required."""
        return self.views

    def upload(self, pictures: tuple[Picture, ...], http: Http | None) -> Uploaded:
        """Upload the images, and return a reference for each view. Free, and may be repeated.

        `pictures` are the images for which there is no reference younger than `token_life`.
        """
        return Uploaded()

    @abstractmethod
    def submit(self, request: Request[S], uploaded: Uploaded, http: Http | None) -> Ticket:
        """Order the mesh with `Http.submit`, the only call that costs money, and return its ticket.

        The runner calls this again for the same job only if the service has certainly not accepted
        the order. Raises Uncertain if the answer leaves that open; any other error means that the
        order was not accepted, and that nothing is charged. Where the answer cannot be the
        service's own, such as a gateway's, the runner raises Uncertain instead.
        """

    @abstractmethod
    def poll(self, ticket: Ticket, http: Http | None) -> Progress | Result:
        """Return the progress of a task, or its result. Free, and called every few seconds.

        Raises Failed, Rejected, Banned or Expired if the task ended without a mesh. These end the
        job: raise them only if the service says so about the task itself.
        """

    def cancel(self, ticket: Ticket, http: Http | None) -> CancelOutcome:
        """Cancel a task if the service supports that, and return whether it is charged for."""
        return CancelOutcome.UNKNOWN

    def models_for(self, settings: S) -> tuple[str, ...]:
        """Return the names among `models` without which these settings cannot be used."""
        return ()

    def max_concurrent(self, settings: S) -> int:
        """Return how many tasks with these settings an account may run at the same time."""
        return 10

    def license_note(self) -> str:
        """Return a sentence about the rights in generated meshes, without a period.

        It becomes the license in the asset's metadata.
        """
        about = f" ({self.docs_url})" if self.docs_url else ""
        return f"See the terms of {self.label}{about}, and the rights in the image"

    def find_order(
        self, request: Request[S], uploaded: Uploaded, since: datetime, http: Http | None
    ) -> tuple[Ticket, ...]:
        """Search the account's tasks for an order whose answer was lost. Free.

        `since` is the time of the order, by this computer's clock. Returns the tickets of all tasks
        that match the request, or an empty tuple if the service has no list of tasks.
        """
        return ()

    def attach(self, task: str, settings: S) -> Ticket:
        """Return the ticket of a task that the user has found at the service.

        `task` is the id that the user entered. Raises InvalidSettings if it is not valid, or if the
        service's tasks cannot be attached.
        """
        raise InvalidSettings(
            Message("{provider} tasks cannot be attached to a job.", provider=self.label),
            "Submit the job again, or discard it.",
        )

    def read_server_settings(self, request: Request[S], http: Http | None) -> Iterable[Setting]:
        """Return the settings that only the server knows, made with `server_setting`. Free.

        Called when the user asks for them. They may depend on the declared settings and on files.
        """
        return ()

    def server_settings_key(self, settings: S) -> str:
        """Return on what the server's settings depend, such as a model; changed, they are old."""
        return ""

    def check_server(self, settings: S, http: Http | None) -> str:
        """Return what is known of the server with these settings, for users; orders nothing. Free.

        Called when the user asks for it. Raises the error of what is wrong.
        """
        return ""

    def recognize(self, path: str, page: Mapping[str, Any]) -> Answering | None:
        """Return the server whose page at one of `public_pages` this is; None for another server.

        `page` is its JSON. It may come from any server, so any value may be missing or odd.
        """
        return None

    def quote(self, request: Request[S], http: Http | None) -> Cost | None:
        """Return the price of a request, or None if the service does not quote it for free."""
        return None

    def balance(self, http: Http | None) -> Balance | None:
        """Return the balance of the account, or None if unknown. Raises BadKey for a wrong key."""
        return None


def require_http(http: Http | None) -> Http:
    """Return `http`, which remote providers always get from the runner. Raises Failed for None."""
    if http is None:
        raise Failed("This provider requires an internet connection.", "Check the connection.")
    return http
