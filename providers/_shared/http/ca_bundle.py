# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA bundle that certificates are verified against, if the user has set one.

Verification itself cannot be switched off. Kept apart from the HTTP client because the preferences
set it while Blender starts, when importing requests would take too long.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..messages import Message

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Environment variables that override the preference, in this order, as for requests."""

_bundle: list[str] = []
_problem: list[str] = []


def set_ca_bundle(path: str) -> None:
    """Verify new connections against this PEM file; an empty path restores the default bundle."""
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
    """Return the user's CA bundle, a file or folder, and the setting it comes from, or ("", "")."""
    for variable in VARIABLES:
        if os.environ.get(variable):
            return os.environ[variable], variable
    return (_bundle[0], "Certificate Bundle") if _bundle else ("", "")


def ca_bundle_problem() -> str:
    """Return why the chosen bundle is not used; empty if there is no problem."""
    return _problem[0] if _problem else ""
