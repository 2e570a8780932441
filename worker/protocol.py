# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak with the add-on: one JSON object a line, requests in, progress and results out."""

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
from .refusal import Refusal

PREFIX = "@image_to_mesh"
Report = Callable[[float, str], None]
Work = Callable[[dict[str, Any], Report], dict[str, Any]]


def describe(_request: dict[str, Any], _report: Report) -> dict[str, Any]:
    """Say what this process is and what it would do with a stranger's file, as Blender says it."""
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
BEAT = 1.0

_at_work = threading.Event()
_sending = threading.Lock()


class _Near:
    """Where answers go, what each begins with, and the folder that is removed at the end."""

    output = 1
    begin = b""
    folder = ""


def serve(output: int, token: str, folder: str) -> None:
    """Answer requests until standard input ends, then leave with exit code 0, work or no work.

    Answers go to the descriptor `output`, each with `token` in front of it. `folder` is where this
    process keeps temporary files, should whoever started it be gone by its end.
    """
    _Near.output, _Near.folder = output, folder
    _Near.begin = f"\n{PREFIX} {token} ".encode("ascii")
    be_modest()
    keep_memory()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # Whoever asked may be killed while a mesh is made: nobody is left to stop the work then.
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
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
    """Give a sign of life while there is work; an idle process stays quiet."""
    while _at_work.wait():
        send({"beat": round(time.monotonic(), 1)})
        time.sleep(BEAT)


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    """Queue the requests; end the process when standard input does. Touches nothing of Blender."""
    for line in sys.stdin.buffer:
        requests.put(line)
    leave()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked; every outcome is a value, so that the process stays usable."""
    try:
        work = WORK.get(request.get("do", ""))
        if work is None:
            what = f"The background Blender cannot do {request.get('do')!r}."
            raise Refusal("failed", what, "Restart Blender.")
        return {"done": work(request, reporter(request.get("id")))}
    except Refusal as refusal:
        return {"refused": refused(refusal)}
    except Exception as error:  # noqa: BLE001 - the process outlives whatever a file brings
        message = traceback.format_exception_only(error)[-1].strip()
        return {"crashed": {"message": message, "log": traceback.format_exc()}}


def refused(refusal: Refusal) -> dict[str, str]:
    """Return the refusal's fields, the kind in snake case (`BadImage` reads `bad_image`)."""
    kind = "".join(f"_{c.lower()}" if c.isupper() else c for c in refusal.kind).lstrip("_")
    return {"kind": kind, "message": refusal.message, "hint": refusal.hint}


def reporter(ident: object) -> Report:
    """Return the function that sends a request's progress (fraction 0 to 1, phase)."""

    def report(fraction: float, phase: str) -> None:
        send({"id": ident, "progress": round(float(fraction), 4), "phase": phase})

    return report


def send(message: dict[str, Any]) -> None:
    """Write one line; end the process if nobody listens any more.

    Blender's own output may have left an unfinished line behind, hence the leading line end.
    """
    sys.stdout.flush()
    line = _Near.begin + json.dumps(message).encode("ascii") + b"\n"
    try:
        with _sending:
            while line:
                line = line[os.write(_Near.output, line) :]
    except OSError:
        leave()


def leave() -> None:
    """End at once: freeing Blender's data properly takes longer and serves nobody.

    Temporary files go as well, as far as nobody writes any just now; the near end takes the rest.
    """
    if _Near.folder:
        shutil.rmtree(_Near.folder, ignore_errors=True)
    os._exit(0)
