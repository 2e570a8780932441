# SPDX-License-Identifier: GPL-3.0-or-later
"""Translates texts into the user's language with Blender's own translation system.

Blender translates labels and tooltips itself when it draws them. Any text that is composed or
wrapped is translated here first: a `Message` by its template, any other string as a whole.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ..providers import Message
from .catalog import find_catalog, read_catalog

CONTEXT = "image_to_mesh"
"""Context of strings that Blender's own catalog has in another sense, such as “Fast” as a verb."""
CONTEXTS = ("*", "Operator", CONTEXT)

_labels: dict[str, Message] = {}
# Owner of the subscriptions: msgbus identifies them by it, so it must stay alive.
_subscriber = object()


def tr(text: str) -> str:
    """Translate a string of the interface; return it unchanged if it has no translation."""
    return str(bpy.app.translations.pgettext_iface(text, CONTEXT))


def translate(*sentences: str) -> str:
    """Translate sentences and join them with spaces; empty ones are left out."""
    return " ".join(_translate(sentence) for sentence in sentences if sentence)


def translate_error(error: Exception) -> str:
    """Return an error's message and hint, translated and joined.

    If the error has no message, as most of Python's own do not, its first argument is translated if
    that is a string, else `str(error)`.
    """
    message = getattr(error, "message", None) or _words_of(error)
    return translate(message, getattr(error, "hint", ""))


def _words_of(error: Exception) -> str:
    text = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return text if isinstance(text, Message) else text.strip()


def _translate(sentence: str) -> str:
    if not isinstance(sentence, Message):
        return tr(sentence)
    values = {
        name: _translate(value) if isinstance(value, Message) else value
        for name, value in sentence.values.items()
    }
    return tr(sentence.template).format_map(values)


def label(template: str, **values: object) -> str:
    """Return an English label or tooltip for a property, with `values` filled in.

    Blender looks up a translation of the finished string, which is added when a language is loaded.
    """
    message = Message(template, **values)
    _labels[str(message)] = message
    return str(message)


def register() -> None:
    """Load the translations for the user's language, now and whenever the language changes."""
    _load()
    _subscribe()
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Remove the translations, and stop reacting to changes of the language."""
    bpy.app.handlers.load_post.remove(_on_load)
    bpy.msgbus.clear_by_owner(_subscriber)
    bpy.app.translations.unregister(__package__)


def _subscribe() -> None:
    """Subscribe to language changes, which are reported in the event loop, before a redraw."""
    bpy.msgbus.subscribe_rna(
        key=(bpy.types.PreferencesView, "language"), owner=_subscriber, args=(), notify=_reload
    )


@persistent
def _on_load(*_: object) -> None:
    """Subscribe again, since opening a file ends all subscriptions, and reload the translations."""
    bpy.msgbus.clear_by_owner(_subscriber)
    _subscribe()
    _reload()  # loading factory settings also changes the language


def _reload() -> None:
    bpy.app.translations.unregister(__package__)
    _load()


def _load() -> None:
    """Register the translations for Blender's current language only: reading a file takes 3 ms.

    If there is no file for the language, Blender shows the English strings.
    """
    locale = bpy.app.translations.locale
    path = find_catalog(locale)
    texts = read_catalog(path) if path else {}
    for text, message in _labels.items():
        if message.template in texts:
            texts[text] = _fill(message, texts)
    # Blender looks a text up in the context of the place where it draws it.
    known = {(context, text): own for text, own in texts.items() for context in CONTEXTS}
    bpy.app.translations.register(__package__, {locale: known})


def _fill(message: Message, texts: dict[str, str]) -> str:
    values = {
        name: _fill(value, texts) if isinstance(value, Message) else value
        for name, value in message.values.items()
    }
    return texts.get(message.template, message.template).format_map(values)
