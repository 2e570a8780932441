# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the background Blender in tests without bpy: the same protocol, small files.

`FAKE_WORKER` in the environment chooses a fault: crash, die, hang, refuse, noise; unready exits
before it is ready, silent never reports that it is, slow reports it after a second; old reports an
old version of Blender, hungry allocates memory, beats keeps working and sends heartbeats, segfault
ends by a signal after an importer's last output; blank finds nothing in a picture.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from array import array
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from fakes.glb import triangle_glb
from fakes.png import png_of

FAULT = os.environ.get("FAKE_WORKER", "")


TOKEN = json.loads(sys.stdin.readline())["token"]


def say(**message: Any) -> None:
    """Answer with one line of the protocol."""
    print(f"@image_to_mesh {TOKEN} {json.dumps(message)}", flush=True)


def answer(request: dict[str, Any]) -> None:
    """Do what a request asks, or the chosen fault."""
    identity = request["id"]
    if FAULT in ("die", "segfault"):
        die()
    if FAULT == "crash":
        say(id=identity, crashed={"message": "ValueError: no luck", "log": "…"})
        return
    if FAULT == "refuse":
        say(id=identity, refused={"kind": "bad_image", "message": "Nothing.", "hint": "Look."})
        return
    say(id=identity, progress=0.5, phase="Working")
    dally()
    if request["do"] == "fit":
        Path(request["output"]).write_bytes(png_of(40, 60))
        say(id=identity, done={"file": Path(request["output"]).name})
    elif request["do"] == "develop":
        Path(request["output"]).write_bytes(png_of(50, 50))
        say(id=identity, done={"width": 50, "height": 50})
    elif request["do"] == "check":
        say(id=identity, done={"shows": "one_color" if FAULT == "blank" else "no"})
    elif request["do"] == "preview":
        say(id=identity, done=preview(request))
    elif request["do"] == "make":
        Path(request["output"]).write_bytes(triangle_glb(7))
        say(id=identity, done={"faces": 7, "notes": ["made by the fake"]})
    else:
        Path(request["output"]).write_bytes(b"BLENDER")
        if request["render_preview"]:
            Path(request["preview"]).write_bytes(b"\x89PNG")
        say(id=identity, done={"faces": 7, "objects": [request["name"]], "notes": []})


def preview(request: dict[str, Any]) -> dict[str, int]:
    """Write a triangle whose first coordinate is the thickness, after the seconds of `wait`."""
    settings, folder = request["settings"], Path(request["output"])
    time.sleep(settings.get("wait", 0.0))
    corners = array("i", settings.get("corners", (0, 1, 2)))
    (folder / "vertices").write_bytes(array("f", [settings["thickness"], *[0.0] * 8]).tobytes())
    (folder / "corners").write_bytes(corners.tobytes())
    (folder / "uvs").write_bytes(array("f", [0.0] * 6).tobytes())
    return {"vertices": 3, "faces": len(corners) // 3}


def die() -> None:
    """End in the middle of the work."""
    if FAULT == "segfault":
        print("ERROR glTF import: no luck (not really)\nWriting: /tmp/x.crash.txt", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    print("Segmentation fault (not really)", flush=True)
    os._exit(11)


def dally() -> None:
    """Take longer than the limits allow, in the chosen way."""
    if FAULT == "hungry":
        held = bytearray(b"x") * 300_000_000
        time.sleep(60 + len(held) % 2)
    if FAULT == "hang":
        time.sleep(60)
    for _ in range(600 if FAULT == "beats" else 0):
        say(beat=0.0)
        time.sleep(0.1)


def main() -> None:
    """Serve requests until the input ends."""
    print("Blender 0.0 (noise that is no message)", flush=True)
    if FAULT == "unready":
        print("libGL is missing (not really)")
        return
    if FAULT in ("silent", "slow"):
        time.sleep(60 if FAULT == "silent" else 1)
    version = [3, 6, 5] if FAULT == "old" else [0, 0, 0]
    say(ready={"blender": version, "pid": os.getpid(), "names": sorted(os.environ)})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "quit":
            return
        answer(request)


main()
