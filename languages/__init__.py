# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages: a few files a language, English text to its own.

`{}` stands for a name or number, in the same order in both.
"""

from __future__ import annotations

from . import german_errors, german_interface, german_settings

SWITCH = ". Off: the service decides"
"""What the description of an optional setting's switch ends with."""
_GERMAN_SWITCH = ". Aus: Der Dienst entscheidet"

GERMAN = {
    **german_interface.TEXTS,
    **german_errors.TEXTS,
    **{f"{text}{SWITCH}": f"{own}{_GERMAN_SWITCH}" for text, own in german_settings.TEXTS.items()},
    **german_settings.TEXTS,
}
LANGUAGES = {"de_DE": GERMAN}
SENTENCES = tuple(german_errors.TEXTS)
"""Sentences of errors, which come with their names and numbers filled in."""
