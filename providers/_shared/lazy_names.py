# SPDX-License-Identifier: GPL-3.0-or-later
"""A package's public names whose modules are loaded on first use (PEP 562).

The add-on registers with every start of Blender, and most starts never generate anything: what
only a running job needs must not cost time then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, namespace: dict[str, Any], homes: Mapping[str, tuple[str, ...]]
) -> Callable[[str], Any]:
    """Return a module `__getattr__` for a package.

    `homes` maps each module, relative to the package, to the names that it provides. A loaded name
    is put into `namespace`, the package's globals, so that each is looked up once.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"{package}.{name}")
        value = getattr(import_module(f".{home_of[name]}", package), name)
        namespace[name] = value
        return value

    return get
