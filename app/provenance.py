# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom properties that name the job an object came from."""

from __future__ import annotations

import json

from .. import jobs
from ..jobs.custom_properties import JOB, PICTURE, PROVIDER, SETTINGS


def properties_of(record: jobs.Record) -> dict[str, str]:
    """Return the properties that record a job, so that a .blend file needs no library."""
    return {
        JOB: record.id,
        PROVIDER: record.provider,
        SETTINGS: json.dumps(dict(record.settings), ensure_ascii=False),
        PICTURE: ", ".join(picture.name for picture in record.pictures) or record.name,
    }
