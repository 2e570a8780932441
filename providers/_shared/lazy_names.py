# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a package load the modules of its public names on first use (PEP 562).

The add-on is registered at every start of Blender, but most sessions never generate anything, so
code that only a running job needs must not be loaded then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, namespace: dict[str, Any], homes: Mapping[str, tuple[str, ...]]
) -> Callable[[str], Any]:
    """Return a module `__getattr__` for a package, which imports a name's module on first use.

    `homes` maps each module, relative to the package, to the names that it provides. A loaded name
    is stored in `namespace`, the package's globals, so that it is looked up only once. The returned
    function raises AttributeError for any other name.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"{package}.{name}")
        value = getattr(import_module(f".{home_of[name]}", package), name)
        namespace[name] = value
        return value

    return get
