# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Gradio servers from PyPI, each version in an environment of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environments

PINS: dict[str, tuple[str, ...]] = {
    "5.33.0": ("huggingface_hub<1",),
    "4.44.1": ("huggingface_hub<0.26", "pydantic==2.10.6", "fastapi==0.115.6", "starlette<0.42"),
    "6.31.0": (),
}
"""The versions, and what each needs of others: those that Hunyuan3D and TRELLIS pin, and 6.31.

The first one runs for every change, the others at night.
"""
SHAPES = Path(__file__).with_name("shapes.py")
START_LIMIT = 60.0
"""Maximum seconds until an app answers."""


def versions() -> tuple[str, ...]:
    """Return the versions to test: all but the first if SERVERS=all, else the first."""
    first, *others = PINS
    return tuple(others) if os.environ.get("SERVERS") == "all" else (first,)


def interpreter(version: str) -> Path:
    """Return the Python that has this version of Gradio; raises SetupFailed."""
    requirements = [f"gradio=={version}", *PINS[version]]
    return environments.make(f"gradio-{version}", "3.11", requirements)


@dataclass
class RealApp:
    """An app that runs in a process of its own."""

    version: str
    shape: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    queue: int = 20

    @property
    def url(self) -> str:
        """The address of the app."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def received(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls that the app's functions got, in order, with some of their values."""
        files = sorted((self.folder / "received").iterdir())
        return [(path.stem.partition("-")[2], json.loads(path.read_text())) for path in files]

    def start(self, *, waits: bool = True) -> None:
        """Start the app. `waits`: return once it answers."""
        received = self.folder / "received"
        received.mkdir(exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [interpreter(self.version), "-B", SHAPES, self.shape],
                env={
                    **inherited,
                    "GRADIO_ANALYTICS_ENABLED": "False",
                    "GRADIO_TEMP_DIR": str(self.folder / "files"),
                    "HF_HUB_OFFLINE": "1",
                    "MESH": str(self.folder / "mesh.glb"),
                    "PORT": str(self.port),
                    "QUEUE": str(self.queue),
                    "RECEIVED": str(received),
                    # As behind a proxy, so that its addresses of files lead nowhere.
                    "ROOT_PATH": "https://proxy.example/app" if self.shape == "other" else "",
                },
                stdout=log,
                stderr=log,
            )
        if waits:
            self.wait()

    def stop(self) -> None:
        """Kill the app, as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def wait(self) -> None:
        """Wait until the app answers."""
        until = time.monotonic() + START_LIMIT
        while True:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/config", timeout=5).close()
                return
            alive = self.process is not None and self.process.poll() is None
            assert alive, (self.folder / "log").read_text()
            assert time.monotonic() < until, "the app does not answer"
            time.sleep(0.1)


@contextlib.contextmanager
def running(version: str, shape: str, folder: Path, mesh: bytes, **how: Any) -> Iterator[RealApp]:
    """Run an app on a free port of loopback while the block runs."""
    with running_all(version, [shape], folder, mesh, **how) as apps:
        yield apps[shape]


@contextlib.contextmanager
def running_all(
    version: str, shapes: Iterable[str], folder: Path, mesh: bytes, **how: Any
) -> Iterator[dict[str, RealApp]]:
    """Run several apps side by side while the block runs."""
    apps: dict[str, RealApp] = {}
    try:
        for shape in shapes:
            own = folder / shape
            own.mkdir()
            (own / "mesh.glb").write_bytes(mesh)
            apps[shape] = RealApp(version, shape, own, free_port(), **how)
            apps[shape].start(waits=False)
        for app in apps.values():
            app.wait()
        yield apps
    finally:
        for app in apps.values():
            app.stop()


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
