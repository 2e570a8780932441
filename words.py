# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the person's language, by Blender's own translation system.

Blender translates what it draws itself: titles, tooltips, labels that are one known text. What is
put together of parts, or broken into lines, is translated here first. Errors come as whole
sentences from rooms that know no Blender: they are recognised by their fixed words.
"""

from __future__ import annotations

import functools
import re

import bpy

from .languages import LANGUAGES, SENTENCES

CONTEXT = "*"
CONTEXTS = ("*", "Operator")
HOLE = re.compile(r"\\\{\\\}")


def tr(text: str) -> str:
    """Return a text of the interface in the person's language; itself where none is known."""
    return str(bpy.app.translations.pgettext_iface(text, CONTEXT))


def said(*sentences: str) -> str:
    """Return an error's sentences in the person's language, as one text."""
    return " ".join(_said(one, tr(one)) for one in sentences if one)


def _said(sentence: str, translated: str) -> str:
    if translated != sentence:
        return translated
    language = bpy.app.translations.locale
    return _recognised(sentence, language) if language in LANGUAGES else sentence


@functools.lru_cache(maxsize=256)
def _recognised(sentence: str, language: str) -> str:
    """Translate a sentence by the one whose fixed words it has; itself where there is none."""
    for pattern, text in _patterns(language):
        if found := pattern.fullmatch(sentence):
            return text.format(*found.groups())
    return sentence


@functools.cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    texts = LANGUAGES[language]
    with_holes = [text for text in SENTENCES if "{}" in text and text in texts]
    return [
        (re.compile(HOLE.sub("(.+?)", re.escape(text)), re.DOTALL), texts[text])
        for text in with_holes
    ]


def register() -> None:
    """Give Blender the texts in every language that is here."""
    known = {
        language: {(context, text): own for text, own in texts.items() for context in CONTEXTS}
        for language, texts in LANGUAGES.items()
    }
    bpy.app.translations.register(__package__, known)


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(__package__)
