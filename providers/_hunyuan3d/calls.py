# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Hunyuan3D's API server, versions 2.0 and 2.1.

Sources: api_server.py of Tencent's repositories Hunyuan3D-2 and Hunyuan3D-2.1, as of 2026.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadReply, Failed, InvalidSettings, Sent, Unreachable
from .._shared.http.addresses import segment
from .._shared.http.reply import reply_of
from .._shared.messages import Message
from .._shared.provider import (
    Progress,
    RemoteFile,
    Request,
    Result,
    Ticket,
)
from .._shared.servers.long_strings import file_start
from .._shared.servers.probe import Kind, identify_server
from .._shared.settings import Settings, changed_values, settings_of
from .errors import WINDOW, refusal, wrong_server

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

OLD, NEW = "2.0", "2.1"
MESH = "mesh.glb"
ANSWER_LIMIT = 1800.0
"""Maximum seconds that an order is waited for: the server answers it with the finished mesh."""
BUSY_PAUSE = 3.0
"""Seconds between two questions to a server that does not answer."""
MAX_ANSWER = 256 * 1024 * 1024
"""Maximum bytes of a mesh in an answer."""
MAX_HEADER = 1024 * 1024
"""Maximum bytes of the JSON in a GLB file that is read here; the server's has some kilobytes."""
TEXTURED = "model_base64"
UNTEXTURED = ("initial_model_base64", "model_base64_initial")
"""Names of the mesh without its texture in copies of the 2.1 server."""
UNSURE = frozenset(
    {
        *("seed", "octree_resolution", "num_inference_steps", "guidance_scale"),
        *("num_chunks", "face_count"),
    }
)
"""Settings that several copies of the 2.1 server accept and then ignore."""
MOST_STEPS = 20
"""Maximum steps of the 2.1 server; the 2.0 server has no limit."""
FIELDS = {"front": "image", "left": "image_left", "back": "image_back", "right": "image_right"}
PHASES = {"texturing": "Generating textures"}
BARE = "The server returned the mesh without a texture."


def identify(http: Http, *, patient: bool = False) -> str:
    """Return the version of the API server, “2.0” or “2.1”.

    `patient`: wait for a server that does not answer, because it is making another mesh. Raises
    Unreachable or BadKey, with a message that names what answers instead.
    """
    found = identify_server(http)
    while patient and found.kind == Kind.SILENT:
        http.wait(BUSY_PAUSE)  # until the job's deadline
        found = identify_server(http)
    if found.kind != "hunyuan3d":
        raise wrong_server(found, http.address)
    return found.version


def order(request: Request[Any], server: str, http: Http) -> Ticket:
    """Order a mesh from a server of the given version, and return its ticket.

    Raises InvalidSettings for an order that this version cannot carry out.
    """
    _check(request, server)
    texture = bool(request.settings.texture)
    # Only 2.1 tells by /status when a texture is finished. With anything else, a failure shows as
    # an endless “processing” there, while /generate reports it at once.
    later = server == NEW and texture
    reply = http.submit(
        "/send" if later else "/generate",
        json=_body(request, server),
        timeout=ANSWER_LIMIT,
        limit=MAX_ANSWER,
    )
    if not reply.ok:
        raise refusal(reply, texture=texture)
    kept: dict[str, Any] = {"server": server, "unsure": _unsure(request.settings, server)}
    kept["views"] = len(request.pictures)
    if later:
        return Ticket({"uid": _uid_of(reply), **kept})
    if reply.file is None or reply.format != "glb":
        raise BadReply("Hunyuan3D returned no GLB file.", WINDOW)
    return Ticket({**kept, "bare": texture and _is_bare(reply.file)}, {MESH: reply.file})


def result_of(ticket: Ticket) -> Result:
    """Return the result of an order that was answered with the mesh."""
    notes = [*_notes(ticket), *([BARE] if ticket.data["bare"] else [])]
    return _result(RemoteFile("", format="glb", file=MESH), notes)


