# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the person's language, by Blender's own translation system.

Blender translates what it draws itself: titles, tooltips, labels that are one known text. What is
put together of parts, or broken into lines, is translated here first. Errors, notes and phases come
from rooms that know no Blender: a `Message` is translated by its template, a finished sentence is
recognized by its fixed words.
"""

from __future__ import annotations

import functools

import bpy

from ..providers import Message
from . import LANGUAGES, SENTENCES
from .sentences import Sentences

ADDON = __package__.rpartition(".")[0]
CONTEXT = "image_to_mesh"
"""Of texts that Blender's own catalog has in another sense: “Fast” as a verb, “Mesh” as a net."""
CONTEXTS = ("*", "Operator", CONTEXT)


def tr(text: str) -> str:
    """Return a text of the interface in the person's language; itself where none is known."""
    return str(bpy.app.translations.pgettext_iface(text, CONTEXT))


def said(*sentences: str) -> str:
    """Return what was said in the person's language, as one text."""
    return " ".join(_said(one) for one in sentences if one)


def told(error: Exception) -> str:
    """Return an error as the person reads it: what happened, and what to do."""
    message = str(getattr(error, "message", str(error)))
    return said(message.strip(), getattr(error, "hint", ""))


def _said(sentence: str) -> str:
    if isinstance(sentence, Message):
        return filled(sentence)
    translated = tr(sentence)
    if translated != sentence or not bpy.context.preferences.view.use_translate_interface:
        return translated
    return recognized(sentence, bpy.app.translations.locale)


def filled(message: Message) -> str:
    """Return a message in the person's language, by its template; its values may be messages."""
    values = {
        name: filled(value) if isinstance(value, Message) else value
        for name, value in message.values.items()
    }
    return tr(message.template).format_map(values)


@functools.lru_cache(maxsize=1024)
def recognized(sentence: str, language: str) -> str:
    """Translate a sentence by the one whose fixed words it has; itself where there is none."""
    return _sentences(language).said(sentence) if language in SENTENCES else sentence


@functools.cache
def _sentences(language: str) -> Sentences:
    return Sentences(SENTENCES[language])


def register() -> None:
    """Give Blender the texts in every language that is here."""
    known = {
        language: {(context, text): own for text, own in texts.items() for context in CONTEXTS}
        for language, texts in LANGUAGES.items()
    }
    bpy.app.translations.register(ADDON, known)


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(ADDON)
