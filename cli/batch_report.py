# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a batch: a JSON row per image, and a CSV table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..jobs.batch.plan import Item
from ..jobs.disk.plain_files import write_whole
from ..providers._shared.untrusted_text import clean
from .hints import hint_here
from .output import print_notice

COSTS = "batch.csv"
COLUMNS = ("image", "provider", "job", "state", "credits", "seconds", "faces", "file", "error",
           "message")  # fmt: skip
_FORMULA = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""Characters that start a formula in a spreadsheet, including their full-width forms."""


def report_row(item: Item, file: Path | None) -> dict[str, Any]:
    """Return an item's row of the report: a JSON value for each name in `COLUMNS`.

    `file` is the path of the delivered mesh, or None if there is no mesh.
    """
    record, failure = item.record, item.failure
    return {
        "image": item.image,
        "provider": item.provider,
        "job": item.job,
        "state": str(item.state) if item.state else "",
        "credits": record.credits if record else None,
        "seconds": record.seconds if record else None,
        "faces": record.faces if record else None,
        "file": str(file) if file else None,
        "error": failure.kind if failure else None,
        "message": f"{failure.message} {hint_here(failure.hint)}".strip() if failure else None,
    }


def write_costs(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path | None:
    """Write the CSV table and return its path; if that fails, print a notice and return None."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows({name: as_cell(row[name]) for name in COLUMNS} for row in rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Resolved, because `write_whole` refuses a folder that is a link, and users may have one.
        # With a byte order mark: without it, Excel decodes UTF-8 as the system's own charset.
        write_whole(path.parent.resolve() / path.name, text.getvalue().encode("utf-8-sig"))
        return path.resolve()
    except (OSError, ValueError) as error:
        print_notice(f"Cannot write {path}: {getattr(error, 'strerror', None) or error}.")
        return None


def as_cell(value: Any) -> Any:
    """Return a value as a CSV cell.

    Control characters are removed from text. Text that a spreadsheet would run as a formula gets a
    leading apostrophe. Any other value is returned unchanged.
    """
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text[:1] in _FORMULA and text else text  # guard: no-formulas
