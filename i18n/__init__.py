# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages: a few files a language, English text to its own.

`{}` or `{name}` stands for a name or number, in the same order in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import (
    german_interface,
    german_jobs,
    german_models,
    german_network,
    german_operators,
    german_pictures,
    german_services,
    german_settings,
    german_texts,
    german_tooltips,
)

SWITCH = ". Off: the service decides"
"""What the description of an optional setting's switch ends with."""
_GERMAN_SWITCH = ". Aus: Der Dienst entscheidet"

_GERMAN_SENTENCES = {
    **german_jobs.TEXTS,
    **german_models.TEXTS,
    **german_network.TEXTS,
    **german_operators.TEXTS,
    **german_pictures.TEXTS,
    **german_services.TEXTS,
    **german_settings.TEXTS,
    **german_texts.TEXTS,
}
GERMAN = {
    **german_interface.TEXTS,
    **german_tooltips.TEXTS,
    **_GERMAN_SENTENCES,
    **{f"{text}{SWITCH}": f"{own}{_GERMAN_SWITCH}" for text, own in german_settings.TEXTS.items()},
}
LANGUAGES = {"de_DE": GERMAN}
FIELD = re.compile(r"\{\w+\}")


def unnamed(text: str) -> str:
    """Return a template with `{}` for each of its named fields."""
    return FIELD.sub("{}", text)


def recognizable(texts: Mapping[str, str]) -> dict[str, str]:
    """Return sentences as they are recognized once they are finished: without names of fields."""
    return {unnamed(text): unnamed(own) for text, own in texts.items()}


SENTENCES = {"de_DE": recognizable(_GERMAN_SENTENCES)}
"""What comes as a whole sentence with its names and numbers in it, and what these may be."""
