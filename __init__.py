# SPDX-License-Identifier: GPL-3.0-or-later
"""Image to Mesh: generates a textured mesh from an image.

The command line and the tests import this package without bpy. Therefore, modules that need bpy
are imported here only in Blender. There, they are imported up front, so that `register()` need not
read any file.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

ROOMS = ("state.open_file", "preferences", "state.scene_properties", "state.menus.numbers",
         "state.thumbnails", "state.previews.sent_image", "operators", "panels",
         "i18n.translate")  # fmt: skip
"""Modules to register, in this order. Translations come last, when all labels are known."""
COMMAND = "image_to_mesh"

_command: list[Any] = []


def _rooms() -> list[ModuleType]:
    return [importlib.import_module(f".{room}", __name__) for room in ROOMS]


# Not try/except ImportError: bpy may be installed for the worker, and importing it takes 0.7 s.
if "bpy" in sys.modules:
    from .providers import all_providers

    all_providers()
    _rooms()


def register() -> None:
    """Register each module in `ROOMS`, then the command for `blender --command`."""
    import bpy

    for room in _rooms():
        room.register()
    # Kept, because Blender unregisters a command by the handle that it returned.
    _command.append(bpy.utils.register_cli_command(COMMAND, _run_command))


def unregister() -> None:
    """Unregister the command, then each module in `ROOMS`, in reverse order."""
    import bpy

    while _command:
        bpy.utils.unregister_cli_command(_command.pop())
    for room in reversed(_rooms()):
        room.unregister()


def _run_command(arguments: list[str]) -> int:
    import bpy

    from . import cli, preferences
    from .scene import background_command

    host = cli.BlenderHost(
        blender=background_command(),
        online=bpy.app.online_access,
        preferences=preferences.get(bpy.context),
    )
    return cli.main(arguments, host)
