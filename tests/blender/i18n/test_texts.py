# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages: nothing missing, nothing left over, no hole lost."""

from __future__ import annotations

import ast
import importlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import package
import places
import pytest
from blender.texts import all_texts
from unit.sentences import said_in, speaking

if TYPE_CHECKING:
    from types import ModuleType

SHOWING = ("_refuse", "draw_text", "label", "progress", "report")
ADDON = "bl_ext.user_default.image_to_mesh"


def room(name: str) -> Any:
    """Return one of the add-on's modules."""
    return importlib.import_module(f"{ADDON}.{name}")


@pytest.fixture
def german(addon: ModuleType) -> dict[str, str]:
    """English texts to German ones."""
    return dict(room("i18n").GERMAN)


def test_every_interface_text_is_translated(german: dict[str, str]) -> None:
    missing = sorted(all_texts() - set(german))
    assert not missing, "\n".join(f"    {text!r}: {text!r}," for text in missing)


def test_no_translation_is_unused(addon: ModuleType) -> None:
    """What stands in the files of sentences, tests/unit/i18n/test_sentences.py looks for."""
    files = ("interface", "settings", "tooltips")
    known = {text for file in files for text in room(f"i18n.german_{file}").TEXTS}
    left = known - all_texts() - set(said_in(speaking()))
    assert not left, "\n".join(sorted(left))


def test_every_field_of_a_text_is_in_its_translation(german: dict[str, str]) -> None:
    for english, own in german.items():
        assert english.count("{}") == own.count("{}"), english
        assert own.strip() == own != "", english
        assert english.endswith("...") == own.endswith("..."), english


def test_composed_texts_use_translated_pieces() -> None:
    """A sentence with a name in it is a template: what is glued together cannot be translated."""
    glued = []
    for file in package.known_files():
        if not file.startswith("panels/"):
            continue
        for node in ast.walk(ast.parse((places.ROOT / file).read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                words = "".join(str(one.value) for one in node.values
                                if isinstance(one, ast.Constant))  # fmt: skip
                if " " in words.strip() and any(len(part) > 3 for part in words.split()):
                    glued.append(f"{file}:{node.lineno} {words}")
    assert not glued, "\n".join(glued)


def test_translations_are_registered_and_unregistered_with_blender(
    addon: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = room("i18n.translate")
    told: list[Any] = []
    assert words.tr("Choose a picture") == "Choose a picture"
    assert words.said("", "A sentence that nobody knows.") == "A sentence that nobody knows."
    calls = SimpleNamespace(
        register=lambda name, texts: told.append((name, texts)), unregister=told.append
    )
    fake = SimpleNamespace(app=SimpleNamespace(translations=calls))
    monkeypatch.setattr(words, "bpy", fake)
    words.register()
    words.unregister()
    registered, gone = told
    name, texts = registered
    assert name == gone == ADDON
    for context in ("*", "Operator"):
        assert texts["de_DE"][context, "Generate"] == "Erzeugen"


def test_messages_appear_in_the_language_of_the_interface(
    addon: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = room("i18n.translate")
    error = room("providers").Unreachable(
        "there cannot be reached: no connection.", "Check the connection."
    )
    view = SimpleNamespace(use_translate_interface=True)
    texts = SimpleNamespace(locale="de_DE", pgettext_iface=lambda text, context: text)
    fake = SimpleNamespace(
        app=SimpleNamespace(translations=texts),
        context=SimpleNamespace(preferences=SimpleNamespace(view=view)),
    )
    assert words.told(error) == str(error)
    monkeypatch.setattr(words, "bpy", fake)
    assert (
        words.told(error) == "there ist nicht erreichbar: keine Verbindung. Prüfe die Verbindung."
    )
    assert words.told(OSError("Permission denied")) == "Keine Berechtigung"
    assert words.said("There is nothing to go on, they say.") == (
        "There is nothing to go on, they say."
    )
    texts.locale = "fr_FR"
    assert words.told(error) == str(error)
    texts.locale, view.use_translate_interface = "de_DE", False
    assert words.told(error) == str(error)


def test_no_error_is_shown_as_it_was_raised() -> None:
    """What a person sees of an error goes through `words`: as it was raised it is English."""
    raw = [
        f"{file}:{node.lineno}"
        for file in package.known_files()
        if file.startswith(("app/", "panels/", "operators/"))
        for node in ast.walk(ast.parse((places.ROOT / file).read_text("utf-8")))
        if isinstance(node, ast.Call)
        and _called(node) in SHOWING
        and any(map(_is_raw, [*node.args, *(one.value for one in node.keywords)]))
    ]
    assert not raw, "\n".join(raw)


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _is_raw(shown: ast.AST) -> bool:
    """Say whether an expression holds an error's words that nobody has translated."""
    match shown:
        case ast.Call() if _called(shown) in ("said", "told", "tr"):
            return False
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id="error")]):
            return True
        case ast.Attribute(attr="hint" | "phase"):
            return True
    return any(map(_is_raw, ast.iter_child_nodes(shown)))