def task_state(ticket: Ticket, http: Http) -> Progress | Result:
    """Return how far a textured mesh is, or where to download it.

    Raises Failed if the server reports an error.
    """
    path = f"/status/{segment(ticket.data['uid'])}"
    try:
        reply = http.get(path, shorten=True)
    except Unreachable as error:
        # The server does not answer while it makes a mesh for somebody else by /generate.
        if error.sent is Sent.NO:
            raise
        return Progress("Waiting for the server")
    body = reply.json if isinstance(reply.json, dict) else {}
    if body.get("status") == "error":
        raise Failed(
            Message("Hunyuan3D reported an error: {reason}.", reason=str(body.get("message", ""))),
            WINDOW,
        )
    if not reply.ok:
        raise wrong_server(identify_server(http), http.address)
    if body.get("status") != "completed":
        return Progress(PHASES.get(str(body.get("status")), "Generating"))
    return _completed_task(ticket, body, path)


def _completed_task(ticket: Ticket, body: Mapping[str, Any], path: str) -> Progress | Result:
    field = next((name for name in (TEXTURED, *UNTEXTURED) if body.get(name)), None)
    if field is None:
        raise BadReply("Hunyuan3D finished the task without a mesh.", WINDOW)
    if not _is_whole(str(body[field])):  # guard: half-written-meshes-wait
        return Progress("Generating textures")
    notes = [*_notes(ticket), *([] if field == TEXTURED else [BARE])]
    return _result(RemoteFile(path, format="glb", field=field), notes)


def _result(file: RemoteFile, notes: list[str]) -> Result:
    return Result((file,), credits=0.0, notes=tuple(notes))


def _notes(ticket: Ticket) -> list[str]:
    notes: list[str] = []
    if unsure := ticket.data.get("unsure"):
        notes.append(
            Message(
                "Some copies of Hunyuan3D's 2.1 server ignore these settings: {settings}.",
                settings=", ".join(unsure),
            )
        )
    if ticket.data.get("views", 1) > 1:
        notes.append("Only a Hunyuan3D server for several views (--mv) uses the side views.")
    return notes


def _check(request: Request[Any], server: str) -> None:
    """Raise InvalidSettings for what this version of the server does not take."""
    if server != NEW:
        return
    if len(request.pictures) > 1:
        raise InvalidSettings(
            "Hunyuan3D's 2.1 server takes a single image.", "Clear the side views."
        )
    if request.settings.num_inference_steps > MOST_STEPS:
        raise InvalidSettings(
            Message("Hunyuan3D's 2.1 server takes at most {most} steps.", most=MOST_STEPS),
            Message("Change “{name}”.", name="num_inference_steps"),
        )


def _body(request: Request[Any], server: str) -> dict[str, Any]:
    # Without “data:…”, which the server would decode as a part of the image.
    images = {
        FIELDS[picture.view]: base64.b64encode(picture.data()).decode("ascii")
        for picture in request.pictures
    }
    options = changed_values(request.settings)
    if server != NEW:
        options.pop("remove_background", None)  # the 2.0 server always removes it
    return {**images, **options}


def _unsure(settings: Settings, server: str) -> list[str]:
    """Return the labels of the changed settings that this server may ignore."""
    changed = set(changed_values(settings)) & UNSURE if server == NEW else set()
    return [setting.title for setting in settings_of(type(settings)) if setting.name in changed]


def _uid_of(reply: Reply) -> str:
    uid = reply.json.get("uid") if isinstance(reply.json, dict) else None
    if not isinstance(uid, str) or not uid:
        raise BadReply("Hunyuan3D returned no task ID.", WINDOW)
    return uid


def _is_whole(text: str) -> bool:
    """Return whether a GLB file in base64, possibly shortened, is as long as its header says.

    The server also sends files that it is still writing.
    """
    try:
        start, size = file_start(text)
        magic, _, length = struct.unpack_from("<4sII", start)
    except (ValueError, struct.error):
        return False
    return bool(magic == b"glTF" and size >= length)


def _is_bare(file: bytearray) -> bool:
    """Return whether a GLB file has no image; False for a file that cannot be read."""
    try:
        (length,) = struct.unpack_from("<I", file, 12)
    except struct.error:
        return False
    # With the limits of an answer: this is Blender's own process, and the file has no checks yet.
    content = reply_of(200, {}, file[20 : 20 + min(length, MAX_HEADER)]).json
    return isinstance(content, dict) and not content.get("images")
