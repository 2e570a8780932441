# SPDX-License-Identifier: GPL-3.0-or-later
"""Services behind an unreliable network that report the picture of each order.

Every picture has its number in its pixels, so that the service recognizes it however it arrives.
"""

from __future__ import annotations

import base64
import contextlib
import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import aiml, scenario, scenario_state, tripo_server
from .files import big_glb
from .hostile import Hostile, between
from .png import chunk
from .tripo import TripoV3

SIDE = 32
MESH = 60_000
"""Size of a mesh in bytes."""


@dataclass(frozen=True)
class Ordered:
    """An order that a service took: the picture's number, and the task, if it has a name."""

    picture: int
    task: str


@dataclass(frozen=True)
class Lane:
    """A service as a client reaches it. `names`: an order without an answer can be found."""

    provider: str
    environment: dict[str, str]
    orders: Callable[[], list[Ordered]]
    mesh: bytes
    names: bool
    ways: tuple[Hostile, ...]


def numbered_picture(number: int) -> bytes:
    """Return a unique picture with its number in the first pixel."""
    noise = random.Random(number).randbytes(3 * SIDE * SIDE)
    pixels = struct.pack(">HB", number, 255) + noise[3:]
    rows = b"".join(b"\0" + pixels[3 * SIDE * row : 3 * SIDE * (row + 1)] for row in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def number_of(png: bytes) -> int:
    """Return the number of a picture."""
    packed, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        packed += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    number: int = struct.unpack(">H", zlib.decompress(packed)[1:3])[0]
    return number


def write_pictures(folder: Path, providers: list[str], first: int = 0) -> Path:
    """Write a picture for each provider named, and return a table of them for a batch."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["image,provider"]
    for number, provider in enumerate(providers, first):
        file = folder / f"{number:04d}.png"
        if not file.exists():
            file.write_bytes(numbered_picture(number))
        rows.append(f"{file.name},{provider}")
    table = folder / "table.csv"
    table.write_text("\n".join(rows) + "\n", "utf-8")
    return table


@contextlib.contextmanager
def tripo(share: float, seed: int) -> Iterator[Lane]:
    """Serve Tripo, which lists its tasks."""
    fake = TripoV3()
    fake.mesh, fake.most_running = big_glb(MESH), 10**6
    fake.states.insert(1, {"status": "running", "progress": 10})
    with (
        tripo_server.serving(fake),
        between(fake.url, share, seed) as api,
        between(fake.files_url, share, seed + 1) as files,
    ):
        fake.files_url = files.url

        def orders() -> list[Ordered]:
            return [
                Ordered(number_of(fake.uploads[task.body["input"]]), task.id)
                for task in fake.creates
            ]

        environment = {"TRIPO_API_KEY": tripo_server.KEY, "TRIPO_BASE_URL": api.url + fake.prefix}
        yield Lane("tripo", environment, orders, fake.mesh, True, (api, files))


@contextlib.contextmanager
def scenarios(share: float, seed: int) -> Iterator[Lane]:
    """Serve Scenario, which lists its jobs."""
    with (
        scenario.serving() as fake,
        between(fake.url, share, seed) as api,
        between(fake.storage, share, seed + 1) as storage,
    ):
        fake.storage = storage.url
        mesh = big_glb(MESH)
        fake.outcome.script = ("queued", "in-progress", "success")
        fake.add_result(mesh, "model/gltf-binary")

        def orders() -> list[Ordered]:
            jobs = [job for job in list(fake.jobs.values()) if "input" in job]
            return [
                Ordered(number_of(fake.files[job["input"]["image"]]), job["jobId"]) for job in jobs
            ]

        environment = {
            "SCENARIO_SDK_API_KEY": scenario_state.KEY,
            "SCENARIO_SDK_API_SECRET": scenario_state.SECRET,
            "SCENARIO_BASE_URL": api.url,
        }
        yield Lane("scenario", environment, orders, mesh, True, (api, storage))


@contextlib.contextmanager
def aimls(share: float, seed: int) -> Iterator[Lane]:
    """Serve AI/ML API, which answers an order with its mesh and keeps no task."""
    with (
        aiml.serving(aiml.Aiml(mesh=big_glb(MESH), takes=0.8 if share else 0.0)) as fake,
        between(fake.url, share, seed) as api,
        between(fake.files_url, share, seed + 1) as files,
    ):
        fake.files_url = files.url

        def orders() -> list[Ordered]:
            sent = [re.sub(r"^data:[^,]*,", "", order["image_url"]) for order in fake.orders]
            return [Ordered(number_of(base64.b64decode(text)), "") for text in sent]

        environment = {"AIML_API_KEY": aiml.KEY, "AIML_BASE_URL": api.url}
        yield Lane("aiml_triposr", environment, orders, fake.mesh, False, (api, files))


@contextlib.contextmanager
def lanes(share: float, seed: int) -> Iterator[tuple[Lane, ...]]:
    """Serve all three services."""
    with (
        tripo(share, seed) as tripo_lane,
        scenarios(share, seed + 10) as scenario_lane,
        aimls(share, seed + 20) as aiml_lane,
    ):
        yield tripo_lane, scenario_lane, aiml_lane
