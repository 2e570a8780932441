# SPDX-License-Identifier: GPL-3.0-or-later
"""Spaces that do not run: they sleep, are being built, or have been stopped.

A Space starts when it is called; until then, Hugging Face answers in its place, and says by its API
in which stage the Space is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.errors import ImageToMeshError, Unreachable
from .._shared.http.addresses import read_address
from .._shared.messages import Message
from . import space_names
from .errors import SPACES, not_an_app

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

HUB = "https://huggingface.co"
HUB_LIMIT = 10.0
"""Maximum seconds for the question in which stage a Space is."""
PAUSE = 5.0
"""Seconds between two questions to a Space that is starting."""
STARTING = frozenset({"RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING", "SLEEPING",
                      "BUILDING", "APP_STARTING"})  # fmt: skip
"""Stages of a Space that a call starts, or that will run by itself."""
STOPPED = "Choose another Space, duplicate this one, or run the app on your own computer."
LATER = "That takes some minutes. Try again then."


def wait_for_space(reply: Reply, http: Http, *, patient: bool) -> None:
    """Pause before a Space that is starting is asked again.

    `reply` is the answer in its place. Raises Unreachable if the Space will not start, if the
    caller is not `patient`, or if no Space is at this address.
    """
    if SPACES not in http.address:
        raise not_an_app(reply, http)
    stage = _stage(http)
    if stage and stage not in STARTING:
        raise Unreachable(Message("The Space does not run: {stage}.", stage=stage), STOPPED)
    if not stage and reply.status == 404:
        raise not_an_app(reply, http)
    if not patient:
        raise Unreachable("The Space is starting.", LATER)
    http.is_busy = True
    http.wait(PAUSE)


def _stage(http: Http) -> str:
    """Return the stage of a Space, such as “PAUSED”; empty if it is unknown. Sends no token."""
    from .._shared.http.client import Http

    name = space_names.get(read_address(http.address).host)
    if name is None:
        return ""
    hub = Http(HUB, {}, online=http.online)
    try:
        reply = hub.inspect(f"/api/spaces/{name}/runtime", HUB_LIMIT)
    except ImageToMeshError:
        return ""
    finally:
        hub.close()
    stage = reply.json.get("stage") if isinstance(reply.json, dict) else None
    return stage if isinstance(stage, str) else ""
