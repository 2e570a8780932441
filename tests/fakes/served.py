# SPDX-License-Identifier: GPL-3.0-or-later
"""The fakes of all services behind one interface, for tests that run against each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import aiml, fal, scenario, scenario_state, tripo_server
from .files import big_glb
from .tripo import TripoV3
from .tripo_server import FakeTripo
from .tripo_v2 import TripoV2


@dataclass
class Place:
    """A fake that runs: how to order from it, and the requests it received."""

    order: dict[str, Any]
    creates: Callable[[], int]
    downloads: Callable[[], int]
    mesh: bytes
    forget: Callable[[], None]
    """Makes the service forget its tasks, so that lists stay short."""
    lists: bool = False
    """Whether it lists recent tasks, so that an order without an answer is found."""


@contextlib.contextmanager
def _tripo(kind: type[FakeTripo], provider: str, size: int) -> Iterator[Place]:
    fake = kind()
    fake.mesh, fake.most_running = big_glb(size), 10**6
    with tripo_server.serving(fake):
        order: dict[str, Any] = {"provider": provider, "url": fake.base}
        order["keys"] = {"tripo_api_key": tripo_server.KEY}
        gets = lambda: len(fake.calls(r"GET .*\.glb"))  # noqa: E731
        yield Place(
            order,
            lambda: len(fake.creates),
            gets,
            fake.mesh,
            fake.tasks.clear,
            lists=provider == "tripo",
        )


@contextlib.contextmanager
def _scenario(size: int) -> Iterator[Place]:
    with scenario.serving() as fake:
        mesh = big_glb(size)
        fake.add_result(mesh, "model/gltf-binary")
        keys = {
            "scenario_api_key": scenario_state.KEY,
            "scenario_api_secret": scenario_state.SECRET,
        }
        order = {"provider": "scenario", "url": fake.url, "keys": keys}
        gets = lambda: len(fake.calls("GET", "/files/.*"))  # noqa: E731
        yield Place(order, lambda: len(fake.submits), gets, mesh, fake.jobs.clear, lists=True)


@contextlib.contextmanager
def _aiml(provider: str, size: int) -> Iterator[Place]:
    with aiml.serving(aiml.Aiml(mesh=big_glb(size))) as fake:
        order = {"provider": provider, "url": fake.url, "keys": {"aiml_api_key": aiml.KEY}}
        orders, gets = fake.orders, fake.downloads
        yield Place(order, lambda: len(orders), lambda: len(gets), fake.mesh, lambda: None)


@contextlib.contextmanager
def _fal(size: int) -> Iterator[Place]:
    with fal.serving(fal.Fal(mesh=big_glb(size), script=(fal.DONE,))) as fake:
        order = {"provider": "fal", "url": fake.url, "keys": {"fal_api_key": fal.KEY}}
        creates, gets = fake.orders, lambda: len(fake.calls("GET", "/files/.*"))
        yield Place(order, lambda: len(creates), gets, fake.mesh, creates.clear, lists=True)


SERVICES: dict[str, Callable[[int], contextlib.AbstractContextManager[Place]]] = {
    "tripo": lambda size: _tripo(TripoV3, "tripo", size),
    "tripo_v2": lambda size: _tripo(TripoV2, "tripo_v2", size),
    "scenario": _scenario,
    "fal": _fal,
    "aiml_triposr": lambda size: _aiml("aiml_triposr", size),
    "aiml_magic": lambda size: _aiml("aiml_magic", size),
}
"""Each serves a fake whose meshes have about the given number of bytes."""
