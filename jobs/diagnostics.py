# SPDX-License-Identifier: GPL-3.0-or-later
"""A zip for bug reports: versions, preferences, and the newest records; no keys, images, or meshes.

Known keys, and texts that look like keys, are redacted. The home folder becomes “~”. URLs lose
their user, query, and fragment, since those of signed URLs contain secrets.
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
"""Maximum number of records to include, the newest ones."""
LONGEST = 200_000
"""Maximum size of a record, in bytes; longer ones are truncated."""
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
    """Write the zip to `target`. Raises OSError if that fails.

    Of API keys in `preferences`, only the names are written. `secrets` are redacted everywhere. A
    record that cannot be read is replaced with the reason.
    """
    kept = [secret.reveal() for secret in secrets]
    providers = all_providers().values()
    fields = {field.preference for provider in providers for field in provider.keys}
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
        # Folders may have any names, even ones that become equal once the keys are redacted.
        names = distinct_names(anonymize(record.parent.name, kept) for record in records)
        for name, record in zip(names, records, strict=True):
            try:
                text = read_plain(record, MAX_RECORD)[:LONGEST].decode("utf-8", "replace")
            except OSError as error:  # such as a link to a private file elsewhere
                text = json.dumps({"unreadable": str(error.strerror)})
            archive.writestr(
                f"jobs/{name}.json", anonymize(text, kept)
            )  # guard: odd-folders-in-zip


def anonymize(text: str, secrets: Iterable[str]) -> str:
    """Return text without the private parts of URLs, and with “~” for the home folder's path.

    `secrets`, and texts that look like keys, are redacted.
    """
    text = redact(text, secrets)  # guard: keys-in-diagnostics
    text = _QUERY.sub(rf"\1?{REDACTED}", text)
    text = _USER.sub(rf"\1{REDACTED}@", text)
    text = _TOKEN.sub(rf'\1"{REDACTED}"', text)
    text = _LONG.sub(REDACTED, text)
    home = str(Path.home())
    # Also with doubled backslashes, as in JSON. A home of `/` or `C:\` is a part of every path.
    return text.replace(home, "~").replace(json.dumps(home)[1:-1], "~") if len(home) > 3 else text


def _newest(library: Path) -> list[Path]:
    if not library.is_dir():
        return []
    folders = (path for path in library.glob("[!.]*") if is_plain_folder(path))
    found = (folder / RECORD for folder in folders if os.path.lexists(folder / RECORD))
    return sorted(found, key=lambda path: path.parent.name)[-NEWEST:]
