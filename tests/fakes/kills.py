# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs jobs in processes that are killed at a chosen line. Started by `processes.py`.

One process imports everything and forks a child for each order on its standard input, one JSON
object a line; standard output reports how the child ended. The child patches hooks into the
product, which has none itself.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import filelock  # noqa: F401  # imported here once, for all children

from fakes.glb import triangle_glb
from fakes.png import png_of
from image_to_mesh import jobs
from image_to_mesh.jobs import resources, runner
from image_to_mesh.jobs.import_plan import ImportPlan
from image_to_mesh.jobs.library import live_record
from image_to_mesh.jobs.steps import download, raw_answer
from image_to_mesh.providers import Secret, all_providers, get_provider
from image_to_mesh.providers._shared.adapters import parse_settings, to_json
from image_to_mesh.providers._shared.http import client, download_stream, downloads

LIMIT = 30.0
SLICES = 100


def die() -> None:
    """End at once, like a power cut."""
    if sys.platform == "win32":
        raise OSError("only on Unix")
    os.kill(os.getpid(), signal.SIGKILL)


class Blender:
    """Stands in for the worker: makes its files without another process."""

    dies_at = ""

    def __init__(self, command: tuple[str, ...]) -> None:
        self.command = command

    def start(self) -> None:
        """Start nothing."""

    def ask(self, request: dict[str, Any], progress: Any, check: Any) -> dict[str, Any]:
        """Make a mesh or prepare one."""
        check()
        output = Path(request["output"])
        if self.dies_at == f"before {request['do']}":
            die()
        if self.dies_at == "stuck":
            time.sleep(LIMIT)
        if request["do"] == "make":
            output.write_bytes(triangle_glb(7))
        else:
            output.write_bytes(Path(request["mesh"]).read_bytes()[:4])
        if self.dies_at == f"after {request['do']}":
            die()
        return {"faces": 7, "notes": []}

    def version(self, _check: Any) -> tuple[int, ...]:
        """Return a very new version."""
        return (99, 0)

    def close(self) -> None:
        """Close nothing."""

    kill = close


def answer(values: dict[str, Any]) -> None:
    """Write a line in one call, so that a killed process writes all of it or nothing."""
    os.write(1, json.dumps(values).encode() + b"\n")


def _before(owner: Any, name: str, hook: Callable[[], None]) -> None:
    real = getattr(owner, name)

    def call(*args: Any, **how: Any) -> Any:
        hook()
        return real(*args, **how)

    setattr(owner, name, call)


def _after(owner: Any, name: str, hook: Callable[[], None]) -> None:
    real = getattr(owner, name)

    def call(*args: Any, **how: Any) -> Any:
        value = real(*args, **how)
        hook()
        return value

    setattr(owner, name, call)


def _at_part(part: float) -> None:
    """Die when this part of a download has arrived."""
    real = download_stream._arriving

    def arriving(answer: Any) -> Iterator[bytes]:
        total = int(answer.headers.get("content-length", 0))
        come, sizes = 0, itertools.repeat(max(total // SLICES, 1))
        for piece in real(answer):
            while piece:
                if total > SLICES * 1024 and come >= part * total:
                    time.sleep(0.02)  # the writer has had what came before
                    die()
                size = next(sizes)
                yield piece[:size]
                come, piece = come + len(piece[:size]), piece[size:]

    download_stream._arriving = arriving


def _hook(at: str, provider: Any) -> None:
    """Make this process die at a chosen place."""
    kind = type(provider)
    places: dict[str, tuple[Callable[..., None], Any, str]] = {
        "before submit": (_before, kind, "upload"),
        "uploaded": (_after, kind, "upload"),
        "about to submit": (_before, kind, "submit"),
        "answer coming": (_before, raw_answer.RawAnswer, "begin"),
        "answer kept": (_after, raw_answer.RawAnswer, "end"),
        "submit sent": (_after, client.Http, "submit"),
        "answer not written": (_before, live_record.LiveRecord, "save_answer"),
        "polling": (_after, kind, "poll"),
        "mesh not noted": (_before, download.MeshDownload, "_keep"),
        "before import": (_before, live_record.LiveRecord, "end"),
    }
    if at in places:
        when, owner, name = places[at]
        when(owner, name, die)
    elif at.startswith("downloading "):
        _at_part(float(at.split()[1]) / 100)
    else:
        Blender.dies_at = at


def _spec(order: dict[str, Any], record: Any = None) -> jobs.JobSpec:
    provider = get_provider(order["provider"])
    settings = parse_settings(provider.settings, record.settings) if record else None
    png = png_of(64, 48)
    pictures = () if record else (jobs.PictureSource("cup", "front", lambda: png),)
    return jobs.JobSpec(
        provider=provider.id,
        settings=settings or provider.settings(),
        pictures=pictures,
        library=Path(order["library"]),
        keys={name: Secret(key) for name, key in order["keys"].items()},
        base_url=order["url"],
        blender=("stand-in",),
        plan=ImportPlan("a-file"),
        repeated=True,
        record=record,
    )


def _run(order: dict[str, Any]) -> None:
    """Run a new job, or resume all unfinished ones, and report how they ended."""
    session = jobs.Session()
    library = jobs.Library(Path(order["library"]))
    if order["do"] == "generate":
        waiting = {session.start(_spec(order))}
    else:
        records = [row for row in library.all()[0] if not row.state.over]
        waiting = {session.start(_spec(order, record)) for record in records}
    ends: dict[str, Any] = {}
    until = time.monotonic() + LIMIT
    while waiting and time.monotonic() < until:
        event = session.wait(0.05)
        if isinstance(event, jobs.Ended):
            waiting.discard(event.job)
            ends[event.job] = event.view.failure.kind if event.view.failure else "done"
    session.join(5.0)
    answer({"id": order["id"], "ends": ends})


def _child(order: dict[str, Any]) -> None:
    vars(runner)["next_pause"] = lambda *_: order.get("pause", 0.01)
    vars(client)["delay"] = lambda *_: 0.01
    if "at" in order:
        _hook(order["at"], get_provider(order["provider"]))
    if "in" in order:
        threading.Timer(order["in"], die).start()
    _run(order)


def main() -> None:
    """Fork for each order; `id` names it in the answers."""
    if sys.platform == "win32":
        raise OSError("only on Unix")
    vars(resources)["BackgroundBlender"] = Blender
    downloads.STEP = 1  # imported here once, for all children
    all_providers()
    record = jobs.Record("a", jobs.State.QUEUED, "local", "a", "a")
    assert to_json(record)
    parse_settings(get_provider("local").settings, {})
    answer({"id": 0, "ends": {}})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                _child(order)
            finally:
                sys.stdout.flush()
                os._exit(0)
        if order.get("beside"):
            answer({"id": order["id"], "pid": pid})
            continue
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        answer({"id": order["id"], "over": True})


main()
