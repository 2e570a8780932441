# SPDX-License-Identifier: GPL-3.0-or-later
"""Any server of the user's own that answers an image with a mesh, as its settings describe it.

How such a server is called is entered by the user; see docs/service-custom.md.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from . import _custom as calls
from ._shared.images import PictureLimits
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    KeyField,
    Progress,
    Provider,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.settings import Choice, Option, Settings

if TYPE_CHECKING:
    from ._shared.http.client import Http


class CustomSettings(Settings):
    """How the server takes an image, and where its answer has the mesh. None of it is a secret."""

    path: Annotated[
        str,
        Option("Path", "Path of the server that takes the image, as a POST request", basic=True),
    ] = "/generate"
    send_as: Annotated[
        Literal["form", "json", "body"],
        Option(
            "Send Image As",
            "How the image is sent",
            (
                Choice("form", "Form", "A multipart form with the image as a file"),
                Choice("json", "JSON", "A JSON object with the image in Base64"),
                Choice("body", "Image Only", "The image itself, and nothing else"),
            ),
            basic=True,
        ),
    ] = "form"
    image_field: Annotated[
        str,
        Option("Image Field", "Name of the field that contains the image", basic=True),
    ] = "image"
    extra_fields: Annotated[
        str,
        Option(
            "Extra Fields",
            "More fields to send, as a JSON object; with Image Only, they are added to the URL",
            basic=True,
        ),
    ] = ""
    status_path: Annotated[
        str,
        Option(
            "Status Path",
            "Path that says whether the mesh is finished, such as /jobs/{id}; if empty, the server "
            "answers with the mesh at once",
            basic=True,
        ),
    ] = ""
    remove_background: Annotated[
        bool,
        Option(
            "Remove Background",
            "Cut out the subject before the image is sent, for servers that do not do it",
            basic=True,
        ),
    ] = False
    data_url: Annotated[
        bool,
        Option(
            "Data URL",
            "Put “data:image/png;base64,” before the image in JSON",
            group="server",
        ),
    ] = False
    extra_headers: Annotated[
        str,
        Option(
            "Extra Headers",
            "More headers to send, as a JSON object; secrets belong in the add-on preferences",
            group="server",
        ),
    ] = ""
    id_field: Annotated[
        str,
        Option(
            "ID Field",
            "Field of the answer that contains the ID of the task, such as data.task_id; if empty, "
            "it is searched for",
            group="server",
        ),
    ] = ""
    mesh_field: Annotated[
        str,
        Option(
            "Mesh Field",
            "Field of the answer that contains the mesh or its URL, such as result.glb; if empty, "
            "it is searched for",
            group="server",
        ),
    ] = ""
    mesh_path: Annotated[
        str,
        Option(
            "Mesh Path",
            "Path of the finished mesh, such as /jobs/{id}/mesh.glb; if empty, the answer names it",
            group="server",
        ),
    ] = ""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) for each entry that cannot be sent, or not to this server."""
        yield from calls.problems_of(self)

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for fields that the chosen way of sending does not have."""
        if self.send_as == "body":
            yield "image_field", "Not used with Image Only."
        if self.send_as != "json":
            yield "data_url", "Requires JSON."
        if not self.status_path:
            yield "id_field", "Requires Status Path."
            yield "mesh_path", "Requires Status Path."


class Custom(Provider[CustomSettings]):
    """The user's own server, described by its settings."""

    id = "custom"
    label = "Custom Server"
    description = "Meshes from any server of yours that answers an image with a mesh"
    keys = (
        KeyField("custom_header", "CUSTOM_HEADER", "HTTP Header", optional=True, kind="header"),
    )
    address = Address("custom_base_url", "CUSTOM_BASE_URL", "http://127.0.0.1:8000")
    self_hosted = True
    may_be_public = True
    formats = frozenset({"png", "jpeg"})
    limits = PictureLimits(max_side=2048, max_bytes=20_000_000)
    # The recorded answer, and the mesh file that is taken out of it.
    max_answer_bytes = 2 * 256 * 1024 * 1024
    lookup_name = "Task ID"
    late_hint = (
        "Resume the job to wait longer. If it never ends, check Status Path and Mesh Field in the "
        "settings."
    )
    rank = 13
    settings = CustomSettings

    def cuts_out(self, settings: CustomSettings, http: "Http | None") -> bool:
        """Return whether the user wants the background removed."""
        return settings.remove_background

    def submit(
        self, request: Request[CustomSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Send the image, and wait for the mesh or for the ID of the task."""
        return calls.order(request, require_http(http))

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the mesh that came with the answer, or how far the server is."""
        return calls.state_of(ticket, http)

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Return UNKNOWN: there is no common way to stop a server, and some may charge."""
        return CancelOutcome.UNKNOWN

    def max_concurrent(self, settings: CustomSettings) -> int:
        """Return 1, since most such servers make one mesh at a time."""
        return 1

    def license_note(self) -> str:
        """Return a note that the model on the server decides."""
        return "See the license of the model on your server, and the rights in the image"

    def attach(self, task: str, settings: CustomSettings) -> Ticket:
        """Return the ticket of a task by its ID. Raises InvalidSettings without Status Path."""
        return (
            calls.attach(task, settings) if settings.status_path else super().attach(task, settings)
        )

    def check_server(self, settings: CustomSettings, http: "Http | None") -> str:
        """Return what the server's description says of the settings; nothing is ordered."""
        return calls.check(settings, require_http(http))

    def balance(self, http: "Http | None") -> Balance | None:
        """Return None if a server answers. Raises Unreachable or BadKey otherwise."""
        calls.find_server(require_http(http))
        return None
