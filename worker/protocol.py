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

from .edits.run_edit import care
from .images.blank import check
from .images.fit import fit
from .images.inspect_and_edit import develop, look
from .make import make
from .malloc import keep_memory
from .prepare.build_model import prepare
from .process_limits import at_most, be_modest
from .refusal import Message, Refusal, encode

PREFIX = "@image_to_mesh"
"""Start of every answer. Twin of `jobs/process/channel.py`: two processes share no modules."""
Report = Callable[[float, str], None]
Work = Callable[[dict[str, Any], Report], dict[str, Any]]


def describe(_request: dict[str, Any], _report: Report) -> dict[str, Any]:
    """Return the Blender settings that decide what a downloaded file could do in this process."""
    preferences = bpy.context.preferences
    return {
        "scripts": bool(preferences.filepaths.use_scripts_auto_execute),
        "online": bool(bpy.app.online_access),
        "addons": sorted(preferences.addons.keys()),
        "user": bpy.utils.resource_path("USER"),
        "environment": sorted(os.environ),
        "path": list(sys.path),
    }


WORK: dict[str, Work] = {
    "care": care,
    "check": check,
    "describe": describe,
    "develop": develop,
    "fit": fit,
    "look": look,
    "make": make,
    "prepare": prepare,
}
"""Handlers by the request's `do`. A handler returns a JSON object or raises Refusal."""
BEAT = 1.0
"""Seconds between two heartbeats; the parent stops a worker that is silent for too long."""

_at_work = threading.Event()
_sending = threading.Lock()
"""Two threads send: a lock keeps their lines apart."""


class _Near:
    """The answer channel: descriptor, line prefix, and the temporary folder to remove on exit."""

    output = 1
    begin = b""
    folder = ""


def serve(output: int, token: str, folder: str) -> None:
    """Answer requests until standard input ends, then exit with code 0 even if work is in progress.

    Answers are written to the descriptor `output` and start with `token`. `folder` holds this
    process's temporary files; it is removed on exit, in case the parent is gone by then.
    """
    _Near.output, _Near.folder = output, folder
    _Near.begin = f"\n{PREFIX} {token} ".encode("ascii")
    be_modest()
    keep_memory()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # A thread of its own reads standard input: if the parent is killed while a mesh is being made,
    # nobody else is left to stop the work.
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    # Tells the parent that a long import is running rather than hanging.
    threading.Thread(target=_beat, daemon=True).start()
    send({"ready": {"blender": list(bpy.app.version), "pid": os.getpid()}})
    while True:
        request = json.loads(requests.get())
        if request.get("do") == "quit":
            leave()
        _at_work.set()
        with at_most(request.get("seconds")):
            answered = answer(request)
        _at_work.clear()
        send({"id": request.get("id"), **answered})


def _beat() -> None:
    """Send a heartbeat every BEAT seconds while a request is in progress."""
    while _at_work.wait():
        send({"beat": round(time.monotonic(), 1)})
        time.sleep(BEAT)


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    """Queue incoming requests; exit the process when standard input ends. Never touches bpy."""
    for line in sys.stdin.buffer:
        requests.put(line)
    leave()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request: `done`, `refused`, or `crashed`. Never raises."""
    try:
        work = WORK.get(request.get("do", ""))
        if work is None:
            what = Message(
                "The background Blender cannot do {task}.", task=f"{request.get('do')!r}"
            )
            raise Refusal("failed", what, "Restart Blender.")
        return {"done": work(request, reporter(request.get("id")))}
    except Refusal as refusal:
        return {"refused": refused(refusal)}
    except Exception as error:  # noqa: BLE001 - no file may end the worker
        message = traceback.format_exception_only(error)[-1].strip()
        return {"crashed": {"message": message, "log": traceback.format_exc()}}


def refused(refusal: Refusal) -> dict[str, str]:
    """Return the refusal's fields, the kind in snake case (`BadImage` reads `bad_image`)."""
    kind = "".join(f"_{c.lower()}" if c.isupper() else c for c in refusal.kind).lstrip("_")
    return {"kind": kind, "message": refusal.message, "hint": refusal.hint}


def reporter(ident: object) -> Report:
    """Return a callback that sends the request's progress: a fraction from 0 to 1 and a phase."""

    def report(fraction: float, phase: str) -> None:
        send({"id": ident, "progress": round(float(fraction), 4), "phase": phase})

    return report


def send(message: dict[str, Any]) -> None:
    """Send one message as a line of JSON; exit the process if the pipe is closed.

    The message starts with a line feed, since Blender's own output may have left an unfinished
    line.
    """
    sys.stdout.flush()
    line = _Near.begin + json.dumps(encode(message)).encode("ascii") + b"\n"
    try:
        with _sending:
            # os.write may write less than it was given: pipes hold 64 kB.
            while line:
                line = line[os.write(_Near.output, line) :]
    except OSError:
        leave()


def leave() -> None:
    """Exit at once: letting Blender free its data takes longer and has no benefit.

    Temporary files that are being written at this moment stay; the parent removes those.
    """
    if _Near.folder:
        shutil.rmtree(_Near.folder, ignore_errors=True)
    os._exit(0)
