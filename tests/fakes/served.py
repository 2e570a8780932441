# SPDX-License-Identifier: GPL-3.0-or-later
"""The fakes of all services behind one interface, for tests that run against each of them.

They are found by the names of the provider files: `PLACES` in the fake of a service serves it for
each of its providers.
"""

from __future__ import annotations

from importlib import import_module

import places

from . import FAKES
from .place import Place as Place
from .place import Serve

PROVIDERS = sorted(file.stem for file in (places.ROOT / "providers").glob("[!_]*.py"))
"""The ids of all providers."""


def names_of(provider: str) -> tuple[str, ...]:
    """Return the names that a provider's fake may have: its id, or its service's.

    Several providers of one service have ids that begin with the same word, and may share it.
    """
    return tuple(dict.fromkeys((provider, provider.partition("_")[0])))


def _place_of(provider: str) -> Serve | None:
    for name in names_of(provider):
        if (FAKES / f"{name}.py").is_file():
            served: dict[str, Serve] = getattr(import_module(f"fakes.{name}"), "PLACES", {})
            return served.get(provider)
    return None


SERVICES = {provider: serve for provider in PROVIDERS if (serve := _place_of(provider))}
"""The services by the ids of their providers; users' own servers need not be among them."""
