# SPDX-License-Identifier: GPL-3.0-or-later
"""Which authorities connections trust besides the usual ones: a file of the person's choice.

Certificates are always checked; this only says against what. Light to import: `_http` reads it
when it opens a connection.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""They win over the preference, in this order."""

_bundle: list[str] = []
_problem: list[str] = []


def set_ca_bundle(path: str) -> None:
    """Check connections against this PEM file from now on; empty for the usual authorities."""
    _bundle.clear()
    _problem.clear()
    if not path:
        return
    if Path(path).is_file():
        _bundle.append(path)
    else:
        _problem.append(f"There is no file {path}: the usual authorities are used.")


def ca_bundle() -> tuple[str, str]:
    """Return the file or folder of authorities that is set, and what sets it; empty for none."""
    for variable in VARIABLES:
        if os.environ.get(variable):
            return os.environ[variable], variable
    return (_bundle[0], "Certificate Bundle") if _bundle else ("", "")


def ca_bundle_problem() -> str:
    """Return why the person's file is not used; empty where it is."""
    return _problem[0] if _problem else ""
