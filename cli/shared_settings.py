# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a command: those of a file that was exported, and those of `--set`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..jobs.disk.shared_settings import read_shared_settings
from ..providers import InvalidSettings, Provider
from .running import pairs

OPTION = "--settings"


def add_options(command: argparse.ArgumentParser) -> None:
    """Add `--set` and `--settings` to a command."""
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the provider"
    )
    command.add_argument(
        OPTION, type=Path, metavar="FILE", help="settings that were exported; --set changes them"
    )


def given_settings(arguments: argparse.Namespace, provider: Provider[Any]) -> dict[str, Any]:
    """Return the values that a command gives for a provider's settings, by name.

    Raises InvalidSettings for a file that cannot be used, or is for another provider.
    """
    values = pairs(arguments.set, "--set")
    if arguments.settings is None:
        return values
    found = read_shared_settings(arguments.settings)
    if found.provider.id != provider.id:
        raise InvalidSettings(
            f"{arguments.settings} has settings for {found.provider.id}.",
            f"Add --provider {found.provider.id}.",
        )
    return {**found.values, **values}
