# SPDX-License-Identifier: GPL-3.0-or-later
"""A zip for bug reports: versions, settings, the newest records. No keys, no pictures, no meshes.

Every known key is blanked wherever it stands, addresses lose what comes after their path (signed
links carry a secret there), and the home folder is shortened.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..providers import Secret, all_providers
from ..providers._shared.redaction import REDACTED, redact
from ..providers._shared.untrusted_text import json_bytes
from .disk.file_names import distinct_names
from .disk.plain_files import is_plain_folder, read_plain
from .library.file_names import RECORD
from .library.store import MAX_RECORD

NEWEST = 20
LONGEST = 200_000
"""Bytes of a record, at most: what is longer is cut."""
_QUERY = re.compile(r"(\bhttps?://[^\s\"'?#]+)[?#][^\s\"']*")
_USER = re.compile(r"(\bhttps?://)[^/\s\"'@]+@")
_TOKEN = re.compile(
    r"(\"?(?:api[_-]?key|authorization|secret|token|password|bearer|signature)\"?\s*[:=]\s*)"
    r"(\"[^\"]*\"|\S+)",
    re.IGNORECASE,
)
_LONG = re.compile(r"\b(?:sk|tsk|tcli|key|pk)[-_][A-Za-z0-9_-]{12,}\b")


def write_diagnostics(
    target: Path,
    *,
    versions: Mapping[str, str],
    preferences: Mapping[str, Any],
    library: Path,
    secrets: Iterable[Secret],
) -> None:
    """Write the zip; raises OSError where that cannot be done."""
    kept = [secret.reveal() for secret in secrets]
    fields = {field.preference for one in all_providers().values() for field in one.keys}
    facts = {
        "versions": {**versions, "python": sys.version, "system": platform.platform()},
        "preferences": {name: preferences[name] for name in preferences if name not in fields},
        "keys that are set": [name for name in preferences if name in fields and preferences[name]],
        "library": str(library),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json_bytes(facts, indent=2).decode()
        archive.writestr("report.json", anonymize(text, kept))
        records = _newest(library)
        names = distinct_names(anonymize(one.parent.name, kept) for one in records)
        for name, record in zip(names, records, strict=True):
            try:
                text = read_plain(record, MAX_RECORD)[:LONGEST].decode("utf-8", "replace")
            except OSError as error:  # a link, for instance, to what is nobody else's business
                text = json.dumps({"unreadable": str(error.strerror)})
            archive.writestr(
                f"jobs/{name}.json", anonymize(text, kept)
            )  # guard: odd-folders-in-zip


def anonymize(text: str, secrets: Iterable[str]) -> str:
    """Return a text without keys, without what signs addresses, without the person's name."""
    text = redact(text, secrets)  # guard: keys-in-diagnostics
    text = _QUERY.sub(rf"\1?{REDACTED}", text)
    text = _USER.sub(rf"\1{REDACTED}@", text)
    text = _TOKEN.sub(rf'\1"{REDACTED}"', text)
    text = _LONG.sub(REDACTED, text)
    home = str(Path.home())
    return text.replace(home, "~").replace(json.dumps(home)[1:-1], "~") if len(home) > 3 else text


def _newest(library: Path) -> list[Path]:
    if not library.is_dir():
        return []
    folders = (one for one in library.glob("[!.]*") if is_plain_folder(one))
    found = (one / RECORD for one in folders if os.path.lexists(one / RECORD))
    return sorted(found, key=lambda path: path.parent.name)[-NEWEST:]
