# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages: a few files a language, English text to its own.

`{}` stands for a name or number, in the same order in both.
"""

from __future__ import annotations

from . import (
    german_interface,
    german_jobs,
    german_models,
    german_operators,
    german_services,
    german_settings,
)

SWITCH = ". Off: the service decides"
"""What the description of an optional setting's switch ends with."""
_GERMAN_SWITCH = ". Aus: Der Dienst entscheidet"

_GERMAN_SENTENCES = {
    **german_jobs.TEXTS,
    **german_models.TEXTS,
    **german_operators.TEXTS,
    **german_services.TEXTS,
    **german_settings.TEXTS,
}
GERMAN = {
    **german_interface.TEXTS,
    **_GERMAN_SENTENCES,
    **{f"{text}{SWITCH}": f"{own}{_GERMAN_SWITCH}" for text, own in german_settings.TEXTS.items()},
}
LANGUAGES = {"de_DE": GERMAN}
SENTENCES = {"de_DE": _GERMAN_SENTENCES}
"""What comes as a whole sentence with its names and numbers in it, and what these may be."""
