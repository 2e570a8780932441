# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object in a scene keeps of the job that made it."""

from __future__ import annotations

import json

from .. import jobs
from ..jobs.custom_properties import JOB, PICTURE, PROVIDER, SETTINGS


def properties_of(record: jobs.Record) -> dict[str, str]:
    """Return what an object keeps of the job that made it, so that the file tells by itself."""
    return {
        JOB: record.id,
        PROVIDER: record.provider,
        SETTINGS: json.dumps(dict(record.settings), ensure_ascii=False),
        PICTURE: ", ".join(one.name for one in record.pictures) or record.name,
    }
