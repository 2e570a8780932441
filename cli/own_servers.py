# SPDX-License-Identifier: GPL-3.0-or-later
"""The consent to send the header for a user's own server unencrypted."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from ..providers import UNENCRYPTED, InvalidSettings, Provider, base_url, read_address

OPTION = "--send-unencrypted"


def add_options(command: argparse.ArgumentParser) -> None:
    """Add `--send-unencrypted` to a command."""
    command.add_argument(
        OPTION,
        action="store_true",
        help="send the header for your own server to a plain http address",
    )


def preferences_for(
    arguments: argparse.Namespace, provider: Provider[Any], preferences: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the preferences for a job, with the consent that the command gives.

    Raises InvalidSettings for a bad address, and if the provider is not a server of the user's own.
    """
    if not arguments.send_unencrypted:
        return preferences
    if not provider.self_hosted:
        raise InvalidSettings(f"{provider.label} does not take {OPTION}.", f"Leave out {OPTION}.")
    server = read_address(base_url(provider, preferences, os.environ)).server
    return {**preferences, UNENCRYPTED: f"{preferences.get(UNENCRYPTED, '')} {server}"}
