# SPDX-License-Identifier: GPL-3.0-or-later
"""Image to Mesh: turn a picture into a textured mesh. Nothing heavy is imported here.

The command line and the tests import this package without bpy, so the rooms that need it are
imported only in Blender: when the add-on is loaded, so that `register()` reads no file.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

ROOMS = ("state.open_file", "preferences", "state.scene_properties", "state.thumbnails",
         "operators", "panels", "i18n.translate")  # fmt: skip
"""What is registered, in this order: the translations come last, when all labels are known."""
COMMAND = "image_to_mesh"

_command: list[Any] = []


def _rooms() -> list[ModuleType]:
    return [importlib.import_module(f".{room}", __name__) for room in ROOMS]


if "bpy" in sys.modules:
    from .providers import all_providers

    all_providers()
    _rooms()


def register() -> None:
    """Register room by room, and the command line."""
    import bpy

    for room in _rooms():
        room.register()
    _command.append(bpy.utils.register_cli_command(COMMAND, _run_command))


def unregister() -> None:
    """Take everything away, in reverse."""
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
