# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object in a scene keeps of the job that made it."""

from __future__ import annotations

import json

from .. import jobs

JOB = "image_to_mesh_job"


def properties_of(record: jobs.Record) -> dict[str, str]:
    """Return what an object keeps of the job that made it, so that the file tells by itself."""
    return {
        JOB: record.id,
        "image_to_mesh_provider": record.provider,
        "image_to_mesh_settings": json.dumps(dict(record.settings), ensure_ascii=False),
        "image_to_mesh_picture": ", ".join(one.name for one in record.pictures) or record.name,
    }
