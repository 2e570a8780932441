# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out which server answers at an address, by its public pages. No key is sent.

Sources: the code of the servers; Gradio 4.44 to 6.31 and ComfyUI 0.3.64 as seen in November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BadReply, Sent, Unreachable
from ..messages import Message
from ..untrusted_text import clean

if TYPE_CHECKING:
    from ..http.client import Http
    from ..http.reply import Reply

PAGE_LIMIT = 5.0
"""Maximum seconds for each of the few requests of a probe."""
USUAL_PORTS = (7860, 8080, 8081, 8188)
"""Ports on which these servers listen unless told otherwise: Gradio, Gradio, Hunyuan3D, ComfyUI."""


class Kind(StrEnum):
    """The kind of server at an address. The values of servers are the ids of their providers.

    LOCKED: a password is required. SILENT: connections are accepted, but nothing is answered.
    """

    COMFYUI = "comfyui"
    GRADIO = "gradio"
    HUNYUAN3D = "hunyuan3d"
    LOCKED = "locked"
    SILENT = "silent"
    OTHER = "other"
    NOTHING = "nothing"


class Answering(NamedTuple):
    """The server at an address. `version` and `title` are empty if the server states none."""

    kind: Kind
    version: str = ""
    title: str = ""

    @property
    def shown(self) -> Message:
        """The server as the subject of a sentence, such as “A Gradio app”."""
        if self.kind is Kind.HUNYUAN3D:
            return Message("Hunyuan3D {version}", version=self.version)
        if self.kind is Kind.GRADIO and self.title:
            return Message("The Gradio app “{title}”", title=self.title)
        return Message.of(_NAMES[self.kind])


_NAMES: Mapping[Kind, str] = {
    Kind.COMFYUI: "ComfyUI",
    Kind.GRADIO: "A Gradio app",
    Kind.LOCKED: "A server that requires a password",
    Kind.SILENT: "A server that does not respond",
    Kind.OTHER: "An unknown server",
    Kind.NOTHING: "No server",
}


def what_answers(http: Http, *, with_key: bool = False) -> Answering:
    """Return which server answers at the address of `http`, after at most four requests.

    `with_key` sends the key as well, for a server that requires it. Raises InvalidSettings for an
    address that must not be called, and Unreachable if Blender is offline.
    """
    http.check_address()
    seen = Answering(Kind.OTHER)
    for path, judge in _PAGES:
        try:
            reply = http.inspect(path, PAGE_LIMIT, with_key=with_key)
        except Unreachable as error:
            return Answering(Kind.NOTHING if error.sent is Sent.NO else Kind.SILENT)
        except BadReply:  # a redirect, or a page that is too long
            continue
        if reply.status in (401, 403):
            seen = Answering(Kind.LOCKED)
        elif reply.status == 200 and isinstance(reply.json, dict):
            for found in judge(reply):
                return found
    return seen


def answering_on(port: int) -> tuple[str, Answering]:
    """Return the address of a port of this computer, and what answers there."""
    from ..http.client import Http

    address = f"http://127.0.0.1:{port}"
    http = Http(address, {}, online=False, self_hosted=True)
    try:
        return address, what_answers(http)
    finally:
        http.close()


def _judge_comfyui(reply: Reply) -> Iterator[Answering]:
    system = reply.json.get("system")
    if isinstance(system, dict) and "comfyui_version" in system:
        yield Answering(Kind.COMFYUI, _text(system, "comfyui_version"))


def _judge_gradio(reply: Reply) -> Iterator[Answering]:
    if "version" in reply.json and "dependencies" in reply.json:
        title = _text(reply.json, "title")
        # The title of an app that its author has not named.
        own = "" if title == "Gradio" else title
        yield Answering(Kind.GRADIO, _text(reply.json, "version"), own)


def _judge_health(reply: Reply) -> Iterator[Answering]:
    if reply.json.get("status") == "healthy" and "worker_id" in reply.json:
        yield Answering(Kind.HUNYUAN3D, "2.1")


def _judge_routes(reply: Reply) -> Iterator[Answering]:
    routes = reply.json.get("paths")
    if isinstance(routes, dict) and {"/generate", "/send", "/status/{uid}"} <= set(routes):
        yield Answering(Kind.HUNYUAN3D, "2.1" if "/health" in routes else "2.0")


# In this order: Gradio answers every path of the others with 404, ComfyUI too.
_PAGES: tuple[tuple[str, Callable[[Reply], Iterator[Answering]]], ...] = (
    ("/system_stats", _judge_comfyui),
    ("/config", _judge_gradio),
    ("/health", _judge_health),
    ("/openapi.json", _judge_routes),
)


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return clean(value, 60) if isinstance(value, str) else ""
