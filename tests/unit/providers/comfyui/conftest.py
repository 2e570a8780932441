# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of ComfyUI: orders without the runner, and workflows of the user's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes.comfyui import Comfyui, serving

from image_to_mesh.providers import (
    Picture,
    PictureInfo,
    Provider,
    Request,
    Secret,
    Ticket,
    get_provider,
)
from image_to_mesh.providers._shared.http.client import Http

PROVIDER: Provider[Any] = get_provider("comfyui")


@contextmanager
def connection_to(url: str, header: str = "") -> Iterator[Http]:
    """Open a connection to a server, with the header that the user has entered, if any."""
    keys = {"comfyui_header": Secret(header)} if header else {}
    headers = PROVIDER.headers(keys)
    with closing(Http(url, headers, self_hosted=True, pause=lambda _: None)) as http:
        yield http


@pytest.fixture
def server() -> Iterator[Comfyui]:
    """ComfyUI on loopback."""
    with serving(Comfyui()) as running:
        yield running


@pytest.fixture
def http(server: Comfyui) -> Iterator[Http]:
    """A connection to it, which makes no pauses."""
    with connection_to(server.url) as line:
        yield line


@pytest.fixture
def ask(tmp_path: Path, png: bytes) -> Callable[..., Request[Any]]:
    """Return a function that makes a request: for views, with a workflow file and settings."""

    def make(*views: str, file: Any = None, **settings: Any) -> Request[Any]:
        pictures = []
        for number, view in enumerate(views or ("front",)):
            path = tmp_path / f"{view}.png"
            path.write_bytes(png + bytes([number]))
            pictures.append(Picture(view, "cup.png", path, info=PictureInfo("png", 64, 64)))
        if file is None:
            return Request(PROVIDER.settings(**settings), tuple(pictures))
        data = file if isinstance(file, bytes) else json.dumps(file).encode()
        chosen = {"workflow": "file", "workflow_file": "graph.json", **settings}
        return Request(PROVIDER.settings(**chosen), tuple(pictures), {"workflow_file": data})

    return make


@pytest.fixture
def order(http: Http, ask: Callable[..., Request[Any]]) -> Callable[..., Ticket]:
    """Return a function that orders a mesh, without the runner."""

    def make(*views: str, **how: Any) -> Ticket:
        request = ask(*views, **how)
        return PROVIDER.submit(request, PROVIDER.upload(request.pictures, http), http)

    return make


def own_graph(
    saver: str = "SaveGLB", titles: Sequence[str] = ("Load Image",), **inputs: Any
) -> dict[str, Any]:
    """Return a workflow as an artist exports it: images, one node that makes a mesh, a saver."""
    graph: dict[str, Any] = {
        f"{number}": {
            "class_type": "LoadImage", "_meta": {"title": title}, "inputs": {"image": "a.png"},
        }
        for number, title in enumerate(titles, 1)
    }  # fmt: skip
    links = {"image": ["1", 0], **({"style": ["2", 0]} if len(titles) > 1 else {})}
    made = {"seed": 5, "quality": "low", "smooth": True, "prompt": "a cup", **links, **inputs}
    graph["19:7"] = {"class_type": "MakeMesh", "_meta": {"title": "Cup Maker"}, "inputs": made}
    prefix = {} if saver == "ShowMesh" else {"filename_prefix": "mesh/cup"}
    graph["30"] = {
        "class_type": saver, "_meta": {"title": "Save"}, "inputs": {"mesh": ["19:7", 0], **prefix},
    }  # fmt: skip
    return graph
