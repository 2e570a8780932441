# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI on the user's own graphics card, with a workflow that makes a mesh.

Workflows are data: those in `_comfyui/graphs/`, or a file of the user's. Sources: ComfyUI 0.3.64,
as seen in November 2026, and the code of newer versions.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from . import _comfyui as calls
from ._comfyui.shipped import find_workflow, shipped_workflows
from ._shared.bounds import Interval
from ._shared.images import PictureLimits
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    KeyField,
    Picture,
    Progress,
    Provider,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.reconcile import validate_task_id
from ._shared.settings import Choice, FileLimits, Option, Setting, Settings

if TYPE_CHECKING:
    from ._shared.http.client import Http
    from ._shared.servers.probe import Answering

FILE = "file"
"""The value of `workflow` for the user's own file."""

if TYPE_CHECKING:
    WorkflowId = str
else:  # the shipped workflows are data, which a type checker does not read
    WorkflowId = Literal[(*(item.id for item in shipped_workflows()), FILE)]


class ComfyuiSettings(Settings):
    """The choice of a workflow, and what is the same for all; the server knows the rest."""

    workflow: Annotated[
        WorkflowId,
        Option(
            "Workflow",
            "What ComfyUI does with the image; Get Settings shows its settings",
            (
                *(Choice(item.id, item.title, item.description) for item in shipped_workflows()),
                Choice(FILE, "Workflow File", "Your own workflow, exported with Export (API)"),
            ),
            basic=True,
        ),
    ] = shipped_workflows()[0].id
    workflow_file: Annotated[
        str,
        Option(
            "Workflow File",
            "File that ComfyUI saves with Workflow > Export (API)",
            basic=True,
            file=FileLimits((".json",)),
        ),
    ] = ""
    nodes: Annotated[
        str,
        Option(
            "Nodes",
            "Titles of the nodes whose settings are shown, separated by commas; empty shows those "
            "of all nodes",
        ),
    ] = ""
    project_image: Annotated[
        bool,
        Option(
            "Project Image",
            "Project the image onto a mesh that comes without colors, from the front",
            basic=True,
            group="surface",
        ),
    ] = True
    remove_background: Annotated[
        bool,
        Option("Remove Background", "Cut out the subject, and put it on white, before it is sent"),
    ] = True
    seed: Annotated[
        int | None,
        Interval(ge=0, le=2**31 - 1),
        Option("Seed", "Seed for the random numbers; off uses another one for each mesh"),
    ] = None
    free_memory: Annotated[
        bool,
        Option(
            "Free Memory",
            "Let ComfyUI unload its models after the last job, so that Blender can use the memory "
            "of the graphics card",
        ),
    ] = False

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) if the user's own workflow is chosen, but not its file."""
        if self.workflow == FILE and not self.workflow_file:
            yield "workflow_file", "Choose a workflow file."

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for the fields of the user's own workflow with a shipped one."""
        if self.workflow != FILE:
            yield "workflow_file", "Only used by Workflow File."
            yield "nodes", "Only used by Workflow File."


class Comfyui(Provider[ComfyuiSettings]):
    """The user's own ComfyUI."""

    id = "comfyui"
    label = "ComfyUI"
    description = "Meshes by a workflow in your own ComfyUI; free"
    docs_url = "https://docs.comfy.org"
    keys = (
        KeyField("comfyui_header", "COMFYUI_HEADER", "HTTP Header", optional=True, kind="header"),
    )
    address = Address("comfyui_base_url", "COMFYUI_BASE_URL", "http://127.0.0.1:8188")
    self_hosted = True
    public_pages = ("/system_stats",)
    notice = "Tencent's license for Hunyuan3D does not cover the EU, the UK, and South Korea"
    views = ("front", "left", "back", "right")
    formats = frozenset({"png", "jpeg"})
    limits = PictureLimits(max_side=2048, max_bytes=20_000_000)
    takes_alpha = False  # its node Load Image drops transparency
    writes_orders = True
    deadline = 3600.0
    late_hint = "Resume the job to wait longer, or look at the queue in ComfyUI."
    lookup_name = "Prompt ID"
    rank = 11
    settings = ComfyuiSettings

    def views_for(self, settings: ComfyuiSettings) -> tuple[str, ...]:
        """Return the views of a shipped workflow; all of them for a file, which decides later."""
        workflow = find_workflow(settings.workflow)
        return workflow.views if workflow is not None else self.views

    def cuts_out(self, settings: ComfyuiSettings, http: "Http | None") -> bool:
        """Return whether the user wants that; ComfyUI's own nodes cannot do it."""
        return settings.remove_background

    def projects_image(self, settings: ComfyuiSettings) -> bool:
        """Return whether the user wants that."""
        return settings.project_image

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Upload the images, and choose the id with which the order is sent."""
        return calls.upload(pictures, require_http(http))

    def submit(
        self, request: Request[ComfyuiSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Send the workflow, with the images and settings filled in."""
        return calls.order(request, uploaded, require_http(http))

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the order's place in the queue, or its mesh."""
        return calls.poll(ticket, require_http(http))

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Take the order out of the queue, or interrupt it."""
        return calls.cancel(ticket, require_http(http))

    def find_order(
        self,
        request: Request[ComfyuiSettings],
        uploaded: Uploaded,
        since: datetime,
        http: "Http | None",
    ) -> tuple[Ticket, ...]:
        """Return the order that was sent with this job's id, if the server has it."""
        return calls.find_order(request, uploaded, require_http(http))

    def attach(self, task: str, settings: ComfyuiSettings) -> Ticket:
        """Return the ticket of an order that the user has found in ComfyUI."""
        return calls.ticket_of(settings, "", validate_task_id(task, self.label))

    def read_server_settings(
        self, request: Request[ComfyuiSettings], http: "Http | None"
    ) -> Iterable[Setting]:
        """Return the settings of the workflow's nodes, with the model files that are installed."""
        calls.identify(require_http(http))
        return calls.read_rows(request, require_http(http))

    def server_settings_key(self, settings: ComfyuiSettings) -> str:
        """Return the workflow, and of a file the nodes that are shown."""
        if settings.workflow != FILE:
            return settings.workflow
        return f"{settings.workflow_file}: {settings.nodes}"

    def max_concurrent(self, settings: ComfyuiSettings) -> int:
        """Return 2, so that the server has the next order when one is done."""
        return 2

    def license_note(self) -> str:
        """Return a note on the licenses of the workflow's models."""
        return (
            "See the licenses of the workflow's models; Tencent's for Hunyuan3D does not cover the "
            "EU, the UK, and South Korea"
        )

    def balance(self, http: "Http | None") -> Balance | None:
        """Return None if ComfyUI answers. Raises Unreachable or BadKey otherwise."""
        calls.identify(require_http(http))
        return None

    def recognize(self, path: str, page: Mapping[str, Any]) -> "Answering | None":
        """Return ComfyUI by its version, as 0.3.64 states it."""
        from ._shared.servers.probe import Answering, text_in

        system = page.get("system")
        if not isinstance(system, dict) or "comfyui_version" not in system:
            return None
        return Answering(self.id, text_in(system, "comfyui_version"), "ComfyUI")
