# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider whose server has settings of its own, and which takes a file of the user's.

Dropped beside the real providers, it is found like any of them. `fakes/workshop.py` is its server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ._shared.errors import BadReply, Failed
from ._shared.provider import (
    Address,
    Price,
    Progress,
    Provider,
    RemoteFile,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.results.find_mesh import find_meshes
from ._shared.settings import Choice, FileLimits, Option, Setting, Settings, values_of

if TYPE_CHECKING:
    from ._shared.http.client import Http

PAGE = "https://example.com/prices"


class WorkshopSettings(Settings):
    """The declared settings: the model on which those of the server depend, and a file."""

    model: Annotated[
        Literal["fast", "fine"],
        Option(
            "Model", "Model of the server", (Choice("fast", "Fast"), Choice("fine", "Fine")),
            basic=True,
        ),
    ] = "fast"  # fmt: skip
    graph: Annotated[
        str,
        Option("Workflow", "File that says what the server does", file=FileLimits((".json",), 500)),
    ] = ""


class Workshop(Provider[WorkshopSettings]):
    """Orders from the fake server."""

    id = "workshop"
    label = "Workshop"
    description = "A server with settings of its own"
    address = Address("workshop_base_url", "WORKSHOP_BASE_URL", "http://127.0.0.1:9")
    self_hosted = True
    settings = WorkshopSettings
    prices = (
        Price(2, PAGE, "2026-11-01", {"model": "fast"}, unit="Coins"),
        Price(5, PAGE, "2026-11-02", {"model": "fine"}, unit="Coins"),
        Price(1, PAGE, "2026-11-03", {"finish": "gloss"}, adds=True, unit="Coins"),
    )

    def read_server_settings(
        self, request: Request[WorkshopSettings], http: Http | None
    ) -> Iterator[Setting]:
        """Ask the server for the settings of a model."""
        from ._shared.server_settings import server_setting

        reply = require_http(http).get(f"/settings/{request.settings.model}")
        if not reply.ok or not isinstance(reply.json, list):
            raise BadReply("The server did not say its settings.", "Try again later.")
        for row in reply.json:
            yield server_setting(
                row["name"],
                row["type"],
                Option(
                    row.get("title", row["name"]),
                    row.get("description", ""),
                    tuple(Choice(value, str(value).title()) for value in row.get("choices", ())),
                    basic=row.get("basic", False),
                    group="mesh",
                ),
                **{name: row[name] for name in NUMBERS if name in row},
            )

    def server_settings_key(self, settings: WorkshopSettings) -> str:
        """The server has other settings for each model."""
        return settings.model

    def submit(
        self, request: Request[WorkshopSettings], uploaded: Uploaded, http: Http | None
    ) -> Ticket:
        """Submit an order with all values and the content of the file."""
        values: dict[str, Any] = dict(values_of(request.settings))
        values.pop("graph")
        graph = request.files.get("graph", b"").decode()
        body = {"values": values, "graph": graph}
        reply = require_http(http).submit("/orders", json=body, timeout=5.0)
        if not reply.ok:
            raise Failed(f"The server answered {reply.status}.")
        return Ticket({"task": reply.json["task"]})

    def poll(self, ticket: Ticket, http: Http | None) -> Progress | Result:
        """Look for the mesh in the answer, which is nested as Gradio's."""
        reply = require_http(http).get(f"/orders/{ticket.data['task']}")
        found = find_meshes(reply.json)
        return Result((RemoteFile(found[0].url, format=found[0].format),))


NUMBERS = ("default", "minimum", "maximum", "step", "optional")
