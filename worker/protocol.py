# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol with the add-on: one JSON object per line, requests in, progress and results out."""

from __future__ import annotations

import json
import os
import queue
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import bpy

from .edits.run_edit import run_edit
from .images.blank import check_blank
from .images.fit import convert_image
from .images.inspect_and_edit import edit_image, inspect_image
from .images.subject_preview import draw_preview
from .live_preview import preview_mesh
from .make import make_mesh
from .malloc import retain_freed_memory
from .prepare.build_model import prepare_model
from .process_limits import limit_resources, time_limit
from .progress import Report
from .refusal import Message, Refusal, encode

PREFIX = "@image_to_mesh"
"""Start of every answer. Twin of `jobs/process/channel.py`: two processes share no modules."""
Handler = Callable[[dict[str, Any], Report], dict[str, Any]]


def describe_process(_request: dict[str, Any], _report: Report) -> dict[str, Any]:
    """Return settings, names of environment variables, and paths of this process.

    They show what a downloaded file could use here.
    """
    preferences = bpy.context.preferences
    return {
        "scripts": bool(preferences.filepaths.use_scripts_auto_execute),
        "online": bool(bpy.app.online_access),
        "addons": sorted(preferences.addons.keys()),
        "user": bpy.utils.resource_path("USER"),
        "environment": sorted(os.environ),
        "path": list(sys.path),
    }


HANDLERS: dict[str, Handler] = {
    "care": run_edit,
    "check": check_blank,
    "describe": describe_process,
    "develop": edit_image,
    "fit": convert_image,
    "look": inspect_image,
    "make": make_mesh,
    "outline": draw_preview,
    "prepare": prepare_model,
    "preview": preview_mesh,
}
"""Handlers by the request's `do`. A handler returns a JSON object or raises Refusal."""
HEARTBEAT_SECONDS = 1.0
"""Seconds between two heartbeats; the parent stops a worker that is silent for too long."""

# Set while a request is in progress; the heartbeat thread waits for it without polling.
_at_work = threading.Event()
_sending = threading.Lock()
"""Two threads send: a lock keeps their lines apart."""


class _Connection:
    """The answer channel: descriptor, line prefix, and the temporary folder to remove on exit."""

    output = 1
    begin = b""
    folder = ""


def serve(output: int, token: str, folder: str) -> None:
    """Answer requests until standard input ends, then exit with code 0 even if work is in progress.

    Answers are written to the descriptor `output` and start with `token`. `folder` holds this
    process's temporary files; it is removed on exit, in case the parent is gone by then.
    """
    _Connection.output, _Connection.folder = output, folder
    _Connection.begin = f"\n{PREFIX} {token} ".encode("ascii")
    limit_resources()
    retain_freed_memory()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # A thread of its own reads standard input: if the parent is killed while a mesh is being made,
    # no other thread could stop the work.
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    # Tells the parent that a long import is running rather than hanging.
    threading.Thread(target=_send_heartbeats, daemon=True).start()
    send({"ready": {"blender": list(bpy.app.version), "pid": os.getpid()}})
    while True:
        request = json.loads(requests.get())
        if request.get("do") == "quit":
            exit_process()
        _at_work.set()
        with time_limit(request.get("seconds")):
            answered = handle_request(request)
        _at_work.clear()
        send({"id": request.get("id"), **answered})


def _send_heartbeats() -> None:
    """Send a heartbeat every HEARTBEAT_SECONDS while a request is in progress."""
    while _at_work.wait():
        send({"beat": round(time.monotonic(), 1)})
        time.sleep(HEARTBEAT_SECONDS)


def _read_requests(requests: queue.SimpleQueue[bytes]) -> None:
    """Queue incoming requests, without touching bpy; exit the process when standard input ends."""
    for line in sys.stdin.buffer:
        requests.put(line)
    exit_process()


def handle_request(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request: an object with the key `done`, `refused`, or `crashed`.

    Errors become part of the answer instead of being raised.
    """
    try:
        work = HANDLERS.get(request.get("do", ""))
        if work is None:
            sentence = Message(
                "The background Blender does not support the task “{task}”.",
                task=request.get("do"),
            )
            raise Refusal("failed", sentence, "Restart Blender.")
        return {"done": work(request, progress_sender(request.get("id")))}
    except Refusal as refusal:
        return {"refused": refusal_as_json(refusal)}
    except Exception as error:  # noqa: BLE001 - no file may end the worker
        message = traceback.format_exception_only(error)[-1].strip()
        return {"crashed": {"message": message, "log": traceback.format_exc()}}


def refusal_as_json(refusal: Refusal) -> dict[str, str]:
    """Return the refusal's kind, message, and hint as a dict."""
    return {"kind": refusal.kind, "message": refusal.message, "hint": refusal.hint}


def progress_sender(ident: object) -> Report:
    """Return a callback that sends the request's progress: a fraction from 0 to 1 and a phase."""

    def report(fraction: float, phase: str) -> None:
        send({"id": ident, "progress": round(float(fraction), 4), "phase": phase})

    return report


def send(message: dict[str, Any]) -> None:
    """Send one message as a line of JSON; exit the process if the pipe is closed.

    The message starts with a line feed, since Blender's own output may have left an unfinished
    line.
    """
    # Python's own buffer would otherwise be written into the middle of a line.
    sys.stdout.flush()
    line = _Connection.begin + json.dumps(encode(message)).encode("ascii") + b"\n"
    try:
        with _sending:
            # os.write may write only part of the line.
            while line:
                line = line[os.write(_Connection.output, line) :]
    except OSError:
        exit_process()


def exit_process() -> None:
    """Remove the temporary folder and exit at once: letting Blender free its data has no benefit.

    Temporary files that are being written at this moment stay; the parent removes those.
    """
    if _Connection.folder:
        shutil.rmtree(_Connection.folder, ignore_errors=True)
    # Not sys.exit, which would end only the calling thread.
    os._exit(0)
