# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of Hunyuan3D's API server, and of another server in its place.

The server answers every failure with status 404 and one sentence about high traffic; what has
happened is only in its own window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._shared.errors import (
    BadImage,
    BadKey,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    Uncertain,
    Unreachable,
)
from .._shared.messages import Message
from .._shared.servers import absent
from .._shared.servers.absent import PASSWORD
from .._shared.servers.probe import Answering

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

START = "Start api_server.py, or correct Hunyuan3D Address in the add-on preferences."
PORT = (
    "Hunyuan3D's API server usually listens on port 8081, and its Gradio app on 8080: start "
    "api_server.py, and enter its address in the add-on preferences."
)
NO_TEXTURES = (
    "Start the server with --enable_tex, or turn Texture off. The server's window says what "
    "happened."
)
WINDOW = (
    "The server's window says what happened. Less memory is used with a lower Octree Resolution."
)


def wrong_server(found: Answering, address: str) -> ImageToMeshError:
    """Return the error for another server than Hunyuan3D's at its address, or none."""
    return absent.wrong_server(found, address, "Hunyuan3D's API server", start=START, other=PORT)


def refusal(reply: Reply, *, texture: bool) -> ImageToMeshError:
    """Return the error for an order that the server did not carry out.

    `texture`: the order asked for one. Uncertain if the answer is not from the server itself.
    """
    body: Any = reply.json if isinstance(reply.json, dict) else {}
    if reply.status in (401, 403):
        return BadKey("The server requires a password.", PASSWORD)
    if reply.status == 404 and "error_code" in body:
        return _failure(str(body.get("text", "")), texture=texture)
    if reply.status in (404, 405):
        return Unreachable("Another server than Hunyuan3D's answered.", PORT)
    if reply.status == 422:
        message = Message("Hunyuan3D refused the request: {reason}.", reason=_first_detail(body))
        return InvalidSettings(message, "Change the settings, then generate again.")
    if reply.status == 413:
        return BadImage("The image is too large for the server.", "Use a smaller image.")
    if reply.status == 500 and "error" in body:
        return Failed("Hunyuan3D could not start the generation.", WINDOW)
    return Uncertain(
        Message("Hunyuan3D returned status {status}.", status=reply.status),
        "The server may still make the mesh. Submitting the job again costs nothing.",
    )


def _failure(text: str, *, texture: bool) -> ImageToMeshError:
    if "pipeline_tex" in text:
        return InvalidSettings("The server was started without textures.", NO_TEXTURES)
    # The usual sentence says nothing; anything else is worth showing.
    if text and "TRAFFIC" not in text:
        message = Message("Hunyuan3D could not make the mesh: {reason}.", reason=text.rstrip("."))
        return Failed(message, NO_TEXTURES if texture else WINDOW)
    return Failed("Hunyuan3D could not make the mesh.", NO_TEXTURES if texture else WINDOW)


def _first_detail(body: Any) -> str:
    """Return what FastAPI complains about: the field and the reason."""
    details = body.get("detail")
    first = details[0] if isinstance(details, list) and details else details
    if not isinstance(first, dict):
        return str(first or "422")
    where = first.get("loc")
    field = str(where[-1]) if isinstance(where, list) and where else "?"
    return f"{field}: {first.get('msg', '')}"
