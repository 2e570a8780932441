# SPDX-License-Identifier: GPL-3.0-or-later
"""Code shared by both versions of Tripo's API. A job loads the code for its calls on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .replies import (
        balance_of,
        check_storage,
        find_tasks,
        parse_submit,
        read_file_token,
        read_image_token,
        read_presigned_upload,
        task_path,
        task_state,
    )

__all__ = [
    "balance_of",
    "check_storage",
    "find_tasks",
    "parse_submit",
    "read_file_token",
    "read_image_token",
    "read_presigned_upload",
    "task_path",
    "task_state",
]

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), {"replies": tuple(__all__)})
