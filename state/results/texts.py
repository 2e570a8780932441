# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts about a result: when it was generated, its versions, why it cannot be imported."""

from __future__ import annotations

import functools
from datetime import date, datetime, timedelta

import bpy

from ... import jobs
from ...i18n.translate import tr
from ...providers import all_providers

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EDITS = {
    "clean": "Clean Mesh",
    "decimate": "Decimate",
    "quads": "Quad Remesh",
    "levels": "Levels of Detail",
}
"""The labels of the edits that make versions."""


def when_text(created: str, *, short: bool = False) -> str:
    """Return when a result was generated, in local time: “Today 14:05”, “Nov 28 14:05”.

    The year is included if it is not the current one. With `short`, for labels as narrow as a
    thumbnail, the time is included only if it was today. Return "" if `created` is not a date.
    """
    today = datetime.now().astimezone().date()
    return _when(created, today, bpy.app.translations.locale, short=short)


def provider_label(entry: jobs.Entry) -> str:
    """Return the label of the provider that generated a result, or its id if it is unknown."""
    provider = all_providers().get(entry.provider)
    return tr(provider.label) if provider else entry.provider


def why_no_import(entry: jobs.Entry, *, trusted: bool) -> str:
    """Return why a result cannot be imported; empty if it can.

    `trusted` tells whether the user trusts the library.
    """
    if entry.missing:
        return (
            "Its mesh file is missing. Restore it from the trash or a backup, or delete the result"
        )
    if not (entry.own or trusted):
        return "Created by someone else. To import it, trust this library"
    return ""


def version_texts(entry: jobs.Entry) -> list[tuple[str, str]]:
    """Return (file, label) for each version of a result.

    The original comes first, with "" as its file.
    """
    rows = [("", tr("Original"))]
    for line in entry.versions.splitlines():
        file, _, made_by = line.partition(" ")
        number = "".join(character for character in file if character.isdigit())
        label = tr("Version {}").format(number)
        edit = EDITS.get(made_by)
        rows.append((file, f"{label}: {tr(edit)}" if edit else label))
    return rows


# Cached: reading a date takes longer than drawing its text.
@functools.lru_cache(maxsize=512)
def _when(created: str, today: date, _language: str, *, short: bool) -> str:
    try:
        moment = datetime.fromisoformat(created).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""  # others may have written the record
    time = f"{moment:%H:%M}"
    if moment.date() == today:
        return tr("Today {time}").format(time=time)
    if moment.date() == today - timedelta(days=1) and not short:
        return tr("Yesterday {time}").format(time=time)
    template = tr("{month} {day}") if moment.year == today.year else tr("{month} {day}, {year}")
    day = template.format(month=tr(MONTHS[moment.month - 1]), day=moment.day, year=moment.year)
    return day if short else f"{day} {time}"
