# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA bundle for verifying certificates, if the user has set one.

Verification itself cannot be switched off. This module is separate from the HTTP client because the
preferences set the bundle while Blender starts, when importing requests would take too long.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..messages import Message

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Environment variables that override the preference, in the same order as in requests."""

_bundle: list[str] = []
_problem: list[str] = []


def set_ca_bundle(path: str) -> None:
    """Set the PEM file for verifying new connections; an empty path restores the default.

    If the file does not exist, the default is used, and `ca_bundle_problem` says so.
    """
    _bundle.clear()
    _problem.clear()
    if not path:
        return
    if Path(path).is_file():
        _bundle.append(path)
    else:
        _problem.append(
            Message("File {path} not found: using the default certificates.", path=path)
        )


def ca_bundle() -> tuple[str, str]:
    """Return the path of the user's CA bundle and the setting that it comes from.

    Environment variables take precedence over the preference. Return ("", "") without a bundle.
    """
    for variable in VARIABLES:
        if os.environ.get(variable):
            return os.environ[variable], variable
    return (_bundle[0], "Certificate Bundle") if _bundle else ("", "")


def ca_bundle_problem() -> str:
    """Return why the bundle in the preferences is not used; empty if there is no problem."""
    return _problem[0] if _problem else ""
