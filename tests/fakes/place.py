# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface by which tests order from the fake of any service."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Place:
    """A fake that runs: how to order from it, and the requests it received."""

    order: dict[str, Any]
    """The `provider`, the `url` of the service, and the `keys` by their preferences."""
    costs: str
    """The path of the one request that costs money."""
    creates: Callable[[], int]
    """Counts the orders that were accepted."""
    downloads: Callable[[], int]
    """Counts the requests for mesh files."""
    mesh: bytes
    forget: Callable[[], None] = lambda: None
    """Makes the service forget its tasks, so that lists stay short."""
    lists: bool = False
    """Whether it lists recent tasks, so that an order without an answer is found."""


Serve = Callable[[int], contextlib.AbstractContextManager[Place]]
"""Serves a fake whose meshes have about the given number of bytes."""
